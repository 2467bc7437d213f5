//! Whole runs of the binary against the fake: what a user sees, what is left behind, and who asked for it.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use assert_cmd::cargo::cargo_bin;
use sagemaker_fake::Fake;
use sagemaker_fake::doors::http;
use sagemaker_fake::doors::owner::Owner;
use sagemaker_fake::protocol::Checked;
use serde_json::Value;
use tempfile::TempDir;

/// A user with nothing: no home, no configuration, no environment.
struct User {
    folder: TempDir,
}

impl User {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(cargo_bin("stsmm"));
        command.env_clear().env("HOME", self.folder.path()).current_dir(self.folder.path());
        command.args(arguments).args(["--offline", "--state"]).arg(self.state());
        command
    }

    /// Runs a verb offline.
    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a verb offline that must end with this code; its stdout.
    #[track_caller]
    fn expect(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        stdout
    }

    /// The same, with one JSON document on stdout.
    #[track_caller]
    fn json(&self, code: i32, arguments: &[&str]) -> Value {
        let stdout = self.expect(code, &[arguments, &["--output", "json"]].concat());
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{stdout}"))
    }

    /// The whole state.
    /// Moves the clock of the account while nobody works in it.
    fn advance(&self, by: Duration) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _entered = runtime.enter();
        Fake::builder().state(self.state()).at_rest(true).build().unwrap().advance(by).unwrap();
    }

    fn export(&self) -> Value {
        let state = self.state();
        sagemaker_fake::export::folder(&state).unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn steps(report: &Value) -> Vec<(&str, &str)> {
    let steps = report["steps"].as_array().expect("a report lists its steps");
    steps.iter().map(|step| (step["name"].as_str().unwrap(), step["status"].as_str().unwrap())).collect()
}

#[test]
fn a_run_trains_evaluates_and_registers() {
    let user = User::new();
    let report = user.json(0, &["run"]);
    assert_eq!(report["status"], "Succeeded");
    let order = [
        ("PreprocessSTSData", "Succeeded"),
        ("TrainSTSModel", "Succeeded"),
        ("EvaluateSTSModel", "Succeeded"),
        ("CheckMSESTSEvaluation", "Succeeded"),
        ("SetupMonitoringData", "Succeeded"),
        ("RegisterSTSModel", "Succeeded"),
    ];
    assert_eq!(steps(&report), order);
    let package = report["model_package"]["arn"].as_str().unwrap();
    assert!(package.ends_with(":model-package/stsPackageGroup/1"), "{package}");
    assert_eq!(report["model_package"]["approval_status"], "Approved");
    let metrics = &report["metrics"];
    let (mse, constant) = (metrics["mse"].as_f64().unwrap(), metrics["mse_best_constant_classifier"].as_f64().unwrap());
    assert!(0.0 < mse && mse < constant, "hard enough to err, easy enough to learn: {metrics}");

    // The logs of its steps are there for another command.
    let log = user.expect(0, &["logs", "TrainSTSModel"]);
    assert!(!log.trim().is_empty());
    // And the execution can be followed again, by id, with the same report.
    let id = report["arn"].as_str().unwrap().rsplit('/').next().unwrap();
    assert_eq!(user.json(0, &["watch", id]), report);
}

#[test]
fn the_gate_refuses_and_nothing_is_registered() {
    let user = User::new();
    let report = user.json(1, &["run", "--param", "MseThreshold=0.05"]);
    assert_eq!(report["status"], "Failed");
    assert_eq!(steps(&report).last(), Some(&("FailSTSModel", "Failed")));
    assert!(report["model_package"].is_null());
    assert!(user.export()["model-package"].is_null(), "{}", user.export());
    let message = report["steps"].as_array().unwrap().last().unwrap()["failure_reason"].as_str().unwrap();
    assert!(message.contains("0.05"), "the message carries the threshold: {message}");
}

/// Labels that have nothing to do with the sentences: no model is better than the majority, at any threshold.
#[test]
fn a_majority_vote_passes_at_no_threshold() {
    let user = User::new();
    let input = user.folder.path().join("pairs.tsv");
    let mut lines = vec!["Quality\t#1 ID\t#2 ID\t#1 String\t#2 String".to_owned()];
    for row in 0..600 {
        // Two thirds are labelled 1, by a rule that no feature of the sentences sees.
        let label = u8::from((row * 7919 % 3) != 0);
        let sentence = format!("the same words stand here in row {row}");
        lines.push(format!("{label}\t{row}\t{}\t{sentence}\t{sentence}", row + 10_000));
    }
    std::fs::write(&input, lines.join("\n")).unwrap();
    let report = user.json(1, &["run", "--input", input.to_str().unwrap(), "--param", "MseThreshold=1.0"]);
    assert_eq!(steps(&report).last(), Some(&("FailSTSModel", "Failed")), "{report:#}");
}

#[test]
fn a_dry_run_changes_nothing_and_makes_nothing() {
    let user = User::new();
    let plan = user.json(0, &["run", "--dry"]);
    assert!(!user.state().exists(), "a dry run makes no state");
    assert_eq!(verdicts(&plan), ["create", "create", "create", "create", "start"]);

    user.expect(0, &["run"]);
    let before = user.export();
    let plan = user.json(0, &["run", "--dry"]);
    assert_eq!(verdicts(&plan), ["keep", "keep", "keep", "keep", "start"]);
    assert_eq!(user.export(), before);

    let other = user.json(0, &["run", "--dry", "--base-job-prefix", "other"]);
    assert_eq!(verdicts(&other), ["keep", "keep", "create", "update", "start"]);
    assert_eq!(user.export(), before);
    assert_eq!(user.json(0, &["bootstrap", "--dry"])["actions"].as_array().unwrap().len(), 2);
    assert_eq!(user.export(), before);
}

fn verdicts(plan: &Value) -> Vec<&str> {
    plan["actions"].as_array().unwrap().iter().map(|action| action["verdict"].as_str().unwrap()).collect()
}

#[test]
fn a_killed_run_is_gone_on_with() {
    let user = User::new();
    let mut child = user.command(&["run"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut started = None;
    for line in lines {
        let line = line.unwrap();
        if let Some(arn) = line.strip_prefix("started ") {
            started = Some(arn.to_owned());
        }
        // The step's process is running: this is the middle of the run.
        if line.contains("PreprocessSTSData") && started.is_some() {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();

    // Looking at what it left in the middle does not go on with it.
    let left = user.export();
    assert_eq!(verdicts(&user.json(0, &["run", "--dry"])).last(), Some(&"start"));
    assert_eq!(user.export(), left);

    let resumed = user.json(0, &["watch", &started.unwrap()]);
    assert_eq!(resumed["status"], "Succeeded", "{resumed:#}");
    let again = user.json(0, &["run"]);
    assert_eq!(again["model_package"]["arn"].as_str().unwrap().rsplit('/').next(), Some("2"));
}

/// The steps of a report that were not run again.
fn cached(report: &Value) -> Vec<&str> {
    let steps = report["steps"].as_array().unwrap();
    steps.iter().filter(|step| step["cached_from"].is_string()).map(|step| step["name"].as_str().unwrap()).collect()
}

#[test]
fn what_has_not_changed_does_not_run_again() {
    let user = User::new();
    let jobs = ["PreprocessSTSData", "TrainSTSModel", "EvaluateSTSModel", "SetupMonitoringData"];
    let first = user.json(0, &["run"]);
    assert!(cached(&first).is_empty());
    let second = user.json(0, &["run"]);
    assert_eq!(cached(&second), jobs);
    assert_eq!((&second["metrics"], &second["rows"]), (&first["metrics"], &first["rows"]));

    // What will be cached can be asked before.
    let explained = |parameter: &str| {
        let plan = user.json(0, &["run", "--dry", "--explain-cache", "--param", parameter]);
        let cache = plan["cache"].as_array().unwrap().clone();
        cache.into_iter().map(|it| (it["hit"].as_bool().unwrap(), it["because"].as_str().unwrap().to_owned())).collect()
    };
    let same: Vec<(bool, String)> = explained("MseThreshold=0.05");
    assert!(same.iter().all(|(hit, because)| *hit && because.starts_with("the same as in execution ")), "{same:?}");
    let other: Vec<(bool, String)> = explained("L2=10.0");
    assert_eq!(other.iter().map(|(hit, _)| *hit).collect::<Vec<_>>(), [true, false, false, false]);
    assert!(other[1].1.ends_with(" in HyperParameters/l2"), "{other:?}");
    assert_eq!(other[2].1, "what it reads is made anew by TrainSTSModel");

    // The gate is asked anew; everything before it is the same.
    let refused = user.json(1, &["run", "--param", "MseThreshold=0.05"]);
    assert_eq!(cached(&refused), jobs[..3]);
    let other = user.json(0, &["run", "--param", "L2=10.0"]);
    assert_eq!(cached(&other), jobs[..1]);

    // Results are kept for thirty days.
    user.advance(Duration::from_secs(31 * 86_400));
    let expired: Vec<(bool, String)> = explained("L2=10.0");
    assert!(!expired[0].0 && expired[0].1.ends_with(" is 31 days old, and a result is kept for 30"), "{expired:?}");
    assert!(cached(&user.json(0, &["run"])).is_empty());
}

/// What failed runs again, under the same ARN; here it fails again, for the same reason.
#[test]
fn what_failed_is_retried() {
    let user = User::new();
    let input = user.folder.path().join("pairs.tsv");
    std::fs::write(&input, "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t1\t2\tone pair\tis too few\n").unwrap();
    let failed = user.json(1, &["run", "--input", input.to_str().unwrap()]);
    let arn = failed["arn"].as_str().unwrap();
    let again = user.json(1, &["retry", arn]);
    assert_eq!((&again["arn"], steps(&again).len()), (&failed["arn"], 1));
    let words = again["last_words"].as_str().unwrap();
    assert!(words.contains("pairs of both classes"), "{words}");

    user.expect(0, &["run"]);
    let refused = user.run(&["retry"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("is Succeeded: there is nothing to retry"), "{}", text(&refused.stderr));
}

#[test]
fn an_execution_is_started_watched_and_stopped() {
    let user = User::new();
    let nothing = user.run(&["watch"]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(text(&nothing.stderr).contains("has no execution yet"), "{}", text(&nothing.stderr));

    let started = user.json(0, &["run", "--detach"]);
    let arn = started["execution"].as_str().unwrap();
    user.expect(0, &["watch", arn]);
    let stopped = user.run(&["stop", arn]);
    assert_eq!(stopped.status.code(), Some(1));
    assert!(text(&stopped.stderr).contains("has ended already, as Succeeded"), "{}", text(&stopped.stderr));
}

/// Every verb works as the role, in a session with tags; only the way to that session is the user's.
#[tokio::test(flavor = "multi_thread")]
async fn every_verb_works_as_the_tagged_session_of_the_role() {
    let user = User::new();
    let fake = Fake::builder().state(user.state()).programs(programs()).build().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = http::serve(&fake, listener, Checked::Yes).unwrap();
    let _owner = Owner::claim(&user.state(), server.url()).unwrap();
    let verbs: [(&str, &[&str]); 6] = [
        ("bootstrap", &["bootstrap"]),
        ("run", &["run"]),
        ("watch", &["watch"]),
        ("logs", &["logs", "TrainSTSModel"]),
        ("run", &["run", "--dry"]),
        ("stop", &["stop"]),
    ];
    let mut seen = 0;
    for (verb, arguments) in verbs {
        tokio::task::block_in_place(|| user.run(arguments));
        let calls = fake.calls.snapshot().split_off(seen);
        seen += calls.len();
        // What SageMaker does in the role's name is not the verb's doing.
        let own: Vec<_> = calls.iter().filter(|call| !call.caller.ends_with("/SageMaker")).collect();
        assert!(own.len() > 2, "{verb}: {own:?}");
        for call in own {
            // Who may look into IAM is more often the caller than the role.
            if ["sts", "iam"].contains(&&*call.service) {
                continue;
            }
            let session = format!("arn:aws:sts::111122223333:assumed-role/sts-execution/stsmm-{verb}");
            assert_eq!(call.caller, session, "{call:?}");
            let tags = [("Project", "sts"), ("Tool", "stsmodelmonitor")].map(|(key, value)| (key.into(), value.into()));
            assert_eq!(call.session_tags, tags, "{call:?}");
            assert_eq!(call.region, "eu-west-1");
        }
    }
}

/// The image that the definition names is the program that is being tested.
fn programs() -> sagemaker_fake::jobs::programs::Programs {
    sagemaker_fake::jobs::programs::Programs::built_in().own_binary(cargo_bin("stsmm"))
}
