//! What goes over the wire, where no SDK looks: protocols, errors, requests that no SDK would send.

use sagemaker_fake::testing::FakeAws;
use serde_json::{Value, json};

use crate::clients::{Answer, raw, sagemaker, signed_for};

const JSON: (&str, &str) = ("content-type", "application/x-amz-json-1.1");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

async fn json_call(aws: &FakeAws, target: &str, body: &str) -> Answer {
    let signed = signed_for("sagemaker");
    let headers = [("x-amz-target", target), ("authorization", signed.as_str()), JSON];
    raw(&aws.endpoint_url(), "POST /", &headers, body).await
}

#[tokio::test]
async fn json_errors_are_as_aws_writes_them() {
    let aws = FakeAws::start().await;
    let check = async |target: &str, body: &str, status: u16, expected: Value| {
        let answer = json_call(&aws, target, body).await;
        assert_eq!(
            (answer.status, serde_json::from_str::<Value>(&answer.body).unwrap()),
            (status, expected.clone()),
            "{target} {body}"
        );
        assert_eq!(answer.header("x-amzn-errortype"), expected["__type"].as_str());
        assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.1"));
        assert_eq!(answer.header("x-amzn-requestid").map(str::len), Some(36));
    };
    check(
        "SageMaker.DescribePipeline",
        "{}",
        400,
        json!({"__type": "ValidationException", "message": "1 validation error detected: Value null at 'pipelineName' failed to satisfy \
               constraint: Member must not be null"}),
    )
    .await;
    // The model declares this one, and its member has a capital letter.
    check(
        "SageMaker.DescribePipeline",
        r#"{"PipelineName":"nope","Nonsense":[1]}"#,
        400,
        json!({"__type": "ResourceNotFound", "Message": "Pipeline 'arn:aws:sagemaker:eu-west-1:111122223333:pipeline/nope' does not exist."}),
    )
    .await;
    let serialization = |message: &str| json!({"__type": "SerializationException", "message": message});
    check(
        "SageMaker.DescribePipeline",
        r#"{"PipelineName":1}"#,
        400,
        serialization("NUMBER_VALUE can not be converted to a String"),
    )
    .await;
    check("SageMaker.DescribePipeline", "[]", 400, serialization("The body of the request is not a JSON object")).await;
    let unserved = |name: &str| json!({"__type": "UnknownOperationException", "message": format!("{name} is not served by this fake")});
    check("SageMaker.CreateDomain", "{}", 400, unserved("SageMaker.CreateDomain")).await;
    check("Logs_20140328.StartQuery", "{}", 400, unserved("Logs.StartQuery")).await;
    check("DynamoDB_20120810.ListTables", "{}", 400, unserved("DynamoDB_20120810.ListTables")).await;

    let answer = json_call(&aws, "SageMaker.ListPipelines", "{nonsense").await;
    assert!(answer.status == 400 && answer.body.contains("SerializationException"), "{answer:?}");
    let answer = json_call(&aws, "SageMaker.ListPipelines", "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"PipelineSummaries":[]}"#));
}

#[tokio::test]
async fn requests_that_are_not_signed_are_refused_per_protocol() {
    let aws = FakeAws::start().await;
    let url = aws.endpoint_url();
    let check = |answer: Answer, status: u16, parts: &[&str]| {
        assert!(answer.status == status && parts.iter().all(|part| answer.body.contains(part)), "{answer:?}");
    };
    let target = ("x-amz-target", "SageMaker.ListPipelines");
    check(
        raw(&url, "POST /", &[target, JSON], "{}").await,
        400,
        &["MissingAuthenticationTokenException", "Missing Authentication Token"],
    );
    let malformed = ("authorization", "Bearer x");
    check(raw(&url, "POST /", &[target, JSON, malformed], "{}").await, 400, &["IncompleteSignatureException"]);
    let form = "Action=GetCallerIdentity&Version=2011-06-15";
    let missing =
        ["<Code>MissingAuthenticationToken</Code>", "<Message>Request is missing Authentication Token</Message>"];
    check(raw(&url, "POST /", &[FORM], form).await, 403, &missing);
    let calls = aws.calls();
    assert_eq!(calls.len(), 3);
    assert_eq!(calls[2].error.as_deref(), Some("MissingAuthenticationToken"));
    assert_eq!(calls[2].caller, "");
}

#[tokio::test]
async fn query_answers_and_errors_are_xml() {
    let aws = FakeAws::start().await;
    let url = aws.endpoint_url();
    let check = async |service: &str, body: &str, status: u16, parts: &[&str]| {
        let signed = signed_for(service);
        let answer = raw(&url, "POST /", &[FORM, ("authorization", &signed)], body).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("text/xml"));
        for part in parts {
            assert!(answer.body.contains(part), "{part} is not in {}", answer.body);
        }
    };
    let sts = "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"";
    let arn = "<Arn>arn:aws:iam::111122223333:user/sts-developer</Arn>";
    let who = ["<GetCallerIdentityResponse", sts, "<GetCallerIdentityResult>", arn, "<ResponseMetadata><RequestId>"];
    check("sts", "Action=GetCallerIdentity&Version=2011-06-15", 200, &who).await;
    let error = ["<ErrorResponse", sts, "<Type>Sender</Type>", "<Code>InvalidAction</Code>", "</Error><RequestId>"];
    check("sts", "Action=Guess&Version=2011-06-15", 400, &error).await;
    check("sts", "Version=2011-06-15", 400, &["<Code>MissingAction</Code>"]).await;
    let nobody = ["<Code>NoSuchEntity</Code>", "<Message>The role with name nobody cannot be found.</Message>"];
    check("iam", "Action=GetRole&RoleName=nobody&Version=2010-05-08", 404, &nobody).await;
    let role = [
        "xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"",
        "<GetRoleResult><Role><Path>/</Path><RoleName>sts-execution</RoleName><RoleId>AROA",
        "<Arn>arn:aws:iam::111122223333:role/sts-execution</Arn>",
        "<AssumeRolePolicyDocument>%7B%0A%20%20%22Version%22%3A%20%222012-10-17%22%2C",
        "<MaxSessionDuration>3600</MaxSessionDuration>",
    ];
    check("iam", "Action=GetRole&RoleName=sts-execution&Version=2010-05-08", 200, &role).await;
    check(
        "iam",
        "Action=ListRoles&Version=2010-05-08",
        200,
        &["<Roles><member><Path>/</Path>", "<IsTruncated>false</IsTruncated>"],
    )
    .await;
    check("iam", "Action=GetRole&Version=2010-05-08", 400, &["<Code>ValidationError</Code>", "at 'roleName'"]).await;
    check(
        "iam",
        "Action=CreateGroup&Version=2010-05-08",
        400,
        &["Could not find operation CreateGroup for version 2010-05-08"],
    )
    .await;
}

