//! What differs between two definitions, by meaning: the order of members, parameters, steps and named things says
//! nothing, and neither does an empty list.
//!
//! ```
//! use pipeline_definition::{Definition, diff::{Kind, diff}};
//!
//! let old = Definition::parse(r#"{"Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": "a"}}]}"#)?;
//! let new = Definition::parse(r#"{"Steps": [{"Type": "Fail", "Name": "Stop", "Arguments": {"ErrorMessage": "b"}}]}"#)?;
//! let changes = diff(&old, &new);
//! assert_eq!((changes[0].kind, changes[0].pointer.as_str()), (Kind::Changed, "/Steps/0/Arguments/ErrorMessage"));
//! # Ok::<(), pipeline_definition::ParseError>(())
//! ```

use std::{collections::HashMap, fmt};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{Definition, definition::PlacedStep, pointer::Place};

mod values;

/// One difference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// What happened.
    pub kind: Kind,
    /// To what it belongs: `step Train`, `parameter Threshold`; empty: the definition itself.
    pub subject: String,
    /// JSON pointer into the new definition; into the old one for what was removed.
    pub pointer: String,
    /// What stood there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What stands there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It has another value.
    Changed,
    /// A step with the same content stands in another branch; the values say in which.
    Moved,
}

/// What differs, in the order of the new definition, what was removed after what was added or changed. Parameters and
/// steps are matched by name, wherever they stand.
#[must_use]
pub fn diff(old: &Definition, new: &Definition) -> Vec<Change> {
    let mut changes = Vec::new();
    let document = |definition: &Definition| {
        let bare = Definition { parameters: Vec::new(), steps: Vec::new(), ..definition.clone() };
        let mut value = bare.to_value();
        // Whether an empty list of parameters is written or not.
        if let Some(members) = value.as_object_mut() {
            members.shift_remove("Parameters");
            members.shift_remove("Steps");
        }
        value
    };
    values::compare(
        &without_empty(&document(old)),
        &without_empty(&document(new)),
        &mut Recorder::new(&mut changes, "", "", ""),
    );
    parameters(old, new, &mut changes);
    steps(old, new, &mut changes);
    changes
}

fn parameters(old: &Definition, new: &Definition, changes: &mut Vec<Change>) {
    let named = |definition: &Definition| -> Vec<Named> {
        let parameters = definition.parameters.iter().enumerate();
        parameters
            .map(|(i, parameter)| Named {
                name: parameter.name.clone(),
                pointer: format!("/Parameters/{i}"),
                value: parameter.to_value(),
                branch: None,
            })
            .collect()
    };
    matched("parameter", named(old), named(new), changes);
}

fn steps(old: &Definition, new: &Definition, changes: &mut Vec<Change>) {
    let named = |definition: &Definition| -> Vec<Named> { definition.steps_with_branches().map(Named::step).collect() };
    matched("step", named(old), named(new), changes);
}

/// A parameter or a step.
struct Named {
    name: String,
    pointer: String,
    value: Value,
    branch: Option<String>,
}

impl Named {
    /// A step without those of its branches.
    fn step(placed: PlacedStep<'_>) -> Self {
        let mut step = placed.step.clone();
        if let Some(branches) = &mut step.branches {
            branches.if_steps.clear();
            branches.else_steps.clear();
        }
        let mut value = step.to_value();
        if let (true, Some(Value::Object(arguments))) = (step.branches.is_some(), value.get_mut("Arguments")) {
            arguments.shift_remove("IfSteps");
            arguments.shift_remove("ElseSteps");
        }
        let branch = placed.governor.map(|governor| {
            format!("{} branch of {}", if governor.outcome { "if" } else { "else" }, governor.condition)
        });
        Self { name: step.name, pointer: placed.pointer, value, branch }
    }
}

