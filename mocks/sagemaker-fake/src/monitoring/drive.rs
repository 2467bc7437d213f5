//! The driver of a schedule: one task that looks at what is on record, fires what is due and takes its executions to
//! their ends, one after the other, oldest first.
//!
//! It remembers nothing that is not on record too. Killed at any moment, it goes on from there.

use serde_json::Value;

use super::captured::Captured;
use super::execution::{self, Execution, Stage, Status, keys_of_schedule};
use super::requests::Plan;
use super::schedule::{self, Schedule};
use crate::clock::Timestamp;
use crate::engine::{blocking, changed_or_due, role};
use crate::fake::{Context, WeakFake};
use crate::jobs::{self, Job};
use crate::pace::Due;
use crate::sagemaker::monitoring_job_definition as job_definition;
use crate::sagemaker::processing_job;
use crate::store::{Record, Records};
use crate::{ApiError, Fake};

/// AWS's sentence for an execution without captures, or without labels.
const NO_DATA: &str = "Job inputs had no data";

/// How the exit message of a job begins that found violations.
const WITH_VIOLATIONS: &str = "CompletedWithViolations";

/// Drives a schedule until it is deleted, in the background.
pub(crate) fn launch(fake: &Fake, schedule: &Schedule) {
    let mut watch = Watch { key: schedule.key(), id: schedule.id.clone(), from: String::new() };
    let weak = fake.downgrade();
    fake.engine.spawn(async move {
        if watch.drive(&weak).await.is_none() {
            tracing::debug!("the fake was closed; the schedule {} goes on at the next start", watch.key);
        }
    });
}

/// A schedule that is being driven.
#[derive(Clone)]
struct Watch {
    key: String,
    id: String,
    /// No execution whose key is before this one is under way.
    from: String,
}

/// How far a schedule has come.
enum Progressed {
    /// It is gone.
    Deleted,
    /// As far as it can before something changes, or this moment comes.
    WaitsUntil(Option<Timestamp>),
}

impl Watch {
    /// None if the fake is closed meanwhile.
    async fn drive(&mut self, fake: &WeakFake) -> Option<()> {
        let mut changes = fake.upgrade()?.engine.changes();
        loop {
            changes.mark_unchanged();
            let mut watch = self.clone();
            let (watch, progressed) = blocking(fake, move |fake| {
                let progressed = watch.advance(fake);
                (watch, progressed)
            })
            .await?;
            *self = watch;
            let until = match progressed {
                Ok(Progressed::Deleted) => return Some(()),
                Ok(Progressed::WaitsUntil(time)) => time,
                Err(error) => {
                    tracing::error!("the monitoring schedule {} cannot go on: {error}", self.key);
                    return Some(());
                }
            };
            changed_or_due(fake, &mut changes, until).await?;
        }
    }

    /// Does all there is to do now.
    fn advance(&mut self, fake: &Fake) -> Result<Progressed, ApiError> {
        loop {
            let schedule: Option<Schedule> = fake.store.read(|view| view.get(&self.key))?;
            let Some(schedule) = schedule.filter(|schedule| schedule.id == self.id) else {
                return Ok(Progressed::Deleted);
            };
            if schedule.pending {
                match fake.pacing.due(&schedule.arn, schedule.modified, fake.clock.now()) {
                    Due::Later(at) => return Ok(Progressed::WaitsUntil(at)),
                    Due::Now => schedule::settle(fake, &self.key)?,
                }
                continue;
            }
            schedule::fire(fake)?;
            let moved = match self.under_way(fake, &schedule)? {
                Some(execution) => step(fake, &execution)?,
                None => false,
            };
            if !moved {
                return Ok(Progressed::WaitsUntil(schedule.next.filter(|_| !schedule.stopped)));
            }
        }
    }

    /// The oldest execution that has not come to its end.
    fn under_way(&mut self, fake: &Fake, schedule: &Schedule) -> Result<Option<Execution>, ApiError> {
        const PAGE: usize = 16;
        let prefix = keys_of_schedule(&schedule.region, &schedule.name);
        loop {
            let page: Vec<Execution> = fake.store.read(|view| view.page(&prefix, &self.from, PAGE))?;
            if let Some(open) = page.iter().find(|execution| !execution.status.is_final()) {
                self.from = open.key();
                return Ok(Some(open.clone()));
            }
            match page.last() {
                Some(last) if page.len() == PAGE => self.from = last.key() + "\0",
                _ => return Ok(None),
            }
        }
    }
}

/// Takes an execution one step further, if it can.
fn step(fake: &Fake, execution: &Execution) -> Result<bool, ApiError> {
    let Some(stage) = execution.job else { return begin(fake, execution, execution.first_stage()).map(|()| true) };
    let key = execution.job_key().unwrap_or_default();
    let job: Job =
        fake.store.read(|view| view.get(&key))?.ok_or_else(|| ApiError::internal(format!("the job {key} is gone")))?;
    let status = match (job.status, stage) {
        (jobs::Status::InProgress, _) => Status::InProgress,
        (jobs::Status::Stopping, _) => Status::Stopping,
        (jobs::Status::Stopped, _) => Status::Stopped,
        (jobs::Status::Failed, _) => Status::Failed,
        (jobs::Status::Completed, Stage::Merge) => return begin(fake, execution, Stage::Analysis).map(|()| true),
        (jobs::Status::Completed, Stage::Analysis) => {
            let violated = job.exit_message.is_some_and(|message| message.starts_with(WITH_VIOLATIONS));
            if violated { Status::CompletedWithViolations } else { Status::Completed }
        }
    };
    if status == execution.status {
        return Ok(false);
    }
    execution::update(fake, &execution.key(), |execution| {
        execution.status = status;
        execution.failure_reason = job.failure_reason;
    })?;
    Ok(true)
}

/// Starts a job of an execution, or ends the execution because there is nothing to do for it.
fn begin(fake: &Fake, execution: &Execution, stage: Stage) -> Result<(), ApiError> {
    let begun = start(fake, execution, stage);
    execution::update(fake, &execution.key(), |execution| match begun {
        Ok(true) => {
            execution.status = Status::InProgress;
            execution.job = Some(stage);
        }
        Ok(false) => fail(execution, NO_DATA),
        Err(error) => fail(execution, &error.message),
    })
}

fn fail(execution: &mut Execution, reason: &str) {
    execution.status = Status::Failed;
    execution.failure_reason = Some(reason.to_owned());
}

/// False if there is no data for the job.
fn start(fake: &Fake, execution: &Execution, stage: Stage) -> Result<bool, ApiError> {
    let region = &execution.region;
    let definition = fake.store.read(|view| job_definition::of_schedule(view, fake, region, &execution.config))?;
    let role_arn = definition.member("RoleArn").as_str().unwrap_or_default();
    let caller = role::session(fake, role_arn, &execution.schedule_arn)?;
    let context = Context::new(fake, &caller, region);
    let captured = Captured::of(&context, &execution.endpoint)?;
    let plan = Plan { fake, execution, definition: &definition, captured: &captured };
    let request: Option<Value> = match stage {
        Stage::Merge => plan.merge()?,
        Stage::Analysis => plan.analysis()?,
    };
    let Some(request) = request else { return Ok(false) };
    match processing_job::start(&context, &request, Some(&execution.schedule_arn)) {
        // Started before, by a process that was killed before it could say so: nobody else has a job of this name.
        Err(error) if error.code == "ResourceInUse" => Ok(true),
        started => started.map(|_| true),
    }
}
