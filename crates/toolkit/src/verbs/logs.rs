//! `logs`: what a step of an execution printed.

use super::watch;
use crate::aws::Session;
use crate::error::Failure;
use crate::execution::{Execution, StepResult};
use crate::output::Output;

/// Prints every line of every container of the step, as CloudWatch Logs kept them.
///
/// # Errors
/// When the execution has no such step, the step runs no job, or a call is refused.
pub async fn run(session: &Session, output: &Output, step: &str, execution: Option<&str>) -> Result<(), Failure> {
    let arn = watch::resolve(session, execution).await?;
    let execution = Execution::observe(&session.clients.sagemaker, &arn).await?;
    let Some(found) = execution.step(step) else {
        let names: Vec<_> = execution.steps.iter().map(|step| step.name.as_str()).collect();
        return Err(Failure::usage(format!("the execution {} has started no step `{step}`", execution.id()))
            .hint(format!("it has started: {}", names.join(", "))));
    };
    let (group, job) = match &found.result {
        Some(StepResult::ProcessingJob(job)) => ("/aws/sagemaker/ProcessingJobs", job),
        Some(StepResult::TrainingJob(job)) => ("/aws/sagemaker/TrainingJobs", job),
        _ => return Err(Failure::usage(format!("step `{step}` runs no job, so there is no log"))),
    };
    let job = job.rsplit('/').next().unwrap_or(job);
    let streams = session.clients.logs.streams(group, &format!("{job}/")).await?;
    if streams.is_empty() {
        output.note(format_args!("{job} has not printed anything yet"));
    }
    let several = streams.len() > 1;
    for stream in streams {
        let host = if several { format!("{}: ", stream.rsplit('/').next().unwrap_or(&stream)) } else { String::new() };
        let mut token = None;
        loop {
            let page = session.clients.logs.events(group, &stream, token.as_deref()).await?;
            for event in page.events {
                output.line(format_args!("{host}{}", event.message))?;
            }
            // The last page gives back the token that it was asked with.
            if page.next.is_none() || page.next == token {
                break;
            }
            token = page.next;
        }
    }
    Ok(())
}
