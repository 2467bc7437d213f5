//! Job definitions: kept, listed, deleted, and refused.

use serde_json::{Value, json};

use super::world::{DEFINITION, ENDPOINT, World, definition, with};

#[tokio::test]
async fn a_definition_is_described_as_it_was_given() {
    let world = World::new();
    let described = world.call("DescribeModelQualityJobDefinition", json!({"JobDefinitionName": DEFINITION})).unwrap();
    let mut expected = definition(DEFINITION);
    expected["JobDefinitionArn"] =
        json!("arn:aws:sagemaker:eu-west-1:111122223333:model-quality-job-definition/sts-quality");
    expected["CreationTime"] = json!(1_795_688_400.0);
    let input = &mut expected["ModelQualityJobInput"]["EndpointInput"];
    input["S3InputMode"] = json!("File");
    input["S3DataDistributionType"] = json!("FullyReplicated");
    assert_eq!(described, expected);
}

#[tokio::test]
async fn definitions_are_listed_and_deleted() {
    let world = World::new();
    let mut other = with(definition("Other"), "/ModelQualityJobInput/EndpointInput/EndpointName", json!("another"));
    other["Tags"] = json!([{"Key": "Project", "Value": "sts"}]);
    let arn = world.call("CreateModelQualityJobDefinition", other).unwrap()["JobDefinitionArn"].clone();
    let tags = world.call("ListTags", json!({"ResourceArn": arn})).unwrap();
    assert_eq!(tags["Tags"], json!([{"Key": "Project", "Value": "sts"}]));
    let list = |input: Value| {
        let listed = world.call("ListModelQualityJobDefinitions", input).unwrap();
        let summaries = listed["JobDefinitionSummaries"].as_array().unwrap().clone();
        summaries
            .iter()
            .map(|summary| summary["MonitoringJobDefinitionName"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(list(json!({"SortBy": "Name", "SortOrder": "Ascending"})), ["Other", DEFINITION]);
    assert_eq!(list(json!({"EndpointName": ENDPOINT})), [DEFINITION]);
    assert_eq!(list(json!({"NameContains": "oth"})), ["Other"]);
    let named = json!({"JobDefinitionName": "other"});
    world.call("DeleteModelQualityJobDefinition", named.clone()).unwrap();
    assert_eq!(list(json!({})), [DEFINITION]);
    for operation in ["DescribeModelQualityJobDefinition", "DeleteModelQualityJobDefinition"] {
        let error = world.call(operation, named.clone()).unwrap_err();
        assert_eq!(error.code, "ResourceNotFound");
        assert!(error.message.starts_with("Monitoring Job Definition arn:aws:"), "{error}");
    }
}

#[tokio::test]
async fn what_cannot_be_watched_is_refused() {
    let world = World::new();
    let check = |path: &str, member: Value, code: &str, expected: &str| {
        let error = world.call("CreateModelQualityJobDefinition", with(definition("new"), path, member)).unwrap_err();
        assert!(error.code == code && error.message.contains(expected), "{path}: {error}");
    };
    let invalid = "ValidationException";
    check("/JobDefinitionName", json!(DEFINITION), "ResourceInUse", "already exists");
    check("/JobDefinitionName", json!("a_b"), invalid, "failed to satisfy constraint");
    check("/RoleArn", json!("arn:aws:iam::111122223333:role/nobody"), invalid, "Could not assume role");
    check("/ModelQualityAppSpecification/ProblemType", json!(null), invalid, "ProblemType is required");
    check("/ModelQualityAppSpecification/ProblemType", json!("Ranking"), invalid, "enum value set");
    check("/ModelQualityAppSpecification/RecordPreprocessorSourceUri", json!("s3://b/k"), invalid, "no scripts");
    check("/ModelQualityJobInput/EndpointInput", json!(null), invalid, "Exactly one of EndpointInput");
    check("/ModelQualityJobInput/GroundTruthS3Input", json!({}), invalid, "must have an S3Uri");
    check("/ModelQualityJobInput/EndpointInput/StartTimeOffset", json!("-PT1H"), invalid, "or neither");
    check("/StoppingCondition/MaxRuntimeInSeconds", json!(0), invalid, "greater than or equal to 1");
    let blind = json!({"EndpointName": ENDPOINT, "LocalPath": "/opt/ml/processing/in"});
    check("/ModelQualityJobInput/EndpointInput", blind, invalid, "InferenceAttribute or ProbabilityAttribute");
    let batch = json!({"DataCapturedDestinationS3Uri": "s3://b/k", "DatasetFormat": {"Csv": {}}, "LocalPath": "/opt/ml/processing/in"});
    check(
        "/ModelQualityJobInput",
        json!({"BatchTransformInput": batch, "GroundTruthS3Input": {"S3Uri": "s3://b/k"}}),
        invalid,
        "needs EndpointInput",
    );
}
