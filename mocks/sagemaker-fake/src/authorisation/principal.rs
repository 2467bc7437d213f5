//! Who calls, with every policy that has a say about what they may do.

use iam_policy::{Attached, Caller, Kind, Policies, Policy};

use crate::account::{self, Scenario};
use crate::iam::{self, Entity, Role, User};
use crate::store::Records;
use crate::{ApiError, Fake};

/// A caller as IAM sees it, and its policies: those of the user or of the session's role, the boundary, the session
/// policies, and the organisation's.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn of_caller(
    fake: &Fake,
    records: &impl Records,
    caller: &account::Caller,
) -> Result<(Caller, Policies), ApiError> {
    if caller.arn.ends_with(":root") {
        let scps = service_control_policies(&fake.scenario());
        return Ok((Caller::root(&caller.arn), Policies { scps, ..Policies::default() }));
    }
    let Some(entity) = entity_of(records, &caller.arn)? else {
        // Whoever was deleted meanwhile has no policies, and may do nothing.
        return Ok((Caller::user(&caller.arn), Policies::default()));
    };
    let who = match caller.is_role_session() {
        true => Caller::session(&caller.arn, &entity.arn),
        false => Caller::user(&caller.arn),
    };
    let mut policies = of_entity(&fake.scenario(), records, &entity)?;
    if let Some(session) = &caller.session {
        let inline = session.policy.iter().filter_map(|text| attached("session policy", text, Kind::Session));
        policies.session.extend(inline);
        for arn in &session.policy_arns {
            policies.session.extend(managed(records, arn, Kind::Session)?);
        }
    }
    Ok((who.with_id(&caller.user_id), policies))
}

/// The policies of a user or role itself, the organisation's among them. A role's trust policy is not: it says who may
/// assume the role, and not what the role may do.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn of_entity(scenario: &Scenario, records: &impl Records, entity: &Entity) -> Result<Policies, ApiError> {
    let inline = entity.inline_policies.iter();
    let mut identity: Vec<_> = inline.filter_map(|(name, text)| attached(name, text, Kind::Identity)).collect();
    for arn in &entity.attached_policies {
        identity.extend(managed(records, arn, Kind::Identity)?);
    }
    let boundary = match &entity.permissions_boundary {
        Some(arn) => managed(records, arn, Kind::Boundary)?,
        None => None,
    };
    let scps = service_control_policies(scenario);
    Ok(Policies { identity, boundary, scps, ..Policies::default() })
}

/// The organisation's policies, level by level from its root.
fn service_control_policies(scenario: &Scenario) -> Vec<Vec<Attached>> {
    let levels = scenario.service_control_policies.iter().enumerate().map(|(level, text)| {
        let id = format!(
            "arn:aws:organizations::{}:policy/o-exampleorgid/service_control_policy/p-examplelevel{level}",
            scenario.account
        );
        attached(&id, text, Kind::Scp).into_iter().collect()
    });
    levels.collect()
}

/// The trust policy of a role, as the policy of the resource that it is.
#[must_use]
pub fn trust_of(role: &Role) -> Option<Attached> {
    attached(&role.arn, &role.trust, Kind::Trust)
}

/// The user, or the role of the session, of this ARN.
fn entity_of(records: &impl Records, arn: &str) -> Result<Option<Entity>, ApiError> {
    if let Some((_, rest)) = arn.split_once(":assumed-role/") {
        let name = rest.split('/').next().unwrap_or_default().to_lowercase();
        return Ok(records.get::<Role>(&name)?.map(|role| role.entity));
    }
    let name = arn.rsplit('/').next().unwrap_or_default().to_lowercase();
    Ok(records.get::<User>(&name)?.map(|user| user.entity))
}

fn managed(records: &impl Records, arn: &str, kind: Kind) -> Result<Option<Attached>, ApiError> {
    Ok(iam::policy::find(records, arn)?.and_then(|policy| attached(arn, policy.document(), kind)))
}

/// A document that could not be kept grants nothing.
fn attached(id: &str, text: &str, kind: Kind) -> Option<Attached> {
    Policy::parse_kept(text.trim(), kind).ok().map(|policy| Attached::new(id, policy))
}
