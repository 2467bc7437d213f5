//! A finding: what came of a check, in AWS's words and in ours, and what repairs it.

use std::fmt;

use iam_policy::{Matched, Statement};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::error::{Failure, Kind};

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is as it should be.
    Pass,
    /// It works, and may not be as it was meant.
    Warn,
    /// Something will not work.
    Fail,
    /// It could not be verified, which says nothing about it.
    Unknown,
    /// It was not asked: it waits for another check.
    Skip,
}

impl Verdict {
    /// In one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
            Self::Unknown => "unknown",
            Self::Skip => "skip",
        }
    }
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The id of the check.
    pub id: &'static str,
    /// How it stands.
    pub verdict: Verdict,
    /// What was found, in a sentence.
    pub found: String,
    /// The calls that were made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<&'static str>,
    /// The ARN of whoever asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// What was answered, in AWS's or the SDK's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// What it matters for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'static str>,
    /// What to change, all of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repairs: Vec<Repair>,
    /// The action that was refused, where that is all that is known: its own check tells the cause.
    #[serde(skip)]
    pub lacks: Option<&'static str>,
}

impl Finding {
    fn new(id: &'static str, verdict: Verdict, found: impl Into<String>) -> Self {
        let (asked, repairs) = (Vec::new(), Vec::new());
        Self { id, verdict, found: found.into(), asked, identity: None, said: None, why: None, repairs, lacks: None }
    }

    /// It is as it should be.
    pub fn pass(id: &'static str, found: impl Into<String>) -> Self {
        Self::new(id, Verdict::Pass, found)
    }

    /// It works, and may not be as it was meant.
    pub fn warn(id: &'static str, found: impl Into<String>) -> Self {
        Self::new(id, Verdict::Warn, found)
    }

    /// Something will not work.
    pub fn fail(id: &'static str, found: impl Into<String>) -> Self {
        Self::new(id, Verdict::Fail, found)
    }

    /// It could not be verified.
    pub fn unknown(id: &'static str, found: impl Into<String>) -> Self {
        Self::new(id, Verdict::Unknown, found)
    }

    /// It was not asked, because of what `other` came to.
    pub fn skip(id: &'static str, other: &str) -> Self {
        Self::new(id, Verdict::Skip, format!("waits for {other}"))
    }

    /// What a call that failed comes to: a refusal is a failure, but nothing is known if nobody answered.
    pub fn of_failure(id: &'static str, failure: &Failure) -> Self {
        let verdict = if failure.is_transient() { Verdict::Unknown } else { Verdict::Fail };
        let finding = Self::new(id, verdict, failure.to_string());
        match failure.next() {
            Some(next) => finding.repaired_by(Repair::Tell(next.to_owned())),
            None => finding,
        }
    }

    /// What a call that was refused comes to, if that only says that the one permission is missing.
    pub fn of_refusal(id: &'static str, action: &'static str, failure: &Failure) -> Self {
        let verdict = if is_denied(failure) { Verdict::Unknown } else { Self::of_failure(id, failure).verdict };
        let lacks = is_denied(failure).then_some(action);
        Self { verdict, lacks, ..Self::of_failure(id, failure) }
    }

    /// Says why it could not be verified: the call that was refused, AWS's code and words, and what to do about it.
    #[must_use]
    pub fn kept_by(self, failure: &Failure) -> Self {
        let finding = self.said(failure.to_string());
        match failure.next() {
            Some(next) => finding.repaired_by(Repair::Tell(next.to_owned())),
            None => finding,
        }
    }

    /// Says which calls were made, and as whom.
    #[must_use]
    pub fn asked(mut self, calls: &[&'static str], identity: &str) -> Self {
        self.asked = calls.to_vec();
        self.identity = Some(identity.to_owned());
        self
    }

    /// Says what was answered.
    #[must_use]
    pub fn said(mut self, words: impl Into<String>) -> Self {
        self.said = Some(words.into());
        self
    }

    /// Says what it matters for.
    #[must_use]
    pub fn why(mut self, why: &'static str) -> Self {
        self.why = Some(why);
        self
    }

    /// Says what repairs it.
    #[must_use]
    pub fn repaired_by(mut self, repair: Repair) -> Self {
        self.repairs.push(repair);
        self
    }
}

/// Whether AWS refused for want of a permission.
pub(super) fn is_denied(failure: &Failure) -> bool {
    failure.kind() == Kind::Operation && matches!(failure.aws_code(), Some("AccessDenied" | "AccessDeniedException"))
}

/// One thing to change.
#[derive(Debug, Clone, PartialEq)]
pub enum Repair {
    /// Add these statements.
    Add {
        /// To which policy.
        to: Target,
        /// What to add.
        statements: Vec<Statement>,
    },
    /// Remove this statement, or narrow it down.
    Remove {
        /// Where it stands.
        from: Target,
        /// Which one it is.
        statement: Matched,
    },
    /// Set a variable, in the environment or in `.env`.
    Set {
        /// Its name.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// Run a command.
    Run(String),
    /// Do what no program can write down.
    Tell(String),
}

/// A policy that can be changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "policy", content = "of")]
pub enum Target {
    /// A policy of this user or role, by ARN.
    Identity(String),
    /// The trust policy of this role, by ARN.
    Trust(String),
    /// This permissions boundary, by ARN.
    Boundary(String),
    /// A service control policy of the account's organization: an administrator's business.
    Organization(String),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity(arn) => write!(f, "a policy of {arn}"),
            Self::Trust(arn) => write!(f, "the trust policy of {arn}"),
            Self::Boundary(arn) => write!(f, "the permissions boundary {arn}"),
            Self::Organization(account) => {
                write!(f, "the service control policies that bind {account}, by the organization's administrator")
            }
        }
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Add { to, statements } => {
                write!(f, "add to {to}:")?;
                for statement in statements {
                    write!(f, "\n{:#}", json!(statement))?;
                }
                Ok(())
            }
            Self::Remove { from, statement } => write!(f, "remove from {from}, or narrow down: {statement}"),
            Self::Set { variable, value } => write!(f, "set {variable}={value}"),
            Self::Run(command) => write!(f, "run {command}"),
            Self::Tell(what) => f.write_str(what),
        }
    }
}

impl Serialize for Repair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value: Value = match self {
            Self::Add { to, statements } => json!({"do": "add-statements", "to": to, "statements": statements}),
            Self::Remove { from, statement: Matched { policy, sid, start, .. } } => {
                json!({"do": "remove-statement", "from": from, "named": policy, "sid": sid, "position": start})
            }
            Self::Set { variable, value } => json!({"do": "set", "variable": variable, "value": value}),
            Self::Run(command) => json!({"do": "run", "command": command}),
            Self::Tell(what) => json!({"do": "see-to", "what": what}),
        };
        value.serialize(serializer)
    }
}
