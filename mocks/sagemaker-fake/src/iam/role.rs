//! Roles.

use std::ops::{Deref, DerefMut};

use iam_policy::Kind;
use iam_policy::document::PrincipalPattern;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::entity::{self, Entity, EntityRecord};
use super::page::page;
use super::{User, document, limit_exceeded, path, text};
use crate::ApiError;
use crate::fake::Context;
use crate::protocol;
use crate::store::{Record, Records};

/// The longest session of a role that says nothing else.
pub const DEFAULT_SESSION_SECONDS: u32 = 3600;

/// The most characters of a trust policy, without white space.
const TRUST_LIMIT: usize = 2048;

/// An IAM role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// What users have too.
    #[serde(flatten)]
    pub entity: Entity,
    /// Free text.
    pub description: Option<String>,
    /// The longest session that may be asked for.
    pub max_session_duration_seconds: u32,
    /// The trust policy, as JSON text.
    pub trust: String,
}

impl Deref for Role {
    type Target = Entity;
    fn deref(&self) -> &Entity {
        &self.entity
    }
}

impl DerefMut for Role {
    fn deref_mut(&mut self) -> &mut Entity {
        &mut self.entity
    }
}

impl Record for Role {
    const KIND: &'static str = "role";
    /// IAM is global, and role names are unique whatever their case.
    fn key(&self) -> String {
        self.name.to_lowercase()
    }
}

impl EntityRecord for Role {
    const NOUN: &'static str = "Role";
    const ID_PREFIX: &'static str = "AROA";
    const INLINE_LIMIT: usize = 10_240;
}

/// Makes a role.
///
/// # Errors
/// `EntityAlreadyExists`, `MalformedPolicyDocument`, `LimitExceeded`, `NoSuchEntity` for its boundary, `InvalidInput`.
pub fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let trust = text(input, "AssumeRolePolicyDocument");
    let role = context.fake.store.write(|change| {
        let entity = entity::new::<Role>(context, change, input)?;
        check_trust(change, trust, context.fake.account())?;
        let role = Role {
            entity,
            description: input["Description"].as_str().map(str::to_owned),
            max_session_duration_seconds: session_seconds(input).unwrap_or(DEFAULT_SESSION_SECONDS),
            trust: trust.to_owned(),
        };
        change.put(&role)?;
        Ok(role)
    })?;
    let mut shape = shape(&role)?;
    entity::add_details(&mut shape, &role);
    Ok(json!({"Role": shape}))
}

/// A role. When it was last used is known as long as its calls are remembered.
///
/// # Errors
/// `NoSuchEntity`.
pub fn get(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let role = entity::of_input::<Role>(context, input)?;
    let mut shape = shape(&role)?;
    entity::add_details(&mut shape, &role);
    let session = format!("arn:aws:sts::{}:assumed-role/{}/", context.fake.account(), role.name);
    shape["RoleLastUsed"] = match context.fake.calls.last_of(&session) {
        Some(call) => json!({"LastUsedDate": super::date(call.time)?, "Region": call.region}),
        None => json!({}),
    };
    Ok(json!({"Role": shape}))
}

/// The roles under a path, by name.
///
/// # Errors
/// `ValidationError` for a wrong marker.
pub fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let prefix = path(input, "PathPrefix");
    let roles = context.fake.store.read(|view| view.list::<Role>(""))?;
    page(input, roles.into_iter().filter(|role| role.path.starts_with(prefix)), Role::key)?.answer("Roles", shape)
}

/// Changes the description or the longest session.
///
/// # Errors
/// `NoSuchEntity`.
pub fn update(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    entity::change::<Role>(context, input, |_, role| {
        if let Some(description) = input["Description"].as_str() {
            role.description = Some(description.to_owned());
        }
        role.max_session_duration_seconds = session_seconds(input).unwrap_or(role.max_session_duration_seconds);
        Ok(())
    })?;
    Ok(json!({}))
}

