//! Collects problems, and gives each the answer that AWS would give.

use std::ops::Range;

use super::Kind;
use crate::{
    places::Places,
    problem::{AwsError, Position, Problem, Rule, Severity},
};

/// What was found so far in a text.
pub(super) struct Findings<'t> {
    places: Places<'t>,
    pub(super) kind: Kind,
    found: Vec<Problem>,
}

impl<'t> Findings<'t> {
    pub(super) fn new(text: &'t str, kind: Kind) -> Self {
        Self { places: Places::of(text), kind, found: Vec::new() }
    }

    pub(super) fn position(&self, at: usize) -> Position {
        self.places.position(at)
    }

    /// Adds an error. Unless a rule has an answer of its own, IAM answers the same to all that is not in the grammar.
    pub(super) fn error(&mut self, rule: Rule, span: &Range<usize>, message: impl Into<String>) -> &mut Problem {
        let aws = match (self.kind, rule) {
            (Kind::Resource, _) => None,
            (_, Rule::Syntax) => Some("This policy contains invalid Json"),
            _ => Some("Syntax errors in policy."),
        };
        let code = self.code();
        let position = self.position(span.start);
        self.found.push(Problem {
            rule,
            severity: Severity::Error,
            position,
            message: message.into(),
            suggestion: None,
            aws: aws.map(|message| AwsError { code, message: message.to_owned() }),
            span: span.clone(),
        });
        self.found.last_mut().expect("one was just added")
    }

    /// Adds something that AWS takes.
    pub(super) fn warning(&mut self, rule: Rule, span: &Range<usize>, message: impl Into<String>) -> &mut Problem {
        let problem = self.error(rule, span, message);
        problem.severity = Severity::Warning;
        problem.aws = None;
        problem
    }

    /// What was added last.
    pub(super) fn last(&mut self) -> Option<&mut Problem> {
        self.found.last_mut()
    }

    /// In the order of the text.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|problem| problem.span.start);
        self.found
    }

    fn code(&self) -> &'static str {
        match self.kind {
            Kind::Resource => "MalformedPolicy",
            _ => "MalformedPolicyDocument",
        }
    }
}

impl Problem {
    /// Says what to write instead.
    pub(super) fn suggest(&mut self, what: impl Into<String>) -> &mut Self {
        self.suggestion = Some(what.into());
        self
    }

    /// Says what was probably meant, if there is a guess.
    pub(super) fn did_you_mean(&mut self, what: Option<&str>) -> &mut Self {
        match what {
            Some(what) => self.suggest(format!("did you mean '{what}'?")),
            None => self,
        }
    }

    /// Says what IAM answers.
    pub(super) fn iam(&mut self, message: impl Into<String>) -> &mut Self {
        if let Some(aws) = &mut self.aws {
            aws.message = message.into();
        }
        self
    }

    /// Says what S3 answers, if it is about a bucket policy: there IAM has no say.
    pub(super) fn s3(&mut self, kind: Kind, message: impl Into<String>) -> &mut Self {
        if kind == Kind::Resource {
            self.aws = Some(AwsError { code: "MalformedPolicy", message: message.into() });
        }
        self
    }
}
