use serde_json::{Value, json};

use proptest::prelude::*;

use crate::ApiError;
use crate::protocol::Service;

fn check(operation: &str, input: &Value, expected: &str) {
    let error = Service::SageMaker.api().check_input(operation, input, "ValidationException").unwrap_err();
    assert_eq!(error, ApiError::validation(expected), "{operation} {input}");
}

/// The sentences marked "seen" are AWS's own, from the outputs of public notebooks and issues.
#[test]
fn says_what_aws_says() {
    // Seen, but for the pattern, which AWS has changed since.
    check(
        "CreateEndpointConfig",
        &json!({"EndpointConfigName": "c", "ProductionVariants": [{"VariantName": "v", "ModelName": "ENTER MODEL NAME"}]}),
        "1 validation error detected: Value 'ENTER MODEL NAME' at 'productionVariants.1.member.modelName' failed to satisfy \
         constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9]([\\-a-zA-Z0-9]*[a-zA-Z0-9])?",
    );
    check(
        "DescribeProcessingJob",
        &json!({}),
        "1 validation error detected: Value null at 'processingJobName' failed to satisfy constraint: Member must not be null",
    );
    // The order, pattern before length, is seen in other services.
    check(
        "DescribeProcessingJob",
        &json!({"ProcessingJobName": ""}),
        "2 validation errors detected: Value '' at 'processingJobName' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}; Value '' at 'processingJobName' failed to satisfy constraint: \
         Member must have length greater than or equal to 1",
    );
    check(
        "ListPipelines",
        &json!({"MaxResults": 101, "SortOrder": "Sideways"}),
        "2 validation errors detected: Value 'Sideways' at 'sortOrder' failed to satisfy constraint: Member must satisfy enum \
         value set: [Ascending, Descending]; Value '101' at 'maxResults' failed to satisfy constraint: Member must have value \
         less than or equal to 100",
    );
    check(
        "AddTags",
        &json!({"ResourceArn": "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p", "Tags": [{"Key": "k"}, {"Value": "v"}]}),
        "2 validation errors detected: Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null; \
         Value null at 'tags.2.member.key' failed to satisfy constraint: Member must not be null",
    );
}

/// Seen: the pattern comes before the length. (The pattern itself lost its `^` since.)
#[test]
fn several_faults_of_one_value_come_in_aws_order() {
    let name = "basic-zenml-project-pipeline-2023-04-24-12-22-59-886794-step-show-sagemaker-s3-link";
    check(
        "DescribeTrainingJob",
        &json!({"TrainingJobName": name}),
        &format!(
            "2 validation errors detected: Value '{name}' at 'trainingJobName' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){{0,62}}; Value '{name}' at 'trainingJobName' failed \
             to satisfy constraint: Member must have length less than or equal to 63"
        ),
    );
}

/// Seen: a map with too many entries, and one with a value that is too long.
#[test]
fn hyperparameters_that_are_too_many_or_too_long() {
    let job = |hyperparameters: Value| {
        json!({
            "TrainingJobName": "j", "RoleArn": "arn:aws:iam::111122223333:role/sts-execution", "HyperParameters": hyperparameters,
            "OutputDataConfig": {"S3OutputPath": "s3://b/o"}, "StoppingCondition": {"MaxRuntimeInSeconds": 1},
            "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
        })
    };
    let many: Vec<_> = (0..101).map(|number| format!("k{number}")).collect();
    let entries: serde_json::Map<String, Value> = many.iter().map(|key| (key.clone(), json!("v"))).collect();
    let shown = many.iter().map(|key| format!("{key}=v")).collect::<Vec<_>>().join(", ");
    check(
        "CreateTrainingJob",
        &job(Value::Object(entries)),
        &format!(
            "1 validation error detected: Value '{{{shown}}}' at 'hyperParameters' failed to satisfy constraint: Member must have \
             length less than or equal to 100"
        ),
    );
    let long = "x".repeat(2501);
    check(
        "CreateTrainingJob",
        &job(json!({"classes": long})),
        &format!(
            "1 validation error detected: Value '{{classes={long}}}' at 'hyperParameters' failed to satisfy constraint: Map value \
             must satisfy constraint: [Member must have length less than or equal to 2500, Member must have length greater than or \
             equal to 0, Member must satisfy regular expression pattern: .*]"
        ),
    );
}

