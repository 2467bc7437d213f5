//! Processing and training jobs, which really run.

use anyhow::{Context, ensure};
use aws_sdk_sagemaker::types::{
    AlgorithmSpecification, AppSpecification, Channel, DataSource, OutputDataConfig, ProcessingClusterConfig,
    ProcessingInput, ProcessingInstanceType, ProcessingJobStatus as Processing, ProcessingOutput,
    ProcessingOutputConfig, ProcessingResources, ProcessingS3DataType, ProcessingS3Input, ProcessingS3InputMode,
    ProcessingS3Output, ProcessingS3UploadMode, ProcessingStoppingCondition, ResourceConfig, S3DataDistribution,
    S3DataSource, S3DataType, StoppingCondition, TrainingInputMode, TrainingInstanceType,
    TrainingJobStatus as Training,
};
use sts_model::sample;

use crate::World;
use crate::case::Cost::{Cents, Free};
use crate::case::cases;
use crate::made::Made;
use crate::refusal::refused;

cases! { "jobs":
    a_processing_job_really_processes (Cents(5)) ["sagemaker:CreateProcessingJob", "sagemaker:DescribeProcessingJob",
        "sagemaker:ListProcessingJobs"];
    a_processing_job_fails_with_its_reason (Cents(5)) ["sagemaker:CreateProcessingJob", "sagemaker:DescribeProcessingJob",
        "sagemaker:StopProcessingJob", "sagemaker:DeleteProcessingJob"];
    a_training_job_writes_a_model (Cents(10)) ["sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob",
        "sagemaker:ListTrainingJobs", "sagemaker:StopTrainingJob", "sagemaker:DeleteTrainingJob"];
    jobs_name_what_exists (Free) ["sagemaker:CreateTrainingJob", "sagemaker:CreateProcessingJob"];
    what_is_missing_is_named (Free) ["sagemaker:DescribeProcessingJob", "sagemaker:StopProcessingJob",
        "sagemaker:DeleteProcessingJob", "sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob",
        "sagemaker:DeleteTrainingJob"];
}

const VALIDATION: &str = "ValidationException";
const PROGRAM: &str = "/usr/bin/sts-container";

type Process = aws_sdk_sagemaker::operation::create_processing_job::builders::CreateProcessingJobFluentBuilder;

/// A processing job that runs a verb of the image.
fn process(world: &World, name: &str, verb: &str) -> Process {
    let application = AppSpecification::builder()
        .image_uri(&world.account.image)
        .container_entrypoint(PROGRAM)
        .container_arguments(verb)
        .build();
    let cluster = ProcessingClusterConfig::builder()
        .instance_count(1)
        .instance_type(ProcessingInstanceType::MlM5Large)
        .volume_size_in_gb(1)
        .build();
    let create = world.clients.sagemaker.create_processing_job().processing_job_name(name);
    create
        .role_arn(&world.account.role)
        .app_specification(application)
        .processing_resources(ProcessingResources::builder().cluster_config(cluster).build())
        .tags(world.tag())
}

fn input(name: &str, uri: &str, path: &str) -> ProcessingInput {
    let s3 = ProcessingS3Input::builder()
        .s3_uri(uri)
        .local_path(path)
        .s3_data_type(ProcessingS3DataType::S3Prefix)
        .s3_input_mode(ProcessingS3InputMode::File)
        .build();
    ProcessingInput::builder().input_name(name).s3_input(s3).build()
}

fn output(name: &str, uri: &str) -> ProcessingOutput {
    let s3 = ProcessingS3Output::builder()
        .s3_uri(format!("{uri}/{name}"))
        .local_path(format!("/opt/ml/processing/{name}"))
        .s3_upload_mode(ProcessingS3UploadMode::EndOfJob)
        .build();
    ProcessingOutput::builder().output_name(name).s3_output(s3).build()
}

/// Pairs to rows: the URI below which they are.
pub(super) async fn preprocess(world: &World) -> anyhow::Result<(String, String)> {
    let pairs = sample::pairs(300);
    let pairs = world.put("pairs.tsv", sample::tsv(&pairs)).await?;
    let (name, uri) = (world.name("preprocess"), world.output("rows"));
    world.will_make(Made::ProcessingJob(name.clone()));
    let mut outputs = ProcessingOutputConfig::builder();
    for part in ["train", "validation", "test", "vocabulary"] {
        outputs = outputs.outputs(output(part, &uri));
    }
    let create = process(world, &name, "preprocess").processing_output_config(outputs.build());
    let made = create.processing_inputs(input("input", &pairs, "/opt/ml/processing/input")).send().await?;
    ensure!(made.processing_job_arn() == Some(&world.arn(&format!("processing-job/{name}"))), "{made:?}");
    let found = processed(world, &name).await?;
    ensure!(found == Processing::Completed, "{found:?}");
    Ok((name, uri))
}

