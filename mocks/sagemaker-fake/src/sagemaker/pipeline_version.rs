//! Versions of pipelines: every definition that a pipeline has had, numbered from 1.

use pipeline_definition::Definition;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::names;
use super::paging::{self, Order, SortKey};
use super::pipeline::{self, Pipeline};
use crate::ApiError;
use crate::clock::Timestamp;
use crate::engine::Execution;
use crate::fake::Context;
use crate::store::{Change, Record, Records};

/// A version of a pipeline. Role, tags and parallelism are the pipeline's and have no versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PipelineVersion {
    /// The region of its pipeline.
    pub region: String,
    /// The name of its pipeline.
    pub pipeline: String,
    /// The ARN of its pipeline.
    pub pipeline_arn: String,
    /// Its number, from 1.
    pub id: u64,
    /// The text of the definition, as it was given.
    pub definition: String,
    /// Its name for people, once it is given one.
    pub display_name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// The ARN of the execution that was started last.
    pub last_execution: Option<String>,
}

impl Record for PipelineVersion {
    const KIND: &'static str = "pipeline-version";
    fn key(&self) -> String {
        key(&self.region, &self.pipeline, self.id)
    }
}

fn keys_of_pipeline(region: &str, pipeline: &str) -> String {
    format!("{}/version/", names::key(region, pipeline))
}

/// Digits enough for any number, so that keys are in the order of the versions.
fn key(region: &str, pipeline: &str, id: u64) -> String {
    format!("{}{id:020}", keys_of_pipeline(region, pipeline))
}

/// The version of a pipeline that a request names; without a number, the latest.
///
/// # Errors
/// `ResourceNotFound`.
pub fn existing(records: &impl Records, pipeline: &Pipeline, id: Option<u64>) -> Result<PipelineVersion, ApiError> {
    let id = id.unwrap_or(pipeline.version);
    let found = records.get(&key(&pipeline.region, &pipeline.name, id))?;
    found.ok_or_else(|| ApiError::not_found(format!("Pipeline '{}' has no version {id}.", pipeline.arn)))
}

/// The version that an execution is of.
///
/// # Errors
/// An internal failure when it is gone: a pipeline is deleted together with its executions.
pub(crate) fn of_execution(records: &impl Records, execution: &Execution) -> Result<PipelineVersion, ApiError> {
    let found = records.get(&key(&execution.region, &execution.pipeline, execution.version))?;
    found.ok_or_else(|| ApiError::internal(format!("the definition of {} is gone", execution.arn)))
}

/// The number that a request gives.
pub(super) fn id(input: &Value) -> Option<u64> {
    input["PipelineVersionId"].as_u64()
}

/// Puts the pipeline's definition on record as its latest version.
pub(super) fn create(
    change: &mut Change<'_>,
    pipeline: &Pipeline,
    definition: String,
    created: Timestamp,
) -> Result<(), ApiError> {
    change.put(&PipelineVersion {
        region: pipeline.region.clone(),
        pipeline: pipeline.name.clone(),
        pipeline_arn: pipeline.arn.clone(),
        id: pipeline.version,
        definition,
        display_name: None,
        description: None,
        created,
        last_execution: None,
    })
}

pub(super) fn update(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let given = |name: &str| input[name].as_str().map(str::to_owned);
    context.fake.store.write(|change| {
        let pipeline = pipeline::existing(change, context, input["PipelineArn"].as_str().unwrap_or_default())?;
        let mut version = existing(change, &pipeline, id(input))?;
        version.display_name = given("PipelineVersionDisplayName").or(version.display_name);
        version.description = given("PipelineVersionDescription").or(version.description);
        change.put(&version)?;
        Ok(json!({"PipelineArn": pipeline.arn, "PipelineVersionId": version.id}))
    })
}

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let versions = context.fake.store.read(|view| {
        let pipeline = pipeline::existing(view, context, input["PipelineName"].as_str().unwrap_or_default())?;
        view.list::<PipelineVersion>(&keys_of_pipeline(&pipeline.region, &pipeline.name))
    })?;
    let versions =
        versions.into_iter().filter(|version| paging::within(version.created, input, "CreatedAfter", "CreatedBefore"));
    // By number, which is the order in which they were made, even within the same millisecond.
    let number = |version: &PipelineVersion| SortKey::Number(i64::try_from(version.id).unwrap_or(i64::MAX));
    let (page, token) = paging::page("ListPipelineVersions", input, Order::Descending, versions, number, Record::key)?;
    Ok(paging::with_token(json!({"PipelineVersionSummaries": page.iter().map(summary).collect::<Vec<_>>()}), token))
}

fn summary(version: &PipelineVersion) -> Value {
    let mut summary = Map::from_iter([
        ("PipelineArn".to_owned(), json!(version.pipeline_arn)),
        ("PipelineVersionId".to_owned(), json!(version.id)),
        ("CreationTime".to_owned(), json!(version.created)),
    ]);
    summary.extend(names_for_people(version));
    summary
        .extend(version.last_execution.iter().map(|arn| ("LastExecutionPipelineExecutionArn".to_owned(), json!(arn))));
    Value::Object(summary)
}

/// What DescribePipeline and ListPipelineVersions both say of a version.
pub(super) fn names_for_people(version: &PipelineVersion) -> impl Iterator<Item = (String, Value)> {
    let members =
        [("PipelineVersionDisplayName", &version.display_name), ("PipelineVersionDescription", &version.description)];
    members.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text.as_ref()?))))
}

/// A pipeline is deleted: its versions go with it.
pub(super) fn delete_all(change: &mut Change<'_>, pipeline: &Pipeline) -> Result<(), ApiError> {
    for version in change.list::<PipelineVersion>(&keys_of_pipeline(&pipeline.region, &pipeline.name))? {
        change.delete::<PipelineVersion>(&version.key())?;
    }
    Ok(())
}

impl PipelineVersion {
    /// The definition, parsed: what could not be parsed was not taken.
    ///
    /// # Errors
    /// An internal failure otherwise.
    pub(crate) fn parsed(&self) -> Result<Definition, ApiError> {
        Definition::parse(&self.definition).map_err(ApiError::internal)
    }
}
