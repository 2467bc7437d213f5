//! The loop from deployment to cleaning up, verb by verb, each a process of its own.

use std::process::Command;

use model_monitor::layout;
use serde_json::Value;
use time::OffsetDateTime;
use toolkit::aws::{Mode, Place, Session};
use toolkit::observe::objects;
use toolkit::settings::{Settings, Sources};

use crate::user::User;

/// What a verb answers as JSON, and its exit code.
fn verb(user: &User, arguments: &[&str]) -> (i32, Value) {
    let (code, stdout, stderr) = user.run(&[], &[arguments, &["--offline", "--output", "json"]].concat());
    let value =
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{stdout}\n{stderr}"));
    (code, value)
}

fn succeeds(user: &User, arguments: &[&str]) -> Value {
    let (code, value) = verb(user, arguments);
    assert_eq!(code, 0, "{arguments:?}: {value:#}");
    value
}

/// A user with a deployed and monitored model.
fn monitored() -> User {
    let user = User::new();
    let (code, _, stderr) = user.run(&[], &["run", "--offline"]);
    assert_eq!(code, 0, "{stderr}");
    succeeds(&user, &["deploy"]);
    to_the_hour(&user);
    succeeds(&user, &["monitor", "setup"]);
    user
}

/// An object of the fake's S3.
fn object(user: &User, key: &str) -> Value {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let settings = Settings::resolve(&Sources::default()).unwrap();
        let place = Place::Offline {
            state: user.state(),
            images: None,
            scenario: "ready".to_owned(),
            enforce_iam: false,
            strict_images: false,
        };
        let session = Session::open(&settings, &place, "test", false, Mode::Dry).await.unwrap();
        let site = &session.site;
        let found = objects::read(&session.clients.s3, &site.bucket, key, &site.account).await.unwrap();
        serde_json::from_slice(&found.unwrap_or_else(|| panic!("{key} is not there"))).unwrap()
    })
}

/// Moves the fake's clock as `mock advance` does: by the state that nobody holds.
fn advance(user: &User, seconds: u64) {
    let state = user.state();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let programs =
            sagemaker_fake::jobs::programs::Programs::built_in().own_binary(assert_cmd::cargo::cargo_bin("stsmm"));
        let fake = sagemaker_fake::Fake::builder().state(&state).programs(programs).build().unwrap();
        fake.advance(std::time::Duration::from_secs(seconds)).unwrap();
        sagemaker_fake::monitoring::all_settled(&fake).await.unwrap();
        sagemaker_fake::engine::close(fake).await;
    });
}

/// To the beginning of an hour, so that what follows is of one.
fn to_the_hour(user: &User) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    advance(user, 3600 - now % 3600);
}

fn statuses(status: &Value) -> Vec<&str> {
    let executions = status["executions"].as_array().unwrap().iter();
    executions.map(|execution| execution["status"].as_str().unwrap()).collect()
}

#[test]
fn verb_by_verb_a_healthy_hour_passes_and_a_drifted_one_is_found() {
    let user = monitored();
    let sent = succeeds(&user, &["traffic"]);
    assert_eq!(sent["sent"], sent["answered"]);
    let dry = succeeds(&user, &["ground-truth", "--dry"]);
    let labels = succeeds(&user, &["ground-truth"]);
    assert_eq!(dry["hours"], labels["hours"], "what was captured is there at once");
    assert_eq!(labels["hours"][0]["matched"], sent["sent"]);
    advance(&user, 3600);
    let (code, status) = verb(&user, &["monitor", "status"]);
    assert_eq!((code, statuses(&status)), (0, vec!["Completed"]));

    succeeds(&user, &["traffic", "--drift", "1"]);
    succeeds(&user, &["ground-truth"]);
    advance(&user, 3600);
    let (code, status) = verb(&user, &["monitor", "status"]);
    assert_eq!((code, statuses(&status)), (4, vec!["CompletedWithViolations", "Completed"]));
    let violations = status["executions"][0]["violations"].as_array().unwrap();
    let named: Vec<_> = violations.iter().map(|violation| violation["metric_name"].as_str().unwrap()).collect();
    assert!(named.contains(&"recall") && !named.contains(&"precision"), "less alike is found less often: {named:?}");

    // Two hours pass, and nobody asks anything.
    advance(&user, 7200);
    let (code, status) = verb(&user, &["monitor", "status"]);
    assert_eq!((code, statuses(&status)), (0, vec!["Failed", "Failed", "CompletedWithViolations", "Completed"]));
    assert_eq!(status["executions"][0]["failure"], "Job inputs had no data");
    assert_eq!(succeeds(&user, &["monitor", "why"])["cause"], "there was no traffic");

    let page = user.folder().join("page.html");
    succeeds(&user, &["monitor", "report", "--html", page.to_str().unwrap()]);
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("Monitoring of sts-endpoint") && !page.contains("http://"), "nothing comes from elsewhere");

    // A drifted hour is looked at now, on its own.
    succeeds(&user, &["traffic", "--drift", "1"]);
    succeeds(&user, &["ground-truth"]);
    let (code, found) = verb(&user, &["monitor", "run-now"]);
    assert_eq!((code, found["status"].as_str().unwrap()), (4, "CompletedWithViolations"));
    succeeds(&user, &["monitor", "stop"]);
    assert_eq!(verb(&user, &["monitor", "status"]).1["status"], "Stopped");
    advance(&user, 7200);
    assert_eq!(statuses(&verb(&user, &["monitor", "status"]).1).len(), 4, "what is stopped does not look");
}

