//! Schedules: created, changed, listed, and what is refused.

use serde_json::{Value, json};

use super::world::{DEFINITION, ENDPOINT, HOUR, HOURLY, SCHEDULE, World, definition, schedule, with};

#[tokio::test]
async fn a_schedule_is_described_as_aws_does() {
    let world = World::new();
    world.schedule(HOURLY).await;
    let expected = json!({
        "MonitoringScheduleArn": "arn:aws:sagemaker:eu-west-1:111122223333:monitoring-schedule/sts-hourly",
        "MonitoringScheduleName": SCHEDULE,
        "MonitoringScheduleStatus": "Scheduled",
        "MonitoringType": "ModelQuality",
        "CreationTime": 1_795_688_400.0,
        "LastModifiedTime": 1_795_688_400.0,
        "MonitoringScheduleConfig": {
            "ScheduleConfig": {"ScheduleExpression": HOURLY}, "MonitoringJobDefinitionName": DEFINITION, "MonitoringType": "ModelQuality"},
        "EndpointName": ENDPOINT,
    });
    assert_eq!(world.describe(), expected);
}

#[tokio::test]
async fn what_cannot_be_scheduled_is_refused() {
    let world = World::new();
    world.schedule(HOURLY).await;
    world.endpoint_with("blind", None);
    for (name, path, member) in [
        ("of-nothing", "/ModelQualityJobInput/EndpointInput/EndpointName", json!("nowhere")),
        ("of-blind", "/ModelQualityJobInput/EndpointInput/EndpointName", json!("blind")),
        ("too-long", "/StoppingCondition/MaxRuntimeInSeconds", json!(3600)),
    ] {
        world.call("CreateModelQualityJobDefinition", with(definition(name), path, member)).unwrap();
    }
    let check = |path: &str, member: Value, code: &str, expected: &str| {
        let error = world.call("CreateMonitoringSchedule", with(schedule("new", HOURLY), path, member)).unwrap_err();
        assert!(error.code == code && error.message.contains(expected), "{path}: {error}");
    };
    let (invalid, config) = ("ValidationException", "/MonitoringScheduleConfig");
    let of = |member: &str| format!("{config}/{member}");
    check("/MonitoringScheduleName", json!(SCHEDULE), "ResourceInUse", "already exists");
    check("/MonitoringScheduleName", json!("a_b"), invalid, "failed to satisfy constraint");
    check(&of("MonitoringType"), json!("ModelBias"), invalid, "'ModelBias' is not served");
    check(&of("MonitoringType"), json!(null), invalid, "MonitoringType is required");
    check(&of("MonitoringJobDefinitionName"), json!("nothing"), "ResourceNotFound", "Monitoring Job Definition");
    check(&of("MonitoringJobDefinitionName"), json!(null), invalid, "Exactly one of");
    check(&of("MonitoringJobDefinitionName"), json!("of-nothing"), invalid, "Could not find endpoint \"arn:aws:");
    check(&of("MonitoringJobDefinitionName"), json!("of-blind"), invalid, "Data capture is not configured");
    check(&of("MonitoringJobDefinitionName"), json!("too-long"), invalid, "must not be more than 1800");
    check(&of("ScheduleConfig"), json!({"ScheduleExpression": "rate(1 hour)"}), invalid, "Invalid ScheduleExpression");
    check(&of("ScheduleConfig"), json!({"ScheduleExpression": "NOW"}), invalid, "are required when");
    for operation in
        ["DescribeMonitoringSchedule", "StartMonitoringSchedule", "StopMonitoringSchedule", "DeleteMonitoringSchedule"]
    {
        let error = world.call(operation, json!({"MonitoringScheduleName": "none"})).unwrap_err();
        let sentence =
            "Monitoring Schedule arn:aws:sagemaker:eu-west-1:111122223333:monitoring-schedule/none not found";
        assert_eq!((error.code.as_str(), error.message.as_str()), ("ResourceNotFound", sentence), "{operation}");
    }
}

