//! What other emulators let pass and AWS does not: refused here, each with AWS's code.

use sagemaker_fake::testing::FakeAws;
use serde_json::{Value, json};

use crate::clients::{ROLE, arn, raw, signed_for};

const DEFINITION: &str = r#"{"Version":"2020-12-01","Parameters":[],"Steps":[{"Name":"End","Type":"Fail","Arguments":{"ErrorMessage":"no"}}]}"#;

async fn call(aws: &FakeAws, operation: &str, input: &Value) -> (u16, Value) {
    let (signed, target) = (signed_for("sagemaker"), format!("SageMaker.{operation}"));
    let headers = [("x-amz-target", target.as_str()), ("authorization", signed.as_str())];
    let answer = raw(&aws.endpoint_url(), "POST /", &headers, &input.to_string()).await;
    let body = if answer.body.is_empty() { Value::Null } else { serde_json::from_str(&answer.body).unwrap() };
    (answer.status, body)
}

fn token(number: u32) -> String {
    format!("{number:032}")
}

fn pipeline(name: &str) -> Value {
    json!({"PipelineName": name, "RoleArn": ROLE, "PipelineDefinition": DEFINITION, "ClientRequestToken": token(1)})
}

fn with(mut input: Value, member: &str, value: Value) -> Value {
    input[member] = value;
    input
}

#[tokio::test]
async fn what_peers_accept_is_refused() {
    let aws = FakeAws::start().await;
    let model = json!({"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": "i"}});
    let group = json!({"ModelPackageGroupName": "g"});
    for (operation, input) in
        [("CreatePipeline", &pipeline("p")), ("CreateModel", &model), ("CreateModelPackageGroup", &group)]
    {
        let (status, answer) = call(&aws, operation, input).await;
        assert_eq!(status, 200, "{answer}");
    }
    let other = || with(pipeline("q"), "ClientRequestToken", json!(token(2)));
    let start = json!({"PipelineName": "p", "ClientRequestToken": token(3)});
    let version = |number: u32| arn(&format!("model-package/g/{number}"));
    let refused: &[(&str, Value, &str, &str)] = &[
        (
            "CreatePipeline",
            with(other(), "PipelineDefinition", json!("not json at all")),
            "ValidationException",
            "Expecting start of Json Object",
        ),
        (
            "CreatePipeline",
            with(other(), "RoleArn", json!(format!("{ROLE}-not"))),
            "ValidationException",
            "Could not assume role",
        ),
        (
            "CreatePipeline",
            with(other(), "PipelineName", json!("p")),
            "ValidationException",
            "Pipeline with name (p) already exists.",
        ),
        ("CreatePipeline", with(pipeline("q"), "RoleArn", json!(ROLE)), "ConflictException", "client request token"),
        ("DescribePipeline", json!({"PipelineName": "nope"}), "ResourceNotFound", "does not exist"),
        (
            "StartPipelineExecution",
            with(start.clone(), "PipelineName", json!("nope")),
            "ResourceNotFound",
            "does not exist",
        ),
        (
            "StartPipelineExecution",
            with(start, "PipelineParameters", json!([{"Name": "X", "Value": "1"}])),
            "ValidationException",
            "X",
        ),
        (
            "StopPipelineExecution",
            json!({"PipelineExecutionArn": arn("pipeline/p/execution/abc"), "ClientRequestToken": token(4)}),
            "ResourceNotFound",
            "",
        ),
        ("CreateModel", model, "ValidationException", "Cannot create already existing model"),
        ("CreateModel", json!({"ModelName": "n"}), "ValidationException", "PrimaryContainer"),
        (
            "CreateModel",
            json!({"ModelName": "n", "PrimaryContainer": {"ModelPackageName": version(9)}}),
            "ValidationException",
            "does not exist.",
        ),
        ("CreateModelPackageGroup", group, "ValidationException", "Model Package Group already exists: arn:"),
        ("CreateModelPackage", json!({"ModelPackageGroupName": "nope"}), "ValidationException", "does not exist."),
        ("DescribeModelPackage", json!({"ModelPackageName": version(1)}), "ValidationException", "does not exist."),
        ("ListModelPackages", json!({"ModelPackageGroupName": "nope"}), "ValidationException", "does not exist."),
        ("DeleteModelPackageGroup", json!({"ModelPackageGroupName": "nope"}), "ValidationException", "does not exist."),
        ("ListPipelines", json!({"NextToken": "guess"}), "ValidationException", "NextToken"),
        ("AddTags", json!({"ResourceArn": arn("pipeline/nope"), "Tags": []}), "ValidationException", "does not exist"),
        // Not served, and said so as AWS would: no page of HTML, no 500 that a client would try again.
        (
            "CreateNotebookInstance",
            json!({}),
            "UnknownOperationException",
            "SageMaker.CreateNotebookInstance is not served by this fake",
        ),
    ];
    let before = aws.export();
    for (operation, input, code, part) in refused {
        let (status, answer) = call(&aws, operation, input).await;
        let message = answer["message"].as_str().or(answer["Message"].as_str()).unwrap_or_default();
        assert_eq!((status, answer["__type"].as_str()), (400, Some(*code)), "{operation} {input}: {answer}");
        assert!(message.contains(part) && !message.contains("An error occurred"), "{operation} {input}: {message}");
    }
    assert_eq!(aws.export(), before, "what is refused changes nothing");
}

#[tokio::test]
async fn an_endpoint_that_does_not_exist_answers_no_prediction() {
    let aws = FakeAws::start().await;
    let signed = signed_for("sagemaker");
    let answer =
        raw(&aws.endpoint_url(), "POST /endpoints/none/invocations", &[("authorization", &signed)], "1,2").await;
    assert_eq!((answer.status, answer.header("x-amzn-errortype")), (400, Some("ValidationError")), "{answer:?}");
}
