//! What each type of step does.
//!
//! | module | the steps |
//! |---|---|
//! | `job` | Processing, Training, Transform, Tuning: make a job and follow it |
//! | `quality_check` | QualityCheck: a job of the monitor's, compared with a baseline |
//! | `model` | Model, RegisterModel |
//! | `callback` | Callback: waits until somebody outside says that it is done |

pub(crate) mod callback;
mod job;
mod model;
mod quality_check;

use pipeline_definition::resolve::{resolve, text_of};
use pipeline_definition::retry::{Exception, Next};
use pipeline_definition::{Step, StepType, condition};
use serde_json::{Value, json};

use super::coerce::coerce;
use super::execution::StepRecord;
use super::role;
use super::scope::ExecutionScope;
use crate::ApiError;
use crate::clock::Timestamp;
use crate::protocol::Service;

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
        StepType::Processing | StepType::Training | StepType::Transform | StepType::Tuning => {
            job::start(scope, step, record)
        }
        StepType::QualityCheck => quality_check::start(scope, step, record),
        StepType::Callback => callback::start(scope, step, record),
        StepType::Condition => decide(scope, step, record),
        StepType::Fail => fail(scope, step, record),
        StepType::RegisterModel => model::register(scope, step, record),
        StepType::Model => model::make(scope, step, record),
        other => Err(format!("ClientError: this fake does not run steps of type {other}.").into()),
    };
    began.unwrap_or_else(Outcome::Failed)
}

/// Whether a step that was starting when the process was killed had made its job by then.
pub(super) fn has_begun(scope: &ExecutionScope<'_>, step: &Step, record: &StepRecord) -> Result<bool, ApiError> {
    Ok(job::made(scope, step, record)?.is_some())
}

/// Looks at what a running step has made, or waits for; puts down in its record what has become of it.
pub(super) fn observe(scope: &ExecutionScope<'_>, step: &Step, record: &mut StepRecord) -> Result<Outcome, ApiError> {
    match step.kind {
        StepType::Callback => Ok(callback::observe(scope.fake, record)),
        StepType::QualityCheck => quality_check::observe(scope, step, record),
        _ => job::observe(scope, step, record),
    }
}

/// Tells what a running step has made to stop; gives what has become of the step by that.
pub(super) fn stop(scope: &ExecutionScope<'_>, step: &Step, record: &StepRecord) -> Outcome {
    // Whoever is to call back still has to.
    if step.kind == StepType::Callback {
        return Outcome::Stopping;
    }
    job::stop(scope, step, record);
    Outcome::Executing
}

/// When a step that waits is to be looked at again, if nothing happens before.
pub(super) fn due(step: &Step, record: &StepRecord) -> Option<Timestamp> {
    (step.kind == StepType::Callback).then(|| callback::expires(record))
}

/// What a step came to, or why it failed.
type Began = Result<Outcome, Failure>;

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
