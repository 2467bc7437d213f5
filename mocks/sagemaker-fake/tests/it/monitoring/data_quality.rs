//! Data quality: what an endpoint is asked and answers is compared with a baseline, hour by hour. No labels, one job.

use aws_sdk_sagemaker::types::CaptureMode;
use model_monitor::records::{Capture, CaptureData, ContentTypes, EventMetadata, Mode, Payload};
use sagemaker_fake::jobs::Kind;
use sagemaker_fake::monitoring;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

use super::world::{DEFINITION, ENDPOINT, HOUR, HOURLY, SCHEDULE, World, builder, schedule, with};
use crate::account::{Account, BUCKET, ROLE, input, output, patiently, programs};
use crate::clients::REGION;
use crate::hosting::{Stage, capture, row};

const ANALYZER: &str = "468650794304.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-model-monitor-analyzer";
const QUALITY: &str = "sts-data";
const INVALID: &str = "ValidationException";

/// A job definition as a client sends it: its baseline is what the job `baseline` wrote.
fn definition(name: &str) -> Value {
    json!({
        "JobDefinitionName": name,
        "DataQualityBaselineConfig": {
            "StatisticsResource": {"S3Uri": format!("s3://{BUCKET}/baseline/statistics.json")},
            "ConstraintsResource": {"S3Uri": format!("s3://{BUCKET}/baseline/constraints.json")},
        },
        "DataQualityAppSpecification": {"ImageUri": ANALYZER},
        "DataQualityJobInput": {"EndpointInput": {"EndpointName": ENDPOINT, "LocalPath": "/opt/ml/processing/input/endpoint"}},
        "DataQualityJobOutputConfig": {"MonitoringOutputs": [{"S3Output": {
            "S3Uri": format!("s3://{BUCKET}/results"), "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "Continuous",
        }}]},
        "JobResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20}},
        "RoleArn": ROLE,
    })
}

fn hourly(definition: &str) -> Value {
    let schedule = with(schedule(SCHEDULE, HOURLY), "/MonitoringScheduleConfig/MonitoringType", json!("DataQuality"));
    with(schedule, "/MonitoringScheduleConfig/MonitoringJobDefinitionName", json!(definition))
}

/// The job that the SDK for Python starts for `suggest_baseline`, on a data set with a header.
fn suggest_baseline(name: &str) -> Value {
    json!({
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {"ImageUri": ANALYZER},
        "Environment": {
            "dataset_format": "{\"csv\": {\"header\": true, \"output_columns_position\": \"START\"}}",
            "dataset_source": "/opt/ml/processing/data",
            "output_path": "/opt/ml/processing/suggested",
            "publish_cloudwatch_metrics": "Disabled",
        },
        "ProcessingInputs": [input("data", "training.csv")],
        "ProcessingOutputConfig": {"Outputs": [output("suggested", "baseline")]},
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20}},
    })
}

/// An endpoint, the baseline of a training set of 300 rows (`label,age,kind`), a definition that compares with it.
async fn world() -> World {
    let world = World::new();
    let rows = (0..300).map(|row| format!("{},{},{}\n", row % 2, 20 + row % 50, ["a", "b"][row % 2]));
    world.account.put("training.csv", std::iter::once("label,age,kind\n".to_owned()).chain(rows).collect::<String>());
    world.account.process(suggest_baseline("baseline")).await;
    world.call("CreateDataQualityJobDefinition", definition(QUALITY)).unwrap();
    world
}

/// Captures 300 requests of an hour, with their answers.
fn traffic(world: &World, hour: OffsetDateTime, content_type: &str, sides: fn(u32) -> (String, String)) {
    let types = ContentTypes { csv: vec!["text/csv".to_owned()], json: vec!["application/json".to_owned()] };
    let mut lines = Vec::new();
    for id in 0..300 {
        let (asked, answered) = sides(id);
        let side = |mode, body: &str| Some(Payload::capture(mode, Some(content_type), body.as_bytes(), &types));
        let sides = CaptureData {
            endpoint_input: side(Mode::Input, &asked),
            endpoint_output: side(Mode::Output, &answered),
            batch_transform_output: None,
        };
        Capture::new(sides, EventMetadata { event_id: format!("event-{id}"), ..EventMetadata::default() })
            .write(&mut lines);
    }
    let key = model_monitor::layout::capture(ENDPOINT, "AllTraffic", hour, "08d6d8b9");
    world.account.put(&format!("capture/{key}"), lines);
}

