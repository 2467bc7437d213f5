//! An execution of the pipeline, as SageMaker describes it: its status and every step, over all pages.

use aws_sdk_sagemaker::types::{
    PipelineExecutionStatus, PipelineExecutionStep, PipelineExecutionStepMetadata, SortOrder, StepStatus,
};
use aws_smithy_types::DateTime;
use pipeline_definition::graph::Progress;
use serde::Serialize;

use crate::aws::errors::describe;
use crate::error::Failure;

/// An execution and its steps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Execution {
    /// `arn:aws:sagemaker:REGION:ACCOUNT:pipeline/NAME/execution/ID`.
    pub arn: String,
    /// `Executing`, `Stopping`, `Stopped`, `Failed`, `Succeeded`, `CompletedWithFailures`.
    pub status: String,
    /// The version of the pipeline that it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// Why it failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
    /// The steps that were started, in the order of their start.
    pub steps: Vec<Step>,
}

/// A step that was started.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Its name in the definition.
    pub name: String,
    /// `Starting`, `Executing`, `Stopping`, `Stopped`, `Failed`, `Succeeded`.
    pub status: String,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<f64>,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<f64>,
    /// Why it failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
    /// The execution whose result it took over instead of running its job again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_from: Option<String>,
    /// The execution that stands in for it, since it was not selected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_from: Option<String>,
    /// How many times it was tried.
    pub attempts: i32,
    /// What it made or decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<StepResult>,
}

/// What a step made or decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepResult {
    /// The ARN of its processing job.
    ProcessingJob(String),
    /// The ARN of its training job.
    TrainingJob(String),
    /// The ARN of the model package that it registered.
    ModelPackage(String),
    /// The ARN of the model that it created.
    Model(String),
    /// `True` or `False`.
    Condition(String),
    /// The message of a Fail step.
    Fail(String),
}

impl Execution {
    /// Describes the execution and lists its steps, all pages of them.
    ///
    /// # Errors
    /// When one of the calls is refused.
    pub async fn observe(sagemaker: &aws_sdk_sagemaker::Client, arn: &str) -> Result<Self, Failure> {
        let execution = sagemaker.describe_pipeline_execution().pipeline_execution_arn(arn).send().await;
        let execution = execution.map_err(|error| describe("DescribePipelineExecution", error))?;
        // Steps that start in the same moment keep the order of the list.
        let listed = sagemaker.list_pipeline_execution_steps().pipeline_execution_arn(arn);
        let mut pages = listed.sort_order(SortOrder::Ascending).into_paginator().send();
        let mut steps = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| describe("ListPipelineExecutionSteps", error))?;
            steps.extend(page.pipeline_execution_steps().iter().map(Step::from));
        }
        steps.sort_by(|one, other| one.started.unwrap_or(f64::MAX).total_cmp(&other.started.unwrap_or(f64::MAX)));
        Ok(Self {
            arn: arn.to_owned(),
            status: execution
                .pipeline_execution_status()
                .map_or("Executing", PipelineExecutionStatus::as_str)
                .to_owned(),
            version: execution.pipeline_version_id,
            failure_reason: execution.failure_reason,
            steps,
        })
    }

    /// Whether nothing more will happen. A status that is newer than this program counts as an end: better to stop
    /// watching than to watch for ever.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        !matches!(self.status.as_str(), "Executing" | "Stopping")
    }

    /// Whether it ended as it should.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status == "Succeeded"
    }

    /// The last part of the ARN.
    #[must_use]
    pub fn id(&self) -> &str {
        id(&self.arn)
    }

    /// How far a step has come.
    #[must_use]
    pub fn progress(&self, step: &str) -> Progress {
        let Some(step) = self.step(step) else { return Progress::Waiting };
        match (step.status.as_str(), &step.result) {
            ("Succeeded", Some(StepResult::Condition(outcome))) => Progress::Decided(outcome == "True"),
            ("Succeeded", _) => Progress::Succeeded,
            ("Failed" | "Stopped", _) => Progress::Failed,
            _ => Progress::Running,
        }
    }

    /// The step of this name, if it was started.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }
}

/// The last part of an execution's ARN.
#[must_use]
pub fn id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

impl Step {
    /// Seconds from its start to its end, once it has ended.
    #[must_use]
    pub fn seconds(&self) -> Option<f64> {
        Some(self.ended? - self.started?)
    }
}

impl From<&PipelineExecutionStep> for Step {
    fn from(step: &PipelineExecutionStep) -> Self {
        Self {
            name: step.step_name().unwrap_or_default().to_owned(),
            status: step.step_status().map_or("Starting", StepStatus::as_str).to_owned(),
            started: step.start_time().map(DateTime::as_secs_f64),
            ended: step.end_time().map(DateTime::as_secs_f64),
            failure_reason: step.failure_reason.clone(),
            cached_from: step.cache_hit_result().and_then(|hit| hit.source_pipeline_execution_arn.clone()),
            taken_from: step.selective_execution_result().and_then(|it| it.source_pipeline_execution_arn.clone()),
            attempts: step.attempt_count().unwrap_or(1),
            result: step.metadata().and_then(result),
        }
    }
}

fn result(metadata: &PipelineExecutionStepMetadata) -> Option<StepResult> {
    let job = metadata.processing_job().and_then(|job| job.arn()).map(|arn| StepResult::ProcessingJob(arn.to_owned()));
    let training =
        || metadata.training_job().and_then(|job| job.arn()).map(|arn| StepResult::TrainingJob(arn.to_owned()));
    let package =
        || metadata.register_model().and_then(|made| made.arn()).map(|arn| StepResult::ModelPackage(arn.to_owned()));
    let model = || metadata.model().and_then(|made| made.arn()).map(|arn| StepResult::Model(arn.to_owned()));
    let condition =
        || metadata.condition().and_then(|made| made.outcome()).map(|it| StepResult::Condition(it.as_str().to_owned()));
    let fail = || metadata.fail().and_then(|made| made.error_message()).map(|it| StepResult::Fail(it.to_owned()));
    job.or_else(training).or_else(package).or_else(model).or_else(condition).or_else(fail)
}

#[cfg(test)]
impl Execution {
    /// One without steps.
    pub(crate) fn new(arn: &str, status: &str) -> Self {
        Self { arn: arn.into(), status: status.into(), version: None, failure_reason: None, steps: Vec::new() }
    }
}

#[cfg(test)]
impl Step {
    /// One of which nothing is known but this.
    pub(crate) fn new(name: &str, status: &str) -> Self {
        Self {
            name: name.into(),
            status: status.into(),
            started: None,
            ended: None,
            failure_reason: None,
            cached_from: None,
            taken_from: None,
            attempts: 1,
            result: None,
        }
    }
}
