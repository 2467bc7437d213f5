//! The monitor: its schedule, its executions, and what they found.

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::error::ProvideErrorMetadata;
use aws_sdk_sagemaker::types::{MonitoringExecutionSortKey, SortOrder};
use serde::Serialize;

use super::{Seen, is_absent};
use crate::aws::errors::describe;
use crate::error::Failure;

/// The monitor's schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// Its ARN.
    pub arn: String,
    /// `Pending`, `Scheduled`, `Stopped` or `Failed`.
    pub status: String,
    /// Why it failed.
    pub failure: Option<String>,
    /// The name of its job definition.
    pub definition: String,
}

/// One look of the monitor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Execution {
    /// What it was scheduled for, in seconds since 1970: the end of what it looks at.
    pub scheduled: f64,
    /// `Completed`, `CompletedWithViolations`, `Failed`, `InProgress`, ...
    pub status: String,
    /// Why it failed.
    pub failure: Option<String>,
    /// The ARN of its last job.
    pub job: Option<String>,
}

impl Execution {
    /// Whether it has come to an end.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        !matches!(self.status.as_str(), "Pending" | "InProgress" | "Stopping")
    }
}

/// The schedule of this name.
///
/// # Errors
/// When the call is refused.
pub async fn schedule(sagemaker: &Client, name: &str) -> Result<Seen<Schedule>, Failure> {
    let found = match sagemaker.describe_monitoring_schedule().monitoring_schedule_name(name).send().await {
        Ok(found) => found,
        Err(error) if is_absent(error.code(), error.message()) => return Ok(Seen::Absent),
        Err(error) => return Err(describe("DescribeMonitoringSchedule", error)),
    };
    let config = found.monitoring_schedule_config;
    Ok(Seen::Present(Schedule {
        arn: found.monitoring_schedule_arn.unwrap_or_default(),
        status: found.monitoring_schedule_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        failure: found.failure_reason,
        definition: config.and_then(|config| config.monitoring_job_definition_name).unwrap_or_default(),
    }))
}

/// The executions of a schedule, newest first, at most `many`.
///
/// # Errors
/// When a call is refused.
pub async fn executions(sagemaker: &Client, schedule: &str, many: usize) -> Result<Vec<Execution>, Failure> {
    let listed = sagemaker.list_monitoring_executions().monitoring_schedule_name(schedule);
    let listed = listed.sort_by(MonitoringExecutionSortKey::ScheduledTime).sort_order(SortOrder::Descending);
    let mut pages = listed.into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = match page {
            Ok(page) => page,
            Err(error) if is_absent(error.code(), error.message()) => return Ok(Vec::new()),
            Err(error) => return Err(describe("ListMonitoringExecutions", error)),
        };
        found.extend(page.monitoring_execution_summaries.unwrap_or_default().into_iter().map(|summary| Execution {
            scheduled: summary.scheduled_time.map(|time| time.as_secs_f64()).unwrap_or_default(),
            status: summary.monitoring_execution_status.map(|it| it.as_str().to_owned()).unwrap_or_default(),
            failure: summary.failure_reason,
            job: summary.processing_job_arn,
        }));
        if found.len() >= many {
            break;
        }
    }
    found.truncate(many);
    Ok(found)
}

/// Whether there is a job definition of this name.
///
/// # Errors
/// When the call is refused.
pub async fn has_definition(sagemaker: &Client, name: &str) -> Result<bool, Failure> {
    match sagemaker.describe_model_quality_job_definition().job_definition_name(name).send().await {
        Ok(_) => Ok(true),
        Err(error) if is_absent(error.code(), error.message()) => Ok(false),
        Err(error) => Err(describe("DescribeModelQualityJobDefinition", error)),
    }
}

/// How a processing job stands: its status, and why it failed. Nothing if there is none of this name.
///
/// # Errors
/// When the call is refused.
pub async fn job(sagemaker: &Client, name: &str) -> Result<Option<(String, Option<String>)>, Failure> {
    match sagemaker.describe_processing_job().processing_job_name(name).send().await {
        Ok(job) => {
            let status = job.processing_job_status.map(|status| status.as_str().to_owned()).unwrap_or_default();
            Ok(Some((status, job.failure_reason.or(job.exit_message))))
        }
        Err(error) if is_absent(error.code(), error.message()) => Ok(None),
        Err(error) => Err(describe("DescribeProcessingJob", error)),
    }
}
