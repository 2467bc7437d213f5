//! The resource policies of model package groups, by which a group is shared with other accounts. There are none of these
//! here: a policy is checked and kept, and lets nobody in who was not in before.

use iam_policy::{Kind, document};
use serde_json::{Value, json};

use super::model_package_group::{self, ModelPackageGroup};
use crate::ApiError;
use crate::fake::Context;
use crate::store::Records;

pub(super) fn put(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let policy = input["ResourcePolicy"].as_str().unwrap_or_default();
    let (parsed, problems) = document::check(policy, Kind::Resource);
    if parsed.is_none() {
        let said = problems.iter().find_map(|problem| problem.aws.as_ref()).map(|said| said.message.as_str());
        // Inferred: AWS's words for a policy that cannot be read are not documented.
        let message = format!("Invalid resource policy: {}", said.unwrap_or("Syntax errors in policy."));
        return Err(ApiError::validation(message));
    }
    context.fake.store.write(|change| {
        let mut group = existing(change, context, input)?;
        group.policy = Some(policy.to_owned());
        change.put(&group)?;
        Ok(json!({"ModelPackageGroupArn": group.arn}))
    })
}

pub(super) fn get(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let group = context.fake.store.read(|view| existing(view, context, input))?;
    let policy = group.policy.ok_or_else(|| none(&group.arn))?;
    Ok(json!({"ResourcePolicy": policy}))
}

pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let mut group = existing(change, context, input)?;
        group.policy.take().ok_or_else(|| none(&group.arn))?;
        change.put(&group)
    })?;
    Ok(Value::Null)
}

/// The group that the input names. Terraform knows by these words, and by those of [`none`], that a policy is gone: they
/// are not those of the group's own operations.
fn existing(records: &impl Records, context: &Context<'_>, input: &Value) -> Result<ModelPackageGroup, ApiError> {
    let name = input["ModelPackageGroupName"].as_str().unwrap_or_default();
    model_package_group::find(records, context, name)?.ok_or_else(|| {
        ApiError::validation(format!("Cannot find Model Package Group: {}", model_package_group::arn(context, name)))
    })
}

fn none(arn: &str) -> ApiError {
    ApiError::validation(format!("Cannot find resource policy for: {arn}"))
}
