//! From a [`Policy`] to JSON.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value, json};

use super::{Patterns, Policy, PrincipalPattern, Principals, Statement};

impl Policy {
    /// The document as JSON to look at: two blanks a level, a list of one as the one.
    #[must_use]
    pub fn to_json(&self) -> String {
        format!("{:#}", json!(self))
    }
}

impl Serialize for Policy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("Version", if self.variables { "2012-10-17" } else { "2008-10-17" })?;
        if let Some(id) = &self.id {
            map.serialize_entry("Id", id)?;
        }
        map.serialize_entry("Statement", &self.statements)?;
        map.end()
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(sid) = &self.sid {
            map.serialize_entry("Sid", sid)?;
        }
        map.serialize_entry("Effect", &self.effect)?;
        if let Some(principals) = &self.principals {
            map.serialize_entry(name("Principal", "NotPrincipal", principals.negated), &who(principals))?;
        }
        let mut patterns = |plain, negated, patterns: &Patterns| {
            map.serialize_entry(name(plain, negated, patterns.negated), &one_or_more(&patterns.patterns))
        };
        patterns("Action", "NotAction", &self.actions)?;
        if let Some(resources) = &self.resources {
            patterns("Resource", "NotResource", resources)?;
        }
        if !self.conditions.is_empty() {
            let mut operators: Map<String, Value> = Map::new();
            for condition in &self.conditions {
                let keys = operators.entry(condition.operator.to_string()).or_insert_with(|| json!({}));
                keys[&condition.key] = one_or_more(&condition.values);
            }
            map.serialize_entry("Condition", &operators)?;
        }
        map.end()
    }
}

fn name<'n>(plain: &'n str, negated: &'n str, is_negated: bool) -> &'n str {
    if is_negated { negated } else { plain }
}

fn one_or_more(values: &[String]) -> Value {
    match values {
        [one] => json!(one),
        more => json!(more),
    }
}

fn who(principals: &Principals) -> Value {
    let mut kinds: Map<String, Value> = Map::new();
    for principal in &principals.members {
        let (kind, value) = match principal {
            PrincipalPattern::Everyone => ("AWS", "*"),
            PrincipalPattern::Account(value) | PrincipalPattern::Aws(value) => ("AWS", value.as_str()),
            PrincipalPattern::Service(value) => ("Service", value.as_str()),
            PrincipalPattern::Federated(value) => ("Federated", value.as_str()),
            PrincipalPattern::CanonicalUser(value) => ("CanonicalUser", value.as_str()),
        };
        match kinds.get_mut(kind) {
            None => drop(kinds.insert(kind.to_owned(), json!(value))),
            Some(Value::Array(values)) => values.push(json!(value)),
            Some(one) => *one = json!([one.take(), value]),
        }
    }
    Value::Object(kinds)
}
