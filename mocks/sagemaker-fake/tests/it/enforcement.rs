//! IAM enforced: signatures verified, and every call authorised.

mod endpoints;
mod jobs;
mod roles;
mod s3;
mod sagemaker;
mod signatures;

use aws_credential_types::Credentials;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use sagemaker_fake::Fake;
use sagemaker_fake::account::{Scenario, ScenarioPolicies, ScenarioRole, ScenarioUser};
use sagemaker_fake::testing::FakeAws;

use crate::clients::{REGION, sts_as};

pub const BUCKET: &str = "sagemaker-eu-west-1-111122223333";

/// The account of `ready`, with IAM enforced.
pub async fn ready() -> FakeAws {
    start(Scenario::ready()).await
}

pub async fn start(scenario: Scenario) -> FakeAws {
    FakeAws::start_with(Fake::builder().scenario(scenario).enforce_iam(true)).await
}

/// A policy of one statement.
pub fn policy(effect: &str, actions: &[&str], resource: &str) -> String {
    let actions = actions.join("\", \"");
    format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "{effect}", "Action": ["{actions}"], "Resource": "{resource}"}}}}"#
    )
}

/// The account of `ready`, with one user more: `ann`, who may do what these documents say, and nothing else.
pub fn with_ann(documents: &[String]) -> Scenario {
    let mut scenario = Scenario::ready();
    let inline =
        documents.iter().enumerate().map(|(number, text)| (format!("policy-{number}"), text.clone())).collect();
    scenario.users.push(ScenarioUser {
        name: "ann".into(),
        path: "/".into(),
        access_key_id: "AKIAANN0000000000000".into(),
        secret_access_key: "ann's own secret".into(),
        policies: ScenarioPolicies { inline, ..ScenarioPolicies::default() },
    });
    scenario
}

pub fn ann() -> Credentials {
    Credentials::new("AKIAANN0000000000000", "ann's own secret", None, None, "test")
}

/// A role more, with this trust and these documents.
pub fn role(name: &str, trust: &str, documents: &[String]) -> ScenarioRole {
    let inline =
        documents.iter().enumerate().map(|(number, text)| (format!("policy-{number}"), text.clone())).collect();
    ScenarioRole {
        name: name.into(),
        path: "/".into(),
        description: None,
        max_session_duration_seconds: 3600,
        trust: trust.into(),
        policies: ScenarioPolicies { inline, ..ScenarioPolicies::default() },
    }
}

pub fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::111122223333:role/{name}")
}

/// A trust policy that lets these principals in, as JSON.
pub fn trust(principal: &str) -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Principal": {principal}, "Action": "sts:AssumeRole"}}}}"#
    )
}

/// The execution role's policy of `ready` without these actions.
pub fn without(actions: &[&str]) -> Scenario {
    let mut scenario = Scenario::ready();
    for document in scenario.roles[0].policies.inline.values_mut() {
        for action in actions {
            // What is named twice is taken out twice.
            *document = document.replace(&format!("\"{action}\""), "\"none:None\"");
        }
    }
    scenario
}

/// A session of the execution role.
pub async fn session(aws: &FakeAws) -> Credentials {
    let client = sts_as(aws, crate::clients::user());
    let role = client.assume_role().role_arn(crate::clients::ROLE).role_session_name("me");
    let got = role.send().await.unwrap().credentials.unwrap();
    Credentials::new(got.access_key_id, got.secret_access_key, Some(got.session_token), None, "test")
}

pub fn s3_as(aws: &FakeAws, credentials: Credentials) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .credentials_provider(credentials)
        .endpoint_url(aws.endpoint_url())
        .force_path_style(true)
        .retry_config(RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    aws_sdk_s3::Client::from_conf(config)
}
