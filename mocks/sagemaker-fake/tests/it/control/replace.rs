//! The account begins again while it is served.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use sagemaker_fake::clock::{Clock, Timestamp};
use sagemaker_fake::endpoints;
use sagemaker_fake::ids::Ids;
use sagemaker_fake::testing::FakeAws;
use sagemaker_fake::{Fake, replace};

use super::{ask, post};
use crate::account::{Account, Meeting, REGION, patiently, processing_job};
use crate::clients::sagemaker;
use crate::hosting::Stage;

/// The files of the account, without those of the store.
fn files(folder: &Path) -> Vec<String> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path.to_string_lossy().into_owned()) }
        }
    }
    files.retain(|file| !file.ends_with("state.redb"));
    files
}

#[tokio::test]
async fn control_reset_leaves_nothing_of_what_ran() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::frozen(Timestamp(1_800_000_000_000));
    let builder = Fake::builder().state(folder.path()).clock(clock).ids(Ids::seeded(1));
    let aws = FakeAws::start_with(builder.programs(crate::account::programs())).await;
    let (fake, began) = (aws.fake().clone(), aws.export());
    let account = Account::of(fake.clone());
    account.put("in/a", "hello");
    let meeting = Meeting::new(&["pid", "never"]);
    let script = format!("echo $$ > {0}/pid; exec cat {0}/never", meeting.folder().display());
    account.call("CreateProcessingJob", processing_job("one", &script)).unwrap();
    let pid = meeting.hear("pid").await;
    fake.advance(Duration::from_secs(3600)).unwrap();
    assert!(Path::new("/proc").join(pid.trim()).exists());

    post(&aws, "reset").await.unwrap();
    assert_eq!(aws.export(), began);
    assert_eq!(files(folder.path()), [""; 0]);
    assert!(aws.calls().is_empty());
    assert_eq!(fake.clock.offset().ms, 0);
    let gone = || std::fs::read_to_string(Path::new("/proc").join(pid.trim()).join("cmdline")).unwrap_or_default();
    assert!(!gone().contains("never"));

    // It goes on as an account does.
    let account = Account::of(fake);
    let job = account.process(processing_job("one", "echo again")).await;
    assert_eq!(job.status.as_str(), "Completed");
    assert_eq!(account.log(job.kind, "one"), ["again"]);
}

#[tokio::test]
async fn control_reset_brings_back_what_served_from_the_start() {
    let scenario = sagemaker_fake::account::Scenario::named("endpoint-left-running").unwrap();
    let name = scenario.endpoints[0].name.clone();
    let stage =
        Stage::with(Fake::builder().scenario(sagemaker_fake::account::Scenario { enforce_iam: false, ..scenario }))
            .await;
    stage.settled(&name).await.unwrap();
    let client = &stage.client;
    client.delete_endpoint().endpoint_name(&name).send().await.unwrap();
    assert!(stage.settled(&name).await.is_none());
    replace::reset(stage.aws.fake()).await.unwrap();
    let row = crate::hosting::row();
    let answer = patiently(async {
        loop {
            let answer = stage.invoke(&name, &[("content-type", "text/csv")], &row).await;
            if answer.status == 200 {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(answer.body.split(',').count(), 2, "{answer:?}");
    assert!(patiently(endpoints::settled(stage.aws.fake(), REGION, &name)).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_requests_see_the_account_before_or_after() {
    let aws = Arc::new(FakeAws::start().await);
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let stop = Arc::new(AtomicUsize::new(0));
    let writers: Vec<_> = (0..2)
        .map(|_| {
            let (client, acknowledged, stop) = (sagemaker(&aws), Arc::clone(&acknowledged), Arc::clone(&stop));
            tokio::spawn(async move {
                while stop.load(Ordering::SeqCst) == 0 {
                    let number = acknowledged.fetch_add(1, Ordering::SeqCst);
                    let name = format!("g{number}");
                    client.create_model_package_group().model_package_group_name(name).send().await.unwrap();
                }
            })
        })
        .collect();
    for _ in 0..10 {
        while acknowledged.load(Ordering::SeqCst).is_multiple_of(7) {
            tokio::task::yield_now().await;
        }
        let before = acknowledged.load(Ordering::SeqCst);
        // Two requests may be on their way; what came before them is of the old account.
        ask(&aws.endpoint_url(), Method::POST, "reset").await.unwrap();
        let left = aws.export()["model-package-group"].clone();
        let numbers =
            left.as_object().into_iter().flatten().map(|(key, _)| key[REGION.len() + 2..].parse::<usize>().unwrap());
        assert!(numbers.clone().all(|number| number + 2 >= before), "{before}: {left}");
    }
    stop.store(1, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
}
