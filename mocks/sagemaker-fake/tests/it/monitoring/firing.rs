//! When schedules fire: each time that is due, once, in order, whatever happens to clock and process.

use std::time::Duration;

use sagemaker_fake::testing::opened;
use sagemaker_fake::{Fake, engine};
use serde_json::json;
use time::macros::datetime;

use super::world::{BEGIN, HOUR, HOURLY, SCHEDULE, World, builder, drifted, healthy, schedule, timestamp, with};
use crate::account::Account;

#[tokio::test]
async fn nothing_fires_before_the_hour_and_each_hour_once() {
    let world = World::new();
    world.schedule(HOURLY).await;
    world.advance(Duration::from_secs(40 * 60 - 1));
    assert_eq!(world.outline().await, []);
    world.advance(Duration::from_secs(1));
    assert_eq!(world.outline().await, [(11, "Failed")]);
    world.advance(HOUR - Duration::from_millis(1));
    assert_eq!(world.outline().await.len(), 1);
    world.advance(Duration::from_millis(1));
    assert_eq!(world.outline().await, [(11, "Failed"), (12, "Failed")]);
}

#[tokio::test]
async fn a_jump_over_thirty_hours_fires_each_of_them_in_order() {
    let world = World::new();
    world.traffic(datetime!(2026-11-26 12:10 UTC), healthy);
    world.traffic(datetime!(2026-11-27 03:10 UTC), drifted);
    world.schedule(HOURLY).await;
    world.advance(30 * HOUR);
    // On record at once, and done one after the other.
    let listed =
        world.call("ListMonitoringExecutions", json!({"MonitoringScheduleName": SCHEDULE, "MaxResults": 100})).unwrap();
    assert_eq!(listed["MonitoringExecutionSummaries"].as_array().unwrap().len(), 30);
    let executions = world.settled().await;
    let times: Vec<_> = executions.iter().map(|execution| execution.scheduled).collect();
    let expected: Vec<_> =
        (0..30).map(|hour| timestamp(datetime!(2026-11-26 11:00 UTC) + time::Duration::hours(hour))).collect();
    assert_eq!(times, expected);
    let with_data: Vec<_> = executions
        .iter()
        .filter(|execution| execution.status.as_str() != "Failed")
        .map(|execution| (execution.scheduled.date().hour(), execution.status.as_str()))
        .collect();
    assert_eq!(with_data, [(13, "Completed"), (4, "CompletedWithViolations")]);
    let jobs = world.call("ListProcessingJobs", json!({"MaxResults": 100, "SortOrder": "Ascending"})).unwrap();
    let names: Vec<_> = jobs["ProcessingJobSummaries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| job["ProcessingJobName"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), 4, "two jobs for each hour with data, and none twice: {names:?}");
}

#[tokio::test]
async fn daily_schedules_and_those_of_some_hours_look_back_to_the_time_before() {
    let check = async |expression: &str, advance: u32, expected: &[(u8, u8)]| {
        let world = World::new();
        world.schedule(expression).await;
        world.advance(advance * HOUR);
        let executions = world.settled().await;
        let hours: Vec<_> = executions
            .iter()
            .map(|execution| (execution.window.start.date().hour(), execution.window.end.date().hour()))
            .collect();
        assert_eq!(hours, expected, "{expression}");
    };
    check("cron(0 12 ? * * *)", 30, &[(12, 12), (12, 12)]).await;
    check("cron(0 17/12 ? * * *)", 24, &[(5, 17), (17, 5)]).await;
    check("cron(0 0/6 ? * * *)", 8, &[(6, 12), (12, 18)]).await;
}

#[tokio::test]
async fn a_schedule_without_expression_is_daily() {
    let world = World::new();
    let daily = with(schedule(SCHEDULE, HOURLY), "/MonitoringScheduleConfig/ScheduleConfig", json!(null));
    world.call("CreateMonitoringSchedule", daily).unwrap();
    world.settled().await;
    world.advance(48 * HOUR);
    assert_eq!(world.outline().await, [(0, "Failed"), (0, "Failed")]);
}

#[tokio::test]
async fn now_runs_once_over_the_hours_it_names() {
    let world = World::new();
    world.traffic(datetime!(2026-11-26 08:30 UTC), healthy);
    let now = json!({"ScheduleExpression": "NOW", "DataAnalysisStartTime": "-PT2H", "DataAnalysisEndTime": "-PT1H"});
    let once = with(schedule(SCHEDULE, HOURLY), "/MonitoringScheduleConfig/ScheduleConfig", now);
    world.call("CreateMonitoringSchedule", once).unwrap();
    let executions = world.settled().await;
    assert_eq!(executions.len(), 1);
    assert_eq!((executions[0].status.as_str(), executions[0].scheduled), ("Completed", timestamp(BEGIN)));
    world.advance(3 * HOUR);
    assert_eq!(world.settled().await.len(), 1);
    assert_eq!(world.describe()["MonitoringScheduleStatus"], "Scheduled");
}

#[tokio::test]
async fn hours_while_it_was_stopped_stay_undone() {
    let world = World::new();
    world.schedule(HOURLY).await;
    world.advance(HOUR);
    world.settled().await;
    world.steer("StopMonitoringSchedule").unwrap();
    world.settled().await;
    assert_eq!(world.describe()["MonitoringScheduleStatus"], "Stopped");
    world.advance(3 * HOUR);
    assert_eq!(world.outline().await, [(11, "Failed")]);
    world.steer("StartMonitoringSchedule").unwrap();
    world.settled().await;
    assert_eq!(world.describe()["MonitoringScheduleStatus"], "Scheduled");
    world.advance(HOUR);
    assert_eq!(world.outline().await, [(11, "Failed"), (15, "Failed")]);
}

#[tokio::test]
async fn what_falls_due_while_nobody_has_the_state_open_is_fired_when_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::build(builder().state(folder.path()));
    world.traffic(datetime!(2026-11-26 11:30 UTC), healthy);
    world.schedule(HOURLY).await;
    world.advance(HOUR);
    assert_eq!(world.outline().await, [(11, "Failed")]);
    engine::close(world.account.fake).await;

    // As `sagemaker-fake advance` does with a folder that is not being served.
    let at_rest: Fake = opened(builder().state(folder.path()).at_rest(true)).await;
    at_rest.advance(2 * HOUR).unwrap();
    drop(at_rest);

    let world = World { account: Account::of(opened(builder().state(folder.path())).await) };
    assert_eq!(world.outline().await, [(11, "Failed"), (12, "Completed"), (13, "Failed")]);
    world.advance(HOUR);
    assert_eq!(world.outline().await.len(), 4);
}

#[tokio::test]
async fn a_killed_execution_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let meeting = crate::account::Meeting::new(&["up", "go"]);
    let script = format!("echo up > {0}/up; read word < {0}/go", meeting.folder().display());
    let programs = crate::account::programs().with("*groundtruth-merger*", ["/bin/sh", "-c", &script]);
    let world = World::build(builder().programs(programs).state(folder.path()));
    world.traffic(datetime!(2026-11-26 10:30 UTC), healthy);
    world.schedule(HOURLY).await;
    world.advance(2 * HOUR);
    meeting.hear("up").await;
    // Nothing is told to end: what is on record is all that is left.
    drop(world);

    let world = World { account: Account::of(opened(builder().state(folder.path())).await) };
    assert_eq!(world.outline().await, [(11, "Completed"), (12, "Failed")]);
    let jobs = world.call("ListProcessingJobs", json!({})).unwrap();
    assert_eq!(jobs["ProcessingJobSummaries"].as_array().unwrap().len(), 2);
}
