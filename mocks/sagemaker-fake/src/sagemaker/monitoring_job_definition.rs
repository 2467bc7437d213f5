//! Definitions of monitoring jobs: what those of data quality and of model quality have in common.

use std::fmt;

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

/// What a monitor looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MonitoringType {
    /// What an endpoint is asked and answers.
    DataQuality,
    /// What it answers, and what would have been right.
    ModelQuality,
}

impl fmt::Display for MonitoringType {
    /// As the API writes it: members and operations begin with it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DataQuality => "DataQuality",
            Self::ModelQuality => "ModelQuality",
        })
    }
}

impl MonitoringType {
    /// That of this name, if it is one that is served.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        [Self::DataQuality, Self::ModelQuality].into_iter().find(|kind| kind.to_string() == name)
    }

    /// How long a job of an hourly schedule may run, in seconds: two jobs have half of the hour each.
    #[must_use]
    pub fn max_runtime_seconds(self) -> u64 {
        match self {
            Self::DataQuality => 3600,
            Self::ModelQuality => 1800,
        }
    }

    /// Its definitions, as ARNs have them.
    #[must_use]
    pub fn resource(self) -> &'static str {
        match self {
            Self::DataQuality => "data-quality-job-definition",
            Self::ModelQuality => "model-quality-job-definition",
        }
    }
}

/// A definition of a monitoring job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobDefinition {
    /// What it looks at.
    pub monitoring_type: MonitoringType,
    /// Its region.
    pub region: String,
    /// Its name, in the case it was given in.
    pub name: String,
    /// `arn:aws:sagemaker:REGION:ACCOUNT:RESOURCE/NAME`, the name in lower case.
    pub arn: String,
    /// What it was given, in AWS's own shape: `ModelQualityJobInput`, `JobResources`, ...
    pub details: Map<String, Value>,
    /// When it was made.
    pub created: Timestamp,
}

impl Record for JobDefinition {
    const KIND: &'static str = "monitoring-job-definition";
    fn key(&self) -> String {
        key(self.monitoring_type, &self.region, &self.name)
    }
}

/// Definitions of two types may have one name.
fn key(monitoring_type: MonitoringType, region: &str, name: &str) -> String {
    format!("{}/{}", monitoring_type.resource(), names::key(region, name))
}

impl JobDefinition {
    /// A member of what it was given; null if it was not.
    #[must_use]
    pub fn member(&self, name: &str) -> &Value {
        self.details.get(name).unwrap_or(&Value::Null)
    }

    /// That of a schedule which has its own (`MonitoringJobDefinition`), and so no name.
    fn of_its_own(region: &str, given: &Value) -> Self {
        let mut app = given["MonitoringAppSpecification"].clone();
        app["Environment"] = given["Environment"].clone();
        let details = [
            ("DataQualityBaselineConfig", &given["BaselineConfig"]),
            ("DataQualityAppSpecification", &app),
            ("DataQualityJobInput", &given["MonitoringInputs"][0]),
            ("DataQualityJobOutputConfig", &given["MonitoringOutputConfig"]),
            ("JobResources", &given["MonitoringResources"]),
            ("NetworkConfig", &given["NetworkConfig"]),
            ("RoleArn", &given["RoleArn"]),
            ("StoppingCondition", &given["StoppingCondition"]),
        ];
        let present = details.into_iter().filter(|(_, member)| !member.is_null());
        Self {
            monitoring_type: MonitoringType::DataQuality,
            region: region.to_owned(),
            name: String::new(),
            arn: String::new(),
            details: present.map(|(name, member)| (name.to_owned(), member.clone())).collect(),
            created: Timestamp(0),
        }
    }

    /// A member that has its type before its name: `BaselineConfig`, `AppSpecification`, `JobInput`, `JobOutputConfig`.
    #[must_use]
    pub fn typed(&self, name: &str) -> &Value {
        self.member(&format!("{}{name}", self.monitoring_type))
    }

    /// What it reads of an endpoint.
    #[must_use]
    pub fn endpoint_input(&self) -> &Value {
        &self.typed("JobInput")["EndpointInput"]
    }

    /// The endpoint that it watches.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.endpoint_input()["EndpointName"].as_str().unwrap_or_default()
    }
}

/// The definition that a schedule runs (`MonitoringScheduleConfig`): the one that it names, or its own, which is one of
/// data quality.
///
/// # Errors
/// `ValidationException` for none, or one that cannot be run; `ResourceNotFound`.
pub(crate) fn of_schedule(
    records: &impl Records,
    fake: &Fake,
    region: &str,
    config: &Value,
) -> Result<JobDefinition, ApiError> {
    let refused = |message: &str| Err(ApiError::validation(message));
    let kind = config["MonitoringType"].as_str();
    let known = kind.map(|kind| {
        MonitoringType::read(kind).ok_or_else(|| {
            ApiError::validation(format!(
                "This fake watches data quality and model quality: MonitoringType '{kind}' is not served."
            ))
        })
    });
    match (&config["MonitoringJobDefinitionName"], &config["MonitoringJobDefinition"], known.transpose()?) {
        (Value::String(name), Value::Null, Some(kind)) => existing(records, fake, kind, region, name),
        (Value::String(_), Value::Null, None) => {
            refused("MonitoringType is required with MonitoringJobDefinitionName.")
        }
        (Value::Null, own @ Value::Object(_), None | Some(MonitoringType::DataQuality)) => {
            let definition = JobDefinition::of_its_own(region, own);
            check(definition.monitoring_type, &Value::Object(definition.details.clone()))?;
            pipeline::check_role(records, definition.member("RoleArn").as_str().unwrap_or_default())?;
            Ok(definition)
        }
        (Value::Null, Value::Object(_), Some(_)) => {
            refused("MonitoringJobDefinition is one of data quality: other types need a MonitoringJobDefinitionName.")
        }
        _ => refused("Exactly one of MonitoringJobDefinition and MonitoringJobDefinitionName must be specified."),
    }
}

