//! Endpoints: created, updated, described, deleted. What they do meanwhile is in [`crate::endpoints`].

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::endpoint_config::{self, EndpointConfig};
use super::names;
use super::paging::{self, Order, SortKey};
use super::{model, model_package, tags};
use crate::ApiError;
use crate::endpoints::{self, Container, Deployment, Endpoint, Status, Variant};
use crate::fake::Context;
use crate::store::{Record, Records};

/// The endpoint of this name.
///
/// # Errors
/// `ValidationException`: SageMaker declares no other for an endpoint that does not exist.
pub fn existing(records: &impl Records, context: &Context<'_>, name: &str) -> Result<Endpoint, ApiError> {
    let found = records.get(&names::key(context.region, name))?;
    found.ok_or_else(|| ApiError::validation(format!("Could not find endpoint \"{}\".", arn(context, name))))
}

/// The same, if nothing is being done with it.
fn at_rest(records: &impl Records, context: &Context<'_>, name: &str) -> Result<Endpoint, ApiError> {
    let endpoint = existing(records, context, name)?;
    if endpoint.status.is_in_progress() {
        return Err(ApiError::validation(format!("Cannot update in-progress endpoint \"{}\".", endpoint.arn)));
    }
    Ok(endpoint)
}

/// The same, if it serves.
fn in_service(records: &impl Records, context: &Context<'_>, name: &str) -> Result<Endpoint, ApiError> {
    let endpoint = at_rest(records, context, name)?;
    if endpoint.status == Status::Failed {
        return Err(ApiError::validation(format!("Cannot update failed endpoint \"{}\".", endpoint.arn)));
    }
    Ok(endpoint)
}

fn arn(context: &Context<'_>, name: &str) -> String {
    context.sagemaker_arn(&format!("endpoint/{}", name.to_lowercase()))
}

fn name(input: &Value) -> &str {
    input["EndpointName"].as_str().unwrap_or_default()
}

pub(super) fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let (name, arn, now) = (name(input), arn(context, name(input)), context.fake.clock.now());
    let endpoint = context.fake.store.write(|change| {
        if let Some(existing) = change.get::<Endpoint>(&names::key(context.region, name))? {
            let message = format!("Cannot create already existing endpoint \"{}\".", existing.arn);
            return Err(ApiError::validation(message));
        }
        let endpoint = Endpoint {
            region: context.region.to_owned(),
            name: name.to_owned(),
            arn: arn.clone(),
            status: Status::Creating,
            failure_reason: None,
            created: now,
            modified: now,
            serving: None,
            pending: Some(deployment(change, context, input)?),
            deployment_config: deployment_config(input),
        };
        change.put(&endpoint)?;
        tags::create(change, &arn, input)?;
        Ok(endpoint)
    })?;
    endpoints::launch(context.fake, &endpoint);
    Ok(json!({"EndpointArn": arn}))
}

pub(super) fn update(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let arn = context.fake.store.write(|change| {
        let mut endpoint = in_service(change, context, name(input))?;
        let mut pending = deployment(change, context, input)?;
        if input["RetainAllVariantProperties"] == true {
            retain(&mut pending, endpoint.serving.as_ref(), &input["ExcludeRetainedVariantProperties"]);
        }
        if input["RetainDeploymentConfig"] != true {
            endpoint.deployment_config = deployment_config(input);
        }
        endpoint.pending = Some(pending);
        begin_update(context, &mut endpoint);
        change.put(&endpoint)?;
        Ok(endpoint.arn)
    })?;
    context.fake.engine.notify();
    Ok(json!({"EndpointArn": arn}))
}

pub(super) fn update_weights_and_capacities(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let arn = context.fake.store.write(|change| {
        let mut endpoint = in_service(change, context, name(input))?;
        for wish in input["DesiredWeightsAndCapacities"].as_array().into_iter().flatten() {
            let name = wish["VariantName"].as_str().unwrap_or_default();
            let variants = endpoint.serving.iter_mut().flat_map(|serving| &mut serving.variants);
            let Some(variant) = variants.into_iter().find(|variant| variant.name == name) else {
                let message = format!("Could not find variant \"{name}\" in endpoint \"{}\".", endpoint.arn);
                return Err(ApiError::validation(message));
            };
            if let Some(weight) = wish["DesiredWeight"].as_f64() {
                variant.desired_weight = weight;
            }
            if let Some(count) = wish["DesiredInstanceCount"].as_u64() {
                variant.desired_instances = Some(count);
            }
        }
        begin_update(context, &mut endpoint);
        change.put(&endpoint)?;
        Ok(endpoint.arn)
    })?;
    context.fake.engine.notify();
    Ok(json!({"EndpointArn": arn}))
}

fn begin_update(context: &Context<'_>, endpoint: &mut Endpoint) {
    endpoint.status = Status::Updating;
    endpoint.failure_reason = None;
    endpoint.modified = context.fake.clock.now();
}

