//! Definitions of jobs that watch a model's quality.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::paging::{self, Order, SortKey};
use super::{names, pipeline, tags};
use crate::clock::Timestamp;
use crate::fake::Context;
use crate::monitoring::Schedule;
use crate::monitoring::expression::Expression;
use crate::monitoring::window::Offsets;
use crate::protocol::Service;
use crate::store::{Record, Records};
use crate::{ApiError, Fake};

/// A definition of a model quality job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobDefinition {
    /// Its region.
    pub region: String,
    /// Its name, in the case it was given in.
    pub name: String,
    /// `arn:aws:sagemaker:REGION:ACCOUNT:model-quality-job-definition/NAME`, the name in lower case.
    pub arn: String,
    /// What it was given, in AWS's own shape: `ModelQualityJobInput`, `JobResources`, ...
    pub details: Map<String, Value>,
    /// When it was made.
    pub created: Timestamp,
}

impl Record for JobDefinition {
    const KIND: &'static str = "model-quality-job-definition";
    fn key(&self) -> String {
        names::key(&self.region, &self.name)
    }
}

impl JobDefinition {
    /// A member of what it was given; null if it was not.
    #[must_use]
    pub fn member(&self, name: &str) -> &Value {
        self.details.get(name).unwrap_or(&Value::Null)
    }

    /// What it reads of an endpoint.
    #[must_use]
    pub fn endpoint_input(&self) -> &Value {
        &self.member("ModelQualityJobInput")["EndpointInput"]
    }

    /// The endpoint that it watches.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.endpoint_input()["EndpointName"].as_str().unwrap_or_default()
    }
}

/// The definition of this name.
///
/// # Errors
/// `ResourceNotFound`.
pub(crate) fn existing(
    records: &impl Records,
    fake: &Fake,
    region: &str,
    name: &str,
) -> Result<JobDefinition, ApiError> {
    records.get(&names::key(region, name))?.ok_or_else(|| {
        let account = fake.account();
        let arn = format!("arn:aws:sagemaker:{region}:{account}:model-quality-job-definition/{}", name.to_lowercase());
        ApiError::not_found(format!("Monitoring Job Definition {arn} not found"))
    })
}

fn named(context: &Context<'_>, records: &impl Records, input: &Value) -> Result<JobDefinition, ApiError> {
    existing(records, context.fake, context.region, input["JobDefinitionName"].as_str().unwrap_or_default())
}

pub(super) fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let name = input["JobDefinitionName"].as_str().unwrap_or_default();
    check(input)?;
    let mut details = match input.as_object() {
        Some(input) => Service::SageMaker.api().members_of_output("DescribeModelQualityJobDefinition", input),
        None => Map::new(),
    };
    details.remove("JobDefinitionName");
    with_defaults(&mut details);
    let definition = JobDefinition {
        region: context.region.to_owned(),
        name: name.to_owned(),
        arn: context.sagemaker_arn(&format!("model-quality-job-definition/{}", name.to_lowercase())),
        details,
        created: context.fake.clock.now(),
    };
    context.fake.store.write(|change| {
        pipeline::check_role(change, input["RoleArn"].as_str().unwrap_or_default())?;
        if let Some(other) = change.get::<JobDefinition>(&definition.key())? {
            return Err(ApiError::new(
                "ResourceInUse",
                format!("Monitoring Job Definition {} already exists", other.arn),
            ));
        }
        change.put(&definition)?;
        tags::create(change, &definition.arn, input)?;
        Ok(json!({"JobDefinitionArn": definition.arn}))
    })
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let definition = context.fake.store.read(|view| named(context, view, input))?;
    let mut output = Map::from_iter([
        ("JobDefinitionArn".to_owned(), json!(definition.arn)),
        ("JobDefinitionName".to_owned(), json!(definition.name)),
        ("CreationTime".to_owned(), json!(definition.created)),
    ]);
    output.extend(definition.details);
    Ok(Value::Object(output))
}

