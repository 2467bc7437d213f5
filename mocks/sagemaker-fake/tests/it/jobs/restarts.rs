//! Jobs that run when their fake is closed, dropped or killed.

use sagemaker_fake::jobs::{Kind, Status};
use sagemaker_fake::{Fake, engine};
use serde_json::json;

use crate::account::{Account, Meeting, processing_job};

#[tokio::test]
async fn a_closed_fake_starts_its_jobs_again() {
    let folder = tempfile::tempdir().unwrap();
    let meeting = Meeting::new(&["started", "go"]);
    let script = format!(
        "cd {}; pwd -P > /dev/null; echo $STSMM_OPT_ML > started; read x < go; echo went on",
        meeting.folder().display()
    );
    let account = Account::build(Fake::builder().state(folder.path()));
    account.call("CreateProcessingJob", processing_job("job", &script)).unwrap();
    let first = meeting.hear("started").await;
    engine::close(account.fake).await;

    let account = Account::reopen(Fake::builder().state(folder.path())).await;
    let second = meeting.hear("started").await;
    assert!(first.contains("/job/1/algo-1") && second.contains("/job/2/algo-1"), "{first} {second}");
    meeting.tell("go").await;
    let job = account.ended(Kind::ProcessingJob, "job").await;
    assert_eq!((job.status, job.attempt), (Status::Completed, 2));
    assert_eq!(account.log(Kind::ProcessingJob, "job"), ["went on"]);
}

#[tokio::test]
async fn a_dropped_fake_leaves_no_program_behind() {
    let account = Account::new();
    let meeting = Meeting::new(&["started", "alive", "never"]);
    let folder = meeting.folder().display();
    let script = format!("cd {folder}; exec 3> alive; echo x > started; read x < never");
    account.call("CreateProcessingJob", processing_job("job", &script)).unwrap();
    // The pipe is read to its end, which is when the program that holds it open is gone.
    let (_, gone) = tokio::join!(
        async {
            meeting.hear("started").await;
            drop(account);
        },
        meeting.hear("alive")
    );
    assert_eq!(gone, "");
}

/// What a fake that was killed leaves: the folders of its jobs, and programs that nobody looks after.
#[tokio::test]
async fn what_a_killed_fake_left_running_is_ended() {
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().join("jobs/eu-west-1/processing-job/job/1/algo-1");
    std::fs::create_dir_all(&folder).unwrap();
    // Whoever has started them, and wherever they work: their environment tells whose they are.
    let run_for = |folder: &std::path::Path| {
        let mut cat = std::process::Command::new("cat");
        cat.env("STSMM_OPT_ML", folder.join("opt/ml")).stdin(std::process::Stdio::piped()).spawn().unwrap()
    };
    let (mut orphan, mut stranger) = (run_for(&folder), run_for(&state.path().join("elsewhere/algo-1")));

    let _account = Account::build(Fake::builder().state(state.path()));
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&orphan.wait().unwrap()), Some(9));
    assert!(!state.path().join("jobs").exists());
    // A process of another state is left alone: it ends when its input does.
    drop(stranger.stdin.take());
    assert!(stranger.wait().unwrap().success());
}

#[tokio::test]
async fn a_job_that_was_stopping_is_not_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let meeting = Meeting::new(&["started", "never"]);
    let script = format!("trap '' TERM; cd {}; echo x > started; read x < never", meeting.folder().display());
    let account = Account::build(Fake::builder().state(folder.path()));
    account.call("CreateProcessingJob", processing_job("job", &script)).unwrap();
    meeting.hear("started").await;
    account.call("StopProcessingJob", json!({"ProcessingJobName": "job"})).unwrap();
    engine::close(account.fake).await;

    let account = Account::reopen(Fake::builder().state(folder.path())).await;
    let job = account.ended(Kind::ProcessingJob, "job").await;
    assert_eq!((job.status, job.attempt), (Status::Stopped, 1));
}
