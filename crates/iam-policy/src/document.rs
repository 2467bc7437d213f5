//! Policy documents.
//!
//! ```
//! use iam_policy::{Kind, Policy};
//!
//! let text = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": "*",}}"#;
//! let error = Policy::parse(text, Kind::Identity).unwrap_err();
//! assert_eq!(error.problems[0].message, "a trailing comma: nothing follows it");
//! assert_eq!(error.aws().unwrap().to_string(), "MalformedPolicyDocument: This policy contains invalid Json");
//! ```

use serde::Serialize;

use crate::{
    operator::Operator,
    problem::{Malformed, Position, Problem, Rule, Severity},
};

mod findings;
mod make;
mod principals;
mod read;
mod size;
mod statement;
pub(crate) mod write;

/// What a document is for: what it may contain, and how long it may be, depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Attached to a user, a group or a role.
    Identity,
    /// Attached to a resource, such as a bucket.
    Resource,
    /// Says who may assume a role.
    Trust,
    /// Limits what the identity policies of a user or a role can allow.
    Boundary,
    /// Limits one session; given when the role is assumed.
    Session,
    /// A service control policy: limits accounts of an organisation.
    Scp,
}

impl Kind {
    /// Whether its statements name principals.
    #[must_use]
    pub fn has_principals(self) -> bool {
        matches!(self, Kind::Resource | Kind::Trust)
    }
}

/// A policy document.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// What it is for.
    pub kind: Kind,
    /// Whether `${...}` are variables: only if `Version` is `2012-10-17`.
    pub variables: bool,
    /// Its `Id`.
    pub id: Option<String>,
    /// Its statements, in the order of the text.
    pub statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Its name.
    pub sid: Option<String>,
    /// What it does where it matches.
    pub effect: Effect,
    /// Whom it is about; of documents that name principals.
    pub principals: Option<Principals>,
    /// What it is about.
    pub actions: Patterns,
    /// On what; trust policies have none.
    pub resources: Option<Patterns>,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
    /// Where it begins, as IAM's simulator counts: behind the bracket, or behind the statement before it.
    pub start: Position,
    /// Where it ends: behind its closing brace.
    pub end: Position,
}

/// What a statement does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies, whatever others allow.
    Deny,
}

/// `Action`, `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patterns {
    /// Whether all but these are meant.
    pub negated: bool,
    /// As they are written.
    pub patterns: Vec<String>,
}

/// `Principal` or `NotPrincipal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principals {
    /// Whether all but these are meant.
    pub negated: bool,
    /// Who.
    pub members: Vec<PrincipalPattern>,
}

/// One principal that a statement names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PrincipalPattern {
    /// `*`, alone or under `AWS`.
    Everyone,
    /// All of an account: its id, or the ARN of its root.
    Account(String),
    /// A user, role, or session by its ARN, or by the id that stands there when it was deleted.
    Aws(String),
    /// A service: `sagemaker.amazonaws.com`.
    Service(String),
    /// An identity provider.
    Federated(String),
    /// An account by its canonical user id.
    CanonicalUser(String),
}

/// One key of a condition block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// How it compares.
    pub operator: Operator,
    /// With what of the request.
    pub key: String,
    /// The values, as text; one of them must match.
    pub values: Vec<String>,
}

impl Policy {
    /// Reads a document of a kind. Warnings are let through; [`check`] tells them.
    ///
    /// # Errors
    /// AWS would refuse the document; all that is wrong comes back.
    pub fn parse(text: &str, kind: Kind) -> Result<Self, Malformed> {
        match check(text, kind) {
            (Some(policy), _) => Ok(policy),
            (None, problems) => Err(Malformed { problems }),
        }
    }

    /// Reads a document that IAM keeps: as [`Policy::parse`], but of any size. AWS's own managed policies are longer than
    /// anybody else's may be.
    ///
    /// # Errors
    /// As [`Policy::parse`], but for the size.
    pub fn parse_kept(text: &str, kind: Kind) -> Result<Self, Malformed> {
        let (policy, problems) = read::read(text, kind);
        let refused = |problem: &Problem| problem.severity == Severity::Error && problem.rule != Rule::Size;
        policy.filter(|_| !problems.iter().any(refused)).ok_or(Malformed { problems })
    }
}

/// Reads a document of a kind, and tells all that is wrong in it, in the order of the text. There is a policy if
/// none of the problems is an error.
#[must_use]
pub fn check(text: &str, kind: Kind) -> (Option<Policy>, Vec<Problem>) {
    let (policy, problems) = read::read(text, kind);
    let refused = problems.iter().any(|problem| problem.severity == Severity::Error);
    (policy.filter(|_| !refused), problems)
}

#[cfg(test)]
mod tests;
