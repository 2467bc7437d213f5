//! `watch`: follows an execution to its end, and `run`'s second half.

use aws_smithy_async::rt::sleep::TokioSleep;
use serde_json::Value;

use crate::aws::Session;
use crate::error::Failure;
use crate::execution::{Execution, Step, StepResult};
use crate::observe;
use crate::output::Output;
use crate::pipeline::{parameter, step};
use crate::progress::Progress;
use crate::report::{Metrics, ModelPackage, Report};
use crate::watch::{Pace, to_the_end};

/// Follows the execution, or the latest one.
///
/// # Errors
/// When it did not succeed, or could not be followed.
pub async fn run(session: &Session, output: &Output, execution: Option<&str>) -> Result<(), Failure> {
    let arn = resolve(session, execution).await?;
    follow(session, output, &arn).await
}

/// Follows the execution to its end and prints the report on it.
///
/// # Errors
/// When it did not succeed, or could not be followed.
pub async fn follow(session: &Session, output: &Output, arn: &str) -> Result<(), Failure> {
    let pace = if session.offline { Pace::OFFLINE } else { Pace::AWS };
    let mut progress = Progress::start();
    let execution = to_the_end(&session.clients.sagemaker, arn, pace, &TokioSleep::new(), &mut progress).await?;
    let report = report(session, execution).await?;
    output.print(&report, &report)?;
    match report.execution.succeeded() {
        true => Ok(()),
        false => Err(unsuccessful(session, &report)),
    }
}

/// The ARN of an execution given as ARN or id; without one, of the latest execution of our pipeline.
///
/// # Errors
/// When there is no such execution.
pub async fn resolve(session: &Session, execution: Option<&str>) -> Result<String, Failure> {
    let pipeline = &session.site.pipeline;
    match execution {
        Some(arn) if arn.starts_with("arn:") => Ok(arn.to_owned()),
        Some(id) => Ok(session.site.execution_arn(id)),
        None => observe::registry::latest_executions(&session.clients.sagemaker, pipeline, 1).await?.pop().ok_or_else(
            || {
                Failure::operation(format!("pipeline `{pipeline}` has no execution yet"))
                    .hint(format!("start one: cargo xtask run{}", session.flags))
            },
        ),
    }
}

fn unsuccessful(session: &Session, report: &Report) -> Failure {
    let failed = report.execution.steps.iter().find(|step| step.status == "Failed");
    let what = format!("the execution ended as {}", report.execution.status);
    let failure = Failure::operation(match failed {
        Some(step) => format!("{what}: step {} failed", step.name),
        None => what,
    });
    match failed {
        Some(step) if matches!(step.result, Some(StepResult::Fail(_))) => {
            let mse = report.metrics.map(|it| {
                format!(
                    "the model's MSE is {:.4}; that of a constant prediction is {:.4}",
                    it.mse, it.mse_best_constant_classifier
                )
            });
            failure.hint(mse.unwrap_or_else(|| "see the step's message above".to_owned()))
        }
        Some(step) => failure.hint(format!("see what it printed: cargo xtask logs{} {}", session.flags, step.name)),
        None => failure,
    }
}

/// What came of the execution, with what its steps left in S3 and the registry.
async fn report(session: &Session, execution: Execution) -> Result<Report, Failure> {
    let clients = &session.clients;
    let parameters = observe::registry::parameters(&clients.sagemaker, &execution.arn).await?;
    let find = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let threshold = find(parameter::MSE_THRESHOLD).and_then(|value| value.parse().ok());
    let metrics = match execution.step(step::EVALUATE) {
        Some(Step { status, result: Some(StepResult::ProcessingJob(job)), .. }) if status == "Succeeded" => {
            evaluation(session, job).await?
        }
        _ => None,
    };
    let package = execution.steps.iter().find_map(|step| match &step.result {
        Some(StepResult::ModelPackage(arn)) => Some(arn.clone()),
        _ => None,
    });
    let model_package = match package {
        Some(arn) => {
            let approval_status = observe::registry::approval_status(&clients.sagemaker, &arn).await?;
            Some(ModelPackage { arn, approval_status })
        }
        None => None,
    };
    let said = |step: Option<&Step>| {
        let job = step.and_then(|step| match &step.result {
            Some(StepResult::ProcessingJob(arn)) => Some(arn.clone()),
            _ => None,
        });
        async move {
            match job {
                Some(job) => observe::registry::exit_message(&clients.sagemaker, &job).await,
                None => Ok(None),
            }
        }
    };
    let preprocessed = execution.step(step::PREPROCESS).filter(|step| step.status == "Succeeded");
    let rows = said(preprocessed).await?;
    let last_words = said(execution.steps.iter().find(|step| step.status == "Failed")).await?;
    Ok(Report {
        input: find(parameter::INPUT_DATA_URL),
        rows,
        last_words,
        metrics: metrics.and_then(|evaluation| Metrics::read(&evaluation, threshold)),
        model_package,
        execution,
    })
}

/// The `evaluation.json` that a job has written, in this execution or in the one that the step was cached from; nothing
/// if the job has no such output.
async fn evaluation(session: &Session, job: &str) -> Result<Option<Value>, Failure> {
    let clients = &session.clients;
    let outputs = observe::registry::outputs_of(&clients.sagemaker, job).await?;
    let folder = outputs.iter().find(|(name, _)| name == "evaluation").map_or("", |(_, uri)| uri);
    let Some((bucket, key)) = observe::input::split_uri(folder) else { return Ok(None) };
    let key = format!("{}/evaluation.json", key.trim_end_matches('/'));
    let found = observe::objects::read(&clients.s3, bucket, &key, &session.site.account).await?;
    Ok(found.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}