fn matched(what: &str, old: Vec<Named>, new: Vec<Named>, changes: &mut Vec<Change>) {
    // Of several of one name (which no pipeline can have) the first meet, then the second, and so on.
    let mut unmatched: HashMap<String, std::collections::VecDeque<usize>> = HashMap::new();
    for (at, named) in old.iter().enumerate() {
        unmatched.entry(named.name.clone()).or_default().push_back(at);
    }
    let mut gone = vec![true; old.len()];
    for new in &new {
        let subject = format!("{what} {}", new.name);
        let Some(at) = unmatched.get_mut(&new.name).and_then(std::collections::VecDeque::pop_front) else {
            changes.push(Change::new(Kind::Added, &subject, &new.pointer, None, Some(&new.value)));
            continue;
        };
        gone[at] = false;
        let old = &old[at];
        if old.branch != new.branch {
            let place = |branch: &Option<String>| json!(branch.as_deref().unwrap_or("top level"));
            let (from, to) = (place(&old.branch), place(&new.branch));
            changes.push(Change::new(Kind::Moved, &subject, &new.pointer, Some(&from), Some(&to)));
        }
        let mut recorder = Recorder::new(changes, &subject, &old.pointer, &new.pointer);
        values::compare(&without_empty(&old.value), &without_empty(&new.value), &mut recorder);
    }
    for (_, old) in gone.iter().zip(&old).filter(|(gone, _)| **gone) {
        let subject = format!("{what} {}", old.name);
        changes.push(Change::new(Kind::Removed, &subject, &old.pointer, Some(&old.value), None));
    }
}

/// A member that is null or an empty list says as much as one that is not there.
fn without_empty(value: &Value) -> Value {
    let empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| !empty(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Where differences go, with what they have in common.
struct Recorder<'c> {
    changes: &'c mut Vec<Change>,
    subject: &'c str,
    old: &'c str,
    new: &'c str,
}

impl<'c> Recorder<'c> {
    fn new(changes: &'c mut Vec<Change>, subject: &'c str, old: &'c str, new: &'c str) -> Self {
        Self { changes, subject, old, new }
    }

    fn record(&mut self, old: Option<(&Value, Place<'_>)>, new: Option<(&Value, Place<'_>)>) {
        let kind = match (old, new) {
            (None, _) => Kind::Added,
            (_, None) => Kind::Removed,
            _ => Kind::Changed,
        };
        let pointer = match (old, new) {
            (_, Some((_, place))) => format!("{}{place}", self.new),
            (Some((_, place)), None) => format!("{}{place}", self.old),
            (None, None) => return,
        };
        let value = |side: Option<(&Value, Place<'_>)>| side.map(|(value, _)| value.clone());
        let (old, new) = (value(old), value(new));
        self.changes.push(Change { kind, subject: self.subject.to_owned(), pointer, old, new });
    }
}

impl Change {
    fn new(kind: Kind, subject: &str, pointer: &str, old: Option<&Value>, new: Option<&Value>) -> Self {
        Self { kind, subject: subject.to_owned(), pointer: pointer.to_owned(), old: old.cloned(), new: new.cloned() }
    }
}

impl fmt::Display for Change {
    /// `~ step Train: /Steps/1/Arguments/ResourceConfig/InstanceType: "ml.m5.large" -> "ml.m5.xlarge"`; long values are cut.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.kind {
            Kind::Added => '+',
            Kind::Removed => '-',
            Kind::Changed => '~',
            Kind::Moved => '>',
        };
        let pointer = if self.pointer.is_empty() { "(whole)" } else { &self.pointer };
        write!(f, "{sign} ")?;
        if !self.subject.is_empty() {
            write!(f, "{}: ", self.subject)?;
        }
        write!(f, "{pointer}")?;
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => write!(f, ": {} -> {}", short(old), short(new)),
            (Some(one), None) | (None, Some(one)) => write!(f, ": {}", short(one)),
            (None, None) => Ok(()),
        }
    }
}

fn short(value: &Value) -> String {
    const LONGEST: usize = 120;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