/// The definition of this name.
fn existing(
    records: &impl Records,
    fake: &Fake,
    monitoring_type: MonitoringType,
    region: &str,
    name: &str,
) -> Result<JobDefinition, ApiError> {
    records.get(&key(monitoring_type, region, name))?.ok_or_else(|| {
        let (account, resource) = (fake.account(), monitoring_type.resource());
        let arn = format!("arn:aws:sagemaker:{region}:{account}:{resource}/{}", name.to_lowercase());
        ApiError::not_found(format!("Monitoring Job Definition {arn} not found"))
    })
}

fn named(
    context: &Context<'_>,
    records: &impl Records,
    monitoring_type: MonitoringType,
    input: &Value,
) -> Result<JobDefinition, ApiError> {
    let name = input["JobDefinitionName"].as_str().unwrap_or_default();
    existing(records, context.fake, monitoring_type, context.region, name)
}

pub(super) fn create(context: &Context<'_>, monitoring_type: MonitoringType, input: &Value) -> Result<Value, ApiError> {
    let name = input["JobDefinitionName"].as_str().unwrap_or_default();
    check(monitoring_type, input)?;
    let describe = format!("Describe{monitoring_type}JobDefinition");
    let mut details = Service::SageMaker.api().members_of_output(&describe, input);
    details.remove("JobDefinitionName");
    with_defaults(monitoring_type, &mut details);
    let definition = JobDefinition {
        monitoring_type,
        region: context.region.to_owned(),
        name: name.to_owned(),
        arn: context.sagemaker_arn(&format!("{}/{}", monitoring_type.resource(), name.to_lowercase())),
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

pub(super) fn describe(
    context: &Context<'_>,
    monitoring_type: MonitoringType,
    input: &Value,
) -> Result<Value, ApiError> {
    let definition = context.fake.store.read(|view| named(context, view, monitoring_type, input))?;
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
pub(super) fn delete(context: &Context<'_>, monitoring_type: MonitoringType, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let definition = named(context, change, monitoring_type, input)?;
        let schedules = change.list::<Schedule>(&names::key(context.region, ""))?;
        let names_it = |schedule: &&Schedule| {
            let name = schedule.definition().filter(|_| schedule.monitoring_type == monitoring_type);
            name.is_some_and(|name| name.eq_ignore_ascii_case(&definition.name))
        };
        if let Some(user) = schedules.iter().find(names_it) {
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

pub(super) fn list(context: &Context<'_>, monitoring_type: MonitoringType, input: &Value) -> Result<Value, ApiError> {
    let prefix = key(monitoring_type, context.region, "");
    let definitions = context.fake.store.read(|view| view.list::<JobDefinition>(&prefix))?;
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
    let operation = format!("List{monitoring_type}JobDefinitions");
    let (page, token) = paging::page(&operation, input, Order::Descending, definitions, sort_key, Record::key)?;
    let summary = |definition: &JobDefinition| {
        json!({
            "MonitoringJobDefinitionName": definition.name,
            "MonitoringJobDefinitionArn": definition.arn,
            "CreationTime": definition.created,
            "EndpointName": definition.endpoint(),
        })
    };
    Ok(paging::with_token(json!({"JobDefinitionSummaries": page.iter().map(summary).collect::<Vec<_>>()}), token))
}

/// What the shapes of AWS's model do not say, of all definitions.
fn check(monitoring_type: MonitoringType, input: &Value) -> Result<(), ApiError> {
    let refused = |message: String| Err(ApiError::validation(message));
    let job_input = &input[format!("{monitoring_type}JobInput")];
    match (&job_input["EndpointInput"], &job_input["BatchTransformInput"]) {
        (Value::Null, Value::Null) | (Value::Object(_), Value::Object(_)) => {
            return refused("Exactly one of EndpointInput and BatchTransformInput must be specified.".to_owned());
        }
        (_, Value::Object(_)) => {
            return refused(format!(
                "This fake watches endpoints: {monitoring_type}JobInput needs EndpointInput, not BatchTransformInput."
            ));
        }
        _ => {}
    }
    let app = &input[format!("{monitoring_type}AppSpecification")];
    if ["RecordPreprocessorSourceUri", "PostAnalyticsProcessorSourceUri"].iter().any(|script| !app[script].is_null()) {
        return refused("This fake runs no scripts before or after an analysis.".to_owned());
    }
    Offsets::read(Expression::DEFAULT, &Value::Null, &job_input["EndpointInput"]).map(drop)
}

/// What SageMaker answers even if it was not given.
fn with_defaults(monitoring_type: MonitoringType, details: &mut Map<String, Value>) {
    let input = details.get_mut(&format!("{monitoring_type}JobInput"));
    let input = input.and_then(|input| input.get_mut("EndpointInput")).and_then(Value::as_object_mut);
    if let Some(input) = input {
        input.entry("S3InputMode").or_insert(json!("File"));
        input.entry("S3DataDistributionType").or_insert(json!("FullyReplicated"));
    }
}
