//! The CloudWatch metrics of a job: lines that its container leaves in a file, for SageMaker to publish.

use serde::Serialize;

use crate::{records::read::write, statistics::Statistics};

/// The namespace of an endpoint's metrics; without a slash before it.
pub const ENDPOINT_NAMESPACE: &str = "aws/sagemaker/Endpoints/model-metrics";

/// The namespace of a batch transform job's metrics.
pub const BATCH_NAMESPACE: &str = "aws/sagemaker/ModelMonitoring/model-metrics";

/// A metric to publish, with the members that `PutMetricData` has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Datum {
    /// `auc`.
    pub metric_name: &'static str,
    /// The beginning of the hour that was analysed: `2021-05-18T00:00:00Z`.
    pub timestamp: String,
    /// `Endpoint` and `MonitoringSchedule`; of batch transform jobs the latter alone.
    pub dimensions: Vec<Dimension>,
    /// The value over all rows.
    pub value: f64,
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

/// The metrics that the monitor publishes: all but the matrix and the curves. `endpoint` and `schedule` are names; a name
/// that is missing makes no dimension.
#[must_use]
pub fn data(statistics: &Statistics, timestamp: &str, endpoint: Option<&str>, schedule: Option<&str>) -> Vec<Datum> {
    let named = [("Endpoint", endpoint), ("MonitoringSchedule", schedule)];
    let dimensions: Vec<_> =
        named.into_iter().filter_map(|(name, value)| Some(Dimension { name, value: value?.to_owned() })).collect();
    let datum = |(metric_name, metric): (_, crate::statistics::Metric)| Datum {
        metric_name,
        timestamp: timestamp.to_owned(),
        dimensions: dimensions.clone(),
        value: metric.value,
    };
    // CloudWatch takes no others.
    statistics.metrics().filter(|(_, metric)| metric.value.is_finite()).map(datum).collect()
}

/// The file's content: a metric a line.
#[must_use]
pub fn to_json_lines(data: &[Datum]) -> String {
    let mut text = Vec::new();
    data.iter().for_each(|datum| write(&mut text, datum));
    String::from_utf8(text).unwrap_or_default()
}
