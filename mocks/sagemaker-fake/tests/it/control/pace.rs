//! Status changes come at the pace that was asked for.

use std::time::Duration;

use aws_sdk_sagemaker::types::EndpointStatus;
use pipeline_definition::build::{Condition, ConditionStep, Expr};
use sagemaker_fake::clock::{Clock, Timestamp};
use sagemaker_fake::engine;
use sagemaker_fake::jobs::{Kind, ended};
use sagemaker_fake::pace::Pace;
use sagemaker_fake::{Fake, FakeBuilder};
use serde_json::json;

use crate::account::{Account, REGION, definition, patiently, processing_job};
use crate::hosting::Stage;

fn at(pace: Pace) -> FakeBuilder {
    Fake::builder().pace(pace).clock(Clock::frozen(Timestamp(1_800_000_000_000)))
}

fn status_of_job(account: &Account, name: &str) -> String {
    let described = account.call("DescribeProcessingJob", json!({"ProcessingJobName": name})).unwrap();
    described["ProcessingJobStatus"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn control_a_job_is_described_so_often_before_it_ends() {
    let account = Account::build(at(Pace::Describes(2)));
    for (name, script, last) in [("good", "true", "Completed"), ("bad", "exit 1", "Failed")] {
        account.call("CreateProcessingJob", processing_job(name, script)).unwrap();
        assert_eq!(status_of_job(&account, name), "InProgress");
        assert_eq!(status_of_job(&account, name), "InProgress");
        assert_eq!(account.ended(Kind::ProcessingJob, name).await.status.as_str(), last);
        assert_eq!(status_of_job(&account, name), last);
    }
}

#[tokio::test]
async fn control_a_job_lasts_so_long_unless_it_is_stopped() {
    let account = Account::build(at(Pace::After(Duration::from_secs(60))));
    for name in ["one", "two"] {
        account.call("CreateProcessingJob", processing_job(name, "true")).unwrap();
    }
    account.fake.advance(Duration::from_secs(59)).unwrap();
    assert_eq!(status_of_job(&account, "one"), "InProgress");
    account.call("StopProcessingJob", json!({"ProcessingJobName": "two"})).unwrap();
    assert_eq!(account.ended(Kind::ProcessingJob, "two").await.status.as_str(), "Stopped");
    let ended = ended(&account.fake, REGION, Kind::ProcessingJob, "one");
    account.fake.advance(Duration::from_secs(1)).unwrap();
    let job = patiently(ended).await.unwrap();
    assert_eq!((job.status.as_str(), job.ended.unwrap().0 - job.created.0), ("Completed", 60_000));
}

#[tokio::test]
async fn control_an_execution_lasts_so_long() {
    let account = Account::build(at(Pace::After(Duration::from_secs(60))));
    let gate = ConditionStep::new("Gate").condition(Condition::equals(Expr::from(1), 1));
    account.pipeline("p", &definition([gate.into()]));
    let arn = account.start("p", &[]).unwrap();
    let described = || account.call("DescribePipelineExecution", json!({"PipelineExecutionArn": arn})).unwrap();
    account.fake.advance(Duration::from_secs(30)).unwrap();
    assert_eq!(described()["PipelineExecutionStatus"], "Executing");
    account.fake.advance(Duration::from_secs(30)).unwrap();
    let execution = patiently(engine::settled(&account.fake, &arn)).await.unwrap();
    assert_eq!(execution.modified.0 - execution.created.0, 60_000);
}

#[tokio::test]
async fn control_an_endpoint_is_described_so_often_before_it_serves_and_before_it_goes() {
    let stage = Stage::with(Fake::builder().pace(Pace::Describes(2))).await;
    stage.config("e", &[("AllTraffic", "good", 1.0)], None).await;
    stage.client.create_endpoint().endpoint_name("e").endpoint_config_name("e").send().await.unwrap();
    for _ in 0..2 {
        assert_eq!(stage.status("e").await.0, EndpointStatus::Creating);
    }
    stage.settled("e").await.unwrap();
    assert_eq!(stage.status("e").await.0, EndpointStatus::InService);
    stage.client.delete_endpoint().endpoint_name("e").send().await.unwrap();
    for _ in 0..2 {
        assert_eq!(stage.status("e").await.0, EndpointStatus::Deleting);
    }
    assert!(stage.settled("e").await.is_none());
}
