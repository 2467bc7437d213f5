//! S3: what each operation asks for, whose bucket it is, and what is told of objects that are not there.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use sagemaker_fake::account::{Scenario, ScenarioBucket};
use sagemaker_fake::testing::FakeAws;

use super::{BUCKET, ann, policy, s3_as, start, with_ann};
use crate::clients::said;

const ANN: &str = "arn:aws:iam::111122223333:user/ann";

fn bucket(name: &str, owner: Option<&str>, policy: Option<String>) -> ScenarioBucket {
    ScenarioBucket { name: name.into(), region: "eu-west-1".into(), owner: owner.map(str::to_owned), policy }
}

/// With the object `there`.
async fn account(documents: &[String]) -> FakeAws {
    let mut scenario = with_ann(documents);
    scenario.buckets.push(bucket(BUCKET, None, None));
    let aws = start(scenario).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    sagemaker_fake::s3::put_file(aws.fake(), BUCKET, "there", file.path()).unwrap();
    aws
}

fn in_bucket(actions: &[&str]) -> String {
    policy("Allow", actions, &format!("arn:aws:s3:::{BUCKET}"))
}

fn in_objects(actions: &[&str]) -> String {
    policy("Allow", actions, &format!("arn:aws:s3:::{BUCKET}/*"))
}

fn refused(action: &str, on: &str) -> (String, String) {
    let sentence = format!(
        "User: {ANN} is not authorized to perform: {action} on resource: \"arn:aws:s3:::{on}\" because no identity-based policy \
         allows the {action} action"
    );
    ("AccessDenied".to_owned(), sentence)
}

#[tokio::test]
async fn operations_ask_for_their_actions() {
    let aws = account(&[]).await;
    let s3 = s3_as(&aws, ann());
    let object = format!("{BUCKET}/there");
    assert_eq!(said(s3.get_object().bucket(BUCKET).key("there").send().await), refused("s3:GetObject", &object));
    let put = s3.put_object().bucket(BUCKET).key("there").body(ByteStream::from_static(b"x")).send().await;
    assert_eq!(said(put), refused("s3:PutObject", &object));
    assert_eq!(said(s3.list_objects_v2().bucket(BUCKET).send().await), refused("s3:ListBucket", BUCKET));
    let encryption = s3.get_bucket_encryption().bucket(BUCKET).send().await;
    assert_eq!(said(encryption), refused("s3:GetEncryptionConfiguration", BUCKET));
    let block = s3.get_public_access_block().bucket(BUCKET).send().await;
    assert_eq!(said(block), refused("s3:GetBucketPublicAccessBlock", BUCKET));
    let upload = s3.create_multipart_upload().bucket(BUCKET).key("there").send().await;
    assert_eq!(said(upload), refused("s3:PutObject", &object));
    let list = said(s3.list_buckets().send().await);
    assert!(list.1.contains("perform: s3:ListAllMyBuckets because"), "{list:?}");
    // HEAD has no body for a sentence.
    let head = s3.head_bucket().bucket(BUCKET).send().await.unwrap_err();
    assert_eq!((head.raw_response().unwrap().status().as_u16(), head.code()), (403, None));
    assert_eq!(
        said(s3.create_bucket().bucket("another-bucket").send().await),
        refused("s3:CreateBucket", "another-bucket")
    );
}

#[tokio::test]
async fn what_is_not_there_is_told_only_to_who_may_list() {
    let check = async |documents: &[String], code: &str, status: u16| {
        let aws = account(documents).await;
        let s3 = s3_as(&aws, ann());
        s3.get_object().bucket(BUCKET).key("there").send().await.unwrap();
        let absent = s3.get_object().bucket(BUCKET).key("absent").send().await;
        assert_eq!(said(absent).0, code);
        let head = s3.head_object().bucket(BUCKET).key("absent").send().await.unwrap_err();
        assert_eq!(head.raw_response().unwrap().status().as_u16(), status);
    };
    check(&[in_objects(&["s3:GetObject"])], "AccessDenied", 403).await;
    check(&[in_objects(&["s3:GetObject"]), in_bucket(&["s3:ListBucket"])], "NoSuchKey", 404).await;
}

