//! The whole of it through the real SDK: two hours of a schedule, from its definition to its deletion.

use aws_sdk_sagemaker::types::{
    EndpointInput, ExecutionStatus, ModelQualityAppSpecification, ModelQualityBaselineConfig, ModelQualityJobInput,
    MonitoringClusterConfig, MonitoringConstraintsResource, MonitoringExecutionSortKey, MonitoringGroundTruthS3Input,
    MonitoringOutput, MonitoringOutputConfig, MonitoringProblemType, MonitoringResources, MonitoringS3Output,
    MonitoringScheduleConfig, MonitoringStoppingCondition, MonitoringType, ProcessingInstanceType, ProcessingJobStatus,
    ScheduleConfig, ScheduleStatus, SortOrder,
};
use sagemaker_fake::monitoring;
use sagemaker_fake::testing::FakeAws;
use time::macros::datetime;

use super::world::{ENDPOINT, HOUR, HOURLY, World, builder, constraints, drifted, healthy};
use crate::account::{Account, BUCKET, ROLE, patiently};
use crate::clients::{REGION, arn, sagemaker, said};

const QUALITY: &str = "Sdk-quality";
const SCHEDULE: &str = "Sdk-hourly";

fn config(expression: &str) -> MonitoringScheduleConfig {
    MonitoringScheduleConfig::builder()
        .schedule_config(ScheduleConfig::builder().schedule_expression(expression).build())
        .monitoring_job_definition_name(QUALITY)
        .monitoring_type(MonitoringType::ModelQuality)
        .build()
}

