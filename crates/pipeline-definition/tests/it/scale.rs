//! Large inputs cost time in proportion to their size.

use std::time::{Duration, Instant};

use pipeline_definition::{Definition, Graph, expression::Reference, graph::Progress, parameters, path::Path};
use serde_json::{Value, json};

/// Times `work` on what `prepare` makes at a size and at 32 times that size. Cost in proportion to the size makes the
/// second about 32 times as long as the first, cost in proportion to its square up to 1024 times; the limit lies
/// between, and the best of several runs counts, so that a busy machine does not matter.
fn check<T>(size: usize, prepare: impl Fn(usize) -> T, work: impl Fn(&T)) {
    const GROWTH: usize = 32;
    const LIMIT: u32 = 250;
    let best = |runs, size| -> Duration {
        let input = prepare(size);
        let time = |_| {
            let start = Instant::now();
            work(&input);
            start.elapsed()
        };
        (0..runs).map(time).min().unwrap_or_default()
    };
    let (small, large) = (best(5, size), best(2, size * GROWTH));
    assert!(large < small * LIMIT, "{small:?} at {size}, {large:?} at {GROWTH} times that");
}

/// Every step waits for the one before and uses the first; listed from the last to the first.
fn chain(many: usize) -> String {
    let step = |i: usize| {
        let before: Vec<String> = (i > 0).then(|| format!("S{}", i - 1)).into_iter().collect();
        let first = json!({"Get": "Steps.S0.A.B['c'][0]"});
        let arguments =
            if i == 0 { json!({}) } else { json!({"x": {"Std:Join": {"On": "/", "Values": ["a", first]}}}) };
        json!({"Name": format!("S{i}"), "Type": "Processing", "DependsOn": before, "Arguments": arguments})
    };
    json!({"Steps": (0..many).rev().map(step).collect::<Vec<_>>()}).to_string()
}

#[test]
fn reading_and_writing() {
    check(200, chain, |text| assert_eq!(Definition::parse(text).unwrap().to_json().len(), text.len()));
}

#[test]
fn a_long_chain_of_steps() {
    let definition = |many| Definition::parse(&chain(many)).unwrap();
    check(400, definition, |definition| {
        let many = definition.steps.len();
        let graph = Graph::new(definition).unwrap();
        assert_eq!(graph.order().nth(many - 1), Some(definition.steps[0].name.as_str()));
        assert_eq!(graph.children("S0").len(), many - 1);
        let outlook = graph.outlook(|step| if step == "S0" { Progress::Failed } else { Progress::Waiting });
        assert_eq!((outlook.ready.len(), outlook.unreachable.len()), (0, many - 1));
    });
}

#[test]
fn many_parameters() {
    let definition = |many| {
        let parameter = |i: usize| json!({"Name": format!("P{i}"), "Type": "Integer", "DefaultValue": i});
        let definition = json!({"Steps": [], "Parameters": (0..many).map(parameter).collect::<Vec<_>>()});
        let given: Vec<_> = (0..many).step_by(2).map(|i| (format!("P{i}"), "7".to_owned())).collect();
        (Definition::from_value(definition).unwrap(), given)
    };
    check(500, definition, |(definition, given)| {
        let bound = parameters::bind(definition, given).unwrap();
        assert_eq!((bound.get("P4"), bound.get("P5")), (Some(&json!(7)), Some(&json!(5))));
    });
}

#[test]
fn long_paths() {
    let texts = |many| [".a", "['a']", "[0]", "['a", "[", "['"].map(|part: &str| format!("${}", part.repeat(many)));
    check(3_000, texts, |texts| {
        for (i, text) in texts.iter().enumerate() {
            assert_eq!(text.parse::<Path>().is_ok(), i < 3);
            assert_eq!(Reference::parse(&format!("Steps.S{}", &text[1..])).is_ok(), i < 3);
        }
    });
}

#[test]
fn an_object_of_many_unknown_members() {
    let definition = |many| {
        let members: serde_json::Map<String, Value> = (0..many).map(|i| (format!("m{i}"), json!(i))).collect();
        let mut step = json!({"Name": "S", "Type": "Processing", "Description": "d", "Arguments": {}});
        step.as_object_mut().unwrap().extend(members);
        json!({"Steps": [step]})
    };
    check(1_000, definition, |value| {
        assert_eq!(Definition::from_value(value.clone()).unwrap().to_value(), *value);
    });
}
