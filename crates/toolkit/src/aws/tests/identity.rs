//! Who works, and what is said when the role cannot be assumed.

use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_http_client::test_util::StaticReplayClient;

use super::*;
use crate::aws::identity::{Identity, Wanted, become_wanted};
use crate::aws::{Clients, Mode};
use crate::error::{Failure, Kind};
use crate::settings::RoleArn;

const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/sts/stsmm-run";
const DENIED: &str = "User: arn:aws:iam::111122223333:user/me is not authorized to perform: sts:AssumeRole on resource: \
                      arn:aws:iam::111122223333:role/service-role/sts";

fn assumed(key: &str, expiration: &str) -> (u16, String) {
    let body = format!(
        "<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser><Arn>{SESSION}</Arn><AssumedRoleId>AROA:stsmm-run</AssumedRoleId>\
         </AssumedRoleUser><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
         <SessionToken>token-of-{key}</SessionToken><Expiration>{expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    );
    (200, body)
}

async fn become_role(http: &StaticReplayClient, as_caller: bool) -> Result<(SdkConfig, Identity), Failure> {
    let role = RoleArn::parse(ROLE).unwrap();
    let wanted = Wanted { verb: "run", role: Some(&role), prefix: "my-prefix", as_caller, mode: Mode::Dry };
    become_wanted(config(SharedHttpClient::new(http.clone())).await, wanted).await
}

#[tokio::test]
async fn a_verb_is_a_tagged_session_of_the_role() {
    let http = replay([
        caller_is(USER),
        assumed("ASIA1", "2100-01-01T00:00:00Z"),
        (200, "{}".to_owned()),
        (200, "{}".to_owned()),
    ]);
    let (config, identity) = become_role(&http, false).await.unwrap();
    assert_eq!((identity.caller.as_str(), identity.session.as_str()), (USER, SESSION));
    assert_eq!((identity.account.as_str(), identity.role.as_deref()), ("111122223333", Some(ROLE)));
    let asked = &bodies(&http)[1];
    for part in [
        "Action=AssumeRole",
        "RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fservice-role%2Fsts",
        "RoleSessionName=stsmm-run",
        "Tags.member.1.Key=Project&Tags.member.1.Value=my-prefix",
        "Tags.member.2.Key=Tool&Tags.member.2.Value=stsmodelmonitor",
    ] {
        assert!(asked.contains(part), "{part} is not in {asked}");
    }
    // All clients share the one session.
    let clients = Clients::new(&config, Mode::Live);
    clients.sagemaker.list_pipelines().send().await.unwrap();
    clients.logs.streams("g", "s").await.unwrap();
    let requests: Vec<_> = http.actual_requests().collect();
    assert_eq!(requests.len(), 4);
    for request in &requests[2..] {
        assert!(request.headers().get("authorization").unwrap().contains("Credential=ASIA1/"));
        assert_eq!(request.headers().get("x-amz-security-token"), Some("token-of-ASIA1"));
    }
}

#[tokio::test]
async fn the_session_is_renewed_before_it_ends() {
    let http =
        replay([caller_is(USER), assumed("ASIA1", "2026-01-01T01:00:00Z"), assumed("ASIA2", "2026-01-01T02:00:00Z")]);
    let role = RoleArn::parse(ROLE).unwrap();
    let wanted = Wanted { verb: "run", role: Some(&role), prefix: "sts", as_caller: false, mode: Mode::Live };
    let at = |minute: u64| std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_767_225_600 + 60 * minute);
    let clock = std::sync::Arc::new(std::sync::Mutex::new(at(0)));
    let config =
        config(SharedHttpClient::new(http.clone())).await.into_builder().time_source(Clock(clock.clone())).build();
    let (config, _) = become_wanted(config, wanted).await.unwrap();
    let provider = config.credentials_provider().unwrap();
    for (minute, key) in [(0, "ASIA1"), (58, "ASIA1"), (59, "ASIA2"), (61, "ASIA2")] {
        *clock.lock().unwrap() = at(minute);
        assert_eq!(provider.provide_credentials().await.unwrap().access_key_id(), key, "minute {minute}");
    }
}

#[derive(Debug, Clone)]
struct Clock(std::sync::Arc<std::sync::Mutex<std::time::SystemTime>>);

impl aws_smithy_async::time::TimeSource for Clock {
    fn now(&self) -> std::time::SystemTime {
        *self.0.lock().unwrap()
    }
}

#[tokio::test]
async fn whoever_is_the_role_already_or_wants_to_stay_does_not_assume_it() {
    for (caller, as_caller) in [(SESSION, false), (USER, true)] {
        let http = replay([caller_is(caller)]);
        let (_, identity) = become_role(&http, as_caller).await.unwrap();
        assert_eq!(identity.session, caller);
        assert_eq!(identity.role.as_deref(), Some(ROLE));
        assert_eq!(http.actual_requests().count(), 1);
    }
    // Another role's session has to assume ours.
    let http =
        replay([caller_is("arn:aws:sts::111122223333:assumed-role/other/x"), assumed("ASIA1", "2100-01-01T00:00:00Z")]);
    assert_eq!(become_role(&http, false).await.unwrap().1.session, SESSION);
}

#[tokio::test]
async fn a_refused_role_is_explained() {
    let denied = || sts_refuses(403, "AccessDenied", DENIED);
    let tagging = || sts_refuses(403, "AccessDenied", &DENIED.replace("AssumeRole", "TagSession"));
    let fine = || assumed("ASIA1", "2100-01-01T00:00:00Z");
    let cases = [
        // (caller, answers to AssumeRole, part of the hint, calls)
        (USER, vec![tagging(), fine()], "only the tags are refused: allow sts:TagSession", 3),
        (USER, vec![denied(), denied()], "does not exist, or does not trust arn:aws:iam::111122223333:user/me", 3),
        (
            "arn:aws:sts::999988887777:assumed-role/dev/x",
            vec![denied(), denied()],
            "the policies of arn:aws:sts::999988887777:assumed-role/dev/x must allow it too",
            3,
        ),
        (
            "arn:aws:sts::999988887777:assumed-role/dev/x",
            vec![denied(), denied()],
            r#"{"AWS": "arn:aws:iam::999988887777:role/dev"}, "Action": ["sts:AssumeRole", "sts:TagSession"]"#,
            3,
        ),
        ("arn:aws:iam::111122223333:root", vec![denied()], "the root user cannot assume a role", 2),
        (
            USER,
            vec![sts_refuses(403, "RegionDisabledException", "STS is not activated")],
            "AWS STS is not active in this region",
            2,
        ),
        (
            USER,
            vec![sts_refuses(403, "ExpiredToken", "The security token included in the request is expired")],
            "log in again",
            2,
        ),
    ];
    for (caller, answers, hint, calls) in cases {
        let http = replay([caller_is(caller)].into_iter().chain(answers));
        let failure = become_role(&http, false).await.unwrap_err();
        assert!(failure.next().unwrap_or_default().contains(hint), "{failure:?}");
        assert_eq!(failure.kind(), Kind::Operation);
        assert_eq!(http.actual_requests().count(), calls, "{failure:?}");
    }
}
