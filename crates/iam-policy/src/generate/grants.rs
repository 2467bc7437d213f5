//! Tables of permissions: what each is for, and why it is there if no call of our own needs it.

use serde::Serialize;

use super::{Feature, Settings, caller, role};
use crate::document::Statement;

/// One permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// The statement that it stands in.
    pub sid: &'static str,
    /// The action.
    pub action: &'static str,
    /// What it is for.
    pub feature: Feature,
    /// Why it is there, if no call of the toolkit's own is tested that needs it.
    pub reason: Option<&'static str>,
}

/// A statement of a policy: on what, under which condition, and which actions.
pub(super) struct Block {
    pub(super) sid: &'static str,
    pub(super) resources: fn(&Settings) -> Vec<String>,
    /// A key of the request, and the value that it must have.
    pub(super) condition: fn(&Settings) -> Option<(&'static str, &str)>,
    /// Each with what it is for, and why it is there if no call of our own is tested that needs it.
    pub(super) actions: &'static [(&'static str, Feature, Option<&'static str>)],
}

/// The permissions of the execution role, in the order of its policy.
pub fn grants() -> impl Iterator<Item = Grant> {
    role::BLOCKS.iter().flat_map(Block::grants)
}

/// The permissions of whoever works with the role, in the order of their policy.
pub fn caller_grants() -> impl Iterator<Item = Grant> {
    caller::BLOCKS.iter().flat_map(Block::grants)
}

impl Block {
    fn grants(&self) -> impl Iterator<Item = Grant> {
        self.actions.iter().map(|&(action, feature, reason)| Grant { sid: self.sid, action, feature, reason })
    }
}

/// The statements with the permissions that are wanted; those about nothing are left out.
pub(super) fn statements(blocks: &[Block], settings: &Settings, wanted: impl Fn(&Grant) -> bool) -> Vec<Statement> {
    let mut statements = Vec::new();
    for block @ Block { sid, resources, condition, .. } in blocks {
        let actions: Vec<_> = block.grants().filter(&wanted).map(|grant| grant.action).collect();
        let resources = resources(settings);
        if actions.is_empty() || resources.is_empty() {
            continue;
        }
        let statement = Statement::allow(actions).named(*sid).on(resources);
        statements.push(match condition(settings) {
            Some((key, value)) => statement.if_equals(key, value),
            None => statement,
        });
    }
    statements
}
