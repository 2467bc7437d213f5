//! Buckets and their settings.

use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, PublicAccessBlockConfiguration,
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    Tag, Tagging, VersioningConfiguration,
};
use sagemaker_fake::Fake;
use sagemaker_fake::account::{Scenario, ScenarioBucket};

use super::{ACCOUNT, Account, BUCKET, STRANGER, client, refusal, sentence};

fn located(region: &str) -> CreateBucketConfiguration {
    CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(region)).build()
}

#[tokio::test]
async fn a_bucket_lives_where_it_was_made() {
    let account = Account::new().await;
    let s3 = &account.s3;
    s3.create_bucket().bucket("second").create_bucket_configuration(located("eu-west-1")).send().await.unwrap();
    let head = s3.head_bucket().bucket("second").send().await.unwrap();
    assert_eq!(head.bucket_region(), Some("eu-west-1"));
    let location = s3.get_bucket_location().bucket("second").send().await.unwrap();
    assert_eq!(location.location_constraint().unwrap().as_str(), "eu-west-1");
    let listed = s3.list_buckets().send().await.unwrap();
    assert_eq!(listed.buckets().iter().filter_map(|bucket| bucket.name()).collect::<Vec<_>>(), ["second", BUCKET]);
    assert!(listed.buckets().iter().all(|bucket| bucket.creation_date().is_some()));
    let listed = s3.list_buckets().prefix("sec").send().await.unwrap();
    assert_eq!(listed.buckets().len(), 1);

    account.put("left/over", b"x").await;
    assert_eq!(
        sentence(s3.delete_bucket().bucket(BUCKET).send().await),
        "BucketNotEmpty: The bucket you tried to delete is not empty"
    );
    s3.delete_bucket().bucket("second").send().await.unwrap();
    assert_eq!(refusal(s3.head_bucket().bucket("second").send().await).0, 404);
    assert_eq!(
        sentence(s3.list_objects_v2().bucket("second").send().await),
        "NoSuchBucket: The specified bucket does not exist"
    );
}

#[tokio::test]
async fn names_and_locations_are_checked() {
    let account = Account::new().await;
    sagemaker_fake::s3::create_bucket(&account.fake, "strangers", "eu-west-1", STRANGER).unwrap();
    let virginia = client(account.server.url(), "test", "us-east-1");
    let check = async |s3: &aws_sdk_s3::Client, name: &str, region: Option<&str>, expected: &str| {
        let made = s3.create_bucket().bucket(name).set_create_bucket_configuration(region.map(located)).send().await;
        if expected.is_empty() {
            made.unwrap();
        } else {
            assert_eq!(sentence(made), expected, "{name} {region:?}");
        }
    };
    let taken = "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a \
                 different name and try again.";
    let own = "Your previous request to create the named bucket succeeded and you already own it.";
    let incompatible = "location constraint is incompatible for the region specific endpoint this request was sent to.";
    check(&account.s3, "strangers", Some("eu-west-1"), &format!("BucketAlreadyExists: {taken}")).await;
    check(&account.s3, BUCKET, Some("eu-west-1"), &format!("BucketAlreadyOwnedByYou: {own}")).await;
    check(&account.s3, "third", None, &format!("IllegalLocationConstraintException: The unspecified {incompatible}"))
        .await;
    check(
        &account.s3,
        "third",
        Some("eu-west-3"),
        &format!("IllegalLocationConstraintException: The eu-west-3 {incompatible}"),
    )
    .await;
    check(&account.s3, "Upper.Case", Some("eu-west-1"), "InvalidBucketName: The specified bucket is not valid.").await;
    check(&account.s3, "sthree-x", Some("eu-west-1"), "InvalidBucketName: The specified bucket is not valid.").await;
    check(&virginia, "in-virginia", None, "").await;
    check(&virginia, "in-virginia", None, "").await;
    let location = virginia.get_bucket_location().bucket("in-virginia").send().await.unwrap();
    assert_eq!(location.location_constraint().map_or("", |constraint| constraint.as_str()), "");
    assert_eq!(virginia.head_bucket().bucket("in-virginia").send().await.unwrap().bucket_region(), Some("us-east-1"));
}

