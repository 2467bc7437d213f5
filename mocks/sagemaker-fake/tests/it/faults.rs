//! What goes wrong on request: each service's own errors, what happens to answers on their way, and jobs that fail.

use std::time::Duration;

use sagemaker_fake::account::Scenario;
use sagemaker_fake::clock::{Clock, Timestamp};
use sagemaker_fake::faults::{CallFault, JobFault, Rule};
use sagemaker_fake::jobs::{Kind, Status};
use sagemaker_fake::testing::FakeAws;
use sagemaker_fake::{Fake, s3};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::account::{Account, BUCKET, processing_job, training_job};
use crate::clients::{Answer, REGION, raw, sagemaker, signed_for};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// One call of each service, by whatever protocol it speaks.
async fn call(aws: &FakeAws, service: &str) -> Answer {
    let signed = ("authorization", &*signed_for(service));
    let json = |target: &'static str| ("x-amz-target", target);
    let url = aws.endpoint_url();
    match service {
        "sagemaker" => raw(&url, "POST /", &[signed, json("SageMaker.ListModels")], "{}").await,
        "logs" => raw(&url, "POST /", &[signed, json("Logs_20140328.DescribeLogGroups")], "{}").await,
        "servicequotas" => {
            let target = json("ServiceQuotasV20190624.ListServiceQuotas");
            raw(&url, "POST /", &[signed, target], r#"{"ServiceCode": "sagemaker"}"#).await
        }
        "iam" => raw(&url, "POST /", &[signed, FORM], "Action=ListRoles&Version=2010-05-08").await,
        "sts" => raw(&url, "POST /", &[signed, FORM], "Action=GetCallerIdentity&Version=2011-06-15").await,
        "monitoring" => raw(&url, "POST /", &[signed, FORM], "Action=ListMetrics&Version=2010-08-01").await,
        "s3" => raw(&url, "GET /", &[signed], "").await,
        other => panic!("{other}"),
    }
}

/// The code of an error, in whatever protocol.
fn code(answer: &Answer) -> String {
    let of_xml = answer.body.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    let of_header = answer.header("x-amzn-errortype").map(str::to_owned);
    of_header.or_else(|| of_xml.map(|(code, _)| code.to_owned())).unwrap_or_default()
}

#[tokio::test]
async fn every_service_fails_in_its_own_words() {
    let aws = FakeAws::start().await;
    let check = async |fault: CallFault, expected: &[(&str, u16, &str)]| {
        aws.fake().faults.clear();
        aws.add_rule(Rule::new(fault.clone()));
        for (service, status, expected) in expected {
            let answer = call(&aws, service).await;
            assert_eq!((answer.status, &*code(&answer)), (*status, *expected), "{fault:?} {answer:?}");
            let recorded = aws.calls().pop().unwrap();
            assert_eq!((&*recorded.service, recorded.fault), (*service, Some(fault.name())));
            // CloudWatch calls some of its errors otherwise in the query protocol.
            assert!(
                recorded.error.is_some() && (*service == "monitoring" || recorded.error.as_deref() == Some(*expected))
            );
        }
    };
    check(
        CallFault::Throttle,
        &[
            ("sagemaker", 400, "ThrottlingException"),
            ("logs", 400, "ThrottlingException"),
            ("servicequotas", 400, "TooManyRequestsException"),
            ("iam", 400, "Throttling"),
            ("sts", 400, "Throttling"),
            ("monitoring", 400, "Throttling"),
            ("s3", 503, "SlowDown"),
        ],
    )
    .await;
    check(
        CallFault::InternalError,
        &[
            ("sagemaker", 500, "InternalFailure"),
            ("logs", 500, "InternalFailure"),
            ("servicequotas", 500, "ServiceException"),
            ("iam", 500, "ServiceFailure"),
            ("sts", 500, "InternalFailure"),
            ("monitoring", 500, "InternalServiceError"),
            ("s3", 500, "InternalError"),
        ],
    )
    .await;
    check(
        CallFault::Unavailable,
        &[
            ("sagemaker", 503, "ServiceUnavailable"),
            ("sts", 503, "ServiceUnavailable"),
            ("s3", 503, "ServiceUnavailable"),
        ],
    )
    .await;
    check(
        CallFault::ResourceLimit,
        &[("sagemaker", 400, "ResourceLimitExceeded"), ("iam", 409, "LimitExceeded"), ("s3", 400, "TooManyBuckets")],
    )
    .await;
    check(
        CallFault::ExpiredToken,
        &[("sagemaker", 400, "ExpiredTokenException"), ("sts", 403, "ExpiredToken"), ("s3", 400, "ExpiredToken")],
    )
    .await;
    let denied = [
        ("sagemaker", 400, "AccessDeniedException"),
        ("iam", 403, "AccessDenied"),
        ("monitoring", 403, "AccessDenied"),
        ("s3", 403, "AccessDenied"),
    ];
    check(CallFault::AccessDenied, &[denied[0], denied[1], denied[3]]).await;
    let answer = call(&aws, "sagemaker").await;
    let sentence = "User: arn:aws:iam::111122223333:user/sts-developer is not authorized to perform: sagemaker:ListModels on resource: \
                    * because no identity-based policy allows the sagemaker:ListModels action";
    assert_eq!(serde_json::from_str::<Value>(&answer.body).unwrap()["message"], sentence);
    let signed = ("authorization", &*signed_for("s3"));
    let answer = raw(&aws.endpoint_url(), "GET /sts-bucket/a/key", &[signed], "").await;
    let resource = "s3:GetObject on resource: \"arn:aws:s3:::sts-bucket/a/key\" because no identity-based policy allows the s3:GetObject";
    assert!(answer.body.replace("&quot;", "\"").contains(resource), "{answer:?}");
    // AWS STS has no limit to reach.
    aws.fake().faults.clear();
    aws.add_rule(Rule::new(CallFault::ResourceLimit));
    assert_eq!(call(&aws, "sts").await.status, 200);
}

/// Sends a request and reads whatever comes until the connection is closed.
async fn exchanged(aws: &FakeAws, line: &str, signed: &str, target: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(aws.endpoint_url().trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {signed}\r\nX-Amz-Target: {target}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The end of the connection may come as an error.
    _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn answers_are_withheld_or_cut() {
    let aws = FakeAws::start().await;
    let create = async |name: &str| {
        let body = json!({"ModelPackageGroupName": name}).to_string();
        let target = "SageMaker.CreateModelPackageGroup";
        exchanged(&aws, "POST /", &signed_for("sagemaker"), target, &body).await
    };
    let exists = |name: &str| {
        aws.export()["model-package-group"]
            .as_object()
            .is_some_and(|groups| groups.keys().any(|key| key.ends_with(name)))
    };
    let operation = "CreateModelPackageGroup";

    aws.fail_next(operation, CallFault::Reset);
    assert_eq!(create("reset").await, "");
    assert!(!exists("reset"), "nothing was done");
    aws.fail_next(operation, CallFault::Lost);
    assert_eq!(create("lost").await, "");
    assert!(exists("lost"), "it was done, and nobody was told");
    aws.fail_next(operation, CallFault::Cut);
    let answer = create("cut").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let length =
        head.to_lowercase().split("content-length: ").nth(1).unwrap().split('\r').next().unwrap().parse::<usize>();
    assert!(body.len() < length.unwrap() && body.starts_with("{\"ModelPackageGroupArn\":"), "{answer}");
    assert!(exists("cut"));
    let faults: Vec<_> = aws.calls().into_iter().map(|call| (call.error, call.fault)).collect();
    assert_eq!(faults, [(Some("reset".to_owned()), Some("reset")), (None, Some("lost")), (None, Some("cut"))]);

    // An object, whose answer is streamed; and one without a body, which has no middle.
    s3::create_bucket(aws.fake(), BUCKET, REGION, aws.fake().account()).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "0123456789").unwrap();
    s3::put_file(aws.fake(), BUCKET, "key", file.path()).unwrap();
    aws.fail_next("GetObject", CallFault::Cut);
    let get = exchanged(&aws, "GET /sts-bucket/key", &signed_for("s3"), "", "").await;
    assert!(get.starts_with("HTTP/1.1 200 OK") && get.ends_with("\r\n\r\n01234"), "{get}");
    for fault in [CallFault::Reset, CallFault::Cut] {
        aws.fail_next("HeadObject", fault);
        assert_eq!(exchanged(&aws, "HEAD /sts-bucket/key", &signed_for("s3"), "", "").await, "");
    }
}

#[tokio::test]
async fn a_late_answer_is_the_answer() {
    let aws = FakeAws::start().await;
    aws.add_rule(Rule::new(CallFault::Delay(Duration::from_millis(1))).service("sagemaker"));
    assert_eq!(call(&aws, "sagemaker").await.status, 200);
    assert_eq!(aws.calls().pop().unwrap().fault, Some("delay"));
    assert_eq!(call(&aws, "sts").await.status, 200);
    assert_eq!(aws.calls().pop().unwrap().fault, None);
}

#[tokio::test]
async fn a_truncated_page_has_one_item_and_a_token() {
    let aws = FakeAws::start().await;
    for bucket in ["bucket-a", "bucket-b"] {
        s3::create_bucket(aws.fake(), bucket, REGION, aws.fake().account()).unwrap();
    }
    let client = sagemaker(&aws);
    for name in ["a", "b", "c"] {
        client.create_model_package_group().model_package_group_name(name).send().await.unwrap();
    }
    // It is about lists alone.
    aws.add_rule(Rule::new(CallFault::TruncatedPage));
    client.describe_model_package_group().model_package_group_name("a").send().await.unwrap();
    let pages =
        client.list_model_package_groups().into_paginator().send().collect::<Result<Vec<_>, _>>().await.unwrap();
    let sizes: Vec<_> = pages.iter().map(|page| page.model_package_group_summary_list().len()).collect();
    assert_eq!(sizes, [1, 1, 1]);
    let roles = raw(
        &aws.endpoint_url(),
        "POST /",
        &[("authorization", &signed_for("iam")), FORM],
        "Action=ListPolicies&Version=2010-05-08",
    )
    .await;
    assert!(roles.body.contains("<IsTruncated>true</IsTruncated>") && roles.body.contains("<Marker>"), "{roles:?}");
    let buckets = raw(&aws.endpoint_url(), "GET /", &[("authorization", &signed_for("s3"))], "").await;
    assert_eq!(buckets.body.matches("<Bucket>").count(), 1, "{buckets:?}");
    assert!(buckets.body.contains("<ContinuationToken>"), "{buckets:?}");
    let calls = aws.calls();
    assert!(calls.iter().all(|call| call.fault.is_some() == call.operation.starts_with("List")), "{calls:?}");
}

#[tokio::test]
async fn rules_are_steered_by_the_control_api() {
    let aws = FakeAws::start().await;
    let url = aws.endpoint_url();
    let ask = async |line: &str, body: &str| {
        let answer = raw(&url, line, &[], body).await;
        (answer.status, serde_json::from_str::<Value>(&answer.body).unwrap())
    };
    assert_eq!(ask("GET /_stsmm/faults", "").await, (200, json!([])));
    let rule = r#"{"fault": "throttle", "operation": "ListModels", "times": 1}"#;
    let listed = json!({"id": 1, "fault": "throttle", "operation": "ListModels", "times": 1, "seen": 0, "acted": 0});
    assert_eq!(ask("POST /_stsmm/faults", rule).await, (200, json!([listed])));
    assert_eq!(call(&aws, "sagemaker").await.status, 400);
    assert_eq!(call(&aws, "sagemaker").await.status, 200);
    let (_, after) = ask("GET /_stsmm/faults", "").await;
    assert_eq!((&after[0]["seen"], &after[0]["acted"]), (&json!(2), &json!(1)));

    // All of a list or none of it.
    let (status, wrong) = ask("POST /_stsmm/faults", r#"[{"fault": "reset"}, {"fault": "rest"}]"#).await;
    assert_eq!((status, &wrong["message"]), (400, &json!("there is no fault `rest`; did you mean `reset`?")));
    let (_, two) =
        ask("POST /_stsmm/faults", r#"[{"fault": "CapacityError", "nth": 3}, {"fault": "cut", "service": "s3"}]"#)
            .await;
    assert_eq!((two.as_array().unwrap().len(), &two[1]["nth"]), (3, &json!(3)));
    assert_eq!(ask("DELETE /_stsmm/faults/2", "").await.1.as_array().unwrap().len(), 2);
    assert_eq!(ask("DELETE /_stsmm/faults/2", "").await.0, 404);
    assert_eq!(ask("DELETE /_stsmm/faults", "").await, (200, json!([])));
    assert_eq!(ask("PUT /_stsmm/faults", "").await.0, 404);
}

#[tokio::test]
async fn a_scenario_has_faults_of_its_own() {
    let mut scenario = Scenario::ready();
    scenario.faults = vec![Rule::new(CallFault::Throttle).operation("ListModels").nth(2)];
    let aws = FakeAws::start_with(Fake::builder().scenario(scenario)).await;
    let statuses = [call(&aws, "sagemaker").await.status, call(&aws, "sagemaker").await.status];
    assert_eq!(statuses, [200, 400]);
}

#[tokio::test]
async fn jobs_fail_by_kind_name_and_turn() {
    let account = Account::build(Fake::builder().clock(Clock::frozen(Timestamp(1_790_000_000_000))));
    let fail = |rule: Rule| account.fake.faults.add(rule).unwrap();
    fail(Rule::new(JobFault::CapacityError).kind(Kind::TrainingJob).nth(3));
    fail(Rule::new(JobFault::AlgorithmError("no luck".into())).job("bad-*"));
    for (name, capacity) in [("t1", false), ("t2", false), ("t3", true), ("t4", false)] {
        let job = account.train(training_job(name, "exit 0")).await;
        let reason = job.failure_reason.unwrap_or_default();
        assert_eq!(reason.starts_with("CapacityError: "), capacity, "{name}: {reason}");
        assert_eq!(job.status == Status::Failed, capacity);
    }
    let trained = account.train(training_job("bad-training", "exit 0")).await;
    assert_eq!(trained.failure_reason.as_deref(), Some("AlgorithmError: no luck, exit code: 1"));
    let processed = account.process(processing_job("bad-processing", "exit 0")).await;
    let said = (processed.failure_reason.as_deref(), processed.exit_message.as_deref());
    assert_eq!(said, (Some("AlgorithmError: See job logs for more information"), Some("no luck")));
    assert_eq!(account.process(processing_job("good", "exit 0")).await.status, Status::Completed);
}

#[tokio::test]
async fn jobs_fail_by_the_step_that_makes_them() {
    use pipeline_definition::build::ProcessingStep;

    let account = Account::new();
    account.fake.faults.add(Rule::new(JobFault::InternalServerError).step("Second")).unwrap();
    let script =
        |name: &str| ProcessingStep::new(name, crate::account::SHELL, crate::account::ROLE).arguments(["exit 0"]);
    let execution = account.run([script("First").into(), script("Second").into()]).await;
    assert_eq!(execution.step("First").unwrap().failure_reason, None);
    let reason = execution.step("Second").unwrap().failure_reason.clone().unwrap();
    assert!(reason.contains("InternalServerError: We encountered an internal error."), "{reason}");
}
