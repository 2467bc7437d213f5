//! Statements that are made, not read.

use super::{Condition, Effect, Kind, Patterns, Policy, PrincipalPattern, Principals, Statement};
use crate::{
    operator::{Operator, Test},
    problem::Position,
};

impl Policy {
    /// A policy of these statements, in the newest version of the language.
    #[must_use]
    pub fn of(kind: Kind, statements: Vec<Statement>) -> Self {
        Self { kind, variables: true, id: None, statements }
    }
}

impl Statement {
    /// Allows actions, on nothing yet: as in a trust policy.
    pub fn allow(actions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            sid: None,
            effect: Effect::Allow,
            principals: None,
            actions: Patterns::of(actions),
            resources: None,
            conditions: Vec::new(),
            start: Position::default(),
            end: Position::default(),
        }
    }

    /// The same on these resources.
    #[must_use]
    pub fn on(self, resources: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { resources: Some(Patterns::of(resources)), ..self }
    }

    /// The same by this name.
    #[must_use]
    pub fn named(self, sid: impl Into<String>) -> Self {
        Self { sid: Some(sid.into()), ..self }
    }

    /// The same for these principals.
    #[must_use]
    pub fn to(self, principals: impl IntoIterator<Item = PrincipalPattern>) -> Self {
        let members = principals.into_iter().collect();
        Self { principals: Some(Principals { negated: false, members }), ..self }
    }

    /// The same if the key has this value.
    #[must_use]
    pub fn if_equals(mut self, key: &str, value: impl Into<String>) -> Self {
        let operator = Operator { set: None, test: Test::StringEquals, negated: false, if_exists: false };
        self.conditions.push(Condition { operator, key: key.to_owned(), values: vec![value.into()] });
        self
    }
}

impl Patterns {
    /// Any of these.
    pub fn of(patterns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { negated: false, patterns: patterns.into_iter().map(Into::into).collect() }
    }
}
