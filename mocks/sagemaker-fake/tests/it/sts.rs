//! AWS STS through the real SDK.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder;
use aws_sdk_sts::types::{PolicyDescriptorType, Tag};
use sagemaker_fake::account::SessionContext;
use sagemaker_fake::iam::Role;
use sagemaker_fake::protocol::caller;
use sagemaker_fake::store::Records;
use sagemaker_fake::sts::session::{NewSession, issue};
use sagemaker_fake::testing::FakeAws;

use crate::clients::{self, ROLE, said, sts_as, user};

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build().unwrap()
}

async fn session(aws: &FakeAws, caller: Credentials, name: &str, tags: Vec<Tag>) -> Credentials {
    let client = sts_as(aws, caller);
    let answer = client.assume_role().role_arn(ROLE).role_session_name(name).set_tags(Some(tags)).send().await.unwrap();
    let got = answer.credentials.unwrap();
    Credentials::new(got.access_key_id, got.secret_access_key, Some(got.session_token), None, "test")
}

#[tokio::test]
async fn says_who_calls() {
    let aws = FakeAws::start().await;
    let check = async |credentials: Credentials, arn: &str| {
        let who = sts_as(&aws, credentials).get_caller_identity().send().await.unwrap();
        assert_eq!((who.arn(), who.account()), (Some(arn), Some("111122223333")));
        who.user_id.unwrap()
    };
    let developer = "arn:aws:iam::111122223333:user/sts-developer";
    assert!(check(user(), developer).await.starts_with("AIDA"));
    // Made-up credentials just work: whoever points a client here need not know our keys.
    check(Credentials::new("testing", "testing", None, None, "test"), developer).await;
    check(Credentials::new("ASIAOTHER", "x", Some("of some other account".into()), None, "test"), developer).await;
    let id =
        check(session(&aws, user(), "me", vec![]).await, "arn:aws:sts::111122223333:assumed-role/sts-execution/me")
            .await;
    assert!(id.starts_with("AROA") && id.ends_with(":me"), "{id}");
}

#[tokio::test]
async fn a_session_has_its_role_name_tags_and_end() {
    let aws = FakeAws::start().await;
    let before = SystemTime::now();
    let client = sts_as(&aws, user());
    let tags = vec![tag("Project", "sts"), tag("Tool", "stsmm")];
    let answer = client
        .assume_role()
        .role_arn(ROLE)
        .role_session_name("me")
        .duration_seconds(900)
        .set_tags(Some(tags))
        .send()
        .await
        .unwrap();
    let credentials = answer.credentials().unwrap();
    assert!(credentials.access_key_id().starts_with("ASIA") && credentials.access_key_id().len() == 20);
    assert_eq!(credentials.secret_access_key().len(), 40);
    let expires = SystemTime::try_from(*credentials.expiration()).unwrap();
    let lasts = expires.duration_since(before).unwrap();
    assert!((890..=901).contains(&lasts.as_secs()), "{lasts:?}");
    let assumed = answer.assumed_role_user().unwrap();
    assert_eq!(assumed.arn(), "arn:aws:sts::111122223333:assumed-role/sts-execution/me");

    // Every call of the session is remembered with its tags.
    let caller = Credentials::new(
        credentials.access_key_id(),
        credentials.secret_access_key(),
        Some(credentials.session_token().into()),
        None,
        "test",
    );
    clients::sagemaker_as(&aws, caller, "us-east-1").list_pipelines().send().await.unwrap();
    let call = aws.calls().pop().unwrap();
    assert_eq!(
        (call.service.as_str(), call.operation.as_str(), call.region.as_str()),
        ("sagemaker", "ListPipelines", "us-east-1")
    );
    assert_eq!(call.caller, assumed.arn());
    assert_eq!(call.session_tags, [("Project".to_owned(), "sts".to_owned()), ("Tool".to_owned(), "stsmm".to_owned())]);
    assert!(call.user_agent.contains("aws-sdk-rust"), "{}", call.user_agent);
}

