//! What holds for every input.

use pipeline_definition::{
    Definition, Graph, condition,
    graph::{Progress, SelectionError},
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

    /// Any steps with any dependencies, any of them selected: refused for a reason that can be checked, or all of them run
    /// once another execution stands in for what they take over, and nothing else does.
    #[test]
    fn what_is_selected_can_run_alone(
        dependencies in prop::collection::vec(any::<u8>(), 1..8),
        chosen in any::<u8>(),
    ) {
        let name = |at: usize| format!("S{at}");
        let has = |bits: u8, at: usize| bits & (1 << at) != 0;
        let steps: Vec<_> = dependencies.iter().enumerate().map(|(at, &bits)| {
            let depends_on: Vec<_> = (0..at).filter(|&parent| has(bits, parent)).map(name).collect();
            json!({"Name": name(at), "Type": "Processing", "DependsOn": depends_on})
        }).collect();
        let graph = Graph::new(&Definition::from_value(json!({"Steps": steps})).unwrap()).unwrap();
        let chosen: Vec<_> = (0..dependencies.len()).filter(|&at| has(chosen, at)).map(name).collect();
        let is_chosen = |step: &str| chosen.iter().any(|it| it == step);
        // All that a step waits for, however far.
        let behind = |step: &str| {
            let (mut open, mut found) = (graph.parents(step), Vec::new());
            while let Some(parent) = open.pop() {
                if !found.contains(&parent) {
                    found.push(parent);
                    open.extend(graph.parents(parent));
                }
            }
            found
        };
        match graph.select(chosen.iter().map(String::as_str)) {
            Ok(selection) => {
                prop_assert_eq!(selection.runs.len(), chosen.len());
                let everything = selection.missing(|_| Progress::Succeeded);
                prop_assert_eq!(everything, None);
                prop_assert_eq!(selection.missing(|_| Progress::Waiting).is_some(), !selection.takes.is_empty());
                let mut done: Vec<&str> = selection.takes.clone();
                loop {
                    let progress = |step: &str| match done.contains(&step) {
                        true => Progress::Succeeded,
                        false => Progress::Waiting,
                    };
                    let mut ready = graph.outlook(progress).ready;
                    ready.retain(|step| is_chosen(step));
                    if ready.is_empty() {
                        break;
                    }
                    done.extend(ready);
                }
                prop_assert_eq!(done.len(), chosen.len() + selection.takes.len());
                for step in graph.order().filter(|step| !is_chosen(step)) {
                    let between = behind(step).iter().any(|it| is_chosen(it))
                        && chosen.iter().any(|it| behind(it).contains(&step));
                    prop_assert!(!between, "{step} was left out");
                }
            }
            Err(SelectionError::Between { steps }) => {
                for step in &steps {
                    prop_assert!(!is_chosen(step));
                    prop_assert!(behind(step).iter().any(|it| is_chosen(it)));
                    prop_assert!(chosen.iter().any(|it| behind(it).contains(&step.as_str())));
                }
            }
            Err(SelectionError::Apart { one, other }) => {
                prop_assert_eq!(one.len() + other.len(), chosen.len());
                for step in &one {
                    let near = [graph.parents(step), graph.children(step)].concat();
                    prop_assert!(other.iter().all(|it| !near.contains(&it.as_str())));
                }
            }
            Err(error) => prop_assert!(false, "{error}"),
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
