//! What users and roles have in common. IAM calls both of them entities.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::DerefMut;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{already_exists, boundary, delete_conflict, no_such_entity, tags, text};
use crate::ApiError;
use crate::clock::Timestamp;
use crate::fake::Context;
use crate::store::{Change, Record, Records};

/// The part of a record that users and roles share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// With its path.
    pub arn: String,
    /// `AROA` or `AIDA` and 17 more.
    #[serde(alias = "role_id")]
    pub id: String,
    /// Without its path.
    pub name: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// When it was made.
    pub created: Timestamp,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The documents of its inline policies, by their names.
    #[serde(default)]
    pub inline_policies: BTreeMap<String, String>,
    /// The ARNs of the managed policies that are attached to it.
    #[serde(default)]
    pub attached_policies: BTreeSet<String>,
    /// The ARN of the managed policy that bounds what it may do.
    #[serde(default)]
    pub permissions_boundary: Option<String>,
}

/// A user or a role.
pub trait EntityRecord: Record + DerefMut<Target = Entity> {
    /// What its operations call it: `Role`.
    const NOUN: &'static str;
    /// How its ids begin.
    const ID_PREFIX: &'static str;
    /// The most characters of all its inline policies together, without white space.
    const INLINE_LIMIT: usize;

    /// The member of an input that names it: `RoleName`.
    fn name_member() -> String {
        format!("{}Name", Self::NOUN)
    }
}

/// A new entity as the input of `CreateRole` or `CreateUser` asks for it.
///
/// # Errors
/// `EntityAlreadyExists`; `NoSuchEntity` for a boundary that does not exist; those of tags.
pub fn new<E: EntityRecord>(context: &Context<'_>, records: &impl Records, input: &Value) -> Result<Entity, ApiError> {
    let name = text(input, &E::name_member()).to_owned();
    if records.get::<E>(&name.to_lowercase())?.is_some() {
        return Err(already_exists(format!("{} with name {name} already exists.", E::NOUN)));
    }
    let permissions_boundary = input["PermissionsBoundary"].as_str();
    if let Some(arn) = permissions_boundary {
        boundary::check(records, arn)?;
    }
    let path = super::path(input, "Path").to_owned();
    let kind = E::NOUN.to_lowercase();
    Ok(Entity {
        arn: format!("arn:aws:iam::{}:{kind}{path}{name}", context.fake.account()),
        id: format!("{}{}", E::ID_PREFIX, context.fake.ids.base32(17)),
        name,
        path,
        created: context.fake.clock.now(),
        tags: tags::added(BTreeMap::new(), input)?,
        inline_policies: BTreeMap::new(),
        attached_policies: BTreeSet::new(),
        permissions_boundary: permissions_boundary.map(str::to_owned),
    })
}

/// The entity of this name.
///
/// # Errors
/// `NoSuchEntity`.
pub fn named<E: EntityRecord>(records: &impl Records, name: &str) -> Result<E, ApiError> {
    records
        .get::<E>(&name.to_lowercase())?
        .ok_or_else(|| no_such_entity(format!("The {} with name {name} cannot be found.", E::NOUN.to_lowercase())))
}

/// The entity that the input names.
///
/// # Errors
/// `NoSuchEntity`.
pub fn of_input<E: EntityRecord>(context: &Context<'_>, input: &Value) -> Result<E, ApiError> {
    context.fake.store.read(|view| named(view, text(input, &E::name_member())))
}

/// Changes the entity that the input names. There is nothing to answer.
///
/// # Errors
/// `NoSuchEntity`; those of `f`.
pub fn change<E: EntityRecord>(
    context: &Context<'_>,
    input: &Value,
    f: impl FnOnce(&mut Change<'_>, &mut E) -> Result<(), ApiError>,
) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let mut entity = named::<E>(change, text(input, &E::name_member()))?;
        f(change, &mut entity)?;
        change.put(&entity)
    })?;
    Ok(Value::Null)
}

/// Whether an entity may go: nothing is attached to it or embedded in it. A boundary is no obstacle.
///
/// # Errors
/// `DeleteConflict`.
pub fn check_deletable(entity: &Entity) -> Result<(), ApiError> {
    if !entity.attached_policies.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must detach all policies first."));
    }
    if !entity.inline_policies.is_empty() {
        return Err(delete_conflict("Cannot delete entity, must delete policies first."));
    }
    Ok(())
}

/// An entity as lists show it. What only a question for this one shows is added by [`add_details`].
pub fn summary<E: EntityRecord>(entity: &Entity) -> Result<Value, ApiError> {
    let noun = E::NOUN;
    Ok(json!({
        "Path": entity.path,
        E::name_member(): entity.name,
        format!("{noun}Id"): entity.id,
        "Arn": entity.arn,
        "CreateDate": super::date(entity.created)?,
    }))
}

/// Adds what lists leave out: the boundary and the tags, each if there are any.
pub fn add_details(shape: &mut Value, entity: &Entity) {
    if let Some(arn) = &entity.permissions_boundary {
        shape["PermissionsBoundary"] =
            json!({"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn});
    }
    if !entity.tags.is_empty() {
        shape["Tags"] = tags::shape(&entity.tags);
    }
}
