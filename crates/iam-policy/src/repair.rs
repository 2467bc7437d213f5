//! What to change so that a refused request is allowed: the statement to add and where, or the one to remove.
//!
//! ```
//! use iam_policy::{Caller, Policies, Request, repair::repairs};
//!
//! let caller = Caller::user("arn:aws:iam::111122223333:user/ann");
//! let request = Request::new(caller, "s3:GetObject", "arn:aws:s3:::data/x");
//! let [one] = repairs(&request, &Policies::default()).try_into().unwrap();
//! assert_eq!(
//!     one.to_string(),
//!     r#"add an identity-based policy with:
//! {
//!   "Effect": "Allow",
//!   "Action": "s3:GetObject",
//!   "Resource": "arn:aws:s3:::data/x"
//! }"#
//! );
//! ```

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::json;

use crate::{
    Attached, Decision, Kind, Matched, Outcome, Policies, Policy, Request, arn,
    document::{Effect, Statement},
    evaluate::{self, evaluate},
};

/// One change. Others may be needed after it: [`repairs`] tells all.
#[derive(Debug, Clone, PartialEq)]
pub enum Repair {
    /// Add a statement.
    Add {
        /// To a policy of this kind.
        kind: Kind,
        /// To this one, or one like it at its place; absent: there is none yet. Of the organisation's it is one of the level
        /// that does not allow the request.
        policy: Option<String>,
        /// The statement: the narrowest that helps.
        statement: Statement,
    },
    /// Remove this statement, or narrow it down: nothing outweighs a deny.
    Remove(Matched),
}

impl Repair {
    /// The next change that a refused request needs; `None` if it is not refused, or nothing helps.
    #[must_use]
    pub fn of(decision: &Decision, request: &Request, policies: &Policies) -> Option<Self> {
        let kind = decision.refused_by?;
        if decision.outcome == Outcome::ExplicitDeny {
            return decision.statements.iter().find(|matched| matched.kind == kind).cloned().map(Repair::Remove);
        }
        let policy = match kind {
            Kind::Identity => policies.identity.first(),
            Kind::Resource | Kind::Trust => policies.resource.as_ref(),
            Kind::Boundary => policies.boundary.as_ref(),
            Kind::Session => policies.session.first(),
            Kind::Scp => evaluate::silent_level(request, policies).and_then(|level| policies.scps[level].first()),
        };
        let policy = policy.map(|attached| attached.id.clone());
        Some(Repair::Add { kind, policy, statement: allowing(kind, request) })
    }

    fn apply(&self, request: &Request, policies: &mut Policies) {
        match self {
            Repair::Remove(matched) => {
                for attached in of_kind(policies, matched.kind).into_iter().filter(|a| a.id == matched.policy) {
                    attached.policy.statements.retain(|statement| {
                        statement.effect == Effect::Allow
                            || (&statement.sid, statement.start) != (&matched.sid, matched.start)
                    });
                }
            }
            Repair::Add { kind, statement, .. } => {
                let added = Attached::new(String::new(), Policy::of(*kind, vec![statement.clone()]));
                match kind {
                    Kind::Identity => policies.identity.push(added),
                    Kind::Session => policies.session.push(added),
                    Kind::Scp => {
                        if let Some(level) = evaluate::silent_level(request, policies) {
                            policies.scps[level].push(added);
                        }
                    }
                    Kind::Boundary => add(&mut policies.boundary, added),
                    Kind::Resource | Kind::Trust => add(&mut policies.resource, added),
                }
            }
        }
    }
}

/// All changes, one after the other, until the request is allowed; none if it is already, or if nothing helps (a root user
/// who wants to assume a role).
#[must_use]
pub fn repairs(request: &Request, policies: &Policies) -> Vec<Repair> {
    let mut policies = policies.clone();
    let mut repairs = Vec::new();
    // Every change takes away the reason that called for it, and none brings one back: there are no more than places.
    let most = places(&policies);
    while repairs.len() < most
        && let Some(repair) = Repair::of(&evaluate(request, &policies), request, &policies)
    {
        repair.apply(request, &mut policies);
        repairs.push(repair);
    }
    repairs
}

/// This action on this resource, and for this caller where the policy must say for whom.
fn allowing(kind: Kind, request: &Request) -> Statement {
    // What is no action or no ARN can only be meant by "*".
    let action = if request.action.contains(':') { request.action.as_str() } else { "*" };
    let resource = if arn::split(&request.resource).is_some() { request.resource.as_str() } else { "*" };
    let statement = Statement::allow([action]);
    // A name that looks like a variable is a name.
    let on_resource = |statement: Statement| statement.on([resource.replace("${", "${$}{")]);
    match kind {
        Kind::Trust => statement.to([request.caller.as_principal()]),
        Kind::Resource => on_resource(statement).to([request.caller.as_principal()]),
        Kind::Identity | Kind::Boundary | Kind::Session | Kind::Scp => on_resource(statement),
    }
}

/// How many statements could be removed, and to how many kinds of policies, and levels of the organisation, one could be
/// added.
fn places(policies: &Policies) -> usize {
    let lists = policies.identity.iter().chain(&policies.session).chain(policies.scps.iter().flatten());
    let all = lists.chain(&policies.boundary).chain(&policies.resource);
    all.map(|attached| attached.policy.statements.len()).sum::<usize>() + policies.scps.len() + 4
}

fn of_kind(policies: &mut Policies, kind: Kind) -> Vec<&mut Attached> {
    match kind {
        Kind::Identity => policies.identity.iter_mut().collect(),
        Kind::Session => policies.session.iter_mut().collect(),
        Kind::Scp => policies.scps.iter_mut().flatten().collect(),
        Kind::Boundary => policies.boundary.iter_mut().collect(),
        Kind::Resource | Kind::Trust => policies.resource.iter_mut().collect(),
    }
}

fn add(to: &mut Option<Attached>, mut added: Attached) {
    match to {
        Some(there) => there.policy.statements.append(&mut added.policy.statements),
        None => *to = Some(added),
    }
}

impl Serialize for Repair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = match self {
            Repair::Add { kind, policy, statement } => json!({"Add": statement, "To": kind, "Policy": policy}),
            Repair::Remove(Matched { policy, kind, sid, start, .. }) => {
                json!({"Remove": {"Sid": sid, "Position": start}, "From": kind, "Policy": policy})
            }
        };
        value.serialize(serializer)
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Repair::Add { kind, policy, statement } => {
                match policy {
                    Some(policy) => write!(f, "add to the {} {policy}:", kind.aws_name())?,
                    None => write!(f, "add {} {} with:", kind.article(), kind.aws_name())?,
                }
                write!(f, "\n{:#}", json!(statement))
            }
            Repair::Remove(matched) => write!(f, "remove or narrow down {matched}"),
        }
    }
}