#[tokio::test]
async fn a_copy_reads_its_source() {
    let check = async |actions: &[&str], expected: Option<&str>| {
        let aws = account(&[in_objects(actions), in_bucket(&["s3:ListBucket"])]).await;
        let copy = s3_as(&aws, ann()).copy_object().bucket(BUCKET).key("copy").copy_source(format!("{BUCKET}/there"));
        let answer = copy.send().await;
        match expected {
            None => drop(answer.unwrap()),
            Some(action) => assert!(said(answer).1.contains(action)),
        }
    };
    check(&["s3:PutObject"], Some("s3:GetObject")).await;
    check(&["s3:GetObject"], Some("s3:PutObject")).await;
    check(&["s3:GetObject", "s3:PutObject"], None).await;
}

#[tokio::test]
async fn a_batch_is_asked_for_key_by_key() {
    let aws = account(&[policy("Allow", &["s3:DeleteObject"], &format!("arn:aws:s3:::{BUCKET}/mine/*"))]).await;
    let key = |key: &str| ObjectIdentifier::builder().key(key).build().unwrap();
    let batch = Delete::builder().objects(key("mine/a")).objects(key("there")).build().unwrap();
    let answer = s3_as(&aws, ann()).delete_objects().bucket(BUCKET).delete(batch).send().await.unwrap();
    let deleted: Vec<_> = answer.deleted().iter().map(|deleted| deleted.key().unwrap()).collect();
    assert_eq!(deleted, ["mine/a"]);
    let error = &answer.errors()[0];
    let (code, sentence) = refused("s3:DeleteObject", &format!("{BUCKET}/there"));
    assert_eq!((error.key(), error.code(), error.message()), (Some("there"), Some(&*code), Some(&*sentence)));
}

#[tokio::test]
async fn a_list_may_be_allowed_below_a_prefix_alone() {
    let below = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{BUCKET}",
            "Condition": {{"StringLike": {{"s3:prefix": "sts/*"}}}}}}}}"#
    );
    let aws = account(&[below]).await;
    let s3 = s3_as(&aws, ann());
    s3.list_objects_v2().bucket(BUCKET).prefix("sts/in").send().await.unwrap();
    assert_eq!(said(s3.list_objects_v2().bucket(BUCKET).send().await), refused("s3:ListBucket", BUCKET));
}

/// The bucket's own policy: enough in the account, needed from another one, and in the way if it denies.
#[tokio::test]
async fn the_policy_of_the_bucket_has_a_say() {
    let allows = |principal: &str, effect: &str| {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "{effect}", "Principal": {{"AWS": "{principal}"}},
                "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{BUCKET}"}}}}"#
        )
    };
    let own = in_bucket(&["s3:ListBucket"]);
    let check = async |documents: &[String], owner: Option<&str>, policy: Option<String>, refused_by: Option<&str>| {
        let mut scenario: Scenario = with_ann(documents);
        scenario.buckets.push(bucket(BUCKET, owner, policy));
        let aws = start(scenario).await;
        let answer = s3_as(&aws, ann()).list_objects_v2().bucket(BUCKET).send().await;
        match refused_by {
            None => drop(answer.unwrap()),
            Some(kind) => assert!(said(answer).1.contains(kind)),
        }
    };
    let stranger = Some("999999999999");
    check(&[], None, Some(allows(ANN, "Allow")), None).await;
    check(
        std::slice::from_ref(&own),
        None,
        Some(allows(ANN, "Deny")),
        Some("with an explicit deny in a resource-based policy"),
    )
    .await;
    check(std::slice::from_ref(&own), stranger, None, Some("no resource-based policy allows")).await;
    check(std::slice::from_ref(&own), stranger, Some(allows("*", "Allow")), None).await;
    check(&[], stranger, Some(allows(ANN, "Allow")), Some("no identity-based policy allows")).await;
    check(&[own], stranger, Some(allows(ANN, "Allow")), None).await;
}

/// A bucket of our name that somebody else was faster to make, and opened to see what we bring.
#[tokio::test]
async fn a_condition_keeps_off_a_squatted_bucket() {
    let open = format!(
        r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Principal": "*", "Action": "s3:*",
            "Resource": ["arn:aws:s3:::{BUCKET}", "arn:aws:s3:::{BUCKET}/*"]}}}}"#
    );
    let mut scenario = Scenario::ready();
    scenario.buckets.push(bucket(BUCKET, Some("999999999999"), Some(open)));
    let aws = start(scenario).await;
    let s3 = s3_as(&aws, super::session(&aws).await);
    s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    let put = s3.put_object().bucket(BUCKET).key("secret").body(ByteStream::from_static(b"x")).send().await;
    assert!(said(put).1.contains("no identity-based policy allows the s3:PutObject action"));
}
