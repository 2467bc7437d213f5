//! Models: images and data that an endpoint can serve.

use iam_policy::generate::Repository;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::names;
use super::paging::{self, Order, SortKey};
use super::{model_package, tags};
use crate::authorisation::Work;
use crate::clock::Timestamp;
use crate::fake::Context;
use crate::protocol::Service;
use crate::store::{Change, Record, Records};
use crate::{ApiError, ecr, iam, s3};

/// A model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Its region.
    pub region: String,
    /// Its name, in the case it was given in.
    pub name: String,
    /// `arn:aws:sagemaker:REGION:ACCOUNT:model/NAME`, the name in lower case.
    pub arn: String,
    /// What it was given, in AWS's own shape: `PrimaryContainer`, `Containers`, `ExecutionRoleArn`, `VpcConfig` ...
    pub details: Map<String, Value>,
    /// When it was made.
    pub created: Timestamp,
}

impl Record for Model {
    const KIND: &'static str = "model";
    fn key(&self) -> String {
        names::key(&self.region, &self.name)
    }
}

/// The model of this name.
///
/// # Errors
/// `ValidationException`: SageMaker declares no other for a model that does not exist.
pub fn existing(records: &impl Records, context: &Context<'_>, name: &str) -> Result<Model, ApiError> {
    let found = records.get(&names::key(context.region, name))?;
    found.ok_or_else(|| ApiError::validation(format!("Could not find model \"{}\".", arn(context, name))))
}

fn arn(context: &Context<'_>, name: &str) -> String {
    context.sagemaker_arn(&format!("model/{}", name.to_lowercase()))
}

pub(super) fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let name = input["ModelName"].as_str().unwrap_or_default();
    let arn = arn(context, name);
    let containers = containers(input)?;
    let mut details = Service::SageMaker.api().members_of_output("DescribeModel", input);
    details.remove("ModelName");
    details.get_mut("PrimaryContainer").into_iter().for_each(with_defaults);
    details.get_mut("Containers").and_then(Value::as_array_mut).into_iter().flatten().for_each(with_defaults);
    // Objects are looked up before the transaction begins: S3 reads the store itself.
    for container in &containers {
        if let Some(image) = container["Image"].as_str() {
            let found = ecr::look_up(context.fake, image).map_err(|none| none.of_model(image))?;
            found.map_or(Ok(()), |found| ecr::check_media_type(&found, image))?;
        }
        if let Some(url) = container["ModelDataUrl"].as_str() {
            check_model_data(context, url, input["ExecutionRoleArn"].as_str(), &arn)?;
        }
    }
    context.fake.store.write(|change| {
        if let Some(existing) = change.get::<Model>(&names::key(context.region, name))? {
            return Err(ApiError::validation(format!("Cannot create already existing model \"{}\".", existing.arn)));
        }
        check_role(change, input["ExecutionRoleArn"].as_str())?;
        for container in &containers {
            if let Some(package) = container["ModelPackageName"].as_str() {
                model_package::existing(change, context, package)?;
            }
        }
        change.put(&Model {
            region: context.region.to_owned(),
            name: name.to_owned(),
            arn: arn.clone(),
            details,
            created: context.fake.clock.now(),
        })?;
        tags::create(change, &arn, input)?;
        Ok(json!({"ModelArn": arn}))
    })
}

/// The containers of a request: the primary one, or the chain.
fn containers(input: &Value) -> Result<Vec<Value>, ApiError> {
    let containers = match (&input["PrimaryContainer"], input["Containers"].as_array()) {
        (Value::Null, None) => Vec::new(),
        (Value::Null, Some(chain)) => chain.clone(),
        (primary, None) => vec![primary.clone()],
        (_, Some(_)) => {
            return Err(ApiError::validation("Only one of PrimaryContainer and Containers can be specified."));
        }
    };
    if containers.is_empty() {
        return Err(ApiError::validation("Either PrimaryContainer or Containers must be specified."));
    }
    for container in &containers {
        match (&container["Image"], &container["ModelPackageName"]) {
            (Value::Null, Value::Null) => {
                return Err(ApiError::validation(
                    "Container definition must specify either Image or ModelPackageName.",
                ));
            }
            (Value::Null, _) => {}
            (image, Value::Null) => check_image(image, &container["ImageConfig"])?,
            _ => {
                return Err(ApiError::validation(
                    "Container definition cannot specify both Image and ModelPackageName.",
                ));
            }
        }
    }
    Ok(containers)
}

