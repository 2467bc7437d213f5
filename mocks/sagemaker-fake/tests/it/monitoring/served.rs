//! The loop that the rest is for: an endpoint answers, what it answers is captured, labels come, the hour is judged.

use aws_sdk_sagemaker::types::CaptureMode;
use model_monitor::records::GroundTruth;
use sagemaker_fake::monitoring;
use serde_json::{Value, json};

use super::world::{ENDPOINT, HOUR, HOURLY, SCHEDULE, World, builder, definition, schedule, with};
use crate::account::{Account, patiently, programs};
use crate::clients::REGION;
use crate::hosting::{Stage, capture, row};

#[tokio::test]
async fn what_an_endpoint_answered_is_judged_after_the_hour() {
    let stage = Stage::running(builder(), programs()).await;
    let world = World { account: Account::of(stage.aws.fake().clone()) };
    stage.endpoint(ENDPOINT, "good", Some(capture(100, &[CaptureMode::Input, CaptureMode::Output]))).await;
    let mut labels = Vec::new();
    for number in 0..20 {
        let id = format!("sts_{number}");
        let headers = [("content-type", "text/csv"), ("x-amzn-sagemaker-inference-id", id.as_str())];
        let answer = stage.invoke(ENDPOINT, &headers, &row()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        // Three quarters of the labels are what was predicted.
        let predicted = answer.body.starts_with('1');
        GroundTruth::new(&id, if predicted == (number % 4 > 0) { "1" } else { "0" }).write(&mut labels);
    }
    world.account.put("labels/2026/11/26/10/0059.jsonl", labels);
    let unbounded = with(definition("unbounded"), "/ModelQualityBaselineConfig", Value::Null);
    world.call("CreateModelQualityJobDefinition", unbounded).unwrap();
    let hourly =
        with(schedule(SCHEDULE, HOURLY), "/MonitoringScheduleConfig/MonitoringJobDefinitionName", json!("unbounded"));
    world.call("CreateMonitoringSchedule", hourly).unwrap();

    // Moving the clock closes the file that was being captured to, and fires the schedule.
    world.advance(HOUR);
    let executions = patiently(monitoring::settled(stage.aws.fake(), REGION, SCHEDULE)).await.unwrap();
    assert_eq!((executions.len(), executions[0].status.as_str()), (1, "Completed"), "{executions:?}");
    let statistics = world.account.read(&format!("results/{ENDPOINT}/{SCHEDULE}/2026/11/26/11/statistics.json"));
    let statistics: Value = serde_json::from_slice(&statistics).unwrap();
    assert_eq!(statistics["dataset"]["item_count"], 20);
    assert_eq!(statistics["binary_classification_metrics"]["accuracy"]["value"], 0.75);
}

#[tokio::test]
async fn invocations_are_counted_by_the_minute() {
    let stage = Stage::running(builder(), programs()).await;
    let account = Account::of(stage.aws.fake().clone());
    stage.endpoint("sts", "good", None).await;
    for (body, status) in [(row(), 200), (row(), 200), ("no numbers".to_owned(), 424)] {
        let answer = stage.invoke("sts", &[("content-type", "text/csv")], &body).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let dimensions = json!([{"Name": "VariantName", "Value": "AllTraffic"}, {"Name": "EndpointName", "Value": "sts"}]);
    let of = |metric: &str| {
        let input = json!({
            "Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions, "StartTime": 1_795_688_400, "EndTime": 1_795_688_460,
            "Period": 60, "Statistics": ["Sum", "SampleCount", "Maximum"]});
        account.cloudwatch("GetMetricStatistics", input).unwrap()["Datapoints"][0].clone()
    };
    for (metric, sum, maximum) in
        [("Invocations", 3.0, 1.0), ("Invocation4XXErrors", 1.0, 1.0), ("Invocation5XXErrors", 0.0, 0.0)]
    {
        let point = of(metric);
        assert_eq!(
            (&point["Sum"], &point["SampleCount"], &point["Maximum"]),
            (&json!(sum), &json!(3.0), &json!(maximum)),
            "{metric}"
        );
    }
    let latency = of("ModelLatency");
    assert_eq!((&latency["Unit"], &latency["SampleCount"]), (&json!("Microseconds"), &json!(3.0)));
    assert!(latency["Sum"].as_f64().unwrap() > 0.0 && of("OverheadLatency")["SampleCount"] == 3.0);
}
