//! What the table of fidelity calls refused is refused, by name.

use std::collections::BTreeSet;

use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use conformance::World;
use sagemaker_fake::coverage;
use serde_json::{Value, json};

use crate::fake;

/// A model that there is.
const MODEL: &str = "refusals";

/// A request with one member that is refused: the operation, the member, and the input.
fn requests(world: &World) -> Vec<(&'static str, &'static str, Value)> {
    let (role, image, bucket) = (&world.account.role, &world.account.image, &world.account.bucket);
    let processing = |members: Value| {
        let cluster = json!({"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1});
        let base = json!({
            "ProcessingJobName": "j", "RoleArn": role, "AppSpecification": {"ImageUri": image},
            "ProcessingResources": {"ClusterConfig": cluster},
        });
        merged(base, members)
    };
    let training = |members: Value| {
        let base = json!({
            "TrainingJobName": "j", "RoleArn": role,
            "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
            "OutputDataConfig": {"S3OutputPath": format!("s3://{bucket}/o")},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 1},
        });
        merged(base, members)
    };
    let quality = |members: Value| {
        let endpoint = json!({"EndpointName": "e", "LocalPath": "/opt/ml/processing/in", "InferenceAttribute": "0"});
        let output = json!({"S3Uri": format!("s3://{bucket}/r"), "LocalPath": "/opt/ml/processing/out"});
        let base = json!({
            "JobDefinitionName": "d", "RoleArn": role,
            "ModelQualityAppSpecification": {"ImageUri": image, "ProblemType": "BinaryClassification"},
            "ModelQualityJobInput": {"EndpointInput": endpoint, "GroundTruthS3Input": {"S3Uri": format!("s3://{bucket}/l")}},
            "ModelQualityJobOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
            "JobResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
        });
        merged(base, members)
    };
    let batch = json!({
        "DataCapturedDestinationS3Uri": "s3://b", "LocalPath": "/opt/ml/processing/in", "DatasetFormat": {"Csv": {}},
    });
    let s3_input = |mode: &str| json!({"S3Uri": format!("s3://{bucket}/i"), "LocalPath": "/opt/ml/processing/i", "S3DataType": "S3Prefix", "S3InputMode": mode});
    let athena = json!({
        "Catalog": "c", "Database": "d", "QueryString": "q", "OutputS3Uri": "s3://b/o", "OutputFormat": "PARQUET",
    });
    let s3_source = json!({"S3DataSource": {"S3Uri": format!("s3://{bucket}/i"), "S3DataType": "S3Prefix"}});
    let file_system = json!({"FileSystemDataSource": {
        "FileSystemId": "fs-0123456789a", "FileSystemAccessMode": "ro", "FileSystemType": "EFS", "DirectoryPath": "/d"}});
    let groups = json!({"InstanceGroups": [{"InstanceGroupName": "g", "InstanceType": "ml.m5.large", "InstanceCount": 1}], "InstanceType": null, "InstanceCount": null});
    let schedule = |config: Value| json!({"MonitoringScheduleName": "s", "MonitoringScheduleConfig": config});
    let inline = |input: Value, app: Value| {
        let output = json!({"S3Uri": format!("s3://{bucket}/r"), "LocalPath": "/opt/ml/processing/out"});
        schedule(json!({"MonitoringJobDefinition": {
            "MonitoringInputs": [input],
            "MonitoringOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
            "MonitoringResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
            "MonitoringAppSpecification": merged(json!({"ImageUri": image}), app),
            "RoleArn": role,
        }}))
    };
    let watched = json!({"EndpointInput": {"EndpointName": "e", "LocalPath": "/opt/ml/processing/in"}});
    let data = |members: Value| {
        let output = json!({"S3Uri": format!("s3://{bucket}/r"), "LocalPath": "/opt/ml/processing/out"});
        let base = json!({
            "JobDefinitionName": "d", "RoleArn": role,
            "DataQualityAppSpecification": {"ImageUri": image},
            "DataQualityJobInput": watched,
            "DataQualityJobOutputConfig": {"MonitoringOutputs": [{"S3Output": output}]},
            "JobResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
        });
        merged(base, members)
    };
    let transform = |members: Value| {
        let source = json!({"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": format!("s3://{bucket}/i")}});
        let base = json!({
            "TransformJobName": "j", "ModelName": MODEL,
            "TransformInput": {"DataSource": source},
            "TransformOutput": {"S3OutputPath": format!("s3://{bucket}/o")},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        });
        merged(base, members)
    };
    let tuning = |config: Value, members: Value, resources: Value| {
        let config = merged(
            json!({
                "Strategy": "Random",
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
                "ResourceLimits": {"MaxParallelTrainingJobs": 1, "MaxNumberOfTrainingJobs": 1},
                "ParameterRanges": {"CategoricalParameterRanges": [{"Name": "l2", "Values": ["1"]}]},
            }),
            config,
        );
        let definition = json!({
            "AlgorithmSpecification": {
                "TrainingImage": image, "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
            },
            "RoleArn": role, "OutputDataConfig": {"S3OutputPath": format!("s3://{bucket}/o")},
            "StoppingCondition": {"MaxRuntimeInSeconds": 1},
        });
        let base = json!({
            "HyperParameterTuningJobName": "j",
            "HyperParameterTuningJobConfig": config,
            "TrainingJobDefinition": merged(definition, resources),
        });
        merged(base, members)
    };
    let instance = json!({"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}});
    let several = json!({"HyperParameterTuningResourceConfig": {
        "InstanceConfigs": [{"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}]}});
    let parents = json!({"WarmStartConfig": {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "p"}], "WarmStartType": "IdenticalDataAndAlgorithm"}});
    let none = || json!({});
    let bias = schedule(json!({"MonitoringJobDefinitionName": "d", "MonitoringType": "ModelBias"}));
    let script = "s3://b/script.py";
    vec![
        (
            "CreateProcessingJob",
            "ProcessingInputs.DatasetDefinition",
            processing(
                json!({"ProcessingInputs": [{"InputName": "i", "DatasetDefinition": {"AthenaDatasetDefinition": athena}}]}),
            ),
        ),
        (
            "CreateProcessingJob",
            "ProcessingInputs.S3Input.S3InputMode",
            processing(json!({"ProcessingInputs": [{"InputName": "i", "S3Input": s3_input("Pipe")}]})),
        ),
        (
            "CreateTrainingJob",
            "AlgorithmSpecification.AlgorithmName",
            training(json!({"AlgorithmSpecification": {"AlgorithmName": "a", "TrainingInputMode": "File"}})),
        ),
        (
            "CreateTrainingJob",
            "ResourceConfig.InstanceGroups",
            training(json!({"ResourceConfig": merged(groups, json!({"VolumeSizeInGB": 1}))})),
        ),
        (
            "CreateTrainingJob",
            "InputDataConfig.InputMode",
            training(json!({"InputDataConfig": [{"ChannelName": "c", "DataSource": s3_source, "InputMode": "Pipe"}]})),
        ),
        (
            "CreateTrainingJob",
            "InputDataConfig.DataSource.FileSystemDataSource",
            training(json!({"InputDataConfig": [{"ChannelName": "c", "DataSource": file_system}]})),
        ),
        (
            "CreateModelQualityJobDefinition",
            "ModelQualityJobInput.BatchTransformInput",
            quality(
                json!({"ModelQualityJobInput": {"BatchTransformInput": batch, "GroundTruthS3Input": {"S3Uri": "s3://b/l"}}}),
            ),
        ),
        (
            "CreateModelQualityJobDefinition",
            "ModelQualityAppSpecification.RecordPreprocessorSourceUri",
            quality(
                json!({"ModelQualityAppSpecification": {"ImageUri": image, "ProblemType": "Regression", "RecordPreprocessorSourceUri": script}}),
            ),
        ),
        (
            "CreateModelQualityJobDefinition",
            "ModelQualityAppSpecification.PostAnalyticsProcessorSourceUri",
            quality(
                json!({"ModelQualityAppSpecification": {"ImageUri": image, "ProblemType": "Regression", "PostAnalyticsProcessorSourceUri": script}}),
            ),
        ),
        ("CreateMonitoringSchedule", "MonitoringScheduleConfig.MonitoringType", bias.clone()),
        ("UpdateMonitoringSchedule", "MonitoringScheduleConfig.MonitoringType", bias),
        (
            "CreateDataQualityJobDefinition",
            "DataQualityJobInput.BatchTransformInput",
            data(json!({"DataQualityJobInput": {"BatchTransformInput": batch}})),
        ),
        (
            "CreateDataQualityJobDefinition",
            "DataQualityAppSpecification.RecordPreprocessorSourceUri",
            data(json!({"DataQualityAppSpecification": {"ImageUri": image, "RecordPreprocessorSourceUri": script}})),
        ),
        (
            "CreateDataQualityJobDefinition",
            "DataQualityAppSpecification.PostAnalyticsProcessorSourceUri",
            data(json!({"DataQualityAppSpecification": {"ImageUri": image, "PostAnalyticsProcessorSourceUri": script}})),
        ),
        (
            "CreateTransformJob",
            "TransformInput.SplitType",
            transform(json!({"TransformInput": {"DataSource": s3_source, "SplitType": "RecordIO"}})),
        ),
        (
            "CreateTransformJob",
            "DataCaptureConfig.GenerateInferenceId",
            transform(json!({"DataCaptureConfig": {"DestinationS3Uri": "s3://b/c", "GenerateInferenceId": true}})),
        ),
        (
            "CreateHyperParameterTuningJob",
            "HyperParameterTuningJobConfig.Strategy",
            tuning(json!({"Strategy": "Hyperband"}), none(), instance.clone()),
        ),
        (
            "CreateHyperParameterTuningJob",
            "HyperParameterTuningJobConfig.ParameterRanges.AutoParameters",
            tuning(
                json!({"ParameterRanges": {"AutoParameters": [{"Name": "l2", "ValueHint": "1"}]}}),
                none(),
                instance.clone(),
            ),
        ),
        (
            "CreateHyperParameterTuningJob",
            "HyperParameterTuningJobConfig.TuningJobCompletionCriteria.ConvergenceDetected",
            tuning(
                json!({"TuningJobCompletionCriteria": {"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}}),
                none(),
                instance.clone(),
            ),
        ),
        (
            "CreateHyperParameterTuningJob",
            "TrainingJobDefinition.HyperParameterTuningResourceConfig.InstanceConfigs",
            tuning(none(), none(), several),
        ),
        ("CreateHyperParameterTuningJob", "WarmStartConfig", tuning(none(), parents, instance.clone())),
        (
            "CreateHyperParameterTuningJob",
            "Autotune",
            tuning(none(), json!({"Autotune": {"Mode": "Enabled"}}), instance),
        ),
    ]
    .into_iter()
    .chain(["CreateMonitoringSchedule", "UpdateMonitoringSchedule"].into_iter().flat_map(|operation| {
        [
            (
                operation,
                "MonitoringScheduleConfig.MonitoringJobDefinition.MonitoringInputs.BatchTransformInput",
                inline(json!({"BatchTransformInput": batch}), none()),
            ),
            (
                operation,
                "MonitoringScheduleConfig.MonitoringJobDefinition.MonitoringAppSpecification.RecordPreprocessorSourceUri",
                inline(watched.clone(), json!({"RecordPreprocessorSourceUri": script})),
            ),
            (
                operation,
                "MonitoringScheduleConfig.MonitoringJobDefinition.MonitoringAppSpecification.PostAnalyticsProcessorSourceUri",
                inline(watched.clone(), json!({"PostAnalyticsProcessorSourceUri": script})),
            ),
        ]
    }))
    .collect()
}

/// Members of one in place of those of the other.
fn merged(mut base: Value, members: Value) -> Value {
    if let (Value::Object(base), Value::Object(members)) = (&mut base, members) {
        base.extend(members);
    }
    base
}

/// The headers of InvokeEndpoint that are refused.
const HEADERS: [(&str, &str); 4] = [
    ("TargetModel", "x-amzn-sagemaker-target-model"),
    ("TargetContainerHostname", "x-amzn-sagemaker-target-container-hostname"),
    ("InferenceComponentName", "x-amzn-sagemaker-inference-component"),
    ("SessionId", "x-amzn-sagemaker-session-id"),
];

/// An operation, a member that is refused, and a form that has it.
type Form = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Forms of CloudWatch with a member that is refused.
const FORMS: [Form; 4] = [
    (
        "GetMetricData",
        "MetricDataQueries.Expression",
        &[
            ("StartTime", "2026-01-01T00:00:00Z"),
            ("EndTime", "2026-01-02T00:00:00Z"),
            ("MetricDataQueries.member.1.Id", "e"),
            ("MetricDataQueries.member.1.Expression", "a+b"),
        ],
    ),
    (
        "GetMetricStatistics",
        "ExtendedStatistics",
        &[
            ("Namespace", "n"),
            ("MetricName", "m"),
            ("StartTime", "2026-01-01T00:00:00Z"),
            ("EndTime", "2026-01-02T00:00:00Z"),
            ("Period", "60"),
            ("ExtendedStatistics.member.1", "p99"),
        ],
    ),
    (
        "PutMetricAlarm",
        "ExtendedStatistic",
        &[
            ("AlarmName", "a"),
            ("Namespace", "n"),
            ("MetricName", "m"),
            ("Period", "60"),
            ("EvaluationPeriods", "1"),
            ("Threshold", "1"),
            ("ComparisonOperator", "GreaterThanThreshold"),
            ("ExtendedStatistic", "p99"),
        ],
    ),
    (
        "PutMetricAlarm",
        "Metrics",
        &[
            ("AlarmName", "a"),
            ("EvaluationPeriods", "1"),
            ("Threshold", "1"),
            ("ComparisonOperator", "GreaterThanThreshold"),
            ("Metrics.member.1.Id", "e"),
            ("Metrics.member.1.Expression", "a+b"),
        ],
    ),
];

#[tokio::test]
async fn what_is_called_refused_is_refused_by_name() {
    let (_aws, world) = fake::account().await;
    let put = world.clients.s3.put_object().bucket(&world.account.bucket).key("i/x");
    put.body(aws_sdk_s3::primitives::ByteStream::from_static(b"x")).send().await.unwrap();
    let container = json!({"Image": world.account.image});
    let model = json!({"ModelName": MODEL, "ExecutionRoleArn": world.account.role, "PrimaryContainer": container});
    world.clients.sagemaker_json.call("SageMaker", "CreateModel", &model).await.unwrap();
    let mut shown = BTreeSet::new();
    let mut check = |service: &str, operation: &str, member: &str, refusal: Option<(String, String)>| {
        let (code, message) = refusal.unwrap_or_else(|| panic!("{operation} takes {member}"));
        // A value is refused by itself, a member by its name.
        let named = member.rsplit('.').next().unwrap();
        let words = message.to_lowercase();
        let says = words.contains("this fake")
            || words.contains("not served")
            || words.contains("not supported")
            || words.contains(&named.to_lowercase());
        assert!(says, "{operation} with {member}: {code}: {message}");
        assert!(!words.contains("validation error"), "{operation} with {member} fails for another reason: {message}");
        shown.insert(format!("{service}:{operation}:{member}"));
    };
    fn said<T, E: ProvideErrorMetadata>(result: Result<T, E>) -> Option<(String, String)> {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        result.err().map(|error| (text(error.code()), text(error.message())))
    }

    for (operation, member, input) in requests(&world) {
        let answer = world.clients.sagemaker_json.call("SageMaker", operation, &input).await;
        check("sagemaker", operation, member, said(answer));
    }
    for (member, header) in HEADERS {
        let headers = [("content-type", "text/csv"), (header, "x")];
        let answer =
            world.clients.runtime.post("InvokeEndpoint", "/endpoints/e/invocations", &headers, vec![b'1']).await;
        check("sagemaker", "InvokeEndpoint", member, said(answer));
    }
    for (operation, member, form) in FORMS {
        let form = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        check(
            "monitoring",
            operation,
            member,
            said(world.clients.cloudwatch.ask("2010-08-01", operation, &form).await),
        );
    }
    let place = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1).build();
    let locked = world.clients.s3.create_bucket().bucket("locked").create_bucket_configuration(place);
    let locked = locked.object_lock_enabled_for_bucket(true).send().await;
    check("s3", "CreateBucket", "ObjectLockEnabledForBucket", said(locked));

    let called: BTreeSet<_> = coverage::table()
        .iter()
        .flat_map(|(service, operations)| operations.iter().map(move |(operation, it)| (service, operation, it)))
        .flat_map(|(service, operation, it)| {
            it.refused.iter().map(move |member| format!("{service}:{operation}:{member}"))
        })
        .collect();
    assert_eq!(shown, called, "each refusal of the table is shown here, and no other");
}