async fn processed(world: &World, name: &str) -> anyhow::Result<Processing> {
    world
        .until("a processing job to end", async || {
            let found = world.clients.sagemaker.describe_processing_job().processing_job_name(name).send().await?;
            let status = found.processing_job_status().cloned();
            Ok(status.filter(|status| ![Processing::InProgress, Processing::Stopping].contains(status)))
        })
        .await
}

async fn a_processing_job_really_processes(world: &World) -> anyhow::Result<()> {
    let (name, uri) = preprocess(world).await?;
    let (sagemaker, s3) = (&world.clients.sagemaker, &world.clients.s3);
    let found = sagemaker.describe_processing_job().processing_job_name(&name).send().await?;
    ensure!(found.processing_start_time().is_some() && found.processing_end_time().is_some(), "{found:?}");
    ensure!(found.failure_reason().is_none() && found.processing_inputs().len() == 1);
    let stop = found.stopping_condition().and_then(ProcessingStoppingCondition::max_runtime_in_seconds);
    ensure!(stop == Some(86_400), "a job may run for a day unless it says otherwise: {stop:?}");
    let prefix = uri.split_once(&format!("{}/", world.account.bucket)).context("a URI names its bucket")?.1;
    let listed = s3.list_objects_v2().bucket(&world.account.bucket).prefix(format!("{prefix}/train/")).send().await?;
    ensure!(listed.contents().iter().any(|object| object.size() > Some(0)), "what it wrote is in S3: {listed:?}");
    let again = process(world, &name, "preprocess").send().await;
    let taken =
        "Job name must be unique within an AWS account and region, and a job with this name already exists (arn:";
    refused(again, "ResourceInUse", taken)?;
    let listed =
        sagemaker.list_processing_jobs().name_contains(&name).status_equals(Processing::Completed).send().await?;
    ensure!(listed.processing_job_summaries().len() == 1, "{listed:?}");
    Ok(())
}

async fn a_processing_job_fails_with_its_reason(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let name = world.name("fails");
    world.will_make(Made::ProcessingJob(name.clone()));
    // It has no input.
    process(world, &name, "preprocess").send().await?;
    ensure!(processed(world, &name).await? == Processing::Failed);
    let found = sagemaker.describe_processing_job().processing_job_name(&name).send().await?;
    ensure!(found.failure_reason().is_some_and(|reason| reason.starts_with("AlgorithmError")), "{found:?}");
    ensure!(found.exit_message().is_some_and(|message| !message.is_empty()), "{found:?}");
    let stop = sagemaker.stop_processing_job().processing_job_name(&name).send().await;
    refused(stop, VALIDATION, "The request was rejected because the processing job is in status Failed.")?;
    sagemaker.delete_processing_job().processing_job_name(&name).send().await?;
    let gone = sagemaker.describe_processing_job().processing_job_name(&name).send().await;
    refused(gone, VALIDATION, "Could not find requested job with name")
}

type Train = aws_sdk_sagemaker::operation::create_training_job::builders::CreateTrainingJobFluentBuilder;

fn train(world: &World, name: &str, output: &str) -> Train {
    let algorithm = AlgorithmSpecification::builder()
        .training_image(&world.account.image)
        .training_input_mode(TrainingInputMode::File)
        .container_entrypoint(PROGRAM)
        .container_arguments("train")
        .build();
    let resources = ResourceConfig::builder()
        .instance_count(1)
        .instance_type(TrainingInstanceType::MlM5Large)
        .volume_size_in_gb(1)
        .build();
    let create = world.clients.sagemaker.create_training_job().training_job_name(name);
    create
        .role_arn(&world.account.role)
        .algorithm_specification(algorithm)
        .resource_config(resources)
        .output_data_config(OutputDataConfig::builder().s3_output_path(output).build())
        .stopping_condition(StoppingCondition::builder().max_runtime_in_seconds(3600).build())
        .tags(world.tag())
}

fn channel(name: &str, uri: &str, content_type: &str) -> Channel {
    let s3 = S3DataSource::builder()
        .s3_uri(uri)
        .s3_data_type(S3DataType::S3Prefix)
        .s3_data_distribution_type(S3DataDistribution::FullyReplicated)
        .build();
    let source = DataSource::builder().s3_data_source(s3).build();
    Channel::builder().channel_name(name).data_source(source).content_type(content_type).build()
}

