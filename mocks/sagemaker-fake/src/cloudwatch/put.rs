//! PutMetricData, and the lines that a job leaves in a file for SageMaker to publish: the same members, from another side.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::metric::Metric;
use super::points::{Datum, Statistics, add};
use super::{combination, invalid, missing};
use crate::ApiError;
use crate::clock::Timestamp;
use crate::fake::Context;

/// The most metrics of a request.
const MOST_METRICS: usize = 1000;
/// The most values of a metric in a request.
const MOST_VALUES: usize = 150;
/// How far a data point may lie behind, and ahead.
const LONGEST_PAST_MS: i64 = 14 * 86_400_000;
const LONGEST_FUTURE_MS: i64 = 2 * 3_600_000;

pub(super) fn put(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let namespace = input["Namespace"].as_str().unwrap_or_default();
    if namespace.starts_with("AWS/") {
        return Err(invalid(format!("The value {namespace} for parameter Namespace is invalid.")));
    }
    let now = context.fake.clock.now();
    let of_entities = input["EntityMetricData"].as_array().into_iter().flatten();
    let given: Vec<_> = of_entities
        .filter_map(|entity| entity["MetricData"].as_array())
        .chain(input["MetricData"].as_array())
        .flatten()
        .collect();
    if given.is_empty() {
        return Err(missing("The parameter MetricData is required."));
    }
    if given.len() > MOST_METRICS {
        return Err(invalid(format!("The collection MetricData must not have a size greater than {MOST_METRICS}.")));
    }
    let mut data = Vec::new();
    for (index, datum) in given.into_iter().enumerate() {
        let path = format!("MetricData.member.{}", index + 1);
        let time = serde_json::from_value(datum["Timestamp"].clone()).unwrap_or(now);
        if time.0 < now.0 - LONGEST_PAST_MS {
            return Err(invalid(format!(
                "The parameter {path}.Timestamp must specify a time within the past two weeks."
            )));
        }
        if time.0 > now.0 + LONGEST_FUTURE_MS {
            return Err(invalid(format!(
                "The parameter {path}.Timestamp must specify a time no more than two hours in the future."
            )));
        }
        data.push(read(context.region, namespace, datum, time, &path)?);
    }
    context.fake.store.write(|change| add(change, now, &data))?;
    Ok(Value::Null)
}

/// What a job wrote to be published in a namespace: a metric a line. The error is a sentence.
pub(crate) fn lines(region: &str, namespace: &str, text: &str) -> Result<Vec<Datum>, String> {
    let datum = |(index, line): (usize, &str)| {
        let path = format!("line {}", index + 1);
        let given: Value = serde_json::from_str(line).map_err(|error| format!("{path}: {error}"))?;
        let date = given["Timestamp"].as_str().and_then(|date| OffsetDateTime::parse(date, &Rfc3339).ok());
        let date = date.ok_or_else(|| format!("{path}: Timestamp is no date in ISO 8601"))?;
        let time = Timestamp(date.unix_timestamp() * 1000);
        read(region, namespace, &given, time, &path).map_err(|error| error.message)
    };
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(datum).collect()
}

/// A `MetricDatum`.
fn read(region: &str, namespace: &str, given: &Value, time: Timestamp, path: &str) -> Result<Datum, ApiError> {
    let metric = Metric::read(region, namespace, given)?;
    if metric.name.is_empty() {
        return Err(missing(format!("The parameter {path}.MetricName is required.")));
    }
    let resolution = given["StorageResolution"].as_u64().unwrap_or(60);
    if !matches!(resolution, 1 | 60) {
        return Err(invalid(format!("The value {resolution} for parameter {path}.StorageResolution is invalid.")));
    }
    Ok(Datum {
        metric,
        time,
        unit: given["Unit"].as_str().unwrap_or("None").to_owned(),
        statistics: statistics(given, path)?,
        by_second: resolution == 1,
    })
}

/// `Value`, `StatisticValues`, or `Values` with their `Counts`.
fn statistics(given: &Value, path: &str) -> Result<Statistics, ApiError> {
    let number = |value: &Value, name: &str| {
        // CloudWatch takes numbers from -2^360 to 2^360.
        let number = value.as_f64().filter(|number| number.abs() <= 2_f64.powi(360));
        number.ok_or_else(|| invalid(format!("The value {value} for parameter {path}.{name} is invalid.")))
    };
    match (&given["Value"], &given["StatisticValues"], &given["Values"]) {
        (Value::Null, Value::Null, Value::Array(values)) => {
            let counts = match &given["Counts"] {
                Value::Null => vec![1.0; values.len()],
                counts => counts
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|count| number(count, "Counts"))
                    .collect::<Result<_, _>>()?,
            };
            if counts.len() != values.len() {
                return Err(combination(format!(
                    "The parameters {path}.Values and {path}.Counts must be of the same size."
                )));
            }
            if values.len() > MOST_VALUES {
                return Err(invalid(format!(
                    "The collection {path}.Values must not have a size greater than {MOST_VALUES}."
                )));
            }
            let values: Vec<_> = values.iter().map(|value| number(value, "Values")).collect::<Result<_, _>>()?;
            let all = values.iter().zip(counts).map(|(value, count)| Statistics::of(*value, count));
            all.reduce(Statistics::and).ok_or_else(|| missing(format!("The parameter {path}.Values is empty.")))
        }
        (Value::Null, set @ Value::Object(_), Value::Null) => {
            let of = |name: &str| number(&set[name], &format!("StatisticValues.{name}"));
            let statistics = Statistics {
                count: of("SampleCount")?,
                sum: of("Sum")?,
                minimum: of("Minimum")?,
                maximum: of("Maximum")?,
            };
            if statistics.count <= 0.0 || statistics.minimum > statistics.maximum {
                return Err(invalid(format!("The parameter {path}.StatisticValues describes no values.")));
            }
            Ok(statistics)
        }
        (value, Value::Null, Value::Null) if !value.is_null() => Ok(Statistics::of(number(value, "Value")?, 1.0)),
        (Value::Null, Value::Null, Value::Null) => Err(missing(format!(
            "At least one of the parameters {path}.Value, {path}.Values and {path}.StatisticValues must be specified."
        ))),
        _ => Err(combination(format!(
            "The parameters {path}.Value, {path}.Values and {path}.StatisticValues are mutually exclusive and you have \
             specified more than one."
        ))),
    }
}