#[tokio::test]
async fn assuming_a_role_changes_nothing() {
    let aws = FakeAws::start().await;
    let before = aws.export();
    session(&aws, user(), "me", vec![tag("a", "b")]).await;
    assert_eq!(aws.export(), before);
}

#[tokio::test]
async fn refuses_what_aws_refuses() {
    let aws = FakeAws::start().await;
    let client = sts_as(&aws, user());
    let assume = || client.assume_role().role_arn(ROLE).role_session_name("me");
    let check = |result, code: &str, message: &str| assert_eq!(said(result), (code.to_owned(), message.to_owned()));

    let missing = "arn:aws:iam::111122223333:role/nobody";
    check(
        client.assume_role().role_arn(missing).role_session_name("me").send().await,
        "AccessDenied",
        &format!(
            "User: arn:aws:iam::111122223333:user/sts-developer is not authorized to perform: sts:AssumeRole on resource: {missing}"
        ),
    );
    check(
        assume().role_session_name("a b").send().await,
        "ValidationError",
        "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular \
         expression pattern: [\\w+=,.@-]*",
    );
    check(
        assume().role_session_name("/").send().await,
        "ValidationError",
        "2 validation errors detected: Value '/' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression \
         pattern: [\\w+=,.@-]*; Value '/' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2",
    );
    check(
        assume().duration_seconds(899).send().await,
        "ValidationError",
        "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater \
         than or equal to 900",
    );
    check(
        assume().duration_seconds(3601).send().await,
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    );
    check(
        assume().tags(tag("Project", "a")).tags(tag("PROJECT", "b")).send().await,
        "InvalidParameterValue",
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
    );
    check(assume().policy("{,}").send().await, "MalformedPolicyDocument", "This policy contains invalid Json");
}

#[tokio::test]
async fn a_chained_session_ends_after_an_hour() {
    let aws = FakeAws::start().await;
    aws.fake()
        .store
        .write(|change| {
            let mut role = change.get::<Role>("sts-execution")?.unwrap();
            role.max_session_duration_seconds = 43_200;
            change.put(&role)
        })
        .unwrap();
    let assume = |client: aws_sdk_sts::Client| {
        client.assume_role().role_arn(ROLE).role_session_name("next").duration_seconds(7200)
    };
    assume(sts_as(&aws, user())).send().await.unwrap();
    let chained = sts_as(&aws, session(&aws, user(), "me", vec![]).await);
    assert_eq!(
        said(assume(chained).send().await).1,
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
    );
}

