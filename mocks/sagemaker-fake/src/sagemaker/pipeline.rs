//! Pipelines: definitions with a name and a role.

use std::io::Read;

use pipeline_definition::{Definition, Graph};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::names::{self, UserContext};
use super::paging::{self, Order, SortKey};
use super::{execution, idempotency, pipeline_version, tags};
use crate::authorisation::could_not_assume;
use crate::clock::Timestamp;
use crate::fake::Context;
use crate::store::{Record, Records};
use crate::{ApiError, iam, s3};

/// The longest definition, in bytes.
const LONGEST_DEFINITION: u64 = 1_048_576;

/// A pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Its region.
    pub region: String,
    /// Its name, in the case it was given in.
    pub name: String,
    /// `arn:aws:sagemaker:REGION:ACCOUNT:pipeline/NAME`.
    pub arn: String,
    /// Its name for people; the name itself unless given.
    pub display_name: String,
    /// The latest of its versions, which has the definition.
    pub version: u64,
    /// What it is for.
    pub description: Option<String>,
    /// The role that its executions assume.
    pub role_arn: String,
    /// How many steps may run at once, if that is limited.
    pub max_parallel_execution_steps: Option<u32>,
    /// When it was made.
    pub created: Timestamp,
    /// By whom.
    pub created_by: UserContext,
    /// When it was last changed.
    pub modified: Timestamp,
    /// By whom.
    pub modified_by: UserContext,
    /// When its last execution was started.
    pub last_run: Option<Timestamp>,
}

impl Record for Pipeline {
    const KIND: &'static str = "pipeline";
    fn key(&self) -> String {
        names::key(&self.region, &self.name)
    }
}

/// The pipeline of this name or ARN.
///
/// # Errors
/// `ResourceNotFound`.
pub fn existing(records: &impl Records, context: &Context<'_>, name_or_arn: &str) -> Result<Pipeline, ApiError> {
    let found = match names::plain(context, "pipeline", name_or_arn) {
        Some(name) => records.get(&names::key(context.region, name))?,
        None => None,
    };
    found.ok_or_else(|| {
        let arn = if name_or_arn.starts_with("arn:") {
            name_or_arn.to_owned()
        } else {
            context.sagemaker_arn(&format!("pipeline/{name_or_arn}"))
        };
        ApiError::not_found(format!("Pipeline '{arn}' does not exist."))
    })
}

/// Whether a role can be assumed by SageMaker.
///
/// # Errors
/// `ValidationException` for a role that does not exist.
pub fn check_role(records: &impl Records, role_arn: &str) -> Result<(), ApiError> {
    if iam::role_by_arn(records, role_arn)?.is_some() {
        return Ok(());
    }
    Err(could_not_assume(role_arn))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    pipeline_name: String,
    pipeline_display_name: Option<String>,
    pipeline_definition: Option<String>,
    pipeline_definition_s3_location: Option<S3Location>,
    pipeline_description: Option<String>,
    role_arn: Option<String>,
    client_request_token: Option<String>,
    parallelism_configuration: Option<Parallelism>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3Location {
    bucket: String,
    object_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parallelism {
    max_parallel_execution_steps: u32,
}

pub(super) fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let given = Input::deserialize(input).map_err(ApiError::internal)?;
    let definition = definition(context, &given)?.ok_or_else(|| {
        ApiError::validation("Either PipelineDefinition or PipelineDefinitionS3Location must be specified.")
    })?;
    idempotency::once(context, "CreatePipeline", given.client_request_token.as_deref(), input, |change| {
        let (name, role_arn) = (given.pipeline_name, given.role_arn.unwrap_or_default());
        if change.get::<Pipeline>(&names::key(context.region, &name))?.is_some() {
            return Err(ApiError::validation(format!(
                "Pipeline names must be unique within an AWS account and region. Pipeline with name ({name}) already exists."
            )));
        }
        check_role(change, &role_arn)?;
        let (now, by) = (context.fake.clock.now(), UserContext::of(context.caller));
        let pipeline = Pipeline {
            region: context.region.to_owned(),
            arn: context.sagemaker_arn(&format!("pipeline/{name}")),
            display_name: given.pipeline_display_name.unwrap_or_else(|| name.clone()),
            name,
            version: 1,
            description: given.pipeline_description,
            role_arn,
            max_parallel_execution_steps: given
                .parallelism_configuration
                .map(|given| given.max_parallel_execution_steps),
            created: now,
            created_by: by.clone(),
            modified: now,
            modified_by: by,
            last_run: None,
        };
        change.put(&pipeline)?;
        pipeline_version::create(change, &pipeline, definition, now)?;
        tags::create(change, &pipeline.arn, input)?;
        Ok(json!({"PipelineArn": pipeline.arn}))
    })
}

pub(super) fn update(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let given = Input::deserialize(input).map_err(ApiError::internal)?;
    let definition = definition(context, &given)?;
    context.fake.store.write(|change| {
        let mut pipeline = existing(change, context, &given.pipeline_name)?;
        if let Some(role_arn) = given.role_arn {
            check_role(change, &role_arn)?;
            pipeline.role_arn = role_arn;
        }
        pipeline.display_name = given.pipeline_display_name.unwrap_or(pipeline.display_name);
        pipeline.description = given.pipeline_description.or(pipeline.description);
        if let Some(parallelism) = given.parallelism_configuration {
            pipeline.max_parallel_execution_steps = Some(parallelism.max_parallel_execution_steps);
        }
        pipeline.modified = context.fake.clock.now();
        pipeline.modified_by = UserContext::of(context.caller);
        // AWS makes no version when the definition stays the same, whatever else changes.
        let latest = pipeline_version::existing(change, &pipeline, None)?;
        if let Some(definition) = definition.filter(|definition| *definition != latest.definition) {
            pipeline.version += 1;
            pipeline_version::create(change, &pipeline, definition, pipeline.modified)?;
        }
        change.put(&pipeline)?;
        Ok(json!({"PipelineArn": pipeline.arn, "PipelineVersionId": pipeline.version}))
    })
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let name = input["PipelineName"].as_str().unwrap_or_default();
    let (pipeline, version) = context.fake.store.read(|view| {
        let pipeline = existing(view, context, name)?;
        let version = pipeline_version::existing(view, &pipeline, pipeline_version::id(input))?;
        Ok((pipeline, version))
    })?;
    let mut output = json!({
        "PipelineArn": pipeline.arn,
        "PipelineName": pipeline.name,
        "PipelineDisplayName": pipeline.display_name,
        "PipelineDefinition": version.definition,
        "RoleArn": pipeline.role_arn,
        "PipelineStatus": "Active",
        "CreationTime": pipeline.created,
        "LastModifiedTime": pipeline.modified,
        "CreatedBy": pipeline.created_by.shape(),
        "LastModifiedBy": pipeline.modified_by.shape(),
    });
    if let Some(description) = pipeline.description {
        output["PipelineDescription"] = json!(description);
    }
    if let Some(last_run) = pipeline.last_run {
        output["LastRunTime"] = json!(last_run);
    }
    if let Some(most) = pipeline.max_parallel_execution_steps {
        output["ParallelismConfiguration"] = json!({"MaxParallelExecutionSteps": most});
    }
    for (name, text) in pipeline_version::names_for_people(&version) {
        output[name] = text;
    }
    Ok(output)
}

pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let (name, token) = (input["PipelineName"].as_str().unwrap_or_default(), input["ClientRequestToken"].as_str());
    idempotency::once(context, "DeletePipeline", token, input, |change| {
        let pipeline = existing(change, context, name)?;
        execution::delete_all(change, &pipeline)?;
        pipeline_version::delete_all(change, &pipeline)?;
        change.delete::<Pipeline>(&pipeline.key())?;
        tags::delete(change, &pipeline.arn)?;
        Ok(json!({"PipelineArn": pipeline.arn}))
    })
}

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let prefix = input["PipelineNamePrefix"].as_str().unwrap_or_default().to_lowercase();
    let pipelines = context.fake.store.read(|view| view.list::<Pipeline>(&names::key(context.region, &prefix)))?;
    let pipelines = pipelines
        .into_iter()
        .filter(|pipeline| paging::within(pipeline.created, input, "CreatedAfter", "CreatedBefore"));
    let by_name = input["SortBy"] == "Name";
    let sort_key =
        |pipeline: &Pipeline| if by_name { SortKey::name(&pipeline.name) } else { SortKey::time(pipeline.created) };
    let (page, token) = paging::page("ListPipelines", input, Order::Descending, pipelines, sort_key, Record::key)?;
    Ok(paging::with_token(json!({"PipelineSummaries": page.iter().map(summary).collect::<Vec<_>>()}), token))
}

