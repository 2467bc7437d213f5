//! Steps that make a job and follow it to its end: Processing, Training, Transform, Tuning.

use pipeline_definition::retry::Exception;
use pipeline_definition::{Step, StepType};
use serde_json::{Value, json};

use super::{Began, Failure, Outcome, arguments, invoke};
use crate::ApiError;
use crate::engine::cache;
use crate::engine::execution::StepRecord;
use crate::engine::role;
use crate::engine::scope::ExecutionScope;
use crate::jobs::{Job, Kind, Status, job};
use crate::sagemaker::names;
use crate::store::Records;
use crate::tuning::TuningJob;

/// What a type of step makes.
struct Makes {
    /// As its operations call it: `CreateProcessingJob`, `ProcessingJobName`.
    resource: &'static str,
    /// As the metadata of steps call it.
    metadata: &'static str,
}

/// What is to be known of a job to follow it.
pub(super) struct Made {
    pub arn: String,
    pub status: Status,
    pub failure_reason: Option<String>,
}

fn makes(step: &Step) -> Option<Makes> {
    let (resource, metadata) = match step.kind {
        StepType::Processing | StepType::QualityCheck => ("ProcessingJob", "ProcessingJob"),
        StepType::Training => ("TrainingJob", "TrainingJob"),
        StepType::Transform => ("TransformJob", "TransformJob"),
        StepType::Tuning => ("HyperParameterTuningJob", "TuningJob"),
        _ => return None,
    };
    Some(Makes { resource, metadata })
}

/// The job that a step has made, if it has.
pub(super) fn made(scope: &ExecutionScope<'_>, step: &Step, record: &StepRecord) -> Result<Option<Made>, ApiError> {
    let (region, name) = (&scope.execution.region, &record.resource);
    let kind = match step.kind {
        StepType::Tuning => {
            let found = scope.fake.store.read(|view| view.get::<TuningJob>(&names::key(region, name)))?;
            return Ok(found.map(|job| Made { arn: job.arn, status: job.status, failure_reason: job.failure_reason }));
        }
        StepType::Processing | StepType::QualityCheck => Kind::ProcessingJob,
        StepType::Training => Kind::TrainingJob,
        StepType::Transform => Kind::TransformJob,
        _ => return Ok(None),
    };
    let key = job::key(region, kind, name);
    let found = scope.fake.store.read(|view| view.get::<Job>(&key))?;
    Ok(found.map(|job| Made { arn: job.arn, status: job.status, failure_reason: job.failure_reason }))
}

/// Makes the job, unless it was made before the process was killed or an earlier run stands in for it.
pub(super) fn start(scope: &ExecutionScope<'_>, step: &Step, record: &mut StepRecord) -> Began {
    let Some(makes) = makes(step) else { return Err(String::new().into()) };
    let input = arguments(scope, step, &format!("Create{}", makes.resource))?;
    if stands_in(scope, step, record, makes.metadata, &input)? {
        return Ok(Outcome::Succeeded);
    }
    let arn = create(scope, step, record, input)?;
    record.metadata = json!({makes.metadata: {"Arn": arn}});
    Ok(Outcome::Executing)
}

/// Whether an earlier run stands in for a step that has made nothing yet. What depends on the step then reads what the
/// source has made, and so finds its own earlier run in turn.
pub(super) fn stands_in(
    scope: &ExecutionScope<'_>,
    step: &Step,
    record: &mut StepRecord,
    metadata: &str,
    input: &Value,
) -> Result<bool, Failure> {
    let found = cache::look_up(scope, step, metadata, input).map_err(|error| error.message)?;
    let (lookup, source) = found.unzip();
    record.cache = lookup;
    let made = made(scope, step, record).map_err(|error| error.message)?;
    let Some(source) = source.flatten().filter(|_| made.is_none()) else { return Ok(false) };
    record.resource = source.resource;
    record.metadata = source.metadata;
    Ok(true)
}

/// Makes the job of a step, unless it was made before the process was killed; gives its ARN.
pub(super) fn create(
    scope: &ExecutionScope<'_>,
    step: &Step,
    record: &StepRecord,
    mut input: Value,
) -> Result<String, Failure> {
    if let Some(made) = made(scope, step, record).map_err(|error| error.message)? {
        return Ok(made.arn);
    }
    let Some(Makes { resource, .. }) = makes(step) else { return Err(String::new().into()) };
    input[format!("{resource}Name")] = json!(record.resource);
    let answer = invoke(scope, &format!("Create{resource}"), input)?;
    Ok(answer[format!("{resource}Arn")].as_str().unwrap_or_default().to_owned())
}

/// How far the job of a step has come.
pub(super) fn observe(scope: &ExecutionScope<'_>, step: &Step, record: &StepRecord) -> Result<Outcome, ApiError> {
    if makes(step).is_none() {
        return Ok(Outcome::Succeeded);
    }
    let Some(made) = made(scope, step, record)? else {
        return Ok(Outcome::Failed(format!("ClientError: the job {} is gone.", record.resource).into()));
    };
    Ok(match made.status {
        Status::InProgress => Outcome::Executing,
        Status::Stopping => Outcome::Stopping,
        Status::Stopped => Outcome::Stopped,
        Status::Completed => Outcome::Succeeded,
        Status::Failed => {
            let reason = made.failure_reason.unwrap_or_default();
            let exception = match reason.split(':').next() {
                Some("InternalServerError") => Some(Exception::JobInternalError),
                Some("CapacityError") => Some(Exception::CapacityError),
                Some("ResourceLimitExceeded") => Some(Exception::ResourceLimit),
                _ => None,
            };
            Outcome::Failed(Failure { reason: format!("ClientError: {reason}"), exception, refused: false })
        }
    })
}

/// Tells the job of a step to stop.
pub(super) fn stop(scope: &ExecutionScope<'_>, step: &Step, record: &StepRecord) {
    let Some(Makes { resource, .. }) = makes(step) else { return };
    let input = json!({format!("{resource}Name"): record.resource});
    let stopped = role::call(scope.fake, scope.execution, &format!("Stop{resource}"), input);
    // A job that ends just now cannot be stopped any more, and need not be.
    if let Err(error) = stopped {
        tracing::debug!("the job {} was not stopped: {error}", record.resource);
    }
}
