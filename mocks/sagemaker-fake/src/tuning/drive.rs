//! The driver of a tuning job: one task that looks at what is on record and takes the next steps, after every change.
//!
//! It remembers nothing. Killed at any moment, it goes on from the record alone.

use std::time::Duration;

use serde_json::json;

use super::record::{self, Trial, TrialState, TuningJob, states};
use super::request::{Request, Strategy};
use super::search::propose;
use crate::clock::Timestamp;
use crate::engine::{self, blocking, changed_or_due};
use crate::fake::{Context, WeakFake};
use crate::jobs::Status;
use crate::sagemaker::{self, training_job};
use crate::store::{Record, Records};
use crate::{ApiError, Fake};

/// So many trials may fail before any has succeeded.
const HOPELESS: usize = 5;

/// How far a tuning job has come.
enum Progressed {
    /// To its end.
    Ended,
    /// As far as it can before something changes, or this moment comes.
    WaitsUntil(Option<Timestamp>),
}

/// Drives a tuning job to its end, in the background.
pub(crate) fn launch(fake: &Fake, job: &TuningJob) {
    let (weak, key) = (fake.downgrade(), job.key());
    fake.engine.spawn(async move {
        if drive(&weak, &key).await.is_none() {
            tracing::debug!("the fake was closed while the tuning job {key} ran; it goes on at the next start");
        }
    });
}

/// None if the fake is closed meanwhile.
async fn drive(fake: &WeakFake, key: &str) -> Option<()> {
    let mut changes = fake.upgrade()?.engine.changes();
    loop {
        changes.mark_unchanged();
        let owned = key.to_owned();
        let until = match blocking(fake, move |fake| advance(fake, &owned)).await? {
            Ok(Progressed::Ended) => return Some(()),
            Ok(Progressed::WaitsUntil(time)) => time,
            Err(error) => {
                tracing::error!("the tuning job {key} cannot go on: {error}");
                return Some(());
            }
        };
        changed_or_due(fake, &mut changes, until).await?;
    }
}

/// How a job ends, once none of its training jobs runs any more.
struct Verdict {
    status: Status,
    reason: Option<String>,
}

/// Does all there is to do now.
fn advance(fake: &Fake, key: &str) -> Result<Progressed, ApiError> {
    loop {
        let gone = || ApiError::internal("it is gone");
        let (job, request, trials) = fake.store.read(|view| {
            let job: TuningJob = view.get(key)?.ok_or_else(gone)?;
            let request = Request::read(&job.request)?;
            let trials = states(view, &job, &request)?;
            Ok((job, request, trials))
        })?;
        if job.status.is_final() {
            return Ok(Progressed::Ended);
        }
        let due = request.max_runtime.map(|seconds| job.created.after(Duration::from_secs(seconds)));
        if let Some(verdict) = verdict(fake, &job, &request, &trials, due) {
            let running: Vec<_> = trials.iter().filter(|trial| trial.job.is_some() && !trial.is_over()).collect();
            if running.is_empty() {
                record::update(fake, key, |job, now| {
                    job.status = verdict.status;
                    job.failure_reason = verdict.reason;
                    job.ended = Some(now);
                })?;
                return Ok(Progressed::Ended);
            }
            running.iter().try_for_each(|trial| stop(fake, &job, &request, trial))?;
            return Ok(Progressed::WaitsUntil(None));
        }
        // One that is on record and not made: just now, or when the process was killed.
        if let Some(trial) = trials.iter().find(|trial| trial.job.is_none()) {
            if let Err(error) = make(fake, &job, &request, &trial.trial) {
                let reason = Some(error.message);
                record::update(fake, key, |job, _| {
                    job.status = Status::Stopping;
                    job.failure_reason = reason;
                    // It never ran.
                    job.trials.pop();
                })?;
            }
            continue;
        }
        if !enter(fake, key, &job, &request, &trials)? {
            return Ok(Progressed::WaitsUntil(due));
        }
    }
}