/// An image of another registry than ECR must be one that is reached through a VPC.
fn check_image(image: &Value, config: &Value) -> Result<(), ApiError> {
    let image = image.as_str().unwrap_or_default();
    if Repository::of_image(image).is_some() || config["RepositoryAccessMode"] == "Vpc" {
        return Ok(());
    }
    Err(ApiError::validation(format!(
        "Using non-ECR image \"{image}\" without Vpc repository access mode is not supported."
    )))
}

/// What AWS answers of a container even if it was not given.
fn with_defaults(container: &mut Value) {
    if let Value::Object(members) = container {
        members.entry("Mode").or_insert_with(|| json!("SingleModel"));
        members.entry("Environment").or_insert_with(|| json!({}));
    }
}

/// Whether the data of a model are there, and its role may read them. Without a role nobody looks.
fn check_model_data(context: &Context<'_>, url: &str, role: Option<&str>, arn: &str) -> Result<(), ApiError> {
    let place = url.strip_prefix("s3://").and_then(|path| path.split_once('/'));
    if let (Some(role), Some((bucket, key))) = (role, place) {
        let work = Work::start(context.fake, context.region, role, arn)?;
        let readable = work.is_ok_and(|work| !work.get(bucket, key).is_err_and(|error| error.code == "AccessDenied"));
        if !readable {
            return Err(ApiError::validation(format!(
                "Could not access model data at {url}. Please ensure that the role \"{role}\" exists and that its trust relationship policy \
                 allows the action \"sts:AssumeRole\" for the service principal \"sagemaker.amazonaws.com\". Also ensure that the role \
                 has \"s3:GetObject\" permissions and that the object is located in {}.",
                context.region
            )));
        }
    }
    let object = place.and_then(|(bucket, key)| s3::get(context.fake, bucket, key).ok().flatten());
    object.map(drop).ok_or_else(|| ApiError::validation(format!("Could not find model data at {url}.")))
}

fn check_role(change: &Change<'_>, role: Option<&str>) -> Result<(), ApiError> {
    let Some(role) = role else { return Ok(()) };
    if iam::role_by_arn(change, role)?.is_some() {
        return Ok(());
    }
    Err(ApiError::validation(invalid_role(role)))
}

/// SageMaker's sentence about a role that does not exist, or does not let it in.
pub(crate) fn invalid_role(role: &str) -> String {
    format!(
        "The execution role ARN \"{role}\" is invalid. Please ensure that the role exists and that its trust relationship policy allows \
         the action \"sts:AssumeRole\" for the service principal \"sagemaker.amazonaws.com\"."
    )
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let model =
        context.fake.store.read(|view| existing(view, context, input["ModelName"].as_str().unwrap_or_default()))?;
    let mut output =
        Map::from_iter([("ModelName".to_owned(), json!(model.name)), ("ModelArn".to_owned(), json!(model.arn))]);
    output.extend(model.details);
    output.insert("CreationTime".to_owned(), json!(model.created));
    output.entry("EnableNetworkIsolation").or_insert(json!(false));
    Ok(Value::Object(output))
}

pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let model = existing(change, context, input["ModelName"].as_str().unwrap_or_default())?;
        change.delete::<Model>(&model.key())?;
        tags::delete(change, &model.arn)?;
        Ok(Value::Null)
    })
}

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let models = context.fake.store.read(|view| view.list::<Model>(&names::key(context.region, "")))?;
    let models = models.into_iter().filter(|model| {
        paging::name_contains(&model.name, input)
            && paging::within(model.created, input, "CreationTimeAfter", "CreationTimeBefore")
    });
    let by_name = input["SortBy"] == "Name";
    let sort_key = |model: &Model| if by_name { SortKey::name(&model.name) } else { SortKey::time(model.created) };
    let (page, token) = paging::page("ListModels", input, Order::Descending, models, sort_key, Record::key)?;
    let shape = |model: &Model| json!({"ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created});
    Ok(paging::with_token(json!({"Models": page.iter().map(shape).collect::<Vec<_>>()}), token))
}
