//! Executions of pipelines.

use anyhow::{Context, ensure};
use aws_sdk_sagemaker::types::{Parameter, PipelineExecutionStatus as Status, SortOrder, StepStatus};

use super::pipelines;
use crate::World;
use crate::case::Cost::Free;
use crate::case::cases;
use crate::refusal::refused;

cases! { "executions":
    an_execution_succeeds (Free) ["sagemaker:StartPipelineExecution", "sagemaker:DescribePipelineExecution",
        "sagemaker:ListPipelineExecutionSteps", "sagemaker:ListPipelineParametersForExecution",
        "sagemaker:DescribePipelineDefinitionForExecution"];
    an_execution_fails_and_is_retried (Free) ["sagemaker:StartPipelineExecution", "sagemaker:RetryPipelineExecution",
        "sagemaker:ListPipelineExecutionSteps"];
    a_token_starts_one_execution (Free) ["sagemaker:StartPipelineExecution"];
    lists_are_sorted_and_paged (Free) ["sagemaker:ListPipelineExecutions"];
    parameters_are_checked (Free) ["sagemaker:StartPipelineExecution"];
    only_what_runs_is_stopped (Free) ["sagemaker:StopPipelineExecution", "sagemaker:RetryPipelineExecution"];
    a_description_can_be_changed (Free) ["sagemaker:UpdatePipelineExecution"];
    what_is_missing_is_not_found (Free) ["sagemaker:StartPipelineExecution", "sagemaker:DescribePipelineExecution",
        "sagemaker:ListPipelineExecutions", "sagemaker:ListPipelineExecutionSteps", "sagemaker:StopPipelineExecution",
        "sagemaker:RetryPipelineExecution", "sagemaker:UpdatePipelineExecution",
        "sagemaker:ListPipelineParametersForExecution", "sagemaker:DescribePipelineDefinitionForExecution"];
    a_pipeline_takes_its_executions_with_it (Free) ["sagemaker:DeletePipeline"];
}

fn score(value: &str) -> Parameter {
    Parameter::builder().name("Score").value(value).build()
}

/// Starts an execution and waits for its end: its ARN.
async fn run(world: &World, pipeline: &str, parameters: &[Parameter]) -> anyhow::Result<String> {
    let start = world.clients.sagemaker.start_pipeline_execution().pipeline_name(pipeline);
    let start = start.set_pipeline_parameters(Some(parameters.to_vec())).client_request_token(world.token());
    let arn = start.send().await?.pipeline_execution_arn().context("an execution has an ARN")?.to_owned();
    ended(world, &arn).await?;
    Ok(arn)
}

async fn ended(world: &World, arn: &str) -> anyhow::Result<Status> {
    world
        .until("an execution to end", async || {
            let found =
                world.clients.sagemaker.describe_pipeline_execution().pipeline_execution_arn(arn).send().await?;
            let status = found.pipeline_execution_status().cloned();
            Ok(status.filter(|status| ![Status::Executing, Status::Stopping].contains(status)))
        })
        .await
}

async fn an_execution_succeeds(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let pipeline = pipelines::create(world, "Succeeds").await?;
    let arn = run(world, &pipeline, &[score("5")]).await?;
    ensure!(arn.starts_with(&world.arn(&format!("pipeline/{pipeline}/execution/"))), "{arn}");
    ensure!(
        arn.rsplit('/').next().is_some_and(|id| id.len() == 12),
        "an execution has an id of twelve characters: {arn}"
    );
    let found = sagemaker.describe_pipeline_execution().pipeline_execution_arn(&arn).send().await?;
    ensure!(found.pipeline_execution_status() == Some(&Status::Succeeded), "{found:?}");
    ensure!(found.pipeline_version_id() == Some(1) && found.failure_reason().is_none());
    ensure!(found.pipeline_execution_display_name().is_some_and(|name| name.starts_with("execution-")));
    let steps = sagemaker.list_pipeline_execution_steps().pipeline_execution_arn(&arn).send().await?;
    let [gate] = steps.pipeline_execution_steps() else {
        anyhow::bail!("the branch not taken is not listed: {steps:?}")
    };
    ensure!(gate.step_name() == Some("Gate") && gate.step_status() == Some(&StepStatus::Succeeded));
    let outcome = gate.metadata().and_then(|metadata| metadata.condition()).and_then(|condition| condition.outcome());
    ensure!(outcome.is_some_and(|outcome| outcome.as_str() == "True"), "{gate:?}");
    let parameters = sagemaker.list_pipeline_parameters_for_execution().pipeline_execution_arn(&arn).send().await?;
    ensure!(parameters.pipeline_parameters() == [score("5")], "{parameters:?}");
    let definition = sagemaker.describe_pipeline_definition_for_execution().pipeline_execution_arn(&arn).send().await?;
    ensure!(definition.pipeline_definition() == Some(&pipelines::definition("1")), "{definition:?}");
    let pipeline = sagemaker.describe_pipeline().pipeline_name(&pipeline).send().await?;
    ensure!(pipeline.last_run_time().is_some());
    Ok(())
}

