//! Scenarios that are another one but for what they say: `base = "ready"`.
//!
//! Tables are laid over those of the base; users, roles, policies, buckets and endpoints over those of their name. `without` takes
//! actions out of a user's or role's own documents, `without_statements` whole statements by their `Sid`.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use toml::{Table, Value};

/// The lists whose items have names.
const NAMED: [&str; 5] = ["users", "roles", "policies", "buckets", "endpoints"];

/// The whole scenario of this text; `text_of` finds the base.
///
/// # Errors
/// What is wrong with it.
pub(super) fn whole(text: &str, text_of: &dyn Fn(&str) -> Option<&'static str>) -> Result<Table, String> {
    let mut table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
    if let Some(base) = table.remove("base") {
        let base = base.as_str().and_then(text_of).ok_or("its base is no scenario")?;
        table = laid_over(whole(base, text_of)?, table);
    }
    for kind in ["users", "roles"] {
        let entities = table.get_mut(kind).and_then(Value::as_array_mut).into_iter().flatten();
        entities.filter_map(Value::as_table_mut).try_for_each(take_out)?;
    }
    Ok(table)
}

fn laid_over(mut below: Table, above: Table) -> Table {
    for (key, value) in above {
        let merged = match (below.remove(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => Value::Table(laid_over(below, above)),
            (Some(Value::Array(below)), Value::Array(above)) if NAMED.contains(&key.as_str()) => {
                Value::Array(by_name(below, above))
            }
            (_, value) => value,
        };
        below.insert(key, merged);
    }
    below
}

fn by_name(mut below: Vec<Value>, above: Vec<Value>) -> Vec<Value> {
    for item in above {
        match (below.iter_mut().find(|known| known.get("name") == item.get("name")), item) {
            (Some(Value::Table(known)), Value::Table(item)) => *known = laid_over(std::mem::take(known), item),
            (_, item) => below.push(item),
        }
    }
    below
}

/// Takes out of an entity's documents what it shall be without.
fn take_out(entity: &mut Table) -> Result<(), String> {
    let mut names = |key: &str| -> Vec<String> {
        let names = entity.remove(key).and_then(|names| names.as_array().cloned()).unwrap_or_default();
        names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let (actions, statements) = (names("without"), names("without_statements"));
    if actions.is_empty() && statements.is_empty() {
        return Ok(());
    }
    let mut gone = BTreeSet::new();
    for document in documents(entity) {
        let mut policy = serde_json::from_str(document).map_err(|error| format!("a document is no JSON: {error}"))?;
        let own = without(&mut policy, &actions, &statements);
        if !own.is_empty() {
            *document = serde_json::to_string_pretty(&policy).map_err(|error| error.to_string())?;
            gone.extend(own);
        }
    }
    match actions.iter().chain(&statements).find(|name| !gone.contains(*name)) {
        Some(name) => Err(format!("{name} is in none of the documents that it is to be taken out of")),
        None => Ok(()),
    }
}

/// The trust policy, and the inline policies.
fn documents(entity: &mut Table) -> impl Iterator<Item = &mut String> {
    let mut values = Vec::new();
    for (key, value) in entity.iter_mut() {
        match (key.as_str(), value) {
            ("trust", document) => values.push(document),
            ("policies", Value::Table(policies)) => {
                let inline = policies.get_mut("inline").and_then(Value::as_table_mut).into_iter().flatten();
                values.extend(inline.map(|(_, document)| document));
            }
            _ => {}
        }
    }
    values.into_iter().filter_map(|value| if let Value::String(document) = value { Some(document) } else { None })
}

/// Takes actions and statements out of a policy, and tells those that were there. A statement without actions goes too.
fn without(policy: &mut Json, actions: &[String], statements: &[String]) -> Vec<String> {
    let mut gone = Vec::new();
    let mut is_one_of = |names: &[String], value: &Json| {
        let name = names.iter().find(|name| *value == **name);
        gone.extend(name.cloned());
        name.is_some()
    };
    if let Some(all) = policy["Statement"].as_array_mut() {
        all.retain(|statement| !is_one_of(statements, &statement["Sid"]));
        for statement in all.iter_mut() {
            match &mut statement["Action"] {
                Json::Array(own) => own.retain(|action| !is_one_of(actions, action)),
                one if is_one_of(actions, one) => *one = Json::Array(Vec::new()),
                _ => {}
            }
        }
        all.retain(|statement| statement["Action"].as_array().is_none_or(|own| !own.is_empty()));
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = r#"
account = "111122223333"
[[users]]
name = "ann"
key = "A"
[[roles]]
name = "r"
trust = '{"Statement": [{"Sid": "A", "Action": "x:A"}, {"Sid": "B", "Action": ["x:A", "x:B"]}]}'
[roles.policies.inline]
p = '{"Statement": [{"Sid": "C", "Action": "x:C"}]}'
"#;

    fn check(variation: &str, path: &[&str], expected: &str) {
        let table = whole(variation, &|name| (name == "base").then_some(BASE)).unwrap();
        let mut at = Value::Table(table);
        for step in path {
            at = match step.parse::<usize>() {
                Ok(number) => at[number].clone(),
                Err(_) => at[*step].clone(),
            };
        }
        let found = at.as_str().map_or_else(|| at.to_string(), str::to_owned);
        let compact: Json = serde_json::from_str(&found).unwrap_or(Json::String(found));
        assert_eq!(compact, serde_json::from_str::<Json>(expected).unwrap(), "{variation}");
    }

    #[test]
    fn what_is_said_again_is_laid_over_the_base() {
        check("base = 'base'", &["account"], r#"111122223333"#);
        let ann = "base = 'base'\n[[users]]\nname = 'ann'\nextra = 'E'";
        check(ann, &["users", "0", "key"], r#""A""#);
        check(ann, &["users", "0", "extra"], r#""E""#);
        check("base = 'base'\n[[users]]\nname = 'bob'", &["users", "1", "name"], r#""bob""#);
    }

    #[test]
    fn actions_and_statements_are_taken_out() {
        let role = |what: &str| format!("base = 'base'\n[[roles]]\nname = 'r'\n{what}");
        let trust = ["roles", "0", "trust"];
        check(&role("without = ['x:A']"), &trust, r#"{"Statement": [{"Sid": "B", "Action": ["x:B"]}]}"#);
        check(&role("without_statements = ['B']"), &trust, r#"{"Statement": [{"Sid": "A", "Action": "x:A"}]}"#);
        let inline = ["roles", "0", "policies", "inline", "p"];
        check(&role("without = ['x:C']"), &inline, r#"{"Statement": []}"#);
    }

    #[test]
    fn what_is_not_there_cannot_be_taken_out() {
        for what in ["without = ['x:A', 'x:D']", "without_statements = ['x:D']"] {
            let variation = format!("base = 'base'\n[[roles]]\nname = 'r'\n{what}");
            let said = whole(&variation, &|_| Some(BASE)).unwrap_err();
            assert_eq!(said, "x:D is in none of the documents that it is to be taken out of");
        }
    }
}
