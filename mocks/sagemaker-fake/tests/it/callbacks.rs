//! Callback steps: they wait for whoever has the token.

use std::time::Duration;

use pipeline_definition::Definition;
use sagemaker_fake::Fake;
use sagemaker_fake::clock::{Clock, Timestamp};
use sagemaker_fake::engine::{self, ExecutionStatus, StepStatus};
use serde_json::{Value, json};

use crate::account::{Account, BUCKET};

const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/sts";

/// A step that asks somebody for a threshold, and one that fails if it is too high.
fn asking() -> Definition {
    let text = json!({"Version": "2020-12-01", "Steps": [
        {
            "Name": "Ask",
            "Type": "Callback",
            "Arguments": {"data": format!("s3://{BUCKET}/data")},
            "SqsQueueUrl": QUEUE,
            "OutputParameters": [{"OutputName": "threshold", "OutputType": "Float"}, {"OutputName": "who", "OutputType": "String"}],
        },
        {
            "Name": "Gate",
            "Type": "Condition",
            "Arguments": {
                "Conditions": [{"Type": "GreaterThan", "LeftValue": {"Get": "Steps.Ask.OutputParameters['threshold']"}, "RightValue": 0.5}],
                "IfSteps": [{"Name": "TooHigh", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Steps.Ask.OutputParameters['who']"}}}],
                "ElseSteps": [],
            },
        },
    ]});
    Definition::from_value(text).unwrap()
}

/// An execution whose Callback step waits, and its token.
async fn waiting(account: &Account) -> (String, String) {
    let execution = account.start("p", &[]).unwrap();
    let step = account.step_is(&execution, "Ask", "Executing").await;
    let metadata = &step["Metadata"]["Callback"];
    assert_eq!(metadata["SqsQueueUrl"], QUEUE);
    (execution, metadata["CallbackToken"].as_str().unwrap().to_owned())
}

fn succeed(account: &Account, token: &str, threshold: &str, request: &str) -> Result<Value, sagemaker_fake::ApiError> {
    let parameters = json!([{"Name": "threshold", "Value": threshold}, {"Name": "who", "Value": "somebody"}]);
    let request = format!("{request:0>32}");
    let input = json!({"CallbackToken": token, "OutputParameters": parameters, "ClientRequestToken": request});
    account.call("SendPipelineExecutionStepSuccess", input)
}

#[tokio::test]
async fn a_step_goes_on_with_what_it_is_answered() {
    let account = Account::new();
    account.pipeline("p", &asking());
    let (arn, token) = waiting(&account).await;
    let answer = succeed(&account, &token, "0.75", "1").unwrap();
    assert_eq!(answer, json!({"PipelineExecutionArn": arn}));
    let execution = account.settled(&arn).await;
    assert_eq!(execution.status, ExecutionStatus::Failed);
    let steps = account.steps(&arn);
    assert_eq!((&steps[0]["StepName"], &steps[0]["FailureReason"]), (&json!("TooHigh"), &json!("somebody")));
    let given = json!([{"Name": "threshold", "Value": "0.75"}, {"Name": "who", "Value": "somebody"}]);
    assert_eq!(steps[2]["Metadata"]["Callback"]["OutputParameters"], given);

    // The same request again is the same answer; another one comes too late.
    assert_eq!(succeed(&account, &token, "0.75", "1").unwrap(), answer);
    assert_eq!(succeed(&account, &token, "0.1", "2").unwrap_err().code, "ConflictException");
    let unknown = succeed(&account, "AbCdEf0123", "0.1", "3").unwrap_err();
    assert_eq!(unknown.code, "ResourceNotFound", "{unknown}");
}

#[tokio::test]
async fn a_step_fails_for_the_reason_it_is_given_and_asks_anew_when_retried() {
    let account = Account::new();
    account.pipeline("p", &asking());
    let (arn, first) = waiting(&account).await;
    let failure =
        json!({"CallbackToken": first, "FailureReason": "nobody is in", "ClientRequestToken": "f".repeat(32)});
    account.call("SendPipelineExecutionStepFailure", failure).unwrap();
    let execution = account.settled(&arn).await;
    let step = execution.step("Ask").unwrap();
    assert_eq!((step.status, step.failure_reason.as_deref()), (StepStatus::Failed, Some("nobody is in")));

    account
        .call("RetryPipelineExecution", json!({"PipelineExecutionArn": arn, "ClientRequestToken": "r".repeat(32)}))
        .unwrap();
    let step = account.step_is(&arn, "Ask", "Executing").await;
    let second = step["Metadata"]["Callback"]["CallbackToken"].as_str().unwrap();
    assert_ne!(second, first);
    succeed(&account, second, "0.25", "4").unwrap();
    assert_eq!(account.settled(&arn).await.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn what_was_answered_stands_in_a_selective_execution() {
    let account = Account::new();
    account.pipeline("p", &asking());
    let (source, token) = waiting(&account).await;
    succeed(&account, &token, "0.75", "1").unwrap();
    account.settled(&source).await;
    let selected =
        json!({"SelectedSteps": [{"StepName": "Gate"}, {"StepName": "TooHigh"}], "SourcePipelineExecutionArn": source});
    let token = account.fake.ids.uuid();
    let input = json!({"PipelineName": "p", "ClientRequestToken": token, "SelectiveExecutionConfig": selected});
    let arn = account.call("StartPipelineExecution", input).unwrap()["PipelineExecutionArn"].clone();
    let execution = account.settled(arn.as_str().unwrap()).await;
    assert_eq!(
        execution.step("TooHigh").unwrap().failure_reason.as_deref(),
        Some("somebody"),
        "nobody was asked again"
    );
    let ask = account.steps(&execution.arn).pop().unwrap();
    assert_eq!((&ask["StepName"], &ask["StepStatus"]), (&json!("Ask"), &json!("Succeeded")));
    assert_eq!(ask["SelectiveExecutionResult"], json!({"SourcePipelineExecutionArn": source}));
}

#[tokio::test]
async fn an_execution_that_is_stopped_waits_for_the_answer() {
    let account = Account::new();
    account.pipeline("p", &asking());
    let (arn, token) = waiting(&account).await;
    account.stop(&arn).unwrap();
    account.step_is(&arn, "Ask", "Stopping").await;
    let described = account.call("DescribePipelineExecution", json!({"PipelineExecutionArn": arn})).unwrap();
    assert_eq!(described["PipelineExecutionStatus"], "Stopping");
    succeed(&account, &token, "0.25", "5").unwrap();
    let execution = account.settled(&arn).await;
    assert_eq!(execution.status, ExecutionStatus::Stopped);
    assert!(execution.step("Gate").is_none());
}

#[tokio::test]
async fn nobody_is_waited_for_longer_than_a_week() {
    let account = Account::build(Fake::builder().clock(Clock::frozen(Timestamp(1_790_000_000_000))));
    account.pipeline("p", &asking());
    let (arn, _) = waiting(&account).await;
    account.fake.advance(Duration::from_secs(6 * 86_400)).unwrap();
    assert_eq!(account.steps(&arn)[0]["StepStatus"], "Executing");
    account.fake.advance(Duration::from_secs(86_400)).unwrap();
    let execution = account.settled(&arn).await;
    let reason = execution.step("Ask").unwrap().failure_reason.clone().unwrap();
    assert_eq!(
        (execution.status, reason.as_str()),
        (ExecutionStatus::Failed, "ClientError: The callback token expired: no answer came within 7 days.")
    );
}

#[tokio::test]
async fn a_token_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let account = Account::build(Fake::builder().state(folder.path()));
    account.pipeline("p", &asking());
    let (arn, token) = waiting(&account).await;
    engine::close(account.fake).await;
    let account = Account::reopen(Fake::builder().state(folder.path())).await;
    succeed(&account, &token, "0.25", "6").unwrap();
    assert_eq!(account.settled(&arn).await.status, ExecutionStatus::Succeeded);
}

#[tokio::test]
async fn types_that_do_not_run_fail_by_name() {
    let account = Account::new();
    for kind in ["Lambda", "EMR", "ClarifyCheck", "AutoML"] {
        let step = json!({"Version": "2020-12-01", "Steps": [{"Name": "S", "Type": kind, "Arguments": {}}]});
        account.pipeline(kind, &Definition::from_value(step).unwrap());
        let execution = account.settled(&account.start(kind, &[]).unwrap()).await;
        let reason = execution.step("S").unwrap().failure_reason.clone().unwrap();
        assert_eq!(reason, format!("ClientError: this fake does not run steps of type {kind}."));
    }
}