/// As in training.
fn usual(id: u32) -> (String, String) {
    (format!("{},{}\n", 20 + id % 50, ["a", "b"][id as usize % 2]), format!("{}\n", id % 2))
}

/// Older people, of a kind that was never seen.
fn unusual(id: u32) -> (String, String) {
    (format!("{},c\n", 60 + id % 50), format!("{}\n", id % 2))
}

async fn scheduled(world: &World, definition: &str) {
    world.call("CreateMonitoringSchedule", hourly(definition)).unwrap();
    world.settled().await;
}

fn report(world: &World, hour: u32, file: &str) -> Value {
    let key = format!("results/{ENDPOINT}/{SCHEDULE}/2026/11/26/{hour}/{file}.json");
    serde_json::from_slice(&world.account.read(&key)).unwrap()
}

#[tokio::test]
async fn hours_are_compared_with_the_baseline() {
    let world = world().await;
    assert_eq!(world.account.keys("baseline/"), ["baseline/constraints.json", "baseline/statistics.json"]);
    traffic(&world, datetime!(2026-11-26 10:30 UTC), "text/csv", usual);
    traffic(&world, datetime!(2026-11-26 11:30 UTC), "text/csv", unusual);
    scheduled(&world, QUALITY).await;
    world.advance(3 * HOUR);
    assert_eq!(world.outline().await, [(11, "Completed"), (12, "CompletedWithViolations"), (13, "Failed")]);
    assert_eq!(world.settled().await[2].failure_reason.as_deref(), Some("Job inputs had no data"));

    // The columns of captures are those of the baseline, the answer first.
    let statistics = report(&world, 11, "statistics");
    let names: Vec<_> = statistics["features"].as_array().unwrap().iter().map(|feature| &feature["name"]).collect();
    assert_eq!((json!(names), &statistics["dataset"]["item_count"]), (json!(["label", "age", "kind"]), &json!(300)));
    assert_eq!(report(&world, 11, "constraint_violations"), json!({"violations": []}));
    assert_eq!(report(&world, 11, "constraints")["features"][1]["inferred_type"], "Integral");

    let violations = report(&world, 12, "constraint_violations");
    let found = violations["violations"].as_array().unwrap().iter();
    let found: Vec<_> =
        found.map(|found| (found["feature_name"].as_str(), found["constraint_check_type"].as_str())).collect();
    let expected =
        [("age", "baseline_drift_check"), ("kind", "categorical_values_check"), ("kind", "baseline_drift_check")];
    assert_eq!(found, expected.map(|(name, check)| (Some(name), Some(check))));
}

