//! GetMetricStatistics: the statistics of one metric, period by period.

use serde_json::{Value, json};

use super::metric::Metric;
use super::points::{self, Point};
use super::{combination, invalid, missing};
use crate::ApiError;
use crate::clock::Timestamp;
use crate::fake::Context;

/// The most data points of an answer.
const MOST: i64 = 1440;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

pub(super) fn get(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let metric = Metric::read(context.region, input["Namespace"].as_str().unwrap_or_default(), input)?;
    if !input["ExtendedStatistics"].is_null() {
        return Err(invalid("This fake keeps statistics and no single values: ExtendedStatistics cannot be computed."));
    }
    let statistics: Vec<_> = input["Statistics"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if statistics.is_empty() {
        return Err(missing("At least one of the parameters Statistics and ExtendedStatistics must be specified."));
    }
    let (start, end) = range(input)?;
    let period_ms = period_ms(&input["Period"])?;
    let start = rounded(start, context.fake.clock.now());
    let asked = (end.0 - start.0).div_euclid(period_ms);
    if asked > MOST {
        return Err(combination(format!(
            "You have requested up to {asked} datapoints, which exceeds the limit of {MOST}. You may reduce the datapoints \
             requested by increasing Period, or decreasing the time range."
        )));
    }
    let all = context.fake.store.read(|view| points::within(view, &metric, &(start..end)))?;
    let mut units: Vec<_> = all.iter().map(|point| point.unit.as_str()).collect();
    units.sort_unstable();
    units.dedup();
    units.retain(|unit| input["Unit"].as_str().is_none_or(|asked| asked == *unit));
    let mut datapoints = Vec::new();
    for unit in units {
        let of_unit: Vec<Point> = all.iter().filter(|point| point.unit == unit).cloned().collect();
        for (time, values) in points::by_period(&of_unit, start, period_ms) {
            let mut datapoint = json!({"Timestamp": time, "Unit": unit});
            statistics.iter().for_each(|name| datapoint[*name] = json!(values.get(name)));
            datapoints.push(datapoint);
        }
    }
    Ok(json!({"Label": metric.name, "Datapoints": datapoints}))
}

/// `StartTime` and `EndTime`.
pub(super) fn range(input: &Value) -> Result<(Timestamp, Timestamp), ApiError> {
    let time = |name: &str| serde_json::from_value::<Timestamp>(input[name].clone()).map_err(ApiError::internal);
    let (start, end) = (time("StartTime")?, time("EndTime")?);
    if start >= end {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime."));
    }
    Ok((start, end))
}

/// A `Period` in milliseconds.
pub(super) fn period_ms(period: &Value) -> Result<i64, ApiError> {
    let seconds = period.as_i64().unwrap_or_default();
    if !(matches!(seconds, 1 | 5 | 10 | 20 | 30) || (seconds > 0 && seconds % 60 == 0)) {
        return Err(invalid(format!(
            "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60; it is {seconds}."
        )));
    }
    Ok(seconds.saturating_mul(1000))
}

/// The beginning of a range, as CloudWatch rounds it: the older, the coarser.
fn rounded(start: Timestamp, now: Timestamp) -> Timestamp {
    let step = match now.0 - start.0 {
        age if age < 15 * DAY_MS => MINUTE_MS,
        age if age < 63 * DAY_MS => 5 * MINUTE_MS,
        _ => 60 * MINUTE_MS,
    };
    Timestamp(start.0.div_euclid(step) * step)
}
