//! `--offline`: one account, whoever comes first.

use std::process::Stdio;

use crate::user::{User, done};

#[test]
fn two_at_once_see_one_account() {
    let user = User::new();
    let bootstrap = || {
        let mut command = user.command(&[], &["bootstrap", "--offline"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..3).map(|_| bootstrap()).collect();
    let done: Vec<_> = children.into_iter().map(|child| done(&child.wait_with_output().unwrap())).collect();
    // One of them may find that another has made the same thing since it looked; none may see another account.
    assert!(done.iter().any(|(code, ..)| *code == 0), "{done:?}");
    for (code, _, stderr) in &done {
        assert!(*code == 0 || stderr.contains("already own it") || stderr.contains("already exists"), "{done:?}");
    }
    let (code, stdout, stderr) = user.run(&[], &["bootstrap", "--offline", "--dry", "--output", "json"]);
    assert_eq!(code, 0, "{stderr}");
    let plan: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    for action in plan["actions"].as_array().unwrap() {
        assert_eq!(action["verdict"], "keep", "{plan:#}");
    }
}

#[test]
fn a_role_of_a_real_account_does_no_harm() {
    let user = User::new()
        .dotenv("AWS_ROLE=arn:aws:iam::999988887777:role/real\nAWS_ACCESS_KEY_ID=AKIAREAL\nAWS_SECRET_ACCESS_KEY=s\n");
    let (code, _, stderr) = user.run(&[], &["bootstrap", "--offline", "-v"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("caller: arn:aws:iam::111122223333:user/sts-developer"), "{stderr}");
    assert!(
        stderr.contains("working as: arn:aws:sts::111122223333:assumed-role/sts-execution/stsmm-bootstrap"),
        "{stderr}"
    );
    let (code, _, stderr) = user.run(&[], &["bootstrap", "--offline", "-v", "--as-caller"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("working as: arn:aws:iam::111122223333:user/sts-developer"), "{stderr}");
}

#[test]
fn a_dry_run_makes_no_state() {
    let user = User::new();
    let (code, _, stderr) = user.run(&[], &["bootstrap", "--offline", "--dry"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(!user.folder().join(".stsmm").exists());
}