/// What decides later what a session may do is in its token, and in nothing else.
#[tokio::test]
async fn a_session_carries_what_it_was_given_and_hands_down_what_is_transitive() {
    let aws = FakeAws::start().await;
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";
    let client = sts_as(&aws, user());
    let asked = client.assume_role().role_arn(ROLE).role_session_name("one").policy(policy).source_identity("ann");
    let asked = asked.policy_arns(PolicyDescriptorType::builder().arn(arn).build());
    let asked = asked.tags(tag("Project", "sts")).tags(tag("Tool", "stsmm")).transitive_tag_keys("project");
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.source_identity(), Some("ann"));
    let got = answer.credentials.unwrap();
    let carried = |key: &str, token: &str| caller(aws.fake(), Some(key), Some(token)).unwrap().session.unwrap();
    let one = carried(&got.access_key_id, &got.session_token);
    assert_eq!((one.policy.as_deref(), one.policy_arns.as_slice()), (Some(policy), [arn.to_owned()].as_slice()));
    assert_eq!((one.source_identity.as_deref(), one.transitive_tag_keys.len()), (Some("ann"), 1));
    let age = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() - one.issued;
    assert!(age < 60, "{age}");

    let chained =
        sts_as(&aws, Credentials::new(got.access_key_id, got.secret_access_key, Some(got.session_token), None, "test"));
    let next = || chained.assume_role().role_arn(ROLE).role_session_name("two");
    let got = next().tags(tag("Step", "2")).send().await.unwrap().credentials.unwrap();
    let two = carried(&got.access_key_id, &got.session_token);
    let tags = [("Project".to_owned(), "sts".to_owned()), ("Step".to_owned(), "2".to_owned())];
    assert_eq!((two.tags.as_slice(), two.transitive_tag_keys.as_slice()), (&tags[..], &["Project".to_owned()][..]));
    assert_eq!((two.source_identity.as_deref(), two.policy), (Some("ann"), None));

    let refused = async |request: AssumeRoleFluentBuilder, expected: (&str, &str)| {
        let (code, message) = said(request.send().await);
        assert!(code == expected.0 && message.contains(expected.1), "{code}: {message}");
    };
    refused(next().tags(tag("project", "other")), ("InvalidParameterValue", "conflicts with a transitive tag key"))
        .await;
    refused(next().transitive_tag_keys("none"), ("InvalidParameterValue", "must be included in the requested tags"))
        .await;
    refused(next().source_identity("bob"), ("AccessDenied", "to perform: sts:SetSourceIdentity on resource:")).await;
}

#[tokio::test]
async fn a_users_temporary_credentials_are_the_users() {
    let aws = FakeAws::start().await;
    let got = sts_as(&aws, user()).get_session_token().send().await.unwrap().credentials.unwrap();
    assert!(got.access_key_id().starts_with("ASIA"));
    let lasts = SystemTime::try_from(*got.expiration()).unwrap().duration_since(SystemTime::now()).unwrap();
    assert!((43_100..=43_200).contains(&lasts.as_secs()), "{lasts:?}");
    let session =
        sts_as(&aws, Credentials::new(got.access_key_id, got.secret_access_key, Some(got.session_token), None, "test"));
    let who = session.get_caller_identity().send().await.unwrap();
    assert_eq!(who.arn(), Some("arn:aws:iam::111122223333:user/sts-developer"));
    assert_eq!(said(session.get_session_token().send().await).0, "AccessDenied");
    let info = session.get_access_key_info().access_key_id("AKIAIOSFODNN7EXAMPLE").send().await.unwrap();
    assert_eq!(info.account(), Some("111122223333"));
}

#[tokio::test]
async fn an_expired_session_is_refused_in_the_words_of_each_protocol() {
    let aws = FakeAws::start().await;
    let role = aws.fake().store.read(|view| view.get::<Role>("sts-execution")).unwrap().unwrap();
    let ended = SystemTime::now() - Duration::from_secs(1);
    let old = issue(aws.fake(), NewSession::of_role(aws.fake(), &role, "me", SessionContext::default(), ended));
    let old = Credentials::new(old.access_key_id, old.secret_access_key, Some(old.token), None, "test");
    let sentence = "The security token included in the request is expired".to_owned();
    assert_eq!(
        said(sts_as(&aws, old.clone()).get_caller_identity().send().await),
        ("ExpiredToken".to_owned(), sentence.clone())
    );
    let sagemaker = clients::sagemaker_as(&aws, old, clients::REGION);
    assert_eq!(said(sagemaker.list_pipelines().send().await), ("ExpiredTokenException".to_owned(), sentence));
    assert_eq!(aws.calls().pop().unwrap().error.as_deref(), Some("ExpiredTokenException"));
}

/// Sessions go by real time: a fake whose clock was moved issues sessions that its clients believe.
#[tokio::test]
async fn a_moved_clock_ends_no_session() {
    let aws = FakeAws::start().await;
    let credentials = session(&aws, user(), "me", vec![]).await;
    aws.fake().clock.advance(Duration::from_secs(86_400));
    sts_as(&aws, credentials).get_caller_identity().send().await.unwrap();
}
