//! Pipelines and their versions.

use anyhow::{Context, ensure};
use aws_sdk_sagemaker::types::{ParallelismConfiguration, PipelineDefinitionS3Location, SortOrder};

use crate::World;
use crate::case::Cost::Free;
use crate::case::cases;
use crate::made::Made;
use crate::refusal::refused;

cases! { "pipelines":
    lifecycle (Free) ["sagemaker:CreatePipeline", "sagemaker:DescribePipeline", "sagemaker:UpdatePipeline", "sagemaker:DeletePipeline"];
    names_are_unique (Free) ["sagemaker:CreatePipeline"];
    definitions_are_checked (Free) ["sagemaker:CreatePipeline", "sagemaker:UpdatePipeline"];
    a_definition_may_be_in_s3 (Free) ["sagemaker:CreatePipeline"];
    lists_are_filtered_and_paged (Free) ["sagemaker:ListPipelines"];
    versions_are_numbered (Free) ["sagemaker:ListPipelineVersions", "sagemaker:UpdatePipelineVersion"];
    the_role_must_be_assumable (Free) ["sagemaker:CreatePipeline"];
    what_is_missing_is_not_found (Free) ["sagemaker:DescribePipeline", "sagemaker:DeletePipeline", "sagemaker:UpdatePipeline",
        "sagemaker:ListPipelineVersions"];
}

/// A definition that costs nothing: one condition, on a parameter.
pub(super) fn definition(threshold: &str) -> String {
    format!(
        r#"{{"Version":"2020-12-01","Metadata":{{}},"Parameters":[{{"Name":"Score","Type":"Integer","DefaultValue":1}}],
        "Steps":[{{"Name":"Gate","Type":"Condition","Arguments":{{"Conditions":[{{"Type":"GreaterThanOrEqualTo",
        "LeftValue":{{"Get":"Parameters.Score"}},"RightValue":{threshold}}}],"IfSteps":[],
        "ElseSteps":[{{"Name":"TooLow","Type":"Fail","Arguments":{{"ErrorMessage":"the score is too low"}}}}]}}}}]}}"#
    )
}

/// Makes a pipeline: its name.
pub(super) async fn create(world: &World, what: &str) -> anyhow::Result<String> {
    let name = world.name(what);
    world.will_make(Made::Pipeline(name.clone()));
    let create = world.clients.sagemaker.create_pipeline().pipeline_name(&name).role_arn(&world.account.role);
    let create = create.pipeline_definition(definition("1")).client_request_token(world.token());
    create.tags(world.tag()).send().await?;
    Ok(name)
}

async fn lifecycle(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let name = create(world, "Lifecycle").await?;
    let found = sagemaker.describe_pipeline().pipeline_name(&name).send().await?;
    ensure!(
        found.pipeline_arn() == Some(&world.arn(&format!("pipeline/{name}"))),
        "its ARN: {:?}",
        found.pipeline_arn()
    );
    ensure!(found.pipeline_display_name() == Some(&name), "its display name is its name unless it is given one");
    ensure!(found.pipeline_definition() == Some(&definition("1")), "its definition is kept to the byte");
    ensure!(found.creation_time().is_some() && found.created_by().is_some() && found.last_run_time().is_none());
    // By ARN, and whatever the case.
    sagemaker.describe_pipeline().pipeline_name(world.arn(&format!("pipeline/{name}"))).send().await?;

    let parallelism = ParallelismConfiguration::builder().max_parallel_execution_steps(2).build();
    let update = sagemaker.update_pipeline().pipeline_name(&name).pipeline_definition(definition("2"));
    let updated = update.pipeline_description("second").parallelism_configuration(parallelism).send().await?;
    ensure!(updated.pipeline_version_id() == Some(2), "a new definition is a new version");
    let found = sagemaker.describe_pipeline().pipeline_name(&name).send().await?;
    ensure!(found.pipeline_definition() == Some(&definition("2")) && found.pipeline_description() == Some("second"));
    ensure!(found.role_arn() == Some(&world.account.role), "what an update does not name stays");

    let deleted = sagemaker.delete_pipeline().pipeline_name(&name).client_request_token(world.token()).send().await?;
    ensure!(deleted.pipeline_arn() == Some(&world.arn(&format!("pipeline/{name}"))), "{deleted:?}");
    refused(sagemaker.describe_pipeline().pipeline_name(&name).send().await, "ResourceNotFound", "does not exist")
}

async fn names_are_unique(world: &World) -> anyhow::Result<()> {
    let name = create(world, "Unique").await?;
    let again = world.clients.sagemaker.create_pipeline().pipeline_name(&name).role_arn(&world.account.role);
    let again = again.pipeline_definition(definition("1")).client_request_token(world.token()).send().await;
    // The SDK for Python updates the pipeline when it reads these words, and only then.
    refused(again, "ValidationException", "already exists")
}

async fn definitions_are_checked(world: &World) -> anyhow::Result<()> {
    let name = create(world, "Checked").await?;
    let new = world.name("New");
    for text in ["not json at all", "[]", r#"{"Version":"2020-12-01","Steps":{}}"#] {
        let create = world.clients.sagemaker.create_pipeline().pipeline_name(&new).role_arn(&world.account.role);
        let create = create.pipeline_definition(text).client_request_token(world.token()).send().await;
        refused(create, "ValidationException", "Unable to parse pipeline definition.")?;
        let update = world.clients.sagemaker.update_pipeline().pipeline_name(&name).pipeline_definition(text);
        refused(update.send().await, "ValidationException", "Unable to parse pipeline definition.")?;
    }
    Ok(())
}

