//! What calls about the monitor send.

use serde::Serialize;

use super::Tag;
use crate::settings::Network;

/// A processing job that learns from a baseline set what is normal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewBaselineJob {
    /// Unique in the region, for ever.
    pub name: String,
    /// AWS's analyzer.
    pub image: String,
    /// What it runs on, and as whom.
    pub on: Resources,
    /// The CSV file of predictions, probabilities and labels, with a header.
    pub dataset: String,
    /// The prefix in S3 that statistics and constraints go to.
    pub output: String,
}

/// What the monitor's jobs are to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewQualityDefinition {
    /// Unique in the region.
    pub name: String,
    /// AWS's analyzer.
    pub image: String,
    /// What the jobs run on, and as whom.
    pub on: Resources,
    /// The endpoint whose captured traffic is judged.
    pub endpoint: String,
    /// The prefix in S3 that labels are under, by the hour.
    pub ground_truth: String,
    /// The object with the constraints.
    pub constraints: String,
    /// The prefix in S3 that results go to.
    pub output: String,
}

/// What a job of the monitor runs on, and as whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resources {
    /// The ARN of the role.
    pub role: String,
    /// E.g. `ml.m5.xlarge`.
    pub instance_type: String,
    /// Encrypts disks and outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// The network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// The tags.
    pub tags: Vec<Tag>,
}

/// When the monitor looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewSchedule {
    /// Unique in the region.
    pub name: String,
    /// The name of the definition.
    pub definition: String,
    /// How often.
    pub when: When,
    /// Its tags; an update leaves those that it has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

/// How often the monitor looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// At every full hour, at the hour before.
    Hourly,
    /// Once, at the last so many hours.
    Once {
        /// 1 to 24.
        hours: u8,
    },
}
