//! What each type of step does.

use pipeline_definition::resolve::{resolve, text_of};
use pipeline_definition::retry::{Exception, Next};
use pipeline_definition::{Step, StepType, condition};
use serde_json::{Value, json};

use super::cache;
use super::coerce::coerce;
use super::execution::{Execution, StepRecord};
use super::role;
use super::scope::ExecutionScope;
use crate::jobs::{Job, Kind, Status, job};
use crate::protocol::Service;
use crate::store::Records;
use crate::{ApiError, Fake};

/// How far a step has come.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    /// What it made runs.
    Executing,
    /// What it made was told to stop.
    Stopping,
    /// What it made was stopped.
    Stopped,
    /// It is done.
    Succeeded,
    /// It failed.
    Failed(Failure),
}

/// How a step failed.
#[derive(Debug, PartialEq)]
pub(super) struct Failure {
    /// FailureReason, if the step is not tried again.
    pub reason: String,
    /// What a retry policy may be for.
    pub exception: Option<Exception>,
    /// Whether it was a call that was refused.
    pub refused: bool,
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self { reason, exception: None, refused: false }
    }
}

impl Failure {
    /// The same, with SageMaker's sentences for a step whose call was refused and is not made again. `next` is what its
    /// retry policies say.
    pub(super) fn given_up(mut self, execution: &str, step: &str, next: Next) -> Self {
        if self.refused {
            self.reason.push_str(&format!(
                "\nRetry not appropriate on execution of step with PipelineExecutionArn {execution} and StepId {step}."
            ));
            if let Some(exception) = self.exception {
                let name = exception.as_str().replace("SageMaker.", "SAGEMAKER_").replace("Step.", "");
                // AWS's words for a policy that has come to its end are not known; these are for none.
                self.reason.push_str(&match next {
                    Next::NoPolicy => format!(" No retry policy configured for the exception type {name}."),
                    _ => format!(" The retries for the exception type {name} are used up."),
                });
            }
        }
        self
    }
}

/// Starts a step, or finds what it had made before the process was killed. Puts down in its record what it made; gives
/// what it came to.
pub(super) fn start(scope: &ExecutionScope<'_>, step: &Step, record: &mut StepRecord) -> Outcome {
    let began = match &step.kind {
        StepType::Processing => make_job(scope, step, record, Kind::ProcessingJob),
        StepType::Training => make_job(scope, step, record, Kind::TrainingJob),
        StepType::Condition => decide(scope, step, record),
        StepType::Fail => fail(scope, step, record),
        StepType::RegisterModel => register_model(scope, step, record),
        StepType::Model => make_model(scope, step, record),
        other => Err(format!("ClientError: this fake does not run steps of type {other} yet.").into()),
    };
    began.unwrap_or_else(Outcome::Failed)
}

/// Whether a step that was starting when the process was killed had made its job by then.
pub(super) fn has_begun(
    fake: &Fake,
    execution: &Execution,
    step: &Step,
    record: &StepRecord,
) -> Result<bool, ApiError> {
    let Some(kind) = job_kind(step) else { return Ok(false) };
    Ok(fake.store.read(|view| view.get::<Job>(&job::key(&execution.region, kind, &record.resource)))?.is_some())
}

