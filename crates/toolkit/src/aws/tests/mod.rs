//! Single calls, with the SDK's own doubles in place of the network.

mod config;
mod dry;
mod errors;
mod identity;
mod logs;

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_smithy_async::rt::sleep::{AsyncSleep, Sleep};
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

/// A configuration that answers with this client, and waits for nothing.
async fn config(http: SharedHttpClient) -> SdkConfig {
    let keys = Credentials::new("AKIACALLER", "caller-secret", None, None, "Test");
    let target = Target::Fake { url: "http://127.0.0.1:1", keys };
    load(&settings(&[]), target, http).await.into_builder().sleep_impl(NoSleep).build()
}

#[derive(Debug, Clone)]
struct NoSleep;

impl AsyncSleep for NoSleep {
    fn sleep(&self, _: std::time::Duration) -> Sleep {
        Sleep::new(async {})
    }
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
