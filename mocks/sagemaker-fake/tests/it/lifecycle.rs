//! Executions and jobs through the real SDK: their answers are checked against AWS's own model on the way.

use aws_sdk_sagemaker::types::{
    AlgorithmSpecification, AppSpecification, OutputDataConfig, Parameter, PipelineExecutionStatus,
    ProcessingClusterConfig, ProcessingInstanceType, ProcessingJobStatus, ProcessingResources, ResourceConfig,
    SecondaryStatus, StepStatus, StoppingCondition, TrainingInputMode, TrainingInstanceType, TrainingJobStatus,
};
use pipeline_definition::build::{Condition, ConditionStep, Expr, FailStep, Pipeline, StepOptions, TrainingStep};
use sagemaker_fake::jobs::{Kind, ended};
use sagemaker_fake::testing::FakeAws;
use sagemaker_fake::{Fake, engine, s3};

use crate::account::{BUCKET, ROLE, SHELL, patiently, programs};
use crate::clients::{REGION, sagemaker, said};

async fn start() -> (FakeAws, aws_sdk_sagemaker::Client) {
    let aws = FakeAws::start_with(Fake::builder().programs(programs())).await;
    s3::create_bucket(aws.fake(), BUCKET, REGION, aws.fake().account()).unwrap();
    let client = sagemaker(&aws);
    (aws, client)
}

#[tokio::test]
async fn an_execution_from_start_to_end() {
    let (aws, client) = start().await;
    let train = TrainingStep::new("Train", SHELL, ROLE, format!("s3://{BUCKET}/models"))
        .arguments(["echo loss=0.5; echo m > $STSMM_OPT_ML/model/m"])
        .display_name("Fit");
    let gate = ConditionStep::new("Gate")
        .condition(Condition::equals(Expr::parameter("Verdict"), "good"))
        .else_step(FailStep::new("Fail", "not good"))
        .depends_on(["Train"]);
    let definition = Pipeline::new()
        .parameter(pipeline_definition::Parameter::string("Verdict").with_default("good"))
        .step(train)
        .step(gate);
    let definition = definition.build().to_json();
    client.create_pipeline().pipeline_name("p").role_arn(ROLE).pipeline_definition(&definition).send().await.unwrap();

    let verdict = Parameter::builder().name("Verdict").value("bad").build();
    let started =
        client.start_pipeline_execution().pipeline_name("p").pipeline_parameters(verdict).send().await.unwrap();
    let arn = started.pipeline_execution_arn().unwrap();
    patiently(engine::settled(aws.fake(), arn)).await.unwrap();

    let described = client.describe_pipeline_execution().pipeline_execution_arn(arn).send().await.unwrap();
    assert_eq!(described.pipeline_execution_status(), Some(&PipelineExecutionStatus::Failed));
    assert_eq!(described.failure_reason(), Some("Step failure: One or multiple steps failed."));
    let (name, created) = (described.pipeline_execution_display_name().unwrap(), described.creation_time().unwrap());
    assert_eq!(name, format!("execution-{:.0}", created.as_secs_f64() * 1000.0));

    let pages = client
        .list_pipeline_execution_steps()
        .pipeline_execution_arn(arn)
        .max_results(1)
        .into_paginator()
        .items()
        .send();
    let steps = pages.try_collect().await.unwrap();
    let rows: Vec<_> =
        steps.iter().map(|step| (step.step_name().unwrap(), step.step_status().unwrap().clone())).collect();
    assert_eq!(rows, [("Fail", StepStatus::Failed), ("Gate", StepStatus::Succeeded), ("Train", StepStatus::Succeeded)]);
    assert_eq!(steps[0].failure_reason(), Some("not good"));
    assert_eq!(steps[2].step_display_name(), Some("Fit"));
    let job = steps[2].metadata().unwrap().training_job().unwrap().arn().unwrap();
    let job = client.describe_training_job().training_job_name(job.rsplit('/').next().unwrap()).send().await.unwrap();
    assert_eq!(job.training_job_status(), Some(&TrainingJobStatus::Completed));

    let parameters = client.list_pipeline_parameters_for_execution().pipeline_execution_arn(arn).send().await.unwrap();
    assert_eq!(
        (parameters.pipeline_parameters()[0].name(), parameters.pipeline_parameters()[0].value()),
        (Some("Verdict"), Some("bad"))
    );
    let kept = client.describe_pipeline_definition_for_execution().pipeline_execution_arn(arn).send().await.unwrap();
    assert_eq!(kept.pipeline_definition(), Some(definition.as_str()));
    let listed = client.list_pipeline_executions().pipeline_name("p").send().await.unwrap();
    assert_eq!(listed.pipeline_execution_summaries()[0].pipeline_execution_arn(), Some(arn));
    let (code, _) = said(client.stop_pipeline_execution().pipeline_execution_arn(arn).send().await);
    assert_eq!(code, "ValidationException");
    let (code, message) =
        said(client.describe_pipeline_execution().pipeline_execution_arn(format!("{arn}x")).send().await);
    assert_eq!((code.as_str(), message), ("ResourceNotFound", format!("Pipeline execution '{arn}x' does not exist.")));
}