#[tokio::test]
async fn what_is_anothers_is_refused() {
    let account = Account::new().await;
    let s3 = &account.s3;
    sagemaker_fake::s3::create_bucket(&account.fake, "strangers", "eu-west-1", STRANGER).unwrap();
    account.put("k", b"hello").await;
    let denied = (403, "AccessDenied".to_owned());

    // Our own bucket, expected to be somebody else's.
    s3.head_bucket().bucket(BUCKET).expected_bucket_owner(ACCOUNT).send().await.unwrap();
    assert_eq!(refusal(s3.head_bucket().bucket(BUCKET).expected_bucket_owner(STRANGER).send().await).0, 403);
    assert_eq!(
        sentence(s3.list_objects_v2().bucket(BUCKET).expected_bucket_owner(STRANGER).send().await),
        "AccessDenied: Access Denied"
    );
    assert_eq!(refusal(s3.get_object().bucket(BUCKET).key("k").expected_bucket_owner(STRANGER).send().await), denied);
    assert_eq!(refusal(s3.put_object().bucket(BUCKET).key("k").expected_bucket_owner(STRANGER).send().await), denied);
    assert_eq!(
        refusal(s3.delete_object().bucket(BUCKET).key("k").expected_bucket_owner(STRANGER).send().await),
        denied
    );
    assert_eq!(refusal(s3.get_bucket_policy().bucket(BUCKET).expected_bucket_owner(STRANGER).send().await), denied);
    assert_eq!(refusal(s3.delete_bucket().bucket(BUCKET).expected_bucket_owner(STRANGER).send().await), denied);
    assert_eq!(
        refusal(s3.list_objects_v2().bucket(BUCKET).expected_bucket_owner("me").send().await),
        (400, "InvalidBucketOwnerAWSAccountID".to_owned())
    );
    let copy = |source: &str| s3.copy_object().bucket(BUCKET).key("copy").copy_source(source);
    assert_eq!(refusal(copy(&format!("{BUCKET}/k")).expected_source_bucket_owner(STRANGER).send().await), denied);
    copy(&format!("{BUCKET}/k")).expected_source_bucket_owner(ACCOUNT).send().await.unwrap();

    // Somebody else's bucket, whatever is expected.
    assert_eq!(refusal(s3.head_bucket().bucket("strangers").send().await).0, 403);
    assert_eq!(refusal(s3.put_object().bucket("strangers").key("k").send().await), denied);
    assert_eq!(refusal(copy("strangers/k").send().await), denied);
    assert_eq!(account.content("k").await, b"hello");
}

/// What a doctor has to tell apart: our bucket elsewhere, somebody else's, and a name that somebody took to let us in.
#[tokio::test]
async fn a_scenario_has_buckets_of_ours_and_of_others() {
    let mut scenario = Scenario::ready();
    let bucket = |name: &str, region: &str, owner: Option<&str>, policy: Option<&str>| ScenarioBucket {
        name: name.to_owned(),
        region: region.to_owned(),
        owner: owner.map(str::to_owned),
        policy: policy.map(str::to_owned),
    };
    let open =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}"#;
    scenario.buckets = vec![
        bucket("ours", "eu-west-1", None, None),
        bucket("far-away", "us-west-2", None, None),
        bucket("strangers", "eu-west-1", Some(STRANGER), None),
        bucket("squatted", "eu-west-1", Some(STRANGER), Some(open)),
    ];
    let account = Account::of(Fake::builder().scenario(scenario).build().unwrap()).await;
    let s3 = &account.s3;
    let check = async |name: &str, expected: [u16; 2]| {
        let head = || s3.head_bucket().bucket(name);
        for (request, expected) in [head().expected_bucket_owner(ACCOUNT), head()].into_iter().zip(expected) {
            match request.send().await {
                Ok(_) => assert_eq!(expected, 200, "{name}"),
                error => assert_eq!(refusal(error).0, expected, "{name}"),
            }
        }
    };
    check("ours", [200, 200]).await;
    check("far-away", [301, 301]).await;
    check("strangers", [403, 403]).await;
    check("squatted", [403, 200]).await;
    check("nobodys", [404, 404]).await;
    let put = |name: &str| s3.put_object().bucket(name).key("k");
    put("squatted").send().await.unwrap();
    let refused = put("squatted").expected_bucket_owner(ACCOUNT).send().await;
    assert_eq!(refusal(refused), (403, "AccessDenied".to_owned()));
    assert_eq!(refusal(put("strangers").send().await), (403, "AccessDenied".to_owned()));

    let error = s3.head_bucket().bucket("far-away").send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().headers().get("x-amz-bucket-region"), Some("us-west-2"));
    assert!(sentence(put("far-away").send().await).starts_with("PermanentRedirect: The bucket you are attempting"));
    let location = s3.get_bucket_location().bucket("far-away").send().await.unwrap();
    assert_eq!(location.location_constraint().unwrap().as_str(), "us-west-2");
    client(account.server.url(), "test", "us-west-2").head_bucket().bucket("far-away").send().await.unwrap();
    let listed = s3.list_buckets().send().await.unwrap();
    let names: Vec<_> = listed.buckets().iter().filter_map(|bucket| bucket.name()).collect();
    assert_eq!(names, ["far-away", "ours", BUCKET]);
}

