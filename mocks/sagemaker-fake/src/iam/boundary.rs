//! Permissions boundaries: the managed policy that bounds what a user or role may do.

use serde_json::Value;

use super::entity::{self, EntityRecord};
use super::{no_such_entity, policy, text};
use crate::ApiError;
use crate::fake::Context;
use crate::store::Records;

/// Sets the boundary.
///
/// # Errors
/// `NoSuchEntity` for the entity or the policy, `InvalidInput` for what is no ARN.
pub fn put<E: EntityRecord>(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let arn = text(input, "PermissionsBoundary");
    entity::change::<E>(context, input, |change, entity| {
        check(change, arn)?;
        entity.permissions_boundary = Some(arn.to_owned());
        Ok(())
    })
}

/// Removes the boundary. That there is none is no error.
///
/// # Errors
/// `NoSuchEntity` for the entity.
pub fn delete<E: EntityRecord>(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    entity::change::<E>(context, input, |_, entity| {
        entity.permissions_boundary = None;
        Ok(())
    })
}

/// Whether this policy can be a boundary.
///
/// # Errors
/// `NoSuchEntity`, or `InvalidInput` for what is no ARN.
pub fn check(records: &impl Records, arn: &str) -> Result<(), ApiError> {
    match policy::find(records, arn)? {
        Some(_) => Ok(()),
        None => Err(no_such_entity(format!("Scope ARN: {arn} does not exist or is not attachable."))),
    }
}