async fn an_execution_fails_and_is_retried(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let pipeline = pipelines::create(world, "Fails").await?;
    let arn = run(world, &pipeline, &[score("0")]).await?;
    let found = sagemaker.describe_pipeline_execution().pipeline_execution_arn(&arn).send().await?;
    ensure!(found.pipeline_execution_status() == Some(&Status::Failed), "{found:?}");
    ensure!(found.failure_reason() == Some("Step failure: One or multiple steps failed."), "{found:?}");
    let steps = sagemaker.list_pipeline_execution_steps().pipeline_execution_arn(&arn);
    let steps = steps.sort_order(SortOrder::Ascending).send().await?;
    let reasons: Vec<_> =
        steps.pipeline_execution_steps().iter().map(|step| (step.step_name(), step.failure_reason())).collect();
    ensure!(reasons == [(Some("Gate"), None), (Some("TooLow"), Some("the score is too low"))], "{reasons:?}");
    let retry = sagemaker.retry_pipeline_execution().pipeline_execution_arn(&arn).client_request_token(world.token());
    let again = retry.send().await?;
    ensure!(again.pipeline_execution_arn() == Some(&arn), "an execution that is retried keeps its ARN");
    ensure!(ended(world, &arn).await? == Status::Failed);
    Ok(())
}

async fn a_token_starts_one_execution(world: &World) -> anyhow::Result<()> {
    let pipeline = pipelines::create(world, "Token").await?;
    let token = world.token();
    let start = || {
        let start = world.clients.sagemaker.start_pipeline_execution().pipeline_name(&pipeline);
        start.client_request_token(&token).send()
    };
    let (first, again) = (start().await?, start().await?);
    ensure!(first.pipeline_execution_arn() == again.pipeline_execution_arn());
    let listed = world.clients.sagemaker.list_pipeline_executions().pipeline_name(&pipeline).send().await?;
    ensure!(listed.pipeline_execution_summaries().len() == 1, "{listed:?}");
    Ok(())
}

async fn lists_are_sorted_and_paged(world: &World) -> anyhow::Result<()> {
    let pipeline = pipelines::create(world, "Paged").await?;
    let mut made = Vec::new();
    for value in ["1", "2", "0"] {
        made.push(run(world, &pipeline, &[score(value)]).await?);
    }
    made.reverse();
    let list = || world.clients.sagemaker.list_pipeline_executions().pipeline_name(&pipeline);
    let page = list().max_results(2).send().await?;
    let arns = |page: &[aws_sdk_sagemaker::types::PipelineExecutionSummary]| -> Vec<String> {
        page.iter().filter_map(|it| it.pipeline_execution_arn().map(str::to_owned)).collect()
    };
    ensure!(arns(page.pipeline_execution_summaries()) == made[..2], "newest first: {page:?}");
    ensure!(page.pipeline_execution_summaries()[0].pipeline_execution_failure_reason().is_some(), "{page:?}");
    let rest = list().max_results(2).next_token(page.next_token().context("there is a third")?).send().await?;
    ensure!(arns(rest.pipeline_execution_summaries()) == made[2..] && rest.next_token().is_none());
    let oldest_first = list().sort_order(SortOrder::Ascending).send().await?;
    made.reverse();
    ensure!(arns(oldest_first.pipeline_execution_summaries()) == made);
    Ok(())
}

