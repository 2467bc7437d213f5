//! Single calls, with the SDK's own doubles in place of the network.

mod config;
mod dry;
mod errors;
mod identity;
mod logs;
mod offline;

use std::collections::HashMap;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_credential_types::Credentials;
use aws_smithy_http_client::test_util::{ReplayEvent, StaticReplayClient};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::body::SdkBody;

use super::config::{Target, load};
use crate::settings::{Settings, Sources};

const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/sts";
const USER: &str = "arn:aws:iam::111122223333:user/me";

/// Settings of this environment and nothing else.
fn settings(environment: &[(&str, &str)]) -> Settings {
    let environment: HashMap<_, _> =
        environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Settings::resolve(&Sources { environment, ..Sources::default() }).unwrap()
}

/// A configuration that answers with this client, and hardly waits between attempts.
async fn config(http: SharedHttpClient) -> SdkConfig {
    let keys = Credentials::new("AKIACALLER", "caller-secret", None, None, "Test");
    let target = Target::Fake { url: "http://127.0.0.1:1", keys: Some(keys) };
    impatient(load(&settings(&[]), target, http).await)
}

/// The same, with a millisecond between two attempts.
fn impatient(config: SdkConfig) -> SdkConfig {
    let attempts = config.retry_config().unwrap().max_attempts();
    let pause = Duration::from_millis(1);
    let retry = RetryConfig::standard().with_max_attempts(attempts).with_initial_backoff(pause).with_max_backoff(pause);
    config.into_builder().retry_config(retry).build()
}

/// Answers one request after the other; what was asked is looked at afterwards.
fn replay(answers: impl IntoIterator<Item = (u16, String)>) -> StaticReplayClient {
    let event = |(status, body): (u16, String)| {
        let answer = http::Response::builder()
            .status(status)
            .header("x-amzn-requestid", "request-1")
            .body(SdkBody::from(body))
            .unwrap();
        ReplayEvent::new(http::Request::new(SdkBody::empty()), answer)
    };
    StaticReplayClient::new(answers.into_iter().map(event).collect())
}

/// The bodies that were sent.
fn bodies(client: &StaticReplayClient) -> Vec<String> {
    client
        .actual_requests()
        .map(|request| String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap())
        .collect()
}

fn caller_is(arn: &str) -> (u16, String) {
    let body = format!(
        "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{arn}</Arn><UserId>AIDA</UserId><Account>111122223333</Account>\
         </GetCallerIdentityResult></GetCallerIdentityResponse>"
    );
    (200, body)
}

fn sts_refuses(status: u16, code: &str, message: &str) -> (u16, String) {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    );
    (status, body)
}
