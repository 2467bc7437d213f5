//! CloudWatch: metrics that clients and jobs publish, and what becomes of them.
//!
//! | module | what it does |
//! |---|---|
//! | `metric` | what a metric is: namespace, name, dimensions |
//! | `points` | its data points, summed up by the minute; the one place that adds to them |
//! | `put` | PutMetricData, and what jobs leave to be published |
//! | `list`, `get_data`, `get_statistics` | ListMetrics, GetMetricData, GetMetricStatistics |
//! | `alarm` | alarms of single metrics |
//! | `invocations` | the metrics of InvokeEndpoint |

mod alarm;
mod get_data;
mod get_statistics;
pub(crate) mod invocations;
mod list;
mod metric;
mod points;
mod put;

pub(crate) use alarm::Alarm;
pub use invocations::Invocations;
pub use metric::Metric;
pub(crate) use points::{Datum, Hour, add};
pub(crate) use put::lines;

use serde_json::Value;

use crate::fake::Context;
use crate::protocol::Service;
use crate::{ApiError, authorisation};

/// Calls an operation by its name.
///
/// # Errors
/// Those of the operation; `UnknownOperationException` for one that is not served.
pub fn call(context: &Context<'_>, operation: &str, input: &Value) -> Result<Value, ApiError> {
    Service::CloudWatch.api().check_input(operation, input, "ValidationError")?;
    authorisation::check(context, Service::CloudWatch, operation, input)?;
    invocations::store(context.fake)?;
    match operation {
        "PutMetricData" => put::put(context, input),
        "ListMetrics" => list::list(context, input),
        "GetMetricData" => get_data::get(context, input),
        "GetMetricStatistics" => get_statistics::get(context, input),
        "PutMetricAlarm" => alarm::put(context, input),
        "DescribeAlarms" => alarm::describe(context, input),
        "DeleteAlarms" => alarm::delete(context, input),
        "ListTagsForResource" => alarm::list_tags(context, input),
        other => {
            Err(ApiError::new("UnknownOperationException", format!("CloudWatch.{other} is not served by this fake")))
        }
    }
}

/// A value that is not allowed.
fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterValueException", message)
}

/// Values that do not go together.
fn combination(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterCombinationException", message)
}

/// A value that is not there.
fn missing(message: impl Into<String>) -> ApiError {
    ApiError::new("MissingRequiredParameterException", message)
}
