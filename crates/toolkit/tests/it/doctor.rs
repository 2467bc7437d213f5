//! `doctor`: what it says of this machine and of credentials, before anybody is asked.

use std::process::Command;

use serde_json::Value;
use sha1::{Digest, Sha1};

use crate::user::User;

const ROLE: (&str, &str) = ("AWS_ROLE", "arn:aws:iam::222233334444:role/sts-execution");

/// The findings, by id, and the exit code.
pub fn findings(user: &User, environment: &[(&str, &str)], arguments: &[&str]) -> (i32, Vec<Value>) {
    let (code, stdout, stderr) = user.run(environment, &[&["doctor", "--output", "json"], arguments].concat());
    let report: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
    (code, report["findings"].as_array().unwrap().clone())
}

pub fn of<'a>(findings: &'a [Value], id: &str) -> &'a Value {
    findings.iter().find(|finding| finding["id"] == id).unwrap_or_else(|| panic!("{id}: {findings:#?}"))
}

#[test]
fn each_way_to_have_no_credentials_has_its_own_sentence_and_repair() {
    let expired =
        r#"{"startUrl": "https://x", "region": "eu-west-1", "accessToken": "t", "expiresAt": "2020-01-01T00:00:00Z"}"#;
    let config = "[profile corp]\nsso_session = corp\nsso_account_id = 222233334444\nsso_role_name = Dev\n\
                  [sso-session corp]\nsso_start_url = https://x\nsso_region = eu-west-1\nsso_registration_scopes = sso:account:access\n\
                  [profile old]\nsso_start_url = https://x\nsso_region = eu-west-1\nsso_account_id = 222233334444\nsso_role_name = Dev\n";
    let check = |environment: &[(&str, &str)], logged_in: Option<&str>, sentence: &str, repair: &str| {
        let user = User::new();
        std::fs::create_dir_all(user.folder().join(".aws/sso/cache")).unwrap();
        std::fs::write(user.folder().join(".aws/config"), config).unwrap();
        if let Some(login) = logged_in {
            let name = format!(".aws/sso/cache/{:x}.json", Sha1::digest(login));
            std::fs::write(user.folder().join(name), expired).unwrap();
        }
        let (code, findings) = findings(&user, &[&[ROLE], environment].concat(), &["--only", "caller"]);
        assert_eq!(code, 1, "{findings:#?}");
        let credentials = of(&findings, "credentials");
        assert_eq!(credentials["verdict"], "fail");
        assert!(credentials["found"].as_str().unwrap().starts_with(sentence), "{credentials:#}");
        assert!(credentials["repairs"].to_string().contains(repair), "{credentials:#}");
        assert_eq!(of(&findings, "caller")["found"], "waits for credentials");
    };
    check(&[], None, "there are none: no AWS_PROFILE,", "aws configure sso");
    check(&[("AWS_PROFILE", "")], None, "AWS_PROFILE is set but blank,", "unset AWS_PROFILE");
    check(
        &[("AWS_PROFILE", "crop")],
        None,
        "there is no profile `crop`; there are: corp, old",
        "set AWS_PROFILE to one",
    );
    check(
        &[("AWS_PROFILE", "corp")],
        None,
        "nobody has logged in for the profile `corp`",
        "aws sso login --profile corp",
    );
    let ended = "has expired, at 2020-01-01T00:00:00Z";
    let (corp, old) =
        (format!("the login of the profile `corp` {ended}"), format!("the login of the profile `old` {ended}"));
    check(&[("AWS_PROFILE", "corp")], Some("corp"), &corp, "aws sso login --profile corp");
    check(&[("AWS_PROFILE", "old")], Some("https://x"), &old, "aws sso login --profile old");
}

#[test]
fn nobody_waits_for_a_metadata_service() {
    let (code, findings) = findings(&User::new(), &[ROLE], &["--only", "caller"]);
    assert_eq!(code, 1);
    let said = of(&findings, "credentials")["said"].as_str().unwrap();
    assert!(said.contains("IMDS disabled"), "{said}");
}

#[test]
fn a_dotenv_in_version_control_is_told_and_worse_with_secrets() {
    let check = |content: &str, tracked: bool, verdict: &str, words: &str| {
        let user = User::new().dotenv(content);
        let git = |arguments: &[&str]| {
            let done = Command::new("git").arg("-C").arg(user.folder()).args(arguments).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        };
        std::fs::remove_dir(user.folder().join(".git")).unwrap();
        git(&["init", "-q"]);
        if tracked {
            git(&["add", ".env"]);
        }
        let path = std::env::var("PATH").unwrap();
        let (_, findings) = findings(&user, &[("PATH", &path)], &["--only", "dotenv"]);
        let dotenv = of(&findings, "dotenv");
        assert_eq!(dotenv["verdict"], verdict, "{dotenv:#}");
        assert!(dotenv["found"].as_str().unwrap().contains(words), "{dotenv:#}");
        assert!(!dotenv.to_string().contains("hush"), "a secret is printed");
    };
    check("PIPELINE_NAME=a", false, "pass", "sets PIPELINE_NAME");
    check("PIPELINE_NAME=a", true, "warn", "is in version control");
    check("AWS_SECRET_ACCESS_KEY=hush", true, "fail", "is in version control");
}

#[test]
fn what_is_blank_in_conflict_or_elsewhere_is_a_warning() {
    let user = User::new();
    let environment = [
        ("AWS_REGION", "eu-west-2"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("PIPELINE_NAME", ""),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1"),
    ];
    let (code, findings) = findings(&user, &environment, &["--only", "settings,region,endpoints"]);
    assert_eq!(code, 0, "a warning is no failure");
    for (id, words) in [("settings", "PIPELINE_NAME"), ("region", "us-east-1"), ("endpoints", "AWS_ENDPOINT_URL_S3")] {
        let finding = of(&findings, id);
        assert_eq!(finding["verdict"], "warn", "{finding:#}");
        assert!(finding["found"].as_str().unwrap().contains(words), "{finding:#}");
        assert!(!finding["repairs"].as_array().unwrap().is_empty(), "{finding:#}");
    }
}

#[test]
fn the_checks_are_listed_and_named_exactly() {
    let user = User::new();
    let (code, stdout, _) = user.run(&[], &["doctor", "--list"]);
    assert_eq!(code, 0);
    assert!(stdout.lines().any(|line| line.starts_with("permissions-s3 ")), "{stdout}");
    let (code, _, stderr) = user.run(&[], &["doctor", "--only", "permission"]);
    assert_eq!((code, stderr.lines().next().unwrap()), (2, "error: there is no check `permission`"));
}
