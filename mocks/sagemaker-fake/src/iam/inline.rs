//! Inline policies: documents that belong to one user or role.

use iam_policy::Kind;
use serde_json::{Value, json};

use super::entity::{self, EntityRecord};
use super::page::page;
use super::{document, limit_exceeded, no_such_entity, text};
use crate::ApiError;
use crate::fake::Context;
use crate::protocol;

/// Adds an inline policy, or replaces the one of its name.
///
/// # Errors
/// `NoSuchEntity`, `MalformedPolicyDocument`; `LimitExceeded` when all of them together are too large.
pub fn put<E: EntityRecord>(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let policy = text(input, "PolicyDocument");
    entity::change::<E>(context, input, |_, entity| {
        entity.inline_policies.insert(text(input, "PolicyName").to_owned(), policy.to_owned());
        let size: usize = entity.inline_policies.values().map(|policy| document::size(policy)).sum();
        if size > E::INLINE_LIMIT {
            let (limit, noun, name) = (E::INLINE_LIMIT, E::NOUN.to_lowercase(), &entity.name);
            return Err(limit_exceeded(format!("Maximum policy size of {limit} bytes exceeded for {noun} {name}")));
        }
        document::check(policy, Kind::Identity)?;
        Ok(())
    })
}

/// An inline policy.
///
/// # Errors
/// `NoSuchEntity`.
pub fn get<E: EntityRecord>(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let entity = entity::of_input::<E>(context, input)?;
    let name = text(input, "PolicyName");
    let policy = entity.inline_policies.get(name).ok_or_else(|| not_found::<E>(name))?;
    Ok(json!({
        E::name_member(): entity.name,
        "PolicyName": name,
        "PolicyDocument": protocol::encode(policy),
    }))
}

/// The names of the inline policies.
///
/// # Errors
/// `NoSuchEntity`.
pub fn list<E: EntityRecord>(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let entity = entity::of_input::<E>(context, input)?;
    page(input, entity.inline_policies.keys(), |name| (*name).clone())?.answer("PolicyNames", |name| Ok(json!(name)))
}

/// Removes an inline policy.
///
/// # Errors
/// `NoSuchEntity`.
pub fn delete<E: EntityRecord>(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "PolicyName");
    entity::change::<E>(context, input, |_, entity| {
        entity.inline_policies.remove(name).map(drop).ok_or_else(|| not_found::<E>(name))
    })
}

fn not_found<E: EntityRecord>(name: &str) -> ApiError {
    no_such_entity(format!("The {} policy with name {name} cannot be found.", E::NOUN.to_lowercase()))
}
