//! `stop`: stops an execution.

use super::{bootstrap, watch};
use crate::aws::Session;
use crate::error::Failure;
use crate::execution::Execution;
use crate::output::Output;
use crate::plan::{Action, Operation, Plan, Verdict};

/// Asks SageMaker to stop the execution, or the latest one. Its jobs are stopped; `watch` shows when they have.
///
/// # Errors
/// When there is no such execution, it has ended already, or the call is refused.
pub async fn run(session: &Session, output: &Output, execution: Option<&str>) -> Result<(), Failure> {
    let arn = watch::resolve(session, execution).await?;
    let execution = Execution::observe(&session.clients.sagemaker, &arn).await?;
    if execution.has_ended() {
        return Err(Failure::operation(format!("the execution {arn} has ended already, as {}", execution.status)));
    }
    let stop = Operation::StopPipelineExecution { execution: arn.clone() };
    let because = format!("it is {}", execution.status);
    let plan = Plan { actions: vec![Action::new(Verdict::Stop, "execution", &arn, because, vec![stop])] };
    bootstrap::execute(session, output, &plan).await?;
    output.print(&plan, &plan)
}
