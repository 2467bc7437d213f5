//! Paths into a JSON value: what stands after `Steps.NAME` in a `Get`, and the `Path` of a `Std:JsonGet`.
//!
//! `A.B['key'].C[0]`: members by dots, keys and names of list items in quotes, positions in brackets. A path holds for
//! exactly one value; the wildcards, filters and slices of JSONPath do not belong to the grammar.

use std::{fmt, str::FromStr};

use serde_json::Value;

/// A parsed path. Prints as SageMaker writes it: `Outputs['train'].S3Output.S3Uri`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(pub Vec<Segment>);

/// One hop of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// `.Name`: a member of an object.
    Member(String),
    /// `['name']`: a key of a map, or the item of a list of named things (`Outputs` by `OutputName`).
    Key(String),
    /// `[0]`: an item of a list.
    Index(usize),
}

/// Why a text is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at character {at} of the path '{path}'")]
pub struct PathError {
    /// The whole text.
    pub path: String,
    /// Where it goes wrong, in characters, from 0.
    pub at: usize,
    /// What is wrong.
    pub reason: &'static str,
}

impl Path {
    /// Follows the path from `root`. Members that list items are named by are known for SageMaker's own lists
    /// (`OutputName`, `MetricName`, ...); in any other list it is the member whose name ends in `Name`.
    ///
    /// # Errors
    /// A sentence that says at which hop the value ends and what is there instead.
    pub fn find<'v>(&self, root: &'v Value) -> Result<&'v Value, String> {
        let mut value = root;
        let mut list_name = "";
        for (hop, segment) in self.0.iter().enumerate() {
            let found = match segment {
                Segment::Member(name) => value.get(name),
                Segment::Key(name) => match value {
                    Value::Array(items) => named_item(items, list_name, name).map_err(|e| self.up_to(hop, &e))?,
                    other => other.get(name),
                },
                Segment::Index(index) => value.get(index),
            };
            value = found.ok_or_else(|| self.up_to(hop, &absence(value, segment)))?;
            if let Segment::Member(name) | Segment::Key(name) = segment {
                list_name = name;
            }
        }
        Ok(value)
    }

    fn up_to(&self, hop: usize, reason: &str) -> String {
        let so_far = Path(self.0[..hop].to_vec());
        if so_far.0.is_empty() { reason.to_owned() } else { format!("'{so_far}' {reason}") }
    }
}

/// By which member the items of SageMaker's lists are told apart.
fn naming_member(list_name: &str) -> Option<&'static str> {
    Some(match list_name {
        "Outputs" | "OutputParameters" => "OutputName",
        "ProcessingInputs" => "InputName",
        "InputDataConfig" => "ChannelName",
        "FinalMetricDataList" => "MetricName",
        "ProductionVariants" => "VariantName",
        _ => return None,
    })
}

fn named_item<'v>(items: &'v [Value], list_name: &str, name: &str) -> Result<Option<&'v Value>, String> {
    let is_named = |item: &Value| match naming_member(list_name) {
        Some(member) if item.get(member).is_some() => item[member] == name,
        _ => item.as_object().is_some_and(|o| o.iter().any(|(key, v)| key.ends_with("Name") && v == name)),
    };
    let mut found = items.iter().filter(|item| is_named(item));
    let first = found.next();
    match found.count() {
        0 => Ok(first),
        more => Err(format!("has {} items named '{name}'", more + 1)),
    }
}

fn absence(value: &Value, segment: &Segment) -> String {
    match (value, segment) {
        (Value::Object(object), Segment::Member(name) | Segment::Key(name)) => {
            let known: Vec<&str> = object.keys().take(8).map(String::as_str).collect();
            let more = if object.len() > known.len() { ", ..." } else { "" };
            format!("has no member '{name}' (it has: {}{more})", known.join(", "))
        }
        (Value::Array(_), Segment::Key(name)) => format!("has no item named '{name}'"),
        (Value::Array(items), Segment::Index(index)) => format!("has {} items, so no [{index}]", items.len()),
        (Value::Array(_), Segment::Member(name)) => {
            format!("is a list: '{name}' must follow an item, [0] or ['name']")
        }
        (other, _) => format!("is {}, which has nothing inside", kind_of(other)),
    }
}

/// What a JSON value is, with its article, for error texts: `a string`, `an object`.
#[must_use]
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |at: usize, reason| PathError { path: text.to_owned(), at: text[..at].chars().count(), reason };
        // JSONPath's root may be written or left out.
        let start = if text == "$" || text.starts_with("$.") || text.starts_with("$[") { 1 } else { 0 };
        let mut rest = &text[start..];
        let mut segments = Vec::new();
        while !rest.is_empty() {
            let at = text.len() - rest.len();
            rest = if let Some(bracket) = rest.strip_prefix('[') {
                let (segment, after) = in_brackets(bracket).map_err(|reason| error(at, reason))?;
                segments.push(segment);
                after
            } else {
                let name = match rest.strip_prefix('.') {
                    Some(after) if !segments.is_empty() || start == 1 => after,
                    Some(_) => return Err(error(at, "a member name is missing")),
                    None if segments.is_empty() => rest,
                    None => return Err(error(at, "a '.' or '[' is missing")),
                };
                let end = name.find(['.', '[', ']']).unwrap_or(name.len());
                match &name[..end] {
                    "" => return Err(error(at, "a member name is missing")),
                    "*" => return Err(error(at, "a wildcard does not name one value")),
                    member => segments.push(Segment::Member(member.to_owned())),
                }
                &name[end..]
            };
        }
        Ok(Path(segments))
    }
}

/// Reads what follows a `[`: the segment, and the text after the closing bracket.
fn in_brackets(text: &str) -> Result<(Segment, &str), &'static str> {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
        let (digits, after) = text.split_once(']').ok_or("a ']' is missing")?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err("between brackets must stand a position like [0] or a name in quotes");
        }
        return Ok((Segment::Index(digits.parse().map_err(|_| "a position is too large")?), after));
    };
    // The SDK writes names between quotes as they are, quotes inside too, so a name ends where `']` stands.
    let end = if quote == '\'' { "']" } else { "\"]" };
    let (name, after) = text[1..].split_once(end).ok_or("the closing quote and bracket are missing")?;
    Ok((Segment::Key(name.to_owned()), after))
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Member(name) if i == 0 => write!(f, "{name}")?,
                Segment::Member(name) => write!(f, ".{name}")?,
                Segment::Key(name) => write!(f, "['{name}']")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
