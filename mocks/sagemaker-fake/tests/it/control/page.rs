//! The pages for people: there, with what they are for, and deaf to what names may contain.

use pipeline_definition::build::{Condition, ConditionStep, Expr, FailStep, ProcessingStep, StepOptions};
use sagemaker_fake::testing::FakeAws;
use sagemaker_fake::{Fake, engine};
use serde_json::json;

use crate::account::{Account, BUCKET, ROLE, SHELL, definition, patiently, processing_job, programs};
use crate::clients::{raw, sagemaker};

async fn page(aws: &FakeAws, path: &str) -> (u16, String) {
    let answer = raw(&aws.endpoint_url(), &format!("GET /_stsmm/{path}"), &[], "").await;
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
    assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    (answer.status, answer.body)
}

/// Where the links of a page lead, below the prefix.
fn links(page: &str) -> Vec<String> {
    let links = page.split("href=\"/_stsmm/").skip(1).filter_map(|rest| rest.split('"').next());
    links.map(|link| link.replace("&amp;", "&")).filter(|link| link != "calls").collect()
}

#[tokio::test]
async fn control_every_page_that_is_linked_is_there() {
    let aws = FakeAws::start_with(Fake::builder().programs(programs())).await;
    let account = Account::of(aws.fake().clone());
    account.put("in/a.txt", "a <b>content</b>");
    account.put("in/deep/b.bin", [0xff, 0xfe]);
    let step = ProcessingStep::new("Prepare", SHELL, ROLE).arguments(["echo printed"]);
    let gate = ConditionStep::new("Gate").condition(Condition::equals(Expr::from(1), 2));
    let gate = gate.if_step(FailStep::new("Never", "no")).else_step(FailStep::new("Fail", "as it is meant"));
    let gate = gate.depends_on(["Prepare"]);
    account.pipeline("p", &definition([step.into(), gate]));
    let arn = account.start("p", &[]).unwrap();
    patiently(engine::settled(&account.fake, &arn)).await.unwrap();
    sagemaker(&aws).list_pipelines().send().await.unwrap();

    let (mut open, mut seen) = (vec![String::new()], Vec::new());
    while let Some(path) = open.pop() {
        if seen.contains(&path) {
            continue;
        }
        let (status, text) = page(&aws, &path).await;
        assert_eq!(status, 200, "{path}: {text}");
        assert!(!text.contains("<b>content"), "{path}");
        seen.push(path);
        open.extend(links(&text));
    }
    let of = |kind: &str| seen.iter().filter(|path| path.starts_with(&format!("page/record?kind={kind}&"))).count();
    assert_eq!((of("execution"), of("pipeline"), of("job"), of("bucket"), of("object")), (1, 1, 1, 3, 2), "{seen:#?}");
    let execution = seen.iter().find(|path| path.contains("kind=execution")).unwrap();
    let (_, text) = page(&aws, execution).await;
    for expected in ["✕ Failed", "does not hold", "not run", "as it is meant", "✓ Succeeded", ">else</text>"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let job = seen.iter().find(|path| path.contains("kind=job")).unwrap();
    assert!(page(&aws, job).await.1.contains("<pre>printed\n</pre>"));
    let (status, text) = page(&aws, "page/record?kind=job&key=nobody").await;
    assert_eq!(status, 404);
    assert!(text.contains("there is no such job"));
    assert_eq!(page(&aws, "page/nothing").await.0, 404);
}

/// Names that AWS itself lets nobody have, among them.
#[tokio::test]
async fn control_what_names_contain_stays_text() {
    let hostile = "<script>alert(1)</script>\"'>&amp;<img src=x>";
    let aws = FakeAws::start_with(Fake::builder().programs(programs())).await;
    let account = Account::of(aws.fake().clone());
    account.put(hostile, hostile);
    account.put("javascript:alert(1)/\"onload=\"x", "x");
    let mut job = processing_job("one", &format!("echo '{}'; exit 1", "<script>alert(2)</script>"));
    job["Environment"] = json!({"NAME": hostile});
    account.process(job).await;
    let client = sagemaker(&aws);
    let tagged = aws_sdk_sagemaker::types::Tag::builder().key("a<script>").value(hostile).build();
    _ = client
        .create_model_package_group()
        .model_package_group_name("g")
        .model_package_group_description(hostile)
        .tags(tagged)
        .send()
        .await;
    _ = raw(
        &aws.endpoint_url(),
        "GET /?x=<script>",
        &[
            ("user-agent", hostile),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=<script>/20261124/<b>/s3/aws4_request, SignedHeaders=host, Signature=0",
            ),
        ],
        "",
    )
    .await;

    let (mut open, mut seen) = (vec![String::new()], Vec::new());
    while let Some(path) = open.pop() {
        if seen.contains(&path) {
            continue;
        }
        let (_, text) = page(&aws, &path).await;
        let body = text.split("</style>").nth(1).unwrap();
        for tag in ["<script", "<img", "<b>/s3", "\"onload"] {
            assert!(!body.contains(tag), "{path} has {tag}: {body}");
        }
        seen.push(path);
        open.extend(links(&text));
    }
    let wanted = format!("page/record?kind=object&key={BUCKET}%2F%3Cscript%3E");
    assert!(seen.iter().any(|path| path.starts_with(&wanted)), "{seen:#?}");
    // Not even from the address.
    for path in [
        "page/%3Cscript%3E",
        "page/kind?of=<script>",
        "page/record?kind=<script>&key=<script>",
        "page/calls?service=<script>",
    ] {
        let answer =
            raw(&aws.endpoint_url(), &format!("GET /_stsmm/{path}"), &[("x-forwarded-host", hostile)], "").await;
        assert!(!answer.body.contains("<script"), "{path}");
    }
}

#[tokio::test]
async fn control_no_page_has_a_secret() {
    let aws = FakeAws::start().await;
    for path in ["", "page/kind?of=access_key", "page/record?kind=access_key&key=AKIAIOSFODNN7EXAMPLE", "page/calls"] {
        let (status, text) = page(&aws, path).await;
        assert_eq!(status, 200, "{path}");
        assert!(!text.contains("wJalrXUtnFEMI"), "{path}");
    }
}