/// Changes the description alone: an older operation, which answers the role.
///
/// # Errors
/// `NoSuchEntity`.
pub fn update_description(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    update(context, input)?;
    get(context, input)
}

/// Replaces the trust policy.
///
/// # Errors
/// `NoSuchEntity`, `MalformedPolicyDocument`, `LimitExceeded`.
pub fn update_trust(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let trust = text(input, "PolicyDocument");
    entity::change::<Role>(context, input, |change, role| {
        check_trust(change, trust, context.fake.account())?;
        role.trust = trust.to_owned();
        Ok(())
    })
}

/// Deletes a role that has no policies any more.
///
/// # Errors
/// `NoSuchEntity`, `DeleteConflict`.
pub fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let role = entity::named::<Role>(change, text(input, "RoleName"))?;
        entity::check_deletable(&role)?;
        change.delete::<Role>(&role.key())
    })?;
    Ok(Value::Null)
}

/// No instance profile has a role here: instance profiles are for EC2.
///
/// # Errors
/// `NoSuchEntity`.
pub fn instance_profiles(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    entity::of_input::<Role>(context, input)?;
    Ok(json!({"InstanceProfiles": [], "IsTruncated": false}))
}

fn session_seconds(input: &Value) -> Option<u32> {
    input["MaxSessionDuration"].as_u64().and_then(|seconds| u32::try_from(seconds).ok())
}

fn check_trust(records: &impl Records, trust: &str, account: &str) -> Result<(), ApiError> {
    if document::size(trust) > TRUST_LIMIT {
        return Err(limit_exceeded(format!("Cannot exceed quota for ACLSizePerRole: {TRUST_LIMIT}")));
    }
    let policy = document::check(trust, Kind::Trust)?;
    let principals = policy.statements.iter().filter_map(|statement| statement.principals.as_ref());
    for principal in principals.flat_map(|principals| &principals.members) {
        if let PrincipalPattern::Aws(arn) = principal
            && !may_exist(records, arn, account)?
        {
            let message = format!("Invalid principal in policy: \"AWS\":\"{arn}\"");
            return Err(ApiError::new("MalformedPolicyDocument", message));
        }
    }
    Ok(())
}

/// Whether a principal is there; those of other accounts may be. IAM keeps their ids, and so has to find them.
fn may_exist(records: &impl Records, arn: &str, account: &str) -> Result<bool, ApiError> {
    let Some((kind, path)) =
        arn.strip_prefix(&format!("arn:aws:iam::{account}:")).and_then(|rest| rest.split_once('/'))
    else {
        return Ok(true);
    };
    let name = path.rsplit('/').next().unwrap_or_default().to_lowercase();
    Ok(match kind {
        "role" => records.get::<Role>(&name)?.is_some_and(|role| role.arn == arn),
        "user" => records.get::<User>(&name)?.is_some_and(|user| user.arn == arn),
        // Groups and identity providers are not among those that a policy means by `AWS`.
        _ => false,
    })
}

fn shape(role: &Role) -> Result<Value, ApiError> {
    let mut shape = entity::summary::<Role>(role)?;
    shape["AssumeRolePolicyDocument"] = json!(protocol::encode(&role.trust));
    if let Some(description) = &role.description {
        shape["Description"] = json!(description);
    }
    shape["MaxSessionDuration"] = json!(role.max_session_duration_seconds);
    Ok(shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_of_an_older_state_has_no_policies_yet() {
        let role: Role = serde_json::from_value(json!({
            "arn": "arn:aws:iam::111122223333:role/r", "role_id": "AROAX", "name": "r", "path": "/", "description": null,
            "max_session_duration_seconds": 3600, "trust": "{}", "created": 1.5,
        }))
        .unwrap();
        assert_eq!((role.id.as_str(), role.inline_policies.len(), role.created.0), ("AROAX", 0, 1500));
        let again: Role = serde_json::from_value(serde_json::to_value(&role).unwrap()).unwrap();
        assert_eq!(again, role);
    }
}
