//! The signed client: the protocol, the pages, the retries.

use aws_smithy_runtime::test_util::capture_test_logs::capture_test_logs;
use serde_json::{Value, json};

use super::*;
use crate::aws::logs::Event;
use crate::aws::{Clients, Mode};

async fn logs(answers: impl IntoIterator<Item = (u16, Value)>) -> (StaticReplayClient, crate::aws::logs::Client) {
    let http = replay(answers.into_iter().map(|(status, body)| (status, body.to_string())));
    let clients = Clients::new(&config(SharedHttpClient::new(http.clone())).await, Mode::Live);
    (http, clients.logs)
}

fn sent(http: &StaticReplayClient) -> Vec<Value> {
    bodies(http).iter().map(|body| serde_json::from_str(body).unwrap()).collect()
}

#[tokio::test]
async fn streams_are_read_over_all_pages() {
    let stream = |name: &str| json!({"logStreamName": name});
    let pages = [
        (200, json!({"logStreams": [stream("job/algo-1"), stream("job/algo-2")], "nextToken": "n"})),
        (200, json!({"logStreams": [stream("job/algo-3")]})),
    ];
    let (http, logs) = logs(pages).await;
    assert_eq!(
        logs.streams("/aws/sagemaker/TrainingJobs", "job/").await.unwrap(),
        ["job/algo-1", "job/algo-2", "job/algo-3"]
    );
    let asked = json!({"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamNamePrefix": "job/"});
    let mut next = asked.clone();
    next["nextToken"] = json!("n");
    assert_eq!(sent(&http), [asked, next]);
    let request = http.actual_requests().next().unwrap();
    assert_eq!(request.headers().get("x-amz-target"), Some("Logs_20140328.DescribeLogStreams"));
    assert_eq!(request.headers().get("content-type"), Some("application/x-amz-json-1.1"));
    let signature = request.headers().get("authorization").unwrap();
    assert!(signature.starts_with("AWS4-HMAC-SHA256 Credential=AKIACALLER/"), "{signature}");
    assert!(signature.contains("/eu-west-1/logs/aws4_request"), "{signature}");
}

#[tokio::test]
async fn a_page_has_events_and_a_token() {
    let answer = json!({
        "events": [{"timestamp": 1, "message": "one\n"}, {"timestamp": 2, "message": "  two"}],
        "nextForwardToken": "f/1", "nextBackwardToken": "b/1",
    });
    let (http, logs) = logs([(200, answer)]).await;
    let page = logs.events("g", "s", Some("f/0")).await.unwrap();
    let event = |timestamp, message: &str| Event { timestamp, message: message.to_owned() };
    assert_eq!(page.events, [event(1, "one"), event(2, "  two")]);
    assert_eq!(page.next.as_deref(), Some("f/1"));
    assert_eq!(
        sent(&http),
        [json!({"logGroupName": "g", "logStreamName": "s", "startFromHead": true, "nextToken": "f/0"})]
    );
}

#[tokio::test]
async fn an_absent_group_has_no_streams_and_other_refusals_are_told() {
    let refused = |code: &str| (400, json!({"__type": code, "message": "said"}));
    let (_, client) = logs([refused("ResourceNotFoundException")]).await;
    assert_eq!(client.streams("g", "s").await.unwrap(), [""; 0]);
    let (_, client) = logs([refused("com.amazonaws.logs#AccessDeniedException")]).await;
    let failure = client.streams("g", "s").await.unwrap_err();
    assert_eq!(failure.to_string(), "DescribeLogStreams was refused: AccessDeniedException: said");
    assert_eq!(failure.aws_code(), Some("AccessDeniedException"));
}

#[tokio::test]
async fn throttling_and_failures_of_the_server_are_retried() {
    let (_guard, log) = capture_test_logs();
    let answers = [
        (400, json!({"__type": "ThrottlingException", "message": "Rate exceeded"})),
        (503, json!({"__type": "ServiceUnavailableException"})),
        (200, json!({"events": []})),
    ];
    let (http, logs) = logs(answers).await;
    logs.events("g", "s", None).await.unwrap();
    assert_eq!(http.actual_requests().count(), 3);
    let log = log.contents();
    assert!(log.contains("retry"), "the SDK's own machinery does it, and says so");
    assert!(!log.contains("caller-secret"), "a secret is in the log");
}
