//! Users.

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::access_key;
use super::entity::{self, Entity, EntityRecord};
use super::page::page;
use super::{delete_conflict, path, text};
use crate::ApiError;
use crate::fake::Context;
use crate::store::{Record, Records};

/// An IAM user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// What roles have too.
    #[serde(flatten)]
    pub entity: Entity,
}

impl Deref for User {
    type Target = Entity;
    fn deref(&self) -> &Entity {
        &self.entity
    }
}

impl DerefMut for User {
    fn deref_mut(&mut self) -> &mut Entity {
        &mut self.entity
    }
}

impl Record for User {
    const KIND: &'static str = "user";
    /// User names are unique whatever their case.
    fn key(&self) -> String {
        self.name.to_lowercase()
    }
}

impl EntityRecord for User {
    const NOUN: &'static str = "User";
    const ID_PREFIX: &'static str = "AIDA";
    const INLINE_LIMIT: usize = 2048;
}

/// Makes a user.
///
/// # Errors
/// `EntityAlreadyExists`, `NoSuchEntity` for its boundary, `InvalidInput`.
pub fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let user = context.fake.store.write(|change| {
        let user = User { entity: entity::new::<User>(context, change, input)? };
        change.put(&user)?;
        Ok(user)
    })?;
    answer(&user)
}

/// A user; without a name, the caller.
///
/// # Errors
/// `NoSuchEntity`; `ValidationError` when the caller is no user.
pub fn get(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    answer(&context.fake.store.read(|view| named_or_caller(context, view, input))?)
}

/// The users under a path, by name.
///
/// # Errors
/// `ValidationError` for a wrong marker.
pub fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let prefix = path(input, "PathPrefix");
    let users = context.fake.store.read(|view| view.list::<User>(""))?;
    page(input, users.into_iter().filter(|user| user.path.starts_with(prefix)), User::key)?
        .answer("Users", |user| entity::summary::<User>(user))
}

/// Deletes a user that has neither policies nor access keys any more.
///
/// # Errors
/// `NoSuchEntity`, `DeleteConflict`.
pub fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let user = entity::named::<User>(change, text(input, "UserName"))?;
        entity::check_deletable(&user)?;
        if !access_key::of_user(change, &user.name)?.is_empty() {
            return Err(delete_conflict("Cannot delete entity, must delete access keys first."));
        }
        change.delete::<User>(&user.key())
    })?;
    Ok(Value::Null)
}

/// Nobody is in a group here: there are none.
///
/// # Errors
/// `NoSuchEntity`.
pub fn groups(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    entity::of_input::<User>(context, input)?;
    Ok(json!({"Groups": [], "IsTruncated": false}))
}

/// The user that the input names or, if it names none, the caller.
///
/// # Errors
/// `NoSuchEntity`; `ValidationError` when the caller is no user.
pub fn named_or_caller(context: &Context<'_>, records: &impl Records, input: &Value) -> Result<User, ApiError> {
    if let Some(name) = input["UserName"].as_str() {
        return entity::named(records, name);
    }
    if context.caller.is_role_session() {
        return Err(ApiError::new("ValidationError", "Must specify userName when calling with non-User credentials"));
    }
    entity::named(records, context.caller.arn.rsplit('/').next().unwrap_or_default())
}

fn answer(user: &User) -> Result<Value, ApiError> {
    let mut shape = entity::summary::<User>(user)?;
    entity::add_details(&mut shape, user);
    Ok(json!({"User": shape}))
}
