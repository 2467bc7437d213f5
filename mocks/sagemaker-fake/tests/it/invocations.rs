//! InvokeEndpoint over plain HTTP.

use serde_json::{Value, json};

use crate::account::patiently;
use crate::clients::raw;
use crate::hosting::{Headers, Stage, row};

const CSV: (&str, &str) = ("content-type", "text/csv");

fn body(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn a_model_answers() {
    let stage = Stage::new().await;
    stage.endpoint("sts", "good", None).await;
    let answer = stage.invoke("sts", &[CSV], &format!("{}\n{}\n", row(), row())).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/csv")), "{}", answer.body);
    assert_eq!(answer.header("x-amzn-invoked-production-variant"), Some("AllTraffic"));
    assert!(answer.header("x-amzn-requestid").is_some());
    let lines: Vec<_> = answer.body.lines().collect();
    assert_eq!((lines.len(), lines[0].split(',').count(), lines[0]), (2, 2, lines[1]));

    let pairs = "{\"sentence1\": \"a cat\", \"sentence2\": \"a cat\"}";
    let headers = [("content-type", "application/jsonlines"), ("accept", "application/jsonlines")];
    let answer = stage.invoke("sts", &headers, pairs).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/jsonlines")));
    assert!(body(&answer.body)["probability"].as_f64().unwrap() > 0.0);

    let calls = stage.aws.calls();
    let call = calls.last().unwrap();
    assert_eq!(
        (call.service.as_str(), call.operation.as_str(), call.error.as_deref()),
        ("sagemaker", "InvokeEndpoint", None)
    );
}

#[tokio::test]
async fn what_sagemaker_refuses() {
    let stage = Stage::new().await;
    stage.endpoint("sts", "good", None).await;
    let check = async |endpoint: &str, headers: Headers<'_>, status: u16, code: &str, message: &str| {
        let answer = stage.invoke(endpoint, headers, &row()).await;
        assert_eq!(
            (answer.status, answer.header("x-amzn-errortype"), body(&answer.body)["Message"].as_str()),
            (status, Some(code), Some(message)),
            "{endpoint} {headers:?}"
        );
    };
    check("nobody", &[CSV], 400, "ValidationError", "Endpoint nobody of account 111122223333 not found.").await;
    let other = ("x-amzn-sagemaker-target-variant", "other");
    check("sts", &[CSV, other], 400, "ValidationError", "Variant other not found for Request.").await;
    let many = "x".repeat(65);
    let id = ("x-amzn-sagemaker-inference-id", many.as_str());
    let message = format!(
        "1 validation error detected: Value '{many}' at 'inferenceId' failed to satisfy constraint: Member must have length less than or \
         equal to 64"
    );
    check("sts", &[CSV, id], 400, "ValidationError", &message).await;

    let url = stage.aws.endpoint_url();
    let unsigned = raw(&url, "POST /endpoints/sts/invocations", &[CSV], &row()).await;
    assert_eq!(
        (unsigned.status, unsigned.header("x-amzn-errortype")),
        (403, Some("MissingAuthenticationTokenException"))
    );
}

#[tokio::test]
async fn what_the_model_refuses_is_a_model_error() {
    let stage = Stage::new().await;
    stage.endpoint("sts", "good", None).await;
    let answer = stage.invoke("sts", &[("content-type", "text/html")], "x").await;
    assert_eq!((answer.status, answer.header("x-amzn-errortype")), (424, Some("ModelError")));
    let error = body(&answer.body);
    let said = error["OriginalMessage"].as_str().unwrap();
    assert!(said.contains("text/html"), "{said}");
    assert_eq!(
        error,
        json!({
            "ErrorCode": "CLIENT_ERROR_FROM_MODEL",
            "LogStreamArn": "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/sagemaker/Endpoints/sts",
            "Message": format!(
                "Received client error (415) from primary with message \"{said}\". See https://eu-west-1.console.aws.amazon.com/\
                 cloudwatch/home?region=eu-west-1#logEventViewer:group=/aws/sagemaker/Endpoints/sts in account 111122223333 for more \
                 information."
            ),
            "OriginalMessage": said,
            "OriginalStatusCode": 415,
        })
    );
    assert_eq!(stage.aws.calls().last().unwrap().error.as_deref(), Some("ModelError"));
}

#[tokio::test]
async fn traffic_is_shared_by_weight_unless_a_variant_is_named() {
    let stage = Stage::with(sagemaker_fake::Fake::builder().ids(sagemaker_fake::ids::Ids::seeded(3))).await;
    stage.config("two", &[("a", "good", 1.0), ("b", "good", 3.0)], None).await;
    stage.client.create_endpoint().endpoint_name("sts").endpoint_config_name("two").send().await.unwrap();
    stage.settled("sts").await;
    let mut of_b = 0;
    for _ in 0..200 {
        let answer = stage.invoke("sts", &[CSV], &row()).await;
        of_b += usize::from(answer.header("x-amzn-invoked-production-variant") == Some("b"));
    }
    // Three quarters of 200, and four standard deviations.
    assert!((125..=175).contains(&of_b), "{of_b}");
    for name in ["a", "b"] {
        let answer = stage.invoke("sts", &[CSV, ("x-amzn-sagemaker-target-variant", name)], &row()).await;
        assert_eq!(answer.header("x-amzn-invoked-production-variant"), Some(name));
    }
}

#[tokio::test]
async fn a_container_that_is_killed_is_started_again() {
    let stage = Stage::new().await;
    let endpoint = stage.endpoint("sts", "good", None).await;
    let folder = stage.aws.fake().folder().join("endpoints/eu-west-1/sts").join(endpoint.serving.unwrap().id);
    let pid = || std::fs::read_to_string(folder.join("AllTraffic/pid")).unwrap();
    let first = pid();
    assert!(std::process::Command::new("kill").args(["-9", &first]).status().unwrap().success());
    // Until it is back, invocations fail as they do on AWS; then they succeed again.
    let back = async {
        loop {
            let answer = stage.invoke("sts", &[CSV], &row()).await;
            match (answer.status, answer.header("x-amzn-errortype")) {
                (200, _) if pid() != first => return,
                // It has not died yet.
                (200, _) | (503, Some("ServiceUnavailable")) => {}
                (424, Some("ModelError")) => {
                    assert!(answer.body.contains("the model process exited"), "{}", answer.body);
                }
                other => panic!("{other:?}: {}", answer.body),
            }
        }
    };
    patiently(back).await;
}
