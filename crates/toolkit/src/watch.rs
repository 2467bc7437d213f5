//! Follows an execution to its end, however long that takes.

use std::time::Duration;

use aws_sdk_sagemaker::Client;
use aws_smithy_async::rt::sleep::AsyncSleep;

use crate::error::Failure;
use crate::execution::Execution;
use crate::progress::Progress;

/// How often an execution is looked at, and how patient we are with AWS.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between two looks.
    pub every: Duration,
    /// The longest pause after calls that were throttled or failed on AWS's side, which doubles from `every`.
    pub longest: Duration,
}

impl Pace {
    /// On AWS: a step takes minutes, and Describe calls are throttled per account.
    pub const AWS: Self = Self { every: Duration::from_secs(5), longest: Duration::from_secs(60) };

    /// Offline: a step takes a fraction of a second, and nobody throttles.
    pub const OFFLINE: Self = Self { every: Duration::from_millis(50), longest: Duration::from_secs(1) };
}

/// Looks at the execution until it has ended, and shows each change.
///
/// There is no limit to how long: an execution has none either, and leaving early would say nothing about it. Whoever
/// has seen enough interrupts; the execution goes on.
///
/// # Errors
/// When a call is refused for good. Throttling and failures on AWS's side are waited out.
pub async fn to_the_end(
    sagemaker: &Client,
    arn: &str,
    pace: Pace,
    sleep: &impl AsyncSleep,
    progress: &mut Progress,
) -> Result<Execution, Failure> {
    let mut pause = pace.every;
    loop {
        match Execution::observe(sagemaker, arn).await {
            Ok(execution) => {
                progress.update(&execution);
                if execution.has_ended() {
                    return Ok(execution);
                }
                pause = pace.every;
            }
            Err(failure) if failure.is_transient() => {
                pause = (pause * 2).min(pace.longest);
                progress.say(&format!("{failure}; looking again in {} s", pause.as_secs_f64()));
            }
            Err(failure) => return Err(failure),
        }
        sleep.sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_sdk_sagemaker::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
    use aws_smithy_async::rt::sleep::Sleep;
    use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
    use aws_smithy_types::body::SdkBody;

    use super::*;

    const ARN: &str = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p/execution/abcdefghijkl";

    /// Does not sleep, and remembers for how long it was asked to.
    #[derive(Debug, Default, Clone)]
    struct Slept(Arc<Mutex<Vec<u64>>>);

    impl AsyncSleep for Slept {
        fn sleep(&self, duration: Duration) -> Sleep {
            self.0.lock().unwrap().push(duration.as_secs());
            Sleep::new(std::future::ready(()))
        }
    }

    /// Watches an execution of which AWS says these things, one after the other.
    async fn watch(answers: &[(u16, &str)]) -> (Result<Execution, Failure>, Vec<u64>, usize) {
        let event = |(status, body): &(u16, &str)| {
            let answer = http::Response::builder().status(*status).body(SdkBody::from(*body)).unwrap();
            ReplayEvent::new(http::Request::new(SdkBody::empty()), answer)
        };
        let http = StaticReplayClient::new(answers.iter().map(event).collect());
        let config = aws_sdk_sagemaker::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new("AKIA", "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(http.clone())
            .build();
        let slept = Slept::default();
        let mut progress = Progress::start();
        let client = Client::from_conf(config);
        let ended = to_the_end(&client, ARN, Pace::AWS, &slept, &mut progress).await;
        let slept = slept.0.lock().unwrap().clone();
        (ended, slept, http.actual_requests().count())
    }

    const THROTTLED: (u16, &str) = (400, r#"{"__type": "ThrottlingException", "message": "Rate exceeded"}"#);
    const EXECUTING: (u16, &str) = (200, r#"{"PipelineExecutionStatus": "Executing"}"#);
    const NO_STEPS: (u16, &str) = (200, r#"{"PipelineExecutionSteps": []}"#);

    #[tokio::test]
    async fn throttling_is_waited_out_and_every_page_is_read() {
        let first = r#"{"PipelineExecutionSteps": [{"StepName": "B", "StartTime": 2.0}], "NextToken": "next"}"#;
        let second = r#"{"PipelineExecutionSteps": [{"StepName": "A", "StartTime": 1.0}]}"#;
        let stopped = (200, r#"{"PipelineExecutionStatus": "Stopped"}"#);
        let broken = (500, r#"{"__type": "InternalFailure"}"#);
        let answers = [THROTTLED, broken, EXECUTING, NO_STEPS, THROTTLED, stopped, (200, first), (200, second)];
        let (ended, slept, calls) = watch(&answers).await;
        let ended = ended.unwrap();
        let names: Vec<_> = ended.steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!((ended.status.as_str(), names), ("Stopped", vec!["A", "B"]));
        // Twice as long each time, and back to the usual pace when it is over.
        assert_eq!((slept, calls), (vec![10, 20, 5, 10], answers.len()));
    }

    #[tokio::test]
    async fn every_end_is_an_end() {
        for status in ["Succeeded", "Failed", "Stopped", "CompletedWithFailures", "SomethingNew"] {
            let described = format!(r#"{{"PipelineExecutionStatus": "{status}"}}"#);
            let (ended, slept, _) = watch(&[(200, &described), NO_STEPS]).await;
            let ended = ended.unwrap();
            assert_eq!((ended.status.as_str(), ended.succeeded()), (status, status == "Succeeded"));
            assert!(slept.is_empty());
        }
    }

    #[tokio::test]
    async fn a_refusal_ends_the_watch() {
        let denied = r#"{"__type": "AccessDeniedException", "message": "User: x is not authorized"}"#;
        let (ended, slept, calls) = watch(&[(400, denied)]).await;
        assert_eq!(ended.unwrap_err().aws_code(), Some("AccessDeniedException"));
        assert_eq!((slept, calls), (vec![], 1));
    }
}
