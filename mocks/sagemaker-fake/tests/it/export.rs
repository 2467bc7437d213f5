//! The binary: what it serves, the state that it shows, and its clock.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use http::Method;
use sagemaker_fake::doors::control;
use serde_json::{Value, json};

pub const BINARY: &str = env!("CARGO_BIN_EXE_sagemaker-fake");

pub struct Served {
    process: Child,
    pub url: String,
    pub ready: Value,
}

impl Drop for Served {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

pub fn serve(state: &Path) -> Served {
    serve_with(state, &[])
}

pub fn serve_with(state: &Path, flags: &[&str]) -> Served {
    let mut command = Command::new(BINARY);
    command.args(["serve", "--port", "0", "--output", "json", "--state"]).arg(state).args(flags).stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let ready: Value = serde_json::from_str(&ready).unwrap();
    Served { process, url: ready["endpoint_url"].as_str().unwrap().to_owned(), ready }
}

fn export(state: &Path) -> Value {
    let output = Command::new(BINARY).arg("export").arg("--state").arg(state).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn no_state_is_empty_and_stays_that_way() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    assert_eq!(export(&state), json!({}));
    assert!(!state.exists());
}

#[test]
fn the_state_is_the_same_served_killed_and_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let mut served = serve(folder.path());
    let state = export(folder.path());
    assert_eq!(state["role"]["sts-execution"]["name"], "sts-execution");
    assert_eq!(state, control::ask(&served.url, &Method::GET, "state").unwrap());

    // A second server has no business here, and says where the first one is.
    let second = Command::new(BINARY).args(["serve", "--port", "0", "--state"]).arg(folder.path()).output().unwrap();
    assert!(!second.status.success());
    assert!(String::from_utf8_lossy(&second.stderr).contains(&served.url));

    served.process.kill().unwrap();
    served.process.wait().unwrap();
    assert_eq!(export(folder.path()), state, "after a kill");
    assert!(folder.path().join("owner.json").exists());

    let mut served = serve(folder.path());
    let pid = served.process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(served.process.wait().unwrap().success());
    assert!(!folder.path().join("owner.json").exists());
    assert_eq!(export(folder.path()), state, "after a stop");
}

#[test]
fn the_clock_is_moved_whether_served_or_not_and_stays_so() {
    #[track_caller]
    fn check(state: &Path, by: &str, ahead: i64) {
        let output =
            Command::new(BINARY).args(["advance", by, "--output", "json", "--state"]).arg(state).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let moved: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(moved["offset"]["ms"], 1000 * ahead);
        assert_eq!(export(state)["clock"], json!({"offset": {"ms": 1000 * ahead}}));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut served = serve(folder.path());
    assert_eq!(export(folder.path())["clock"], Value::Null);
    check(folder.path(), "2h", 7200);
    served.process.kill().unwrap();
    served.process.wait().unwrap();
    check(folder.path(), "1day 30s", 7200 + 86_430);
    let served = serve(folder.path());
    check(folder.path(), "1s", 7200 + 86_431);

    let refused = control::ask(&served.url, &Method::POST, "clock/advance?seconds=-1").unwrap_err().to_string();
    assert!(refused.contains("400"), "{refused}");
}

#[test]
fn what_cannot_be_moved_is_said() {
    #[track_caller]
    fn check(state: &Path, by: &str, said: &str) {
        let output = Command::new(BINARY).args(["advance", by, "--state"]).arg(state).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains(said), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    check(folder.path(), "1h", "there is no state in");
    check(folder.path(), "yesterday", "expected number");
    drop(serve(folder.path()));
    check(folder.path(), "101years", "further than a century");
}
