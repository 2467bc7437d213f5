//! Monitoring schedules and the definitions that they run.

use std::time::Duration;

use anyhow::{Context, ensure};
use aws_sdk_sagemaker::types::{
    EndpointInput, ModelQualityAppSpecification, ModelQualityJobInput, MonitoringClusterConfig,
    MonitoringGroundTruthS3Input, MonitoringOutput, MonitoringOutputConfig, MonitoringProblemType, MonitoringResources,
    MonitoringS3Output, MonitoringScheduleConfig, MonitoringStoppingCondition, MonitoringType, ProcessingInstanceType,
    ScheduleConfig, ScheduleStatus,
};

use super::endpoints;
use crate::World;
use crate::case::Cost::{Free, Hours};
use crate::case::cases;
use crate::made::Made;
use crate::refusal::refused;

cases! { "monitoring":
    definitions_from_creation_to_deletion (Free) ["sagemaker:CreateModelQualityJobDefinition",
        "sagemaker:DescribeModelQualityJobDefinition", "sagemaker:ListModelQualityJobDefinitions",
        "sagemaker:DeleteModelQualityJobDefinition"];
    a_schedule_fires_and_is_steered (Hours(30)) ["sagemaker:CreateMonitoringSchedule", "sagemaker:DescribeMonitoringSchedule",
        "sagemaker:UpdateMonitoringSchedule", "sagemaker:StopMonitoringSchedule", "sagemaker:StartMonitoringSchedule",
        "sagemaker:ListMonitoringSchedules", "sagemaker:ListMonitoringExecutions", "sagemaker:DeleteMonitoringSchedule",
        "sagemaker:DeleteModelQualityJobDefinition"];
    what_is_missing_is_not_found (Free) ["sagemaker:DescribeMonitoringSchedule", "sagemaker:StartMonitoringSchedule",
        "sagemaker:StopMonitoringSchedule", "sagemaker:DeleteMonitoringSchedule",
        "sagemaker:DescribeModelQualityJobDefinition", "sagemaker:DeleteModelQualityJobDefinition"];
}

/// The registry of Model Monitor's images, per region: the few regions that the suite is expected in.
fn analyzer(region: &str) -> anyhow::Result<String> {
    let account = match region {
        "eu-west-1" => "468650794304",
        "us-east-1" => "156813124566",
        "us-east-2" => "777275614652",
        "us-west-2" => "159807026194",
        "eu-central-1" => "048819808253",
        _ => anyhow::bail!("this case does not know the registry of Model Monitor in {region}"),
    };
    Ok(format!("{account}.dkr.ecr.{region}.amazonaws.com/sagemaker-model-monitor-analyzer"))
}

/// Makes a definition that watches an endpoint: its name.
async fn definition(world: &World, endpoint: &str) -> anyhow::Result<String> {
    let name = world.name("Definition");
    world.will_make(Made::Definition(name.clone()));
    let application = ModelQualityAppSpecification::builder()
        .image_uri(analyzer(&world.account.region)?)
        .problem_type(MonitoringProblemType::BinaryClassification)
        .build();
    let watched = EndpointInput::builder()
        .endpoint_name(endpoint)
        .local_path("/opt/ml/processing/input_data")
        .inference_attribute("0")
        .probability_attribute("1")
        .build();
    let truth = MonitoringGroundTruthS3Input::builder().s3_uri(world.output("labels")).build();
    let s3 =
        MonitoringS3Output::builder().s3_uri(world.output("results")).local_path("/opt/ml/processing/output").build();
    let outputs =
        MonitoringOutputConfig::builder().monitoring_outputs(MonitoringOutput::builder().s3_output(s3).build());
    let cluster = MonitoringClusterConfig::builder()
        .instance_count(1)
        .instance_type(ProcessingInstanceType::MlM5Large)
        .volume_size_in_gb(1)
        .build();
    let create = world.clients.sagemaker.create_model_quality_job_definition().job_definition_name(&name);
    let create = create
        .model_quality_app_specification(application)
        .model_quality_job_input(
            ModelQualityJobInput::builder().endpoint_input(watched).ground_truth_s3_input(truth).build(),
        )
        .model_quality_job_output_config(outputs.build())
        .job_resources(MonitoringResources::builder().cluster_config(cluster).build())
        .role_arn(&world.account.role)
        .stopping_condition(MonitoringStoppingCondition::builder().max_runtime_in_seconds(1800).build());
    let made = create.tags(world.tag()).send().await?;
    let arn = world.arn(&format!("model-quality-job-definition/{}", name.to_lowercase()));
    ensure!(made.job_definition_arn() == Some(&arn), "{made:?}");
    Ok(name)
}

async fn definitions_from_creation_to_deletion(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let name = definition(world, "some-endpoint").await?;
    let found = sagemaker.describe_model_quality_job_definition().job_definition_name(&name).send().await?;
    ensure!(found.job_definition_name() == Some(&name) && found.creation_time().is_some(), "{found:?}");
    let watched = found.model_quality_job_input().and_then(|it| it.endpoint_input()).context("what it watches")?;
    ensure!(watched.endpoint_name() == Some("some-endpoint"));
    ensure!(watched.s3_input_mode().is_some_and(|mode| mode.as_str() == "File"), "its defaults are filled in");
    let listed = sagemaker.list_model_quality_job_definitions().name_contains(&name).send().await?;
    ensure!(listed.job_definition_summaries().len() == 1, "{listed:?}");
    sagemaker.delete_model_quality_job_definition().job_definition_name(&name).send().await?;
    let gone = sagemaker.describe_model_quality_job_definition().job_definition_name(&name).send().await;
    refused(gone, "ResourceNotFound", "")
}