#[tokio::test]
async fn an_execution_is_one_job_with_the_contract_of_the_analyzer() {
    let world = world().await;
    traffic(&world, datetime!(2026-11-26 10:30 UTC), "text/csv", unusual);
    scheduled(&world, QUALITY).await;
    let execution = world.next().await;
    let name = format!("model-monitoring-202611261100-{}", execution.id);
    let summary = world.describe()["LastMonitoringExecutionSummary"].clone();
    for (member, expected) in [
        ("MonitoringType", json!("DataQuality")),
        ("MonitoringExecutionStatus", json!("CompletedWithViolations")),
        ("MonitoringJobDefinitionName", json!(QUALITY)),
        ("EndpointName", json!(ENDPOINT)),
        ("ProcessingJobArn", json!(format!("arn:aws:sagemaker:eu-west-1:111122223333:processing-job/{name}"))),
    ] {
        assert_eq!(summary[member], expected, "{member}");
    }
    let from = |name: &str, uri: &str, local: &str| {
        json!({"InputName": name, "AppManaged": false, "S3Input": {
            "S3Uri": format!("s3://{BUCKET}/{uri}"), "LocalPath": format!("/opt/ml/processing/{local}"), "S3DataType": "S3Prefix",
            "S3InputMode": "File", "S3DataDistributionType": "FullyReplicated", "S3CompressionType": "None"}})
    };
    let folder = format!("{ENDPOINT}/AllTraffic/2026/11/26/10");
    let job = world.call("DescribeProcessingJob", json!({"ProcessingJobName": name})).unwrap();
    for (member, expected) in [
        (
            "ProcessingInputs",
            json!([
                from("baseline", "baseline/statistics.json", "baseline/stats"),
                from("constraints", "baseline/constraints.json", "baseline/constraints"),
                from("input_1", &format!("capture/{folder}"), &format!("input/endpoint/{folder}")),
            ]),
        ),
        (
            "Environment",
            json!({
                "baseline_constraints": "/opt/ml/processing/baseline/constraints/constraints.json",
                "baseline_statistics": "/opt/ml/processing/baseline/stats/statistics.json",
                "dataset_format": "{\"sagemakerCaptureJson\":{\"captureIndexNames\":[\"endpointInput\",\"endpointOutput\"]}}",
                "dataset_source": "/opt/ml/processing/input/endpoint",
                "end_time": "2026-11-26T11:00:00Z",
                "output_path": "/opt/ml/processing/output",
                "publish_cloudwatch_metrics": "Enabled",
                "sagemaker_endpoint_datacapture_prefix": format!("s3://{BUCKET}/capture"),
                "sagemaker_endpoint_name": ENDPOINT,
                "sagemaker_monitoring_schedule_name": SCHEDULE,
                "start_time": "2026-11-26T10:00:00Z",
            }),
        ),
        ("StoppingCondition", json!({"MaxRuntimeInSeconds": 3600})),
        ("ProcessingJobStatus", json!("Completed")),
        ("ExitMessage", json!("CompletedWithViolations: Job completed successfully with 3 violations.")),
        ("MonitoringScheduleArn", json!("arn:aws:sagemaker:eu-west-1:111122223333:monitoring-schedule/sts-hourly")),
    ] {
        assert_eq!(job[member], expected, "{member}");
    }
    let jobs = world.call("ListProcessingJobs", json!({"NameContains": "202611261100"})).unwrap();
    assert_eq!(jobs["ProcessingJobSummaries"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn metrics_of_each_column_are_published() {
    let world = world().await;
    traffic(&world, datetime!(2026-11-26 10:30 UTC), "text/csv", unusual);
    scheduled(&world, QUALITY).await;
    world.next().await;
    let namespace = "aws/sagemaker/Endpoints/data-metrics";
    let listed = world.account.cloudwatch("ListMetrics", json!({"Namespace": namespace})).unwrap();
    let mut names: Vec<_> =
        listed["Metrics"].as_array().unwrap().iter().map(|metric| metric["MetricName"].as_str().unwrap()).collect();
    names.sort_unstable();
    let expected = "feature_baseline_drift_age feature_baseline_drift_kind feature_baseline_drift_label feature_data_age \
        feature_data_label feature_non_null_age feature_non_null_kind feature_non_null_label";
    assert_eq!(names.join(" "), expected);
    let dimensions =
        json!([{"Name": "Endpoint", "Value": ENDPOINT}, {"Name": "MonitoringSchedule", "Value": SCHEDULE}]);
    let of = |metric: &str| {
        let input = json!({
            "Namespace": namespace, "MetricName": metric, "Dimensions": dimensions, "StartTime": 1_795_687_200, "EndTime": 1_795_690_800,
            "Period": 3600, "Statistics": ["Minimum", "Maximum", "SampleCount", "Sum", "Average"]});
        world.account.cloudwatch("GetMetricStatistics", input).unwrap()["Datapoints"][0].clone()
    };
    let age = of("feature_data_age");
    for (statistic, expected) in [("Minimum", 60.0), ("Maximum", 109.0), ("SampleCount", 300.0), ("Average", 84.5)] {
        assert_eq!(age[statistic], json!(expected), "{statistic}");
    }
    assert_eq!(of("feature_non_null_age")["Sum"], json!(1.0));
    // What the report says of the same column: 0.8 of it is beyond all that was there before, less what chance makes.
    let drift = of("feature_baseline_drift_age")["Sum"].as_f64().unwrap();
    assert!((drift - (0.8 - 1.8 * (2.0_f64 / 300.0).sqrt())).abs() < 1e-9, "{drift}");
}

#[tokio::test]
async fn captured_json_is_named_by_its_members() {
    let world = World::new();
    let unbounded = with(definition(QUALITY), "/DataQualityBaselineConfig", Value::Null);
    world.call("CreateDataQualityJobDefinition", unbounded).unwrap();
    traffic(&world, datetime!(2026-11-26 10:30 UTC), "application/json", |id| {
        (json!({"person": {"age": id}, "kind": "a"}).to_string(), json!({"score": 0.5}).to_string())
    });
    scheduled(&world, QUALITY).await;
    assert_eq!(world.next().await.status.as_str(), "Completed");
    let statistics = report(&world, 11, "statistics");
    let feature = |at: usize| {
        let feature = &statistics["features"][at];
        (feature["name"].as_str().unwrap().to_owned(), feature["inferred_type"].as_str().unwrap().to_owned())
    };
    let expected = [("score", "Fractional"), ("person.age", "Integral"), ("kind", "String")];
    assert_eq!([0, 1, 2].map(feature), expected.map(|(name, kind)| (name.to_owned(), kind.to_owned())));
    let results = world.account.keys("results/");
    assert_eq!(results.len(), 2, "without a baseline there are no violations: {results:?}");
}

#[tokio::test]
async fn sides_of_two_encodings_fail_with_the_sentence_of_aws() {
    let world = World::new();
    let unbounded = with(definition(QUALITY), "/DataQualityBaselineConfig", Value::Null);
    world.call("CreateDataQualityJobDefinition", unbounded).unwrap();
    let types = ContentTypes { csv: vec!["text/csv".to_owned()], json: vec!["application/json".to_owned()] };
    let sides = CaptureData {
        endpoint_input: Some(Payload::capture(Mode::Input, Some("text/csv"), b"1,2", &types)),
        endpoint_output: Some(Payload::capture(Mode::Output, Some("application/json"), b"{}", &types)),
        batch_transform_output: None,
    };
    let mut line = Vec::new();
    Capture::new(sides, EventMetadata { event_id: "event".to_owned(), ..EventMetadata::default() }).write(&mut line);
    let key = model_monitor::layout::capture(ENDPOINT, "AllTraffic", datetime!(2026-11-26 10:30 UTC), "08d6d8b9");
    world.account.put(&format!("capture/{key}"), line);
    scheduled(&world, QUALITY).await;
    let execution = world.next().await;
    assert_eq!(execution.failure_reason.as_deref(), Some("AlgorithmError: See job logs for more information"));
    let name = format!("model-monitoring-202611261100-{}", execution.id);
    let log = world.account.log(Kind::ProcessingJob, &name).concat();
    assert!(
        log.contains("Encoding mismatch: Encoding is CSV for endpointInput, but Encoding is JSON for endpointOutput."),
        "{log}"
    );
}

#[tokio::test]
async fn the_baseline_may_be_that_of_a_job() {
    let world = world().await;
    let by_job = with(definition("by-job"), "/DataQualityBaselineConfig", json!({"BaseliningJobName": "baseline"}));
    world.call("CreateDataQualityJobDefinition", by_job).unwrap();
    traffic(&world, datetime!(2026-11-26 10:30 UTC), "text/csv", unusual);
    scheduled(&world, "by-job").await;
    assert_eq!(world.next().await.status.as_str(), "CompletedWithViolations");
    let found = report(&world, 11, "constraint_violations");
    assert_eq!(found["violations"].as_array().unwrap().len(), 3, "its statistics count too: {found}");
}

#[tokio::test]
async fn a_schedule_may_have_a_definition_of_its_own() {
    let world = world().await;
    traffic(&world, datetime!(2026-11-26 10:30 UTC), "text/csv", unusual);
    let defined = definition(QUALITY);
    let own = json!({
        "BaselineConfig": defined["DataQualityBaselineConfig"],
        "Environment": {"publish_cloudwatch_metrics": "Disabled"},
        "MonitoringAppSpecification": defined["DataQualityAppSpecification"],
        "MonitoringInputs": [defined["DataQualityJobInput"]],
        "MonitoringOutputConfig": defined["DataQualityJobOutputConfig"],
        "MonitoringResources": defined["JobResources"],
        "RoleArn": ROLE,
    });
    let config = json!({"ScheduleConfig": {"ScheduleExpression": HOURLY}, "MonitoringJobDefinition": own});
    let create = |config: Value| {
        let input = json!({"MonitoringScheduleName": SCHEDULE, "MonitoringScheduleConfig": config});
        world.call("CreateMonitoringSchedule", input)
    };
    for (path, member, expected) in [
        ("/MonitoringType", json!("ModelQuality"), "MonitoringJobDefinition is one of data quality"),
        ("/MonitoringJobDefinitionName", json!(QUALITY), "Exactly one of MonitoringJobDefinition"),
        ("/MonitoringJobDefinition/MonitoringInputs", json!([{}]), "Exactly one of EndpointInput"),
        ("/MonitoringJobDefinition/RoleArn", json!("arn:aws:iam::111122223333:role/nobody"), "Could not assume role"),
    ] {
        let error = create(with(config.clone(), path, member)).unwrap_err();
        assert!(error.code == INVALID && error.message.contains(expected), "{path}: {error}");
    }
    create(config.clone()).unwrap();
    world.settled().await;
    assert_eq!(world.next().await.status.as_str(), "CompletedWithViolations");
    let described = world.describe();
    assert_eq!(
        (&described["MonitoringType"], &described["MonitoringScheduleConfig"]),
        (&json!("DataQuality"), &config)
    );
    assert!(described["LastMonitoringExecutionSummary"].get("MonitoringJobDefinitionName").is_none());
    assert_eq!(report(&world, 11, "constraint_violations")["violations"].as_array().unwrap().len(), 3);
    assert_eq!(
        world.account.cloudwatch("ListMetrics", json!({})).unwrap()["Metrics"],
        json!([]),
        "its Environment counts"
    );
}

#[tokio::test]
async fn what_an_endpoint_is_really_asked_is_analysed() {
    let stage = Stage::running(builder(), programs()).await;
    let world = World { account: Account::of(stage.aws.fake().clone()) };
    stage.endpoint(ENDPOINT, "good", Some(capture(100, &[CaptureMode::Input, CaptureMode::Output]))).await;
    for _ in 0..20 {
        let answer = stage.invoke(ENDPOINT, &[("content-type", "text/csv")], &row()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let unbounded = with(definition(QUALITY), "/DataQualityBaselineConfig", Value::Null);
    world.call("CreateDataQualityJobDefinition", unbounded).unwrap();
    world.call("CreateMonitoringSchedule", hourly(QUALITY)).unwrap();
    world.advance(HOUR);
    let executions = patiently(monitoring::settled(stage.aws.fake(), REGION, SCHEDULE)).await.unwrap();
    assert_eq!((executions.len(), executions[0].status.as_str()), (1, "Completed"), "{executions:?}");
    let statistics = report(&world, 11, "statistics");
    assert_eq!(statistics["dataset"]["item_count"], 20);
    // Two columns of the answer, then those of the request.
    let features = statistics["features"].as_array().unwrap();
    assert_eq!((features.len(), &features[0]["name"]), (2 + row().split(',').count(), &json!("_c0")));
    let first = row().split(',').next().unwrap().parse::<f64>().unwrap();
    assert_eq!(features[2]["numerical_statistics"]["max"].as_f64(), Some(first));
}

#[tokio::test]
async fn definitions_are_described_listed_and_deleted_apart_from_those_of_model_quality() {
    let world = World::new();
    // There is one of model quality of this name.
    let made = world.call("CreateDataQualityJobDefinition", definition(DEFINITION)).unwrap();
    let arn = "arn:aws:sagemaker:eu-west-1:111122223333:data-quality-job-definition/sts-quality";
    assert_eq!(made, json!({"JobDefinitionArn": arn}));
    let named = json!({"JobDefinitionName": DEFINITION});
    let mut expected = definition(DEFINITION);
    expected["JobDefinitionArn"] = json!(arn);
    expected["CreationTime"] = json!(1_795_688_400.0);
    expected["DataQualityJobInput"]["EndpointInput"]["S3InputMode"] = json!("File");
    expected["DataQualityJobInput"]["EndpointInput"]["S3DataDistributionType"] = json!("FullyReplicated");
    assert_eq!(world.call("DescribeDataQualityJobDefinition", named.clone()).unwrap(), expected);
    let list = |operation: &str| {
        let listed = world.call(operation, json!({"EndpointName": ENDPOINT})).unwrap();
        let summaries = listed["JobDefinitionSummaries"].as_array().unwrap();
        summaries.iter().map(|summary| summary["MonitoringJobDefinitionArn"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(list("ListDataQualityJobDefinitions"), [arn]);
    assert_eq!(list("ListModelQualityJobDefinitions").len(), 1);
    world.call("DeleteDataQualityJobDefinition", named.clone()).unwrap();
    assert_eq!((list("ListDataQualityJobDefinitions").len(), list("ListModelQualityJobDefinitions").len()), (0, 1));
    for operation in ["DescribeDataQualityJobDefinition", "DeleteDataQualityJobDefinition"] {
        let error = world.call(operation, named.clone()).unwrap_err();
        let sentence = format!("Monitoring Job Definition {arn} not found");
        assert_eq!((error.code.as_str(), error.message), ("ResourceNotFound", sentence), "{operation}");
    }
}

#[tokio::test]
async fn what_cannot_be_defined_or_scheduled_is_refused() {
    let world = World::new();
    world.call("CreateDataQualityJobDefinition", definition(QUALITY)).unwrap();
    let check = |path: &str, member: Value, code: &str, expected: &str| {
        let error = world.call("CreateDataQualityJobDefinition", with(definition("new"), path, member)).unwrap_err();
        assert!(error.code == code && error.message.contains(expected), "{path}: {error}");
    };
    check("/JobDefinitionName", json!(QUALITY), "ResourceInUse", "already exists");
    check("/DataQualityAppSpecification", json!(null), INVALID, "Member must not be null");
    check("/DataQualityAppSpecification/PostAnalyticsProcessorSourceUri", json!("s3://b/k"), INVALID, "no scripts");
    check("/DataQualityJobInput", json!({}), INVALID, "Exactly one of EndpointInput");
    let batch = json!({"DataCapturedDestinationS3Uri": "s3://b/k", "DatasetFormat": {"Csv": {}}, "LocalPath": "/opt/ml/processing/in"});
    check(
        "/DataQualityJobInput",
        json!({"BatchTransformInput": batch}),
        INVALID,
        "DataQualityJobInput needs EndpointInput",
    );
    check("/RoleArn", json!("arn:aws:iam::111122223333:role/nobody"), INVALID, "Could not assume role");

    // An hour is all that an hourly job has.
    for (name, seconds) in [("an-hour", 3600), ("longer", 3601)] {
        let stopping = json!({"MaxRuntimeInSeconds": seconds});
        world.call("CreateDataQualityJobDefinition", with(definition(name), "/StoppingCondition", stopping)).unwrap();
    }
    let error = world.call("CreateMonitoringSchedule", hourly("longer")).unwrap_err();
    assert!(error.message.contains("hourly DataQuality monitoring schedule must not be more than 3600"), "{error}");
    world.call("CreateMonitoringSchedule", hourly("an-hour")).unwrap();
    // A definition of the other type is not meant.
    let other = with(hourly(DEFINITION), "/MonitoringScheduleName", json!("other"));
    assert_eq!(world.call("CreateMonitoringSchedule", other).unwrap_err().code, "ResourceNotFound");
    let listed = |kind: &str| {
        let listed = world.call("ListMonitoringSchedules", json!({"MonitoringTypeEquals": kind})).unwrap();
        listed["MonitoringScheduleSummaries"].as_array().unwrap().len()
    };
    assert_eq!((listed("DataQuality"), listed("ModelQuality")), (1, 0));
}
