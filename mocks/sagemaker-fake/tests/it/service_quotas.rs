//! Service Quotas over the wire.

use sagemaker_fake::Fake;
use sagemaker_fake::account::Scenario;
use sagemaker_fake::testing::FakeAws;
use serde_json::{Value, json};

use crate::clients::{raw, signed_for};

const TRAINING: &str = "L-CCE2AFA6";

async fn start() -> FakeAws {
    let mut scenario = Scenario::ready();
    scenario.quotas.insert("ml.m5.xlarge for training job usage".to_owned(), 0.0);
    FakeAws::start_with(Fake::builder().scenario(scenario)).await
}

async fn ask(aws: &FakeAws, operation: &str, input: Value) -> (u16, Value) {
    let (target, signed) = (format!("ServiceQuotasV20190624.{operation}"), signed_for("servicequotas"));
    let headers = [
        ("x-amz-target", target.as_str()),
        ("authorization", signed.as_str()),
        ("content-type", "application/x-amz-json-1.1"),
    ];
    let answer = raw(&aws.endpoint_url(), "POST /", &headers, &input.to_string()).await;
    (answer.status, serde_json::from_str(&answer.body).unwrap())
}

#[tokio::test]
async fn a_quota_has_a_value_here_and_a_default() {
    let aws = start().await;
    let check = async |operation: &str, value: f64, arn: &str| {
        let (status, answer) = ask(&aws, operation, json!({"ServiceCode": "sagemaker", "QuotaCode": TRAINING})).await;
        let quota = &answer["Quota"];
        assert_eq!((status, &quota["Value"], &quota["QuotaArn"]), (200, &json!(value), &json!(arn)), "{answer}");
        assert_eq!(quota["QuotaName"], "ml.m5.xlarge for training job usage");
    };
    let account = "arn:aws:servicequotas:eu-west-1:111122223333:sagemaker/L-CCE2AFA6";
    check("GetServiceQuota", 0.0, account).await;
    check("GetAWSDefaultServiceQuota", 4.0, "arn:aws:servicequotas:eu-west-1::sagemaker/L-CCE2AFA6").await;
}

#[tokio::test]
async fn quotas_come_in_pages() {
    let aws = start().await;
    let mut input = json!({"ServiceCode": "sagemaker", "MaxResults": 3});
    let (mut names, mut pages) = (Vec::new(), 0);
    loop {
        let (status, answer) = ask(&aws, "ListServiceQuotas", input.clone()).await;
        assert_eq!(status, 200, "{answer}");
        pages += 1;
        for quota in answer["Quotas"].as_array().unwrap() {
            names.push((quota["QuotaName"].as_str().unwrap().to_owned(), quota["Value"].as_f64().unwrap()));
        }
        match answer.get("NextToken") {
            Some(token) => input["NextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!((names.len(), pages), (7, 3));
    assert!(names.contains(&("ml.m5.xlarge for training job usage".to_owned(), 0.0)));
    assert!(names.contains(&("Number of instances across all processing jobs".to_owned(), 4.0)));
    let (_, defaults) = ask(&aws, "ListAWSDefaultServiceQuotas", json!({"ServiceCode": "sagemaker"})).await;
    assert!(defaults["Quotas"].as_array().unwrap().iter().all(|quota| quota["Value"] == 4.0), "{defaults}");
    let one = json!({"ServiceCode": "sagemaker", "QuotaCode": TRAINING});
    assert_eq!(ask(&aws, "ListServiceQuotas", one).await.1["Quotas"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_has_no_quota_is_refused() {
    let aws = start().await;
    let check = async |operation: &str, input: Value, code: &str, message: &str| {
        let (status, answer) = ask(&aws, operation, input).await;
        let said = answer.get("Message").or(answer.get("message")).unwrap();
        assert_eq!((status, &answer["__type"], said), (400, &json!(code), &json!(message)));
    };
    let (missing, service) =
        ("NoSuchResourceException", "The request failed because the specified service does not exist.");
    check("ListServiceQuotas", json!({"ServiceCode": "SageMaker"}), missing, service).await;
    let quota = "The request failed because the specified service quota does not exist.";
    check("GetServiceQuota", json!({"ServiceCode": "sagemaker", "QuotaCode": "L-0"}), missing, quota).await;
    let guessed = json!({"ServiceCode": "sagemaker", "NextToken": "Z3Vlc3M="});
    check("ListServiceQuotas", guessed, "InvalidPaginationTokenException", "Invalid NextToken").await;
}