#[tokio::test]
async fn a_new_bucket_is_closed_and_encrypted() {
    let account = Account::new().await;
    let s3 = &account.s3;
    let block = s3.get_public_access_block().bucket(BUCKET).send().await.unwrap();
    let block = block.public_access_block_configuration().unwrap();
    let four = [
        block.block_public_acls(),
        block.ignore_public_acls(),
        block.block_public_policy(),
        block.restrict_public_buckets(),
    ];
    assert_eq!(four, [Some(true); 4]);
    let encryption = s3.get_bucket_encryption().bucket(BUCKET).send().await.unwrap();
    let rule = &encryption.server_side_encryption_configuration().unwrap().rules()[0];
    assert_eq!(rule.apply_server_side_encryption_by_default().unwrap().sse_algorithm(), &ServerSideEncryption::Aes256);
    assert_eq!(rule.bucket_key_enabled(), Some(false));
    let ownership = s3.get_bucket_ownership_controls().bucket(BUCKET).send().await.unwrap();
    assert_eq!(ownership.ownership_controls().unwrap().rules()[0].object_ownership().as_str(), "BucketOwnerEnforced");
    let acl = s3.get_bucket_acl().bucket(BUCKET).send().await.unwrap();
    assert_eq!(acl.grants()[0].grantee().unwrap().id(), acl.owner().unwrap().id());
    assert_eq!(acl.grants()[0].permission().unwrap().as_str(), "FULL_CONTROL");
    assert_eq!(s3.get_bucket_versioning().bucket(BUCKET).send().await.unwrap().status(), None);
    assert_eq!(
        s3.get_bucket_request_payment().bucket(BUCKET).send().await.unwrap().payer().unwrap().as_str(),
        "BucketOwner"
    );
    assert_eq!(s3.get_bucket_accelerate_configuration().bucket(BUCKET).send().await.unwrap().status(), None);
    assert!(s3.get_bucket_logging().bucket(BUCKET).send().await.unwrap().logging_enabled().is_none());
    assert!(
        s3.get_bucket_notification_configuration()
            .bucket(BUCKET)
            .send()
            .await
            .unwrap()
            .queue_configurations()
            .is_empty()
    );

    let missing = |code: &str| (404, code.to_owned());
    assert_eq!(refusal(s3.get_bucket_policy().bucket(BUCKET).send().await), missing("NoSuchBucketPolicy"));
    assert_eq!(refusal(s3.get_bucket_policy_status().bucket(BUCKET).send().await), missing("NoSuchBucketPolicy"));
    assert_eq!(refusal(s3.get_bucket_tagging().bucket(BUCKET).send().await), missing("NoSuchTagSet"));
    assert_eq!(refusal(s3.get_bucket_cors().bucket(BUCKET).send().await), missing("NoSuchCORSConfiguration"));
    assert_eq!(refusal(s3.get_bucket_website().bucket(BUCKET).send().await), missing("NoSuchWebsiteConfiguration"));
    assert_eq!(
        refusal(s3.get_bucket_replication().bucket(BUCKET).send().await),
        missing("ReplicationConfigurationNotFoundError")
    );
    assert_eq!(
        refusal(s3.get_bucket_lifecycle_configuration().bucket(BUCKET).send().await),
        missing("NoSuchLifecycleConfiguration")
    );
    assert_eq!(
        refusal(s3.get_object_lock_configuration().bucket(BUCKET).send().await),
        missing("ObjectLockConfigurationNotFoundError")
    );
}

