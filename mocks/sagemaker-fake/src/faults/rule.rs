//! A rule: what goes wrong, with which calls or jobs, and when.

use serde::{Deserialize, Serialize};

use super::call::{Asked, CallFault};
use super::job::{JobFault, step_of};
use super::written::Written;
use crate::Fake;
use crate::jobs::{Job, Kind};
use crate::wildcard::fits;

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// With a call.
    Call(CallFault),
    /// With a job.
    Job(JobFault),
}

impl From<CallFault> for Fault {
    fn from(fault: CallFault) -> Self {
        Self::Call(fault)
    }
}

impl From<JobFault> for Fault {
    fn from(fault: JobFault) -> Self {
        Self::Job(fault)
    }
}

/// What goes wrong, with which calls or jobs, and when. Without saying more it is about all of them, always.
///
/// Names of operations, callers, jobs and steps may have `*` for anything.
///
/// ```
/// use sagemaker_fake::faults::{CallFault, JobFault, Rule};
/// use sagemaker_fake::jobs::Kind;
///
/// let slow = Rule::new(CallFault::Throttle).service("s3").operation("Put*").times(3);
/// let full = Rule::new(JobFault::CapacityError).kind(Kind::TrainingJob).nth(3);
/// // The same in a scenario file, or as JSON for the control API:
/// let written = r#"{"fault": "CapacityError", "kind": "training-job", "nth": 3}"#;
/// assert_eq!(serde_json::from_str::<Rule>(written).unwrap(), full);
/// # let _ = slow;
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Rule {
    pub(super) fault: Fault,
    pub(super) service: Option<String>,
    pub(super) operation: Option<String>,
    pub(super) caller: Option<String>,
    pub(super) kind: Option<Kind>,
    pub(super) job: Option<String>,
    pub(super) step: Option<String>,
    /// The first and the last of those it is about that it strikes, counted from 1.
    pub(super) from: Option<u64>,
    pub(super) to: Option<u64>,
    pub(super) times: Option<u64>,
    pub(super) probability: Option<f64>,
    pub(super) seed: Option<u64>,
}

/// What is wrong with a rule: a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuleError(pub(super) String);

impl Rule {
    /// This goes wrong: with every call or with every job.
    #[must_use]
    pub fn new(fault: impl Into<Fault>) -> Self {
        Self {
            fault: fault.into(),
            service: None,
            operation: None,
            caller: None,
            kind: None,
            job: None,
            step: None,
            from: None,
            to: None,
            times: None,
            probability: None,
            seed: None,
        }
    }

    /// With calls of this service, as signatures name it: `sagemaker` (its runtime too), `s3`, `sts`, `iam`, `logs`,
    /// `monitoring`, `servicequotas`.
    #[must_use]
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// With calls of this operation, e.g. `CreateTrainingJob` or `List*`. The calls that a pipeline makes count too.
    #[must_use]
    pub fn operation(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    /// With calls of whoever has this ARN.
    #[must_use]
    pub fn caller(mut self, caller: impl Into<String>) -> Self {
        self.caller = Some(caller.into());
        self
    }

    /// With jobs of this kind.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// With jobs of this name.
    #[must_use]
    pub fn job(mut self, job: impl Into<String>) -> Self {
        self.job = Some(job.into());
        self
    }

    /// With the jobs of pipeline steps of this name.
    #[must_use]
    pub fn step(mut self, step: impl Into<String>) -> Self {
        self.step = Some(step.into());
        self
    }

    /// Only the `n`th of them, counted from 1.
    #[must_use]
    pub fn nth(self, n: u64) -> Self {
        self.from(n).to(n)
    }

    /// Not before the `n`th of them, counted from 1.
    #[must_use]
    pub fn from(mut self, n: u64) -> Self {
        self.from = Some(n);
        self
    }

    /// Not after the `n`th of them, counted from 1.
    #[must_use]
    pub fn to(mut self, n: u64) -> Self {
        self.to = Some(n);
        self
    }

    /// At most so many of them.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Each of them with this probability, above 0 and up to 1. Which ones they are follows from the seed.
    #[must_use]
    pub fn probability(mut self, probability: f64, seed: u64) -> Self {
        self.probability = Some(probability);
        self.seed = Some(seed);
        self
    }

    pub(super) fn fault(&self) -> &Fault {
        &self.fault
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed.unwrap_or_default()
    }

    pub(super) fn is_about_call(&self, asked: &Asked<'_>) -> bool {
        let is = |pattern: &Option<String>, name: &str| pattern.as_ref().is_none_or(|pattern| fits(pattern, name));
        matches!(&self.fault, Fault::Call(fault) if fault.can_happen_to(asked))
            && is(&self.service, asked.service)
            && is(&self.operation, asked.operation)
            && is(&self.caller, asked.caller)
    }

    pub(super) fn is_about_job(&self, fake: &Fake, job: &Job) -> bool {
        matches!(self.fault, Fault::Job(_))
            && self.kind.is_none_or(|kind| kind == job.kind)
            && self.job.as_ref().is_none_or(|pattern| fits(pattern, &job.name))
            && self.step.as_ref().is_none_or(|pattern| step_of(fake, job).is_some_and(|step| fits(pattern, &step)))
    }

    /// Whether it strikes the one that it has just `seen`, after it has `acted` so often.
    pub(super) fn has_turn(&self, seen: u64, acted: u64, dice: &mut fastrand::Rng) -> bool {
        let within = self.from.is_none_or(|from| seen >= from) && self.to.is_none_or(|to| seen <= to);
        // Thrown for every one, so that what comes later does not depend on how often it has acted.
        let lucky = self.probability.is_none_or(|probability| dice.f64() < probability);
        within && lucky && self.times.is_none_or(|times| acted < times)
    }
}
