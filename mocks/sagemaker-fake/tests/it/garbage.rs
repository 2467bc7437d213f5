//! Nothing that a client sends makes the fake fail: garbage is refused, in AWS's shape.

mod protocols;
mod wire;

use http::{HeaderMap, HeaderValue, Method};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use sagemaker_fake::Fake;
use sagemaker_fake::protocol::signature::Request;
use sagemaker_fake::protocol::{Checked, Service, answer, route};
use serde_json::{Map, Value, json};

use crate::clients::{ROLE, arn, signed_for};

/// Values that might be taken for something.
fn texts() -> impl Strategy<Value = String> {
    let seen = [
        "",
        "a",
        "-",
        "g",
        "g/1",
        "arn:",
        "arn:aws:sagemaker:eu-west-1:111122223333:model-package/g/99999999999",
        "s3://",
        "s3://b/k",
        "{}",
        "[]",
        "Descending",
        "Name",
        "Approved",
        "é€😀",
        "\0",
        "eyJ9",
        "f/9",
        "b/18446744073709551616",
        "0123456789abcdef0123456789abcdef",
    ];
    let mut seen: Vec<_> = seen.map(str::to_owned).to_vec();
    seen.extend([
        ROLE.to_owned(),
        arn("pipeline/p"),
        arn("pipeline/p/execution/abcdefghijkl"),
        arn("model-package/g/1"),
    ]);
    prop_oneof![proptest::sample::select(seen), ".{0,20}"]
}

