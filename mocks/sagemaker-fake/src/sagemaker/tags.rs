//! Tags: of every resource that has an ARN.
//!
//! Every resource that can have tags has a record here from its creation to its deletion, even if it has none: so this
//! file knows which ARNs there are, without knowing the kinds of resources.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::model_package;
use super::paging::{self, Order, SortKey};
use crate::ApiError;
use crate::fake::Context;
use crate::store::{Change, Record, Records};

/// The most tags that a resource may have.
const MOST: usize = 50;

/// SageMaker's sentence about tags of a version of a model package.
pub(super) const OF_VERSIONS: &str =
    "Tags are not supported in Model Package versions. Please add them to the Model Package Group";

/// The tags of one resource.
#[derive(Debug, Serialize, Deserialize)]
pub struct ResourceTags {
    arn: String,
    tags: Vec<Tag>,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// Unique on its resource; case matters.
    pub key: String,
    /// May be empty.
    pub value: String,
}

impl Record for ResourceTags {
    const KIND: &'static str = "tags";
    fn key(&self) -> String {
        self.arn.to_lowercase()
    }
}

/// A resource comes into being, with the `Tags` of the request that creates it.
///
/// # Errors
/// `ValidationException` for tags that AWS refuses.
pub fn create(change: &mut Change<'_>, arn: &str, input: &Value) -> Result<(), ApiError> {
    let tags = read(&input["Tags"])?;
    change.put(&ResourceTags { arn: arn.to_owned(), tags })
}

/// A resource is gone.
///
/// # Errors
/// An internal failure when the store cannot be written.
pub fn delete(change: &mut Change<'_>, arn: &str) -> Result<(), ApiError> {
    change.delete::<ResourceTags>(&arn.to_lowercase()).map(drop)
}

/// The tags of a resource; none if there is no such resource.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn of(records: &impl Records, arn: &str) -> Result<Vec<Tag>, ApiError> {
    Ok(records.get::<ResourceTags>(&arn.to_lowercase())?.map(|resource| resource.tags).unwrap_or_default())
}

pub(super) fn add_tags(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let new = read(&input["Tags"])?;
    context.fake.store.write(|change| {
        let mut resource = existing(change, context, input)?;
        resource.tags.retain(|tag| new.iter().all(|new| new.key != tag.key));
        resource.tags.extend(new);
        if resource.tags.len() > MOST {
            return Err(ApiError::validation(format!(
                "The number of tags of {} would exceed the limit of {MOST}.",
                resource.arn
            )));
        }
        change.put(&resource)?;
        Ok(json!({"Tags": resource.tags}))
    })
}

pub(super) fn list_tags(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let resource = context.fake.store.read(|view| existing(view, context, input))?;
    let mut all = input.clone();
    if all["MaxResults"].is_null() {
        all["MaxResults"] = json!(MOST);
    }
    let tags = resource.tags.into_iter().enumerate();
    let position = |(index, _): &(usize, Tag)| SortKey::Number(i64::try_from(*index).unwrap_or(i64::MAX));
    let (tags, token) = paging::page("ListTags", &all, Order::Ascending, tags, position, |(_, tag)| tag.key.clone())?;
    Ok(paging::with_token(json!({"Tags": tags.into_iter().map(|(_, tag)| tag).collect::<Vec<_>>()}), token))
}

pub(super) fn delete_tags(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let mut resource = existing(change, context, input)?;
        let gone: Vec<_> = input["TagKeys"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        resource.tags.retain(|tag| !gone.contains(&tag.key.as_str()));
        change.put(&resource)?;
        Ok(json!({}))
    })
}

fn existing(records: &impl Records, context: &Context<'_>, input: &Value) -> Result<ResourceTags, ApiError> {
    let arn = input["ResourceArn"].as_str().unwrap_or_default();
    records.get(&arn.to_lowercase())?.ok_or_else(|| match model_package::existing(records, context, arn) {
        // A version has no record here. That AWS says so of calls other than CreateModelPackage is inferred.
        Ok(_) => ApiError::validation(OF_VERSIONS),
        Err(_) => ApiError::validation("Resource does not exist."),
    })
}

fn read(tags: &Value) -> Result<Vec<Tag>, ApiError> {
    if tags.is_null() {
        return Ok(Vec::new());
    }
    let tags = Vec::<Tag>::deserialize(tags).map_err(ApiError::internal)?;
    for (index, tag) in tags.iter().enumerate() {
        if tag.key.to_lowercase().starts_with("aws:") {
            return Err(ApiError::validation("Tag keys that begin with aws: are reserved for AWS use."));
        }
        if tags[..index].iter().any(|other| other.key == tag.key) {
            return Err(ApiError::validation(format!("Duplicate tag key: {}", tag.key)));
        }
    }
    Ok(tags)
}
