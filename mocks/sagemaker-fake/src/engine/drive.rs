//! The driver of an execution: one task that looks at what is on record and takes the next steps, after every change.
//!
//! It remembers nothing. Killed at any moment, it goes on from the record alone.

use std::sync::Arc;
use std::time::Duration;

use pipeline_definition::retry::{self, Next};
use pipeline_definition::{Definition, Graph, Step, StepType};

use super::execution::{self, Execution, ExecutionStatus, RetriedFailure, StepRecord, StepStatus};
use super::scope::ExecutionScope;
use super::step::{self, Failure, Outcome};
use super::{blocking, changed_or_due};
use crate::clock::Timestamp;
use crate::fake::WeakFake;
use crate::pace::Due;
use crate::sagemaker::pipeline_version;
use crate::{ApiError, Fake};

/// AWS's sentence for an execution of which a step failed.
const STEP_FAILURE: &str = "Step failure: One or multiple steps failed.";

/// As much of a reason as AWS keeps.
const LONGEST_REASON: usize = 1024;

/// What an execution goes by.
struct Plan {
    arn: String,
    definition: Definition,
    graph: Graph,
}

/// How far an execution has come.
enum Progressed {
    /// To its end.
    Ended,
    /// As far as it can before something changes, or this moment comes.
    WaitsUntil(Option<Timestamp>),
}

/// Drives an execution to its end, in the background.
pub(crate) fn launch(fake: &Fake, arn: &str) {
    let (weak, arn) = (fake.downgrade(), arn.to_owned());
    fake.engine.spawn(async move {
        if drive(&weak, arn.clone()).await.is_none() {
            tracing::debug!("the fake was closed while {arn} ran; it goes on at the next start");
        }
    });
}

/// None if the fake is closed meanwhile.
async fn drive(fake: &WeakFake, arn: String) -> Option<()> {
    let mut changes = fake.upgrade()?.engine.changes();
    let plan = match blocking(fake, move |fake| plan(fake, arn)).await? {
        Ok(plan) => Arc::new(plan),
        Err(error) => {
            tracing::error!("an execution cannot go on: {error}");
            return Some(());
        }
    };
    loop {
        changes.mark_unchanged();
        let plan = Arc::clone(&plan);
        let until = match blocking(fake, move |fake| advance(fake, &plan)).await? {
            Ok(Progressed::Ended) => return Some(()),
            Ok(Progressed::WaitsUntil(time)) => time,
            Err(error) => {
                tracing::error!("an execution cannot go on: {error}");
                return Some(());
            }
        };
        changed_or_due(fake, &mut changes, until).await?;
    }
}

fn plan(fake: &Fake, arn: String) -> Result<Plan, ApiError> {
    let version = fake.store.read(|view| pipeline_version::of_execution(view, &execution::existing(view, &arn)?))?;
    let definition = version.parsed()?;
    let graph = Graph::new(&definition).map_err(ApiError::internal)?;
    Ok(Plan { arn, definition, graph })
}

/// Does all there is to do now.
fn advance(fake: &Fake, plan: &Plan) -> Result<Progressed, ApiError> {
    loop {
        let execution = fake.store.read(|view| execution::existing(view, &plan.arn))?;
        if execution.status.is_final() {
            return Ok(Progressed::Ended);
        }
        if follow(fake, plan, &execution)? {
            continue;
        }
        let running = execution.steps.iter().filter(|step| !step.status.is_final()).count();
        let ready = if execution.status == ExecutionStatus::Executing { ready(plan, &execution) } else { Vec::new() };
        if running == 0 && ready.is_empty() {
            return match fake.pacing.due(&execution.arn, execution.created, fake.clock.now()) {
                Due::Later(at) => Ok(Progressed::WaitsUntil(at)),
                Due::Now => finish(fake, plan).map(|()| Progressed::Ended),
            };
        }
        let free =
            execution.max_parallel_execution_steps.map_or(usize::MAX, |most| (most as usize).saturating_sub(running));
        if ready.is_empty() || free == 0 {
            return Ok(Progressed::WaitsUntil(due(plan, &execution)));
        }
        enter(fake, plan, &ready[..ready.len().min(free)])?;
    }
}

/// When there is something to do, if nothing happens before.
fn due(plan: &Plan, execution: &Execution) -> Option<Timestamp> {
    let running = execution.steps.iter().filter(|record| !record.status.is_final());
    let of_step = |record: &StepRecord| {
        record.retry_at.or_else(|| plan.definition.step(&record.name).and_then(|step| step::due(step, record)))
    };
    running.filter_map(of_step).min()
}

