use serde_json::{Value, json};

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
