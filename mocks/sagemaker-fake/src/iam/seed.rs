//! What a scenario puts into a new account.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::access_key::AccessKey;
use super::entity::{Entity, EntityRecord};
use super::policy::{Policy, Version};
use super::{Role, User};
use crate::ApiError;
use crate::account::{Scenario, ScenarioPolicies};
use crate::clock::Timestamp;
use crate::store::Change;

/// Makes the users, roles and managed policies of a scenario.
///
/// # Errors
/// An internal failure when the store cannot be written.
pub fn seed(change: &mut Change<'_>, scenario: &Scenario, now: Timestamp) -> Result<(), ApiError> {
    for user in &scenario.users {
        let entity = entity::<User>(scenario, &user.name, &user.path, &user.policies, now);
        let (id, secret) = (user.access_key_id.clone(), user.secret_access_key.clone());
        change.put(&AccessKey { id, secret, user: entity.name.clone(), created: now, inactive: false })?;
        change.put(&User { entity })?;
    }
    for role in &scenario.roles {
        change.put(&Role {
            entity: entity::<Role>(scenario, &role.name, &role.path, &role.policies, now),
            description: role.description.clone(),
            max_session_duration_seconds: role.max_session_duration_seconds,
            trust: role.trust.trim().to_owned(),
        })?;
    }
    for policy in &scenario.policies {
        let document = policy.document.trim().to_owned();
        change.put(&Policy {
            arn: format!("arn:aws:iam::{}:policy{}{}", scenario.account, policy.path, policy.name),
            id: id("ANPA", &policy.name),
            name: policy.name.clone(),
            path: policy.path.clone(),
            description: None,
            tags: BTreeMap::new(),
            versions: vec![Version { number: 1, document, created: now }],
            default_version: 1,
            last_version: 1,
            created: now,
            updated: now,
        })?;
    }
    Ok(())
}

/// The same id for the same name, so that a fresh account looks the same every time.
pub fn id(prefix: &str, name: &str) -> String {
    let hash = Sha256::digest(name);
    let letters = hash.iter().take(17).map(|byte| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[usize::from(byte % 32)]);
    format!("{prefix}{}", letters.map(char::from).collect::<String>())
}

fn entity<E: EntityRecord>(
    scenario: &Scenario,
    name: &str,
    path: &str,
    policies: &ScenarioPolicies,
    now: Timestamp,
) -> Entity {
    let inline = policies.inline.iter();
    Entity {
        arn: format!("arn:aws:iam::{}:{}{path}{name}", scenario.account, E::NOUN.to_lowercase()),
        id: id(E::ID_PREFIX, name),
        name: name.to_owned(),
        path: path.to_owned(),
        created: now,
        tags: BTreeMap::new(),
        inline_policies: inline.map(|(name, policy)| (name.clone(), policy.trim().to_owned())).collect(),
        attached_policies: policies.attached.clone(),
        permissions_boundary: policies.boundary.clone(),
    }
}
