//! Differences by meaning.

use pipeline_definition::{
    Definition,
    diff::{Kind, diff},
};
use serde_json::{Value, json};

const GOOD: &str = include_str!("fixtures/good.json");

fn good() -> Value {
    serde_json::from_str(GOOD).unwrap()
}

/// What is said of the good definition, mutated.
#[track_caller]
fn check(mutate: impl Fn(&mut Value), expected: &[&str]) {
    let (old, mut new) = (good(), good());
    mutate(&mut new);
    let [old, new] = [old, new].map(|value| Definition::from_value(value).unwrap());
    let said: Vec<String> = diff(&old, &new).iter().map(ToString::to_string).collect();
    assert_eq!(said, expected);
    // The other way round as much is said.
    assert_eq!(diff(&new, &old).len(), expected.len());
}

#[test]
fn order_and_emptiness_say_nothing() {
    check(|_| {}, &[]);
    check(
        |d| {
            for list in ["/Parameters", "/Steps/4/Arguments/IfSteps", "/Steps/0/Arguments/ProcessingInputs", "/Steps"] {
                d.pointer_mut(list).and_then(Value::as_array_mut).unwrap().reverse();
            }
        },
        &[],
    );
    check(
        |d| {
            let members = d.as_object_mut().unwrap();
            let version = members.shift_remove("Version").unwrap();
            members.insert("Version".to_owned(), version);
            d["Steps"][1]["DependsOn"] = json!([]);
            d["Steps"][0]["Description"] = json!(null);
        },
        &[],
    );
    check(|d| d["Steps"][2]["DependsOn"] = json!(["Train", "Train"]), &[]);
}

#[test]
fn every_change_is_said_once() {
    check(
        |d| d["Steps"][1]["Arguments"]["ResourceConfig"]["InstanceType"] = json!("ml.m5.4xlarge"),
        &["~ step Train: /Steps/1/Arguments/ResourceConfig/InstanceType: \
           {\"Get\":\"Parameters.Instance\"} -> \"ml.m5.4xlarge\""],
    );
    check(
        |d| d["Parameters"][2]["DefaultValue"] = json!(0.25),
        &["~ parameter Threshold: /Parameters/2/DefaultValue: 0.3 -> 0.25"],
    );
    check(|d| d["Metadata"] = json!({"a": 1}), &["+ /Metadata/a: 1"]);
    check(
        |d| d["Steps"][0]["CacheConfig"] = json!(null),
        &["- step Prepare: /Steps/0/CacheConfig: {\"Enabled\":true,\"ExpireAfter\":\"30d\"}"],
    );
    check(
        |d| d["Steps"][2]["DependsOn"] = json!(["Prepare", "Train"]),
        &["~ step Evaluate: /Steps/2/DependsOn: [\"Train\"] -> [\"Prepare\",\"Train\"]"],
    );
    check(
        |d| d["Steps"][0]["Arguments"]["AppSpecification"]["ContainerArguments"] = json!(["x"]),
        &["~ step Prepare: /Steps/0/Arguments/AppSpecification/ContainerArguments/0: \"prepare\" -> \"x\""],
    );
}

#[test]
fn things_are_matched_by_name() {
    // The first output goes, so that the second takes its position.
    check(
        |d| {
            let outputs = d.pointer_mut("/Steps/0/Arguments/ProcessingOutputConfig/Outputs").unwrap();
            outputs.as_array_mut().unwrap().remove(0);
            outputs[0]["S3Output"]["S3Uri"] = json!("s3://other/test");
        },
        &[
            "~ step Prepare: /Steps/0/Arguments/ProcessingOutputConfig/Outputs/0/S3Output/S3Uri: \
             \"s3://bucket/test\" -> \"s3://other/test\"",
            "- step Prepare: /Steps/0/Arguments/ProcessingOutputConfig/Outputs/0: \
             {\"OutputName\":\"train\",\"S3Output\":{\"S3Uri\":\"s3://bucket/train\",\"LocalPath\":\
             \"/opt/ml/processing/train\",\"S3UploadMode\":\"End…",
        ],
    );
    check(
        |d| {
            d["Steps"][4]["Arguments"]["ElseSteps"][0]["Name"] = json!("Halt");
        },
        &[
            "+ step Halt: /Steps/4/Arguments/ElseSteps/0: \
             {\"Name\":\"Halt\",\"Type\":\"Fail\",\"Arguments\":{\"ErrorMessage\":\"not good enough\"}}",
            "- step Stop: /Steps/4/Arguments/ElseSteps/0: \
             {\"Name\":\"Stop\",\"Type\":\"Fail\",\"Arguments\":{\"ErrorMessage\":\"not good enough\"}}",
        ],
    );
    check(
        |d| {
            let parameters = d["Parameters"].as_array_mut().unwrap();
            parameters.remove(0);
            parameters.push(json!({"Name": "New", "Type": "String"}));
        },
        &[
            "+ parameter New: /Parameters/3: {\"Name\":\"New\",\"Type\":\"String\"}",
            "- parameter Instance: /Parameters/0: {\"Name\":\"Instance\",\"Type\":\"String\",\"DefaultValue\":\
             \"ml.m5.large\",\"EnumValues\":[\"ml.m5.large\",\"ml.m5.xlarge\"]}",
        ],
    );
}

#[test]
fn a_step_that_moves_keeps_its_content() {
    check(
        |d| {
            let step = d["Steps"][4]["Arguments"]["IfSteps"].as_array_mut().unwrap().remove(1);
            d["Steps"][4]["Arguments"]["ElseSteps"].as_array_mut().unwrap().push(step.clone());
            let ask = d["Steps"].as_array_mut().unwrap().remove(3);
            d["Steps"][3]["Arguments"]["IfSteps"].as_array_mut().unwrap().push(ask);
        },
        &[
            "> step Ask: /Steps/3/Arguments/IfSteps/1: \"top level\" -> \"if branch of Check\"",
            "> step Tell: /Steps/3/Arguments/ElseSteps/1: \"if branch of Check\" -> \"else branch of Check\"",
        ],
    );
}

#[test]
fn a_condition_does_not_change_with_its_branches() {
    let mut new = good();
    new["Steps"][4]["Arguments"]["ElseSteps"] = json!([]);
    new["Steps"][4]["Arguments"]["Conditions"][0]["RightValue"] = json!(0.1);
    let [old, new] = [good(), new].map(|value| Definition::from_value(value).unwrap());
    let found: Vec<_> = diff(&old, &new).into_iter().map(|c| (c.kind, c.subject, c.pointer)).collect();
    let right = "/Steps/4/Arguments/Conditions/0/RightValue";
    assert_eq!(
        found,
        [
            (Kind::Changed, "step Check".to_owned(), right.to_owned()),
            (Kind::Removed, "step Stop".to_owned(), "/Steps/4/Arguments/ElseSteps/0".to_owned()),
        ]
    );
}
