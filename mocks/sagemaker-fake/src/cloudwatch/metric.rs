//! What a metric is: a name in a namespace, and dimensions in no order.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::invalid;
use crate::ApiError;
use crate::clock::Timestamp;
use crate::s3::hex;
use crate::store::Record;

/// A metric that has had data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    /// Its region.
    pub region: String,
    /// `aws/sagemaker/Endpoints/model-metrics`.
    pub namespace: String,
    /// `accuracy`.
    pub name: String,
    /// Names and values, in the order of the names.
    pub dimensions: Vec<(String, String)>,
    /// When data last came in.
    pub last: Timestamp,
}

impl Record for Metric {
    const KIND: &'static str = "metric";
    fn key(&self) -> String {
        let mut key = format!("{}{}\0", keys_of_namespace(&self.region, &self.namespace), self.name);
        self.dimensions.iter().for_each(|(name, value)| key.push_str(&format!("{name}\0{value}\0")));
        key
    }
}

/// How the keys of a namespace's metrics begin; those of every namespace, for the empty one.
pub(super) fn keys_of_namespace(region: &str, namespace: &str) -> String {
    if namespace.is_empty() { format!("{region}/") } else { format!("{region}/{namespace}\0") }
}

impl Metric {
    /// The metric that a structure with `MetricName` and `Dimensions` names.
    ///
    /// # Errors
    /// `InvalidParameterValue` for a dimension that is given twice.
    pub(super) fn read(region: &str, namespace: &str, given: &Value) -> Result<Self, ApiError> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let dimensions = given["Dimensions"].as_array().into_iter().flatten();
        let mut dimensions: Vec<_> =
            dimensions.map(|dimension| (text(&dimension["Name"]), text(&dimension["Value"]))).collect();
        dimensions.sort();
        if let Some(twice) = dimensions.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(invalid(format!("The dimension {} is specified more than once.", twice[0].0)));
        }
        Ok(Self {
            region: region.to_owned(),
            namespace: namespace.to_owned(),
            name: text(&given["MetricName"]),
            dimensions,
            last: Timestamp(0),
        })
    }

    /// What its data points are kept under: as short for many dimensions as for none.
    pub(super) fn id(&self) -> String {
        hex(&Sha256::digest(self.key())[..16])
    }

    /// As AWS answers it.
    pub(super) fn shape(&self) -> Value {
        let dimensions: Vec<_> =
            self.dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect();
        json!({"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions})
    }
}