/// What the image trains on, as [`preprocess`] leaves it.
pub(super) fn channels(rows: &str) -> Vec<Channel> {
    let part = |name: &str, content_type| channel(name, &format!("{rows}/{name}"), content_type);
    vec![part("train", "text/csv"), part("validation", "text/csv"), part("vocabulary", "application/json")]
}

async fn a_training_job_writes_a_model(world: &World) -> anyhow::Result<()> {
    let (_, rows) = preprocess(world).await?;
    let (sagemaker, name, models) = (&world.clients.sagemaker, world.name("train"), world.output("models"));
    world.will_make(Made::TrainingJob(name.clone()));
    train(world, &name, &models).set_input_data_config(Some(channels(&rows))).send().await?;
    let describe = || sagemaker.describe_training_job().training_job_name(&name).send();
    let status = world
        .until("a training job to end", async || {
            let status = describe().await?.training_job_status().cloned();
            Ok(status.filter(|status| ![Training::InProgress, Training::Stopping].contains(status)))
        })
        .await?;
    let found = describe().await?;
    ensure!(status == Training::Completed, "{found:?}");
    let model = found.model_artifacts().and_then(|it| it.s3_model_artifacts()).context("it names its model")?;
    ensure!(model == format!("{models}/{name}/output/model.tar.gz"), "{model}");
    let key = model.split_once(&format!("{}/", world.account.bucket)).context("a URI names its bucket")?.1;
    let head = world.clients.s3.head_object().bucket(&world.account.bucket).key(key).send().await?;
    ensure!(head.content_length() > Some(0), "the model that is named is there: {head:?}");
    let secondary: Vec<_> = found.secondary_status_transitions().iter().filter_map(|it| it.status()).collect();
    ensure!(secondary.last().is_some_and(|last| last.as_str() == "Completed"), "{secondary:?}");
    ensure!(found.billable_time_in_seconds().is_some() && found.training_time_in_seconds().is_some());

    let taken = "Training job names must be unique within an AWS account and region, and a training job with this name \
                 already exists (arn:";
    refused(train(world, &name, &models).send().await, "ResourceInUse", taken)?;
    let stop = sagemaker.stop_training_job().training_job_name(&name).send().await;
    refused(stop, VALIDATION, "The request was rejected because the training job is in status Completed.")?;
    let listed = sagemaker.list_training_jobs().name_contains(&name).send().await?;
    ensure!(listed.training_job_summaries().len() == 1, "{listed:?}");
    sagemaker.delete_training_job().training_job_name(&name).send().await?;
    refused(describe().await, VALIDATION, "Requested resource not found.")
}

async fn jobs_name_what_exists(world: &World) -> anyhow::Result<()> {
    let nobody = format!("arn:aws:iam::{}:role/{}", world.account.id, world.name("nobody"));
    let output = world.uri("stsmm-live-tests/never");
    let roleless = train(world, &world.name("never"), &output).role_arn(&nobody).send().await;
    refused(roleless, VALIDATION, "role")?;
    let roleless = process(world, &world.name("never"), "preprocess").role_arn(&nobody).send().await;
    refused(roleless, VALIDATION, "role")?;
    let missing = world.uri("stsmm-live-tests/nothing-there/");
    let inputless =
        train(world, &world.name("never"), &output).input_data_config(channel("train", &missing, "text/csv"));
    refused(inputless.send().await, VALIDATION, &format!("No S3 objects found under S3 URL \"{missing}\""))
}

async fn what_is_missing_is_named(world: &World) -> anyhow::Result<()> {
    let (sagemaker, name) = (&world.clients.sagemaker, world.name("missing"));
    let sentence = "Could not find requested job with name";
    refused(sagemaker.describe_processing_job().processing_job_name(&name).send().await, VALIDATION, sentence)?;
    refused(sagemaker.stop_processing_job().processing_job_name(&name).send().await, VALIDATION, sentence)?;
    refused(sagemaker.delete_processing_job().processing_job_name(&name).send().await, "ResourceNotFound", "")?;
    let sentence = "Requested resource not found.";
    refused(sagemaker.describe_training_job().training_job_name(&name).send().await, VALIDATION, sentence)?;
    refused(sagemaker.stop_training_job().training_job_name(&name).send().await, VALIDATION, sentence)?;
    refused(sagemaker.delete_training_job().training_job_name(&name).send().await, "ResourceNotFound", "")
}
