//! Who may not be whom they say they are, in the words of each protocol.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use sagemaker_fake::account::Scenario;
use sagemaker_fake::iam::Role;
use sagemaker_fake::store::Records;
use sagemaker_fake::sts::session::{NewSession, issue};
use sagemaker_fake::testing::FakeAws;

use super::{BUCKET, ready, s3_as, session, start};
use crate::clients::{REGION, raw, sagemaker_as, said, signed_for, sts_as, user};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// What SageMaker, AWS STS and S3 say to these credentials.
async fn check(aws: &FakeAws, who: Credentials, sagemaker: [&str; 2], sts: [&str; 2], s3: [&str; 2]) {
    let pair = |(code, message): (String, String)| [code, message];
    let answer = sagemaker_as(aws, who.clone(), REGION).list_pipelines().send().await;
    assert_eq!(pair(said(answer)), sagemaker);
    assert_eq!(pair(said(sts_as(aws, who.clone()).get_caller_identity().send().await)), sts);
    assert_eq!(pair(said(s3_as(aws, who).list_buckets().send().await)), s3);
}

const INVALID: &str = "The security token included in the request is invalid.";

#[tokio::test]
async fn a_key_that_nobody_issued_is_nobodys() {
    let aws = ready().await;
    check(
        &aws,
        Credentials::new("testing", "testing", None, None, "test"),
        ["UnrecognizedClientException", INVALID],
        ["InvalidClientTokenId", INVALID],
        ["InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."],
    )
    .await;
    let token = Some("of some other account".to_owned());
    check(
        &aws,
        Credentials::new("ASIAOTHER", "x", token, None, "test"),
        ["UnrecognizedClientException", INVALID],
        ["InvalidClientTokenId", INVALID],
        ["InvalidToken", "The provided token is malformed or otherwise invalid."],
    )
    .await;
}

#[tokio::test]
async fn a_wrong_secret_signs_nothing() {
    let mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
                    and signing method. Consult the service documentation for details.";
    let s3 = "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
    check(
        &ready().await,
        Credentials::new("AKIAIOSFODNN7EXAMPLE", "guess", None, None, "test"),
        ["InvalidSignatureException", mismatch],
        ["SignatureDoesNotMatch", mismatch],
        ["SignatureDoesNotMatch", s3],
    )
    .await;
}

#[tokio::test]
async fn a_session_that_has_ended_is_told_so() {
    let aws = ready().await;
    let role = aws.fake().store.read(|view| view.get::<Role>("sts-execution")).unwrap().unwrap();
    let ended = SystemTime::now() - Duration::from_secs(1);
    let session = issue(aws.fake(), NewSession::of_role(aws.fake(), &role, "me", Default::default(), ended));
    let expired = "The security token included in the request is expired";
    check(
        &aws,
        Credentials::new(session.access_key_id, session.secret_access_key, Some(session.token), None, "test"),
        ["ExpiredTokenException", expired],
        ["ExpiredToken", expired],
        ["ExpiredToken", "The provided token has expired."],
    )
    .await;
}

/// The sentence names three times: the client's, the earliest or latest one allowed, and the account's own.
#[tokio::test]
async fn a_clock_that_is_off_is_told_by_how_much() {
    let cases = [
        (3600, "Signature expired: ", " is now earlier than ", " - 5 min.)", " - 15 min.)"),
        (-3600, "Signature not yet current: ", " is still later than ", " + 5 min.)", " + 15 min.)"),
    ];
    for (skew, begins, middle, json, query) in cases {
        let mut scenario = Scenario::ready();
        scenario.client.clock_skew = skew;
        let aws = start(scenario).await;
        let (code, message) = said(once_sagemaker(&aws).list_pipelines().send().await);
        assert_eq!(code, "InvalidSignatureException");
        assert!(message.starts_with(begins) && message.contains(middle) && message.ends_with(json), "{message}");
        let (code, message) = said(once_sts(&aws).get_caller_identity().send().await);
        assert_eq!(code, "SignatureDoesNotMatch");
        assert!(message.starts_with(begins) && message.contains(middle) && message.ends_with(query), "{message}");
        let (code, message) = said(s3_as(&aws, user()).list_buckets().send().await);
        assert_eq!(code, "RequestTimeTooSkewed");
        assert_eq!(message, "The difference between the request time and the current time is too large.");
    }
}

/// Ten minutes: too much for SageMaker, and nothing that AWS STS minds.
#[tokio::test]
async fn services_differ_in_what_they_forgive() {
    let mut scenario = Scenario::ready();
    scenario.client.clock_skew = 600;
    let aws = start(scenario).await;
    assert!(once_sts(&aws).get_caller_identity().send().await.is_ok());
    let (code, _) = said(once_sagemaker(&aws).list_pipelines().send().await);
    assert_eq!(code, "InvalidSignatureException");
    // A client that tries again sets its clock by the answer, as the SDK does.
    let (code, _) = said(sagemaker_as(&aws, user(), REGION).list_pipelines().send().await);
    assert_eq!(code, "AccessDeniedException");
}

/// A client that does not try again, and so does not correct its clock.
fn once_sagemaker(aws: &FakeAws) -> aws_sdk_sagemaker::Client {
    let config = sagemaker_as(aws, user(), REGION).config().to_builder();
    let retries = aws_sdk_sagemaker::config::retry::RetryConfig::disabled();
    aws_sdk_sagemaker::Client::from_conf(config.retry_config(retries).build())
}