/// What a string of this shape looks like when it is right.
fn likely(shape: &str) -> impl Strategy<Value = String> + use<> {
    let right = match shape {
        "IdempotencyToken" => vec!["0123456789abcdef0123456789abcdef".to_owned(), "0".repeat(36)],
        "RoleArn" => vec![ROLE.to_owned()],
        "PipelineDefinition" => {
            vec![r#"{"Version":"2020-12-01","Parameters":[],"Steps":[]}"#.to_owned(), "{}".to_owned()]
        }
        "NextToken" | "PaginationToken" => vec![String::new(), "e30".to_owned()],
        "ResourceArn" => vec![arn("model-package-group/g"), arn("pipeline/a")],
        "PipelineExecutionArn" => vec![arn("pipeline/a/execution/abcdefghijkl")],
        shape if shape.ends_with("Arn") => {
            vec![arn("model-package/g/1"), arn("model-package/g/2"), arn("model-package-group/g")]
        }
        shape if shape.contains("S3Uri") || shape == "Url" => vec!["s3://b/k".to_owned()],
        _ => vec!["a".to_owned(), "g".to_owned()],
    };
    proptest::sample::select(right)
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0i64..3).prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec((texts(), inner), 0..3)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// A value of a shape, more or less: of the right type most of the time, so that some get past the validation.
fn shaped(service: Service, shape: &str, depth: usize) -> BoxedStrategy<Value> {
    use sagemaker_fake::validation::Kind;
    let api = service.api();
    let described = api.shape(shape);
    let right = match described.kind {
        _ if depth > 4 => values().boxed(),
        Kind::Structure => {
            let members: Vec<_> =
                described.members().map(|(name, inner)| (name.to_owned(), shaped(service, inner, depth + 1))).collect();
            let picked = members.into_iter().map(|(name, value)| {
                let often = if described.required.contains(&name) { 0.99 } else { 0.15 };
                proptest::option::weighted(often, value).prop_map(move |value| value.map(|value| (name.clone(), value)))
            });
            picked
                .collect::<Vec<_>>()
                .prop_map(|pairs| Value::Object(pairs.into_iter().flatten().collect::<Map<_, _>>()))
                .boxed()
        }
        Kind::List => proptest::collection::vec(shaped(service, described.member(), depth + 1), 0..3)
            .prop_map(Value::from)
            .boxed(),
        Kind::Map => {
            let entry = (texts(), shaped(service, described.value(), depth + 1));
            proptest::collection::vec(entry, 0..3).prop_map(|pairs| Value::Object(pairs.into_iter().collect())).boxed()
        }
        Kind::String | Kind::Blob if !described.allowed.is_empty() => {
            proptest::sample::select(described.allowed.clone()).prop_map(Value::from).boxed()
        }
        Kind::String | Kind::Blob => prop_oneof![20 => likely(shape), 1 => texts()].prop_map(Value::from).boxed(),
        Kind::Integer => (0i64..100).prop_map(Value::from).boxed(),
        Kind::Float | Kind::Timestamp => any::<f64>().prop_map(Value::from).boxed(),
        Kind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
    };
    prop_oneof![200 => right, 1 => values()].boxed()
}

fn send(fake: &Fake, headers: &[(&'static str, String)], body: &[u8]) -> http::Response<bytes::Bytes> {
    let headers: HeaderMap =
        headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap())).collect();
    let route = route(&Method::POST, "/", "", &headers, body);
    let request = Request { method: &Method::POST, path: "/", query: "", headers: &headers, body: Some(body) };
    answer(fake, &route, &request, Checked::Yes)
}

/// The same on every run: what is found once is found again.
fn runner(cases: u32) -> TestRunner {
    let rng = proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(Config { cases, failure_persistence: None, ..Config::default() }, rng)
}

#[rustfmt::skip]
const OPERATIONS: &[&str] = &[
    "CreatePipeline", "UpdatePipeline", "DescribePipeline", "DeletePipeline", "ListPipelines", "StartPipelineExecution", "StopPipelineExecution",
    "DescribePipelineExecution", "ListPipelineExecutions", "ListPipelineExecutionSteps", "CreateModelPackageGroup", "DeleteModelPackageGroup",
    "ListModelPackageGroups", "CreateModelPackage", "DescribeModelPackage", "UpdateModelPackage", "DeleteModelPackage", "ListModelPackages",
    "CreateModel", "DescribeModel", "ListModels", "AddTags", "ListTags", "DeleteTags", "CreateProcessingJob", "DescribeProcessingJob",
    "ListProcessingJobs", "StopProcessingJob", "CreateTrainingJob", "DescribeTrainingJob", "ListTrainingJobs",
];

#[tokio::test]
async fn half_right_requests_are_answered() {
    let fake = Fake::builder().build().unwrap();
    let target = |operation: &str| {
        [("x-amz-target", format!("SageMaker.{operation}")), ("authorization", signed_for("sagemaker"))]
    };
    send(&fake, &target("CreateModelPackageGroup"), json!({"ModelPackageGroupName": "g"}).to_string().as_bytes());
    for operation in OPERATIONS {
        let shape = Service::SageMaker.api().operation(operation).unwrap().input.clone().unwrap();
        let tried = runner(48).run(&shaped(Service::SageMaker, &shape, 0), |input| {
            let response = send(&fake, &target(operation), input.to_string().as_bytes());
            prop_assert!(
                response.status() == 200 || response.status() == 400,
                "{} {}: {:?}",
                operation,
                input,
                response
            );
            Ok(())
        });
        tried.unwrap_or_else(|error| panic!("{error}"));
    }
}

#[tokio::test]
async fn any_bytes_are_answered() {
    let fake = Fake::builder().build().unwrap();
    let bodies = prop_oneof![proptest::collection::vec(any::<u8>(), 0..200), ".{0,100}".prop_map(String::into_bytes)];
    let services = proptest::sample::select(vec!["sagemaker", "logs", "sts", "iam", "monitoring"]);
    let forms = (services, bodies, any::<bool>(), texts());
    let tried = runner(400).run(&forms, |(service, body, target, text)| {
        let mut headers = vec![
            ("authorization", signed_for(service)),
            ("content-type", "application/x-www-form-urlencoded".to_owned()),
        ];
        if target && HeaderValue::from_str(&text).is_ok() {
            headers.push(("x-amz-target", format!("SageMaker.{text}")));
        }
        let response = send(&fake, &headers, &[b"Action=AssumeRole&Tags.member.1.Key=", body.as_slice()].concat());
        prop_assert!(response.status().is_client_error(), "{:?} {:?}: {:?}", headers, body, response);
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
}