#[tokio::test]
async fn jobs_from_start_to_end() {
    let (aws, client) = start().await;
    let cluster = ProcessingClusterConfig::builder()
        .instance_count(1)
        .instance_type(ProcessingInstanceType::MlM5Large)
        .volume_size_in_gb(1);
    let created = client
        .create_processing_job()
        .processing_job_name("prepare")
        .role_arn(ROLE)
        .app_specification(
            AppSpecification::builder()
                .image_uri(SHELL)
                .container_arguments("echo no > $STSMM_OPT_ML/output/message; exit 1")
                .build(),
        )
        .processing_resources(ProcessingResources::builder().cluster_config(cluster.build()).build())
        .send();
    let arn = created.await.unwrap().processing_job_arn.unwrap();
    patiently(ended(aws.fake(), REGION, Kind::ProcessingJob, "prepare")).await.unwrap();
    let job = client.describe_processing_job().processing_job_name("prepare").send().await.unwrap();
    assert_eq!(
        (job.processing_job_status(), job.processing_job_arn()),
        (Some(&ProcessingJobStatus::Failed), Some(arn.as_str()))
    );
    assert_eq!(job.exit_message(), Some("no\n"));
    assert!(job.processing_end_time().unwrap() >= job.processing_start_time().unwrap());
    let listed = client.list_processing_jobs().send().await.unwrap();
    assert_eq!(
        listed.processing_job_summaries()[0].failure_reason(),
        Some("AlgorithmError: See job logs for more information")
    );

    client
        .create_training_job()
        .training_job_name("fit")
        .role_arn(ROLE)
        .algorithm_specification(
            AlgorithmSpecification::builder()
                .training_image(SHELL)
                .training_input_mode(TrainingInputMode::File)
                .container_arguments("echo m > $STSMM_OPT_ML/model/m")
                .build(),
        )
        .output_data_config(OutputDataConfig::builder().s3_output_path(format!("s3://{BUCKET}/models")).build())
        .resource_config(
            ResourceConfig::builder()
                .instance_count(1)
                .instance_type(TrainingInstanceType::MlM5Large)
                .volume_size_in_gb(1)
                .build(),
        )
        .stopping_condition(StoppingCondition::builder().max_runtime_in_seconds(60).build())
        .send()
        .await
        .unwrap();
    patiently(ended(aws.fake(), REGION, Kind::TrainingJob, "fit")).await.unwrap();
    let job = client.describe_training_job().training_job_name("fit").send().await.unwrap();
    assert_eq!(
        (job.training_job_status(), job.secondary_status()),
        (Some(&TrainingJobStatus::Completed), Some(&SecondaryStatus::Completed))
    );
    assert_eq!(
        job.model_artifacts().unwrap().s3_model_artifacts(),
        Some(format!("s3://{BUCKET}/models/fit/output/model.tar.gz").as_str())
    );
    assert_eq!(job.secondary_status_transitions().len(), 5);
    let listed = client.list_training_jobs().send().await.unwrap();
    assert_eq!(listed.training_job_summaries()[0].training_job_name(), Some("fit"));
    let (code, message) = said(client.stop_training_job().training_job_name("fit").send().await);
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("ValidationException", "The request was rejected because the training job is in status Completed.")
    );
    let tags = client.list_tags().resource_arn(arn).send().await.unwrap();
    assert!(tags.tags().is_empty());
}
