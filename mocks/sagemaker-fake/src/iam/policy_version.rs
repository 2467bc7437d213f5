//! Versions of managed policies.

use serde_json::{Value, json};

use super::page::page;
use super::policy::{self, Policy, Version};
use super::{delete_conflict, limit_exceeded, no_such_entity, text};
use crate::ApiError;
use crate::fake::Context;
use crate::protocol;

/// The most versions of one policy.
const MOST_VERSIONS: usize = 5;

/// Adds a version.
///
/// # Errors
/// Those of [`policy::own`]; `MalformedPolicyDocument`, `LimitExceeded`.
pub fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let text = text(input, "PolicyDocument");
    let mut made = Value::Null;
    policy::change(context, "iam:CreatePolicyVersion", input, |policy| {
        policy::check_document(text)?;
        if policy.versions.len() >= MOST_VERSIONS {
            return Err(limit_exceeded(format!(
                "A managed policy can have up to {MOST_VERSIONS} versions. Before you create a new version, you must \
                 delete an existing version."
            )));
        }
        let (number, created) = (policy.last_version + 1, context.fake.clock.now());
        let version = Version { number, document: text.to_owned(), created };
        if input["SetAsDefault"] == true {
            policy.default_version = number;
        }
        made = shape(policy, &version)?;
        policy.versions.push(version);
        policy.last_version = number;
        policy.updated = created;
        Ok(())
    })?;
    Ok(json!({"PolicyVersion": made}))
}

/// A version, with its document.
///
/// # Errors
/// `NoSuchEntity`, `InvalidInput` for what is no ARN.
pub fn get(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let policy = context.fake.store.read(|view| policy::existing(view, text(input, "PolicyArn")))?;
    let version = &policy.versions[place(&policy, input)?];
    let mut shape = shape(&policy, version)?;
    shape["Document"] = json!(protocol::encode(&version.document));
    Ok(json!({"PolicyVersion": shape}))
}

/// The versions, newest first, without their documents.
///
/// # Errors
/// `NoSuchEntity`, `InvalidInput` for what is no ARN.
pub fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let policy = context.fake.store.read(|view| policy::existing(view, text(input, "PolicyArn")))?;
    page(input, &policy.versions, |version| format!("{:010}", u32::MAX - version.number))?
        .answer("Versions", |version| shape(&policy, version))
}

/// Puts a version in force.
///
/// # Errors
/// Those of [`policy::own`]; `NoSuchEntity` for the version.
pub fn set_default(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    policy::change(context, "iam:SetDefaultPolicyVersion", input, |policy| {
        policy.default_version = policy.versions[place(policy, input)?].number;
        Ok(())
    })
}

/// Deletes a version that is not in force.
///
/// # Errors
/// Those of [`policy::own`]; `NoSuchEntity` for the version, `DeleteConflict` for the one in force.
pub fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    policy::change(context, "iam:DeletePolicyVersion", input, |policy| {
        let place = place(policy, input)?;
        if policy.versions[place].number == policy.default_version {
            return Err(delete_conflict("Cannot delete the default version of a policy."));
        }
        policy.versions.remove(place);
        Ok(())
    })
}

/// Where among the versions the one is that the input names.
fn place(policy: &Policy, input: &Value) -> Result<usize, ApiError> {
    let id = text(input, "VersionId");
    policy.versions.iter().position(|version| format!("v{}", version.number) == id).ok_or_else(|| {
        no_such_entity(format!("Policy {} version {id} does not exist or is not attachable.", policy.arn))
    })
}

fn shape(policy: &Policy, version: &Version) -> Result<Value, ApiError> {
    Ok(json!({
        "VersionId": format!("v{}", version.number),
        "IsDefaultVersion": version.number == policy.default_version,
        "CreateDate": super::date(version.created)?,
    }))
}
