//! What is wrong in a policy document: rule, place, what AWS itself would answer, and what to write instead.

use std::{fmt, ops::Range};

use serde::{Serialize, Serializer};

/// A place in a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// AWS takes it, but hardly in the sense that was meant.
    Warning,
    /// AWS refuses the document.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The text is not JSON.
    Syntax,
    /// An object has a member twice.
    DuplicateMember,
    /// A member that policies do not have.
    UnknownMember,
    /// A member that must be there is not.
    MissingMember,
    /// A member that documents of this kind, or beside another one, may not have.
    ProhibitedMember,
    /// A value is of another kind than its place asks for.
    Shape,
    /// `Version` is no version, or one that AWS does not take here.
    Version,
    /// `Sid` has characters that it may not have, or stands twice.
    Sid,
    /// `Effect` is neither `Allow` nor `Deny`.
    Effect,
    /// An action that is not `service:Name`.
    Action,
    /// A resource that is neither an ARN nor `*`.
    Resource,
    /// A principal of a kind or form that does not exist here.
    Principal,
    /// A condition operator that does not exist.
    Operator,
    /// A condition key or value that its operator cannot compare.
    Condition,
    /// The document is longer than AWS takes.
    Size,
}

impl Rule {
    /// Its id, which never changes: `unknown-member`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Rule::Syntax => "syntax",
            Rule::DuplicateMember => "duplicate-member",
            Rule::UnknownMember => "unknown-member",
            Rule::MissingMember => "missing-member",
            Rule::ProhibitedMember => "prohibited-member",
            Rule::Shape => "shape",
            Rule::Version => "version",
            Rule::Sid => "sid",
            Rule::Effect => "effect",
            Rule::Action => "action",
            Rule::Resource => "resource",
            Rule::Principal => "principal",
            Rule::Operator => "operator",
            Rule::Condition => "condition",
            Rule::Size => "size",
        }
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

/// What AWS answers to such a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AwsError {
    /// The error's code: `MalformedPolicyDocument`.
    pub code: &'static str,
    /// The error's message, in AWS's words.
    pub message: String,
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// Something that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The rule that found it.
    pub rule: Rule,
    /// How bad it is.
    pub severity: Severity,
    /// Where it begins.
    pub position: Position,
    /// What is wrong.
    pub message: String,
    /// What to write instead, if there is a guess: `did you mean 'Effect'?`.
    pub suggestion: Option<String>,
    /// What AWS would answer, where that is known.
    pub aws: Option<AwsError>,
    /// The bytes of the text that are meant.
    #[serde(skip)]
    pub span: Range<usize>,
}

impl Problem {
    /// The line of the text in which it stands, and below it carets under what is meant. Long lines are cut.
    #[must_use]
    pub fn excerpt(&self, text: &str) -> String {
        const BEFORE: usize = 40;
        const LONGEST: usize = 100;
        let start = self.span.start.min(text.len());
        let rest_of = |c: &char| !matches!(c, '\n' | '\r');
        let before: Vec<char> = text[..start].chars().rev().take_while(rest_of).take(LONGEST + 1).collect();
        let after: Vec<char> = text[start..].chars().take_while(rest_of).take(LONGEST + 1).collect();
        let shown = if before.len() + after.len() <= LONGEST { before.len() } else { before.len().min(BEFORE) };
        let mut line = if shown < before.len() { "…".to_owned() } else { String::new() };
        line.extend(before[..shown].iter().rev());
        let indent = line.chars().count();
        let room = LONGEST - indent;
        line.extend(after.iter().take(room));
        if after.len() > room {
            line.push('…');
        }
        let line: String = line.chars().map(|c| if c.is_control() || c == '\u{feff}' { ' ' } else { c }).collect();
        let meant = text.get(self.span.clone()).unwrap_or_default();
        let marked = match meant.chars().next() {
            Some('{' | '[') | None => 1,
            _ => meant.chars().take(room).take_while(rest_of).count().max(1),
        };
        let number = self.position.line.to_string();
        let gutter = " ".repeat(number.len());
        format!("{number} | {line}\n{gutter} | {}{}", " ".repeat(indent), "^".repeat(marked))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "line {line}, column {column}: {}", self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; {suggestion}"),
            None => Ok(()),
        }
    }
}

/// Why a text is not a policy document: everything that is wrong in it, in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a policy that AWS accepts: {}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Malformed {
    /// What is wrong; at least one is an error.
    pub problems: Vec<Problem>,
}

impl Malformed {
    /// What AWS itself would answer: it tells the first error only.
    #[must_use]
    pub fn aws(&self) -> Option<&AwsError> {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).find_map(|p| p.aws.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::places::Places;

    #[track_caller]
    fn check(text: &str, meant: &str, expected: &str) {
        let start = text.find(meant).unwrap();
        let problem = Problem {
            rule: Rule::Shape,
            severity: Severity::Error,
            position: Places::of(text).position(start),
            message: String::new(),
            suggestion: None,
            aws: None,
            span: start..start + meant.len(),
        };
        assert_eq!(problem.excerpt(text), expected);
    }

    #[test]
    fn the_caret_stands_under_what_is_meant() {
        check("{\n\t\"é\": 12,\r\n}", "12", "2 |  \"é\": 12,\n  |       ^^");
        check("a\n{}", "{}", "2 | {}\n  | ^");
        let long = format!("{}x{}", "a".repeat(300), "b".repeat(300));
        let expected = format!("1 | …{}x{}…\n  | {}^", "a".repeat(40), "b".repeat(58), " ".repeat(41));
        check(&long, "x", &expected);
    }
}
