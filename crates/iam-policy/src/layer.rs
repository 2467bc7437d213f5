//! What the policies of one kind say to a request.

use crate::{
    caller::Naming,
    condition,
    context::Context,
    decision::{Matched, Outcome},
    document::{Effect, Kind, Patterns, Policy, Statement},
    evaluate::{Attached, Request},
    pattern,
};

pub(crate) struct Layer<'p> {
    pub(crate) kind: Kind,
    /// The statements that match, with the id of their policy and how they name the caller.
    found: Vec<(&'p str, &'p Statement, Naming)>,
    /// Keys that conditions looked for in vain.
    pub(crate) missing: Vec<String>,
}

impl<'p> Layer<'p> {
    pub(crate) fn look(
        kind: Kind,
        policies: &mut dyn Iterator<Item = &'p Attached>,
        request: &Request,
        context: &Context,
        has_boundary: bool,
    ) -> Self {
        let mut layer = Self { kind, found: Vec::new(), missing: Vec::new() };
        for Attached { id, policy } in policies {
            for statement in &policy.statements {
                let naming = named(statement, request, has_boundary);
                if let Some(naming) = naming
                    && matches(policy, statement, request, context, &mut layer.missing)
                {
                    layer.found.push((id, statement, naming));
                }
            }
        }
        layer
    }

    pub(crate) fn denies(&self) -> bool {
        self.found.iter().any(|(_, statement, _)| statement.effect == Effect::Deny)
    }

    pub(crate) fn allows(&self) -> bool {
        self.naming().is_some()
    }

    /// What these policies would decide alone.
    pub(crate) fn outcome(&self) -> Outcome {
        match self.denies() {
            true => Outcome::ExplicitDeny,
            false if self.allows() => Outcome::Allowed,
            false => Outcome::ImplicitDeny,
        }
    }

    /// How directly the caller is named where it is allowed.
    pub(crate) fn naming(&self) -> Option<Naming> {
        self.found
            .iter()
            .filter(|(_, statement, _)| statement.effect == Effect::Allow)
            .map(|(.., naming)| *naming)
            .max()
    }

    pub(crate) fn matched(&self, effect: Effect) -> impl Iterator<Item = Matched> {
        self.found.iter().filter(move |(_, statement, _)| statement.effect == effect).map(|(id, statement, _)| {
            Matched {
                policy: (*id).to_owned(),
                kind: self.kind,
                sid: statement.sid.clone(),
                start: statement.start,
                end: statement.end,
            }
        })
    }
}

/// How the statement means the caller; policies without principals mean whom they are attached to.
fn named(statement: &Statement, request: &Request, has_boundary: bool) -> Option<Naming> {
    let Some(principals) = &statement.principals else { return Some(Naming::Direct) };
    // AWS: NotPrincipal with Deny always denies whoever has a permissions boundary.
    if principals.negated && statement.effect == Effect::Deny && has_boundary {
        return Some(Naming::Direct);
    }
    request.caller.named_by(principals)
}

/// Whether action, resource and conditions match. Only what matches so far is asked for its conditions, so that no key
/// counts as missing for want of a statement that has nothing to do with the request.
fn matches(
    policy: &Policy,
    statement: &Statement,
    request: &Request,
    context: &Context,
    missing: &mut Vec<String>,
) -> bool {
    let any = |patterns: &Patterns, matches: &mut dyn FnMut(&str) -> bool| {
        patterns.patterns.iter().any(|pattern| matches(pattern)) != patterns.negated
    };
    if !any(&statement.actions, &mut |pattern| pattern::action_matches(pattern, &request.action)) {
        return false;
    }
    let mut resource =
        |pattern: &str| pattern::resource_matches(pattern, &request.resource, policy.variables, context, missing);
    if let Some(resources) = &statement.resources
        && !any(resources, &mut resource)
    {
        return false;
    }
    // All are looked at, so that all missing keys are known.
    let held = statement.conditions.iter().filter(|c| condition::holds(c, policy.variables, context, missing));
    held.count() == statement.conditions.len()
}
