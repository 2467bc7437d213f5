//! What holds for every input.

use pipeline_definition::{
    Definition, Graph, condition,
    lint::{excerpt, lint},
    parameters,
    resolve::{Scope, resolve},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// An execution in which everything exists and is the same value.
struct Everything(Value);

impl Scope for Everything {
    fn execution(&self, _: &str) -> Option<Value> {
        Some(self.0.clone())
    }
    fn parameter(&self, _: &str) -> Option<Value> {
        Some(self.0.clone())
    }
    fn step(&self, _: &str) -> Option<Value> {
        Some(self.0.clone())
    }
    fn property_file(&self, _: &str, _: &str) -> Result<Value, String> {
        Ok(self.0.clone())
    }
    fn s3_json(&self, _: &str) -> Result<Value, String> {
        Ok(self.0.clone())
    }
}

/// The words of the grammar, so that arbitrary JSON comes close to it, and other words.
fn word() -> impl Strategy<Value = String> {
    let words = "Version Metadata Parameters PipelineExperimentConfig Steps Name Type Arguments DependsOn CacheConfig \
                 Enabled ExpireAfter PropertyFiles PropertyFileName OutputName FilePath RetryPolicies ExceptionType \
                 MaxAttempts Conditions IfSteps ElseSteps LeftValue RightValue QueryValue Values Expression Equals In Not \
                 Or LessThan Condition Processing Fail Get Std:Join Std:JsonGet On Path PropertyFile S3Uri A B \
                 Parameters.A Steps.A.B Steps.B.PropertyFiles.A Execution.A A.B A['B'] $.A[0]";
    let words: Vec<&str> = words.split_whitespace().collect();
    prop_oneof![9 => prop::sample::select(words).prop_map(str::to_owned), 1 => ".{0,6}"]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(6, 64, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((word(), inner.clone()), 0..5).prop_map(|m| Value::Object(Map::from_iter(m))),
            // An object of one member is what expressions look like.
            (word(), inner).prop_map(|(name, value)| json!({ name: value })),
        ]
    })
}

/// A step that parses, with members of every kind around what it must have.
fn step() -> impl Strategy<Value = Value> {
    let other = prop::collection::vec(("[a-z]{1,4}", value()), 0..3);
    let leaf = (word(), "[A-M]", value(), other, any::<u8>()).prop_map(|(kind, name, arguments, other, choice)| {
        let mut step = Map::from_iter(other);
        // A Condition's arguments must be an object: those come below.
        let kind = if kind == "Condition" { "Fail".to_owned() } else { kind };
        step.extend([("Type".to_owned(), kind.into()), ("Name".to_owned(), name.into())]);
        step.insert("Arguments".to_owned(), arguments);
        let lists = [json!([]), json!(null), json!(["A"]), json!(["B", "C"])];
        step.insert("DependsOn".to_owned(), lists[usize::from(choice % 4)].clone());
        if choice > 128 {
            step.insert("CacheConfig".to_owned(), json!({"Enabled": choice > 200, "x": choice}));
            step.insert(
                "RetryPolicies".to_owned(),
                json!([{"ExceptionType": "A", "BackoffRate": f64::from(choice)}, {}]),
            );
        }
        Value::Object(step)
    });
    leaf.prop_recursive(3, 24, 3, |inner| {
        let steps = || prop::collection::vec(inner.clone(), 0..3);
        ("[N-Z]", prop::collection::vec(value(), 0..3), steps(), steps()).prop_map(|(name, conditions, a, b)| {
            let arguments = json!({"Conditions": conditions, "IfSteps": a, "ElseSteps": b, "z": null});
            json!({"Name": name, "Type": "Condition", "Arguments": arguments})
        })
    })
}

fn definition() -> impl Strategy<Value = Value> {
    let parameter = ("[A-C]", word(), value()).prop_map(|(n, k, v)| json!({"Name": n, "Type": k, "DefaultValue": v}));
    let lists = (prop::collection::vec(parameter, 0..3), prop::collection::vec(step(), 0..5));
    (lists, value(), word()).prop_map(|((parameters, steps), any, name)| {
        let mut definition = Map::from_iter([(name, any.clone())]);
        definition.insert("Parameters".to_owned(), parameters.into());
        definition.insert("Metadata".to_owned(), any);
        definition.insert("Steps".to_owned(), steps.into());
        definition.shift_remove("Version");
        Value::Object(definition)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,40}|[{}\\[\\]\",:a1 ]{0,40}") {
        let _ = Definition::parse(&text);
    }

    #[test]
    fn no_json_makes_anything_panic(value in value(), world in value()) {
        let scope = Everything(world);
        let _ = resolve(&value, &scope);
        let _ = condition::evaluate(std::slice::from_ref(&value), &scope);
        if let Ok(definition) = Definition::from_value(json!({"Steps": [], "x": value})) {
            prop_assert_eq!(&definition.other["x"], &value);
        }
        if let Ok(definition) = Definition::from_value(value.clone()) {
            prop_assert_eq!(definition.to_value(), value);
        }
    }

    #[test]
    fn definitions_come_back_as_they_were(value in definition()) {
        let definition = Definition::from_value(value.clone()).unwrap();
        prop_assert_eq!(&definition.to_value(), &value);
        let text = definition.to_json();
        let again = Definition::parse(&text).unwrap();
        prop_assert_eq!(&again, &definition);
        prop_assert_eq!(again.to_json(), text);
        let _ = parameters::bind(&definition, &[("A".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn a_graph_puts_every_step_behind_its_parents(value in definition()) {
        let definition = Definition::from_value(value).unwrap();
        if let Ok(graph) = Graph::new(&definition) {
            let order: Vec<&str> = graph.order().collect();
            prop_assert_eq!(order.len(), definition.steps_with_branches().count());
            for (at, step) in order.iter().enumerate() {
                for parent in graph.parents(step) {
                    prop_assert!(order[..at].contains(&parent));
                    prop_assert!(graph.children(parent).contains(step));
                }
            }
        }
    }

    #[test]
    fn the_linter_has_a_place_for_everything_it_finds(
        value in prop_oneof![definition(), value()],
        other in ".{0,40}|[{}\\[\\]\",:a1 ]{0,40}",
        pretty in any::<bool>(),
    ) {
        let text = if pretty { format!("{value:#}") } else { value.to_string() };
        for text in [text, other] {
            for finding in lint(&text) {
                prop_assert!(text.get(finding.span.clone()).is_some());
                prop_assert!(finding.line >= 1 && finding.column >= 1);
                prop_assert_eq!(excerpt(&text, &finding).lines().count(), 2);
            }
        }
    }

    #[test]
    fn a_definition_without_findings_makes_a_graph(value in definition()) {
        let errors = lint(&value.to_string());
        let definition = Definition::from_value(value).unwrap();
        if let Err(error) = Graph::new(&definition) {
            prop_assert!(!errors.is_empty(), "{error}");
        }
    }
}
