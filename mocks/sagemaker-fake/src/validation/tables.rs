//! The tables of constraints.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::pattern::Pattern;

/// The operations of one service and the shapes they are made of.
#[derive(Debug, Deserialize)]
pub struct Api {
    /// The version of AWS's model, e.g. `2017-07-24`.
    pub version: String,
    operations: HashMap<String, Operation>,
    shapes: HashMap<String, Shape>,
}

/// An operation: the names of its shapes.
#[derive(Debug, Deserialize)]
pub struct Operation {
    /// The shape of its input, if it takes any.
    pub input: Option<String>,
    /// The shape of its output, if it gives any.
    pub output: Option<String>,
}

/// The constraints on a value.
#[derive(Debug, Deserialize)]
pub struct Shape {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The members that a structure must have.
    #[serde(default)]
    pub required: Vec<String>,
    #[serde(default)]
    members: Map<String, Value>,
    member: Option<String>,
    key: Option<String>,
    value: Option<String>,
    /// The least length of a string, list or map; the least value of a number.
    pub min: Option<f64>,
    /// The greatest length or value.
    pub max: Option<f64>,
    pub(super) pattern: Option<Pattern>,
    /// The values that a string may have; empty if it may have any.
    #[serde(default, rename = "enum")]
    pub allowed: Vec<String>,
    /// Whether a value must not be repeated in messages.
    #[serde(default)]
    pub sensitive: bool,
}

/// The type of a value. Long is an integer and double a float: JSON makes no difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Named members.
    Structure,
    /// Items of one shape.
    List,
    /// Keys and values of one shape each.
    Map,
    /// Text.
    String,
    /// Bytes, in base64.
    Blob,
    /// A whole number.
    #[serde(alias = "long")]
    Integer,
    /// Any number.
    #[serde(alias = "double")]
    Float,
    /// True or false.
    Boolean,
    /// Seconds since 1970 in JSON, ISO 8601 in XML.
    Timestamp,
}

/// What stands for a shape that a table lacks. A test makes sure that none does.
static ANYTHING: LazyLock<Shape> = LazyLock::new(|| Shape {
    kind: Kind::String,
    required: Vec::new(),
    members: Map::new(),
    member: None,
    key: None,
    value: None,
    min: None,
    max: None,
    pattern: None,
    allowed: Vec::new(),
    sensitive: false,
});

impl Api {
    /// Reads a table that is part of the program.
    pub(crate) fn read(table: &str) -> Self {
        serde_json::from_str(table).expect("a test reads every table")
    }

    /// The operation of this name, if the table has it.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.operations.get(name)
    }

    /// The names of all operations in the table.
    pub fn operations(&self) -> impl Iterator<Item = &str> {
        self.operations.keys().map(String::as_str)
    }

    /// The shape of this name.
    #[must_use]
    pub fn shape(&self, name: &str) -> &Shape {
        self.shapes.get(name).unwrap_or(&ANYTHING)
    }

    /// Those members of an object that the output of an operation has too. Describe calls repeat much of what Create
    /// calls were given.
    #[must_use]
    pub fn members_of_output(&self, operation: &str, object: &Value) -> Map<String, Value> {
        self.members_of(self.operation(operation).and_then(|operation| operation.output.as_deref()), object)
    }

    /// Those members of an object that the input of an operation has too.
    #[must_use]
    pub fn members_of_input(&self, operation: &str, object: &Value) -> Map<String, Value> {
        self.members_of(self.operation(operation).and_then(|operation| operation.input.as_deref()), object)
    }

    fn members_of(&self, shape: Option<&str>, object: &Value) -> Map<String, Value> {
        let Some(shape) = shape else { return Map::new() };
        let members = &self.shape(shape).members;
        object
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, value)| members.contains_key(*name) && !value.is_null())
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect()
    }
}

impl Shape {
    /// The members of a structure and the names of their shapes, in AWS's order.
    pub fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.members.iter().map(|(name, shape)| (name.as_str(), shape.as_str().unwrap_or_default()))
    }

    /// Whether a structure has a member of this name.
    #[must_use]
    pub fn has(&self, member: &str) -> bool {
        self.members.contains_key(member)
    }

    /// The shape of a list's items.
    #[must_use]
    pub fn member(&self) -> &str {
        self.member.as_deref().unwrap_or_default()
    }

    /// The shape of a map's keys.
    #[must_use]
    pub fn key(&self) -> &str {
        self.key.as_deref().unwrap_or_default()
    }

    /// The shape of a map's values.
    #[must_use]
    pub fn value(&self) -> &str {
        self.value.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::Service;

    #[test]
    fn every_table_is_whole_and_every_pattern_can_be_matched() {
        use Service::{CloudWatch, Iam, Logs, SageMaker, ServiceQuotas, Sts};
        for service in [SageMaker, Logs, ServiceQuotas, Sts, Iam, CloudWatch] {
            let api = service.api();
            for (name, operation) in &api.operations {
                for shape in [&operation.input, &operation.output].into_iter().flatten() {
                    assert!(api.shapes.contains_key(shape), "{name}: {shape}");
                }
            }
            for (name, shape) in &api.shapes {
                let parts = [&shape.member, &shape.key, &shape.value].into_iter().flatten().map(String::as_str);
                for part in parts.chain(shape.members().map(|(_, shape)| shape)) {
                    assert!(api.shapes.contains_key(part), "{name}: {part}");
                }
                if let Some(pattern) = &shape.pattern {
                    assert!(pattern.compiles(), "{name}: {}", pattern.text());
                }
            }
        }
    }
}
