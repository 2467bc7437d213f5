//! The bucket and the model package group.

use serde_json::json;

use crate::observe::bucket::Hardening;
use crate::observe::{Bucket, PackageGroup, Seen};
use crate::plan::{Action, Operation, Verdict};
use crate::site::Site;

/// What has to be done so that bucket and group are there.
#[must_use]
pub fn bootstrap(site: &Site, bucket: &Seen<Bucket>, group: &Seen<PackageGroup>) -> Vec<Action> {
    vec![bucket_action(site, bucket), group_action(site, group)]
}

fn bucket_action(site: &Site, seen: &Seen<Bucket>) -> Action {
    let name = &site.bucket;
    match seen {
        Seen::Absent => {
            let create = Operation::CreateBucket { bucket: name.clone(), region: site.region.clone() };
            // The tags come next: by them a bucket is known as ours if what follows is interrupted.
            let tag = Operation::TagBucket { bucket: name.clone(), tags: site.tags.clone() };
            let harden = missing(site, Hardening { public_access_blocked: false, encrypted: false, has_policy: false });
            let operations = [create, tag].into_iter().chain(harden).collect();
            let because = "it does not exist: public access blocked, encrypted, TLS only";
            Action::new(Verdict::Create, "bucket", name, because, operations)
        }
        Seen::Present(Bucket { made_by_us: None, .. }) => Action::keep(
            "bucket",
            name,
            "it exists and is the account's; we did not make it, so we leave its settings alone",
        ),
        Seen::Present(Bucket { made_by_us: Some(hardening), .. }) => {
            let operations = missing(site, *hardening);
            if operations.is_empty() {
                return Action::keep("bucket", name, "we made it, and it is as it should be");
            }
            Action::new(Verdict::Update, "bucket", name, "we made it, and its protection is incomplete", operations)
        }
        Seen::Unknown(why) => Action::new(Verdict::Unknown, "bucket", name, why, Vec::new()),
    }
}

/// The calls for what a bucket of ours lacks.
fn missing(site: &Site, hardening: Hardening) -> Vec<Operation> {
    let bucket = || site.bucket.clone();
    let mut operations = Vec::new();
    if !hardening.public_access_blocked {
        operations.push(Operation::BlockPublicAccess { bucket: bucket() });
    }
    if !hardening.encrypted {
        operations.push(Operation::EncryptBucket { bucket: bucket(), kms_key: site.kms_key.clone() });
    }
    if !hardening.has_policy {
        operations.push(Operation::PutBucketPolicy { bucket: bucket(), policy: tls_only(site) });
    }
    operations
}

/// Refuses every request that does not come over TLS.
fn tls_only(site: &Site) -> String {
    let arn = format!("arn:{}:s3:::{}", site.partition(), site.bucket);
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, format!("{arn}/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }],
    })
    .to_string()
}

fn group_action(site: &Site, seen: &Seen<PackageGroup>) -> Action {
    let name = &site.package_group;
    match seen {
        Seen::Absent => {
            let create = Operation::CreateModelPackageGroup {
                name: name.clone(),
                description: "Paraphrase classifiers".to_owned(),
                tags: site.tags.clone(),
            };
            Action::new(Verdict::Create, "package group", name, "it does not exist", vec![create])
        }
        Seen::Present(_) => Action::keep("package group", name, "it exists"),
        Seen::Unknown(why) => Action::new(Verdict::Unknown, "package group", name, why, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Settings, Sources};

    fn site(region: &str) -> Site {
        let settings = Settings::resolve(&Sources::default()).unwrap();
        Site { bucket: "b".into(), region: region.into(), ..Site::new(&settings, "111122223333", None) }
    }

    #[track_caller]
    fn check(bucket: Seen<Bucket>, verdict: Verdict, calls: &[&str]) {
        let action = bucket_action(&site("eu-west-1"), &bucket);
        let made: Vec<_> = action.operations.iter().map(Operation::call).collect();
        assert_eq!((action.verdict, made.as_slice()), (verdict, calls), "{bucket:?}");
    }

    fn ours(public_access_blocked: bool, encrypted: bool, has_policy: bool) -> Seen<Bucket> {
        let made_by_us = Some(Hardening { public_access_blocked, encrypted, has_policy });
        Seen::Present(Bucket { region: "eu-west-1".into(), made_by_us })
    }

    #[test]
    fn a_bucket_is_made_whole_and_one_of_others_is_left_alone() {
        let all = [
            "s3:CreateBucket",
            "s3:PutBucketTagging",
            "s3:PutPublicAccessBlock",
            "s3:PutBucketEncryption",
            "s3:PutBucketPolicy",
        ];
        check(Seen::Absent, Verdict::Create, &all);
        check(ours(true, true, true), Verdict::Keep, &[]);
        check(ours(true, true, false), Verdict::Update, &all[4..]);
        check(ours(false, true, true), Verdict::Update, &all[2..3]);
        check(Seen::Present(Bucket { region: "eu-west-1".into(), made_by_us: None }), Verdict::Keep, &[]);
        check(Seen::Unknown("403".into()), Verdict::Unknown, &[]);
    }

    #[test]
    fn the_policy_is_of_the_partition() {
        let policy: serde_json::Value = serde_json::from_str(&tls_only(&site("cn-north-1"))).unwrap();
        assert_eq!(policy["Statement"][0]["Resource"], json!(["arn:aws-cn:s3:::b", "arn:aws-cn:s3:::b/*"]));
    }
}
