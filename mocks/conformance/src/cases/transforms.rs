//! Batch transform jobs, which really ask the model.

use anyhow::{Context, ensure};
use aws_sdk_sagemaker::types::{
    AssemblyType, S3DataType, SplitType, TransformDataSource, TransformInput, TransformInstanceType,
    TransformJobStatus as Status, TransformOutput, TransformResources, TransformS3DataSource,
};

use super::models;
use crate::World;
use crate::case::Cost::{Cents, Free};
use crate::case::cases;
use crate::made::Made;
use crate::model::row;
use crate::refusal::refused;

cases! { "transforms":
    a_transform_job_asks_about_every_line (Cents(10)) ["sagemaker:CreateTransformJob", "sagemaker:DescribeTransformJob",
        "sagemaker:ListTransformJobs", "sagemaker:StopTransformJob"];
    a_job_names_a_model_that_exists (Free) ["sagemaker:CreateTransformJob"];
    what_is_missing_is_named (Free) ["sagemaker:DescribeTransformJob", "sagemaker:StopTransformJob"];
}

const VALIDATION: &str = "ValidationException";

type Transform = aws_sdk_sagemaker::operation::create_transform_job::builders::CreateTransformJobFluentBuilder;

/// A job that asks a model about each line of the objects at a URI.
fn transform(world: &World, name: &str, model: &str, input: &str, output: &str) -> Transform {
    let source = TransformS3DataSource::builder().s3_data_type(S3DataType::S3Prefix).s3_uri(input).build();
    let source = TransformDataSource::builder().s3_data_source(source).build();
    let input =
        TransformInput::builder().data_source(source).content_type("text/csv").split_type(SplitType::Line).build();
    let output = TransformOutput::builder().s3_output_path(output).accept("text/csv").assemble_with(AssemblyType::Line);
    let resources =
        TransformResources::builder().instance_type(TransformInstanceType::MlM5Large).instance_count(1).build();
    let create = world.clients.sagemaker.create_transform_job().transform_job_name(name).model_name(model);
    create.transform_input(input).transform_output(output.build()).transform_resources(resources).tags(world.tag())
}

async fn a_transform_job_asks_about_every_line(world: &World) -> anyhow::Result<()> {
    let (sagemaker, s3) = (&world.clients.sagemaker, &world.clients.s3);
    let model = models::create(world, "Scores").await?;
    let rows = world.put("asked/rows.csv", format!("{0}\n{0}\n", row())).await?;
    let (name, scored) = (world.name("transform"), world.output("scored"));
    world.will_make(Made::TransformJob(name.clone()));
    let create = || transform(world, &name, &model, &rows, &scored);
    let made = create().send().await?;
    ensure!(made.transform_job_arn() == Some(&world.arn(&format!("transform-job/{name}"))), "{made:?}");
    let describe = || sagemaker.describe_transform_job().transform_job_name(&name).send();
    let status = world
        .until("a transform job to end", async || {
            let status = describe().await?.transform_job_status().cloned();
            Ok(status.filter(|status| ![Status::InProgress, Status::Stopping].contains(status)))
        })
        .await?;
    let found = describe().await?;
    ensure!(status == Status::Completed, "{found:?}");
    ensure!(found.transform_start_time().is_some() && found.transform_end_time().is_some(), "{found:?}");
    let key = scored.split_once(&format!("{}/", world.account.bucket)).context("a URI names its bucket")?.1;
    let answers = s3.get_object().bucket(&world.account.bucket).key(format!("{key}/rows.csv.out")).send().await?;
    let answers = String::from_utf8(answers.body.collect().await?.to_vec())?;
    let answers: Vec<_> = answers.lines().collect();
    ensure!(answers.len() == 2 && answers[0] == answers[1] && !answers[0].is_empty(), "{answers:?}");

    let taken =
        "Job name must be unique within an AWS account and region, and a job with this name already exists (arn:";
    refused(create().send().await, "ResourceInUse", taken)?;
    let stop = sagemaker.stop_transform_job().transform_job_name(&name).send().await;
    refused(stop, VALIDATION, "The request was rejected because the transform job is in status Completed.")?;
    let listed = sagemaker.list_transform_jobs().name_contains(&name).status_equals(Status::Completed).send().await?;
    ensure!(listed.transform_job_summaries().len() == 1, "{listed:?}");
    Ok(())
}

async fn a_job_names_a_model_that_exists(world: &World) -> anyhow::Result<()> {
    let (model, never) = (world.name("nobody"), world.uri("stsmm-live-tests/never"));
    let create = transform(world, &world.name("never"), &model, &never, &never).send().await;
    refused(create, VALIDATION, &format!("Could not find model \"{}\".", world.arn(&format!("model/{model}"))))
}

async fn what_is_missing_is_named(world: &World) -> anyhow::Result<()> {
    let (sagemaker, name) = (&world.clients.sagemaker, world.name("missing"));
    let sentence = "Could not find requested job with name";
    refused(sagemaker.describe_transform_job().transform_job_name(&name).send().await, VALIDATION, sentence)?;
    refused(sagemaker.stop_transform_job().transform_job_name(&name).send().await, VALIDATION, sentence)
}
