//! The account, exported and imported.

use std::fs::File;
use std::io::Read;

use http::Method;
use sagemaker_fake::doors::control;
use sagemaker_fake::testing::FakeAws;
use sagemaker_fake::{Fake, archive, engine};
use serde_json::{Value, json};

use super::{get, post};
use crate::account::{Account, BUCKET, ROLE, SHELL, definition, patiently, processing_job, programs};
use crate::hosting::{Stage, capture, row};

/// Asks for an import of what is in the file.
async fn import(aws: &FakeAws, what: &'static str, file: &File) -> Result<Value, String> {
    let (url, file) = (aws.endpoint_url(), file.try_clone().unwrap());
    std::io::Seek::rewind(&mut &file).unwrap();
    let asked = tokio::task::spawn_blocking(move || control::upload(&url, &Method::POST, what, &file));
    asked.await.unwrap().map_err(|error| error.to_string())
}

async fn export(aws: &FakeAws) -> File {
    let (url, mut file) = (aws.endpoint_url(), tempfile::tempfile().unwrap());
    let asked = tokio::task::spawn_blocking(move || control::download(&url, "archive", &mut file).map(|()| file));
    asked.await.unwrap().unwrap()
}

fn holding(text: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, text).unwrap();
    file
}

#[tokio::test]
async fn control_what_is_exported_goes_on_where_it_is_imported() {
    let stage = Stage::new().await;
    let account = Account { fake: stage.aws.fake().clone() };
    let step = pipeline_definition::build::TrainingStep::new("Train", SHELL, ROLE, format!("s3://{BUCKET}/models"));
    let step: pipeline_definition::Step = step.arguments(["echo m > $STSMM_OPT_ML/model/m; echo trained"]).into();
    account.pipeline("p", &definition([step]));
    let first = account.start("p", &[]).unwrap();
    patiently(engine::settled(&account.fake, &first)).await.unwrap();
    let all = &[aws_sdk_sagemaker::types::CaptureMode::Input];
    stage.endpoint("e", "good", Some(capture(100, all))).await;
    let csv = [("content-type", "text/csv")];
    let answer = stage.invoke("e", &csv, &row()).await;
    assert_eq!(answer.status, 200);
    post(&stage.aws, "clock/advance?seconds=30").await.unwrap();
    // The model that serves is gone from S3 and serves all the same, here and there.
    stage.client.delete_model().model_name("good").send().await.unwrap();

    let exported = export(&stage.aws).await;
    let before = get(&stage.aws, "state").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let other = FakeAws::start_with(Fake::builder().state(folder.path()).programs(programs())).await;
    let counts = import(&other, "archive", &exported).await.unwrap();
    assert_eq!((&counts["pipeline"], &counts["endpoint"], &counts["clock"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!(get(&other, "state").await.unwrap(), before);

    let there = Account { fake: other.fake().clone() };
    let second = there.start("p", &[]).unwrap();
    let execution = patiently(engine::settled(&there.fake, &second)).await.unwrap();
    assert_eq!(format!("{:?}", execution.status), "Succeeded");
    let job = execution.steps[0].resource.clone();
    assert_eq!(there.log(sagemaker_fake::jobs::Kind::TrainingJob, &job), ["trained"]);
    let client = crate::clients::sagemaker(&other);
    let other = Stage { aws: other, client };
    let again = patiently(async {
        loop {
            let answer = other.invoke("e", &csv, &row()).await;
            if answer.status == 200 {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(again.await.body, answer.body);
    // What was captured before is not lost on the way, and what is captured there is beside it.
    post(&other.aws, "clock/advance?seconds=120").await.unwrap();
    assert_eq!(other.keys("capture/").len(), 2);
}

#[tokio::test]
async fn control_what_cannot_be_imported_changes_nothing() {
    let account = Account::build(Fake::builder());
    account.put("a", "content");
    let job = account.process(processing_job("one", "true")).await;
    assert_eq!(job.status.as_str(), "Completed");
    let aws = FakeAws::start().await;
    let began = aws.export();
    let refused = async |what: &'static str, file: &File, expected: &str| {
        let said = import(&aws, what, file).await.unwrap_err();
        assert!(said.contains("400: ") && said.contains(expected), "{said}");
        assert_eq!(aws.export(), began);
    };
    let mut tar = Vec::new();
    archive::write(&account.fake, &mut tar).unwrap();
    let document = sagemaker_fake::export::state(&account.fake.store).unwrap();
    refused(
        "state",
        &holding(document.to_string().as_bytes()),
        "the content of object sts-bucket/a is not in it; an archive has contents too",
    )
    .await;
    refused("state", &holding(b"{"), "the body cannot be read").await;
    refused("state", &holding(b"{\"version\": 1}"), "its version is 1, and this program reads 3").await;
    refused("archive", &holding(&tar[..tar.len() / 2]), "the archive cannot be taken").await;
    refused("archive", &holding(b"no tar at all"), "the archive cannot be taken").await;
    for (name, expected) in
        [("objects/../../x", ""), ("/etc/x", ""), ("other/x", "other/x does not belong into an account")]
    {
        let mut hostile = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(1);
        header.set_cksum();
        hostile.append(&header, &b"x"[..]).unwrap();
        refused("archive", &holding(&hostile.into_inner().unwrap()), expected).await;
    }
    // Without a content, or with another one.
    let mut short = tar::Builder::new(Vec::new());
    let mut whole = tar::Archive::new(&tar[..]);
    for entry in whole.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if path.starts_with("objects") {
            content.pop();
        }
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        short.append_data(&mut header, path, &content[..]).unwrap();
    }
    refused("archive", &holding(&short.into_inner().unwrap()), "the content of object sts-bucket/a has 6 bytes, not 7")
        .await;
    import(&aws, "archive", &holding(&tar)).await.unwrap();
    assert_eq!(Account { fake: aws.fake().clone() }.text("a"), "content");
}

#[tokio::test]
async fn control_a_state_without_contents_is_imported_as_json() {
    let aws = FakeAws::start().await;
    let client = crate::clients::sagemaker(&aws);
    client.create_model_package_group().model_package_group_name("g").send().await.unwrap();
    let state = get(&aws, "state").await.unwrap();
    post(&aws, "scenario/scp-denies").await.unwrap();
    let counts = import(&aws, "state", &holding(state.to_string().as_bytes())).await.unwrap();
    assert_eq!(counts["model-package-group"], 1);
    assert_eq!(get(&aws, "state").await.unwrap(), state);
    assert_eq!((aws.fake().scenario().name.as_str(), aws.fake().enforces_iam()), ("ready", false));
}

#[tokio::test]
async fn control_an_archive_is_the_same_twice() {
    let account = Account::build(Fake::builder());
    account.put("a", "content");
    account.process(processing_job("one", "echo hello")).await;
    let write = || {
        let mut tar = Vec::new();
        archive::write(&account.fake, &mut tar).unwrap();
        tar
    };
    assert_eq!(write(), write());
}
