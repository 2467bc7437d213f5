//! The record of an execution and its steps.

use std::collections::BTreeMap;

use pipeline_definition::cache::{Key, Verdict};
use pipeline_definition::graph::Progress;
use pipeline_definition::retry::Exception;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::sagemaker::names::{self, UserContext};
use crate::store::{Record, Records};
use crate::{ApiError, Fake};

/// Where an execution is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecutionStatus {
    /// It runs.
    Executing,
    /// It was told to stop, and some steps have not yet.
    Stopping,
    /// It was stopped.
    Stopped,
    /// A step failed.
    Failed,
    /// All steps that were to run succeeded.
    Succeeded,
}

impl ExecutionStatus {
    /// Whether nothing follows any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed | Self::Succeeded)
    }
}

/// Where a step is in its life. A step that has not started has no record at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepStatus {
    /// It is about to make what it makes.
    Starting,
    /// What it made runs.
    Executing,
    /// What it made was told to stop.
    Stopping,
    /// What it made was stopped.
    Stopped,
    /// It failed; the reason is on record.
    Failed,
    /// It succeeded.
    Succeeded,
}

impl StepStatus {
    /// Whether nothing follows any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed | Self::Succeeded)
    }
}

/// An execution of a pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    /// Its region.
    pub region: String,
    /// The name of its pipeline.
    pub pipeline: String,
    /// The ARN of its pipeline.
    pub pipeline_arn: String,
    /// The version of its pipeline, whose definition it keeps to its end.
    pub version: u64,
    /// Twelve of `[a-z0-9]`.
    pub id: String,
    /// `arn:aws:sagemaker:REGION:ACCOUNT:pipeline/NAME/execution/ID`.
    pub arn: String,
    /// Its name for people.
    pub display_name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The role that it assumes.
    pub role_arn: String,
    /// Where it is in its life.
    pub status: ExecutionStatus,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// The value of every parameter, typed, in the order of declaration.
    pub parameters: Map<String, Value>,
    /// How many steps may run at once, if that is limited.
    pub max_parallel_execution_steps: Option<u32>,
    /// When it was started.
    pub created: Timestamp,
    /// By whom.
    pub created_by: UserContext,
    /// When it last changed.
    pub modified: Timestamp,
    /// Which steps run, if not all of them do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selective: Option<Selective>,
    /// The steps that have started, in the order in which they did.
    pub steps: Vec<StepRecord>,
    /// How often the steps were tried that have to start again since the execution was retried.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attempts: BTreeMap<String, u32>,
}

/// What a selective execution was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selective {
    /// The steps that run, as they were named.
    pub steps: Vec<String>,
    /// The ARN of the execution that stands in for what they wait for.
    pub source: Option<String>,
}

/// A step that has started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Its name in the definition.
    pub name: String,
    /// Its name for people.
    pub display_name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Where it is in its life.
    pub status: StepStatus,
    /// When it started.
    pub start: Timestamp,
    /// When it ended.
    pub end: Option<Timestamp>,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// `pipelines-EXECUTION-STEP-SUFFIX`: the name of what it makes, chosen before it is made, so that a killed process
    /// does not make it twice.
    pub resource: String,
    /// As ListPipelineExecutionSteps shows it: what was made, or how a condition came out.
    pub metadata: Value,
    /// Whether an earlier run stands in for it, and why not; absent for a step that is never cached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheLookup>,
    /// The ARN of the execution that stands in for it, since it was not selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_from: Option<String>,
    /// How often it was tried, this time included.
    #[serde(default = "one")]
    pub attempts: u32,
    /// The failures after which it was tried again, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retried: Vec<RetriedFailure>,
    /// When it is tried again, while it waits for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
}

fn one() -> u32 {
    1
}

/// A failure after which a step was tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetriedFailure {
    /// What its policy is for.
    pub exception: Exception,
    /// The FailureReason that the step would have had.
    pub reason: String,
    /// When.
    pub time: Timestamp,
}

/// What came of looking for an earlier run of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CacheLookup {
    /// What the step was to be made with.
    pub key: Key,
    /// The run that stands in, or why there is none.
    pub verdict: Verdict,
}

