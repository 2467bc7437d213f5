//! What other emulators let pass and AWS does not: refused here, each with AWS's code.
//!
//! What needs more than a request is tested elsewhere:
//!
//! | what others do | the test |
//! |---|---|
//! | nothing is captured; DescribeEndpoint lacks members that are required | `capture::a_request_and_its_answer_are_captured`, and every answer in tests is checked against AWS's model |
//! | endpoints and jobs are done at once, and `S3ModelArtifacts` is never written | `endpoints::an_endpoint_from_creation_to_deletion`, `jobs::a_training_job_gets_its_channels_and_leaves_a_model` |
//! | a configuration that is in use is deleted: AWS accepts that too, and the endpoint goes on | `endpoints::an_endpoint_from_creation_to_deletion` |
//! | HeadBucket with another's `ExpectedBucketOwner` is answered | `s3::buckets::what_is_anothers_is_refused` |
//! | a role that does not exist is assumed | `sts::refuses_what_aws_refuses` |
//! | only what runs is stopped | `executions::an_execution_is_stopped_with_its_jobs` |
//! | a retry keeps its ARN, and only what failed or was stopped is retried | `retries::a_retried_execution_runs_again_what_failed_and_what_never_started` |
//! | steps that are selected need a source | `selective::what_cannot_run_alone_is_refused` |
//! | a schedule that is pending is left alone | `monitoring::schedules::a_schedule_is_locked_while_it_is_pending` |
//! | an hour without captures fails with its reason | `monitoring::executions::an_hour_without_captures_or_without_labels_fails_as_on_aws` |
//! | a definition is locked by its schedule | `monitoring::executions::what_an_execution_needs_and_is_gone_is_named` |
//! | what ran too long is Stopped, not Completed | `jobs::a_job_that_runs_too_long_is_stopped` |

use sagemaker_fake::testing::FakeAws;
use serde_json::{Value, json};

use crate::clients::{ROLE, arn, raw, signed_for};

const IMAGE: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container:1";
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

