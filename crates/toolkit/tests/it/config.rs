//! `config`: every setting with its origin, and no secret.

use serde_json::{Value, json};

use crate::user::User;

fn document(user: &User, environment: &[(&str, &str)], arguments: &[&str]) -> (Value, String) {
    let (code, stdout, stderr) = user.run(environment, &[arguments, &["config", "--output", "json"]].concat());
    assert_eq!(code, 0, "{stderr}");
    (serde_json::from_str(&stdout).unwrap(), stderr)
}

#[test]
fn defaults_need_neither_credentials_nor_a_role() {
    let (code, stdout, stderr) = User::new().run(&[], &["config"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let line = |name: &str| {
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        stdout
            .lines()
            .map(words)
            .find(|line| line.starts_with(&format!("{name} ")))
            .unwrap_or_else(|| panic!("{name}: {stdout}"))
    };
    assert_eq!(line("AWS_ROLE"), "AWS_ROLE (unset) default");
    assert_eq!(line("AWS_DEFAULT_REGION"), "AWS_DEFAULT_REGION eu-west-1 default");
    assert_eq!(line("PIPELINE_NAME"), "PIPELINE_NAME stsPipeline default");
    assert_eq!(line("STSMM_BUCKET"), "STSMM_BUCKET sagemaker-{region}-{account} default");
    assert_eq!(line("credentials"), "credentials looked for when needed the AWS SDK's chain");
    for line in stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn a_long_value_is_wrapped_and_not_cut() {
    let role = format!("arn:aws:iam::111122223333:role/{}/sts", "a".repeat(60));
    let (_, stdout, _) = User::new().run(&[("AWS_ROLE", &role)], &["config"]);
    assert!(stdout.lines().all(|line| line.chars().count() <= 80), "{stdout}");
    let (document, _) = document(&User::new(), &[("AWS_ROLE", &role)], &[]);
    assert_eq!(document["settings"]["AWS_ROLE"]["value"], json!(role));
}

#[test]
fn every_value_has_its_origin() {
    let user =
        User::new().dotenv("# ours\nPIPELINE_NAME=fromFile\nMODEL_PACKAGE_GROUP_NAME=fromFile\nBASE_JOB_PREFIX=file\n");
    let environment =
        [("MODEL_PACKAGE_GROUP_NAME", "fromEnvironment"), ("BASE_JOB_PREFIX", "environment"), ("AWS_PROFILE", "")];
    let (document, _) = document(&user, &environment, &["--base-job-prefix", "flag"]);
    for (name, value, origin) in [
        ("PIPELINE_NAME", json!("fromFile"), ".env:2"),
        ("MODEL_PACKAGE_GROUP_NAME", json!("fromEnvironment"), "environment: MODEL_PACKAGE_GROUP_NAME"),
        ("BASE_JOB_PREFIX", json!("flag"), "--base-job-prefix"),
        ("AWS_DEFAULT_REGION", json!("eu-west-1"), "default"),
        ("AWS_PROFILE", Value::Null, "default"),
    ] {
        assert_eq!(
            (&document["settings"][name]["value"], &document["settings"][name]["origin"]),
            (&value, &json!(origin)),
            "{name}"
        );
    }
}

#[test]
fn dotenv_of_the_project_applies_below_it() {
    let user = User::new().dotenv("PIPELINE_NAME=fromRoot\n");
    let below = user.folder().join("a/b");
    std::fs::create_dir_all(&below).unwrap();
    let output = user.command(&[], &["config", "--output", "json"]).current_dir(&below).output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["settings"]["PIPELINE_NAME"]["value"], "fromRoot");
    assert_eq!(document["settings"]["PIPELINE_NAME"]["origin"], "../../.env:1");
}

#[test]
fn no_secret_is_printed() {
    let user = User::new().dotenv("AWS_ACCESS_KEY_ID=AKIAHUSH\nAWS_SECRET_ACCESS_KEY=hush1\nAWS_SESSION_TOKEN=hush2\n");
    for arguments in [&["config"][..], &["config", "--output", "json"], &["config", "-v"]] {
        let (code, stdout, stderr) = user.run(&[], arguments);
        assert_eq!(code, 0);
        assert!(stdout.contains("set, temporary") && stdout.contains(".env:1"), "{stdout}");
        for said in [stdout, stderr] {
            assert!(!said.to_lowercase().contains("hush"), "{said}");
        }
    }
}

#[test]
fn conflicts_are_said_on_stderr_and_in_the_document() {
    let environment = [
        ("AWS_REGION", "eu-west-2"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1"),
    ];
    let (document, stderr) = document(&User::new(), &environment, &[]);
    let warning = "AWS_REGION is eu-west-2 (environment) and AWS_DEFAULT_REGION is us-east-1 (environment)";
    assert!(stderr.starts_with(&format!("warning: {warning}")), "{stderr}");
    assert!(document["warnings"][0].as_str().unwrap().starts_with(warning));
    assert_eq!(document["endpoints"], json!({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}));
}

#[test]
fn wrong_settings_end_with_code_2_all_together() {
    let user = User::new().dotenv("AWS_ROLE=my-role\nBASE_JOB_PREFIX=\"a b\"\n");
    let (code, stdout, stderr) = user.run(&[], &["config", "--region", "Ireland"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    for part in [
        "error: 3 settings are wrong\n",
        "AWS_ROLE is `my-role` (.env:1): that is the name alone: write arn:aws:iam::ACCOUNT:role/my-role",
        "AWS_DEFAULT_REGION is `Ireland` (--region): ",
        "BASE_JOB_PREFIX is `a b` (.env:2): ` ` is not allowed; right is ",
        "\n\nhint: ",
    ] {
        assert!(stderr.contains(part), "{part:?} is not in\n{stderr}");
    }
}

#[test]
fn a_broken_dotenv_is_named_by_its_line() {
    let (code, _, stderr) = User::new().dotenv("A=1\nAWS_SECRET_ACCESS_KEY hush\n").run(&[], &["config"]);
    assert_eq!(code, 2);
    assert!(stderr.starts_with("error: .env:2 is not of the form KEY=value"), "{stderr}");
    assert!(!stderr.contains("hush"), "{stderr}");
}
