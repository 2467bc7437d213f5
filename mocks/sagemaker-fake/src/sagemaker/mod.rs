//! SageMaker: one file per resource.

mod data_quality_job_definition;
pub mod endpoint;
pub mod endpoint_config;
pub mod execution;
pub mod hyper_parameter_tuning_job;
pub mod model;
pub mod model_package;
pub mod model_package_group;
mod model_package_group_policy;
mod model_quality_job_definition;
mod monitoring_execution;
pub mod monitoring_job_definition;
pub mod monitoring_schedule;
pub mod pipeline;
mod pipeline_execution_step;
pub mod pipeline_version;
pub mod processing_job;
pub mod training_job;
pub mod transform_job;

pub mod idempotency;
mod job_list;
pub mod names;
pub mod paging;
mod selective;
pub mod tags;

use serde_json::Value;

use crate::fake::Context;
use crate::protocol::Service;
use crate::{ApiError, authorisation, pace};

/// Gives an answer those of these members that have a value: AWS leaves out what there is not.
fn set_present<const N: usize>(output: &mut Value, members: [(&str, Value); N]) {
    for (name, value) in members.into_iter().filter(|(_, value)| !value.is_null()) {
        output[name] = value;
    }
}

/// Those of these members that an answer has: lists tell less of a resource than its description does.
fn some_of<const N: usize>(description: &Value, names: [&str; N]) -> Value {
    names.into_iter().filter_map(|name| Some((name.to_owned(), description.get(name)?.clone()))).collect()
}

