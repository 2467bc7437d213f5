//! A decision, and how it came about.

use std::fmt;

use serde::Serialize;

use crate::{document::Kind, evaluate::Request, problem::Position};

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// The request may go on.
    Allowed,
    /// Nothing allows it, or a limit does not.
    ImplicitDeny,
    /// A statement denies it.
    ExplicitDeny,
}

/// A decision, and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// The kind of policy that refuses. AWS names one where there are several. None refuses an account's root user who wants
    /// to assume a role: that is never allowed.
    pub refused_by: Option<Kind>,
    /// The statements that decided: all that deny, if one does; all that allow, if the request is allowed; none if it is not
    /// allowed for want of one.
    pub statements: Vec<Matched>,
    /// Condition keys that statements about this action and resource look at and the request does not have. With them the
    /// decision might have been another.
    pub missing_context: Vec<String>,
}

/// A statement that had a say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// The ARN or name of its policy.
    pub policy: String,
    /// What the policy is attached to.
    pub kind: Kind,
    /// Its `Sid`.
    pub sid: Option<String>,
    /// Where it begins, as IAM's simulator counts.
    pub start: Position,
    /// Where it ends.
    pub end: Position,
}

/// What AWS STS answers to a root user.
const ROOT_ASSUMES: &str = "Roles may not be assumed by root accounts.";

impl Decision {
    pub(crate) fn of(outcome: Outcome, refused_by: Option<Kind>) -> Self {
        Self { outcome, refused_by, statements: Vec::new(), missing_context: Vec::new() }
    }

    /// Whether the request may go on.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.outcome == Outcome::Allowed
    }

    /// The sentence with which AWS refuses; `None` if it does not. ("Troubleshooting access denied error messages" in the
    /// IAM User Guide; that an explicit deny names its policy is newer than the examples there.)
    #[must_use]
    pub fn message(&self, request: &Request) -> Option<String> {
        let Some(kind) = self.refused_by else { return (!self.is_allowed()).then(|| ROOT_ASSUMES.to_owned()) };
        let Request { caller, action, resource, .. } = request;
        let on = match resource.as_str() {
            "*" => String::new(),
            arn => format!(" on resource: {arn}"),
        };
        let reason = match self.outcome {
            Outcome::Allowed => return None,
            Outcome::ImplicitDeny => format!("because no {} allows the {action} action", kind.aws_name()),
            Outcome::ExplicitDeny => {
                let policy = self.statements.iter().find(|m| m.kind == kind && m.policy.starts_with("arn:"));
                let policy = policy.map(|matched| format!(": {}", matched.policy)).unwrap_or_default();
                format!("with an explicit deny in {} {}{policy}", kind.article(), kind.aws_name())
            }
        };
        Some(format!("User: {} is not authorized to perform: {action}{on} {reason}", caller.name()))
    }

    /// How it came about, in a sentence for people: which policy and statement, and what might change the decision.
    #[must_use]
    pub fn explanation(&self) -> String {
        let mut text = match (self.outcome, self.refused_by) {
            (Outcome::ExplicitDeny, _) => format!("denied by {}", self.told()),
            (Outcome::ImplicitDeny, Some(Kind::Scp)) => {
                "not allowed: at one level of the organisation no service control policy allows it".to_owned()
            }
            (Outcome::ImplicitDeny, Some(kind)) => format!("not allowed: no {} allows it", kind.aws_name()),
            (Outcome::ImplicitDeny, None) => {
                "not allowed: the root user of an account may not assume a role".to_owned()
            }
            (Outcome::Allowed, _) if self.statements.is_empty() => "allowed without any policy".to_owned(),
            (Outcome::Allowed, _) => format!("allowed by {}", self.told()),
        };
        if !self.missing_context.is_empty() && self.outcome != Outcome::ExplicitDeny {
            text.push_str(&format!("; unknown in the request: {}", self.missing_context.join(", ")));
        }
        text
    }

    fn told(&self) -> String {
        self.statements.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Matched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sid {
            Some(sid) => write!(f, "statement {sid}")?,
            None => write!(f, "the statement at line {}, column {}", self.start.line, self.start.column)?,
        }
        write!(f, " of the {} {}", self.kind.aws_name(), self.policy)
    }
}

impl Kind {
    /// What AWS calls it in its sentences.
    #[must_use]
    pub fn aws_name(self) -> &'static str {
        match self {
            Kind::Identity => "identity-based policy",
            Kind::Resource => "resource-based policy",
            Kind::Trust => "role trust policy",
            Kind::Boundary => "permissions boundary",
            Kind::Session => "session policy",
            Kind::Scp => "service control policy",
        }
    }

    /// A role has only the one trust policy.
    pub(crate) fn article(self) -> &'static str {
        match self {
            Kind::Identity => "an",
            Kind::Trust => "the",
            Kind::Resource | Kind::Boundary | Kind::Session | Kind::Scp => "a",
        }
    }
}
