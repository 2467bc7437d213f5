//! Images that must be in ECR before anything is run of them.

use sagemaker_fake::testing::FakeAws;
use sagemaker_fake::{Fake, endpoints};
use serde_json::{Value, json};

use crate::account::{Account, REGION, ROLE, SHELL, patiently, processing_job, programs, training_job};
use crate::ecr::{Registry, digest, done};

const OCI: &str = "application/vnd.oci.image.manifest.v1+json";

/// An account that wants images to be there, and its registry.
async fn strict() -> (FakeAws, Account) {
    let programs = programs().with("*/shell@*", ["/bin/sh", "-c", "eval \"$*\"", "sh"]);
    let aws = FakeAws::start_with(Fake::builder().strict_images(true).programs(programs)).await;
    let account = Account::of(aws.fake().clone());
    (aws, account)
}

fn model(name: &str, image: &str) -> Value {
    json!({"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": {"Image": image}})
}

/// Sentences of logs that people have shown.
#[tokio::test]
async fn images_that_are_not_there_fail_as_on_aws() {
    let (aws, account) = strict().await;
    let refused = |operation: &str, input: Value| {
        let refusal = account.call(operation, input).unwrap_err();
        assert_eq!(refusal.code, "ValidationException", "{refusal}");
        refusal.message
    };
    let pull = format!(
        "exists and role {ROLE} has proper pull permissions for SageMaker: ecr:BatchCheckLayerAvailability, ecr:BatchGetImage, \
         ecr:GetDownloadUrlForLayer"
    );
    let failed = async |name: &str| {
        let job = account.process(processing_job(name, "true")).await;
        job.failure_reason.unwrap_or_default()
    };

    let training = refused("CreateTrainingJob", training_job("job", "true"));
    let expected = "Cannot find repository: shell in registry ID: 111122223333 Please check if your ECR repository";
    assert_eq!(training, format!("{expected} {pull}"));
    let tuning = json!({
        "HyperParameterTuningJobName": "tuning",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Grid",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxParallelTrainingJobs": 1},
            "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "l2", "Values": ["1"]}]},
        },
        "TrainingJobDefinition": {
            "AlgorithmSpecification": {
                "TrainingImage": SHELL, "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
            },
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": "s3://sts-bucket/models"},
            "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        },
    });
    assert_eq!(refused("CreateHyperParameterTuningJob", tuning), training);
    let unknown = "The repository with name 'shell' does not exist in the registry with id '111122223333'";
    let expected = format!("ClientError: API error (404): repository shell not found: name unknown: {unknown}");
    assert_eq!(failed("one").await, expected);
    assert_eq!(refused("CreateModel", model("model", SHELL)), format!("Requested image {SHELL} not found."));

    done(&aws, "CreateRepository", json!({"repositoryName": "shell"})).await;
    let (nothing, pinned) = (format!("sha256:{}", "0".repeat(64)), SHELL.replace(":1", "@sha256:") + &"0".repeat(64));
    for (image, tag, by_digest) in [(SHELL, "1", "null"), (pinned.as_str(), "null", nothing.as_str())] {
        let mut job = training_job("job", "true");
        job["AlgorithmSpecification"]["TrainingImage"] = json!(image);
        let found = format!("{image} with tag: {tag} and digest: {by_digest}");
        let expected = format!("Cannot find the requested image: {found}. Please check if your ECR image {pull}");
        assert_eq!(refused("CreateTrainingJob", job), expected);
    }
    let expected = "not found: manifest unknown: Requested image not found";
    assert_eq!(failed("two").await, format!("ClientError: API error (404): manifest for {SHELL} {expected}"));

    let registry = Registry::of(&aws).await;
    let (_, manifest) = registry.push("shell", "1", "a shell").await;
    assert_eq!(failed("three").await, "");
    account.call("CreateModel", model("model", SHELL)).unwrap();
    let pinned = SHELL.replace(":1", &format!("@{}", digest(&manifest)));
    account.call("CreateModel", model("pinned", &pinned)).unwrap();
    let mut job = training_job("job", "true");
    job["AlgorithmSpecification"]["TrainingImage"] = json!(pinned);
    assert_eq!(account.train(job).await.failure_reason, None);
    // Of images elsewhere nothing is known.
    let elsewhere = SHELL.replace("111122223333", "444455556666");
    account.call("CreateModel", model("elsewhere", &elsewhere)).unwrap();

    registry.push_as(OCI, "shell", "oci", "a shell").await;
    let image = SHELL.replace(":1", ":oci");
    let expected = format!("Unsupported manifest media type {OCI} for image {image}. Ensure that valid");
    assert!(refused("CreateModel", model("oci", &image)).starts_with(&expected));
}

/// The image of an endpoint may go while its model stays.
#[tokio::test]
async fn an_endpoint_without_its_image_does_not_start() {
    let (aws, account) = strict().await;
    done(&aws, "CreateRepository", json!({"repositoryName": "shell"})).await;
    Registry::of(&aws).await.push("shell", "1", "a shell").await;
    account.call("CreateModel", model("model", SHELL)).unwrap();
    done(&aws, "DeleteRepository", json!({"repositoryName": "shell", "force": true})).await;
    let variant =
        json!({"VariantName": "a", "ModelName": "model", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1});
    let config = json!({"EndpointConfigName": "config", "ProductionVariants": [variant]});
    account.call("CreateEndpointConfig", config).unwrap();
    account.call("CreateEndpoint", json!({"EndpointName": "endpoint", "EndpointConfigName": "config"})).unwrap();
    patiently(endpoints::settled(aws.fake(), REGION, "endpoint")).await.unwrap();
    let described = account.call("DescribeEndpoint", json!({"EndpointName": "endpoint"})).unwrap();
    assert_eq!(described["FailureReason"], format!("The image '{SHELL}' does not exist."));
}