/// Looks at what a running step has made.
pub(super) fn observe(
    fake: &Fake,
    execution: &Execution,
    step: &Step,
    record: &StepRecord,
) -> Result<Outcome, ApiError> {
    let Some(kind) = job_kind(step) else { return Ok(Outcome::Succeeded) };
    let found = fake.store.read(|view| view.get::<Job>(&job::key(&execution.region, kind, &record.resource)))?;
    let Some(job) = found else {
        return Ok(Outcome::Failed(format!("ClientError: the job {} is gone.", record.resource).into()));
    };
    Ok(match job.status {
        Status::InProgress => Outcome::Executing,
        Status::Stopping => Outcome::Stopping,
        Status::Stopped => Outcome::Stopped,
        Status::Completed => Outcome::Succeeded,
        Status::Failed => {
            let reason = job.failure_reason.unwrap_or_default();
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

/// Tells what a running step has made to stop.
pub(super) fn stop(fake: &Fake, execution: &Execution, step: &Step, record: &StepRecord) {
    let stopped = match job_kind(step) {
        Some(Kind::ProcessingJob) => {
            role::call(fake, execution, "StopProcessingJob", json!({"ProcessingJobName": record.resource}))
        }
        Some(Kind::TrainingJob) => {
            role::call(fake, execution, "StopTrainingJob", json!({"TrainingJobName": record.resource}))
        }
        None => return,
    };
    // A job that ends just now cannot be stopped any more, and need not be.
    if let Err(error) = stopped {
        tracing::debug!("the job {} was not stopped: {error}", record.resource);
    }
}

fn job_kind(step: &Step) -> Option<Kind> {
    match step.kind {
        StepType::Processing => Some(Kind::ProcessingJob),
        StepType::Training => Some(Kind::TrainingJob),
        _ => None,
    }
}

/// What a step came to, or why it failed.
type Began = Result<Outcome, Failure>;

fn make_job(scope: &ExecutionScope<'_>, step: &Step, record: &mut StepRecord, kind: Kind) -> Began {
    let (operation, prefix) = match kind {
        Kind::ProcessingJob => ("CreateProcessingJob", "ProcessingJob"),
        Kind::TrainingJob => ("CreateTrainingJob", "TrainingJob"),
    };
    let (fake, execution) = (scope.fake, scope.execution);
    let key = job::key(&execution.region, kind, &record.resource);
    let made = fake.store.read(|view| view.get::<Job>(&key)).map_err(|error| error.message)?;
    let mut input = arguments(scope, step, operation)?;
    let found = cache::look_up(scope, step, prefix, &input).map_err(|error| error.message)?;
    let (lookup, source) = found.unzip();
    record.cache = lookup;
    let arn = match (made, source.flatten()) {
        (Some(job), _) => json!(job.arn),
        (None, Some(source)) => {
            // What depends on this step reads what the source has made, and so finds its own earlier run in turn.
            record.resource = source.resource;
            record.metadata = source.metadata;
            return Ok(Outcome::Succeeded);
        }
        (None, None) => {
            input[format!("{prefix}Name")] = json!(record.resource);
            invoke(scope, operation, input)?[format!("{prefix}Arn")].clone()
        }
    };
    record.metadata = json!({prefix: {"Arn": arn}});
    Ok(Outcome::Executing)
}

fn decide(scope: &ExecutionScope<'_>, step: &Step, record: &mut StepRecord) -> Began {
    let outcome = condition::evaluate(step.conditions(), scope).map_err(|error| format!("ClientError: {error}"))?;
    let outcome = if outcome { "True" } else { "False" };
    record.metadata = json!({"Condition": {"Outcome": outcome}});
    Ok(Outcome::Succeeded)
}

fn fail(scope: &ExecutionScope<'_>, step: &Step, record: &mut StepRecord) -> Began {
    let message = resolve(&step.arguments["ErrorMessage"], scope).map(|message| text_of(&message).unwrap_or_default());
    let message = message.unwrap_or_else(|error| format!("ClientError: {error}"));
    record.metadata = json!({"Fail": {"ErrorMessage": message}});
    Err(message.into())
}

fn register_model(scope: &ExecutionScope<'_>, step: &Step, record: &mut StepRecord) -> Began {
    let mut input = arguments(scope, step, "CreateModelPackage")?;
    // The step makes the group if it is not there: nothing in a definition could.
    if let Some(group) = input["ModelPackageGroupName"].as_str().filter(|group| !group.starts_with("arn:")) {
        let known = role::look_up(
            scope.fake,
            scope.execution,
            "DescribeModelPackageGroup",
            json!({"ModelPackageGroupName": group}),
        );
        if known.is_err() {
            invoke(scope, "CreateModelPackageGroup", json!({"ModelPackageGroupName": group}))?;
        }
    }
    // With the same token, a package that was made before the process was killed is not made again.
    let suffix = record.resource.rsplit('-').next().unwrap_or_default();
    input["ClientToken"] = json!(format!("{}-{suffix}", scope.execution.id));
    let made = invoke(scope, "CreateModelPackage", input)?;
    record.metadata = json!({"RegisterModel": {"Arn": made["ModelPackageArn"]}});
    Ok(Outcome::Succeeded)
}

fn make_model(scope: &ExecutionScope<'_>, step: &Step, record: &mut StepRecord) -> Began {
    let made = role::look_up(scope.fake, scope.execution, "DescribeModel", json!({"ModelName": record.resource}));
    let arn = match made {
        Ok(model) => model["ModelArn"].clone(),
        Err(_) => {
            let mut input = arguments(scope, step, "CreateModel")?;
            input["ModelName"] = json!(record.resource);
            invoke(scope, "CreateModel", input)?["ModelArn"].clone()
        }
    };
    record.metadata = json!({"Model": {"Arn": arn}});
    Ok(Outcome::Succeeded)
}

/// The step's arguments with everything they refer to put in, as an operation takes them.
fn arguments(scope: &ExecutionScope<'_>, step: &Step, operation: &str) -> Result<Value, String> {
    let resolved = resolve(&step.arguments, scope).map_err(|error| format!("ClientError: {error}"))?;
    if !resolved.is_object() {
        return Err(format!("ClientError: the step has no Arguments for {operation}."));
    }
    Ok(coerce(Service::SageMaker.api(), operation, resolved))
}

/// Calls an operation as the execution's role; the error is SageMaker's sentence for a step whose call was refused.
fn invoke(scope: &ExecutionScope<'_>, operation: &str, input: Value) -> Result<Value, Failure> {
    role::call(scope.fake, scope.execution, operation, input).map_err(|error| {
        let exception = match error.code.as_str() {
            "ResourceLimitExceeded" => Some(Exception::ResourceLimit),
            "ThrottlingException" => Some(Exception::Throttling),
            _ if error.status.is_server_error() => Some(Exception::ServiceFault),
            _ => None,
        };
        let reason = format!("ClientError: Failed to invoke sagemaker:{operation}. Error Details: {}", error.message);
        Failure { reason, exception, refused: true }
    })
}
