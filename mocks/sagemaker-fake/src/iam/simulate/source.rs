//! Whose policies are simulated, and who is said to call.

use iam_policy::{Caller, Policies};

use super::Exclusion;
use crate::ApiError;
use crate::authorisation::principal;
use crate::fake::Context;
use crate::iam::entity::{self, Entity, EntityRecord};
use crate::iam::{Role, User, invalid_input, no_such_entity, policy};
use crate::store::Records;

/// A user or role, and its policies.
pub(super) struct Source {
    pub(super) caller: Caller,
    pub(super) is_user: bool,
    pub(super) policies: Policies,
    name: String,
}

impl Source {
    /// The user or role of this ARN.
    ///
    /// # Errors
    /// `NoSuchEntity`; `InvalidInput` for another ARN, such as that of a session.
    pub(super) fn find(context: &Context<'_>, arn: &str) -> Result<Self, ApiError> {
        let fake = context.fake;
        let (account, kind, name) = parts(arn).ok_or_else(|| unclear(arn))?;
        if account != fake.account() {
            return Err(unclear(arn));
        }
        fake.store.read(|view| {
            let (caller, entity) = match kind {
                "role" => (Caller::role(arn), found::<Role>(view, name, arn)?),
                "user" => (Caller::user(arn), found::<User>(view, name, arn)?),
                "group" => return Err(no_such_entity(format!("The group with name {name} cannot be found."))),
                _ => return Err(unclear(arn)),
            };
            let policies = principal::of_entity(&fake.scenario(), view, &entity)?;
            Ok(Self { caller: caller.with_id(entity.id), is_user: kind == "user", policies, name: entity.name })
        })
    }

    /// The same without some of its policies. Those that stay are known by their names, as the simulator tells them.
    ///
    /// # Errors
    /// `InvalidInput` for what cannot name a policy.
    pub(super) fn without(mut self, exclusions: &[Exclusion]) -> Result<Self, ApiError> {
        let kind = if self.is_user { "user" } else { "role" };
        for exclusion in exclusions {
            exclusion.apply(kind, &self.name, &mut self.policies)?;
        }
        for attached in self.policies.identity.iter_mut().chain(&mut self.policies.boundary) {
            attached.id = policy::name_of(&attached.id).to_owned();
        }
        Ok(self)
    }
}

/// The user or role that is said to call. It need not exist.
///
/// # Errors
/// `InvalidInput` for another ARN.
pub(super) fn caller(arn: &str) -> Result<Caller, ApiError> {
    match parts(arn) {
        Some((_, "user", _)) => Ok(Caller::user(arn)),
        Some((_, "role", _)) => Ok(Caller::role(arn)),
        _ => Err(invalid_input("Invalid caller - Caller must be an IAM user, role or group in this context.")),
    }
}

/// The account of whoever owns the resources: an ARN says it, as that of the account's root.
///
/// # Errors
/// `InvalidInput` for another text, the account's bare id among them.
pub(super) fn owner(arn: &str) -> Result<String, ApiError> {
    match arn.splitn(6, ':').collect::<Vec<_>>()[..] {
        ["arn", _, "iam", "", account, _] if is_account(account) => Ok(account.to_owned()),
        _ => Err(invalid_input(format!("'{arn}' is not a valid as a Resource Owner."))),
    }
}

/// The account, the kind and the name of an entity's ARN.
fn parts(arn: &str) -> Option<(&str, &str, &str)> {
    let ["arn", _, "iam", "", account, entity] = arn.splitn(6, ':').collect::<Vec<_>>()[..] else { return None };
    let (kind, path) = entity.split_once('/')?;
    let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
    is_account(account).then_some((account, kind, name))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn found<E: EntityRecord>(records: &impl Records, name: &str, arn: &str) -> Result<Entity, ApiError> {
    let found = entity::named::<E>(records, name)?;
    match found.arn == arn {
        true => Ok((*found).clone()),
        false => Err(no_such_entity(format!("The {} with name {name} cannot be found.", E::NOUN.to_lowercase()))),
    }
}

fn unclear(arn: &str) -> ApiError {
    invalid_input(format!("Invalid Entity Arn: {arn} does not clearly define entity type and name."))
}
