//! The handle that tests in Rust have of an account: one URL, overlays, snapshots.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use sagemaker_fake::Fake;
use sagemaker_fake::clock::{Clock, Timestamp};
use sagemaker_fake::faults::{CallFault, JobFault};
use sagemaker_fake::jobs::Kind;
use sagemaker_fake::testing::FakeAws;
use serde_json::json;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, ResponseTemplate};

use crate::account::{BUCKET, patiently, programs, training_job};
use crate::clients::{raw, sagemaker, said, signed_for};
use crate::hosting::Stage;
use crate::s3::client as s3;

#[tokio::test]
async fn an_answer_of_the_tests_own_comes_first_and_the_fakes_after_it() {
    let aws = FakeAws::start().await;
    let throttled =
        ResponseTemplate::new(400).set_body_string(r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#);
    let mock = Mock::given(header("x-amz-target", "SageMaker.ListPipelines")).respond_with(throttled);
    aws.on_top(mock).await;
    let client = sagemaker(&aws);
    assert_eq!(said(client.list_pipelines().send().await).0, "ThrottlingException");
    client.list_models().send().await.unwrap();
    // What a mock answers never reached the fake.
    assert!(aws.calls_of("ListPipelines").is_empty());
    assert_eq!(aws.calls_of("ListModels").len(), 1);
}

#[tokio::test]
async fn overlays_are_for_s3_and_for_models_too() {
    let stage = Stage::new().await;
    let s3 = s3(&stage.aws.endpoint_url(), "AKIAIOSFODNN7EXAMPLE", "eu-west-1");
    let odd = ResponseTemplate::new(200).set_body_string("odd");
    stage.aws.on_top(Mock::given(method("GET")).and(path("/sts-bucket/key")).respond_with(odd).up_to_n_times(1)).await;
    let body = ByteStream::from_static(b"even");
    s3.put_object().bucket(BUCKET).key("key").body(body).send().await.unwrap();
    for expected in ["odd", "even"] {
        let object = s3.get_object().bucket(BUCKET).key("key").send().await.unwrap();
        assert_eq!(object.body.collect().await.unwrap().to_vec(), expected.as_bytes());
    }
    let odd = ResponseTemplate::new(200).set_body_string("1,0.99");
    stage.aws.on_top(Mock::given(path("/endpoints/none/invocations")).respond_with(odd)).await;
    let headers = [("authorization", &*signed_for("sagemaker"))];
    let invoked = raw(&stage.aws.endpoint_url(), "POST /endpoints/none/invocations", &headers, "x").await;
    assert_eq!(invoked.body, "1,0.99");
}

#[tokio::test]
async fn a_snapshot_goes_on_as_often_as_anybody_likes() {
    let now = Timestamp(1_790_000_000_000);
    let stage = Stage::with(Fake::builder().clock(Clock::frozen(now))).await;
    stage.endpoint("sts", "good", None).await;
    stage.aws.advance(Duration::from_secs(3600));
    let snapshot = stage.aws.snapshot();
    let before = stage.aws.export();
    stage.client.delete_endpoint().endpoint_name("sts").send().await.unwrap();
    for _ in 0..2 {
        let other = FakeAws::start_from(&snapshot).await;
        assert_eq!(other.export(), before);
        assert_eq!(other.fake().clock.now(), now.after(Duration::from_secs(3600)));
        // Objects have their contents, and the endpoint answers.
        let s3 = s3(&other.endpoint_url(), "AKIAIOSFODNN7EXAMPLE", "eu-west-1");
        let object = s3.get_object().bucket(BUCKET).key("model.tar.gz").send().await.unwrap();
        assert!(!object.body.collect().await.unwrap().into_bytes().is_empty());
        let client = sagemaker(&other);
        client.delete_endpoint().endpoint_name("sts").send().await.unwrap();
        assert_ne!(other.export(), before);
    }
    // The one that it was taken of is as it was.
    assert_eq!(FakeAws::start_from(&snapshot).await.export(), before);
}

#[tokio::test]
async fn the_next_one_fails_and_no_other() {
    let aws = FakeAws::start_with(Fake::builder().programs(programs())).await;
    aws.fail_next("CreateTrainingJob", CallFault::Throttle);
    aws.fail_next_job(Kind::TrainingJob, JobFault::CapacityError);
    let signed = signed_for("sagemaker");
    sagemaker_fake::s3::create_bucket(aws.fake(), BUCKET, "eu-west-1", aws.fake().account()).unwrap();
    let create = async |name: &str| {
        let headers = [("authorization", &*signed), ("x-amz-target", "SageMaker.CreateTrainingJob")];
        raw(&aws.endpoint_url(), "POST /", &headers, &training_job(name, "exit 0").to_string()).await.status
    };
    assert_eq!(create("a").await, 400);
    // Jobs start when they come to it: the second is created once the first has ended.
    for (name, reason) in [("a", true), ("b", false)] {
        assert_eq!(create(name).await, 200);
        let job =
            patiently(sagemaker_fake::jobs::ended(aws.fake(), "eu-west-1", Kind::TrainingJob, name)).await.unwrap();
        assert_eq!(job.failure_reason.is_some_and(|reason| reason.starts_with("CapacityError")), reason);
    }
}

#[tokio::test]
async fn programs_find_the_account_in_their_environment() {
    let aws = FakeAws::start().await;
    let environment = aws.environment();
    let value = |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    assert_eq!(value("AWS_ENDPOINT_URL"), Some(aws.endpoint_url()));
    assert_eq!(value("AWS_REGION").as_deref(), Some(aws.region()));
    assert_eq!(value("AWS_ACCESS_KEY_ID"), Some(aws.credentials().access_key_id));
    assert_eq!(value("AWS_SESSION_TOKEN"), None);
    assert_eq!(json!(environment.len()), json!(5));
}

#[cfg(feature = "sdk-config")]
#[tokio::test]
async fn clients_are_made_from_the_configuration_of_the_account() {
    let aws = FakeAws::start().await;
    // The SDKs of this workspace have no HTTP client of their own.
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws.sdk_config().into_builder().http_client(http).build();
    let sts = aws_sdk_sts::Client::new(&config);
    let who = sts.get_caller_identity().send().await.unwrap();
    assert_eq!(who.arn(), Some("arn:aws:iam::111122223333:user/sts-developer"));
    let s3 = aws_sdk_s3::Client::new(&config);
    s3.put_object().bucket("none").key("key").body(ByteStream::from_static(b"x")).send().await.unwrap_err();
    assert_eq!(aws.calls_of("PutObject")[0].error.as_deref(), Some("NoSuchBucket"));
}
