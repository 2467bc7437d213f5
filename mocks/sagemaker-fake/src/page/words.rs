//! Moments, durations, sizes, statuses and JSON, as people read them.

use std::time::Duration;

use maud::{Markup, html};
use serde_json::Value;
use time::macros::format_description;

use crate::clock::Timestamp;

/// A moment, to the second, in UTC.
pub(super) fn moment(at: Timestamp) -> Markup {
    let text = at.date().format(format_description!("[year]-[month]-[day] [hour]:[minute]:[second]"));
    html! { time { (text.unwrap_or_default()) } }
}

/// The same, if there was one.
pub(super) fn moment_if(at: Option<Timestamp>) -> Markup {
    at.map_or_else(|| html! { span.soft { "—" } }, moment)
}

/// From one moment to another.
pub(super) fn between(from: Timestamp, to: Timestamp) -> String {
    let ms = u64::try_from(to.0 - from.0).unwrap_or_default();
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => humantime::format_duration(Duration::from_secs(ms / 1000)).to_string(),
    }
}

/// How far ahead of real time a clock is; nothing for one that was never moved.
pub(super) fn ahead(offset: Duration) -> String {
    let seconds = Duration::from_secs(offset.as_secs());
    if seconds.is_zero() { "real time".to_owned() } else { format!("{} ahead", humantime::format_duration(seconds)) }
}

/// Bytes.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let (mut value, mut unit) = (bytes, None);
    let mut tenths = 0;
    for name in UNITS {
        if value < 1000 {
            break;
        }
        (value, tenths, unit) = (value / 1000, value % 1000 / 100, Some(name));
    }
    unit.map_or_else(|| format!("{bytes} B"), |unit| format!("{value}.{tenths} {unit}"))
}

/// How a status is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Good,
    Bad,
    /// It is not the last one.
    Live,
    Quiet,
}

impl Mood {
    pub(super) fn of(status: &str) -> Self {
        match status {
            "Succeeded" | "Completed" | "InService" | "Scheduled" | "Approved" => Self::Good,
            "Failed" | "CompletedWithViolations" | "Rejected" => Self::Bad,
            "Executing" | "InProgress" | "Creating" | "Updating" | "Deleting" | "Stopping" | "Starting" | "Pending" => {
                Self::Live
            }
            _ => Self::Quiet,
        }
    }

    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Live => "live",
            Self::Quiet => "quiet",
        }
    }

    /// For those who see no colours.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Bad => "✕",
            Self::Live => "●",
            Self::Quiet => "○",
        }
    }
}

/// A status.
pub(super) fn status(text: &str) -> Markup {
    let mood = Mood::of(text);
    html! { span class={ "status " (mood.class()) } { (mood.sign()) " " (text) } }
}

/// JSON, to be read. Nobody's secret is in it.
pub(super) fn json(value: &Value) -> Markup {
    let mut value = value.clone();
    hide(&mut value);
    html! { pre { (serde_json::to_string_pretty(&value).unwrap_or_default()) } }
}

/// Members that hold what signs.
const SECRET: [&str; 4] = ["secret", "secret_access_key", "SecretAccessKey", "session_token"];

fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                if SECRET.contains(&name.as_str()) { *value = "(not shown)".into() } else { hide(value) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sizes_and_durations() {
        let sizes = [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_550_000, "1.5 MB"), (u64::MAX, "18446744.0 TB")];
        for (bytes, expected) in sizes {
            assert_eq!(size(bytes), expected);
        }
        for (ms, expected) in [(7, "7 ms"), (1234, "1.2 s"), (61_000, "1m 1s"), (-1, "0 ms")] {
            assert_eq!(between(Timestamp(0), Timestamp(ms)), expected);
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let shown = json(&json!({"id": "AKIA1", "keys": [{"secret": "hush"}]})).into_string();
        assert!(shown.contains("AKIA1") && !shown.contains("hush"), "{shown}");
    }
}
