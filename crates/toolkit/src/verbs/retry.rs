//! `retry`: runs again what failed in an execution, under the same ARN.

use super::{bootstrap, watch};
use crate::aws::Session;
use crate::error::Failure;
use crate::execution::Execution;
use crate::output::Output;
use crate::plan::{Action, Operation, Plan, Verdict};

/// Asks SageMaker to go on with the execution, or with the latest one, where it failed, and follows it to its end. What
/// has succeeded is not done again.
///
/// # Errors
/// When there is no such execution, it has not failed, the call is refused, or it does not succeed this time either.
pub async fn run(session: &Session, output: &Output, execution: Option<&str>) -> Result<(), Failure> {
    let arn = watch::resolve(session, execution).await?;
    let execution = Execution::observe(&session.clients.sagemaker, &arn).await?;
    if !matches!(execution.status.as_str(), "Failed" | "Stopped") {
        return Err(Failure::operation(format!(
            "the execution {arn} is {}: there is nothing to retry",
            execution.status
        )));
    }
    let retry = Operation::RetryPipelineExecution { execution: arn.clone() };
    let because = format!("it is {}", execution.status);
    let plan = Plan { actions: vec![Action::new(Verdict::Retry, "execution", &arn, because, vec![retry])] };
    bootstrap::execute(session, output, &plan).await?;
    watch::follow(session, output, &arn).await
}
