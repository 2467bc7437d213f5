//! The conditions of a Condition step: `{"Type": "LessThanOrEqualTo", "LeftValue": ..., "RightValue": ...}` and so on.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use crate::{
    path::kind_of,
    pointer::Place,
    resolve::{self, MAX_DEPTH, Reason, ResolveError, Scope},
};

/// Whether all conditions hold; an empty list does. Every condition is looked at, also after one that does not hold: a
/// mistake in one must not hide behind the outcome of another.
///
/// # Errors
/// The first expression without a value, condition of unknown type or comparison of things that cannot be compared.
/// Pointers are relative to the list.
pub fn evaluate(conditions: &[Value], scope: &dyn Scope) -> Result<bool, ResolveError> {
    let outcomes = all(conditions, scope, Place::ROOT, 0)?;
    Ok(outcomes.iter().all(|&outcome| outcome))
}

fn all(conditions: &[Value], scope: &dyn Scope, list: Place<'_>, depth: usize) -> Result<Vec<bool>, ResolveError> {
    conditions.iter().enumerate().map(|(i, condition)| one(condition, scope, list.item(i), depth)).collect()
}

fn one(condition: &Value, scope: &dyn Scope, place: Place<'_>, depth: usize) -> Result<bool, ResolveError> {
    let fail = |reason| resolve::error(condition, place, reason);
    if depth > MAX_DEPTH {
        return Err(fail(Reason::TooDeep));
    }
    let missing = |name: &str| fail(Reason::Condition(format!("the condition has no member {name}")));
    let value = |name| {
        let value = condition.get(name).ok_or_else(|| missing(name))?;
        resolve::at(value, scope, place.member(name), depth + 1)
    };
    let kind = condition.get("Type").and_then(Value::as_str).ok_or_else(|| missing("Type"))?;
    let compare = |holds: fn(Ordering) -> bool| {
        let (left, right) = (value("LeftValue")?, value("RightValue")?);
        let order = order(&left, &right).ok_or_else(|| {
            let (l, r) = (kind_of(&left), kind_of(&right));
            fail(Reason::Condition(format!("{kind} cannot compare {left} ({l}) with {right} ({r})")))
        })?;
        Ok(holds(order))
    };
    match kind {
        "Equals" => {
            let (left, right) = (value("LeftValue")?, value("RightValue")?);
            let (l, r) = (kind_of(&left), kind_of(&right));
            equal(&left, &right).ok_or_else(|| {
                fail(Reason::Condition(format!("Equals cannot compare {left} ({l}) with {right} ({r})")))
            })
        }
        "GreaterThan" => compare(Ordering::is_gt),
        "GreaterThanOrEqualTo" => compare(Ordering::is_ge),
        "LessThan" => compare(Ordering::is_lt),
        "LessThanOrEqualTo" => compare(Ordering::is_le),
        "In" => {
            let (query, values) = (value("QueryValue")?, value("Values")?);
            let Value::Array(values) = values else {
                return Err(fail(Reason::Condition(format!("Values is {}, not a list", kind_of(&values)))));
            };
            // A list may mix types; but a value that none of them could ever equal is a mistake.
            let outcomes: Vec<bool> = values.iter().filter_map(|value| equal(&query, value)).collect();
            if outcomes.is_empty() && !values.is_empty() {
                let reason = format!("QueryValue {query} is {}, which none of Values is", kind_of(&query));
                return Err(fail(Reason::Condition(reason)));
            }
            Ok(outcomes.contains(&true))
        }
        "Not" => {
            // The Python SDK writes Expression; Condition is how the service's documentation calls it.
            let name = if condition.get("Expression").is_some() { "Expression" } else { "Condition" };
            let inner = condition.get(name).ok_or_else(|| missing("Expression"))?;
            Ok(!one(inner, scope, place.member(name), depth + 1)?)
        }
        "Or" => match condition.get("Conditions") {
            Some(Value::Array(conditions)) => {
                Ok(all(conditions, scope, place.member("Conditions"), depth + 1)?.contains(&true))
            }
            _ => Err(fail(Reason::Condition("Conditions is not a list".to_owned()))),
        },
        other => Err(fail(Reason::Condition(format!("there is no condition type '{other}'")))),
    }
}

/// `None`: the two are of different kinds, or of one that has no equality here.
fn equal(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => Some(left == right),
        _ => order(left, right).map(Ordering::is_eq),
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => match (integer(left), integer(right)) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
        },
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// Integers are compared as such: above 2^53 a float cannot tell neighbours apart.
fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}