/// A definition is locked by a schedule that names it until that is gone: AWS's SDK for Python waits for that, though the
/// API declares no error for it. The sentence is not known.
pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let definition = named(context, change, input)?;
        let schedules = change.list::<Schedule>(&names::key(context.region, ""))?;
        if let Some(user) = schedules.iter().find(|it| it.definition().eq_ignore_ascii_case(&definition.name)) {
            return Err(ApiError::validation(format!(
                "Monitoring Job Definition {} is in use by Monitoring Schedule {}",
                definition.arn, user.arn
            )));
        }
        change.delete::<JobDefinition>(&definition.key())?;
        tags::delete(change, &definition.arn)?;
        Ok(Value::Null)
    })
}

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let definitions = context.fake.store.read(|view| view.list::<JobDefinition>(&names::key(context.region, "")))?;
    let definitions = definitions.into_iter().filter(|definition| {
        paging::name_contains(&definition.name, input)
            && input["EndpointName"]
                .as_str()
                .is_none_or(|endpoint| definition.endpoint().eq_ignore_ascii_case(endpoint))
            && paging::within(definition.created, input, "CreationTimeAfter", "CreationTimeBefore")
    });
    let sort_key = |definition: &JobDefinition| match input["SortBy"].as_str() {
        Some("Name") => SortKey::name(&definition.name),
        _ => SortKey::time(definition.created),
    };
    let operation = "ListModelQualityJobDefinitions";
    let (page, token) = paging::page(operation, input, Order::Descending, definitions, sort_key, Record::key)?;
    let summary = |definition: &JobDefinition| {
        json!({
            "MonitoringJobDefinitionName": definition.name,
            "MonitoringJobDefinitionArn": definition.arn,
            "CreationTime": definition.created,
            "EndpointName": definition.endpoint(),
        })
    };
    let mut output = json!({"JobDefinitionSummaries": page.iter().map(summary).collect::<Vec<_>>()});
    if let Some(token) = token {
        output["NextToken"] = json!(token);
    }
    Ok(output)
}

/// What the shapes of AWS's model do not say.
fn check(input: &Value) -> Result<(), ApiError> {
    let refused = |message: &str| Err(ApiError::validation(message));
    let job_input = &input["ModelQualityJobInput"];
    match (&job_input["EndpointInput"], &job_input["BatchTransformInput"]) {
        (Value::Null, Value::Null) | (Value::Object(_), Value::Object(_)) => {
            return refused("Exactly one of EndpointInput and BatchTransformInput must be specified.");
        }
        (_, Value::Object(_)) => {
            return refused(
                "This fake watches endpoints: ModelQualityJobInput needs EndpointInput, not BatchTransformInput.",
            );
        }
        _ => {}
    }
    if job_input["GroundTruthS3Input"]["S3Uri"].is_null() {
        return refused("GroundTruthS3Input must have an S3Uri.");
    }
    let app = &input["ModelQualityAppSpecification"];
    if ["RecordPreprocessorSourceUri", "PostAnalyticsProcessorSourceUri"].iter().any(|script| !app[script].is_null()) {
        return refused("This fake runs no scripts before or after an analysis.");
    }
    let endpoint = &job_input["EndpointInput"];
    let (inference, probability) = (&endpoint["InferenceAttribute"], &endpoint["ProbabilityAttribute"]);
    match app["ProblemType"].as_str() {
        None => return refused("ProblemType is required for a model quality job definition."),
        Some("BinaryClassification") if inference.is_null() && probability.is_null() => {
            return refused("BinaryClassification needs InferenceAttribute or ProbabilityAttribute.");
        }
        Some("Regression" | "MulticlassClassification") if inference.is_null() => {
            return refused("InferenceAttribute is required for this ProblemType.");
        }
        _ => {}
    }
    Offsets::read(Expression::DEFAULT, &Value::Null, endpoint).map(drop)
}

/// What SageMaker answers even if it was not given.
fn with_defaults(details: &mut Map<String, Value>) {
    let input = details.get_mut("ModelQualityJobInput").and_then(|input| input.get_mut("EndpointInput"));
    if let Some(input) = input.and_then(Value::as_object_mut) {
        input.entry("S3InputMode").or_insert(json!("File"));
        input.entry("S3DataDistributionType").or_insert(json!("FullyReplicated"));
    }
}
