//! Access keys of users.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::page::page;
use super::user::named_or_caller;
use super::{limit_exceeded, no_such_entity, text};
use crate::ApiError;
use crate::clock::Timestamp;
use crate::fake::Context;
use crate::store::{Record, Records};

/// The most access keys of one user.
const MOST_KEYS: usize = 2;

/// A long-term access key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKey {
    /// `AKIA` and 16 more.
    pub id: String,
    /// The key that signs.
    pub secret: String,
    /// The name of its user.
    pub user: String,
    /// When it was made.
    pub created: Timestamp,
    /// Whether it was switched off: nobody can sign with it then.
    #[serde(default)]
    pub inactive: bool,
}

impl Record for AccessKey {
    const KIND: &'static str = "access_key";
    fn key(&self) -> String {
        self.id.clone()
    }
}

/// Makes an access key. Its secret is told only once, here.
///
/// # Errors
/// `NoSuchEntity`, `LimitExceeded`; `ValidationError` when the caller is no user and none is named.
pub fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let fake = context.fake;
    let key = fake.store.write(|change| {
        let user = named_or_caller(context, change, input)?;
        if of_user(change, &user.name)?.len() >= MOST_KEYS {
            return Err(limit_exceeded(format!("Cannot exceed quota for AccessKeysPerUser: {MOST_KEYS}")));
        }
        let key = AccessKey {
            id: format!("AKIA{}", fake.ids.base32(16)),
            secret: fake.ids.alphanumeric(40),
            user: user.name.clone(),
            created: fake.clock.now(),
            inactive: false,
        };
        change.put(&key)?;
        Ok(key)
    })?;
    let mut shape = shape(&key)?;
    shape["SecretAccessKey"] = json!(key.secret);
    Ok(json!({"AccessKey": shape}))
}

/// The access keys of a user, without their secrets.
///
/// # Errors
/// `NoSuchEntity`; `ValidationError` when the caller is no user and none is named.
pub fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let keys = context.fake.store.read(|view| of_user(view, &named_or_caller(context, view, input)?.name))?;
    page(input, keys, AccessKey::key)?.answer("AccessKeyMetadata", shape)
}

/// Switches an access key on or off.
///
/// # Errors
/// `NoSuchEntity`; `ValidationError` when the caller is no user and none is named.
pub fn update(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| {
        let mut key = named(context, change, input)?;
        key.inactive = input["Status"] != "Active";
        change.put(&key)
    })?;
    Ok(Value::Null)
}

/// Deletes an access key.
///
/// # Errors
/// `NoSuchEntity`; `ValidationError` when the caller is no user and none is named.
pub fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.write(|change| change.delete::<AccessKey>(&named(context, change, input)?.id))?;
    Ok(Value::Null)
}

/// The access key that the input names, of the user that it names or, if it names none, of the caller.
fn named(context: &Context<'_>, records: &impl Records, input: &Value) -> Result<AccessKey, ApiError> {
    let (user, id) = (named_or_caller(context, records, input)?, text(input, "AccessKeyId"));
    let key = records.get::<AccessKey>(id)?.filter(|key| key.user == user.name);
    key.ok_or_else(|| no_such_entity(format!("The Access Key with id {id} cannot be found.")))
}

/// The access keys of a user.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn of_user(records: &impl Records, user: &str) -> Result<Vec<AccessKey>, ApiError> {
    Ok(records.list::<AccessKey>("")?.into_iter().filter(|key| key.user == user).collect())
}

fn shape(key: &AccessKey) -> Result<Value, ApiError> {
    Ok(json!({
        "UserName": key.user,
        "AccessKeyId": key.id,
        "Status": if key.inactive { "Inactive" } else { "Active" },
        "CreateDate": super::date(key.created)?,
    }))
}
