//! Callback steps: somebody outside is given a token, and says with it that the work is done.
//!
//! SageMaker puts the token into a message to an SQS queue. There is no queue here: the token is found where SageMaker
//! shows it too, in the metadata of the step.

use pipeline_definition::Step;
use pipeline_definition::resolve::{resolve, text_of};
use serde_json::{Map, Number, Value, json};

use super::{Began, Outcome};
use crate::Fake;
use crate::clock::Timestamp;
use crate::engine::execution::{StepRecord, StepStatus};
use crate::engine::scope::ExecutionScope;

/// How long SageMaker waits for an answer.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3600);

/// SageMaker's sentence for an answer that never came is not known; this one is inferred.
const EXPIRED: &str = "ClientError: The callback token expired: no answer came within 7 days.";

/// What is answered to a callback.
pub(crate) enum Answer {
    /// `OutputParameters` of SendPipelineExecutionStepSuccess.
    Success(Value),
    /// `FailureReason` of SendPipelineExecutionStepFailure.
    Failure(Option<String>),
}

/// Gives out a token. Killed before that is on record, nobody has seen it, and there will be another one.
pub(super) fn start(scope: &ExecutionScope<'_>, step: &Step, record: &mut StepRecord) -> Began {
    let resolved = |value: &Value| resolve(value, scope).map_err(|error| format!("ClientError: {error}"));
    let queue = step.other.get("SqsQueueUrl").map(resolved).transpose()?;
    let Some(queue) = queue.as_ref().and_then(Value::as_str) else {
        return Err("ClientError: the step has no SqsQueueUrl.".to_owned().into());
    };
    // What the message would carry must be there.
    resolved(&step.arguments)?;
    let token = scope.fake.ids.alphanumeric(10);
    record.metadata = json!({"Callback": {"CallbackToken": token, "SqsQueueUrl": queue}});
    Ok(Outcome::Executing)
}

/// Waits. An execution that is told to stop waits for the answer all the same, as SageMaker's do.
pub(super) fn observe(fake: &Fake, record: &StepRecord) -> Outcome {
    match record.status {
        _ if expires(record) <= fake.clock.now() => Outcome::Failed(EXPIRED.to_owned().into()),
        StepStatus::Stopping => Outcome::Stopping,
        _ => Outcome::Executing,
    }
}

/// When it waits no longer.
pub(super) fn expires(record: &StepRecord) -> Timestamp {
    record.start.after(PATIENCE)
}

/// Whether this is the token of the step.
pub(crate) fn has_token(record: &StepRecord, token: &str) -> bool {
    record.metadata["Callback"]["CallbackToken"] == token
}

/// Puts an answer down in the record of the step that waits for it.
pub(crate) fn answer(record: &mut StepRecord, answer: Answer, now: Timestamp) {
    record.end = Some(now);
    match answer {
        Answer::Success(parameters) => {
            record.status = StepStatus::Succeeded;
            record.metadata["Callback"]["OutputParameters"] = parameters;
        }
        Answer::Failure(reason) => {
            record.status = StepStatus::Failed;
            record.failure_reason = reason;
        }
    }
}

/// What the step has put out, by name, each value of the type that the step declares.
pub(in crate::engine) fn properties(step: &Step, record: &StepRecord) -> Value {
    let declared = step.other.get("OutputParameters").and_then(Value::as_array);
    let kind = |name: &str| {
        let found = declared.into_iter().flatten().find(|declared| declared["OutputName"] == name);
        found.and_then(|declared| declared["OutputType"].as_str())
    };
    let given = record.metadata["Callback"]["OutputParameters"].as_array();
    let typed = given.into_iter().flatten().filter_map(|given| {
        let (name, value) = (given["Name"].as_str()?, &given["Value"]);
        Some((name.to_owned(), typed(kind(name), value)))
    });
    json!({"OutputParameters": typed.collect::<Map<_, _>>()})
}

/// A value that is not of its type stays as it is.
fn typed(kind: Option<&str>, value: &Value) -> Value {
    let text = text_of(value).unwrap_or_default();
    let typed = match kind {
        Some("Integer") => text.parse::<i64>().ok().map(Value::from),
        Some("Float") => text.parse().ok().and_then(Number::from_f64).map(Value::Number),
        Some("Boolean") => text.to_lowercase().parse::<bool>().ok().map(Value::from),
        _ => None,
    };
    typed.unwrap_or_else(|| value.clone())
}