impl Record for Execution {
    const KIND: &'static str = "execution";
    fn key(&self) -> String {
        key(&self.arn)
    }
}

impl Execution {
    /// How far a step has come.
    #[must_use]
    pub fn progress(&self, step: &str) -> Progress {
        self.step(step).map_or(Progress::Waiting, StepRecord::progress)
    }

    /// The step of this name, if it has started.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&StepRecord> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// Whether this step runs, when its turn comes.
    #[must_use]
    pub fn selects(&self, step: &str) -> bool {
        self.selective.as_ref().is_none_or(|selective| selective.steps.iter().any(|selected| selected == step))
    }

    /// Goes on after it has ended: what did not succeed starts again, as does what never started.
    pub fn retry(&mut self) {
        self.status = ExecutionStatus::Executing;
        self.failure_reason = None;
        for step in self.steps.extract_if(.., |step| step.status != StepStatus::Succeeded) {
            self.attempts.insert(step.name, step.attempts);
        }
    }
}

impl StepRecord {
    /// How far the step has come, as the graph sees it.
    #[must_use]
    pub fn progress(&self) -> Progress {
        match self.status {
            StepStatus::Failed | StepStatus::Stopped => Progress::Failed,
            StepStatus::Succeeded => match self.metadata["Condition"]["Outcome"].as_str() {
                Some(outcome) => Progress::Decided(outcome == "True"),
                None => Progress::Succeeded,
            },
            _ => Progress::Running,
        }
    }

    /// The ARN of the execution whose run of this step stands in for it.
    #[must_use]
    pub fn cache_source(&self) -> Option<&str> {
        match &self.cache.as_ref()?.verdict {
            Verdict::Hit(source) => Some(source),
            Verdict::Miss(_) => None,
        }
    }
}

/// The key of an execution's record: `REGION/PIPELINE/execution/ID`. A text that is no ARN gives the key of no
/// execution.
pub(crate) fn key(arn: &str) -> String {
    let mut parts = arn.splitn(6, ':').skip(3);
    let (region, resource) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
    names::key(region, resource.strip_prefix("pipeline/").unwrap_or_default())
}

/// How the keys of a pipeline's executions begin.
pub(crate) fn keys_of_pipeline(region: &str, pipeline: &str) -> String {
    format!("{}/execution/", names::key(region, pipeline))
}

/// The execution with this ARN.
///
/// # Errors
/// `ResourceNotFound`.
pub fn existing(records: &impl Records, arn: &str) -> Result<Execution, ApiError> {
    let found = records.get(&key(arn))?;
    found.ok_or_else(|| ApiError::not_found(format!("Pipeline execution '{arn}' does not exist.")))
}

/// Changes an execution's record and says so to whoever waits for it.
pub(super) fn update<T>(fake: &Fake, arn: &str, f: impl FnOnce(&mut Execution, Timestamp) -> T) -> Result<T, ApiError> {
    let value = fake.store.write(|change| {
        let mut execution = existing(change, arn)?;
        let now = fake.clock.now();
        let value = f(&mut execution, now);
        execution.modified = now;
        change.put(&execution)?;
        Ok(value)
    })?;
    fake.engine.notify();
    Ok(value)
}

/// Changes the record of a step that has started, unless it has ended by now.
pub(super) fn update_step(
    fake: &Fake,
    arn: &str,
    name: &str,
    f: impl FnOnce(&mut StepRecord, Timestamp),
) -> Result<(), ApiError> {
    update(fake, arn, |execution, now| {
        if let Some(step) = execution.steps.iter_mut().find(|step| step.name == name && !step.status.is_final()) {
            f(step, now);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_arns() {
        fn check(arn: &str, expected: &str) {
            assert_eq!(key(arn), expected, "{arn}");
        }
        check(
            "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/stsPipeline/execution/abc",
            "eu-west-1/stspipeline/execution/abc",
        );
        check("arn:aws:sagemaker:eu-west-1:111122223333:model/x", "eu-west-1/");
        check("abc", "/");
    }
}