fn config(definition: &str, expression: &str) -> MonitoringScheduleConfig {
    MonitoringScheduleConfig::builder()
        .schedule_config(ScheduleConfig::builder().schedule_expression(expression).build())
        .monitoring_job_definition_name(definition)
        .monitoring_type(MonitoringType::ModelQuality)
        .build()
}

async fn settled(world: &World, schedule: &str) -> anyhow::Result<ScheduleStatus> {
    world
        .until("a schedule that is not pending", async || {
            let describe = world.clients.sagemaker.describe_monitoring_schedule().monitoring_schedule_name(schedule);
            let status = describe.send().await?.monitoring_schedule_status().cloned();
            Ok(status.filter(|status| *status != ScheduleStatus::Pending))
        })
        .await
}

async fn a_schedule_fires_and_is_steered(world: &World) -> anyhow::Result<()> {
    let sagemaker = &world.clients.sagemaker;
    let endpoint = endpoints::serving(world, Some(endpoints::capture(&world.output("capture")))).await?;
    let definition = definition(world, &endpoint).await?;
    let name = world.name("Schedule");
    world.will_make(Made::Schedule(name.clone()));
    let create = || {
        let create = sagemaker.create_monitoring_schedule().monitoring_schedule_name(&name);
        create.monitoring_schedule_config(config(&definition, "cron(0 * ? * * *)")).tags(world.tag())
    };
    let made = create().send().await?;
    let arn = world.arn(&format!("monitoring-schedule/{}", name.to_lowercase()));
    ensure!(made.monitoring_schedule_arn() == Some(&arn), "{made:?}");
    refused(create().send().await, "ResourceInUse", "")?;
    ensure!(settled(world, &name).await? == ScheduleStatus::Scheduled);
    let locked = sagemaker.delete_model_quality_job_definition().job_definition_name(&definition).send().await;
    ensure!(locked.is_err(), "a definition is locked by its schedule");

    // Nothing was asked of the endpoint: the hour has nothing to analyse, and says so.
    world.pass(Duration::from_secs(2 * 3600)).await?;
    let reason = world
        .until("an execution that has ended", async || {
            let listed = sagemaker.list_monitoring_executions().monitoring_schedule_name(&name).send().await?;
            let ended = listed.monitoring_execution_summaries().iter().find(|it| it.failure_reason().is_some());
            Ok(ended.and_then(|it| it.failure_reason().map(str::to_owned)))
        })
        .await?;
    ensure!(reason == "Job inputs had no data", "{reason}");
    let listed = sagemaker.list_monitoring_schedules().name_contains(&name).endpoint_name(&endpoint).send().await?;
    ensure!(listed.monitoring_schedule_summaries().len() == 1, "{listed:?}");

    sagemaker.stop_monitoring_schedule().monitoring_schedule_name(&name).send().await?;
    ensure!(settled(world, &name).await? == ScheduleStatus::Stopped);
    sagemaker.start_monitoring_schedule().monitoring_schedule_name(&name).send().await?;
    ensure!(settled(world, &name).await? == ScheduleStatus::Scheduled);
    let update = sagemaker.update_monitoring_schedule().monitoring_schedule_name(&name);
    update.monitoring_schedule_config(config(&definition, "cron(0 0 ? * * *)")).send().await?;
    ensure!(settled(world, &name).await? == ScheduleStatus::Scheduled);
    world
        .until("a schedule that can be deleted", async || {
            let deleted = sagemaker.delete_monitoring_schedule().monitoring_schedule_name(&name).send().await;
            Ok(deleted.is_ok().then_some(()))
        })
        .await?;
    world
        .until("a schedule to be gone", async || {
            let found = sagemaker.describe_monitoring_schedule().monitoring_schedule_name(&name).send().await;
            Ok(found.is_err().then_some(()))
        })
        .await?;
    sagemaker.delete_model_quality_job_definition().job_definition_name(&definition).send().await?;
    Ok(())
}

async fn what_is_missing_is_not_found(world: &World) -> anyhow::Result<()> {
    let (sagemaker, name, code) = (&world.clients.sagemaker, world.name("missing"), "ResourceNotFound");
    refused(sagemaker.describe_monitoring_schedule().monitoring_schedule_name(&name).send().await, code, "")?;
    refused(sagemaker.start_monitoring_schedule().monitoring_schedule_name(&name).send().await, code, "")?;
    refused(sagemaker.stop_monitoring_schedule().monitoring_schedule_name(&name).send().await, code, "")?;
    refused(sagemaker.delete_monitoring_schedule().monitoring_schedule_name(&name).send().await, code, "")?;
    let describe = sagemaker.describe_model_quality_job_definition().job_definition_name(&name);
    refused(describe.send().await, code, "")?;
    refused(sagemaker.delete_model_quality_job_definition().job_definition_name(&name).send().await, code, "")
}
