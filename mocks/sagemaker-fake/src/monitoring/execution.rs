//! The record of one execution of a monitoring schedule.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::macros::format_description;

use super::window::Window;
use crate::clock::Timestamp;
use crate::jobs::{Kind, job};
use crate::sagemaker::monitoring_job_definition::MonitoringType;
use crate::sagemaker::names;
use crate::store::{Record, Records};
use crate::{ApiError, Fake};

/// Where an execution is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It waits for its turn.
    Pending,
    /// One of its jobs runs.
    InProgress,
    /// Its job is being stopped.
    Stopping,
    /// The analysis found nothing wrong.
    Completed,
    /// The analysis found metrics outside of their constraints.
    CompletedWithViolations,
    /// There was no data, or a job failed.
    Failed,
    /// Its job was stopped.
    Stopped,
}

impl Status {
    /// Whether nothing follows any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::InProgress | Self::Stopping)
    }

    /// As the API writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Stopping => "Stopping",
            Self::Completed => "Completed",
            Self::CompletedWithViolations => "CompletedWithViolations",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
        }
    }
}

/// The jobs of an execution, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Captured records and labels become merged records. There is no such job where labels have no part.
    Merge,
    /// Captured or merged records become statistics and violations.
    Analysis,
}

/// An execution of a monitoring schedule. It outlives its schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Its region.
    pub region: String,
    /// The name of its schedule.
    pub schedule: String,
    /// The ARN of its schedule.
    pub schedule_arn: String,
    /// The endpoint that is watched.
    pub endpoint: String,
    /// What is looked at.
    pub monitoring_type: MonitoringType,
    /// `MonitoringScheduleConfig`, as it was when this was fired.
    pub config: Value,
    /// 24 hexadecimal digits: the end of its jobs' names.
    pub id: String,
    /// The time that it was due.
    pub scheduled: Timestamp,
    /// The data that it looks at.
    pub window: Window,
    /// Where it is in its life.
    pub status: Status,
    /// The job that runs, or ran last; none if it never came to that.
    pub job: Option<Stage>,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// When it was put on record.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
}

impl Record for Execution {
    const KIND: &'static str = "monitoring-execution";
    /// In the order of their times.
    fn key(&self) -> String {
        format!("{}{:015}/{}", keys_of_schedule(&self.region, &self.schedule), self.scheduled.0, self.id)
    }
}

/// How the keys of a schedule's executions begin.
pub(crate) fn keys_of_schedule(region: &str, schedule: &str) -> String {
    names::key(region, schedule) + "/"
}

impl Execution {
    /// The name of the job definition, unless the schedule has one of its own.
    #[must_use]
    pub fn definition(&self) -> Option<&str> {
        self.config["MonitoringJobDefinitionName"].as_str()
    }

    /// Its first job.
    #[must_use]
    pub fn first_stage(&self) -> Stage {
        match self.monitoring_type {
            MonitoringType::DataQuality => Stage::Analysis,
            MonitoringType::ModelQuality => Stage::Merge,
        }
    }

    /// The name of one of its jobs: `groundtruth-merge-202105180100-e03ba5d6d5eb3ed13314e479`.
    #[must_use]
    pub fn job_name(&self, stage: Stage) -> String {
        let kind = match (stage, self.monitoring_type) {
            (Stage::Merge, _) => "groundtruth-merge",
            (Stage::Analysis, MonitoringType::ModelQuality) => "model-quality-monitoring",
            // Inferred from jobs of the years before there were job definitions.
            (Stage::Analysis, MonitoringType::DataQuality) => "model-monitoring",
        };
        // Fails for years beyond four digits alone.
        let time = self.scheduled.date().format(format_description!("[year][month][day][hour][minute]"));
        format!("{kind}-{}-{}", time.unwrap_or_default(), self.id)
    }

    /// The ARN of the job that runs, or ran last.
    #[must_use]
    pub fn job_arn(&self, fake: &Fake) -> Option<String> {
        let (kind, name) = (Kind::ProcessingJob.resource(), self.job_name(self.job?));
        Some(format!("arn:aws:sagemaker:{}:{}:{kind}/{name}", self.region, fake.account()))
    }

    /// The key of the record of the job that runs, or ran last.
    pub(super) fn job_key(&self) -> Option<String> {
        Some(job::key(&self.region, Kind::ProcessingJob, &self.job_name(self.job?)))
    }
}

/// Changes an execution's record and says so to whoever waits for it.
pub(super) fn update(fake: &Fake, key: &str, f: impl FnOnce(&mut Execution)) -> Result<(), ApiError> {
    fake.store.write(|change| {
        let mut execution: Execution =
            change.get(key)?.ok_or_else(|| ApiError::internal(format!("the monitoring execution {key} is gone")))?;
        f(&mut execution);
        execution.modified = fake.clock.now();
        change.put(&execution)
    })?;
    fake.engine.notify();
    Ok(())
}