fn once_sts(aws: &FakeAws) -> aws_sdk_sts::Client {
    let config = sts_as(aws, user()).config().to_builder();
    let retries = aws_sdk_sts::config::retry::RetryConfig::disabled();
    aws_sdk_sts::Client::from_conf(config.retry_config(retries).build())
}

/// The clock that an answer shows is the one that signatures are judged by.
#[tokio::test]
async fn answers_are_dated_by_the_clock_of_the_account() {
    let now = SystemTime::now() + Duration::from_secs(7200);
    let mut scenario = Scenario::ready();
    scenario.client.clock_skew = 7200;
    let aws = start(scenario).await;
    let authorization = signed_for("sagemaker");
    let headers = [("x-amz-target", "SageMaker.ListPipelines"), ("authorization", authorization.as_str())];
    let answer = raw(&aws.endpoint_url(), "POST /", &headers, "{}").await;
    let date = answer.header("date").unwrap();
    let format = time::format_description::well_known::Rfc2822;
    let shown: SystemTime = time::OffsetDateTime::parse(&date.replace("GMT", "+0000"), &format).unwrap().into();
    assert!(shown.duration_since(now).unwrap_or_else(|error| error.duration()) < Duration::from_secs(60), "{date}");
}

#[tokio::test]
async fn a_signature_that_lacks_something_is_incomplete() {
    let aws = ready().await;
    let target = ("x-amz-target", "SageMaker.ListPipelines");
    let whole = signed_for("sagemaker");
    let check = async |authorization: Option<&str>, code: &str| {
        let headers: Vec<_> = [target].into_iter().chain(authorization.map(|it| ("authorization", it))).collect();
        let answer = raw(&aws.endpoint_url(), "POST /", &headers, "{}").await;
        assert!(answer.body.contains(code), "{authorization:?} {answer:?}");
    };
    check(None, "MissingAuthenticationTokenException").await;
    check(Some("AWS4-HMAC-SHA256 Signature=0"), "IncompleteSignatureException").await;
    // It has no date.
    check(Some(&whole), "IncompleteSignatureException").await;
}

#[tokio::test]
async fn sessions_sign_with_a_secret_of_their_own() {
    let aws = ready().await;
    let credentials = session(&aws).await;
    assert!(sagemaker_as(&aws, credentials.clone(), REGION).list_endpoints().send().await.is_ok());
    let stolen = Credentials::new(
        credentials.access_key_id(),
        SECRET,
        credentials.session_token().map(str::to_owned),
        None,
        "test",
    );
    let (code, _) = said(sagemaker_as(&aws, stolen, REGION).list_pipelines().send().await);
    assert_eq!(code, "InvalidSignatureException");
}

/// Bodies of every kind that the SDK signs, and presigned addresses.
#[tokio::test]
async fn s3_takes_what_is_signed_in_any_of_its_ways() {
    let aws = ready().await;
    let s3 = s3_as(&aws, session(&aws).await);
    let location = aws_sdk_s3::types::CreateBucketConfiguration::builder()
        .location_constraint(aws_sdk_s3::types::BucketLocationConstraint::EuWest1)
        .build();
    s3.create_bucket().bucket(BUCKET).create_bucket_configuration(location).send().await.unwrap();
    for key in ["plain", "with space+plus", "é/ß", "a=b&c?d"] {
        let content = ByteStream::from_static(b"content");
        s3.put_object().bucket(BUCKET).key(key).body(content).send().await.unwrap();
        s3.get_object().bucket(BUCKET).key(key).send().await.unwrap();
        // Presigned, and with something changed.
        let soon = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
        let signed = s3.get_object().bucket(BUCKET).key(key).presigned(soon).await.unwrap();
        let path = signed.uri().strip_prefix(&aws.endpoint_url()).unwrap();
        let host = aws.endpoint_url().replace("http://", "");
        let answer = request(&aws, path, &host).await;
        assert!(answer.ends_with("content"), "{key}: {answer}");
        let other = path.replacen("/sagemaker-eu-west-1-111122223333/", "/sagemaker-eu-west-1-111122223333/x", 1);
        let answer = request(&aws, &other, &host).await;
        assert!(answer.contains("<Code>SignatureDoesNotMatch</Code>"), "{answer}");
    }
    s3.list_objects_v2().bucket(BUCKET).prefix("with space+").delimiter("/").send().await.unwrap();
    let old =
        "/sagemaker-eu-west-1-111122223333/plain?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=x&Expires=9999999999";
    let answer = request(&aws, old, "localhost").await;
    assert!(answer.contains("Please use AWS4-HMAC-SHA256."), "{answer}");
}

/// A GET for this host, and all of the answer.
async fn request(aws: &FakeAws, path: &str, host: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let url = aws.endpoint_url();
    let mut stream = tokio::net::TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn whoever_opens_the_state_next_enforces_too() {
    let state = tempfile::tempdir().unwrap();
    let open = |enforce| sagemaker_fake::Fake::builder().state(state.path()).enforce_iam(enforce).build().unwrap();
    assert!(!open(false).enforces_iam());
    assert!(open(true).enforces_iam());
    assert!(open(false).enforces_iam());
}
