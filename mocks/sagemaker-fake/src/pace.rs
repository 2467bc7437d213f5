//! The pace of status changes: at once, after so many describes, or after so long by the fake's clock.
//!
//! Whoever takes something out of a status in which it is only for a while (`Creating`, `InProgress`, `Pending` ...)
//! asks here first, when all is done that the status stands for: a job's program has ended, an endpoint's container is
//! well. So a pace makes things slower, and never faster than they are.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::Fake;
use crate::clock::Timestamp;
use crate::engine::changed_or_due;
use crate::fake::WeakFake;

/// How status changes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// As soon as what they stand for is done.
    #[default]
    Instant,
    /// Not before the resource was described so often in the status that it leaves.
    Describes(u32),
    /// Not before so much time has passed, by the fake's clock.
    After(Duration),
}

impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("describes:") {
            _ if text == "instant" => Ok(Self::Instant),
            Some(times) => times.parse().map(Self::Describes).map_err(|error| format!("`{times}`: {error}")),
            None => humantime::parse_duration(text)
                .map(Self::After)
                .map_err(|error| format!("{error}; it is `instant`, `describes:N`, or a time such as 30s")),
        }
    }
}

impl std::fmt::Display for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Instant => f.write_str("instant"),
            Self::Describes(times) => write!(f, "describes:{times}"),
            Self::After(time) => humantime::format_duration(*time).fmt(f),
        }
    }
}

/// The pace of one fake, and how often what is on its way was described. That lives in memory only: who opens a state
/// counts from the beginning.
#[derive(Debug, Default)]
pub struct Pacing {
    pace: Pace,
    described: Mutex<HashMap<String, u32>>,
}

/// When a status may be left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Now.
    Now,
    /// Not before this moment, or something else that is heard of as a change: a describe.
    Later(Option<Timestamp>),
}

/// The statuses in which resources are only for a while.
const ON_THE_WAY: [&str; 7] = ["Creating", "Updating", "Deleting", "InProgress", "Pending", "Executing", "Stopping"];

impl Pacing {
    /// With nothing described yet.
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        Self { pace, described: Mutex::default() }
    }

    /// How status changes come.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// Whether what has been in its status since then may leave it. `arn` is what its description calls it.
    pub(crate) fn due(&self, arn: &str, since: Timestamp, now: Timestamp) -> Due {
        match self.pace {
            Pace::Instant => Due::Now,
            Pace::After(time) => {
                let at = since.after(time);
                if at <= now { Due::Now } else { Due::Later(Some(at)) }
            }
            Pace::Describes(times) => {
                let mut described = self.described.lock().unwrap_or_else(PoisonError::into_inner);
                if described.get(arn).copied().unwrap_or_default() < times {
                    return Due::Later(None);
                }
                described.remove(arn);
                Due::Now
            }
        }
    }

    /// Forgets what was described.
    pub(crate) fn forget(&self) {
        self.described.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Counts a description of something that is on its way; says whether it was one.
    fn count(&self, operation: &str, answer: &Value) -> bool {
        let Some(kind) = operation.strip_prefix("Describe") else { return false };
        let member = |suffix: &str| answer[&format!("{kind}{suffix}")].as_str();
        let (Some(arn), Some(status)) = (member("Arn"), member("Status")) else { return false };
        let on_the_way = ON_THE_WAY.contains(&status);
        let mut described = self.described.lock().unwrap_or_else(PoisonError::into_inner);
        if on_the_way {
            *described.entry(arn.to_owned()).or_default() += 1;
        } else {
            described.remove(arn);
        }
        on_the_way
    }
}

/// An operation of SageMaker was answered.
pub(crate) fn answered(fake: &Fake, operation: &str, answer: &Value) {
    if matches!(fake.pacing.pace, Pace::Describes(_)) && fake.pacing.count(operation, answer) {
        fake.engine.notify();
    }
}

/// Waits until what has been in its status since then may leave it. None if the fake is closed.
pub(crate) async fn hold(fake: &WeakFake, arn: &str, since: Timestamp) -> Option<()> {
    let mut changes = fake.upgrade()?.engine.changes();
    loop {
        changes.mark_unchanged();
        let due = {
            let fake = fake.upgrade()?;
            fake.pacing.due(arn, since, fake.clock.now())
        };
        match due {
            Due::Now => return Some(()),
            Due::Later(at) => changed_or_due(fake, &mut changes, at).await?,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pace_is_read_and_written() {
        fn check(text: &str, expected: Pace) {
            assert_eq!(text.parse(), Ok(expected), "{text}");
            assert_eq!(expected.to_string(), text);
        }
        check("instant", Pace::Instant);
        check("describes:3", Pace::Describes(3));
        check("1m 30s", Pace::After(Duration::from_secs(90)));
        let said = "soon".parse::<Pace>().unwrap_err();
        assert!(said.ends_with("it is `instant`, `describes:N`, or a time such as 30s"), "{said}");
        assert!("describes:-1".parse::<Pace>().is_err());
    }

    #[test]
    fn time_is_counted_from_when_the_status_began() {
        let pacing = Pacing::new(Pace::After(Duration::from_secs(2)));
        assert_eq!(pacing.due("a", Timestamp(1000), Timestamp(2999)), Due::Later(Some(Timestamp(3000))));
        assert_eq!(pacing.due("a", Timestamp(1000), Timestamp(3000)), Due::Now);
    }

    #[test]
    fn only_descriptions_of_what_is_on_its_way_count() {
        let pacing = Pacing::new(Pace::Describes(2));
        let described =
            |status: &str| pacing.count("DescribeEndpoint", &json!({"EndpointArn": "e", "EndpointStatus": status}));
        let due = || pacing.due("e", Timestamp(0), Timestamp(0));
        assert!(!described("InService"));
        assert!(!pacing.count("ListEndpoints", &json!({"EndpointArn": "e", "EndpointStatus": "Creating"})));
        assert!(described("Creating"));
        assert_eq!(due(), Due::Later(None));
        assert!(described("Creating"));
        assert_eq!(due(), Due::Now);
        // The next status is counted anew.
        assert_eq!(due(), Due::Later(None));
        described("Updating");
        described("InService");
        described("Updating");
        assert_eq!(due(), Due::Later(None));
    }
}
