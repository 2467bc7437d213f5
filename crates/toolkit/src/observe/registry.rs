//! The pipeline, its executions, and the model registry.

use std::collections::BTreeMap;

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::error::ProvideErrorMetadata;
use aws_sdk_sagemaker::operation::describe_processing_job::DescribeProcessingJobOutput;
use aws_sdk_sagemaker::types::{ModelApprovalStatus, ProcessingOutput, SortOrder, SortPipelineExecutionsBy};

use super::Seen;
use crate::aws::errors::describe;
use crate::error::Failure;

/// The deployed pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// Its ARN.
    pub arn: String,
    /// The definition, as text.
    pub definition: String,
    /// The role it passes to its steps.
    pub role: String,
    /// Its tags, all pages of them.
    pub tags: BTreeMap<String, String>,
}

/// The model package group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageGroup {
    /// Its ARN.
    pub arn: String,
}

/// A version of the deployed pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineVersion {
    /// Its number, from 1.
    pub version: i64,
    /// When it was made, in seconds since 1970.
    pub created: f64,
    /// Its name for people, if it was given one.
    pub display_name: Option<String>,
    /// What it is for, if that was said.
    pub description: Option<String>,
    /// The ARN of the execution that was started last, if there is one.
    pub last_execution: Option<String>,
}

/// Looks at the pipeline, with its latest definition or that of a version, and its tags.
///
/// # Errors
/// When a call is refused for another reason than that there is no such pipeline or version.
pub async fn pipeline(sagemaker: &Client, name: &str, version: Option<i64>) -> Result<Seen<Pipeline>, Failure> {
    let described = sagemaker.describe_pipeline().pipeline_name(name).set_pipeline_version_id(version);
    let pipeline = match described.send().await {
        Ok(pipeline) => pipeline,
        Err(error) if is_absent(error.code(), error.message()) => return Ok(Seen::Absent),
        Err(error) => return Err(describe("DescribePipeline", error)),
    };
    let arn = pipeline.pipeline_arn.unwrap_or_default();
    let tags = tags(sagemaker, &arn).await?;
    Ok(Seen::Present(Pipeline {
        arn,
        definition: pipeline.pipeline_definition.unwrap_or_default(),
        role: pipeline.role_arn.unwrap_or_default(),
        tags,
    }))
}

/// The newest versions of the pipeline, newest first, at most `many` (up to 100), and whether there are more; none if
/// there is no pipeline.
///
/// # Errors
/// When the call is refused for another reason than that there is no such pipeline.
pub async fn versions(
    sagemaker: &Client,
    pipeline: &str,
    many: i32,
) -> Result<Option<(Vec<PipelineVersion>, bool)>, Failure> {
    let listed = sagemaker.list_pipeline_versions().pipeline_name(pipeline).sort_order(SortOrder::Descending);
    let listed = match listed.max_results(many).send().await {
        Ok(listed) => listed,
        Err(error) if is_absent(error.code(), error.message()) => return Ok(None),
        Err(error) => return Err(describe("ListPipelineVersions", error)),
    };
    let more = listed.next_token.is_some();
    let versions = listed.pipeline_version_summaries.unwrap_or_default().into_iter().map(|summary| PipelineVersion {
        version: summary.pipeline_version_id.unwrap_or_default(),
        created: summary.creation_time.map(|time| time.as_secs_f64()).unwrap_or_default(),
        display_name: summary.pipeline_version_display_name,
        description: summary.pipeline_version_description,
        last_execution: summary.last_execution_pipeline_execution_arn,
    });
    Ok(Some((versions.collect(), more)))
}

/// The status of an execution: `Executing`, `Stopping`, `Stopped`, `Failed`, `Succeeded`.
///
/// # Errors
/// When the call is refused.
pub async fn execution_status(sagemaker: &Client, execution: &str) -> Result<Option<String>, Failure> {
    let described = sagemaker.describe_pipeline_execution().pipeline_execution_arn(execution).send().await;
    let described = described.map_err(|error| describe("DescribePipelineExecution", error))?;
    Ok(described.pipeline_execution_status.map(|status| status.as_str().to_owned()))
}

/// Looks at the model package group.
///
/// # Errors
/// When the call is refused for another reason than that there is no such group.
pub async fn package_group(sagemaker: &Client, name: &str) -> Result<Seen<PackageGroup>, Failure> {
    match sagemaker.describe_model_package_group().model_package_group_name(name).send().await {
        Ok(group) => Ok(Seen::Present(PackageGroup { arn: group.model_package_group_arn.unwrap_or_default() })),
        Err(error) if is_absent(error.code(), error.message()) => Ok(Seen::Absent),
        Err(error) => Err(describe("DescribeModelPackageGroup", error)),
    }
}

