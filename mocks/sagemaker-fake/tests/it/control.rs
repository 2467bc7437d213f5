//! The control API: what it answers, and how it steers.

mod pace;
mod page;
mod replace;
mod transfer;
mod verbs;

use http::Method;
use sagemaker_fake::doors::control;
use sagemaker_fake::testing::FakeAws;
use serde_json::{Value, json};

use crate::clients::sagemaker;

/// Asks without holding up whoever answers.
pub async fn ask(url: &str, method: Method, what: &str) -> Result<Value, String> {
    let (url, what) = (url.to_owned(), what.to_owned());
    let asked = tokio::task::spawn_blocking(move || control::ask(&url, &method, &what));
    asked.await.unwrap().map_err(|error| error.to_string())
}

pub async fn get(aws: &FakeAws, what: &str) -> Result<Value, String> {
    ask(&aws.endpoint_url(), Method::GET, what).await
}

pub async fn post(aws: &FakeAws, what: &str) -> Result<Value, String> {
    ask(&aws.endpoint_url(), Method::POST, what).await
}

#[tokio::test]
async fn what_is_not_served_is_told_with_what_is() {
    let aws = FakeAws::start().await;
    let said = post(&aws, "calls").await.unwrap_err();
    assert!(said.contains("404: POST /_stsmm/calls is not served; there are: GET|POST state, "), "{said}");
}

#[tokio::test]
async fn calls_are_chosen() {
    let aws = FakeAws::start().await;
    let client = sagemaker(&aws);
    client.list_pipelines().send().await.unwrap();
    client.list_models().send().await.unwrap();
    let at = aws.calls()[1].time.0;
    let count = async |query: &str| get(&aws, &format!("calls?{query}")).await.unwrap().as_array().unwrap().len();
    assert_eq!(count("").await, 2);
    assert_eq!(count("service=sagemaker&operation=ListModels").await, 1);
    assert_eq!(count("service=s3").await, 0);
    assert_eq!(count("limit=1").await, 1);
    assert_eq!(get(&aws, "calls?limit=1").await.unwrap()[0]["operation"], "ListModels");
    assert_eq!(count(&format!("since={}", at / 1000 + 1)).await, 0);
    assert_eq!(count("since=0").await, 2);
    let said = get(&aws, "calls?sevice=s3").await.unwrap_err();
    assert!(said.ends_with("`sevice` is no parameter of this; there are: service, operation, since, limit"), "{said}");
    let said = get(&aws, "calls?limit=few").await.unwrap_err();
    assert!(said.ends_with("`limit` must be a whole number"), "{said}");
}

#[tokio::test]
async fn no_secret_is_among_the_calls() {
    let aws = FakeAws::start().await;
    let role = "arn:aws:iam::111122223333:role/sts-execution";
    let sts = crate::clients::sts_as(&aws, crate::clients::user());
    let session = sts.assume_role().role_arn(role).role_session_name("session").send().await.unwrap();
    let keys = session.credentials().unwrap();
    let calls = get(&aws, "calls").await.unwrap().to_string();
    assert!(calls.contains("AssumeRole"));
    assert!(!calls.contains(keys.secret_access_key()) && !calls.contains(keys.session_token()));
}

#[tokio::test]
async fn a_scenario_is_told_and_changed() {
    let aws = FakeAws::start().await;
    let shown = get(&aws, "scenario").await.unwrap();
    assert_eq!((&shown["scenario"], &shown["enforces_iam"]), (&json!("ready"), &json!(false)));
    let said = post(&aws, "scenario/scp-denys").await.unwrap_err();
    assert!(
        said.contains("400: there is no scenario `scp-denys`; did you mean `scp-denies`? there are: ready, "),
        "{said}"
    );
    assert!(!aws.fake().enforces_iam());

    let shown = post(&aws, "scenario/scp-denies").await.unwrap();
    assert_eq!((&shown["scenario"], &shown["enforces_iam"]), (&json!("scp-denies"), &json!(true)));
    assert!(!aws.fake().scenario().service_control_policies.is_empty());
    let shown = post(&aws, "scenario/ready").await.unwrap();
    assert_eq!(shown["enforces_iam"], json!(false));
}