/// A new variant goes on with the weight and the number of instances that the old one of its name has by now.
fn retain(pending: &mut Deployment, serving: Option<&Deployment>, exclude: &Value) {
    let excludes = |property: &str| {
        exclude.as_array().into_iter().flatten().any(|excluded| excluded["VariantPropertyType"] == property)
    };
    for old in serving.iter().flat_map(|serving| &serving.variants) {
        let Some(new) = pending.variants.iter_mut().find(|new| new.name == old.name) else { continue };
        if !excludes("DesiredWeight") {
            (new.weight, new.desired_weight) = (old.weight, old.desired_weight);
        }
        if !excludes("DesiredInstanceCount") && new.instances.is_some() && old.instances.is_some() {
            (new.instances, new.desired_instances) = (old.instances, old.desired_instances);
        }
    }
}

fn deployment_config(input: &Value) -> Option<Value> {
    input.get("DeploymentConfig").filter(|config| config.is_object()).cloned()
}

/// The configuration that a request names, with the models as they are now.
fn deployment(records: &impl Records, context: &Context<'_>, input: &Value) -> Result<Deployment, ApiError> {
    let config = input["EndpointConfigName"].as_str().unwrap_or_default();
    let EndpointConfig { name, mut details, .. } = endpoint_config::existing(records, context, config)?;
    let variants = match details.shift_remove("ProductionVariants") {
        Some(Value::Array(variants)) => variants,
        _ => Vec::new(),
    };
    let variant = |variant: Value| {
        let Value::Object(details) = variant else { return Err(ApiError::internal("a variant is no object")) };
        let weight = details.get("InitialVariantWeight").and_then(Value::as_f64).unwrap_or(1.0);
        let instances = details.get("InitialInstanceCount").and_then(Value::as_u64);
        let text = |member: &str| details.get(member).and_then(Value::as_str).unwrap_or_default();
        Ok(Variant {
            name: text("VariantName").to_owned(),
            weight,
            desired_weight: weight,
            instances,
            desired_instances: instances,
            instance_id: format!("i-0{}", &context.fake.ids.uuid().replace('-', "")[..16]),
            container: container(records, context, text("ModelName"))?,
            details,
        })
    };
    Ok(Deployment {
        id: context.fake.ids.lower(12),
        config: name,
        variants: variants.into_iter().map(variant).collect::<Result<_, _>>()?,
        details,
        started: context.fake.clock.now(),
    })
}

/// The parts of a container definition that say what to run.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    image: Option<String>,
    model_data_url: Option<String>,
    model_package_name: Option<String>,
    model_data_source: Option<Value>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

/// The container of a model, with what its package says where the model names one.
pub(super) fn container(records: &impl Records, context: &Context<'_>, model: &str) -> Result<Container, ApiError> {
    let model = model::existing(records, context, model)?;
    let chain = model.details.get("Containers").and_then(Value::as_array);
    let definition = match (model.details.get("PrimaryContainer"), chain.map(Vec::as_slice)) {
        (Some(primary), _) | (None, Some([primary])) => primary,
        _ => {
            let message = format!("This fake serves models of one container; {} has several.", model.arn);
            return Err(ApiError::validation(message));
        }
    };
    let mut own = Definition::deserialize(definition).map_err(ApiError::internal)?;
    if let Some(package) = &own.model_package_name {
        let package = model_package::existing(records, context, package)?;
        let containers = package.details.get("InferenceSpecification").map(|inference| &inference["Containers"]);
        let Some([definition]) = containers.and_then(Value::as_array).map(Vec::as_slice) else {
            let message = format!("This fake serves model packages of one container; {} has not one.", package.arn);
            return Err(ApiError::validation(message));
        };
        let mut packaged = Definition::deserialize(definition).map_err(ApiError::internal)?;
        packaged.environment.append(&mut own.environment);
        own = packaged;
    }
    if own.model_data_source.is_some() {
        let message =
            format!("This fake serves models that are one model.tar.gz, named by ModelDataUrl: {} is not.", model.arn);
        return Err(ApiError::validation(message));
    }
    let image = own.image.ok_or_else(|| ApiError::validation(format!("{} has no image.", model.arn)))?;
    let role = model.details.get("ExecutionRoleArn").and_then(Value::as_str).map(str::to_owned);
    Ok(Container { image, model_data_url: own.model_data_url, environment: own.environment, role })
}

pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let mut endpoint = at_rest(change, context, name(input))?;
        endpoint.status = Status::Deleting;
        endpoint.modified = context.fake.clock.now();
        change.put(&endpoint)
    })?;
    context.fake.engine.notify();
    Ok(Value::Null)
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let endpoint = context.fake.store.read(|view| existing(view, context, name(input)))?;
    let mut output = json!({
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "EndpointStatus": endpoint.status.as_str(),
        "CreationTime": endpoint.created,
        "LastModifiedTime": endpoint.modified,
    });
    if let Some(deployment) = endpoint.serving.as_ref().or(endpoint.pending.as_ref()) {
        output["EndpointConfigName"] = json!(deployment.config);
        for member in ["AsyncInferenceConfig", "ExplainerConfig"] {
            if let Some(value) = deployment.details.get(member) {
                output[member] = value.clone();
            }
        }
        if let Some(capture) = deployment.details.get("DataCaptureConfig") {
            output["DataCaptureConfig"] = capture_summary(&endpoint, capture);
        }
    }
    if let Some(serving) = &endpoint.serving {
        output["ProductionVariants"] = serving.variants.iter().map(|variant| summary(variant, serving)).collect();
    }
    // A failed endpoint keeps what it could not deploy, and nothing is under way any more.
    if let Some(pending) = endpoint.pending.as_ref().filter(|_| endpoint.status.is_in_progress()) {
        let status = if endpoint.serving.is_some() { "Updating" } else { "Creating" };
        output["PendingDeploymentSummary"] = json!({
            "EndpointConfigName": pending.config,
            "StartTime": pending.started,
            "ProductionVariants":
                pending.variants.iter().map(|variant| pending_summary(variant, pending, status)).collect::<Vec<_>>(),
        });
    }
    if let Some(reason) = &endpoint.failure_reason {
        output["FailureReason"] = json!(reason);
    }
    if let Some(config) = &endpoint.deployment_config {
        output["LastDeploymentConfig"] = config.clone();
    }
    Ok(output)
}

fn capture_summary(endpoint: &Endpoint, capture: &Value) -> Value {
    let enabled = capture["EnableCapture"] == true;
    let started = enabled && endpoint.serving.is_some();
    json!({
        "EnableCapture": enabled,
        "CaptureStatus": if started { "Started" } else { "Stopped" },
        "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
        "DestinationS3Uri": capture["DestinationS3Uri"],
        "KmsKeyId": capture["KmsKeyId"].as_str().unwrap_or_default(),
    })
}

fn summary(variant: &Variant, deployment: &Deployment) -> Value {
    let mut summary = json!({
        "VariantName": variant.name,
        "DeployedImages": [image(variant, deployment)],
        "CurrentWeight": variant.weight,
        "DesiredWeight": variant.desired_weight,
    });
    with_capacity(&mut summary, variant, ["CurrentInstanceCount", "DesiredInstanceCount"]);
    if let Some(routing) = variant.details.get("RoutingConfig") {
        summary["RoutingConfig"] = routing.clone();
    }
    summary
}

fn pending_summary(variant: &Variant, deployment: &Deployment, status: &str) -> Value {
    let mut summary = json!({
        "VariantName": variant.name,
        "DeployedImages": [image(variant, deployment)],
        "CurrentWeight": variant.weight,
        "DesiredWeight": variant.desired_weight,
        "VariantStatus": [{"Status": status, "StartTime": deployment.started}],
    });
    if let Some(instance_type) = variant.details.get("InstanceType") {
        summary["InstanceType"] = instance_type.clone();
    }
    with_capacity(&mut summary, variant, ["CurrentInstanceCount", "DesiredInstanceCount"]);
    summary
}

fn with_capacity(summary: &mut Value, variant: &Variant, [current, desired]: [&str; 2]) {
    match variant.details.get("ServerlessConfig") {
        Some(serverless) => {
            summary["CurrentServerlessConfig"] = serverless.clone();
            summary["DesiredServerlessConfig"] = serverless.clone();
        }
        None => {
            summary[current] = json!(variant.instances.unwrap_or(1));
            summary[desired] = json!(variant.desired_instances.unwrap_or(1));
        }
    }
}

fn image(variant: &Variant, deployment: &Deployment) -> Value {
    json!({
        "SpecifiedImage": variant.container.image,
        "ResolvedImage": variant.container.image,
        "ResolutionTime": deployment.started,
    })
}

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let all = context.fake.store.read(|view| view.list::<Endpoint>(&names::key(context.region, "")))?;
    let all = all.into_iter().filter(|endpoint| {
        paging::name_contains(&endpoint.name, input)
            && input["StatusEquals"].as_str().is_none_or(|status| endpoint.status.as_str() == status)
            && paging::within(endpoint.created, input, "CreationTimeAfter", "CreationTimeBefore")
            && paging::within(endpoint.modified, input, "LastModifiedTimeAfter", "LastModifiedTimeBefore")
    });
    let sort_key = |endpoint: &Endpoint| match input["SortBy"].as_str() {
        Some("Name") => SortKey::name(&endpoint.name),
        Some("Status") => SortKey::name(endpoint.status.as_str()),
        _ => SortKey::time(endpoint.created),
    };
    let (page, token) = paging::page("ListEndpoints", input, Order::Descending, all, sort_key, Record::key)?;
    let shape = |endpoint: &Endpoint| {
        Map::from_iter([
            ("EndpointName".to_owned(), json!(endpoint.name)),
            ("EndpointArn".to_owned(), json!(endpoint.arn)),
            ("CreationTime".to_owned(), json!(endpoint.created)),
            ("LastModifiedTime".to_owned(), json!(endpoint.modified)),
            ("EndpointStatus".to_owned(), json!(endpoint.status.as_str())),
        ])
    };
    Ok(paging::with_token(json!({"Endpoints": page.iter().map(shape).collect::<Vec<_>>()}), token))
}