fn training(name: &str, role: &str) -> Value {
    json!({
        "TrainingJobName": name, "RoleArn": role,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://sts-bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    })
}

fn with(mut input: Value, member: &str, value: Value) -> Value {
    input[member] = value;
    input
}

#[tokio::test]
async fn what_peers_accept_is_refused() {
    let aws = FakeAws::start().await;
    let model = json!({"ModelName": "m", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE}});
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
            json!({"ModelName": "n", "PrimaryContainer": {"Image": "somebody/model:1"}}),
            "ValidationException",
            "Using non-ECR image \"somebody/model:1\" without Vpc repository access mode is not supported.",
        ),
        (
            "CreateModel",
            json!({"ModelName": "n", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": "s3://none/m.tar.gz"}}),
            "ValidationException",
            "Could not find model data at s3://none/m.tar.gz.",
        ),
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
        (
            "CreateEndpointConfig",
            json!({"EndpointConfigName": "c", "ProductionVariants": [{"VariantName": "v", "ModelName": "nope",
                   "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}]}),
            "ValidationException",
            "Could not find model \"arn:",
        ),
        (
            "CreateEndpoint",
            json!({"EndpointName": "e", "EndpointConfigName": "nope"}),
            "ValidationException",
            "Could not find endpoint configuration \"arn:",
        ),
        ("DescribeEndpoint", json!({"EndpointName": "nope"}), "ValidationException", "Could not find endpoint \"arn:"),
        (
            "CreateTrainingJob",
            training("t", "arn:aws:iam::111122223333:role/nobody"),
            "ValidationException",
            "Could not assume role",
        ),
        ("DeleteTrainingJob", json!({"TrainingJobName": "nope"}), "ResourceNotFound", "not found"),
        (
            "DeleteProcessingJob",
            json!({"ProcessingJobName": "nope"}),
            "ResourceNotFound",
            "Could not find requested job",
        ),
        ("DescribeMonitoringSchedule", json!({"MonitoringScheduleName": "nope"}), "ResourceNotFound", "not found"),
        (
            "GetModelPackageGroupPolicy",
            json!({"ModelPackageGroupName": "g"}),
            "ValidationException",
            "Cannot find resource policy for: arn:",
        ),
        (
            "GetModelPackageGroupPolicy",
            json!({"ModelPackageGroupName": "nope"}),
            "ValidationException",
            "Cannot find Model Package Group: arn:",
        ),
        (
            "PutModelPackageGroupPolicy",
            json!({"ModelPackageGroupName": "g", "ResourcePolicy": "no policy"}),
            "ValidationException",
            "policy",
        ),
        ("ListPipelines", json!({"NextToken": "guess"}), "ValidationException", "NextToken"),
        ("ListPipelineExecutions", json!({"PipelineName": "nope"}), "ResourceNotFound", "does not exist"),
        ("AddTags", json!({"ResourceArn": arn("pipeline/nope"), "Tags": []}), "ValidationException", "does not exist"),
        (
            "CreatePipeline",
            with(other(), "PipelineDefinition", json!(r#"{"Version":"2020-12-01","Steps":{}}"#)),
            "ValidationException",
            "Unable to parse pipeline definition. Expecting start of Json Array.",
        ),
        ("Search", json!({"Resource": "Pipeline"}), "UnknownOperationException", "SageMaker.Search is not served"),
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

/// A name that is taken is taken whatever the request says otherwise.
#[tokio::test]
async fn names_of_jobs_are_taken_once() {
    let aws = FakeAws::start().await;
    let input = training("t", ROLE);
    let (status, answer) = call(&aws, "CreateTrainingJob", &input).await;
    assert_eq!(status, 200, "{answer}");
    let (status, answer) = call(&aws, "CreateTrainingJob", &with(input, "Environment", json!({"A": "1"}))).await;
    assert_eq!((status, answer["__type"].as_str()), (400, Some("ResourceInUse")), "{answer}");
}

#[tokio::test]
async fn an_endpoint_that_does_not_exist_answers_no_prediction() {
    let aws = FakeAws::start().await;
    let signed = signed_for("sagemaker");
    let answer =
        raw(&aws.endpoint_url(), "POST /endpoints/none/invocations", &[("authorization", &signed)], "1,2").await;
    assert_eq!((answer.status, answer.header("x-amzn-errortype")), (400, Some("ValidationError")), "{answer:?}");
}

/// The same request with the same token is done once; another token, and it is done again.
#[tokio::test]
async fn a_client_request_token_starts_one_execution() {
    let aws = FakeAws::start().await;
    call(&aws, "CreatePipeline", &pipeline("p")).await;
    let start = |number| json!({"PipelineName": "p", "ClientRequestToken": token(number)});
    let mut arns = Vec::new();
    for number in [7, 7, 8] {
        let (status, answer) = call(&aws, "StartPipelineExecution", &start(number)).await;
        assert_eq!(status, 200, "{answer}");
        arns.push(answer["PipelineExecutionArn"].clone());
    }
    assert!(arns[0] == arns[1] && arns[1] != arns[2], "{arns:?}");
    let (_, listed) = call(&aws, "ListPipelineExecutions", &json!({"PipelineName": "p"})).await;
    assert_eq!(listed["PipelineExecutionSummaries"].as_array().unwrap().len(), 2);
    let other = with(start(7), "PipelineExecutionDisplayName", json!("other"));
    assert_eq!(call(&aws, "StartPipelineExecution", &other).await.1["__type"], "ConflictException");
}

/// `MaxResults` is kept to, the pages hold everything once, and without it a page is of ten.
#[tokio::test]
async fn many_executions_come_in_pages() {
    let aws = FakeAws::start().await;
    call(&aws, "CreatePipeline", &pipeline("p")).await;
    for number in 0..131 {
        let (status, answer) =
            call(&aws, "StartPipelineExecution", &json!({"PipelineName": "p", "ClientRequestToken": token(number)}))
                .await;
        assert_eq!(status, 200, "{answer}");
    }
    let mut input = json!({"PipelineName": "p", "MaxResults": 10});
    let (mut seen, mut pages) = (std::collections::HashSet::new(), Vec::new());
    loop {
        let (_, page) = call(&aws, "ListPipelineExecutions", &input).await;
        let listed = page["PipelineExecutionSummaries"].as_array().unwrap();
        pages.push(listed.len());
        seen.extend(listed.iter().map(|execution| execution["PipelineExecutionArn"].to_string()));
        match page.get("NextToken") {
            Some(token) => input["NextToken"] = token.clone(),
            None => break,
        }
    }
    let mut expected = vec![10; 13];
    expected.push(1);
    assert_eq!((pages, seen.len()), (expected, 131));
    let (_, page) = call(&aws, "ListPipelineExecutions", &json!({"PipelineName": "p"})).await;
    assert_eq!(page["PipelineExecutionSummaries"].as_array().unwrap().len(), 10);
    let (status, answer) = call(&aws, "ListPipelineExecutions", &json!({"PipelineName": "p", "MaxResults": 0})).await;
    assert_eq!((status, answer["__type"].as_str()), (400, Some("ValidationException")));
}
