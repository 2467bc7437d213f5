//! Definitions as others write them: read, written back and made a graph of.

use pipeline_definition::{Definition, Graph, StepType, parameters};
use serde_json::{Value, json};

fn check(text: &str, steps: &[(&str, &[&str])]) -> Definition {
    let definition = Definition::parse(text).unwrap();
    assert_eq!(definition.to_value(), serde_json::from_str::<Value>(text).unwrap());
    let written = definition.to_json();
    assert_eq!(Definition::parse(&written).unwrap(), definition);
    assert_eq!(Definition::parse(&written).unwrap().to_json(), written);
    let graph = Graph::new(&definition).unwrap();
    let found: Vec<(&str, Vec<&str>)> = graph.order().map(|step| (step, graph.parents(step))).collect();
    let found: Vec<(&str, &[&str])> = found.iter().map(|(step, parents)| (*step, parents.as_slice())).collect();
    assert_eq!(found, steps);
    definition
}

#[test]
fn every_type_of_step() {
    let definition = check(
        include_str!("fixtures/every-type.json"),
        &[
            ("Clean", &[]),
            ("Search", &["Clean"]),
            ("Best", &["Search"]),
            ("Baseline", &["Clean"]),
            ("Score", &["Baseline", "Best"]),
            ("Fairness", &["Best", "Baseline"]),
            ("Announce", &["Score"]),
            ("Approve", &["Announce"]),
            ("Report", &["Fairness"]),
            ("Endpoint", &["Approve"]),
        ],
    );
    assert_eq!(definition.step("Endpoint").unwrap().kind, StepType::Other("Endpoint".to_owned()));
    assert_eq!(definition.step("Approve").unwrap().other["OutputParameters"], json!([]));
    let policies = &definition.step("Search").unwrap().retry_policies;
    assert_eq!(policies[1].exception_types, ["SageMaker.CAPACITY_ERROR"]);
    let bound = parameters::bind(&definition, &[("Rounds".to_owned(), "100".to_owned())]).unwrap();
    assert_eq!((bound.get("Rounds"), bound.get("MinimumAuc")), (Some(&json!(100)), Some(&json!(0.9))));
}

#[test]
fn conditions_in_conditions() {
    let definition = check(
        include_str!("fixtures/nested-conditions.json"),
        &[
            ("Count", &[]),
            ("Evaluate", &[]),
            ("Gate", &["Evaluate"]),
            ("FirstRelease", &["Count", "Gate"]),
            ("CreateGroup", &["FirstRelease"]),
            ("Register", &["FirstRelease", "Gate"]),
            ("Stop", &["Gate"]),
        ],
    );
    let walked: Vec<_> = definition.steps_with_branches().map(|placed| placed.step.name.as_str()).collect();
    assert_eq!(walked, ["Gate", "FirstRelease", "CreateGroup", "Register", "Stop", "Count", "Evaluate"]);
}
