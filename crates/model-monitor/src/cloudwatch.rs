//! The CloudWatch metrics of a job: lines that its container leaves in a file, for SageMaker to publish.

use serde::Serialize;

use crate::{records::read::write, statistics::Statistics};

/// The namespace of the model quality of an endpoint; without a slash before it.
pub const MODEL_QUALITY_NAMESPACE: &str = "aws/sagemaker/Endpoints/model-metrics";

/// The namespace of an endpoint's data quality, with the dimensions that model quality has. AWS's guide writes it in two
/// other ways (`/aws/sagemaker/Endpoints/data-metric`, `/aws/sagemaker/Endpoint/data-metrics`), with two kinds of
/// dimensions; this is the one that the alarms and dashboards of AWS's own samples read.
pub const DATA_QUALITY_NAMESPACE: &str = "aws/sagemaker/Endpoints/data-metrics";

/// The namespace of a job on an endpoint's captures, by the `analysis_type` in its environment.
#[must_use]
pub fn namespace(analysis_type: Option<&str>) -> &'static str {
    match analysis_type {
        None | Some("DATA_QUALITY") => DATA_QUALITY_NAMESPACE,
        Some(_) => MODEL_QUALITY_NAMESPACE,
    }
}

/// A metric to publish, with the members that `PutMetricData` has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Datum {
    /// `auc`, `feature_data_age`.
    pub metric_name: String,
    /// The beginning of the hour that was analysed: `2021-05-18T00:00:00Z`.
    pub timestamp: String,
    /// `Endpoint` and `MonitoringSchedule`; of batch transform jobs the latter alone.
    pub dimensions: Vec<Dimension>,
    /// Of all rows.
    #[serde(flatten)]
    pub measure: Measure,
}

/// What a metric belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Dimension {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: String,
}

/// What is said of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Measure {
    /// One value.
    Value(f64),
    /// Of many values.
    #[serde(rename_all = "PascalCase")]
    #[allow(missing_docs, reason = "the names are CloudWatch's")]
    StatisticValues { sample_count: f64, sum: f64, minimum: f64, maximum: f64 },
}

impl Measure {
    /// CloudWatch takes no others.
    fn is_finite(&self) -> bool {
        match self {
            Self::Value(value) => value.is_finite(),
            Self::StatisticValues { sum, minimum, maximum, .. } => {
                [sum, minimum, maximum].iter().all(|it| it.is_finite())
            }
        }
    }
}

/// The metrics of model quality that the monitor publishes: all but the matrix and the curves.
#[must_use]
pub fn metrics(statistics: &Statistics) -> Vec<(String, Measure)> {
    statistics.metrics().map(|(name, metric)| (name.to_owned(), Measure::Value(metric.value))).collect()
}

/// Metrics as they are published. `endpoint` and `schedule` are names; a name that is missing makes no dimension.
#[must_use]
pub fn data(
    metrics: Vec<(String, Measure)>,
    timestamp: &str,
    endpoint: Option<&str>,
    schedule: Option<&str>,
) -> Vec<Datum> {
    let named = [("Endpoint", endpoint), ("MonitoringSchedule", schedule)];
    let dimensions: Vec<_> =
        named.into_iter().filter_map(|(name, value)| Some(Dimension { name, value: value?.to_owned() })).collect();
    let datum = |(metric_name, measure)| Datum {
        metric_name,
        timestamp: timestamp.to_owned(),
        dimensions: dimensions.clone(),
        measure,
    };
    metrics.into_iter().filter(|(_, measure)| measure.is_finite()).map(datum).collect()
}

/// The file's content: a metric a line.
#[must_use]
pub fn to_json_lines(data: &[Datum]) -> String {
    let mut text = Vec::new();
    data.iter().for_each(|datum| write(&mut text, datum));
    String::from_utf8(text).unwrap_or_default()
}
