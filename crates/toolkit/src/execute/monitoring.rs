//! The monitor: baseline jobs, definitions, schedules.

use aws_sdk_sagemaker::types::{
    AppSpecification, EndpointInput, ModelQualityAppSpecification, ModelQualityBaselineConfig, ModelQualityJobInput,
    MonitoringClusterConfig, MonitoringConstraintsResource, MonitoringGroundTruthS3Input, MonitoringNetworkConfig,
    MonitoringOutput, MonitoringOutputConfig, MonitoringProblemType, MonitoringResources, MonitoringS3Output,
    MonitoringScheduleConfig, MonitoringStoppingCondition, MonitoringType, NetworkConfig, ProcessingClusterConfig,
    ProcessingInput, ProcessingInstanceType, ProcessingOutput, ProcessingOutputConfig, ProcessingResources,
    ProcessingS3DataType, ProcessingS3Input, ProcessingS3InputMode, ProcessingS3Output, ProcessingS3UploadMode,
    ProcessingStoppingCondition, ScheduleConfig, VpcConfig,
};

use super::serving::{is_there, unless_gone, unless_there};
use super::{Executor, sagemaker_tags};
use crate::aws::errors::describe;
use crate::error::Failure;
use crate::plan::{NewBaselineJob, NewQualityDefinition, NewSchedule, Resources, When};
use crate::settings::Network;

/// Two jobs of an hourly execution have to be done within the hour.
const MOST_SECONDS: i32 = 1800;

/// Room for captured traffic, in gigabytes.
const VOLUME_GB: i32 = 20;

const DATASET: &str = "/opt/ml/processing/input/baseline_dataset_input";
const INPUT: &str = "/opt/ml/processing/input_data";
const OUTPUT: &str = "/opt/ml/processing/output";

/// The columns of what the endpoint answers.
const PREDICTION: &str = "0";
const PROBABILITY: &str = "1";