/// A service that the fake does not have answers with an error that its clients can read, whatever its protocol.
#[tokio::test]
async fn services_that_are_not_served_say_so() {
    let aws = FakeAws::start().await;
    for (line, service) in
        [("POST /service/S/operation/ListStreams", "kinesis"), ("POST /endpoints/e/async-invocations", "sagemaker")]
    {
        let signed = signed_for(service);
        let answer = raw(&aws.endpoint_url(), line, &[("authorization", &signed)], "x").await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.header("x-amzn-errortype"), Some("UnknownOperationException"));
    }
}

/// An answer that AWS could not have given fails the test that caused it, by name.
#[tokio::test]
async fn answers_are_checked_against_the_model() {
    let aws = FakeAws::start().await;
    let arn = "arn:aws:sagemaker:eu-west-1:111122223333:model/m";
    let model = sagemaker_fake::sagemaker::model::Model {
        region: "eu-west-1".into(),
        name: "m".into(),
        arn: arn.into(),
        details: serde_json::Map::from_iter([("Color".to_owned(), json!("red"))]),
        created: aws.fake().clock.now(),
    };
    aws.fake().store.write(|change| change.put(&model)).unwrap();
    let answer = json_call(&aws, "SageMaker.DescribeModel", r#"{"ModelName":"m"}"#).await;
    assert_eq!(answer.status, 500);
    assert!(answer.body.contains("DescribeModel.Color is unknown"), "{}", answer.body);
}

#[tokio::test]
async fn the_fake_answers_about_itself() {
    let aws = FakeAws::start().await;
    sagemaker(&aws).list_models().send().await.unwrap();
    let url = aws.endpoint_url();
    let calls: Value = serde_json::from_str(&raw(&url, "GET /_stsmm/calls", &[], "").await.body).unwrap();
    assert_eq!(calls[0]["operation"], "ListModels");
    let state: Value = serde_json::from_str(&raw(&url, "GET /_stsmm/state", &[], "").await.body).unwrap();
    assert_eq!(state, aws.export());
    let coverage: Value = serde_json::from_str(&raw(&url, "GET /_stsmm/coverage", &[], "").await.body).unwrap();
    let row = coverage["served"].as_array().unwrap().iter().find(|row| row["operation"] == "ListModels").unwrap();
    assert_eq!(row["calls"], json!({"answered": 1, "refused": 0, "failed": 0}));
    assert_eq!((row["service"].as_str(), row["fidelity"].as_str()), (Some("sagemaker"), Some("real")));
    assert_eq!(raw(&url, "GET /_stsmm/nothing", &[], "").await.status, 404);
    for path in ["/_stsmm", "/_stsmm/", "/_stsmm//clock"] {
        assert_eq!(raw(&url, &format!("GET {path}"), &[], "").await.status, 200, "{path}");
    }
    // A bucket's name, if no bucket's: not the fake's own.
    assert_eq!(raw(&url, "GET /_stsmm-bucket", &[], "").await.header("server"), Some("AmazonS3"));
}

/// A page that somebody looks at may send a request to this machine without asking.
#[tokio::test]
async fn pages_of_other_sites_do_not_steer_the_account() {
    let aws = FakeAws::start().await;
    sagemaker(&aws).list_models().send().await.unwrap();
    for (origin, status) in
        [("https://example.com", 403), ("null", 403), ("http://localhost.example.com", 403), ("http://localhost", 200)]
    {
        for request in ["POST /_stsmm/clock/advance?seconds=1", "GET /_stsmm/state"] {
            let answer = raw(&aws.endpoint_url(), request, &[("origin", origin)], "").await;
            assert_eq!(answer.status, status, "{request} {origin}: {answer:?}");
        }
    }
}
