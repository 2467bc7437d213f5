//! Lifecycles and cross-origin rules: kept as they were put, and the first acted upon as time goes by.

use std::time::Duration;

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, CorsConfiguration, CorsRule, ExpirationStatus,
    LifecycleExpiration, LifecycleRule, LifecycleRuleAndOperator, LifecycleRuleFilter, Tag,
    TransitionDefaultMinimumObjectSize,
};
use sagemaker_fake::Fake;
use sagemaker_fake::clock::{Clock, Timestamp};

use super::{Account, BUCKET, refusal, sentence};

const DAY: Duration = Duration::from_secs(86_400);

/// Noon of a day.
const NOON: Timestamp = Timestamp(1_790_000_000_000 / 86_400_000 * 86_400_000 + 43_200_000);

async fn at_noon() -> Account {
    Account::of(Fake::builder().clock(Clock::frozen(NOON)).build().unwrap()).await
}

fn expires(id: &str, prefix: &str, days: i32) -> LifecycleRule {
    LifecycleRule::builder()
        .id(id)
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix(prefix).build())
        .expiration(LifecycleExpiration::builder().days(days).build())
        .build()
        .unwrap()
}

/// A rule with something changed.
fn with(mut rule: LifecycleRule, change: impl FnOnce(&mut LifecycleRule)) -> LifecycleRule {
    change(&mut rule);
    rule
}

async fn put(account: &Account, rules: Vec<LifecycleRule>) {
    let rules = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().unwrap();
    account.s3.put_bucket_lifecycle_configuration().bucket(BUCKET).lifecycle_configuration(rules).send().await.unwrap();
}

fn keys(account: &Account) -> Vec<String> {
    let objects = sagemaker_fake::s3::list(&account.fake, BUCKET, "").unwrap();
    objects.into_iter().map(|object| object.key).collect()
}

#[tokio::test]
async fn rules_come_back_as_they_were_put() {
    let account = at_noon().await;
    let s3 = &account.s3;
    let and = LifecycleRuleAndOperator::builder()
        .prefix("a/")
        .tags(Tag::builder().key("k").value("v").build().unwrap())
        .object_size_greater_than(10)
        .build();
    let filter = LifecycleRuleFilter::builder().and(and).build();
    let named = with(expires("named", "", 3), |rule| rule.filter = Some(filter));
    let unnamed = with(expires("", "", 30), |rule| rule.id = None);
    put(&account, vec![named.clone(), unnamed]).await;
    let back = s3.get_bucket_lifecycle_configuration().bucket(BUCKET).send().await.unwrap();
    assert_eq!(back.rules()[0], named);
    assert_eq!(back.rules()[1].id().map(str::len), Some(36), "a rule without a name gets one");
    assert_eq!(
        back.transition_default_minimum_object_size(),
        Some(&TransitionDefaultMinimumObjectSize::AllStorageClasses128K)
    );
    let missing = s3.get_bucket_lifecycle_configuration().bucket("none").send().await;
    assert_eq!(refusal(missing), (404, "NoSuchBucket".to_owned()));
    s3.delete_bucket_lifecycle().bucket(BUCKET).send().await.unwrap();
    let missing = s3.get_bucket_lifecycle_configuration().bucket(BUCKET).send().await;
    assert_eq!(refusal(missing), (404, "NoSuchLifecycleConfiguration".to_owned()));
}

#[tokio::test]
async fn objects_go_at_the_midnight_after_their_days() {
    let account = at_noon().await;
    for key in ["capture/a", "capture/b", "models/m"] {
        account.put(key, b"x").await;
    }
    put(&account, vec![expires("captured", "capture/", 1)]).await;
    account.fake.advance(DAY).unwrap();
    assert_eq!(keys(&account).len(), 3, "a day has passed, and midnight has not come");
    account.put("capture/b", b"newer").await;
    account.fake.advance(DAY / 2).unwrap();
    assert_eq!(keys(&account), ["capture/b", "models/m"]);
    account.fake.advance(DAY).unwrap();
    assert_eq!(keys(&account), ["models/m"]);
}

