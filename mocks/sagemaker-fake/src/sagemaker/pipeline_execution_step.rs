//! Steps of executions that wait for somebody outside: SendPipelineExecutionStepSuccess, SendPipelineExecutionStepFailure.

use serde_json::{Value, json};

use super::idempotency;
use crate::ApiError;
use crate::engine::Execution;
use crate::engine::step::callback::{self, Answer};
use crate::fake::Context;
use crate::store::Records;

pub(super) fn send_success(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let parameters = input["OutputParameters"].as_array().cloned().unwrap_or_default();
    send(context, "SendPipelineExecutionStepSuccess", input, Answer::Success(json!(parameters)))
}

pub(super) fn send_failure(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let reason = input["FailureReason"].as_str().map(str::to_owned);
    send(context, "SendPipelineExecutionStepFailure", input, Answer::Failure(reason))
}

fn send(context: &Context<'_>, operation: &str, input: &Value, answer: Answer) -> Result<Value, ApiError> {
    let token = input["CallbackToken"].as_str().unwrap_or_default();
    let answered = idempotency::once(context, operation, input["ClientRequestToken"].as_str(), input, |change| {
        let executions = change.list::<Execution>(&format!("{}/", context.region))?;
        let waits = |execution: &Execution| execution.steps.iter().position(|step| callback::has_token(step, token));
        let found = executions.into_iter().find_map(|execution| Some((waits(&execution)?, execution)));
        // AWS declares these errors; its sentences are not known.
        let Some((position, mut execution)) = found else {
            return Err(ApiError::not_found(format!("Callback token '{token}' does not exist.")));
        };
        let step = &mut execution.steps[position];
        if step.status.is_final() {
            let message = format!("The step '{}' of '{}' waits for no callback any more.", step.name, execution.arn);
            return Err(ApiError::new("ConflictException", message));
        }
        let now = context.fake.clock.now();
        callback::answer(step, answer, now);
        execution.modified = now;
        change.put(&execution)?;
        Ok(json!({"PipelineExecutionArn": execution.arn}))
    })?;
    context.fake.engine.notify();
    Ok(answered)
}
