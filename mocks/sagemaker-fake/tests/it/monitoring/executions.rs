//! What an execution does: two jobs, whose records, inputs, outputs and logs are as those of AWS's own schedules.

use sagemaker_fake::jobs::programs::Programs;
use sagemaker_fake::jobs::{Kind, Status};
use sagemaker_fake::monitoring::Execution;
use sagemaker_fake::sagemaker::monitoring_job_definition::JobDefinition;
use serde_json::{Value, json};
use time::macros::datetime;

use super::world::{DEFINITION, ENDPOINT, HOURLY, SCHEDULE, World, builder, constraints, drifted, healthy};
use crate::account::{BUCKET, Meeting, REGION, ROLE, programs};

fn job(world: &World, arn: &Value) -> Value {
    let name = arn.as_str().unwrap().rsplit('/').next().unwrap();
    world.call("DescribeProcessingJob", json!({"ProcessingJobName": name})).unwrap()
}

fn reason(execution: &Execution) -> (&str, Option<&str>) {
    (execution.status.as_str(), execution.failure_reason.as_deref())
}

#[tokio::test]
async fn a_healthy_hour_is_merged_analysed_and_completed() {
    let world = World::new();
    world.traffic(datetime!(2026-11-26 10:30 UTC), healthy);
    world.schedule(HOURLY).await;
    let execution = world.next().await;
    assert_eq!(reason(&execution), ("Completed", None));

    let summary = world.describe()["LastMonitoringExecutionSummary"].clone();
    let arn = |kind: &str| {
        format!("arn:aws:sagemaker:eu-west-1:111122223333:processing-job/{kind}-202611261100-{}", execution.id)
    };
    let expected = json!({
        "MonitoringScheduleName": SCHEDULE, "ScheduledTime": 1_795_690_800.0, "CreationTime": 1_795_692_000.0, "LastModifiedTime": 1_795_692_000.0,
        "MonitoringExecutionStatus": "Completed", "EndpointName": ENDPOINT, "MonitoringJobDefinitionName": DEFINITION,
        "MonitoringType": "ModelQuality", "ProcessingJobArn": arn("model-quality-monitoring"),
    });
    assert_eq!(summary, expected);

    // The members of the merge job that was described in AWS's own notebook, with our names in them.
    let merge = job(&world, &json!(arn("groundtruth-merge")));
    let from = |name: &str, uri: &str, local: &str| {
        json!({"InputName": name, "AppManaged": false, "S3Input": {
            "S3Uri": format!("s3://{BUCKET}/{uri}"), "LocalPath": format!("/opt/ml/processing/{local}"), "S3DataType": "S3Prefix",
            "S3InputMode": "File", "S3DataDistributionType": "FullyReplicated", "S3CompressionType": "None"}})
    };
    let to = |uri: &str, mode: &str| {
        json!({"Outputs": [{"OutputName": "result", "AppManaged": false, "S3Output": {
            "S3Uri": format!("s3://{BUCKET}/{uri}"), "LocalPath": "/opt/ml/processing/output", "S3UploadMode": mode}}]})
    };
    let hour = "2026/11/26/10";
    let folder = format!("{ENDPOINT}/AllTraffic/{hour}");
    let registry = "468650794304.dkr.ecr.eu-west-1.amazonaws.com";
    for (member, expected) in [
        (
            "ProcessingInputs",
            json!([
                from("groundtruth_input_1", &format!("labels/{hour}"), &format!("groundtruth/{hour}")),
                from("endpoint_input_1", &format!("capture/{folder}"), &format!("input_data/{folder}")),
            ]),
        ),
        ("ProcessingOutputConfig", to("results/merge", "EndOfJob")),
        (
            "ProcessingResources",
            json!({"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20}}),
        ),
        ("StoppingCondition", json!({"MaxRuntimeInSeconds": 1800})),
        ("AppSpecification", json!({"ImageUri": format!("{registry}/sagemaker-model-monitor-groundtruth-merger")})),
        (
            "Environment",
            json!({
            "dataset_source": "/opt/ml/processing/input_data", "ground_truth_source": "/opt/ml/processing/groundtruth",
            "output_path": "/opt/ml/processing/output"}),
        ),
        ("RoleArn", json!(ROLE)),
        ("ProcessingJobStatus", json!("Completed")),
        ("MonitoringScheduleArn", json!("arn:aws:sagemaker:eu-west-1:111122223333:monitoring-schedule/sts-hourly")),
        ("ExitMessage", Value::Null),
    ] {
        assert_eq!(merge[member], expected, "{member}");
    }

    let analysis = job(&world, &summary["ProcessingJobArn"]);
    for (member, expected) in [
        (
            "ProcessingInputs",
            json!([
                from("constraints", "baseline/constraints.json", "baseline/constraints"),
                from("endpoint_input_1", &format!("results/merge/{folder}"), &format!("input_data/{folder}")),
            ]),
        ),
        // The hour of the results is that of the schedule; the data are of the hour before.
        ("ProcessingOutputConfig", to(&format!("results/{ENDPOINT}/{SCHEDULE}/2026/11/26/11"), "Continuous")),
        (
            "Environment",
            json!({
            "analysis_type": "MODEL_QUALITY",
            "baseline_constraints": "/opt/ml/processing/baseline/constraints/constraints.json",
            "dataset_format": "{\"sagemakerMergeJson\":{\"captureIndexNames\":[\"endpointOutput\"]}}",
            "dataset_source": "/opt/ml/processing/input_data",
            "end_time": "2026-11-26T11:00:00Z",
            "inference_attribute": "0",
            "metric_time": "2026-11-26T10:00:00Z",
            "output_path": "/opt/ml/processing/output",
            "probability_attribute": "1",
            "problem_type": "BinaryClassification",
            "publish_cloudwatch_metrics": "Enabled",
            "sagemaker_endpoint_name": ENDPOINT,
            "sagemaker_monitoring_schedule_name": SCHEDULE,
            "start_time": "2026-11-26T10:00:00Z"}),
        ),
        ("ExitMessage", json!("Completed: Job completed successfully with no violations.")),
    ] {
        assert_eq!(analysis[member], expected, "{member}");
    }

    let results = format!("results/{ENDPOINT}/{SCHEDULE}/2026/11/26/11");
    let files = ["constraint_violations.json", "constraints.json", "statistics.json"];
    assert_eq!(world.account.keys(&results), files.map(|file| format!("{results}/{file}")));
    let statistics: Value = serde_json::from_slice(&world.account.read(&format!("{results}/statistics.json"))).unwrap();
    assert_eq!(statistics["dataset"]["item_count"], 300);
    assert_eq!(statistics["binary_classification_metrics"]["accuracy"]["value"], 0.8);
    let merged = world.account.keys("results/merge/");
    assert!(merged.len() == 1 && merged[0].starts_with(&format!("results/merge/{folder}/part-00000-")), "{merged:?}");
    let log = world.account.log(Kind::ProcessingJob, &format!("groundtruth-merge-202611261100-{}", execution.id));
    assert_eq!(log, ["300 captured records and 300 labels give 300 merged records"]);
}

#[tokio::test]
async fn metrics_are_published_for_the_hour_that_was_analysed() {
    let world = World::new();
    world.traffic(datetime!(2026-11-26 10:30 UTC), healthy);
    world.traffic(datetime!(2026-11-26 11:30 UTC), drifted);
    world.schedule(HOURLY).await;
    world.advance(2 * super::world::HOUR);
    world.settled().await;
    let namespace = "aws/sagemaker/Endpoints/model-metrics";
    let listed = world.account.cloudwatch("ListMetrics", json!({"Namespace": namespace})).unwrap();
    let metrics = listed["Metrics"].as_array().unwrap();
    // Of the 17 that AWS publishes of a binary classification.
    assert_eq!(metrics.len(), 17, "{listed}");
    let dimensions =
        json!([{"Name": "Endpoint", "Value": ENDPOINT}, {"Name": "MonitoringSchedule", "Value": SCHEDULE}]);
    assert!(metrics.iter().all(|metric| metric["Dimensions"] == dimensions));
    let metric = json!({"Namespace": namespace, "MetricName": "accuracy", "Dimensions": dimensions});
    let query = json!({"Id": "a", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": "Average"}});
    let input = json!({"MetricDataQueries": [query], "StartTime": 1_795_680_000, "EndTime": 1_795_699_999, "ScanBy": "TimestampAscending"});
    let result = world.account.cloudwatch("GetMetricData", input).unwrap()["MetricDataResults"][0].clone();
    assert_eq!(result["Timestamps"], json!([1_795_687_200.0, 1_795_690_800.0]));
    assert_eq!(result["Values"], json!([0.8, 0.5]));
}

#[tokio::test]
async fn nothing_is_published_where_metrics_are_disabled() {
    let world = World::new();
    world.traffic(datetime!(2026-11-26 10:30 UTC), healthy);
    let environment = json!({"publish_cloudwatch_metrics": "Disabled"});
    let quiet =
        super::world::with(super::world::definition("quiet"), "/ModelQualityAppSpecification/Environment", environment);
    world.call("CreateModelQualityJobDefinition", quiet).unwrap();
    let schedule = super::world::schedule(SCHEDULE, HOURLY);
    let schedule =
        super::world::with(schedule, "/MonitoringScheduleConfig/MonitoringJobDefinitionName", json!("quiet"));
    world.call("CreateMonitoringSchedule", schedule).unwrap();
    world.settled().await;
    assert_eq!(world.next().await.status.as_str(), "Completed");
    assert_eq!(world.account.cloudwatch("ListMetrics", json!({})).unwrap()["Metrics"], json!([]));
}

#[tokio::test]
async fn violations_are_said_and_written() {
    let world = World::new();
    world.traffic(datetime!(2026-11-26 10:30 UTC), drifted);
    world.schedule(HOURLY).await;
    let execution = world.next().await;
    assert_eq!(reason(&execution), ("CompletedWithViolations", None));
    let analysis = job(&world, &world.describe()["LastMonitoringExecutionSummary"]["ProcessingJobArn"]);
    assert_eq!(analysis["ExitMessage"], "CompletedWithViolations: Job completed successfully with 1 violations.");
    assert_eq!(analysis["ProcessingJobStatus"], "Completed");
    let written =
        world.account.text(&format!("results/{ENDPOINT}/{SCHEDULE}/2026/11/26/11/constraint_violations.json"));
    assert!(
        written.contains("Metric accuracy with 0.5 +/- ") && written.contains("was LessThanThreshold '0.7'"),
        "{written}"
    );
}

#[tokio::test]
async fn an_hour_without_captures_or_without_labels_fails_as_on_aws() {
    let world = World::new();
    world.label(datetime!(2026-11-26 10:30 UTC), 0..300);
    world.capture(datetime!(2026-11-26 11:30 UTC), 0..300, healthy);
    world.schedule(HOURLY).await;
    for hour in ["no captures", "no labels", "nothing"] {
        let execution = world.next().await;
        assert_eq!(reason(&execution), ("Failed", Some("Job inputs had no data")), "{hour}");
        let summary = world.describe()["LastMonitoringExecutionSummary"].clone();
        assert_eq!(
            (&summary["FailureReason"], summary.get("ProcessingJobArn")),
            (&json!("Job inputs had no data"), None)
        );
    }
    let jobs = world.call("ListProcessingJobs", json!({})).unwrap();
    assert_eq!(jobs["ProcessingJobSummaries"], json!([]));
}

#[tokio::test]
async fn a_job_that_fails_fails_the_execution_with_its_reason() {
    let world = World::new();
    world.capture(datetime!(2026-11-26 10:30 UTC), 0..10, healthy);
    world.label(datetime!(2026-11-26 10:30 UTC), 100..110);
    world.traffic(datetime!(2026-11-26 11:30 UTC), healthy);
    world.schedule(HOURLY).await;
    let execution = world.next().await;
    assert_eq!(reason(&execution), ("Failed", Some("AlgorithmError: See job logs for more information")));
    let merge = job(&world, &world.describe()["LastMonitoringExecutionSummary"]["ProcessingJobArn"]);
    assert!(merge["ProcessingJobName"].as_str().unwrap().starts_with("groundtruth-merge-"), "{merge}");
    assert!(
        merge["ExitMessage"].as_str().unwrap().contains("10 captured records and 10 labels give 0 merged"),
        "{merge}"
    );

    world.account.put("baseline/constraints.json", "{}");
    let execution = world.next().await;
    assert_eq!(reason(&execution), ("Failed", Some("AlgorithmError: See job logs for more information")));
    let analysis = job(&world, &world.describe()["LastMonitoringExecutionSummary"]["ProcessingJobArn"]);
    assert!(analysis["ProcessingJobName"].as_str().unwrap().starts_with("model-quality-monitoring-"), "{analysis}");
}

#[tokio::test]
async fn what_an_execution_needs_and_is_gone_is_named() {
    let world = World::new();
    world.traffic(datetime!(2026-11-26 10:30 UTC), healthy);
    world.schedule(HOURLY).await;
    // A definition that a schedule names cannot be deleted, so that this one is lost in another way.
    let locked = world.call("DeleteModelQualityJobDefinition", json!({"JobDefinitionName": DEFINITION})).unwrap_err();
    assert!(locked.message.contains("in use by Monitoring Schedule arn:"), "{locked}");
    let key = format!("model-quality-job-definition/{REGION}/{DEFINITION}");
    world.account.fake.store.write(|change| change.delete::<JobDefinition>(&key)).unwrap();
    let execution = world.next().await;
    let sentence = "Monitoring Job Definition arn:aws:sagemaker:eu-west-1:111122223333:model-quality-job-definition/sts-quality not found";
    assert_eq!(reason(&execution), ("Failed", Some(sentence)));
}

#[tokio::test]
async fn the_constraints_may_be_those_of_a_baselining_job() {
    let world = World::new();
    world.traffic(datetime!(2026-11-26 10:30 UTC), healthy);
    let mut baseline = crate::account::processing_job("baseline", "true");
    baseline["ProcessingOutputConfig"] = json!({"Outputs": [crate::account::output("out", "from-job/")]});
    world.account.process(baseline).await;
    world.account.put("from-job/constraints.json", constraints(0.9));
    let named = super::world::with(
        super::world::definition("by-job"),
        "/ModelQualityBaselineConfig",
        json!({"BaseliningJobName": "baseline"}),
    );
    world.call("CreateModelQualityJobDefinition", named).unwrap();
    let schedule = super::world::schedule(SCHEDULE, HOURLY);
    let schedule =
        super::world::with(schedule, "/MonitoringScheduleConfig/MonitoringJobDefinitionName", json!("by-job"));
    world.call("CreateMonitoringSchedule", schedule).unwrap();
    world.settled().await;
    assert_eq!(world.next().await.status.as_str(), "CompletedWithViolations");
}

#[tokio::test]
async fn a_second_merge_of_an_hour_replaces_the_first() {
    let world = World::new();
    world.capture(datetime!(2026-11-26 10:05 UTC), 0..100, healthy);
    world.label(datetime!(2026-11-26 10:05 UTC), 0..300);
    let now = json!({"ScheduleExpression": "NOW", "DataAnalysisStartTime": "-PT1H", "DataAnalysisEndTime": "-PT0H"});
    let once =
        super::world::with(super::world::schedule(SCHEDULE, HOURLY), "/MonitoringScheduleConfig/ScheduleConfig", now);
    world.call("CreateMonitoringSchedule", once).unwrap();
    assert_eq!(world.outline().await, [(10, "Completed")]);

    world.capture(datetime!(2026-11-26 10:30 UTC), 100..300, healthy);
    let again = super::world::schedule(SCHEDULE, HOURLY);
    world.call("UpdateMonitoringSchedule", again).unwrap();
    world.settled().await;
    assert_eq!(world.next().await.status.as_str(), "Completed");
    let statistics = world.account.read(&format!("results/{ENDPOINT}/{SCHEDULE}/2026/11/26/11/statistics.json"));
    let statistics: Value = serde_json::from_slice(&statistics).unwrap();
    assert_eq!(statistics["dataset"]["item_count"], 300);
}

/// Programs of which the merger waits until the test lets it go on.
fn waiting(meeting: &Meeting) -> Programs {
    let script = format!("echo up > {0}/up; read word < {0}/go", meeting.folder().display());
    programs().with("*groundtruth-merger*", ["/bin/sh", "-c", &script])
}

#[tokio::test]
async fn a_job_under_way_shows_and_can_be_stopped() {
    let meeting = Meeting::new(&["up", "go"]);
    let world = World::build(builder().programs(waiting(&meeting)));
    world.traffic(datetime!(2026-11-26 10:30 UTC), healthy);
    world.schedule(HOURLY).await;
    world.advance(super::world::HOUR);
    meeting.hear("up").await;
    let summary = world.describe()["LastMonitoringExecutionSummary"].clone();
    assert_eq!(summary["MonitoringExecutionStatus"], "InProgress");
    let name = summary["ProcessingJobArn"].as_str().unwrap().rsplit('/').next().unwrap();
    assert!(name.starts_with("groundtruth-merge-202611261100-"), "{name}");
    let refused = world.steer("DeleteMonitoringSchedule").unwrap_err();
    assert_eq!(
        (refused.code.as_str(), refused.message.as_str()),
        ("ValidationException", "can't delete schedule as it has in-progress executions")
    );
    world.call("StopProcessingJob", json!({"ProcessingJobName": name})).unwrap();
    assert_eq!(world.outline().await, [(11, "Stopped")]);
    assert_eq!(world.account.ended(Kind::ProcessingJob, name).await.status, Status::Stopped);
    world.steer("DeleteMonitoringSchedule").unwrap();
    let listed = world.call("ListMonitoringExecutions", json!({"MonitoringScheduleName": SCHEDULE})).unwrap();
    assert_eq!(listed["MonitoringExecutionSummaries"].as_array().unwrap().len(), 1, "history outlives its schedule");
}
