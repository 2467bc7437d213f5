//! Which managed policies are attached to which users and roles.

use serde_json::{Value, json};

use super::entity::{self, Entity, EntityRecord};
use super::page::page;
use super::{Role, User, limit_exceeded, path, policy, text};
use crate::ApiError;
use crate::fake::Context;
use crate::store::Records;

/// The most managed policies that can be attached to one user or role.
const MOST_ATTACHED: usize = 10;

/// Attaches a managed policy. That it is attached already is no error.
///
/// # Errors
/// `NoSuchEntity` for the entity or the policy, `InvalidInput` for what is no ARN, `LimitExceeded`.
pub fn attach<E: EntityRecord>(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let arn = text(input, "PolicyArn");
    entity::change::<E>(context, input, |change, entity| {
        policy::existing(change, arn)?;
        entity.attached_policies.insert(arn.to_owned());
        if entity.attached_policies.len() > MOST_ATTACHED {
            return Err(limit_exceeded(format!("Cannot exceed quota for PoliciesPer{}: {MOST_ATTACHED}", E::NOUN)));
        }
        Ok(())
    })
}

/// Detaches a managed policy.
///
/// # Errors
/// `NoSuchEntity` for the entity, or when the policy is not attached; `InvalidInput` for what is no ARN.
pub fn detach<E: EntityRecord>(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let arn = text(input, "PolicyArn");
    entity::change::<E>(context, input, |_, entity| {
        policy::check_arn(arn)?;
        if entity.attached_policies.remove(arn) { Ok(()) } else { Err(policy::not_found(arn)) }
    })
}

/// The managed policies that are attached to a user or role.
///
/// # Errors
/// `NoSuchEntity`.
pub fn list<E: EntityRecord>(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let entity = entity::of_input::<E>(context, input)?;
    let prefix = path(input, "PathPrefix");
    let attached = entity.attached_policies.iter().filter(|arn| policy::path_of(arn).starts_with(prefix));
    page(input, attached, |arn| policy::sort_key(arn))?
        .answer("AttachedPolicies", |arn| Ok(json!({"PolicyName": policy::name_of(arn), "PolicyArn": arn})))
}

/// The users and roles that a managed policy is attached to, or that it bounds. There are no groups here.
///
/// # Errors
/// `NoSuchEntity`, `InvalidInput` for what is no ARN.
pub fn entities(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let arn = text(input, "PolicyArn");
    let (filter, usage) = (input["EntityFilter"].as_str(), input["PolicyUsageFilter"].as_str());
    let prefix = path(input, "PathPrefix");
    let (users, roles) = context.fake.store.read(|view| {
        policy::existing(view, arn)?;
        Ok((view.list::<User>("")?, view.list::<Role>("")?))
    })?;
    let wanted = |noun: &str, entity: &Entity| {
        let attached = usage != Some("PermissionsBoundary") && entity.attached_policies.contains(arn);
        let bounds = usage != Some("PermissionsPolicy") && entity.permissions_boundary.as_deref() == Some(arn);
        filter.is_none_or(|filter| filter == noun) && entity.path.starts_with(prefix) && (attached || bounds)
    };
    let users = users.iter().map(|user| (User::NOUN, &**user));
    let roles = roles.iter().map(|role| (Role::NOUN, &**role));
    let page = page(input, users.chain(roles).filter(|(noun, entity)| wanted(noun, entity)), |(noun, entity)| {
        format!("{noun}/{}", entity.name.to_lowercase())
    })?;
    let shapes = |noun: &str| -> Value {
        let of_kind = page.items.iter().filter(|(kind, _)| *kind == noun);
        of_kind.map(|(_, it)| json!({format!("{noun}Name"): it.name, format!("{noun}Id"): it.id})).collect()
    };
    let mut output = json!({"PolicyGroups": [], "PolicyUsers": shapes("User"), "PolicyRoles": shapes("Role")});
    page.finish(&mut output);
    Ok(output)
}

/// How many users and roles a managed policy is attached to, and how many it bounds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Attached as a policy.
    pub attached: usize,
    /// Set as a permissions boundary.
    pub bounds: usize,
}

/// Every user and every role.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn all_entities(records: &impl Records) -> Result<Vec<Entity>, ApiError> {
    let users = records.list::<User>("")?.into_iter().map(|user| user.entity);
    Ok(users.chain(records.list::<Role>("")?.into_iter().map(|role| role.entity)).collect())
}

/// How these users and roles use a managed policy.
pub fn usage(entities: &[Entity], arn: &str) -> Usage {
    Usage {
        attached: entities.iter().filter(|entity| entity.attached_policies.contains(arn)).count(),
        bounds: entities.iter().filter(|entity| entity.permissions_boundary.as_deref() == Some(arn)).count(),
    }
}
