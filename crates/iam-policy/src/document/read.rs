//! From JSON to a [`Policy`]: the document's own members.

use std::{collections::HashSet, ops::Range};

use super::{Kind, Policy, Statement, findings::Findings, size, statement};
use crate::{
    json::{self, Member, Node, Value},
    nearest::nearest,
    problem::{Problem, Rule},
};

const MEMBERS: [&str; 3] = ["Version", "Id", "Statement"];

/// Reads what can be read; without a `Statement` list there is nothing.
pub(super) fn read(text: &str, kind: Kind) -> (Option<Policy>, Vec<Problem>) {
    let mut findings = Findings::new(text, kind);
    let (root, faults) = json::read(text);
    for fault in faults {
        let problem = findings.error(Rule::Syntax, &fault.span, fault.message);
        problem.s3(kind, "Policies must be valid JSON and the first byte must be '{'");
        if let Some(suggestion) = fault.suggestion {
            problem.suggest(suggestion);
        }
    }
    size::check(text, &mut findings);
    let policy = root.and_then(|root| document(&root, &mut findings));
    (policy, findings.into_problems())
}

fn document(root: &Node, findings: &mut Findings<'_>) -> Option<Policy> {
    let kind = findings.kind;
    let Value::Object(members) = &root.value else {
        let message = format!("a policy must be an object, not {}", name_of(&root.value));
        findings.error(Rule::Shape, &root.span, message).s3(kind, "This text appears not to be a policy");
        return None;
    };
    known_once(members, &MEMBERS, findings);
    let variables = version(member(members, "Version"), &root.span, findings);
    let id = match member(members, "Id").map(|id| (&id.value, &id.span)) {
        None => None,
        Some((Value::Text(id), _)) => Some(id.clone()),
        Some((other, span)) => {
            findings.error(Rule::Shape, span, format!("Id must be a string, not {}", name_of(other)));
            None
        }
    };
    let Some(statements) = member(members, "Statement") else {
        findings
            .error(Rule::MissingMember, &at_brace(&root.span), "the policy has no Statement")
            .s3(kind, "Missing required field Statement");
        return None;
    };
    let statements = self::statements(statements, findings);
    Some(Policy { kind, variables, id, statements })
}

/// Whether `${...}` are variables.
fn version(version: Option<&Node>, document: &Range<usize>, findings: &mut Findings<'_>) -> bool {
    const OLD: &str = "Policy document must be version 2012-10-17 or greater.";
    let kind = findings.kind;
    match version.map(|version| (&version.value, &version.span)) {
        Some((Value::Text(written), _)) if written == "2012-10-17" => return true,
        Some((Value::Text(written), span)) if written == "2008-10-17" => {
            findings
                .warning(Rule::Version, span, "in version 2008-10-17, ${...} is no variable but plain text")
                .suggest("write \"Version\": \"2012-10-17\"");
        }
        None => {
            let message = "without Version the document counts as 2008-10-17: ${...} is no variable but plain text";
            findings.warning(Rule::Version, &at_brace(document), message).suggest("add \"Version\": \"2012-10-17\"");
        }
        Some((Value::Text(written), span)) => {
            let message = format!("Version is the version of the policy language, and '{written}' is none");
            findings
                .error(Rule::Version, span, message)
                .s3(kind, "The policy must contain a valid version string")
                .suggest("write \"Version\": \"2012-10-17\"");
            return false;
        }
        Some((other, span)) => {
            let message = format!("Version must be a string, not {}", name_of(other));
            findings.error(Rule::Version, span, message).suggest("write \"Version\": \"2012-10-17\"");
            return false;
        }
    }
    // CreatePolicy refuses what older policies may still have.
    if let (Kind::Identity | Kind::Boundary, Some(problem)) = (kind, findings.last()) {
        problem.aws = Some(crate::problem::AwsError { code: "MalformedPolicyDocument", message: OLD.to_owned() });
    }
    false
}

fn statements(node: &Node, findings: &mut Findings<'_>) -> Vec<Statement> {
    let kind = findings.kind;
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        Value::Object(_) => std::slice::from_ref(node),
        other => {
            let message = format!("Statement must be an object or a list of objects, not {}", name_of(other));
            findings.error(Rule::Shape, &node.span, message);
            return Vec::new();
        }
    };
    if items.is_empty() {
        findings
            .error(Rule::Shape, &node.span, "Statement is empty: a policy has at least one statement")
            .s3(kind, "Could not parse the policy: Statement is empty!");
    }
    // IAM's simulator begins a statement where the one before it ended, and one that stands alone behind its brace.
    let lone = matches!(node.value, Value::Object(_));
    let mut start = if lone { node.span.start + 1 } else { items.first().map_or(0, |item| item.after) };
    let mut read = Vec::new();
    for item in items {
        read.push(statement::read(item, start, findings));
        start = item.span.end;
    }
    repeated_sids(items, findings);
    read.into_iter().flatten().collect()
}

fn repeated_sids(items: &[Node], findings: &mut Findings<'_>) {
    let mut seen = HashSet::new();
    for item in items {
        let Value::Object(members) = &item.value else { continue };
        let Some(Node { value: Value::Text(sid), span, .. }) = member(members, "Sid") else { continue };
        if !sid.is_empty() && !seen.insert(sid.as_str()) {
            findings
                .error(Rule::Sid, span, format!("another statement has the Sid '{sid}' as well"))
                .iam("Statement IDs (SID) in a single policy must be unique.")
                .suggest("give it another name, or none");
        }
    }
}

/// The value of a member; of several the last, as everywhere.
pub(super) fn member<'n>(members: &'n [Member], name: &str) -> Option<&'n Node> {
    members.iter().rev().find(|member| member.name == name).map(|member| &member.value)
}

/// Tells members that are unknown or stand twice.
pub(super) fn known_once(members: &[Member], known: &[&str], findings: &mut Findings<'_>) {
    let kind = findings.kind;
    let absent: Vec<&str> = known.iter().copied().filter(|known| member(members, known).is_none()).collect();
    for Member { name, name_span, .. } in members.iter().filter(|member| !known.contains(&member.name.as_str())) {
        findings
            .error(Rule::UnknownMember, name_span, format!("'{name}' is no member of a policy here"))
            .s3(kind, format!("Unknown field {name}"))
            .did_you_mean(nearest(name, absent.iter().copied()));
    }
    once(members, findings);
}

/// Tells members that stand twice.
pub(super) fn once(members: &[Member], findings: &mut Findings<'_>) {
    let mut seen = HashSet::new();
    for Member { name, name_span, .. } in members.iter().filter(|member| !seen.insert(member.name.as_str())) {
        findings
            .error(Rule::DuplicateMember, name_span, format!("'{name}' stands twice in this object"))
            .suggest("join the two: readers of JSON keep one of them without a word");
    }
}

/// One string or a list of strings, each with its place; anything else is told.
pub(super) fn strings<'n>(what: &str, node: &'n Node, findings: &mut Findings<'_>) -> Vec<(&'n str, &'n Range<usize>)> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut read = Vec::new();
    for item in items {
        match &item.value {
            Value::Text(text) => read.push((text.as_str(), &item.span)),
            other => {
                let message = format!("{what} must be a string or a list of strings, not {}", name_of(other));
                findings.error(Rule::Shape, &item.span, message);
            }
        }
    }
    read
}

/// With its article.
pub(super) fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::Text(_) => "a string",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The opening brace: where something is meant that is missing in an object.
pub(super) fn at_brace(object: &Range<usize>) -> Range<usize> {
    object.start..object.end.min(object.start + 1)
}
