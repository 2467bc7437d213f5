//! From a [`Policy`] back to JSON, in the shape in which people write policies: one value stands alone, several in a list.

use std::fmt::Write;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{Condition, Patterns, Policy, PrincipalPattern, Principals, Statement};
use crate::operator::Test;

/// The longest line of [`Policy::to_text`], in characters.
const LINE: usize = 120;

impl Policy {
    /// The document as text to be read: what fits into a line stands in one, long lists fill their lines.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        write(&mut text, &value(self), 0, 0, &[]);
        text.push('\n');
        text
    }
}

impl Statement {
    /// The statement as text to be read.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        write(&mut text, &statement(self), 0, 0, &["Statement"]);
        text
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        value(self).serialize(serializer)
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        statement(self).serialize(serializer)
    }
}

fn value(policy: &Policy) -> Value {
    let mut members = Map::new();
    let version = if policy.variables { "2012-10-17" } else { "2008-10-17" };
    members.insert("Version".to_owned(), version.into());
    if let Some(id) = &policy.id {
        members.insert("Id".to_owned(), id.as_str().into());
    }
    members.insert("Statement".to_owned(), policy.statements.iter().map(statement).collect());
    Value::Object(members)
}

fn statement(statement: &Statement) -> Value {
    let mut members = Map::new();
    if let Some(sid) = &statement.sid {
        members.insert("Sid".to_owned(), sid.as_str().into());
    }
    members.insert("Effect".to_owned(), json!(statement.effect));
    if let Some(principals) = &statement.principals {
        members.insert(name(principals.negated, "Principal"), self::principals(principals));
    }
    let mut add = |name: &str, patterns: &Patterns| {
        members.insert(self::name(patterns.negated, name), one_or_many(&patterns.patterns));
    };
    add("Action", &statement.actions);
    if let Some(resources) = &statement.resources {
        add("Resource", resources);
    }
    if !statement.conditions.is_empty() {
        members.insert("Condition".to_owned(), conditions(&statement.conditions));
    }
    Value::Object(members)
}

fn name(negated: bool, name: &str) -> String {
    if negated { format!("Not{name}") } else { name.to_owned() }
}

fn one_or_many(values: &[String]) -> Value {
    match values {
        [value] => value.as_str().into(),
        values => json!(values),
    }
}

fn principals(principals: &Principals) -> Value {
    let mut kinds: Map<String, Value> = Map::new();
    for principal in &principals.members {
        let (kind, who) = parts(principal);
        let named = kinds.entry(kind.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(named) = named {
            named.push(who.into());
        }
    }
    for named in kinds.values_mut() {
        if let Value::Array(one) = named
            && one.len() == 1
        {
            *named = one.remove(0);
        }
    }
    Value::Object(kinds)
}

/// The kind of a principal, and who it is. Everyone is written under `AWS`: trust policies take no bare `*`.
pub(crate) fn parts(principal: &PrincipalPattern) -> (&'static str, &str) {
    match principal {
        PrincipalPattern::Everyone => ("AWS", "*"),
        PrincipalPattern::Account(who) | PrincipalPattern::Aws(who) => ("AWS", who),
        PrincipalPattern::Service(who) => ("Service", who),
        PrincipalPattern::Federated(who) => ("Federated", who),
        PrincipalPattern::CanonicalUser(who) => ("CanonicalUser", who),
    }
}

fn conditions(conditions: &[Condition]) -> Value {
    let mut operators: Map<String, Value> = Map::new();
    for Condition { operator, key, values } in conditions {
        let mut written = operator.to_string();
        // `ArnEquals` and `ArnLike` read as one operator, and may both be there with the same key.
        let is_taken = operators.get(&written).is_some_and(|keys| keys.get(key).is_some());
        if operator.test == Test::Arn && is_taken {
            written = written.replace("Equals", "Like");
        }
        let keys = operators.entry(written).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(keys) = keys {
            keys.insert(key.clone(), one_or_many(values));
        }
    }
    Value::Object(operators)
}

/// `indent`: of the line on which the value begins; `column`: where on it; `path`: the names of the members around it.
fn write(text: &mut String, value: &Value, indent: usize, column: usize, path: &[&str]) {
    let whole = spaced(value);
    // A comma may follow. The document and its statements are always spread.
    let spread = matches!(path, [] | ["Statement"]) && (value.is_object() || value.is_array());
    if !spread && column + whole.chars().count() < LINE {
        text.push_str(&whole);
        return;
    }
    let inner = indent + 2;
    let line = |text: &mut String, indent: usize| {
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', indent));
    };
    match value {
        Value::Object(members) if !members.is_empty() => {
            text.push('{');
            for (at, (name, value)) in members.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { "," });
                line(text, inner);
                let name_text = format!("{}: ", Value::from(name.as_str()));
                text.push_str(&name_text);
                let inside = if path.is_empty() && name == "Statement" { &["Statement"][..] } else { &["", ""][..] };
                write(text, value, inner, inner + name_text.chars().count(), inside);
            }
            line(text, indent);
            text.push('}');
        }
        Value::Array(items) if items.iter().all(Value::is_string) => {
            text.push('[');
            fill(text, items, inner);
            line(text, indent);
            text.push(']');
        }
        Value::Array(items) if !items.is_empty() => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { "," });
                line(text, inner);
                write(text, item, inner, inner, path);
            }
            line(text, indent);
            text.push(']');
        }
        _ => text.push_str(&whole),
    }
}

/// Strings, as many on a line as fit. ARNs are read one by one.
fn fill(text: &mut String, items: &[Value], indent: usize) {
    let blank = " ".repeat(indent);
    let mut column = LINE;
    for (at, item) in items.iter().enumerate() {
        let is_last = at + 1 == items.len();
        let mut written = item.to_string();
        written.push_str(if is_last { "" } else { "," });
        let length = written.chars().count();
        if column + 1 + length > LINE || item.as_str().is_some_and(|item| item.starts_with("arn:")) {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n{blank}{written}");
            column = indent + length;
        } else {
            let _ = write!(text, " {written}");
            column += 1 + length;
        }
    }
}

/// In one line, with blanks behind commas and colons.
fn spaced(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members =
                members.iter().map(|(name, value)| format!("{}: {}", Value::from(name.as_str()), spaced(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        scalar => scalar.to_string(),
    }
}
