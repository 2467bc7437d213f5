//! Alarms of single metrics: PutMetricAlarm, DescribeAlarms, DeleteAlarms.
//!
//! The state of an alarm is worked out whenever it is asked for, from the periods that are over by the fake's clock. Its
//! actions are kept and not carried out.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::metric::Metric;
use super::points::{self, Statistics};
use super::{combination, get_statistics, invalid, missing};
use crate::ApiError;
use crate::clock::Timestamp;
use crate::fake::Context;
use crate::protocol::Service;
use crate::sagemaker::paging::{self, Order, SortKey};
use crate::sagemaker::tags;
use crate::store::{Record, Records};

/// The number of alarms on a page when `MaxRecords` does not say.
const PAGE: u64 = 50;

/// An alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    region: String,
    name: String,
    arn: String,
    /// What it was given, in AWS's own shape.
    details: Map<String, Value>,
    updated: Timestamp,
}

impl Record for Alarm {
    const KIND: &'static str = "alarm";
    fn key(&self) -> String {
        key(&self.region, &self.name)
    }
}

/// Names of alarms differ by case.
fn key(region: &str, name: &str) -> String {
    format!("{region}/{name}")
}

pub(super) fn put(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    for absent in ["Metrics", "ThresholdMetricId", "ExtendedStatistic", "EvaluationCriteria", "EvaluationInterval"] {
        if !input[absent].is_null() {
            return Err(invalid(format!("This fake watches one statistic of one metric: {absent} is not served.")));
        }
    }
    for required in
        ["MetricName", "Namespace", "Statistic", "Period", "EvaluationPeriods", "Threshold", "ComparisonOperator"]
    {
        if input[required].is_null() {
            return Err(missing(format!("The parameter {required} is required.")));
        }
    }
    get_statistics::period_ms(&input["Period"])?;
    if Comparison::of(&input["ComparisonOperator"]).is_none() {
        return Err(invalid(format!(
            "This fake detects no anomalies: the ComparisonOperator {} is not served.",
            input["ComparisonOperator"]
        )));
    }
    let treat = input["TreatMissingData"].as_str().unwrap_or("missing");
    if !["breaching", "notBreaching", "ignore", "missing"].contains(&treat) {
        return Err(invalid(format!("The value {treat} for parameter TreatMissingData is not supported.")));
    }
    let to_alarm = input["DatapointsToAlarm"].as_u64().unwrap_or(1);
    if input["EvaluationPeriods"].as_u64().is_some_and(|periods| to_alarm > periods) {
        return Err(combination("DatapointsToAlarm must not be greater than EvaluationPeriods."));
    }
    let name = input["AlarmName"].as_str().unwrap_or_default();
    let mut details = input.as_object().cloned().unwrap_or_default();
    details.retain(|name, value| Service::CloudWatch.api().shape("MetricAlarm").has(name) && !value.is_null());
    details.entry("ActionsEnabled").or_insert(json!(true));
    for list in ["OKActions", "AlarmActions", "InsufficientDataActions", "Dimensions"] {
        details.entry(list).or_insert(json!([]));
    }
    let arn = format!("arn:aws:cloudwatch:{}:{}:alarm:{name}", context.region, context.fake.account());
    let (region, updated) = (context.region.to_owned(), context.fake.clock.now());
    let alarm = Alarm { region, name: name.to_owned(), arn, details, updated };
    context.fake.store.write(|change| {
        // The tags of an alarm that is there stay as they are.
        if change.get::<Alarm>(&alarm.key())?.is_none() {
            tags::create(change, &alarm.arn, input)?;
        }
        change.put(&alarm)
    })?;
    Ok(Value::Null)
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let alarms = context.fake.store.read(|view| view.list::<Alarm>(&key(context.region, "")))?;
    let any = |list: &str| input[list].as_array().filter(|items| !items.is_empty());
    // There are no others.
    let metric_alarms = any("AlarmTypes").is_none_or(|types| types.iter().any(|kind| kind == "MetricAlarm"));
    let mut shapes = Vec::new();
    for alarm in alarms.iter().filter(|_| metric_alarms) {
        let named = any("AlarmNames").is_none_or(|names| names.iter().any(|name| name == alarm.name.as_str()))
            && input["AlarmNamePrefix"].as_str().is_none_or(|prefix| alarm.name.starts_with(prefix));
        let acts = |prefix: &str| {
            let lists = ["OKActions", "AlarmActions", "InsufficientDataActions"].into_iter();
            let mut actions = lists.filter_map(|list| alarm.details.get(list)?.as_array()).flatten();
            actions.any(|action| action.as_str().is_some_and(|action| action.starts_with(prefix)))
        };
        if named && input["ActionPrefix"].as_str().is_none_or(acts) {
            let shape = alarm.shape(context)?;
            if input["StateValue"].is_null() || input["StateValue"] == shape["StateValue"] {
                shapes.push(shape);
            }
        }
    }
    let mut paged = input.clone();
    paged["MaxResults"] = json!(input["MaxRecords"].as_u64().unwrap_or(PAGE));
    let name = |shape: &Value| shape["AlarmName"].as_str().unwrap_or_default().to_owned();
    let sort_key = |shape: &Value| SortKey::Name(name(shape));
    let (page, token) = paging::page("DescribeAlarms", &paged, Order::Ascending, shapes, sort_key, name)
        .map_err(|error| ApiError::new("InvalidNextToken", error.message))?;
    let mut output = json!({"MetricAlarms": page, "CompositeAlarms": []});
    if let Some(token) = token {
        output["NextToken"] = json!(token);
    }
    Ok(output)
}