/// AWS lists all constraints on the plain values of lists and maps, broken or not: seen of hyperparameters.
#[test]
fn lists_and_maps_of_plain_values() {
    let job = |environment: Value, arguments: Value| {
        json!({
            "ProcessingJobName": "j", "RoleArn": "arn:aws:iam::111122223333:role/sts-execution", "Environment": environment,
            "AppSpecification": {"ImageUri": "i", "ContainerArguments": arguments},
            "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
        })
    };
    check(
        "CreateProcessingJob",
        &job(json!({"A-B": "x"}), json!(["ok"])),
        "1 validation error detected: Value '{A-B=x}' at 'environment' failed to satisfy constraint: Map keys must satisfy \
         constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 0, \
         Member must satisfy regular expression pattern: [a-zA-Z_][a-zA-Z0-9_]*]",
    );
    let long = "x".repeat(257);
    check(
        "CreateProcessingJob",
        &job(json!({}), json!(["ok", long])),
        &format!(
            "1 validation error detected: Value '[ok, {long}]' at 'appSpecification.containerArguments' failed to satisfy \
             constraint: Member must satisfy constraint: [Member must have length less than or equal to 256, Member must have \
             length greater than or equal to 0, Member must satisfy regular expression pattern: .*]"
        ),
    );
}

#[test]
fn a_wrong_type_is_refused_before_anything_else() {
    let check = |input: Value, message: &str| {
        let error = Service::SageMaker.api().check_input("ListPipelines", &input, "ValidationException").unwrap_err();
        assert_eq!(error, ApiError::new("SerializationException", message), "{input}");
    };
    check(json!({"MaxResults": "10"}), "STRING_VALUE can not be converted to an Integer");
    check(json!({"PipelineNamePrefix": 10}), "NUMBER_VALUE can not be converted to a String");
    check(json!({"PipelineNamePrefix": true}), "TRUE_VALUE can not be converted to a String");
    check(json!({"PipelineNamePrefix": {}}), "Start of structure or map found where not expected.");
    check(json!({"PipelineNamePrefix": []}), "Start of list found where not expected");
    check(json!([]), "Expected map or null");
}

#[test]
fn unknown_members_and_nulls_are_left_alone() {
    let input = json!({"Nonsense": 1, "PipelineNamePrefix": null, "MaxResults": 1});
    Service::SageMaker.api().check_input("ListPipelines", &input, "ValidationException").unwrap();
}

#[test]
fn answers_that_the_model_does_not_allow_are_found() {
    let check = |output: Value, expected: &[&str]| {
        assert_eq!(
            Service::SageMaker.api().faults_of_output("DescribeModelPackageGroup", &output),
            expected,
            "{output}"
        );
    };
    let whole = json!({
        "ModelPackageGroupName": "g", "ModelPackageGroupArn": "arn", "CreationTime": 1.5, "CreatedBy": {}, "ModelPackageGroupStatus": "Completed",
    });
    check(whole.clone(), &[]);
    let with = |name: &str, value: Value| {
        let mut output = whole.clone();
        output[name] = value;
        output
    };
    check(with("Color", json!(1)), &["DescribeModelPackageGroup.Color is unknown"]);
    check(
        with("CreatedBy", Value::Null),
        &["DescribeModelPackageGroup.CreatedBy is missing", "DescribeModelPackageGroup.CreatedBy is null"],
    );
    check(
        with("CreationTime", json!("yesterday")),
        &["DescribeModelPackageGroup.CreationTime: \"yesterday\" is no Timestamp"],
    );
    check(
        with("ModelPackageGroupStatus", json!("Done")),
        &[
            "DescribeModelPackageGroup.ModelPackageGroupStatus: `Done` is not one of Pending, InProgress, Completed, Failed, Deleting, DeleteFailed",
        ],
    );
}

/// Values of every kind, nested, under the names of members that exist and of some that do not.
fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof![".{0,70}", "[a-zA-Z0-9-]{0,70}", Just("\u{0}\u{10FFFF}".to_owned())];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let names = prop::sample::select(vec![
            "TrainingJobName",
            "HyperParameters",
            "Tags",
            "Key",
            "Value",
            "ResourceConfig",
            "InstanceType",
            "InputDataConfig",
            "ChannelName",
            "DataSource",
            "S3DataSource",
            "ProductionVariants",
            "ModelName",
            "MaxResults",
            "CreationTimeAfter",
            "SortBy",
            "PrimaryContainer",
            "Environment",
            "Nonsense",
            "",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..8).prop_map(|members| Value::Object(
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    /// Whatever is sent is taken or refused in AWS's words, whatever the operation.
    #[test]
    fn no_input_panics(input in values(), pick in any::<prop::sample::Index>()) {
        for service in Service::ALL {
            let mut operations: Vec<_> = service.api().operations().collect();
            operations.sort_unstable();
            let operation = operations[pick.index(operations.len())];
            if let Err(error) = service.api().check_input(operation, &input, "ValidationException") {
                prop_assert!(error.status.is_client_error(), "{operation}: {error}");
                let counted = error.message.contains("validation error") && error.message.contains(" detected: Value ");
                prop_assert!(counted || error.code == "SerializationException", "{operation}: {error}");
            }
            // The same for what would be answered.
            let _ = service.api().faults_of_output(operation, &input);
        }
    }
}