/// The ARNs of the pipeline's newest executions, newest first, at most `many` (up to 100); none if there is no pipeline.
///
/// # Errors
/// When the call is refused for another reason than that there is no such pipeline.
pub async fn latest_executions(sagemaker: &Client, pipeline: &str, many: i32) -> Result<Vec<String>, Failure> {
    let listed = sagemaker.list_pipeline_executions().pipeline_name(pipeline);
    let listed = listed.sort_by(SortPipelineExecutionsBy::CreationTime).sort_order(SortOrder::Descending);
    match listed.max_results(many).send().await {
        Ok(listed) => {
            let summaries = listed.pipeline_execution_summaries.unwrap_or_default();
            Ok(summaries.into_iter().filter_map(|summary| summary.pipeline_execution_arn).collect())
        }
        Err(error) if is_absent(error.code(), error.message()) => Ok(Vec::new()),
        Err(error) => Err(describe("ListPipelineExecutions", error)),
    }
}

/// The parameters of an execution, defaults included, all pages of them.
///
/// # Errors
/// When the call is refused.
pub async fn parameters(sagemaker: &Client, execution: &str) -> Result<Vec<(String, String)>, Failure> {
    let listed = sagemaker.list_pipeline_parameters_for_execution().pipeline_execution_arn(execution);
    let mut pages = listed.into_paginator().send();
    let mut parameters = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe("ListPipelineParametersForExecution", error))?;
        parameters
            .extend(page.pipeline_parameters.unwrap_or_default().into_iter().filter_map(|it| it.name.zip(it.value)));
    }
    Ok(parameters)
}

/// The approval status of a registered package.
///
/// # Errors
/// When the call is refused.
pub async fn approval_status(sagemaker: &Client, package: &str) -> Result<String, Failure> {
    let package = sagemaker.describe_model_package().model_package_name(package).send().await;
    let package = package.map_err(|error| describe("DescribeModelPackage", error))?;
    Ok(package.model_approval_status().map_or("unknown", ModelApprovalStatus::as_str).to_owned())
}

/// What a processing job's program left as its exit message.
///
/// # Errors
/// When the call is refused.
pub async fn exit_message(sagemaker: &Client, job: &str) -> Result<Option<String>, Failure> {
    Ok(processing_job(sagemaker, job).await?.exit_message)
}

/// The outputs of a processing job: name and S3 URI.
///
/// # Errors
/// When the call is refused.
pub async fn outputs_of(sagemaker: &Client, job: &str) -> Result<Vec<(String, String)>, Failure> {
    let outputs = processing_job(sagemaker, job).await?.processing_output_config.and_then(|config| config.outputs);
    let place = |output: ProcessingOutput| output.output_name.zip(output.s3_output.and_then(|it| it.s3_uri));
    Ok(outputs.unwrap_or_default().into_iter().filter_map(place).collect())
}

/// The S3 URI of the model that a training job has made.
///
/// # Errors
/// When the call is refused.
pub async fn model_of(sagemaker: &Client, job: &str) -> Result<Option<String>, Failure> {
    let name = job.rsplit('/').next().unwrap_or(job);
    let job = sagemaker.describe_training_job().training_job_name(name).send().await;
    let job = job.map_err(|error| describe("DescribeTrainingJob", error))?;
    Ok(job.model_artifacts.and_then(|artifacts| artifacts.s3_model_artifacts))
}

async fn processing_job(sagemaker: &Client, job: &str) -> Result<DescribeProcessingJobOutput, Failure> {
    let name = job.rsplit('/').next().unwrap_or(job);
    let job = sagemaker.describe_processing_job().processing_job_name(name).send().await;
    job.map_err(|error| describe("DescribeProcessingJob", error))
}

/// The tags of a thing of SageMaker's, all pages of them.
///
/// # Errors
/// When the call is refused.
pub async fn tags(sagemaker: &Client, arn: &str) -> Result<BTreeMap<String, String>, Failure> {
    let mut tags = BTreeMap::new();
    let mut pages = sagemaker.list_tags().resource_arn(arn).into_paginator().send();
    while let Some(page) = pages.next().await {
        for tag in page.map_err(|error| describe("ListTags", error))?.tags.unwrap_or_default() {
            tags.extend(tag.key.zip(tag.value));
        }
    }
    Ok(tags)
}

/// SageMaker says `ResourceNotFound` of pipelines and schedules, and of everything else `ValidationException` with a
/// sentence.
pub(crate) fn is_absent(code: Option<&str>, message: Option<&str>) -> bool {
    match code {
        Some("ResourceNotFound" | "ResourceNotFoundException") => true,
        Some("ValidationException") => {
            message.is_some_and(|message| message.contains("does not exist") || message.contains("Could not find"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_is_told_from_refused() {
        assert!(is_absent(Some("ResourceNotFound"), None));
        assert!(is_absent(Some("ValidationException"), Some("ModelPackageGroup arn:... does not exist.")));
        assert!(is_absent(Some("ValidationException"), Some("Could not find endpoint \"arn:...\".")));
        assert!(!is_absent(Some("ValidationException"), Some("1 validation error detected")));
        assert!(!is_absent(Some("AccessDeniedException"), Some("does not exist")));
        assert!(!is_absent(None, None));
    }
}
