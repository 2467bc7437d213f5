//! Arguments of steps as the service takes them: a definition's parameters are typed, and an Integer may stand where the
//! API has a string (all hyperparameters are strings), or a String where it has a number.

use pipeline_definition::resolve::text_of;
use serde_json::{Number, Value};

use crate::validation::{Api, Kind};

/// The input of an operation with every scalar of the type that its model says, where that loses nothing. What does not
/// fit is left as it is, for validation to refuse.
pub(super) fn coerce(api: &Api, operation: &str, input: Value) -> Value {
    match api.operation(operation).and_then(|operation| operation.input.as_deref()) {
        Some(shape) => fit(api, shape, input),
        None => input,
    }
}

fn fit(api: &Api, shape: &str, value: Value) -> Value {
    let shape = api.shape(shape);
    match (shape.kind, value) {
        (Kind::Structure, Value::Object(members)) => {
            let known = |name: &str| shape.members().find(|(member, _)| *member == name).map(|(_, inner)| inner);
            let fitted = members.into_iter().map(|(name, value)| match known(&name) {
                Some(inner) => (name, fit(api, inner, value)),
                None => (name, value),
            });
            Value::Object(fitted.collect())
        }
        (Kind::Map, Value::Object(entries)) => {
            entries.into_iter().map(|(key, value)| (key, fit(api, shape.value(), value))).collect()
        }
        (Kind::List, Value::Array(items)) => items.into_iter().map(|item| fit(api, shape.member(), item)).collect(),
        (Kind::String, value @ (Value::Number(_) | Value::Bool(_))) => text_of(&value).map_or(value, Value::String),
        (Kind::Integer, Value::String(text)) => text.parse::<i64>().map_or(Value::String(text), Value::from),
        (Kind::Float, Value::String(text)) => match text.parse().ok().and_then(Number::from_f64) {
            Some(number) => Value::Number(number),
            None => Value::String(text),
        },
        (Kind::Boolean, Value::String(text)) => {
            text.to_lowercase().parse::<bool>().map_or(Value::String(text), Value::Bool)
        }
        (_, value) => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::Service;

    #[test]
    fn scalars_become_what_the_model_says() {
        fn check(given: Value, expected: Value) {
            assert_eq!(coerce(Service::SageMaker.api(), "CreateTrainingJob", given), expected);
        }
        check(
            json!({"HyperParameters": {"l2": 0.5, "epochs": 3, "bias": true}}),
            json!({"HyperParameters": {"l2": "0.5", "epochs": "3", "bias": "true"}}),
        );
        check(json!({"ResourceConfig": {"InstanceCount": "2"}}), json!({"ResourceConfig": {"InstanceCount": 2}}));
        check(json!({"ResourceConfig": {"InstanceCount": "two"}}), json!({"ResourceConfig": {"InstanceCount": "two"}}));
        check(
            json!({"EnableNetworkIsolation": "True", "Unknown": 1}),
            json!({"EnableNetworkIsolation": true, "Unknown": 1}),
        );
        check(json!({"InputDataConfig": [{"ChannelName": 1}]}), json!({"InputDataConfig": [{"ChannelName": "1"}]}));
    }
}
