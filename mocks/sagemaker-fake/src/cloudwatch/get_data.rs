//! GetMetricData: many metrics at once, one statistic of each. Periods begin at multiples of their length.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::get_statistics::{period_ms, range};
use super::metric::Metric;
use super::{invalid, points};
use crate::ApiError;
use crate::clock::Timestamp;
use crate::fake::Context;

/// The most queries of a request.
const MOST_QUERIES: usize = 500;
/// The most data points of an answer.
const MOST_POINTS: usize = 100_800;

/// One of the queries.
struct Query<'a> {
    id: &'a str,
    label: Option<&'a str>,
    metric: Metric,
    period_ms: i64,
    statistic: &'a str,
    unit: Option<&'a str>,
}

/// A token says how many data points the pages before it had.
pub(super) fn get(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let given = input["MetricDataQueries"].as_array().map(Vec::as_slice).unwrap_or_default();
    if given.is_empty() || given.len() > MOST_QUERIES {
        return Err(invalid(format!("The collection MetricDataQueries must have from 1 to {MOST_QUERIES} members.")));
    }
    let (start, end) = range(input)?;
    let queries = given.iter().map(|query| read(context.region, query)).collect::<Result<Vec<_>, _>>()?;
    if let Some(query) =
        queries.iter().enumerate().find(|(index, query)| queries[..*index].iter().any(|other| other.id == query.id))
    {
        return Err(validation(&format!(
            "The values for parameter id in parameter metricDataQueries are not unique: '{}'",
            query.1.id
        )));
    }
    let mut skip = match input["NextToken"].as_str() {
        None => 0,
        Some(token) => {
            let bytes = URL_SAFE_NO_PAD.decode(token).ok();
            let skip = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| text.parse().ok());
            skip.ok_or_else(|| ApiError::new("InvalidNextToken", "Invalid NextToken."))?
        }
    };
    let asked = input["MaxDatapoints"].as_u64().and_then(|most| usize::try_from(most).ok()).filter(|most| *most > 0);
    let most = asked.unwrap_or(MOST_POINTS).min(MOST_POINTS);
    let (before, mut room) = (skip, most);
    let mut more = false;
    let mut results = Vec::new();
    for query in &queries {
        let values = query.values(context, start, end, input["ScanBy"] == "TimestampAscending")?;
        let page: Vec<_> = values.iter().skip(skip).take(room).collect();
        let left = values.len().saturating_sub(skip) - page.len();
        skip = skip.saturating_sub(values.len());
        room -= page.len();
        more |= left > 0;
        results.push(json!({
            "Id": query.id,
            "Label": query.label.unwrap_or(&query.metric.name),
            "Timestamps": page.iter().map(|(time, _)| time).collect::<Vec<_>>(),
            "Values": page.iter().map(|(_, value)| value).collect::<Vec<_>>(),
            "StatusCode": if left > 0 { "PartialData" } else { "Complete" },
        }));
    }
    let mut output = json!({"MetricDataResults": results, "Messages": []});
    if more {
        output["NextToken"] = json!(URL_SAFE_NO_PAD.encode((before + most).to_string()));
    }
    Ok(output)
}

fn read<'a>(region: &str, query: &'a Value) -> Result<Query<'a>, ApiError> {
    let id = query["Id"].as_str().unwrap_or_default();
    if !id.starts_with(|first: char| first.is_ascii_lowercase())
        || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    {
        return Err(validation(&format!(
            "The value '{id}' for parameter id in parameter metricDataQueries does not match the required pattern '^[a-z][a-zA-Z0-9_]*$'"
        )));
    }
    if let Some(expression) = query["Expression"].as_str() {
        return Err(validation(&format!(
            "This fake evaluates no metric math: the query {id} has the Expression '{expression}'."
        )));
    }
    let stat = &query["MetricStat"];
    if stat.is_null() {
        return Err(validation(&format!("The query {id} must have either MetricStat or Expression.")));
    }
    let namespace = stat["Metric"]["Namespace"].as_str().unwrap_or_default();
    let statistic = stat["Stat"].as_str().unwrap_or_default();
    if !["SampleCount", "Average", "Sum", "Minimum", "Maximum"].contains(&statistic) {
        return Err(validation(&format!(
            "This fake keeps statistics and no single values: Stat '{statistic}' of the query {id} is none of SampleCount, \
             Average, Sum, Minimum and Maximum."
        )));
    }
    Ok(Query {
        id,
        label: query["Label"].as_str(),
        metric: Metric::read(region, namespace, &stat["Metric"])?,
        period_ms: period_ms(&stat["Period"])?,
        statistic,
        unit: stat["Unit"].as_str(),
    })
}

impl Query<'_> {
    /// Times and values, newest first unless it is to be the other way round.
    fn values(
        &self,
        context: &Context<'_>,
        start: Timestamp,
        end: Timestamp,
        ascending: bool,
    ) -> Result<Vec<(Timestamp, f64)>, ApiError> {
        let start = Timestamp(start.0.div_euclid(self.period_ms) * self.period_ms);
        let mut points = context.fake.store.read(|view| points::within(view, &self.metric, &(start..end)))?;
        points.retain(|point| self.unit.is_none_or(|unit| point.unit == unit));
        let periods = points::by_period(&points, Timestamp(0), self.period_ms);
        let value = |(time, values): (Timestamp, points::Statistics)| Some((time, values.get(self.statistic)?));
        let mut values: Vec<_> = periods.into_iter().filter_map(value).collect();
        if !ascending {
            values.reverse();
        }
        Ok(values)
    }
}

fn validation(message: &str) -> ApiError {
    ApiError::new("ValidationError", message)
}