#[test]
fn the_cause_of_a_failed_look_is_named() {
    let user = monitored();
    succeeds(&user, &["traffic", "--rows", "20"]);
    advance(&user, 3600);
    assert_eq!(succeeds(&user, &["monitor", "why"])["cause"], "there are no labels");
    // Labels come two hours late: they are filed where nobody looks.
    succeeds(&user, &["traffic", "--rows", "20"]);
    let late = succeeds(&user, &["ground-truth", "--lag", "2"]);
    assert_eq!(late["hours"][1]["late"], 20);
    advance(&user, 3600);
    assert_eq!(succeeds(&user, &["monitor", "why"])["cause"], "there are no labels");
    // Nothing is captured any more.
    succeeds(&user, &["deploy", "--capture=0"]);
    advance(&user, 3600);
    assert_eq!(succeeds(&user, &["monitor", "why"])["cause"], "nothing is captured");
}

#[test]
fn a_deployment_is_kept_replaced_and_rolled_back() {
    let user = User::new();
    for l2 in ["L2=1", "L2=10"] {
        let (code, _, stderr) = user.run(&[], &["run", "--offline", "--param", l2]);
        assert_eq!(code, 0, "{stderr}");
    }
    let verdicts = |deployment: &Value| -> Vec<String> {
        let actions = deployment["actions"].as_array().unwrap().iter();
        actions.map(|it| format!("{} {}", it["verdict"].as_str().unwrap(), it["kind"].as_str().unwrap())).collect()
    };
    let dry = succeeds(&user, &["deploy", "--dry"]);
    assert_eq!((&dry["version"], &dry["usd_per_hour"]), (&Value::from(2), &Value::from(0.23)));
    let first = dry["package"].as_str().unwrap().replace("/2", "/1");
    let made = ["create model", "create endpoint config", "create endpoint"];
    assert_eq!(verdicts(&succeeds(&user, &["deploy", "--package", &first])), made);
    assert_eq!(verdicts(&succeeds(&user, &["deploy", "--package", &first])), ["keep endpoint"]);
    let replaced =
        ["create model", "create endpoint config", "update endpoint", "delete endpoint config", "delete model"];
    assert_eq!(verdicts(&succeeds(&user, &["deploy"])), replaced);
    let back = succeeds(&user, &["deploy", "--rollback"]);
    assert_eq!((&back["version"], verdicts(&back).len()), (&Value::from(1), 5));
    let (code, _, stderr) = user.run(&[], &["deploy", "--offline", "--package", &first.replace("/1", "/9")]);
    assert_eq!(code, 1, "{stderr}");
}

#[test]
fn after_cleaning_up_nothing_of_ours_is_left_but_what_was_said() {
    let user = monitored();
    succeeds(&user, &["traffic", "--rows", "5"]);
    succeeds(&user, &["ground-truth"]);
    let (code, _, stderr) = user.run(&[], &["cleanup", "--offline"]);
    assert_eq!(code, 2, "nobody is there to agree: {stderr}");
    succeeds(&user, &["cleanup", "--dry"]);
    let done = succeeds(&user, &["cleanup", "--everything", "--yes"]);
    assert!(done["done"].as_bool().unwrap());
    let again = succeeds(&user, &["cleanup", "--everything", "--yes"]);
    assert_eq!((&again["actions"], &again["done"]), (&Value::Array(vec![]), &Value::Bool(false)));
    let state = sagemaker_fake::export::folder(&user.state()).unwrap();
    let kinds: Vec<_> = state.as_object().unwrap().keys().map(String::as_str).collect();
    let left = ["access_key", "bucket", "clock", "job", "log-stream", "metric", "metric-hour", "role", "tags", "user"];
    let about = ["version", "account"];
    let further: Vec<_> = kinds.iter().filter(|kind| !left.contains(kind) && !about.contains(kind)).collect();
    assert!(further.is_empty(), "left beside the history of jobs, logs, metrics and the bucket: {further:?}");
}

/// The endpoint was asked about the test part, and so the monitor must find what the pipeline's evaluation found, by another
/// program: features went through HTTP, answers were captured, labels joined by their ids.
#[test]
fn the_monitor_measures_what_the_evaluation_measured() {
    let user = User::new();
    let run = succeeds(&user, &["run"]);
    succeeds(&user, &["deploy"]);
    to_the_hour(&user);
    succeeds(&user, &["monitor", "setup"]);
    succeeds(&user, &["traffic"]);
    succeeds(&user, &["ground-truth"]);
    advance(&user, 3600);
    let status = succeeds(&user, &["monitor", "status"]);
    let scheduled = status["executions"][0]["scheduled"].as_f64().unwrap();
    let scheduled = layout::hour(OffsetDateTime::from_unix_timestamp(scheduled as i64).unwrap());
    let results = "sts/sts-endpoint/monitoring/results/sts-endpoint/sts-model-quality";
    let statistics = object(&user, &format!("{results}/{scheduled}/statistics.json"));
    let found = &statistics["binary_classification_metrics"];
    for metric in ["accuracy", "f1", "auc"] {
        let (found, expected) = (found[metric]["value"].as_f64().unwrap(), run["metrics"][metric].as_f64().unwrap());
        assert!((found - expected).abs() < 1e-9, "{metric}: {found}, not {expected}");
    }
}

/// A deployment replaces what serves while somebody asks all the time.
#[test]
fn a_redeployment_under_traffic_drops_no_request() {
    let user = monitored();
    let mut traffic: Command =
        user.command(&[], &["traffic", "--offline", "--output", "json", "--rows", "3000", "--rate", "1500"]);
    let traffic = traffic.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    for instance_type in ["ml.m5.large", "ml.m5.xlarge"] {
        succeeds(&user, &["deploy", "--instance-type", instance_type]);
    }
    let done = traffic.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!((&report["answered"], &report["failures"]), (&report["sent"], &Value::Array(vec![])));
}
