//! Which data an execution looks at: the hour, or the hours, before the time it was scheduled for.

use pipeline_definition::definition::expire_after;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::expression::{Expression, HOUR_MS};
use crate::ApiError;
use crate::clock::Timestamp;

/// The most hours that a window given by `DataAnalysisStartTime` and `DataAnalysisEndTime` may have.
const LONGEST_HOURS: i64 = 24;

/// The same of one given by `StartTimeOffset` and `EndTimeOffset`: AWS names no limit, and every hour is looked for.
const YEAR_HOURS: i64 = 366 * 24;

/// From `start` to before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its first moment.
    pub start: Timestamp,
    /// The first moment that is not in it.
    pub end: Timestamp,
}

impl Window {
    /// The beginnings of the hours that it reaches into. Records are kept by the hour: those of its first and its last hour
    /// may lie outside.
    pub fn hours(self) -> impl Iterator<Item = OffsetDateTime> {
        let first = self.start.0.div_euclid(HOUR_MS) * HOUR_MS;
        (first..self.end.0).step_by(3_600_000).map(|hour| Timestamp(hour).date())
    }
}

/// A window, relative to the time that an execution is scheduled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offsets {
    start_ms: i64,
    end_ms: i64,
}

impl Offsets {
    /// What a schedule (`ScheduleConfig`) and the job's input (`EndpointInput`) say: the schedule's
    /// `DataAnalysisStartTime` and `DataAnalysisEndTime` before the input's `StartTimeOffset` and `EndTimeOffset`, and the
    /// time since the execution before if neither has any.
    ///
    /// # Errors
    /// `ValidationException` for what is no offset, an empty window or one that is too long.
    pub fn read(expression: Expression, schedule: &Value, input: &Value) -> Result<Self, ApiError> {
        let of_schedule = pair(schedule, "DataAnalysisStartTime", "DataAnalysisEndTime")?;
        if expression == Expression::Now && of_schedule.is_none() {
            return Err(ApiError::validation(
                "DataAnalysisStartTime and DataAnalysisEndTime are required when ScheduleExpression is NOW.",
            ));
        }
        if of_schedule.is_some_and(|offsets| offsets.end_ms - offsets.start_ms > LONGEST_HOURS * HOUR_MS) {
            return Err(ApiError::validation(
                "DataAnalysisStartTime must not precede DataAnalysisEndTime by more than 24 hours.",
            ));
        }
        let period = Self { start_ms: -expression.period_hours() * HOUR_MS, end_ms: 0 };
        Ok(match of_schedule {
            Some(offsets) => offsets,
            None => pair(input, "StartTimeOffset", "EndTimeOffset")?.unwrap_or(period),
        })
    }

    /// The window of an execution.
    #[must_use]
    pub fn at(self, scheduled: Timestamp) -> Window {
        Window { start: Timestamp(scheduled.0 + self.start_ms), end: Timestamp(scheduled.0 + self.end_ms) }
    }
}

fn pair(given: &Value, start: &str, end: &str) -> Result<Option<Offsets>, ApiError> {
    let (start_text, end_text) = match (given[start].as_str(), given[end].as_str()) {
        (None, None) => return Ok(None),
        (Some(start), Some(end)) => (start, end),
        _ => return Err(ApiError::validation(format!("Both {start} and {end} must be specified, or neither."))),
    };
    let offset = |name: &str, text: &str| {
        offset_ms(text).ok_or_else(|| {
            ApiError::validation(format!(
                "{name} '{text}' is not an ISO 8601 duration before the scheduled time, e.g. -PT1H."
            ))
        })
    };
    let offsets = Offsets { start_ms: offset(start, start_text)?, end_ms: offset(end, end_text)? };
    if offsets.end_ms - offsets.start_ms > YEAR_HOURS * HOUR_MS {
        return Err(ApiError::validation(format!(
            "{start} '{start_text}' and {end} '{end_text}' are more than a year apart."
        )));
    }
    if offsets.start_ms >= offsets.end_ms {
        return Err(ApiError::validation(format!("{start} '{start_text}' must be before {end} '{end_text}'.")));
    }
    Ok(Some(offsets))
}

