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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Knows one parameter and nothing else.
    struct Half;

    impl Scope for Half {
        fn execution(&self, _: &str) -> Option<Value> {
            None
        }
        fn parameter(&self, name: &str) -> Option<Value> {
            (name == "Half").then(|| json!(0.5))
        }
        fn step(&self, _: &str) -> Option<Value> {
            None
        }
        fn property_file(&self, _: &str, _: &str) -> Result<Value, String> {
            Err("there is none".to_owned())
        }
        fn s3_json(&self, _: &str) -> Result<Value, String> {
            Err("there is none".to_owned())
        }
    }

    fn comparison(kind: &str, left: impl Into<Value>, right: impl Into<Value>) -> Value {
        json!({"Type": kind, "LeftValue": left.into(), "RightValue": right.into()})
    }

    #[test]
    fn comparisons_order_numbers_and_strings() {
        fn check(left: &Value, right: &Value, order: Ordering) {
            let kinds = ["Equals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"];
            let expected = [order.is_eq(), order.is_gt(), order.is_ge(), order.is_lt(), order.is_le()];
            let found = kinds.map(|kind| evaluate(&[comparison(kind, left.clone(), right.clone())], &Half).unwrap());
            assert_eq!(found, expected, "{left} {right}");
        }
        check(&json!(1), &json!(1.0), Ordering::Equal);
        check(&json!(2), &json!(10), Ordering::Less);
        check(&json!("2"), &json!("10"), Ordering::Greater);
        check(&json!(-1), &json!(u64::MAX), Ordering::Less);
        // As floats these two are one.
        check(&json!(9_007_199_254_740_993_i64), &json!(9_007_199_254_740_992_i64), Ordering::Greater);
        check(&json!({"Get": "Parameters.Half"}), &json!(0.25), Ordering::Greater);
        check(&json!(""), &json!("a"), Ordering::Less);
    }

    #[test]
    fn conditions_combine() {
        fn check(conditions: &[Value], expected: bool) {
            assert_eq!(evaluate(conditions, &Half), Ok(expected), "{conditions:?}");
        }
        let (yes, no) = (comparison("Equals", true, true), comparison("Equals", true, false));
        check(&[], true);
        check(&[yes.clone(), yes.clone()], true);
        check(&[yes.clone(), no.clone()], false);
        check(&[json!({"Type": "Not", "Expression": no})], true);
        check(&[json!({"Type": "Not", "Condition": yes})], false);
        check(&[json!({"Type": "Or", "Conditions": [no, yes]})], true);
        check(&[json!({"Type": "Or", "Conditions": []})], false);
        check(&[json!({"Type": "Or", "Conditions": [{"Type": "Not", "Expression": yes}, no]})], false);
        check(&[json!({"Type": "In", "QueryValue": {"Get": "Parameters.Half"}, "Values": ["a", 1, 0.5]})], true);
        check(&[json!({"Type": "In", "QueryValue": "b", "Values": ["a", 1]})], false);
        check(&[json!({"Type": "In", "QueryValue": "b", "Values": []})], false);
    }

    #[test]
    fn conditions_that_mean_nothing_are_refused_at_their_place() {
        fn check(condition: Value, pointer: &str, reason: &str) {
            // The first condition does not hold: a mistake in the second is found all the same.
            let error = evaluate(&[comparison("Equals", 1, 2), condition], &Half).unwrap_err();
            assert_eq!((error.pointer.as_str(), error.reason.to_string().as_str()), (pointer, reason));
        }
        let text = "Equals cannot compare \"1\" (a string) with 1 (a number)";
        check(comparison("Equals", "1", 1), "/1", text);
        check(
            comparison("LessThan", true, false),
            "/1",
            "LessThan cannot compare true (a boolean) with false (a boolean)",
        );
        check(comparison("Equals", json!([]), json!([])), "/1", "Equals cannot compare [] (a list) with [] (a list)");
        check(json!(1), "/1", "the condition has no member Type");
        check(json!({"Type": "Equals", "LeftValue": 1}), "/1", "the condition has no member RightValue");
        check(json!({"Type": "Similar"}), "/1", "there is no condition type 'Similar'");
        check(json!({"Type": "Or", "Conditions": {}}), "/1", "Conditions is not a list");
        check(json!({"Type": "In", "QueryValue": 1, "Values": "1"}), "/1", "Values is a string, not a list");
        let reason = "QueryValue 1 is a number, which none of Values is";
        check(json!({"Type": "In", "QueryValue": 1, "Values": ["1"]}), "/1", reason);
        let undefined = json!({"Get": "Parameters.Whole"});
        let nested =
            json!({"Type": "Or", "Conditions": [{"Type": "Not", "Expression": comparison("Equals", 1, undefined)}]});
        check(nested, "/1/Conditions/0/Expression/RightValue", "parameter 'Whole' is undefined");
    }

    #[test]
    fn depth_is_bounded() {
        let mut condition = comparison("Equals", 1, 1);
        for _ in 0..2000 {
            let mut not = json!({"Type": "Not"});
            not["Expression"] = condition;
            condition = not;
        }
        assert_eq!(evaluate(&[condition], &Half).unwrap_err().reason, Reason::TooDeep);
    }
}