#[tokio::test]
async fn rules_act_on_what_they_are_about() {
    let account = at_noon().await;
    let s3 = &account.s3;
    account.put("small", b"x").await;
    account.put("large", b"0123456789").await;
    s3.put_object().bucket(BUCKET).key("tagged").tagging("keep=no").send().await.unwrap();
    s3.put_object().bucket(BUCKET).key("other").tagging("keep=yes").send().await.unwrap();
    let by_size = LifecycleRuleFilter::builder().object_size_greater_than(9).build();
    let by_tag = LifecycleRuleFilter::builder().tag(Tag::builder().key("keep").value("no").build().unwrap()).build();
    put(
        &account,
        vec![
            with(expires("size", "", 1), |rule| rule.filter = Some(by_size)),
            with(expires("tag", "", 1), |rule| rule.filter = Some(by_tag)),
            with(expires("off", "", 1), |rule| rule.status = ExpirationStatus::Disabled),
        ],
    )
    .await;
    account.fake.advance(2 * DAY).unwrap();
    assert_eq!(keys(&account), ["other", "small"]);
}

#[tokio::test]
async fn uploads_are_given_up_and_a_start_does_what_was_due() {
    let state = tempfile::tempdir().unwrap();
    let account = Account::of(Fake::builder().state(state.path()).clock(Clock::frozen(NOON)).build().unwrap()).await;
    account.s3.create_multipart_upload().bucket(BUCKET).key("k").send().await.unwrap();
    account.put("old", b"x").await;
    let abort = AbortIncompleteMultipartUpload::builder().days_after_initiation(7).build();
    let uploads = with(expires("up", "", 1), |rule| {
        rule.expiration = None;
        rule.abort_incomplete_multipart_upload = Some(abort);
    });
    put(&account, vec![uploads, expires("old", "old", 9)]).await;
    let open = async |account: &Account| {
        account.s3.list_multipart_uploads().bucket(BUCKET).send().await.unwrap().uploads().len()
    };
    account.fake.advance(7 * DAY).unwrap();
    assert_eq!(open(&account).await, 1);
    account.fake.advance(DAY).unwrap();
    assert_eq!((open(&account).await, keys(&account).len()), (0, 1));
    let Account { fake, server, .. } = account;
    server.stop().await;
    drop(fake);
    // Real time goes by while nobody serves.
    let later = Clock::frozen(Timestamp(NOON.0 + 2 * 86_400_000));
    let account = Account::of(Fake::builder().state(state.path()).clock(later).build().unwrap()).await;
    assert_eq!(keys(&account), [""; 0]);
}

#[tokio::test]
async fn cross_origin_rules_come_back_as_they_were_put() {
    let account = Account::new().await;
    let s3 = &account.s3;
    let rule = |method: &str| {
        CorsRule::builder().allowed_methods(method).allowed_origins("https://a.example").max_age_seconds(300).build()
    };
    let put = |method: &str| {
        let rules = CorsConfiguration::builder().cors_rules(rule(method).unwrap()).build().unwrap();
        s3.put_bucket_cors().bucket(BUCKET).cors_configuration(rules).send()
    };
    put("GET").await.unwrap();
    assert_eq!(s3.get_bucket_cors().bucket(BUCKET).send().await.unwrap().cors_rules(), [rule("GET").unwrap()]);
    assert_eq!(
        sentence(put("PATCH").await),
        "InvalidRequest: Found unsupported HTTP method in CORS config. Unsupported method is PATCH"
    );
    s3.delete_bucket_cors().bucket(BUCKET).send().await.unwrap();
    assert_eq!(refusal(s3.get_bucket_cors().bucket(BUCKET).send().await), (404, "NoSuchCORSConfiguration".to_owned()));
}