/// All of them or, if one is not there, none.
pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        for name in input["AlarmNames"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let alarm: Option<Alarm> = change.get(&key(context.region, name))?;
            let alarm = alarm.ok_or_else(|| {
                ApiError::not_found(format!("Alarm {name} does not exist.")).with_status(StatusCode::NOT_FOUND)
            })?;
            tags::delete(change, &alarm.arn)?;
            change.delete::<Alarm>(&alarm.key())?;
        }
        Ok(Value::Null)
    })
}

pub(super) fn list_tags(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let arn = input["ResourceARN"].as_str().unwrap_or_default();
    context.fake.store.read(|view| {
        let name = arn.split(":alarm:").nth(1).unwrap_or_default();
        match view.get::<Alarm>(&key(context.region, name))? {
            Some(alarm) if alarm.arn == arn => Ok(json!({"Tags": tags::of(view, arn)?})),
            _ => Err(ApiError::new("ResourceNotFoundException", format!("Unable to find resource {arn}"))),
        }
    })
}

/// How a value is compared with the threshold.
#[derive(Clone, Copy)]
struct Comparison {
    breaches: fn(f64, f64) -> bool,
    words: &'static str,
}

impl Comparison {
    fn of(operator: &Value) -> Option<Self> {
        let (breaches, words): (fn(f64, f64) -> bool, _) = match operator.as_str()? {
            "GreaterThanOrEqualToThreshold" => (|value, threshold| value >= threshold, "greater than or equal to"),
            "GreaterThanThreshold" => (|value, threshold| value > threshold, "greater than"),
            "LessThanThreshold" => (|value, threshold| value < threshold, "less than"),
            "LessThanOrEqualToThreshold" => (|value, threshold| value <= threshold, "less than or equal to"),
            _ => return None,
        };
        Some(Self { breaches, words })
    }
}

impl Alarm {
    fn shape(&self, context: &Context<'_>) -> Result<Value, ApiError> {
        let (state, reason, since) = self.state(context)?;
        let mut shape = Value::Object(self.details.clone());
        shape["AlarmArn"] = json!(self.arn);
        shape["AlarmConfigurationUpdatedTimestamp"] = json!(self.updated);
        shape["StateValue"] = json!(state);
        shape["StateReason"] = json!(reason);
        shape["StateUpdatedTimestamp"] = json!(since);
        Ok(shape)
    }

    /// State, reason, and when it was worked out: at the end of the last period, or when the alarm was changed after that.
    fn state(&self, context: &Context<'_>) -> Result<(&'static str, String, Timestamp), ApiError> {
        let given = |name: &str| self.details.get(name).unwrap_or(&Value::Null);
        let period_ms = get_statistics::period_ms(given("Period"))?;
        let periods = given("EvaluationPeriods").as_i64().unwrap_or(1);
        let end = Timestamp(context.fake.clock.now().0.div_euclid(period_ms) * period_ms);
        let start = Timestamp(end.0.saturating_sub(periods.saturating_mul(period_ms)));
        let details = Value::Object(self.details.clone());
        let metric = Metric::read(&self.region, given("Namespace").as_str().unwrap_or_default(), &details)?;
        let mut points = context.fake.store.read(|view| points::within(view, &metric, &(start..end)))?;
        points.retain(|point| given("Unit").as_str().is_none_or(|unit| point.unit == unit));
        let statistic = given("Statistic").as_str().unwrap_or_default();
        let values = points::by_period(&points, start, period_ms);
        let values: Vec<f64> =
            values.iter().filter_map(|(_, values): &(_, Statistics)| values.get(statistic)).collect();

        let threshold = given("Threshold").as_f64().unwrap_or_default();
        let since = end.max(self.updated);
        let Some(comparison) = Comparison::of(given("ComparisonOperator")) else {
            return Err(invalid("The ComparisonOperator is not served."));
        };
        let absent = periods - i64::try_from(values.len()).unwrap_or(periods);
        let treat = given("TreatMissingData").as_str().unwrap_or("missing");
        if values.is_empty() && matches!(treat, "missing" | "ignore") {
            return Ok(("INSUFFICIENT_DATA", "Insufficient Data: no datapoints were received.".to_owned(), since));
        }
        let breaching = values.iter().filter(|value| (comparison.breaches)(**value, threshold)).count();
        let breaching = i64::try_from(breaching).unwrap_or(i64::MAX) + if treat == "breaching" { absent } else { 0 };
        let alarms = breaching >= given("DatapointsToAlarm").as_i64().unwrap_or(periods);
        let shown = values.iter().rev().take(5).map(f64::to_string).collect::<Vec<_>>().join(", ");
        let relation = format!("{} the threshold ({threshold})", comparison.words);
        let reason = if alarms {
            format!("Threshold Crossed: {breaching} out of the last {periods} datapoints [{shown}] were {relation}.")
        } else {
            format!(
                "Threshold Crossed: only {breaching} out of the last {periods} datapoints [{shown}] were {relation}."
            )
        };
        Ok((if alarms { "ALARM" } else { "OK" }, reason, since))
    }
}
