//! Resource policies of model package groups: who of other accounts may use their packages. The fake keeps them; there is
//! no other account that they could let in.

use iam_policy::{Kind, Policy};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::model_package_group::ModelPackageGroup;
use super::names;
use crate::ApiError;
use crate::fake::Context;
use crate::store::{Change, Record, Records};

/// The policy of a group, as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupPolicy {
    region: String,
    group: String,
    policy: String,
}

impl Record for GroupPolicy {
    const KIND: &'static str = "model-package-group-policy";
    fn key(&self) -> String {
        names::key(&self.region, &self.group)
    }
}

pub(super) fn put(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let policy = input["ResourcePolicy"].as_str().unwrap_or_default();
    // AWS refuses what is no policy; its sentence is not known.
    Policy::parse(policy, Kind::Resource)
        .map_err(|problem| ApiError::validation(format!("Invalid resource policy: {problem}")))?;
    context.fake.store.write(|change| {
        let group = of(change, context, input)?;
        change.put(&GroupPolicy { region: group.region, group: group.name, policy: policy.to_owned() })?;
        Ok(json!({"ModelPackageGroupArn": group.arn}))
    })
}

pub(super) fn get(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let found = context.fake.store.read(|view| existing(view, context, input))?;
    Ok(json!({"ResourcePolicy": found.policy}))
}

pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let policy = existing(change, context, input)?;
        change.delete::<GroupPolicy>(&policy.key())?;
        Ok(Value::Null)
    })
}

/// A group is deleted: its policy goes with it.
pub(super) fn delete_with(change: &mut Change<'_>, group: &ModelPackageGroup) -> Result<(), ApiError> {
    change.delete::<GroupPolicy>(&group.key()).map(drop)
}

fn existing(records: &impl Records, context: &Context<'_>, input: &Value) -> Result<GroupPolicy, ApiError> {
    let group = of(records, context, input)?;
    let found = records.get(&group.key())?;
    found.ok_or_else(|| ApiError::validation(format!("Cannot find resource policy for: {}", group.arn)))
}

/// The group that a request names. These operations have a sentence of their own for one that does not exist, which
/// Terraform and CloudFormation look for.
fn of(records: &impl Records, context: &Context<'_>, input: &Value) -> Result<ModelPackageGroup, ApiError> {
    let name = input["ModelPackageGroupName"].as_str().unwrap_or_default();
    let found = names::plain(context, "model-package-group", name)
        .map(|name| records.get(&names::key(context.region, name)))
        .transpose()?
        .flatten();
    found.ok_or_else(|| {
        let arn = context.sagemaker_arn(&format!("model-package-group/{name}"));
        ApiError::validation(format!("Cannot find Model Package Group: {arn}"))
    })
}