/// Looks after the steps that have started and not ended. Whether any of them has come further.
fn follow(fake: &Fake, plan: &Plan, execution: &Execution) -> Result<bool, ApiError> {
    let mut moved = false;
    for record in execution.steps.iter().filter(|step| !step.status.is_final()) {
        let Some(step) = plan.definition.step(&record.name) else { continue };
        let stopping = execution.status == ExecutionStatus::Stopping;
        if !stopping && record.retry_at.is_some_and(|time| time > fake.clock.now()) {
            continue;
        }
        let scope = ExecutionScope { fake, definition: &plan.definition, execution, resource: Some(&record.resource) };
        let mut seen = record.clone();
        let outcome = match record.status {
            StepStatus::Starting if stopping && !step::has_begun(&scope, step, record)? => Outcome::Stopped,
            StepStatus::Starting => step::start(&scope, step, &mut seen),
            _ => step::observe(&scope, step, &mut seen)?,
        };
        let changed = (seen != *record).then_some(seen);
        let outcome = match outcome {
            Outcome::Executing if stopping => step::stop(&scope, step, record),
            outcome => outcome,
        };
        if changed.is_some() || !is_at(record.status, &outcome) {
            execution::update_step(fake, &plan.arn, &record.name, |record, now| {
                if let Some(changed) = changed {
                    *record = changed;
                }
                record.retry_at = None;
                match outcome {
                    Outcome::Failed(failure) => fail(fake, execution, record, step, failure, now),
                    outcome => move_to(record, outcome, now),
                }
            })?;
            moved = true;
        }
    }
    Ok(moved)
}

fn is_at(status: StepStatus, outcome: &Outcome) -> bool {
    matches!((status, outcome), (StepStatus::Executing, Outcome::Executing) | (StepStatus::Stopping, Outcome::Stopping))
}

fn move_to(record: &mut StepRecord, outcome: Outcome, now: Timestamp) {
    record.status = match outcome {
        Outcome::Executing => StepStatus::Executing,
        Outcome::Stopping => StepStatus::Stopping,
        Outcome::Stopped => StepStatus::Stopped,
        Outcome::Succeeded => StepStatus::Succeeded,
        Outcome::Failed(failure) => {
            record.failure_reason = Some(failure.reason.chars().take(LONGEST_REASON).collect());
            StepStatus::Failed
        }
    };
    record.end = record.status.is_final().then_some(now);
}

/// A step failed: it is tried again, making something of another name, if its retry policies say so.
fn fail(fake: &Fake, execution: &Execution, record: &mut StepRecord, step: &Step, failure: Failure, now: Timestamp) {
    let age = |time: Timestamp| Duration::from_millis(u64::try_from(now.0 - time.0).unwrap_or_default());
    let earlier = record.retried.iter();
    let earlier: Vec<_> =
        earlier.map(|failure| retry::Failure { exception: failure.exception, age: age(failure.time) }).collect();
    let next = |exception| retry::next(&step.retry_policies, exception, &earlier);
    match (failure.exception, failure.exception.map_or(Next::NoPolicy, next)) {
        (Some(exception), Next::RetryAfter(wait)) if execution.status == ExecutionStatus::Executing => {
            let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            record.retried.push(RetriedFailure { exception, reason: failure.reason, time: now });
            record.attempts += 1;
            record.status = StepStatus::Starting;
            record.retry_at = Some(Timestamp(now.0.saturating_add(wait)));
            record.resource = resource(fake, &execution.id, Some(step), &step.name);
        }
        (_, next) => {
            let failure = failure.given_up(&execution.arn, &step.name, next);
            move_to(record, Outcome::Failed(failure), now);
        }
    }
}

/// The steps that wait for nothing any more.
fn ready<'a>(plan: &'a Plan, execution: &Execution) -> Vec<&'a str> {
    let mut ready = plan.graph.outlook(|name| execution.progress(name)).ready;
    ready.retain(|name| execution.selects(name));
    ready
}

/// Puts on record that these steps start, unless the execution is being stopped by now.
fn enter(fake: &Fake, plan: &Plan, names: &[&str]) -> Result<(), ApiError> {
    execution::update(fake, &plan.arn, |execution, now| {
        if execution.status != ExecutionStatus::Executing {
            return;
        }
        for name in names {
            let step = plan.definition.step(name);
            execution.steps.push(StepRecord {
                name: (*name).to_owned(),
                display_name: step.and_then(|step| step.display_name.clone()),
                description: step.and_then(|step| step.description.clone()),
                status: StepStatus::Starting,
                start: now,
                end: None,
                failure_reason: None,
                resource: resource(fake, &execution.id, step, name),
                metadata: serde_json::json!({}),
                cache: None,
                taken_from: None,
                attempts: execution.attempts.remove(*name).unwrap_or_default() + 1,
                retried: Vec::new(),
                retry_at: None,
            });
        }
    })
}

/// The name of what a step makes: names allow no underscore, and may be 63 long, those of tuning jobs 32.
fn resource(fake: &Fake, execution_id: &str, step: Option<&Step>, name: &str) -> String {
    let (prefix, longest) = match step.map(|step| &step.kind) {
        Some(StepType::Tuning) => ("", 7),
        _ => ("pipelines-", 20),
    };
    let name: String = name.chars().take(longest).map(|c| if c == '_' { '-' } else { c }).collect();
    format!("{prefix}{execution_id}-{name}-{}", fake.ids.alphanumeric(10))
}

fn finish(fake: &Fake, plan: &Plan) -> Result<(), ApiError> {
    execution::update(fake, &plan.arn, |execution, _| {
        let failed = execution.steps.iter().any(|step| matches!(step.status, StepStatus::Failed | StepStatus::Stopped));
        execution.status = match execution.status {
            ExecutionStatus::Stopping => ExecutionStatus::Stopped,
            _ if failed => ExecutionStatus::Failed,
            _ => ExecutionStatus::Succeeded,
        };
        if execution.status == ExecutionStatus::Failed {
            execution.failure_reason = Some(STEP_FAILURE.to_owned());
        }
    })
}
