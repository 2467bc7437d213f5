//! IAM: users, roles, managed policies, and what ties them together. One file per resource.
//!
//! Documents of policies are kept as they were given; `document` is the one place that looks into them.

pub mod access_key;
mod attachment;
mod aws_managed;
mod boundary;
mod document;
mod entity;
mod inline;
mod page;
pub mod policy;
mod policy_version;
pub mod role;
mod seed;
mod simulate;
mod tags;
pub mod user;

use http::StatusCode;
use serde_json::Value;
use time::format_description::well_known::Rfc3339;

pub(crate) use document::check as check_document;
pub use entity::Entity;
pub use role::Role;
pub(crate) use seed::seed;
pub use user::User;

use crate::clock::Timestamp;
use crate::fake::Context;
use crate::protocol::Service;
use crate::store::Records;
use crate::{ApiError, authorisation};

/// Calls an operation by its name.
///
/// # Errors
/// Those of the operation; `InvalidAction` for one that is not served.
pub fn call(context: &Context<'_>, operation: &str, input: &Value) -> Result<Value, ApiError> {
    Service::Iam.api().check_input(operation, input, "ValidationError")?;
    authorisation::check(context, Service::Iam, operation, input)?;
    match operation {
        "CreateRole" => role::create(context, input),
        "GetRole" => role::get(context, input),
        "ListRoles" => role::list(context, input),
        "UpdateRole" => role::update(context, input),
        "UpdateRoleDescription" => role::update_description(context, input),
        "UpdateAssumeRolePolicy" => role::update_trust(context, input),
        "DeleteRole" => role::delete(context, input),
        "ListInstanceProfilesForRole" => role::instance_profiles(context, input),

        "CreateUser" => user::create(context, input),
        "GetUser" => user::get(context, input),
        "ListUsers" => user::list(context, input),
        "DeleteUser" => user::delete(context, input),
        "ListGroupsForUser" => user::groups(context, input),

        "CreateAccessKey" => access_key::create(context, input),
        "ListAccessKeys" => access_key::list(context, input),
        "UpdateAccessKey" => access_key::update(context, input),
        "DeleteAccessKey" => access_key::delete(context, input),

        "PutRolePolicy" => inline::put::<Role>(context, input),
        "GetRolePolicy" => inline::get::<Role>(context, input),
        "ListRolePolicies" => inline::list::<Role>(context, input),
        "DeleteRolePolicy" => inline::delete::<Role>(context, input),
        "PutUserPolicy" => inline::put::<User>(context, input),
        "GetUserPolicy" => inline::get::<User>(context, input),
        "ListUserPolicies" => inline::list::<User>(context, input),
        "DeleteUserPolicy" => inline::delete::<User>(context, input),

        "AttachRolePolicy" => attachment::attach::<Role>(context, input),
        "DetachRolePolicy" => attachment::detach::<Role>(context, input),
        "ListAttachedRolePolicies" => attachment::list::<Role>(context, input),
        "AttachUserPolicy" => attachment::attach::<User>(context, input),
        "DetachUserPolicy" => attachment::detach::<User>(context, input),
        "ListAttachedUserPolicies" => attachment::list::<User>(context, input),
        "ListEntitiesForPolicy" => attachment::entities(context, input),

        "PutRolePermissionsBoundary" => boundary::put::<Role>(context, input),
        "DeleteRolePermissionsBoundary" => boundary::delete::<Role>(context, input),
        "PutUserPermissionsBoundary" => boundary::put::<User>(context, input),
        "DeleteUserPermissionsBoundary" => boundary::delete::<User>(context, input),

        "CreatePolicy" => policy::create(context, input),
        "GetPolicy" => policy::get(context, input),
        "ListPolicies" => policy::list(context, input),
        "DeletePolicy" => policy::delete(context, input),
        "CreatePolicyVersion" => policy_version::create(context, input),
        "GetPolicyVersion" => policy_version::get(context, input),
        "ListPolicyVersions" => policy_version::list(context, input),
        "SetDefaultPolicyVersion" => policy_version::set_default(context, input),
        "DeletePolicyVersion" => policy_version::delete(context, input),

        "SimulatePrincipalPolicy" => simulate::principal_policy(context, input),
        "SimulateCustomPolicy" => simulate::custom_policy(context, input),
        "GetContextKeysForPrincipalPolicy" => simulate::keys_of_principal_policy(context, input),
        "GetContextKeysForCustomPolicy" => simulate::keys_of_custom_policy(input),

        "TagRole" => tags::tag_entity::<Role>(context, input),
        "UntagRole" => tags::untag_entity::<Role>(context, input),
        "ListRoleTags" => tags::list_of_entity::<Role>(context, input),
        "TagUser" => tags::tag_entity::<User>(context, input),
        "UntagUser" => tags::untag_entity::<User>(context, input),
        "ListUserTags" => tags::list_of_entity::<User>(context, input),
        "TagPolicy" => tags::tag_policy(context, input),
        "UntagPolicy" => tags::untag_policy(context, input),
        "ListPolicyTags" => tags::list_of_policy(context, input),
        other => {
            Err(ApiError::new("InvalidAction", format!("Could not find operation {other} for version 2010-05-08")))
        }
    }
}

/// The role with this ARN, path included.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn role_by_arn(records: &impl Records, arn: &str) -> Result<Option<Role>, ApiError> {
    let name = arn.rsplit('/').next().unwrap_or_default().to_lowercase();
    Ok(records.get::<Role>(&name)?.filter(|role| role.arn == arn))
}

/// A string of the input; empty if it is not given.
fn text<'a>(input: &'a Value, member: &str) -> &'a str {
    input[member].as_str().unwrap_or_default()
}

/// The path that the input gives, or the root.
fn path<'a>(input: &'a Value, member: &str) -> &'a str {
    input[member].as_str().unwrap_or("/")
}

/// A moment as IAM writes it: to the second.
fn date(moment: Timestamp) -> Result<String, ApiError> {
    let whole = moment.date().replace_nanosecond(0).map_err(ApiError::internal)?;
    whole.format(&Rfc3339).map_err(ApiError::internal)
}

fn no_such_entity(message: impl Into<String>) -> ApiError {
    ApiError::new("NoSuchEntity", message).with_status(StatusCode::NOT_FOUND)
}

fn invalid_input(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidInput", message)
}

fn already_exists(message: impl Into<String>) -> ApiError {
    ApiError::new("EntityAlreadyExists", message).with_status(StatusCode::CONFLICT)
}

fn delete_conflict(message: impl Into<String>) -> ApiError {
    ApiError::new("DeleteConflict", message).with_status(StatusCode::CONFLICT)
}

fn limit_exceeded(message: impl Into<String>) -> ApiError {
    ApiError::new("LimitExceeded", message).with_status(StatusCode::CONFLICT)
}
