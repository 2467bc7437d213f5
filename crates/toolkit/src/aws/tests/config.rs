//! What the SDK is told: keys, regions, endpoints, and where it must not look.

use aws_smithy_http_client::test_util::{NeverClient, capture_request};

use super::*;
use crate::aws::errors::describe;
use crate::aws::{Clients, Mode};
use crate::error::{Failure, Kind};
use crate::settings::{DotEnv, Flags};

/// Makes one call to AWS STS and one to S3 with these settings: (URL, Authorization, User-Agent) of each.
async fn asked(settings: &Settings) -> [(String, String, String); 2] {
    let ((sts, sts_asked), (s3, s3_asked)) = (capture_request(None), capture_request(None));
    let clients = Clients::new(&load(settings, Target::Aws, SharedHttpClient::new(sts)).await, Mode::Live);
    // The double's answer is empty: only what was asked matters.
    _ = clients.sts.get_caller_identity().send().await;
    let clients = Clients::new(&load(settings, Target::Aws, SharedHttpClient::new(s3)).await, Mode::Live);
    _ = clients.s3.head_bucket().bucket("bucket").send().await;
    [sts_asked, s3_asked].map(|asked| {
        let request = asked.expect_request();
        let header = |name| request.headers().get(name).unwrap_or_default().to_owned();
        (request.uri().to_owned(), header("authorization"), header("user-agent"))
    })
}

fn resolve(flags: Flags, environment: &[(&str, &str)], dotenv: &str) -> Settings {
    let environment = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let dotenv = Some(DotEnv::parse(".env".to_owned(), dotenv.as_bytes()).unwrap());
    Settings::resolve(&Sources { flags, environment, dotenv }).unwrap()
}

#[tokio::test]
async fn what_dotenv_says_reaches_the_sdk() {
    let dotenv = "AWS_ACCESS_KEY_ID=AKIAFILE\nAWS_SECRET_ACCESS_KEY=s\nAWS_REGION=eu-north-1\n\
                  AWS_ENDPOINT_URL=http://127.0.0.1:1\nAWS_ENDPOINT_URL_S3=http://127.0.0.1:2\n";
    let [sts, s3] = asked(&resolve(Flags::default(), &[], dotenv)).await;
    assert_eq!((sts.0.as_str(), s3.0.as_str()), ("http://127.0.0.1:1/", "http://127.0.0.1:2/bucket/"));
    for (_, authorization, agent) in [sts, s3] {
        assert!(authorization.contains("Credential=AKIAFILE/"), "{authorization}");
        assert!(authorization.contains("/eu-north-1/"), "{authorization}");
        assert!(agent.contains("app/stsmodelmonitor"), "{agent}");
    }
}

#[tokio::test]
async fn a_flag_is_stronger_than_endpoints_of_single_services() {
    let flags = Flags { endpoint_url: Some("http://127.0.0.1:9".to_owned()), ..Flags::default() };
    let dotenv = "AWS_ACCESS_KEY_ID=AKIAFILE\nAWS_SECRET_ACCESS_KEY=s\nAWS_ENDPOINT_URL_S3=http://127.0.0.1:2\n";
    let [sts, s3] = asked(&resolve(flags, &[], dotenv)).await;
    assert_eq!((sts.0.as_str(), s3.0.as_str()), ("http://127.0.0.1:9/", "http://127.0.0.1:9/bucket/"));
}

#[tokio::test]
async fn aws_has_a_host_for_every_bucket() {
    let dotenv = "AWS_ACCESS_KEY_ID=AKIAFILE\nAWS_SECRET_ACCESS_KEY=s\n";
    let [sts, s3] = asked(&resolve(Flags::default(), &[], dotenv)).await;
    assert_eq!(
        (sts.0.as_str(), s3.0.as_str()),
        ("https://sts.eu-west-1.amazonaws.com/", "https://bucket.s3.eu-west-1.amazonaws.com/")
    );
}

