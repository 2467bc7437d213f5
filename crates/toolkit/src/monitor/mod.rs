//! What monitoring an endpoint has shown, hour by hour, as a page.
//!
//! [`sample`] takes merged records in, one at a time, and keeps what the charts need; [`page`] makes text of it all.

pub mod page;
pub mod sample;
pub mod scores;

use model_monitor::{analysis::Settings, constraints::Constraints, statistics::Statistics, violations::Violation};
use time::OffsetDateTime;

use self::sample::{Observed, Sample};

/// Everything that a page says.
#[derive(Debug)]
pub struct Report {
    /// The endpoint's name.
    pub endpoint: String,
    /// The name of the monitoring schedule.
    pub schedule: String,
    /// When the report was made.
    pub made: OffsetDateTime,
    /// What the monitor's job definition says of predictions.
    pub settings: Settings,
    /// What hours are compared with.
    pub baseline: Baseline,
    /// What each column of a request is. May be empty where nobody knows.
    pub features: Vec<Feature>,
    /// One for each execution, in any order.
    pub hours: Vec<Hour>,
}

/// What hours are compared with.
#[derive(Debug)]
pub struct Baseline {
    /// The constraints that the schedule uses.
    pub constraints: Constraints,
    /// What the baseline job measured.
    pub statistics: Option<Statistics>,
    /// Rows that the model was asked about then; empty where there are none to be found.
    pub sample: Sample,
}

/// A column of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// A short name.
    pub name: String,
    /// What it measures, in a few words; may be empty.
    pub about: String,
}

/// An execution of the schedule.
#[derive(Debug, Clone)]
pub struct Hour {
    /// Where the window of its data begins.
    pub start: OffsetDateTime,
    /// Where the window of its data ends.
    pub end: OffsetDateTime,
    /// AWS's word: `Completed`, `CompletedWithViolations`, `Failed`, ...
    pub status: String,
    /// What the job said as it ended, or why it failed.
    pub message: Option<String>,
    /// `statistics.json`; none where the analysis came to nothing.
    pub statistics: Option<Statistics>,
    /// `constraint_violations.json`, in the monitor's order.
    pub violations: Vec<Violation>,
    /// What the merged records are; none where there are none, or nobody read them.
    pub observed: Option<Observed>,
}

impl Hour {
    /// Whether the monitor judged the hour.
    #[must_use]
    pub fn is_analysed(&self) -> bool {
        self.statistics.is_some() || matches!(self.status.as_str(), "Completed" | "CompletedWithViolations")
    }
}