async fn a_definition_may_be_in_s3(world: &World) -> anyhow::Result<()> {
    let key = world.put("definition.json", definition("3")).await?;
    let key = key.split_once(&format!("{}/", world.account.bucket)).context("a URI names its bucket")?.1.to_owned();
    let location =
        |key: &str| PipelineDefinitionS3Location::builder().bucket(&world.account.bucket).object_key(key).build();
    let name = world.name("FromS3");
    let create = |key: &str| {
        let create = world.clients.sagemaker.create_pipeline().pipeline_name(&name).role_arn(&world.account.role);
        create.pipeline_definition_s3_location(location(key)).client_request_token(world.token()).tags(world.tag())
    };
    ensure!(create("stsmm-live-tests/nothing-there").send().await.is_err(), "a definition that is not there");
    world.will_make(Made::Pipeline(name.clone()));
    create(&key).send().await?;
    let found = world.clients.sagemaker.describe_pipeline().pipeline_name(&name).send().await?;
    ensure!(found.pipeline_definition() == Some(&definition("3")), "{found:?}");
    Ok(())
}

async fn lists_are_filtered_and_paged(world: &World) -> anyhow::Result<()> {
    let mut made = Vec::new();
    for what in ["List-A", "List-B", "List-C"] {
        made.push(create(world, what).await?);
    }
    let prefix = made[0].split("-0-").next().unwrap_or_default();
    let list = || world.clients.sagemaker.list_pipelines().pipeline_name_prefix(prefix);
    let first = list().sort_by(aws_sdk_sagemaker::types::SortPipelinesBy::Name).sort_order(SortOrder::Ascending);
    let first = first.max_results(2).send().await?;
    let names = |page: &[aws_sdk_sagemaker::types::PipelineSummary]| -> Vec<String> {
        page.iter().filter_map(|summary| summary.pipeline_name().map(str::to_owned)).collect()
    };
    ensure!(names(first.pipeline_summaries()) == made[..2], "{:?}", first.pipeline_summaries());
    let token = first.next_token().context("three do not fit on a page of two")?;
    let rest = list().sort_by(aws_sdk_sagemaker::types::SortPipelinesBy::Name).sort_order(SortOrder::Ascending);
    let rest = rest.max_results(2).next_token(token).send().await?;
    ensure!(names(rest.pipeline_summaries()) == made[2..] && rest.next_token().is_none());
    // By time of creation, newest first, unless it is asked otherwise.
    let mut newest_first = made.clone();
    newest_first.reverse();
    ensure!(names(list().send().await?.pipeline_summaries()) == newest_first);
    refused(list().next_token("guess").send().await, "ValidationException", "")?;
    refused(
        list().max_results(101).send().await,
        "ValidationException",
        "Member must have value less than or equal to 100",
    )
}

async fn versions_are_numbered(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let name = create(world, "Versions").await?;
    sagemaker.update_pipeline().pipeline_name(&name).pipeline_definition(definition("2")).send().await?;
    let named = sagemaker.update_pipeline_version().pipeline_arn(world.arn(&format!("pipeline/{name}")));
    let named = named.pipeline_version_id(1).pipeline_version_display_name("first").send().await?;
    ensure!(named.pipeline_version_id() == Some(1));
    let listed = sagemaker.list_pipeline_versions().pipeline_name(&name).send().await?;
    let versions: Vec<_> = listed
        .pipeline_version_summaries()
        .iter()
        .map(|version| (version.pipeline_version_id().unwrap_or_default(), version.pipeline_version_display_name()))
        .collect();
    ensure!(versions == [(2, None), (1, Some("first"))], "{versions:?}");
    let old = sagemaker.describe_pipeline().pipeline_name(&name).pipeline_version_id(1).send().await?;
    ensure!(old.pipeline_definition() == Some(&definition("1")), "a version never changes");
    let none = sagemaker.describe_pipeline().pipeline_name(&name).pipeline_version_id(9).send().await;
    refused(none, "ResourceNotFound", "")
}

async fn the_role_must_be_assumable(world: &World) -> anyhow::Result<()> {
    let nobody = format!("arn:aws:iam::{}:role/{}", world.account.id, world.name("nobody"));
    let create = world.clients.sagemaker.create_pipeline().pipeline_name(world.name("Roleless")).role_arn(nobody);
    let create = create.pipeline_definition(definition("1")).client_request_token(world.token()).send().await;
    refused(create, "ValidationException", "role")
}

async fn what_is_missing_is_not_found(world: &World) -> anyhow::Result<()> {
    let (sagemaker, name, code) = (&world.clients.sagemaker, world.name("Missing"), "ResourceNotFound");
    let part = "does not exist";
    refused(sagemaker.describe_pipeline().pipeline_name(&name).send().await, code, part)?;
    let update = sagemaker.update_pipeline().pipeline_name(&name).pipeline_description("x");
    refused(update.send().await, code, part)?;
    refused(sagemaker.list_pipeline_versions().pipeline_name(&name).send().await, code, part)?;
    let delete = sagemaker.delete_pipeline().pipeline_name(&name).client_request_token(world.token());
    refused(delete.send().await, code, part)
}