/// Whether it is enough, and how the job ends.
fn verdict(
    fake: &Fake,
    job: &TuningJob,
    request: &Request,
    trials: &[TrialState],
    due: Option<Timestamp>,
) -> Option<Verdict> {
    let ends = |status, reason| Some(Verdict { status, reason });
    if job.status == Status::Stopping {
        let status = if job.failure_reason.is_some() { Status::Failed } else { Status::Stopped };
        return ends(status, job.failure_reason.clone());
    }
    let over: Vec<_> = trials.iter().filter(|trial| trial.is_over()).collect();
    let measured: Vec<_> = over.iter().filter_map(|trial| trial.loss()).collect();
    let failed = over.iter().filter(|trial| trial.job.as_ref().is_some_and(|job| job.status == Status::Failed)).count();
    if over.len() == request.most && failed == over.len() {
        let reason = "All training jobs failed. Please take a look at the training jobs failures to get more details.";
        return ends(Status::Failed, Some(reason.to_owned()));
    }
    if failed == over.len() && failed >= HOPELESS {
        let reason = format!(
            "No training job succeeded after {HOPELESS} attempts. Please take a look at the training job failures to get more details."
        );
        return ends(Status::Failed, Some(reason));
    }
    let reached = |target: f64| {
        over.iter().any(|trial| {
            let target = if trial.objective.is_to_maximize() { -target } else { target };
            trial.loss().is_some_and(|loss| loss <= target)
        })
    };
    let stagnates = |most: usize| {
        let best = (0..measured.len()).min_by(|one, other| measured[*one].total_cmp(&measured[*other]));
        best.is_some_and(|best| measured.len() - 1 - best >= most)
    };
    let enough = over.len() >= request.most
        || request.target.is_some_and(reached)
        || request.not_improving.is_some_and(stagnates)
        || due.is_some_and(|due| due <= fake.clock.now());
    if enough { ends(Status::Completed, None) } else { None }
}

/// Puts the next trial on record, if one may start now.
fn enter(fake: &Fake, key: &str, job: &TuningJob, request: &Request, trials: &[TrialState]) -> Result<bool, ApiError> {
    let number = trials.len();
    let running = trials.iter().filter(|trial| !trial.is_over()).count();
    // A search that looks at what came before does so round by round: who is done first must not matter.
    let known = match request.strategy {
        Strategy::Bayesian => number - number % request.parallel,
        Strategy::Grid | Strategy::Random => 0,
    };
    if number >= request.most || running >= request.parallel || !trials[..known].iter().all(TrialState::is_over) {
        return Ok(false);
    }
    let (definition, number_in_it) = turn(request, number);
    let searched = request.definition(definition)?;
    let of_definition = trials[..known].iter().filter(|trial| trial.trial.definition == definition);
    let measured = of_definition.filter_map(|trial| Some((trial.loss()?, &trial.trial.tuned)));
    let best = measured.min_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, tuned)| tuned);
    let tuned = propose(request.strategy, &searched.ranges, job.seed, number_in_it, best);
    let name = format!("{}-{:03}-{}", job.name, number + 1, fake.ids.hex(8));
    let trial = Trial { name, definition, tuned };
    record::update(fake, key, |job, _| {
        if job.status == Status::InProgress && job.trials.len() == number {
            job.trials.push(trial);
        }
    })?;
    Ok(true)
}

/// The definition of a trial, and its number among the definition's own. Definitions take turns, as long as they have
/// something left to try.
fn turn(request: &Request, number: usize) -> (usize, usize) {
    let definitions = request.definitions();
    let left = |place: usize, taken: usize| match request.strategy {
        Strategy::Grid => definitions[place].ranges.combinations().is_some_and(|most| taken < most),
        Strategy::Random | Strategy::Bayesian => true,
    };
    let mut taken = vec![0; definitions.len()];
    let mut passed = 0;
    for place in (0..definitions.len()).cycle() {
        if !left(place, taken[place]) {
            if (0..definitions.len()).all(|place| !left(place, taken[place])) {
                break;
            }
            continue;
        }
        if passed == number {
            return (place, taken[place]);
        }
        taken[place] += 1;
        passed += 1;
    }
    (0, number)
}

/// Makes the training job of a trial, as the role of its definition.
fn make(fake: &Fake, job: &TuningJob, request: &Request, trial: &Trial) -> Result<(), ApiError> {
    let definition = request.definition(trial.definition)?;
    let role = definition.body["RoleArn"].as_str().unwrap_or_default();
    let caller = engine::role::session(fake, role, &job.arn)?;
    let context = Context::new(fake, &caller, &job.region);
    training_job::start(&context, &definition.training_job(&trial.name, trial.tuned.clone()), Some(&job.arn)).map(drop)
}

/// Tells the training job of a trial to stop.
fn stop(fake: &Fake, job: &TuningJob, request: &Request, trial: &TrialState) -> Result<(), ApiError> {
    let role = request.definition(trial.trial.definition)?.body["RoleArn"].as_str().unwrap_or_default();
    let caller = engine::role::session(fake, role, &job.arn)?;
    let context = Context::new(fake, &caller, &job.region);
    // One that ends just now cannot be stopped any more, and need not be.
    if let Err(error) = sagemaker::perform(&context, "StopTrainingJob", json!({"TrainingJobName": trial.trial.name})) {
        tracing::debug!("the training job {} was not stopped: {error}", trial.trial.name);
    }
    Ok(())
}