/// `-PT1H`. What lies ahead cannot be monitored, so that the sign may be left out of nothing but zero.
fn offset_ms(text: &str) -> Option<i64> {
    let ahead = text.strip_prefix('-').unwrap_or(text);
    let seconds = ahead.starts_with('P').then(|| expire_after(ahead))??.as_secs();
    let ms = i64::try_from(seconds).ok()?.checked_mul(1000)?;
    (text.starts_with('-') || ms == 0).then_some(-ms)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn window(expression: &str, schedule: &Value, input: &Value) -> Result<(i64, i64), String> {
        let expression = Expression::read(expression).unwrap();
        let offsets = Offsets::read(expression, schedule, input).map_err(|error| error.message)?;
        let window = offsets.at(Timestamp(0));
        Ok((window.start.0 / HOUR_MS, window.end.0 / HOUR_MS))
    }

    #[test]
    fn windows_end_where_they_are_told_to_or_at_the_scheduled_time() {
        let none = json!({});
        assert_eq!(window("cron(0 * ? * * *)", &none, &none), Ok((-1, 0)));
        assert_eq!(window("cron(0 5 ? * * *)", &none, &none), Ok((-24, 0)));
        assert_eq!(window("cron(0 0/6 ? * * *)", &none, &none), Ok((-6, 0)));
        // "-P8D and -P1D at 2020-01-09T13:00: data of 2020-01-01T13:00 to 2020-01-08T13:00" (SageMaker Developer Guide).
        let input = json!({"StartTimeOffset": "-P8D", "EndTimeOffset": "-P1D"});
        assert_eq!(window("cron(0 * ? * * *)", &none, &input), Ok((-8 * 24, -24)));
        let schedule = json!({"DataAnalysisStartTime": "-PT5H", "DataAnalysisEndTime": "-PT0H"});
        assert_eq!(window("NOW", &schedule, &input), Ok((-5, 0)));
    }

    #[test]
    fn windows_that_make_no_sense_are_refused() {
        #[track_caller]
        fn check(expression: &str, schedule: Value, input: Value, expected: &str) {
            let message = window(expression, &schedule, &input).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
        check("NOW", json!({}), json!({}), "are required when ScheduleExpression is NOW");
        let long = json!({"DataAnalysisStartTime": "-PT26H", "DataAnalysisEndTime": "-PT1H"});
        check("NOW", long, json!({}), "by more than 24 hours");
        let empty = json!({"DataAnalysisStartTime": "-PT1H", "DataAnalysisEndTime": "-PT1H"});
        check("NOW", empty, json!({}), "must be before");
        check("cron(0 * ? * * *)", json!({}), json!({"StartTimeOffset": "-PT1H"}), "or neither");
        let ahead = json!({"StartTimeOffset": "-PT1H", "EndTimeOffset": "PT1H"});
        check("cron(0 * ? * * *)", json!({}), ahead, "'PT1H' is not");
        let odd = json!({"StartTimeOffset": "-P", "EndTimeOffset": "-PT0H"});
        check("cron(0 * ? * * *)", json!({}), odd, "'-P' is not");
        let endless = json!({"StartTimeOffset": "-P99999999999D", "EndTimeOffset": "-PT0H"});
        check("cron(0 * ? * * *)", json!({}), endless, "more than a year apart");
    }

    #[test]
    fn hours_are_whole_ones() {
        #[track_caller]
        fn check(start_ms: i64, end_ms: i64, expected: &[u8]) {
            let window = Window { start: Timestamp(start_ms), end: Timestamp(end_ms) };
            assert_eq!(window.hours().map(OffsetDateTime::hour).collect::<Vec<_>>(), expected, "{start_ms} {end_ms}");
        }
        check(HOUR_MS, 2 * HOUR_MS, &[1]);
        check(HOUR_MS + 1, 2 * HOUR_MS + 1, &[1, 2]);
        check(23 * HOUR_MS, 25 * HOUR_MS, &[23, 0]);
    }
}
