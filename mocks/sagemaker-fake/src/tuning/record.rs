//! The record of a tuning job and its trials.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::request::{Objective, Request};
use crate::clock::Timestamp;
use crate::engine;
use crate::jobs::{Job, Kind, Status, job};
use crate::sagemaker::names;
use crate::store::{Record, Records};
use crate::{ApiError, Fake};

/// A hyperparameter tuning job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TuningJob {
    /// Its region.
    pub region: String,
    /// Unique in its region.
    pub name: String,
    /// `arn:aws:sagemaker:REGION:ACCOUNT:hyper-parameter-tuning-job/NAME`.
    pub arn: String,
    /// What was asked for, with the defaults filled in and without tags.
    pub request: Value,
    /// Where it is in its life.
    pub status: Status,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
    /// When it came to its end.
    pub ended: Option<Timestamp>,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// What the search draws from: its `RandomSeed`, or one of its own.
    pub seed: u64,
    /// The trials, in the order in which they started. Each is on record before its training job is made.
    pub trials: Vec<Trial>,
}

/// A training job with hyperparameters that the search has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// The name of its training job: `NAME-001-1a2b3c4d`.
    pub name: String,
    /// Which of the job's definitions it is of.
    pub definition: usize,
    /// The hyperparameters that were searched for.
    pub tuned: BTreeMap<String, String>,
}

impl Record for TuningJob {
    const KIND: &'static str = "tuning-job";
    fn key(&self) -> String {
        names::key(&self.region, &self.name)
    }
}

/// A trial, and what has become of it.
#[derive(Debug, Clone)]
pub(crate) struct TrialState {
    pub trial: Trial,
    /// None if its training job is not made yet.
    pub job: Option<Job>,
    pub objective: Objective,
}

impl TrialState {
    /// What it measured, if it has come to its end and has.
    pub(crate) fn value(&self) -> Option<f64> {
        let job = self.job.as_ref().filter(|job| job.status == Status::Completed)?;
        job.metrics.iter().find(|metric| metric.name == self.objective.metric_name).map(|metric| metric.value)
    }

    /// The value, less being better whatever the objective.
    pub(crate) fn loss(&self) -> Option<f64> {
        self.value().map(|value| if self.objective.is_to_maximize() { -value } else { value })
    }

    /// Whether its training job has come to its end.
    pub(crate) fn is_over(&self) -> bool {
        self.job.as_ref().is_some_and(|job| job.status.is_final())
    }
}

/// The trials of a job, and what has become of them.
///
/// # Errors
/// An internal failure when the store or the record cannot be read.
pub(crate) fn states(records: &impl Records, job: &TuningJob, request: &Request) -> Result<Vec<TrialState>, ApiError> {
    let state = |trial: &Trial| {
        let objective = request.definition(trial.definition)?.objective.clone();
        let job = records.get(&job::key(&job.region, Kind::TrainingJob, &trial.name))?;
        Ok(TrialState { trial: trial.clone(), job, objective })
    };
    job.trials.iter().map(state).collect()
}

/// Changes the record of a tuning job and says so to whoever waits for it.
pub(super) fn update(fake: &Fake, key: &str, f: impl FnOnce(&mut TuningJob, Timestamp)) -> Result<(), ApiError> {
    fake.store.write(|change| {
        let gone = || ApiError::internal(format!("the tuning job {key} is gone"));
        let mut job: TuningJob = change.get(key)?.ok_or_else(gone)?;
        job.modified = fake.clock.now();
        let now = job.modified;
        f(&mut job, now);
        change.put(&job)
    })?;
    fake.engine.notify();
    Ok(())
}

/// Waits until a tuning job has come to its end.
///
/// # Errors
/// When there is no such job, or the store cannot be read.
pub async fn ended(fake: &Fake, region: &str, name: &str) -> Result<TuningJob, ApiError> {
    let key = names::key(region, name);
    engine::until(&fake.downgrade(), |fake| {
        let job = fake.store.read(|view| view.get::<TuningJob>(&key))?;
        let job = job.ok_or_else(|| ApiError::validation(format!("there is no tuning job {key}")))?;
        Ok(job.status.is_final().then_some(job))
    })
    .await
}
