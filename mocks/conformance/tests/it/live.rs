//! The program that runs the suite against an account: what it refuses, and a run of it, against the fake.

use std::process::{Command, Output};

use crate::fake;

/// The program, with no environment but this.
fn live_tests(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_live-tests"));
    // Of the directory that it runs in, it reads `.env`.
    let nowhere = env!("CARGO_TARGET_TMPDIR");
    command.args(arguments).env_clear().envs(environment.iter().copied()).current_dir(nowhere).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_dry_run_lists_the_cases_and_what_they_cost() {
    let list = |budget: &str| {
        let output = live_tests(&["--dry", "--budget", budget], &[]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        text(&output.stdout).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (free, all) = (list("free"), list("hours"));
    assert!(free.iter().all(|line| line.contains("  free  ")) && free.len() < all.len(), "{free:?}");
    assert_eq!(all.len(), conformance::cases().len());
}

#[test]
fn an_account_must_be_named_twice() {
    let check = |arguments: &[&str], allowed: &str, part: &str| {
        let output = live_tests(arguments, &[("STSMM_LIVE_TESTS_ACCOUNTS", allowed)]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{output:?}");
        assert!(text(&output.stderr).contains(part), "{output:?}");
    };
    check(&["--yes"], "111122223333", "which account?");
    check(&["--yes", "--account", "111122223333"], "444455556666", "is not among the accounts");
    check(&["--only", "no such case"], "", "no case");
}

/// Cases that have nothing to wait for, so that the program never sleeps here.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_makes_reports_and_removes() {
    let (aws, world) = fake::account().await;
    let (url, role, bucket) = (aws.endpoint_url(), world.account.role.clone(), world.account.bucket.clone());
    let run = async |arguments: &'static [&'static str]| {
        let environment = [
            ("AWS_ENDPOINT_URL".to_owned(), url.clone()),
            ("AWS_ACCESS_KEY_ID".to_owned(), "AKIAIOSFODNN7EXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
            ("AWS_ROLE".to_owned(), role.clone()),
            ("STSMM_BUCKET".to_owned(), bucket.clone()),
            ("STSMM_LIVE_TESTS_ACCOUNTS".to_owned(), "111122223333,444455556666".to_owned()),
        ];
        let running = tokio::task::spawn_blocking(move || {
            let environment: Vec<_> = environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            live_tests(arguments, &environment)
        });
        running.await.unwrap()
    };
    let asked = run(&["--account", "111122223333", "--only", "pipelines::"]).await;
    assert_eq!(asked.status.code(), Some(2), "{asked:?}");
    assert!(text(&asked.stderr).contains("add `--yes`") && asked.stdout.is_empty(), "{asked:?}");
    let other = run(&["--account", "444455556666", "--yes"]).await;
    assert!(text(&other.stderr).contains("the credentials are of account 111122223333"), "{other:?}");
    let done = run(&["--account", "111122223333", "--only", "pipelines::", "--yes"]).await;
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let expected = conformance::cases().iter().filter(|case| case.name.starts_with("pipelines::")).count();
    let lines: Vec<_> = text(&done.stdout).lines().collect();
    assert!(lines.len() == expected && lines.iter().all(|line| line.starts_with("pass  pipelines::")), "{lines:?}");
    assert!(aws.export().get("pipeline").is_none_or(|pipelines| *pipelines == serde_json::json!({})));
}