#[tokio::test]
async fn two_hours_of_a_schedule_from_its_definition_to_its_deletion() {
    let aws = FakeAws::start_with(builder()).await;
    let client = sagemaker(&aws);
    let world = World { account: Account::of(aws.fake().clone()) };
    world.endpoint(ENDPOINT);
    world.account.put("baseline/constraints.json", constraints(0.7));
    world.traffic(datetime!(2026-11-26 10:30 UTC), healthy);
    world.traffic(datetime!(2026-11-26 11:30 UTC), drifted);
    let settled = async || patiently(monitoring::settled(aws.fake(), REGION, SCHEDULE)).await.unwrap();

    let at = |key: &str| format!("s3://{BUCKET}/{key}");
    let baseline = MonitoringConstraintsResource::builder().s3_uri(at("baseline/constraints.json")).build();
    let input = EndpointInput::builder()
        .endpoint_name(ENDPOINT)
        .local_path("/opt/ml/processing/input_data")
        .inference_attribute("0")
        .probability_attribute("1")
        .build();
    let output = MonitoringS3Output::builder().s3_uri(at("results")).local_path("/opt/ml/processing/output").build();
    let cluster = MonitoringClusterConfig::builder()
        .instance_count(1)
        .instance_type(ProcessingInstanceType::MlM5Xlarge)
        .volume_size_in_gb(20)
        .build();
    let defined = client
        .create_model_quality_job_definition()
        .job_definition_name(QUALITY)
        .model_quality_baseline_config(ModelQualityBaselineConfig::builder().constraints_resource(baseline).build())
        .model_quality_app_specification(
            ModelQualityAppSpecification::builder()
                .image_uri("468650794304.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-model-monitor-analyzer")
                .problem_type(MonitoringProblemType::BinaryClassification)
                .build(),
        )
        .model_quality_job_input(
            ModelQualityJobInput::builder()
                .endpoint_input(input)
                .ground_truth_s3_input(MonitoringGroundTruthS3Input::builder().s3_uri(at("labels")).build())
                .build(),
        )
        .model_quality_job_output_config(
            MonitoringOutputConfig::builder()
                .monitoring_outputs(MonitoringOutput::builder().s3_output(output).build())
                .build(),
        )
        .job_resources(MonitoringResources::builder().cluster_config(cluster).build())
        .role_arn(ROLE)
        .stopping_condition(MonitoringStoppingCondition::builder().max_runtime_in_seconds(1800).build())
        .send()
        .await
        .unwrap();
    assert_eq!(defined.job_definition_arn(), Some(arn("model-quality-job-definition/sdk-quality").as_str()));
    let described = client.describe_model_quality_job_definition().job_definition_name(QUALITY).send().await.unwrap();
    assert_eq!(described.stopping_condition().unwrap().max_runtime_in_seconds(), Some(1800));
    let listed = client.list_model_quality_job_definitions().endpoint_name(ENDPOINT).send().await.unwrap();
    assert_eq!(listed.job_definition_summaries()[0].monitoring_job_definition_name(), Some(QUALITY));

    client
        .create_monitoring_schedule()
        .monitoring_schedule_name(SCHEDULE)
        .monitoring_schedule_config(config(HOURLY))
        .send()
        .await
        .unwrap();
    settled().await;
    aws.fake().advance(2 * HOUR).unwrap();
    settled().await;

    let described = client.describe_monitoring_schedule().monitoring_schedule_name(SCHEDULE).send().await.unwrap();
    assert_eq!(described.monitoring_schedule_status(), Some(&ScheduleStatus::Scheduled));
    assert_eq!(
        (described.endpoint_name(), described.monitoring_type()),
        (Some(ENDPOINT), Some(&MonitoringType::ModelQuality))
    );
    let last = described.last_monitoring_execution_summary().unwrap();
    assert_eq!(last.monitoring_execution_status(), Some(&ExecutionStatus::CompletedWithViolations));
    let name = last.processing_job_arn().unwrap().rsplit('/').next().unwrap();
    let job = client.describe_processing_job().processing_job_name(name).send().await.unwrap();
    assert_eq!(job.processing_job_status(), Some(&ProcessingJobStatus::Completed));
    assert_eq!(job.exit_message(), Some("CompletedWithViolations: Job completed successfully with 1 violations."));
    assert_eq!(job.monitoring_schedule_arn(), Some(arn("monitoring-schedule/sdk-hourly").as_str()));

    let pages = client
        .list_monitoring_executions()
        .monitoring_schedule_name(SCHEDULE)
        .sort_by(MonitoringExecutionSortKey::ScheduledTime)
        .sort_order(SortOrder::Ascending)
        .max_results(1)
        .into_paginator()
        .items()
        .send();
    let executions = pages.try_collect().await.unwrap();
    let statuses: Vec<_> =
        executions.iter().map(|execution| execution.monitoring_execution_status().unwrap().clone()).collect();
    assert_eq!(statuses, [ExecutionStatus::Completed, ExecutionStatus::CompletedWithViolations]);

    client.stop_monitoring_schedule().monitoring_schedule_name(SCHEDULE).send().await.unwrap();
    settled().await;
    let listed = client.list_monitoring_schedules().status_equals(ScheduleStatus::Stopped).send().await.unwrap();
    assert_eq!(listed.monitoring_schedule_summaries()[0].monitoring_schedule_name(), Some(SCHEDULE));
    client.start_monitoring_schedule().monitoring_schedule_name(SCHEDULE).send().await.unwrap();
    settled().await;
    let update = client
        .update_monitoring_schedule()
        .monitoring_schedule_name(SCHEDULE)
        .monitoring_schedule_config(config("cron(0 0 ? * * *)"));
    assert_eq!(
        update.send().await.unwrap().monitoring_schedule_arn(),
        Some(arn("monitoring-schedule/sdk-hourly").as_str())
    );
    settled().await;
    client.delete_monitoring_schedule().monitoring_schedule_name(SCHEDULE).send().await.unwrap();
    client.delete_model_quality_job_definition().job_definition_name(QUALITY).send().await.unwrap();
    let gone = client.describe_monitoring_schedule().monitoring_schedule_name(SCHEDULE).send().await;
    assert_eq!(said(gone).0, "ResourceNotFound");
    let gone = client.describe_model_quality_job_definition().job_definition_name(QUALITY).send().await;
    assert_eq!(said(gone).0, "ResourceNotFound");
}
