//! The record of a bucket, its name and its birth.

use std::sync::LazyLock;

use http::StatusCode;
use regex::Regex;
use serde::{Deserialize, Serialize};

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
    check_name(name)?;
    fake.store.write(|change| {
        if let Some(bucket) = change.get::<Bucket>(name)? {
            return Err(taken(&bucket, owner));
        }
        let bucket = Bucket {
            name: name.to_owned(),
            owner: owner.to_owned(),
            region: region.to_owned(),
            created: fake.clock.now(),
        };
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