impl Executor<'_> {
    pub(super) async fn create_baseline_job(&self, job: &NewBaselineJob) -> Result<(), Failure> {
        let NewBaselineJob { name, image, on, dataset, output } = job;
        let input = ProcessingS3Input::builder()
            .s3_uri(dataset)
            .local_path(DATASET)
            .s3_data_type(ProcessingS3DataType::S3Prefix)
            .s3_input_mode(ProcessingS3InputMode::File)
            .build();
        let output = ProcessingS3Output::builder()
            .s3_uri(output)
            .local_path(OUTPUT)
            .s3_upload_mode(ProcessingS3UploadMode::EndOfJob)
            .build();
        let output = ProcessingOutput::builder().output_name("monitoring_output").s3_output(output).build();
        let outputs = ProcessingOutputConfig::builder().outputs(output).set_kms_key_id(on.kms_key.clone()).build();
        let cluster = ProcessingClusterConfig::builder()
            .instance_type(ProcessingInstanceType::from(on.instance_type.as_str()))
            .instance_count(1)
            .volume_size_in_gb(VOLUME_GB)
            .set_volume_kms_key_id(on.kms_key.clone())
            .build();
        let environment = [
            ("analysis_type", "MODEL_QUALITY"),
            ("problem_type", "BinaryClassification"),
            ("dataset_format", r#"{"csv": {"header": true, "output_columns_position": "START"}}"#),
            ("dataset_source", DATASET),
            ("output_path", OUTPUT),
            ("inference_attribute", "prediction"),
            ("probability_attribute", "probability"),
            ("ground_truth_attribute", "label"),
            ("publish_cloudwatch_metrics", "Disabled"),
        ];
        let made = self.clients.sagemaker.create_processing_job().processing_job_name(name).role_arn(&on.role);
        let made = made
            .app_specification(AppSpecification::builder().image_uri(image).build())
            .processing_inputs(ProcessingInput::builder().input_name("baseline_dataset_input").s3_input(input).build())
            .processing_output_config(outputs)
            .processing_resources(ProcessingResources::builder().cluster_config(cluster).build())
            .stopping_condition(ProcessingStoppingCondition::builder().max_runtime_in_seconds(MOST_SECONDS).build())
            .set_environment(Some(environment.map(|(key, value)| (key.to_owned(), value.to_owned())).into()))
            .set_network_config(
                on.network.as_ref().map(|network| NetworkConfig::builder().vpc_config(vpc(network)).build()),
            )
            .set_tags(Some(sagemaker_tags(&on.tags)));
        unless_there("CreateProcessingJob", made.send().await)
    }

    pub(super) async fn create_quality_definition(&self, definition: &NewQualityDefinition) -> Result<(), Failure> {
        let NewQualityDefinition { name, image, on, endpoint, ground_truth, constraints, output } = definition;
        let Resources { role, instance_type, kms_key, network, tags } = on;
        let app = ModelQualityAppSpecification::builder()
            .image_uri(image)
            .problem_type(MonitoringProblemType::BinaryClassification)
            .environment("publish_cloudwatch_metrics", "Enabled")
            .build();
        let captured = EndpointInput::builder()
            .endpoint_name(endpoint)
            .local_path(INPUT)
            .inference_attribute(PREDICTION)
            .probability_attribute(PROBABILITY)
            .build();
        let labels = MonitoringGroundTruthS3Input::builder().s3_uri(ground_truth).build();
        let input = ModelQualityJobInput::builder().endpoint_input(captured).ground_truth_s3_input(labels).build();
        let output = MonitoringS3Output::builder()
            .s3_uri(output)
            .local_path(OUTPUT)
            .s3_upload_mode(ProcessingS3UploadMode::EndOfJob)
            .build();
        let output = MonitoringOutput::builder().s3_output(output).build();
        let outputs =
            MonitoringOutputConfig::builder().monitoring_outputs(output).set_kms_key_id(kms_key.clone()).build();
        let cluster = MonitoringClusterConfig::builder()
            .instance_type(ProcessingInstanceType::from(instance_type.as_str()))
            .instance_count(1)
            .volume_size_in_gb(VOLUME_GB)
            .set_volume_kms_key_id(kms_key.clone())
            .build();
        let baseline = MonitoringConstraintsResource::builder().s3_uri(constraints).build();
        let made =
            self.clients.sagemaker.create_model_quality_job_definition().job_definition_name(name).role_arn(role);
        let made = made
            .model_quality_app_specification(app)
            .model_quality_job_input(input)
            .model_quality_job_output_config(outputs)
            .model_quality_baseline_config(ModelQualityBaselineConfig::builder().constraints_resource(baseline).build())
            .job_resources(MonitoringResources::builder().cluster_config(cluster).build())
            .stopping_condition(MonitoringStoppingCondition::builder().max_runtime_in_seconds(MOST_SECONDS).build())
            .set_network_config(
                network.as_ref().map(|network| MonitoringNetworkConfig::builder().vpc_config(vpc(network)).build()),
            )
            .set_tags(Some(sagemaker_tags(tags)));
        unless_there("CreateModelQualityJobDefinition", made.send().await)
    }

    pub(super) async fn create_schedule(&self, schedule: &NewSchedule) -> Result<(), Failure> {
        let made = self.clients.sagemaker.create_monitoring_schedule().monitoring_schedule_name(&schedule.name);
        let made = made.monitoring_schedule_config(config(schedule)).set_tags(Some(sagemaker_tags(&schedule.tags)));
        match made.send().await {
            // It was sent again because the answer was lost.
            Err(error) if is_there(&error) && self.has_schedule(schedule).await => Ok(()),
            made => made.map(drop).map_err(|error| describe("CreateMonitoringSchedule", error)),
        }
    }

    /// Whether there is this very schedule.
    async fn has_schedule(&self, schedule: &NewSchedule) -> bool {
        let found =
            self.clients.sagemaker.describe_monitoring_schedule().monitoring_schedule_name(&schedule.name).send().await;
        let config = found.ok().and_then(|found| found.monitoring_schedule_config);
        config.is_some_and(|config| config.monitoring_job_definition_name() == Some(&schedule.definition))
    }

    pub(super) async fn update_schedule(&self, schedule: &NewSchedule) -> Result<(), Failure> {
        let done = self.clients.sagemaker.update_monitoring_schedule().monitoring_schedule_name(&schedule.name);
        let done = done.monitoring_schedule_config(config(schedule)).send().await;
        done.map(drop).map_err(|error| describe("UpdateMonitoringSchedule", error))
    }

    pub(super) async fn start_schedule(&self, name: &str) -> Result<(), Failure> {
        let done = self.clients.sagemaker.start_monitoring_schedule().monitoring_schedule_name(name).send().await;
        done.map(drop).map_err(|error| describe("StartMonitoringSchedule", error))
    }

    pub(super) async fn stop_schedule(&self, name: &str) -> Result<(), Failure> {
        let done = self.clients.sagemaker.stop_monitoring_schedule().monitoring_schedule_name(name).send().await;
        done.map(drop).map_err(|error| describe("StopMonitoringSchedule", error))
    }

    pub(super) async fn delete_schedule(&self, name: &str) -> Result<(), Failure> {
        let done = self.clients.sagemaker.delete_monitoring_schedule().monitoring_schedule_name(name).send().await;
        unless_gone("DeleteMonitoringSchedule", done)
    }

    pub(super) async fn delete_quality_definition(&self, name: &str) -> Result<(), Failure> {
        let done = self.clients.sagemaker.delete_model_quality_job_definition().job_definition_name(name).send().await;
        unless_gone("DeleteModelQualityJobDefinition", done)
    }
}

fn config(schedule: &NewSchedule) -> MonitoringScheduleConfig {
    let when = ScheduleConfig::builder();
    let when = match schedule.when {
        When::Hourly => when.schedule_expression("cron(0 * ? * * *)"),
        When::Once { hours } => when
            .schedule_expression("NOW")
            .data_analysis_start_time(format!("-PT{hours}H"))
            .data_analysis_end_time("-PT0H"),
    };
    MonitoringScheduleConfig::builder()
        .schedule_config(when.build())
        .monitoring_job_definition_name(&schedule.definition)
        .monitoring_type(MonitoringType::ModelQuality)
        .build()
}

fn vpc(network: &Network) -> VpcConfig {
    VpcConfig::builder()
        .set_subnets(Some(network.subnets.clone()))
        .set_security_group_ids(Some(network.security_groups.clone()))
        .build()
}
