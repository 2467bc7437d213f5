//! Log groups: made, set up, tagged and deleted.

use serde_json::{Value, json};

use super::{group, group_arn, no_such_group, paged, text};
use crate::ApiError;
use crate::clock::Timestamp;
use crate::fake::Context;
use crate::jobs::logs::{self, Group};
use crate::store::Records;

/// The spans of time that events can be kept for, in days.
const RETENTIONS: [u64; 23] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653, 4018];

/// The most tags of a group.
const MOST_TAGS: usize = 50;

pub(super) fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "logGroupName");
    if logs::groups(context.fake, context.region)?.iter().any(|group| group == name) {
        return Err(ApiError::new("ResourceAlreadyExistsException", "The specified log group already exists"));
    }
    let mut made = Group {
        region: context.region.to_owned(),
        name: name.to_owned(),
        created: context.fake.clock.now(),
        retention_days: None,
        class: input["logGroupClass"].as_str().unwrap_or("STANDARD").to_owned(),
        kms_key_id: input["kmsKeyId"].as_str().map(str::to_owned),
        tags: std::collections::BTreeMap::new(),
    };
    add_tags(&mut made, &input["tags"])?;
    context.fake.store.write(|change| change.put(&made))?;
    Ok(Value::Null)
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let (prefix, contains) = (text(input, "logGroupNamePrefix"), text(input, "logGroupNamePattern").to_lowercase());
    let mut groups = Vec::new();
    for name in logs::groups(context.fake, context.region)? {
        let named = name.starts_with(prefix) && name.to_lowercase().contains(&contains);
        let group = record(context, &name)?;
        let class = input["logGroupClass"].as_str();
        if named && class.is_none_or(|class| class == group.class) {
            groups.push(shape(context, &group));
        }
    }
    paged(input, "logGroups", groups, 50)
}

pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    logs::delete_group(context.fake, context.region, &group(context, input)?)?;
    Ok(Value::Null)
}

pub(super) fn put_retention(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let days = input["retentionInDays"].as_u64().filter(|days| RETENTIONS.contains(days));
    // Inferred: the model says only that this is a number, and the documentation which ones.
    let refused = || {
        let allowed = RETENTIONS.map(|days| days.to_string()).join(", ");
        ApiError::new("InvalidParameterException", format!("retentionInDays must be one of [{allowed}]"))
    };
    let days = days.and_then(|days| u32::try_from(days).ok()).ok_or_else(refused)?;
    change(context, &group(context, input)?, |group| {
        group.retention_days = Some(days);
        Ok(())
    })
}

pub(super) fn delete_retention(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    change(context, &group(context, input)?, |group| {
        group.retention_days = None;
        Ok(())
    })
}

pub(super) fn tag(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    change(context, &of_arn(context, input)?, |group| add_tags(group, &input["tags"]))
}

pub(super) fn untag(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    change(context, &of_arn(context, input)?, |group| {
        for key in input["tagKeys"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            group.tags.remove(key);
        }
        Ok(())
    })
}

pub(super) fn list_tags(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    Ok(json!({"tags": record(context, &of_arn(context, input)?)?.tags}))
}

/// When the oldest events were printed that a group still shows.
pub(super) fn shown_from(context: &Context<'_>, group: &str) -> Result<i64, ApiError> {
    const MILLISECONDS_OF_A_DAY: i64 = 86_400_000;
    let days = record(context, group)?.retention_days;
    Ok(days.map_or(i64::MIN, |days| context.fake.clock.now().0 - i64::from(days) * MILLISECONDS_OF_A_DAY))
}

/// The record of a group that exists: what it would be if it has none yet, as one that came with its first stream.
fn record(context: &Context<'_>, name: &str) -> Result<Group, ApiError> {
    let key = format!("{}{name}", context.region);
    if let Some(group) = context.fake.store.read(|view| view.get::<Group>(&key))? {
        return Ok(group);
    }
    let streams = logs::streams(context.fake, context.region, name, "")?;
    Ok(Group {
        region: context.region.to_owned(),
        name: name.to_owned(),
        created: streams.iter().map(|stream| stream.created).min().unwrap_or(Timestamp(0)),
        retention_days: None,
        class: "STANDARD".to_owned(),
        kms_key_id: None,
        tags: std::collections::BTreeMap::new(),
    })
}

fn change(
    context: &Context<'_>,
    name: &str,
    f: impl FnOnce(&mut Group) -> Result<(), ApiError>,
) -> Result<Value, ApiError> {
    let mut group = record(context, name)?;
    f(&mut group)?;
    context.fake.store.write(|change| change.put(&group))?;
    Ok(Value::Null)
}

/// The group whose ARN the input has.
fn of_arn(context: &Context<'_>, input: &Value) -> Result<String, ApiError> {
    let arn = text(input, "resourceArn").trim_end_matches(":*");
    let known = logs::groups(context.fake, context.region)?.into_iter().find(|group| group_arn(context, group) == arn);
    known.ok_or_else(no_such_group)
}

fn add_tags(group: &mut Group, given: &Value) -> Result<(), ApiError> {
    for (key, value) in given.as_object().into_iter().flatten() {
        group.tags.insert(key.clone(), value.as_str().unwrap_or_default().to_owned());
    }
    if group.tags.len() > MOST_TAGS {
        let message = format!("The number of tags of {} would exceed the limit of {MOST_TAGS}.", group.name);
        return Err(ApiError::new("TooManyTagsException", message));
    }
    Ok(())
}

fn shape(context: &Context<'_>, group: &Group) -> Value {
    let arn = group_arn(context, &group.name);
    let mut shape = json!({
        "logGroupName": group.name, "creationTime": group.created.0, "metricFilterCount": 0, "storedBytes": 0,
        "arn": format!("{arn}:*"), "logGroupArn": arn, "logGroupClass": group.class,
    });
    if let Some(days) = group.retention_days {
        shape["retentionInDays"] = json!(days);
    }
    if let Some(key) = &group.kms_key_id {
        shape["kmsKeyId"] = json!(key);
    }
    shape
}