#[tokio::test]
async fn a_profile_that_is_asked_for_wins_over_keys() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("credentials");
    std::fs::write(&file, "[p]\naws_access_key_id = AKIAPROFILE\naws_secret_access_key = s\n").unwrap();
    let environment = [
        ("AWS_ACCESS_KEY_ID", "AKIAENV"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap()),
        ("AWS_CONFIG_FILE", "/nonexistent"),
    ];
    for (profile, key) in [(None, "AKIAENV"), (Some("p".to_owned()), "AKIAPROFILE")] {
        let [sts, _] = asked(&resolve(Flags { profile, ..Flags::default() }, &environment, "")).await;
        assert!(sts.1.contains(&format!("Credential={key}/")), "{}", sts.1);
    }
}

#[tokio::test]
async fn offline_neither_environment_nor_profile_is_read() {
    let dotenv =
        "AWS_ACCESS_KEY_ID=AKIAFILE\nAWS_SECRET_ACCESS_KEY=s\nAWS_ENDPOINT_URL_STS=http://127.0.0.1:2\nAWS_PROFILE=p\n";
    let settings = resolve(Flags::default(), &[], dotenv);
    let (http, sent) = capture_request(None);
    let keys = Credentials::new("AKIAFAKE", "s", None, None, "Scenario");
    let target = Target::Fake { url: "http://127.0.0.1:3", keys: Some(keys) };
    let clients = Clients::new(&load(&settings, target, SharedHttpClient::new(http)).await, Mode::Live);
    _ = clients.sts.get_caller_identity().send().await;
    let request = sent.expect_request();
    assert_eq!(request.uri(), "http://127.0.0.1:3/");
    assert!(request.headers().get("authorization").unwrap().contains("Credential=AKIAFAKE/"));
}

/// What is said when the SDK's chain of credentials finds none in this environment.
async fn without_credentials(environment: &[(&str, &str)]) -> Failure {
    let never = NeverClient::new();
    let config = load(&settings(environment), Target::Aws, SharedHttpClient::new(never.clone())).await;
    let answer = Clients::new(&config, Mode::Live).sts.get_caller_identity().send().await;
    assert_eq!(never.num_calls(), 0, "nobody is asked who would keep a laptop waiting");
    describe("GetCallerIdentity", answer.unwrap_err())
}

#[tokio::test]
async fn nobody_to_be_is_told_with_all_who_were_asked() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path().to_str().unwrap();
    let failure = without_credentials(&[("HOME", home)]).await;
    assert_eq!(failure.kind(), Kind::NoCredentials);
    let text = failure.to_string();
    for provider in ["Environment", "Profile", "WebIdentityToken", "EcsContainer", "Ec2InstanceMetadata"] {
        assert!(text.contains(&format!("\n  {provider}: ")), "{provider} is not in {text}");
    }
    assert!(failure.next().unwrap().contains("--offline"));

    let config_file = format!("{home}/config");
    std::fs::write(&config_file, "[default]\nregion = eu-west-1\n").unwrap();
    let failure =
        without_credentials(&[("HOME", home), ("AWS_CONFIG_FILE", &config_file), ("AWS_PROFILE", "nobody")]).await;
    assert_eq!(failure.kind(), Kind::NoCredentials);
    assert!(failure.to_string().contains("nobody"), "{failure}");
    assert!(failure.next().unwrap().contains("AWS_PROFILE"), "{failure:?}");

    std::fs::write(
        &config_file,
        "[profile sso]\nsso_session = s\nsso_account_id = 111122223333\nsso_role_name = r\n\
         [sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://example.com\n",
    )
    .unwrap();
    let failure =
        without_credentials(&[("HOME", home), ("AWS_CONFIG_FILE", &config_file), ("AWS_PROFILE", "sso")]).await;
    assert_eq!(failure.kind(), Kind::NoCredentials);
    assert!(failure.next().unwrap().contains("aws sso login"), "{failure:?}");
}