#[tokio::test]
async fn a_policy_is_kept_to_the_letter_and_may_not_be_public() {
    let account = Account::new().await;
    let s3 = &account.s3;
    let tls_only = r#"{"Version":"2012-10-17", "Statement":[{"Sid":"TlsOnly","Effect":"Deny","Principal":"*","Action":"s3:*",
        "Resource":["arn:aws:s3:::sts-bucket","arn:aws:s3:::sts-bucket/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}"#;
    let public = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::sts-bucket/*"}}"#;
    let put = |policy: &str| s3.put_bucket_policy().bucket(BUCKET).policy(policy).send();
    put(tls_only).await.unwrap();
    assert_eq!(s3.get_bucket_policy().bucket(BUCKET).send().await.unwrap().policy(), Some(tls_only));
    // Loopback counts as secure transport.
    account.put("k", b"x").await;
    let is_public = async || {
        s3.get_bucket_policy_status().bucket(BUCKET).send().await.unwrap().policy_status().unwrap().is_public()
    };
    assert_eq!(is_public().await, Some(false));

    assert_eq!(refusal(put("not json").await), (400, "MalformedPolicy".to_owned()));
    assert_eq!(refusal(put(&tls_only.replace("sts-bucket", "others")).await), (400, "MalformedPolicy".to_owned()));
    assert_eq!(
        sentence(put(public).await),
        "AccessDenied: User: arn:aws:iam::111122223333:user/sts-developer is not authorized to perform: s3:PutBucketPolicy on resource: \
         \"arn:aws:s3:::sts-bucket\" because public policies are blocked by the BlockPublicPolicy block public access setting."
    );
    s3.delete_public_access_block().bucket(BUCKET).send().await.unwrap();
    assert_eq!(
        refusal(s3.get_public_access_block().bucket(BUCKET).send().await),
        (404, "NoSuchPublicAccessBlockConfiguration".to_owned())
    );
    put(public).await.unwrap();
    assert_eq!(is_public().await, Some(true));
    s3.delete_bucket_policy().bucket(BUCKET).send().await.unwrap();
    assert_eq!(refusal(s3.get_bucket_policy().bucket(BUCKET).send().await), (404, "NoSuchBucketPolicy".to_owned()));
}

#[tokio::test]
async fn settings_come_back_as_they_were_put() {
    let account = Account::new().await;
    let s3 = &account.s3;
    let block = PublicAccessBlockConfiguration::builder().block_public_acls(true).build();
    s3.put_public_access_block().bucket(BUCKET).public_access_block_configuration(block).send().await.unwrap();
    let block = s3.get_public_access_block().bucket(BUCKET).send().await.unwrap();
    let block = block.public_access_block_configuration().unwrap();
    assert_eq!((block.block_public_acls(), block.restrict_public_buckets()), (Some(true), Some(false)));

    let by_default =
        ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::AwsKms).kms_master_key_id("key-1");
    let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(by_default.build().unwrap());
    let kms =
        ServerSideEncryptionConfiguration::builder().rules(rule.bucket_key_enabled(true).build()).build().unwrap();
    s3.put_bucket_encryption().bucket(BUCKET).server_side_encryption_configuration(kms).send().await.unwrap();
    let put = s3.put_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(
        (put.server_side_encryption(), put.ssekms_key_id()),
        (Some(&ServerSideEncryption::AwsKms), Some("key-1"))
    );
    s3.delete_bucket_encryption().bucket(BUCKET).send().await.unwrap();
    let put = s3.put_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(put.server_side_encryption(), Some(&ServerSideEncryption::Aes256));

    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let tags =
        Tagging::builder().tag_set(tag("ManagedBy", "stsmodelmonitor")).tag_set(tag("Project", "sts")).build().unwrap();
    s3.put_bucket_tagging().bucket(BUCKET).tagging(tags.clone()).send().await.unwrap();
    assert_eq!(s3.get_bucket_tagging().bucket(BUCKET).send().await.unwrap().tag_set(), tags.tag_set());
    s3.delete_bucket_tagging().bucket(BUCKET).send().await.unwrap();
    assert_eq!(refusal(s3.get_bucket_tagging().bucket(BUCKET).send().await), (404, "NoSuchTagSet".to_owned()));
    let twice = Tagging::builder().tag_set(tag("a", "1")).tag_set(tag("a", "2")).build().unwrap();
    assert_eq!(
        refusal(s3.put_bucket_tagging().bucket(BUCKET).tagging(twice).send().await),
        (400, "InvalidTag".to_owned())
    );

    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning().bucket(BUCKET).versioning_configuration(enabled).send().await.unwrap();
    let versioning = s3.get_bucket_versioning().bucket(BUCKET).send().await.unwrap();
    assert_eq!(versioning.status(), Some(&BucketVersioningStatus::Enabled));
}
