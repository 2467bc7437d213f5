//! Tags of users, roles and managed policies.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::entity::{self, EntityRecord};
use super::page::page;
use super::{limit_exceeded, policy, text};
use crate::ApiError;
use crate::fake::Context;

type Tags = BTreeMap<String, String>;

/// The most tags on one resource.
const MOST_TAGS: usize = 50;

/// Adds tags to a role or a user.
///
/// # Errors
/// `NoSuchEntity`; those of [`added`].
pub fn tag_entity<E: EntityRecord>(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    entity::change::<E>(context, input, |_, entity| {
        entity.tags = added(std::mem::take(&mut entity.tags), input)?;
        Ok(())
    })
}

/// Removes tags from a role or a user.
///
/// # Errors
/// `NoSuchEntity`.
pub fn untag_entity<E: EntityRecord>(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    entity::change::<E>(context, input, |_, entity| {
        remove(&mut entity.tags, input);
        Ok(())
    })
}

/// The tags of a role or a user.
///
/// # Errors
/// `NoSuchEntity`.
pub fn list_of_entity<E: EntityRecord>(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    list(input, &entity::of_input::<E>(context, input)?.tags)
}

/// Adds tags to a managed policy.
///
/// # Errors
/// Those of [`policy::own`] and [`added`].
pub fn tag_policy(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    policy::change(context, "iam:TagPolicy", input, |policy| {
        policy.tags = added(std::mem::take(&mut policy.tags), input)?;
        Ok(())
    })
}

/// Removes tags from a managed policy.
///
/// # Errors
/// Those of [`policy::own`].
pub fn untag_policy(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    policy::change(context, "iam:UntagPolicy", input, |policy| {
        remove(&mut policy.tags, input);
        Ok(())
    })
}

/// The tags of a managed policy.
///
/// # Errors
/// `NoSuchEntity`.
pub fn list_of_policy(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    list(input, &context.fake.store.read(|view| policy::existing(view, text(input, "PolicyArn")))?.tags)
}

/// These tags and those of the input. A key replaces one that differs from it only in case.
///
/// # Errors
/// `InvalidInput` for a key that is given twice or is AWS's own, `LimitExceeded` when there are too many.
pub fn added(mut tags: Tags, input: &Value) -> Result<Tags, ApiError> {
    let given: Vec<_> =
        input["Tags"].as_array().into_iter().flatten().map(|tag| (text(tag, "Key"), text(tag, "Value"))).collect();
    for (index, (key, value)) in given.iter().enumerate() {
        if given[..index].iter().any(|(other, _)| other.to_lowercase() == key.to_lowercase()) {
            let message = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(ApiError::new("InvalidInput", message));
        }
        if key.to_lowercase().starts_with("aws:") {
            let message = "aws: prefixed tag key names are not allowed for external use.";
            return Err(ApiError::new("InvalidInput", message));
        }
        tags.retain(|known, _| known.to_lowercase() != key.to_lowercase());
        tags.insert((*key).to_owned(), (*value).to_owned());
    }
    if tags.len() > MOST_TAGS {
        return Err(limit_exceeded("The number of tags has reached the maximum limit."));
    }
    Ok(tags)
}

/// Tags as answers show them.
pub fn shape(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

fn remove(tags: &mut Tags, input: &Value) {
    let keys: Vec<_> = input["TagKeys"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    tags.retain(|known, _| !keys.iter().any(|key| key.to_lowercase() == known.to_lowercase()));
}

/// Keys of tags may be too long for a marker, so the place in the list stands for them.
fn list(input: &Value, tags: &Tags) -> Result<Value, ApiError> {
    page(input, tags.iter().enumerate(), |(place, _)| format!("{place:03}"))?
        .answer("Tags", |(_, (key, value))| Ok(json!({"Key": key, "Value": value})))
}