async fn parameters_are_checked(world: &World) -> anyhow::Result<()> {
    let pipeline = pipelines::create(world, "Parameters").await?;
    for wrong in [Parameter::builder().name("Nonsense").value("1").build(), score("one")] {
        let start = world.clients.sagemaker.start_pipeline_execution().pipeline_name(&pipeline);
        let start = start.pipeline_parameters(wrong).client_request_token(world.token()).send().await;
        refused(start, "ValidationException", "")?;
    }
    Ok(())
}

async fn only_what_runs_is_stopped(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let pipeline = pipelines::create(world, "Stop").await?;
    let arn = run(world, &pipeline, &[]).await?;
    let stop = sagemaker.stop_pipeline_execution().pipeline_execution_arn(&arn).client_request_token(world.token());
    let sentence = "Only pipelines with 'Executing' status can be stopped";
    refused(stop.send().await, "ValidationException", sentence)?;
    let retry = sagemaker.retry_pipeline_execution().pipeline_execution_arn(&arn).client_request_token(world.token());
    refused(retry.send().await, "ValidationException", "")
}

async fn a_description_can_be_changed(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let pipeline = pipelines::create(world, "Describe").await?;
    let arn = run(world, &pipeline, &[]).await?;
    let update = sagemaker.update_pipeline_execution().pipeline_execution_arn(&arn);
    update.pipeline_execution_description("why").pipeline_execution_display_name("named").send().await?;
    let found = sagemaker.describe_pipeline_execution().pipeline_execution_arn(&arn).send().await?;
    ensure!(found.pipeline_execution_description() == Some("why"));
    ensure!(found.pipeline_execution_display_name() == Some("named"));
    Ok(())
}

async fn what_is_missing_is_not_found(world: &World) -> anyhow::Result<()> {
    let (sagemaker, name, code) = (&world.clients.sagemaker, world.name("Missing"), "ResourceNotFound");
    let arn = world.arn(&format!("pipeline/{name}/execution/abcdefghijkl"));
    let token = world.token();
    let start = sagemaker.start_pipeline_execution().pipeline_name(&name).client_request_token(&token);
    refused(start.send().await, code, "")?;
    refused(sagemaker.list_pipeline_executions().pipeline_name(&name).send().await, code, "")?;
    refused(sagemaker.describe_pipeline_execution().pipeline_execution_arn(&arn).send().await, code, "")?;
    refused(sagemaker.list_pipeline_execution_steps().pipeline_execution_arn(&arn).send().await, code, "")?;
    refused(sagemaker.list_pipeline_parameters_for_execution().pipeline_execution_arn(&arn).send().await, code, "")?;
    refused(
        sagemaker.describe_pipeline_definition_for_execution().pipeline_execution_arn(&arn).send().await,
        code,
        "",
    )?;
    let update = sagemaker.update_pipeline_execution().pipeline_execution_arn(&arn);
    refused(update.pipeline_execution_description("x").send().await, code, "")?;
    let stop = sagemaker.stop_pipeline_execution().pipeline_execution_arn(&arn).client_request_token(&token);
    refused(stop.send().await, code, "")?;
    let retry = sagemaker.retry_pipeline_execution().pipeline_execution_arn(&arn).client_request_token(&token);
    refused(retry.send().await, code, "")?;
    // That an answer is taken is shown by tests of the fake: on AWS the token comes by a queue.
    let success = sagemaker.send_pipeline_execution_step_success().callback_token("nobody0000");
    refused(success.client_request_token(&token).send().await, code, "")?;
    let failure = sagemaker.send_pipeline_execution_step_failure().callback_token("nobody0000");
    refused(failure.client_request_token(world.token()).send().await, code, "")
}

async fn a_pipeline_takes_its_executions_with_it(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let pipeline = pipelines::create(world, "Gone").await?;
    let arn = run(world, &pipeline, &[]).await?;
    sagemaker.delete_pipeline().pipeline_name(&pipeline).client_request_token(world.token()).send().await?;
    refused(sagemaker.describe_pipeline_execution().pipeline_execution_arn(&arn).send().await, "ResourceNotFound", "")
}
