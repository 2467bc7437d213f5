//! What is not there, or not served: refused by name, and never taken for something else.

use aws_sdk_s3::types::{
    BucketCannedAcl, Delete, ObjectCannedAcl, ObjectIdentifier, ObjectLockLegalHold, ObjectLockLegalHoldStatus,
    ObjectLockRetention, ObjectLockRetentionMode, ObjectOwnership, OwnershipControls, OwnershipControlsRule,
};

use super::wire::exchange;
use super::{Account, BUCKET, STRANGER, refusal, sentence};
use crate::clients::{raw, signed_for};

#[tokio::test]
async fn an_object_has_one_version() {
    let account = Account::new().await;
    let s3 = &account.s3;
    account.put("k", b"x").await;
    let get = |version: &str| s3.get_object().bucket(BUCKET).key("k").version_id(version).send();
    get("null").await.unwrap();
    let missing = || (404, "NoSuchVersion".to_owned());
    assert_eq!(refusal(get("other").await), missing());
    assert_eq!(refusal(s3.delete_object().bucket(BUCKET).key("k").version_id("other").send().await), missing());
    let copy = s3.copy_object().bucket(BUCKET).key("copy").copy_source(format!("{BUCKET}/k?versionId=other"));
    assert_eq!(refusal(copy.send().await), missing());
    let identifier = ObjectIdentifier::builder().key("k").version_id("other").build().unwrap();
    let wanted = Delete::builder().objects(identifier).build().unwrap();
    let deleted = s3.delete_objects().bucket(BUCKET).delete(wanted).send().await.unwrap();
    assert_eq!(deleted.errors()[0].code(), Some("NoSuchVersion"));
    assert_eq!(account.content("k").await, b"x");
}

#[tokio::test]
async fn an_unknown_subresource_is_no_object_and_no_list() {
    let account = Account::new().await;
    account.put("k", b"x").await;
    let authorization = signed_for("s3");
    let check = async |request: &str| {
        let headers = [("Authorization", authorization.as_str())];
        let answer = raw(account.server.url(), request, &headers, "").await;
        assert_eq!(answer.status, 501, "{request}: {}", answer.body);
        assert!(answer.body.contains("is not served by this fake"), "{request}: {}", answer.body);
    };
    check(&format!("PUT /{BUCKET}/k?renameObject")).await;
    check(&format!("GET /{BUCKET}?metadataConfiguration")).await;
    check(&format!("GET /{BUCKET}?abac")).await;
    assert_eq!(account.content("k").await, b"x");
}

#[tokio::test]
async fn access_lists_are_those_that_there_are() {
    let account = Account::new().await;
    let s3 = &account.s3;
    account.put("k", b"x").await;
    let of_bucket = |acl: BucketCannedAcl| s3.put_bucket_acl().bucket(BUCKET).acl(acl).send();
    let of_object = |acl: ObjectCannedAcl| s3.put_object_acl().bucket(BUCKET).key("k").acl(acl).send();
    let disabled = "AccessControlListNotSupported: The bucket does not allow ACLs";
    assert_eq!(sentence(of_bucket(BucketCannedAcl::Private).await), disabled);
    assert_eq!(sentence(of_object(ObjectCannedAcl::Private).await), disabled);
    let rule = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::ObjectWriter).build().unwrap();
    let controls = OwnershipControls::builder().rules(rule).build().unwrap();
    s3.put_bucket_ownership_controls().bucket(BUCKET).ownership_controls(controls).send().await.unwrap();
    of_bucket(BucketCannedAcl::Private).await.unwrap();
    of_object(ObjectCannedAcl::Private).await.unwrap();
    assert_eq!(refusal(of_bucket(BucketCannedAcl::PublicRead).await), (501, "NotImplemented".to_owned()));
}

#[tokio::test]
async fn a_bucket_without_lock_knows_no_holds() {
    let account = Account::new().await;
    account.put("k", b"x").await;
    let missing = "InvalidRequest: Bucket is missing Object Lock Configuration";
    let s3 = &account.s3;
    assert_eq!(sentence(s3.get_object_legal_hold().bucket(BUCKET).key("k").send().await), missing);
    let hold = ObjectLockLegalHold::builder().status(ObjectLockLegalHoldStatus::On).build();
    assert_eq!(sentence(s3.put_object_legal_hold().bucket(BUCKET).key("k").legal_hold(hold).send().await), missing);
    assert_eq!(sentence(s3.get_object_retention().bucket(BUCKET).key("k").send().await), missing);
    let retention = ObjectLockRetention::builder().mode(ObjectLockRetentionMode::Governance).build();
    assert_eq!(sentence(s3.put_object_retention().bucket(BUCKET).key("k").retention(retention).send().await), missing);
    s3.delete_bucket_replication().bucket(BUCKET).send().await.unwrap();
    s3.delete_bucket_website().bucket(BUCKET).send().await.unwrap();
}

#[tokio::test]
async fn a_refusal_says_where_the_bucket_is() {
    let account = Account::new().await;
    let refused = account.s3.head_bucket().bucket(BUCKET).expected_bucket_owner(STRANGER).send().await.unwrap_err();
    let response = refused.raw_response().unwrap();
    assert_eq!((response.status().as_u16(), response.headers().get("x-amz-bucket-region")), (403, Some("eu-west-1")));
}

/// Several ranges, and what is no range, are as none.
#[tokio::test]
async fn only_one_range_is_a_range() {
    let account = Account::new().await;
    account.put("k", b"0123456789").await;
    let check = async |range: &str, expected: &str| {
        let got = account.s3.get_object().bucket(BUCKET).key("k").range(range).send().await.unwrap();
        assert_eq!(got.body.collect().await.unwrap().to_vec(), expected.as_bytes(), "{range}");
    };
    check("bytes=2-4", "234").await;
    check("bytes=-2", "89").await;
    check("bytes=8-", "89").await;
    check("bytes=0-1,3-4", "0123456789").await;
    check("bytes=-", "0123456789").await;
    check("items=0-1", "0123456789").await;
}

/// boto3 asks before it sends a body, and uses the connection for its next request whatever it is told.
#[tokio::test]
async fn who_asked_first_and_was_refused_gets_a_new_connection() {
    let account = Account::new().await;
    let (authorization, key) = (signed_for("s3"), "k".repeat(1025));
    let request = format!(
        "PUT /{BUCKET}/{key} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\nContent-Length: 5\r\n\
         Expect: 100-continue\r\n\r\n"
    );
    let answer = exchange(&account, &request).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
}