#[tokio::test]
async fn a_schedule_is_locked_while_it_is_pending() {
    // The driver is not running: what was asked for never takes effect.
    let world = World { account: crate::account::Account::of(super::world::builder().at_rest(true).build().unwrap()) };
    world.endpoint(ENDPOINT);
    world.call("CreateModelQualityJobDefinition", definition(DEFINITION)).unwrap();
    world.call("CreateMonitoringSchedule", schedule(SCHEDULE, HOURLY)).unwrap();
    assert_eq!(world.describe()["MonitoringScheduleStatus"], "Pending");
    for operation in ["StartMonitoringSchedule", "StopMonitoringSchedule", "DeleteMonitoringSchedule"] {
        assert_eq!(world.steer(operation).unwrap_err().message, "Monitoring schedule in status Pending", "{operation}");
    }
    assert_eq!(
        world.call("UpdateMonitoringSchedule", schedule(SCHEDULE, HOURLY)).unwrap_err().message,
        "Monitoring schedule in status Pending"
    );
}

#[tokio::test]
async fn an_update_goes_by_the_new_expression_from_now_on() {
    let world = World::new();
    world.schedule(HOURLY).await;
    world.advance(HOUR);
    world.settled().await;
    world.call("UpdateMonitoringSchedule", schedule(SCHEDULE, "cron(0 0/6 ? * * *)")).unwrap();
    world.advance(7 * HOUR);
    assert_eq!(world.outline().await, [(11, "Failed"), (12, "Failed"), (18, "Failed")]);
    assert_eq!(
        world.describe()["MonitoringScheduleConfig"]["ScheduleConfig"]["ScheduleExpression"],
        "cron(0 0/6 ? * * *)"
    );
}

#[tokio::test]
async fn schedules_and_executions_are_listed_as_asked() {
    let world = World::new();
    world.schedule(HOURLY).await;
    world.call("CreateMonitoringSchedule", schedule("daily", "cron(0 0 ? * * *)")).unwrap();
    world.advance(3 * HOUR);
    world.settled().await;
    let names = |input: Value| {
        let listed = world.call("ListMonitoringSchedules", input).unwrap();
        let summaries = listed["MonitoringScheduleSummaries"].as_array().unwrap().clone();
        summaries
            .iter()
            .map(|summary| summary["MonitoringScheduleName"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(json!({"SortBy": "Name", "SortOrder": "Ascending"})), ["daily", SCHEDULE]);
    assert_eq!(
        names(json!({"NameContains": "hour", "EndpointName": ENDPOINT, "StatusEquals": "Scheduled"})),
        [SCHEDULE]
    );
    assert_eq!(names(json!({"MonitoringJobDefinitionName": "other"})), [""; 0]);
    assert_eq!(names(json!({"MonitoringTypeEquals": "DataQuality"})), [""; 0]);

    let hours = |input: Value| {
        let listed = world.call("ListMonitoringExecutions", input).unwrap();
        let summaries = listed["MonitoringExecutionSummaries"].as_array().unwrap().clone();
        let hour = |summary: &Value| (summary["ScheduledTime"].as_f64().unwrap() as i64 / 3600) % 24;
        (summaries.iter().map(hour).collect::<Vec<_>>(), listed.get("NextToken").cloned())
    };
    assert_eq!(hours(json!({})), (vec![13, 12, 11], None), "newest first");
    assert_eq!(hours(json!({"SortBy": "ScheduledTime", "SortOrder": "Ascending"})).0, [11, 12, 13]);
    assert_eq!(hours(json!({"ScheduledTimeAfter": 1_795_694_400, "ScheduledTimeBefore": 1_795_698_000})).0, [12]);
    assert_eq!(hours(json!({"StatusEquals": "Completed"})).0, [0; 0]);
    assert_eq!(hours(json!({"MonitoringScheduleName": "daily"})).0, [0; 0]);
    assert_eq!(
        hours(json!({"MonitoringScheduleName": "STS-hourly", "EndpointName": ENDPOINT, "StatusEquals": "Failed"})).0,
        [13, 12, 11]
    );
    let (first, token) = hours(json!({"MaxResults": 2}));
    assert_eq!((first, hours(json!({"MaxResults": 2, "NextToken": token})).0), (vec![13, 12], vec![11]));
}
