//! Endpoint configurations: which models serve, on what, and what is captured of their traffic.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::names;
use super::paging::{self, Order, SortKey};
use super::{model, tags};
use crate::ApiError;
use crate::clock::Timestamp;
use crate::fake::Context;
use crate::jobs::inputs::split_uri;
use crate::protocol::Service;
use crate::store::{Record, Records};

/// An endpoint configuration. It never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndpointConfig {
    /// Its region.
    pub region: String,
    /// Its name, in the case it was given in.
    pub name: String,
    /// `arn:aws:sagemaker:REGION:ACCOUNT:endpoint-config/NAME`, the name in lower case.
    pub arn: String,
    /// What it was given, in AWS's own shape: `ProductionVariants`, `DataCaptureConfig` ...
    pub details: Map<String, Value>,
    /// When it was made.
    pub created: Timestamp,
}

impl Record for EndpointConfig {
    const KIND: &'static str = "endpoint-config";
    fn key(&self) -> String {
        names::key(&self.region, &self.name)
    }
}

/// The configuration of this name.
///
/// # Errors
/// `ValidationException`: SageMaker declares no other for a configuration that does not exist.
pub fn existing(records: &impl Records, context: &Context<'_>, name: &str) -> Result<EndpointConfig, ApiError> {
    let found = records.get(&names::key(context.region, name))?;
    found.ok_or_else(|| {
        ApiError::validation(format!("Could not find endpoint configuration \"{}\".", arn(context, name)))
    })
}

fn arn(context: &Context<'_>, name: &str) -> String {
    context.sagemaker_arn(&format!("endpoint-config/{}", name.to_lowercase()))
}

pub(super) fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let name = input["EndpointConfigName"].as_str().unwrap_or_default();
    let arn = arn(context, name);
    let mut details = Service::SageMaker.api().members_of_output("DescribeEndpointConfig", input);
    details.remove("EndpointConfigName");
    check_variants(input)?;
    check_capture(input)?;
    for kind in VARIANTS {
        details.get_mut(kind).and_then(Value::as_array_mut).into_iter().flatten().for_each(with_defaults);
    }
    context.fake.store.write(|change| {
        if let Some(existing) = change.get::<EndpointConfig>(&names::key(context.region, name))? {
            let message = format!("Cannot create already existing endpoint configuration \"{}\".", existing.arn);
            return Err(ApiError::validation(message));
        }
        for variant in all_variants(input) {
            if let Some(name) = variant["ModelName"].as_str() {
                model::existing(change, context, name)?;
            }
        }
        change.put(&EndpointConfig {
            region: context.region.to_owned(),
            name: name.to_owned(),
            arn: arn.clone(),
            details,
            created: context.fake.clock.now(),
        })?;
        tags::create(change, &arn, input)?;
        Ok(json!({"EndpointConfigArn": arn}))
    })
}

/// The members that hold variants.
const VARIANTS: [&str; 2] = ["ProductionVariants", "ShadowProductionVariants"];

fn all_variants(input: &Value) -> impl Iterator<Item = &Value> {
    VARIANTS.iter().flat_map(|kind| input[*kind].as_array()).flatten()
}

fn check_variants(input: &Value) -> Result<(), ApiError> {
    let mut names = std::collections::HashSet::new();
    for variant in all_variants(input) {
        let name = variant["VariantName"].as_str().unwrap_or_default();
        if !names.insert(name) {
            return Err(ApiError::validation(format!("Duplicate variant name \"{name}\" found in the request.")));
        }
        let on_instances = variant["InstanceType"].is_string() || variant["InstancePools"].is_array();
        if on_instances == variant["ServerlessConfig"].is_object() {
            return Err(ApiError::validation(format!(
                "Production variant \"{name}\" must specify either InstanceType with InitialInstanceCount, or ServerlessConfig."
            )));
        }
    }
    Ok(())
}

fn check_capture(input: &Value) -> Result<(), ApiError> {
    let Some(uri) = input["DataCaptureConfig"]["DestinationS3Uri"].as_str() else { return Ok(()) };
    match split_uri(uri) {
        Some(_) => Ok(()),
        None => Err(ApiError::validation(format!("DataCaptureConfig: {uri} is not a valid S3 URI."))),
    }
}

/// What AWS answers of a variant even if it was not given.
fn with_defaults(variant: &mut Value) {
    if let Value::Object(members) = variant {
        members.entry("InitialVariantWeight").or_insert_with(|| json!(1.0));
    }
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let name = input["EndpointConfigName"].as_str().unwrap_or_default();
    let config = context.fake.store.read(|view| existing(view, context, name))?;
    let mut output = Map::from_iter([
        ("EndpointConfigName".to_owned(), json!(config.name)),
        ("EndpointConfigArn".to_owned(), json!(config.arn)),
    ]);
    output.extend(config.details);
    output.insert("CreationTime".to_owned(), json!(config.created));
    output.entry("EnableNetworkIsolation").or_insert(json!(false));
    Ok(Value::Object(output))
}

/// AWS lets go of a configuration that an endpoint still uses: the endpoint goes on serving.
pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let config = existing(change, context, input["EndpointConfigName"].as_str().unwrap_or_default())?;
        change.delete::<EndpointConfig>(&config.key())?;
        tags::delete(change, &config.arn)?;
        Ok(Value::Null)
    })
}

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let configs = context.fake.store.read(|view| view.list::<EndpointConfig>(&names::key(context.region, "")))?;
    let configs = configs.into_iter().filter(|config| {
        paging::name_contains(&config.name, input)
            && paging::within(config.created, input, "CreationTimeAfter", "CreationTimeBefore")
    });
    let by_name = input["SortBy"] == "Name";
    let sort_key =
        |config: &EndpointConfig| if by_name { SortKey::name(&config.name) } else { SortKey::time(config.created) };
    let (page, token) = paging::page("ListEndpointConfigs", input, Order::Descending, configs, sort_key, Record::key)?;
    let shape = |config: &EndpointConfig| json!({"EndpointConfigName": config.name, "EndpointConfigArn": config.arn, "CreationTime": config.created});
    Ok(paging::with_token(json!({"EndpointConfigs": page.iter().map(shape).collect::<Vec<_>>()}), token))
}
