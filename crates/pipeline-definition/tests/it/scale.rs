//! Large inputs are dealt with. No clock is read, for a busy machine is no fault; a cost that grows with the square of
//! the size shows in these tests as seconds where there should be none.

use pipeline_definition::{
    Definition, Graph, expression::Reference, graph::Progress, lint::lint, parameters, path::Path,
};
use serde_json::{Value, json};

fn check<T>(size: usize, prepare: impl Fn(usize) -> T, work: impl Fn(&T)) {
    work(&prepare(size));
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
    check(6_400, chain, |text| assert_eq!(Definition::parse(text).unwrap().to_json().len(), text.len()));
}

#[test]
fn a_long_chain_of_steps() {
    let definition = |many| Definition::parse(&chain(many)).unwrap();
    check(12_800, definition, |definition| {
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
    check(16_000, definition, |(definition, given)| {
        let bound = parameters::bind(definition, given).unwrap();
        assert_eq!((bound.get("P4"), bound.get("P5")), (Some(&json!(7)), Some(&json!(5))));
    });
}

#[test]
fn long_paths() {
    let texts = |many| [".a", "['a']", "[0]", "['a", "[", "['"].map(|part: &str| format!("${}", part.repeat(many)));
    check(96_000, texts, |texts| {
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
    check(32_000, definition, |value| {
        assert_eq!(Definition::from_value(value.clone()).unwrap().to_value(), *value);
    });
}

#[test]
fn a_definition_full_of_mistakes() {
    // Every step misspells the one before, repeats the name of another, and refers to what is not there.
    let text = |many: usize| {
        let step = |i: usize| {
            let unknown = json!({"Get": format!("Steps.Nobody-{i}.A")});
            let arguments = json!({"x": unknown, "y": {"Get": format!("Parameters.P{i}")}});
            json!({"Name": format!("S{}", i / 2), "Type": "Procesing", "DependsOn": [format!("T{i}")], "Arguments": arguments})
        };
        json!({"Steps": (0..many).map(step).collect::<Vec<_>>()}).to_string()
    };
    check(8_000, text, |text| assert!(lint(text).len() > 4 * 8_000));
}

#[test]
fn a_long_chain_without_mistakes() {
    let text = |many: usize| {
        let step = |i: usize| {
            let before: Vec<String> = (i > 0).then(|| format!("S{}", i - 1)).into_iter().collect();
            json!({"Name": format!("S{i}"), "Type": "Condition", "DependsOn": before, "Arguments": {"Conditions": [], "IfSteps": [
                {"Name": format!("L{i}"), "Type": "Lambda", "FunctionArn": "f", "Arguments": {}, "DependsOn": before}
            ]}})
        };
        json!({"Version": "2020-12-01", "Steps": (0..many).map(step).collect::<Vec<_>>()}).to_string()
    };
    // More than an account may have by default, and nothing else.
    check(4_000, text, |text| assert_eq!(lint(text).len(), 1));
}

#[test]
fn one_object_of_many_repeated_members() {
    let text = |many: usize| format!("{{\"Steps\": [], \"x\": {{{}}}}}", vec!["\"a\": 1, \"b\": 2"; many].join(", "));
    check(64_000, text, |text| assert_eq!(lint(text).len(), 4));
}

#[test]
fn one_step_of_many_outputs_and_as_many_who_use_them() {
    let text = |many: usize| {
        let outputs: Vec<_> = (0..many).map(|i| json!({"OutputName": format!("o{i}")})).collect();
        let files: Vec<_> = (0..many)
            .map(|i| json!({"PropertyFileName": format!("f{i}"), "OutputName": format!("o{i}"), "FilePath": "f.json"}))
            .collect();
        let arguments = json!({"ProcessingResources": {}, "AppSpecification": {}, "RoleArn": "r",
            "ProcessingOutputConfig": {"Outputs": outputs}});
        let mut steps =
            vec![json!({"Name": "P", "Type": "Processing", "Arguments": arguments, "PropertyFiles": files})];
        steps.extend((0..many).map(|i| {
            let uri = format!("Steps.P.ProcessingOutputConfig.Outputs['o{i}'].S3Output.S3Uri");
            let file = json!({"PropertyFile": {"Get": format!("Steps.P.PropertyFiles.f{i}")}, "Path": "a"});
            let arguments = json!({"uri": {"Get": uri}, "value": {"Std:JsonGet": file}});
            json!({"Name": format!("L{i}"), "Type": "Lambda", "FunctionArn": "f", "Arguments": arguments})
        }));
        json!({"Version": "2020-12-01", "Steps": steps}).to_string()
    };
    // More steps than an account may have by default, and a text longer than SageMaker takes.
    check(4_000, text, |text| assert_eq!(lint(text).len(), 2));
}
