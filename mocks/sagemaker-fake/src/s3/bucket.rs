//! The record of a bucket, its settings, its name and its birth.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use http::StatusCode;
use regex::Regex;
use serde::{Deserialize, Serialize};

use super::lifecycle::Lifecycle;
use crate::clock::Timestamp;
use crate::store::{Record, Records};
use crate::{ApiError, Fake};

/// A bucket. Names are global: a bucket of another account is a record too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// Unique among all accounts.
    pub name: String,
    /// The twelve digits of the account that owns it.
    pub owner: String,
    /// The region it is in.
    pub region: String,
    /// When it was made.
    pub created: Timestamp,
    /// How it is set up.
    #[serde(default)]
    pub settings: Settings,
}

/// How a bucket is set up. The default is what AWS gives a new bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// None if it was deleted, which unblocks everything.
    pub public_access_block: Option<PublicAccessBlock>,
    /// How contents are encrypted; there is no way to switch it off.
    pub encryption: Encryption,
    /// The bucket policy, as JSON text.
    pub policy: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// `Enabled` or `Suspended`, if that was ever said. Only the word is kept: objects have one version here.
    pub versioning: Option<String>,
    /// Who owns what is put here by others. None if it was deleted.
    pub ownership: Option<String>,
    /// When objects go, if that was ever said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
    /// Which pages of other sites may read it, as AWS writes that. No browser asks the fake: it is kept and read back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors: Option<String>,
}

/// What a bucket does against being public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "these are the four switches that AWS has")]
pub struct PublicAccessBlock {
    /// `BlockPublicAcls`.
    pub block_public_acls: bool,
    /// `IgnorePublicAcls`.
    pub ignore_public_acls: bool,
    /// `BlockPublicPolicy`.
    pub block_public_policy: bool,
    /// `RestrictPublicBuckets`.
    pub restrict_public_buckets: bool,
}

/// How contents are encrypted at rest. The fake only says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub algorithm: String,
    /// The key of the latter two, if it is not AWS's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key_id: Option<String>,
    /// Whether S3 asks KMS for one key per bucket instead of one per object.
    #[serde(default)]
    pub bucket_key: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_access_block: Some(PublicAccessBlock {
                block_public_acls: true,
                ignore_public_acls: true,
                block_public_policy: true,
                restrict_public_buckets: true,
            }),
            encryption: Encryption::default(),
            policy: None,
            tags: BTreeMap::new(),
            versioning: None,
            ownership: Some("BucketOwnerEnforced".to_owned()),
            lifecycle: None,
            cors: None,
        }
    }
}

impl Default for Encryption {
    fn default() -> Self {
        Self { algorithm: "AES256".to_owned(), kms_key_id: None, bucket_key: false }
    }
}

impl Record for Bucket {
    const KIND: &'static str = "bucket";
    fn key(&self) -> String {
        self.name.clone()
    }
}

/// Makes a bucket as AWS makes it today: public access blocked, contents encrypted, access lists disabled.
///
/// # Errors
/// `InvalidBucketName`; `BucketAlreadyOwnedByYou` or `BucketAlreadyExists` when the name is taken.
pub fn create(fake: &Fake, name: &str, region: &str, owner: &str) -> Result<Bucket, ApiError> {
    create_with(fake, name, region, owner, |_| {})
}

/// Makes a bucket with other settings than AWS's.
///
/// # Errors
/// As [`create`].
pub(super) fn create_with(
    fake: &Fake,
    name: &str,
    region: &str,
    owner: &str,
    change_settings: impl FnOnce(&mut Settings),
) -> Result<Bucket, ApiError> {
    check_name(name)?;
    let mut settings = Settings::default();
    change_settings(&mut settings);
    fake.store.write(|change| {
        if let Some(bucket) = change.get::<Bucket>(name)? {
            return Err(taken(&bucket, owner));
        }
        let (name, owner, region) = (name.to_owned(), owner.to_owned(), region.to_owned());
        let bucket = Bucket { name, owner, region, created: fake.clock.now(), settings };
        change.put(&bucket)?;
        Ok(bucket)
    })
}

/// The bucket of this name.
///
/// # Errors
/// `NoSuchBucket`.
pub fn existing(records: &impl Records, name: &str) -> Result<Bucket, ApiError> {
    records.get(name)?.ok_or_else(|| {
        ApiError::new("NoSuchBucket", "The specified bucket does not exist").with_status(StatusCode::NOT_FOUND)
    })
}

/// Whether S3 would take this as the name of a new bucket.
fn check_name(name: &str) -> Result<(), ApiError> {
    static SHAPE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^[a-z0-9]([a-z0-9.-]{1,61})[a-z0-9]$").expect("a constant"));
    static RESERVED_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
    static RESERVED_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
    let good = SHAPE.is_match(name)
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    if good { Ok(()) } else { Err(ApiError::new("InvalidBucketName", "The specified bucket is not valid.")) }
}

fn taken(bucket: &Bucket, by: &str) -> ApiError {
    let (code, message) = if bucket.owner == by {
        (
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
        )
    } else {
        (
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. \
             Please select a different name and try again.",
        )
    };
    ApiError::new(code, message).with_status(StatusCode::CONFLICT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_s3() {
        let check = |name: &str, good: bool| assert_eq!(check_name(name).is_ok(), good, "{name}");
        for good in ["abc", "sagemaker-eu-west-1-111122223333", "my.bucket.2024", "1-2", &"a".repeat(63)] {
            check(good, true);
        }
        for bad in [
            "ab",
            "Upper",
            "under_score",
            "-first",
            "last-",
            ".first",
            "two..dots",
            "192.168.5.4",
            "xn--idn",
            "sthree-x",
            "x-s3alias",
            "x--ol-s3",
            "slash/y",
            "",
            &"a".repeat(64),
        ] {
            check(bad, false);
        }
    }
}