/// An operation: its input as JSON, its output as JSON (null if it has none).
pub type Operation = fn(&Context<'_>, &Value) -> Result<Value, ApiError>;

/// The operations that are served, by name.
const OPERATIONS: &[(&str, Operation)] = &[
    ("CreatePipeline", pipeline::create),
    ("UpdatePipeline", pipeline::update),
    ("DescribePipeline", pipeline::describe),
    ("DeletePipeline", pipeline::delete),
    ("ListPipelines", pipeline::list),
    ("UpdatePipelineVersion", pipeline_version::update),
    ("ListPipelineVersions", pipeline_version::list),
    ("CreateModelPackageGroup", model_package_group::create),
    ("DescribeModelPackageGroup", model_package_group::describe),
    ("DeleteModelPackageGroup", model_package_group::delete),
    ("ListModelPackageGroups", model_package_group::list),
    ("PutModelPackageGroupPolicy", model_package_group_policy::put),
    ("GetModelPackageGroupPolicy", model_package_group_policy::get),
    ("DeleteModelPackageGroupPolicy", model_package_group_policy::delete),
    ("CreateModelPackage", model_package::create),
    ("DescribeModelPackage", model_package::describe),
    ("UpdateModelPackage", model_package::update),
    ("DeleteModelPackage", model_package::delete),
    ("ListModelPackages", model_package::list),
    ("BatchDescribeModelPackage", model_package::batch_describe),
    ("CreateModel", model::create),
    ("DescribeModel", model::describe),
    ("DeleteModel", model::delete),
    ("ListModels", model::list),
    ("CreateEndpointConfig", endpoint_config::create),
    ("DescribeEndpointConfig", endpoint_config::describe),
    ("DeleteEndpointConfig", endpoint_config::delete),
    ("ListEndpointConfigs", endpoint_config::list),
    ("CreateEndpoint", endpoint::create),
    ("DescribeEndpoint", endpoint::describe),
    ("UpdateEndpoint", endpoint::update),
    ("UpdateEndpointWeightsAndCapacities", endpoint::update_weights_and_capacities),
    ("DeleteEndpoint", endpoint::delete),
    ("ListEndpoints", endpoint::list),
    ("StartPipelineExecution", execution::start),
    ("StopPipelineExecution", execution::stop),
    ("RetryPipelineExecution", execution::retry),
    ("UpdatePipelineExecution", execution::update),
    ("DescribePipelineExecution", execution::describe),
    ("DescribePipelineDefinitionForExecution", execution::definition),
    ("ListPipelineExecutions", execution::list),
    ("ListPipelineExecutionSteps", execution::list_steps),
    ("ListPipelineParametersForExecution", execution::list_parameters),
    ("SendPipelineExecutionStepSuccess", pipeline_execution_step::send_success),
    ("SendPipelineExecutionStepFailure", pipeline_execution_step::send_failure),
    ("CreateProcessingJob", processing_job::create),
    ("DescribeProcessingJob", processing_job::describe),
    ("StopProcessingJob", processing_job::stop),
    ("DeleteProcessingJob", processing_job::delete),
    ("ListProcessingJobs", processing_job::list),
    ("CreateTrainingJob", training_job::create),
    ("DescribeTrainingJob", training_job::describe),
    ("StopTrainingJob", training_job::stop),
    ("DeleteTrainingJob", training_job::delete),
    ("ListTrainingJobs", training_job::list),
    ("CreateHyperParameterTuningJob", hyper_parameter_tuning_job::create),
    ("DescribeHyperParameterTuningJob", hyper_parameter_tuning_job::describe),
    ("StopHyperParameterTuningJob", hyper_parameter_tuning_job::stop),
    ("DeleteHyperParameterTuningJob", hyper_parameter_tuning_job::delete),
    ("ListHyperParameterTuningJobs", hyper_parameter_tuning_job::list),
    ("ListTrainingJobsForHyperParameterTuningJob", hyper_parameter_tuning_job::list_training_jobs),
    ("CreateTransformJob", transform_job::create),
    ("DescribeTransformJob", transform_job::describe),
    ("StopTransformJob", transform_job::stop),
    ("ListTransformJobs", transform_job::list),
    ("CreateDataQualityJobDefinition", data_quality_job_definition::create),
    ("DescribeDataQualityJobDefinition", data_quality_job_definition::describe),
    ("DeleteDataQualityJobDefinition", data_quality_job_definition::delete),
    ("ListDataQualityJobDefinitions", data_quality_job_definition::list),
    ("CreateModelQualityJobDefinition", model_quality_job_definition::create),
    ("DescribeModelQualityJobDefinition", model_quality_job_definition::describe),
    ("DeleteModelQualityJobDefinition", model_quality_job_definition::delete),
    ("ListModelQualityJobDefinitions", model_quality_job_definition::list),
    ("CreateMonitoringSchedule", monitoring_schedule::create),
    ("DescribeMonitoringSchedule", monitoring_schedule::describe),
    ("UpdateMonitoringSchedule", monitoring_schedule::update),
    ("StartMonitoringSchedule", monitoring_schedule::start),
    ("StopMonitoringSchedule", monitoring_schedule::stop),
    ("DeleteMonitoringSchedule", monitoring_schedule::delete),
    ("ListMonitoringSchedules", monitoring_schedule::list),
    ("ListMonitoringExecutions", monitoring_execution::list),
    ("AddTags", tags::add_tags),
    ("ListTags", tags::list_tags),
    ("DeleteTags", tags::delete_tags),
];

/// The names of the operations that are served.
pub fn operations() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|(name, _)| *name)
}

/// Calls an operation by its name: validated, authorised, then done. Requests from outside and the steps of a pipeline
/// take this same way.
///
/// # Errors
/// Those of the operation; `UnknownOperationException` for one that is not served.
pub fn call(context: &Context<'_>, operation: &str, input: Value) -> Result<Value, ApiError> {
    let act = valid(operation, &input)?;
    authorisation::check(context, Service::SageMaker, operation, &input)?;
    let answer = act(context, &input)?;
    pace::answered(context.fake, operation, &answer);
    Ok(answer)
}

/// The same for the fake's own purposes: nobody needs to allow these.
pub(crate) fn perform(context: &Context<'_>, operation: &str, input: Value) -> Result<Value, ApiError> {
    valid(operation, &input)?(context, &input)
}

/// The operation of this name, if the input has the shape that it takes.
fn valid(operation: &str, input: &Value) -> Result<Operation, ApiError> {
    let Some((_, act)) = OPERATIONS.iter().find(|(name, _)| *name == operation) else {
        return Err(ApiError::new(
            "UnknownOperationException",
            format!("SageMaker.{operation} is not served by this fake"),
        ));
    };
    Service::SageMaker.api().check_input(operation, input, "ValidationException")?;
    Ok(*act)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_that_is_served_has_its_constraints() {
        for (name, _) in OPERATIONS {
            assert!(
                Service::SageMaker.api().operation(name).is_some(),
                "{name} is not in the table: add it to api-constraints"
            );
        }
    }
}
