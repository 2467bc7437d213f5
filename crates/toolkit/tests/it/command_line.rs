//! Exit codes, and what is said when something is missing.

use std::process::Stdio;

use crate::user::{User, done};

#[test]
fn usage_ends_with_code_2_and_help_with_0() {
    let user = User::new();
    for (arguments, code) in [
        (&["--help"][..], 0),
        (&["run", "--help"], 0),
        (&[], 2),
        (&["nonsense"], 2),
        (&["run", "--nonsense"], 2),
        (&["run", "--param", "MseThreshold"], 2),
        (&["config", "--output", "yaml"], 2),
        (&["config", "--offline", "--endpoint-url", "http://127.0.0.1:1"], 2),
        (&["config", "--state", "x"], 2),
        (&["config", "--scenario", "ready"], 2),
        (&["config", "--offline", "--scenario", "ready"], 0),
        (&["bootstrap", "--offline", "--scenario", "nobody"], 2),
    ] {
        let (actual, stdout, stderr) = user.run(&[], arguments);
        assert_eq!(actual, code, "{arguments:?}\n{stdout}\n{stderr}");
    }
    assert!(!user.state().exists());
}

#[test]
fn a_verb_that_needs_a_role_says_what_to_set() {
    for verb in [&["bootstrap"][..], &["run"], &["watch"], &["stop"], &["logs", "TrainSTSModel"]] {
        let (code, stdout, stderr) = User::new().run(&[], verb);
        assert_eq!((code, stdout.as_str()), (2, ""), "{verb:?}: {stderr}");
        assert!(
            stderr.starts_with(&format!("error: `{}` works as a role, and AWS_ROLE is not set", verb[0])),
            "{stderr}"
        );
        assert!(stderr.contains("hint: set AWS_ROLE"), "{stderr}");
    }
}

#[test]
fn without_credentials_it_is_said_who_was_asked() {
    let role = [("AWS_ROLE", "arn:aws:iam::111122223333:role/sts")];
    let (code, _, stderr) = User::new().run(&role, &["bootstrap"]);
    assert_eq!(code, 1);
    assert!(stderr.contains("there are no credentials: these were asked\n  Environment: "), "{stderr}");
    assert!(stderr.contains("hint: set AWS_PROFILE"), "{stderr}");
}

#[test]
fn a_dry_run_without_credentials_says_what_is_known() {
    for environment in [&[][..], &[("AWS_ROLE", "arn:aws:iam::111122223333:role/sts")]] {
        let (code, stdout, stderr) = User::new().run(environment, &["run", "--dry", "--output", "json"]);
        assert_eq!(code, 3, "{stderr}");
        let plan: serde_json::Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(plan["actions"][0]["verdict"], "unknown", "{stdout}");
    }
}

#[test]
fn nobody_at_the_endpoint_is_no_hang() {
    let environment = [
        ("AWS_ROLE", "arn:aws:iam::111122223333:role/sts"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_MAX_ATTEMPTS", "1"),
    ];
    // A port that was just free: nobody listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, _, stderr) = User::new().run(&environment, &["bootstrap", "--endpoint-url", &format!("http://{free}")]);
    assert_eq!(code, 1);
    assert!(stderr.starts_with("error: GetCallerIdentity did not reach AWS: "), "{stderr}");
}

#[test]
fn a_reader_that_goes_away_is_content() {
    let user = User::new();
    let mut child = user.command(&[], &["config"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let (code, _, stderr) = done(&child.wait_with_output().unwrap());
    assert_eq!((code, stderr.as_str()), (0, ""));
}

#[test]
fn the_container_has_no_settings() {
    // A wrong setting would stop every other verb.
    let (code, _, stderr) = User::new().run(&[("AWS_ROLE", "wrong")], &["container", "no-such-program"]);
    assert_ne!(code, 0);
    assert!(!stderr.contains("AWS_ROLE"), "{stderr}");
}
