//! The verbs of the binary, whether somebody serves the state or not.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::export::{BINARY, Served, serve, serve_with};

#[track_caller]
fn run(arguments: &[&str], state: &Path) -> (bool, String, String) {
    let output = Command::new(BINARY).args(arguments).arg("--state").arg(state).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

#[track_caller]
fn said(arguments: &[&str], state: &Path) -> String {
    let (success, out, error) = run(arguments, state);
    assert!(success, "{error}");
    out
}

#[track_caller]
fn json(arguments: &[&str], state: &Path) -> Value {
    serde_json::from_str(&said(&[arguments, &["--output", "json"]].concat(), state)).unwrap()
}

#[test]
fn control_verbs_steer_served_and_unserved() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let (success, _, error) = run(&["reset"], &state);
    assert!(!success && error.contains("there is no state in"), "{error}");
    assert_eq!(said(&["state"], &state), "there is no state yet\n");
    let (success, _, error) = run(&["scenario", "redy"], &state);
    assert!(!success && error.contains("did you mean `ready`?"), "{error}");
    assert!(!state.exists());

    let steer = || {
        assert_eq!(said(&["scenario", "scp-denies"], &state), "account 111122223333 begins again as `scp-denies`\n");
        assert_eq!(json(&["scenario"], &state)["scenario"], "scp-denies");
        assert!(said(&["state"], &state).starts_with("began as `scp-denies`, IAM is enforced\n"));
        said(&["advance", "1h"], &state);
        assert_eq!(json(&["state"], &state)["clock"]["offset"]["ms"], 3_600_000);
        assert_eq!(said(&["reset"], &state), "account 111122223333 begins again as `scp-denies`\n");
        assert_eq!(json(&["state"], &state)["clock"], Value::Null);
        assert_eq!(json(&["scenario", "ready"], &state)["enforces_iam"], false);

        let tar = folder.path().join("account.tar");
        said(&["advance", "1h"], &state);
        let before = json(&["export"], &state);
        assert!(said(&["export", tar.to_str().unwrap()], &state).starts_with("exported into "));
        said(&["reset"], &state);
        let told = said(&["import", tar.to_str().unwrap()], &state);
        assert!(told.contains("account.tar: ") && told.contains("1 role"), "{told}");
        assert_eq!(json(&["export"], &state), before);
        let document = folder.path().join("state.json");
        std::fs::write(&document, before.to_string()).unwrap();
        assert_eq!(json(&["import", document.to_str().unwrap()], &state)["clock"], 1);
        let (success, _, error) = run(&["import", "/nowhere"], &state);
        assert!(!success && error.contains("cannot read /nowhere"), "{error}");
    };
    steer();
    let (success, _, error) = run(&["faults"], &state);
    assert!(!success && error.contains("faults last as long as a server does"), "{error}");
    let served = serve(&state);
    steer();
    let fault = ["faults", "add", "--fault", "throttle", "--operation", "ListModels", "--times", "2"];
    assert_eq!(said(&fault, &state), "1  throttle operation=ListModels times=2  (struck 0 of 0)\n");
    let file = folder.path().join("rules.toml");
    std::fs::write(&file, "[[faults]]\nfault = \"CapacityError\"\nkind = \"training-job\"\n").unwrap();
    assert_eq!(json(&["faults", "add", "--file", file.to_str().unwrap()], &state).as_array().unwrap().len(), 2);
    let (success, _, error) = run(&["faults", "add", "--fault", "throtle"], &state);
    assert!(!success && error.contains("did you mean `throttle`?"), "{error}");
    assert_eq!(json(&["faults", "remove", "1"], &state)[0]["id"], 2);
    assert_eq!(said(&["faults", "remove"], &state), "nothing goes wrong on request\n");
    let url = ["--url", served.url.as_str()];
    let other = Command::new(BINARY).arg("scenario").args(url).output().unwrap();
    assert!(String::from_utf8(other.stdout).unwrap().starts_with("account 111122223333 began as `ready`\n"));
}

#[test]
fn control_serve_says_where_and_how() {
    let folder = tempfile::tempdir().unwrap();
    let Served { ready, .. } = &serve_with(folder.path(), &["--pace", "describes:2"]);
    let url = ready["endpoint_url"].as_str().unwrap();
    assert_eq!(ready["control_url"].as_str(), Some(format!("{url}/_stsmm").as_str()));
    let (success, _, error) = run(&["serve", "--pace", "slowly"], folder.path());
    assert!(!success && error.contains("it is `instant`, `describes:N`, or a time such as 30s"), "{error}");
}