fn summary(pipeline: &Pipeline) -> Value {
    let mut summary = Map::from_iter([
        ("PipelineArn".to_owned(), json!(pipeline.arn)),
        ("PipelineName".to_owned(), json!(pipeline.name)),
        ("PipelineDisplayName".to_owned(), json!(pipeline.display_name)),
        ("RoleArn".to_owned(), json!(pipeline.role_arn)),
        ("CreationTime".to_owned(), json!(pipeline.created)),
        ("LastModifiedTime".to_owned(), json!(pipeline.modified)),
    ]);
    summary.extend(pipeline.description.iter().map(|text| ("PipelineDescription".to_owned(), json!(text))));
    summary.extend(pipeline.last_run.map(|time| ("LastExecutionTime".to_owned(), json!(time))));
    Value::Object(summary)
}

/// The definition that a request gives, in itself or in S3, checked as SageMaker checks it.
fn definition(context: &Context<'_>, given: &Input) -> Result<Option<String>, ApiError> {
    let text = match (&given.pipeline_definition, &given.pipeline_definition_s3_location) {
        (Some(_), Some(_)) => {
            return Err(ApiError::validation(
                "Only one of PipelineDefinition and PipelineDefinitionS3Location can be specified.",
            ));
        }
        (Some(text), None) => text.clone(),
        (None, Some(location)) => fetch(context, location)?,
        (None, None) => return Ok(None),
    };
    let parsed = Definition::parse(&text).map_err(|error| match error.service_message() {
        Some(message) => ApiError::validation(message),
        None => ApiError::validation(format!("Unable to parse pipeline definition. {error}")),
    })?;
    Graph::new(&parsed).map_err(|error| ApiError::validation(format!("Invalid pipeline definition. {error}")))?;
    Ok(Some(text))
}

fn fetch(context: &Context<'_>, location: &S3Location) -> Result<String, ApiError> {
    let refused = |why: &str| {
        ApiError::validation(format!(
            "Unable to read the pipeline definition at s3://{}/{}: {why}",
            location.bucket, location.object_key
        ))
    };
    let (object, file) =
        s3::open(context.fake, &location.bucket, &location.object_key).map_err(|error| refused(&error.message))?;
    if object.size > LONGEST_DEFINITION {
        return Err(refused(&format!("it is longer than {LONGEST_DEFINITION} bytes")));
    }
    let mut text = String::new();
    file.take(LONGEST_DEFINITION).read_to_string(&mut text).map_err(|error| refused(&error.to_string()))?;
    Ok(text)
}
