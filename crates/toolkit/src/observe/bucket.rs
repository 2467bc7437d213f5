//! The bucket: is it there, is it ours, and did we make it.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_public_access_block::GetPublicAccessBlockOutput;
use aws_sdk_s3::operation::head_bucket::HeadBucketError;

use super::Seen;
use crate::aws::errors::describe;
use crate::error::Failure;
use crate::names;

/// A bucket that our account owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its region.
    pub region: String,
    /// Its hardening, if we made it; what others made is not looked into.
    pub made_by_us: Option<Hardening>,
}

/// What has been done to a bucket of our making.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hardening {
    /// All four public access blocks are on.
    pub public_access_blocked: bool,
    /// It has a default encryption.
    pub encrypted: bool,
    /// It has a policy (ours refuses everything but TLS).
    pub has_policy: bool,
}

/// How a bucket stands to us.
#[derive(Debug)]
pub enum Standing {
    /// It is our account's.
    Ours(Bucket),
    /// There is none of this name.
    Absent,
    /// It is in this region, whosesoever it is.
    Elsewhere(String),
    /// It is another account's, and lets us in.
    Foreign,
    /// It is another account's, or we may not look at it.
    Forbidden,
    /// Nobody said.
    Unanswered(Failure),
}

/// Looks at the bucket.
///
/// `HeadBucket` has no body, so its refusals have to be told apart by status: 404 is absent, 301 is another region, 403
/// may be a missing permission or somebody else's bucket. Then the same question without an expected owner tells a
/// foreign bucket from a forbidden one.
pub async fn look(s3: &Client, name: &str, account: &str, region: &str) -> Standing {
    let error = match s3.head_bucket().bucket(name).expected_bucket_owner(account).send().await {
        Ok(head) => {
            let actual = head.bucket_region().unwrap_or(region).to_owned();
            if actual != region {
                return Standing::Elsewhere(actual);
            }
            return match hardening(s3, name, account).await {
                Ok(made_by_us) => Standing::Ours(Bucket { region: actual, made_by_us }),
                Err(failure) => Standing::Unanswered(failure),
            };
        }
        Err(error) => error,
    };
    match status(&error) {
        Some(404) => Standing::Absent,
        Some(301) => {
            let actual = error.raw_response().and_then(|raw| raw.headers().get("x-amz-bucket-region"));
            Standing::Elsewhere(actual.unwrap_or("another region").to_owned())
        }
        Some(403) => match s3.head_bucket().bucket(name).send().await {
            Ok(_) => Standing::Foreign,
            Err(_) => Standing::Forbidden,
        },
        _ => Standing::Unanswered(describe("HeadBucket", error)),
    }
}

/// What a plan can start from.
///
/// # Errors
/// When the bucket belongs to another account or is in another region, where nothing of ours may go; or when the call
/// fails for a reason that has nothing to do with the bucket.
pub async fn observe(s3: &Client, name: &str, account: &str, region: &str) -> Result<Seen<Bucket>, Failure> {
    match look(s3, name, account, region).await {
        Standing::Ours(bucket) => Ok(Seen::Present(bucket)),
        Standing::Absent => Ok(Seen::Absent),
        Standing::Elsewhere(actual) => Err(in_another_region(name, &actual, region)),
        Standing::Foreign => Err(Failure::operation(format!(
            "bucket `{name}` belongs to another account than {account}"
        ))
        .hint(
            "nothing was sent to it; name another bucket with STSMM_BUCKET or --bucket, and tell the account's admin",
        )),
        Standing::Forbidden => Ok(Seen::Unknown(
            "HeadBucket answers 403: it is another account's, or s3:ListBucket on it is missing".to_owned(),
        )),
        Standing::Unanswered(failure) => Err(failure),
    }
}

fn in_another_region(name: &str, actual: &str, region: &str) -> Failure {
    Failure::operation(format!("bucket `{name}` is in {actual}, not in {region}"))
        .hint("SageMaker reads from its own region only: set AWS_DEFAULT_REGION, or another bucket with STSMM_BUCKET")
}

fn status(error: &SdkError<HeadBucketError>) -> Option<u16> {
    error.raw_response().map(|raw| raw.status().as_u16())
}

/// Whether all four public access blocks are on.
pub fn is_blocked(answer: &GetPublicAccessBlockOutput) -> bool {
    answer.public_access_block_configuration().is_some_and(|block| {
        [block.block_public_acls, block.ignore_public_acls, block.block_public_policy, block.restrict_public_buckets]
            .iter()
            .all(|on| *on == Some(true))
    })
}

/// The hardening of a bucket that carries our tags; `None` for any other, and for one whose tags we may not read.
async fn hardening(s3: &Client, name: &str, account: &str) -> Result<Option<Hardening>, Failure> {
    let tags = match s3.get_bucket_tagging().bucket(name).expected_bucket_owner(account).send().await {
        Ok(tags) => tags.tag_set,
        Err(_) => return Ok(None),
    };
    let (key, value) = names::MANAGED_BY;
    if !tags.iter().any(|tag| tag.key() == key && tag.value() == value) {
        return Ok(None);
    }
    let block = s3.get_public_access_block().bucket(name).expected_bucket_owner(account).send().await;
    let block = absent_if(block, "NoSuchPublicAccessBlockConfiguration", "GetPublicAccessBlock")?;
    let encryption = s3.get_bucket_encryption().bucket(name).expected_bucket_owner(account).send().await;
    let encryption = absent_if(encryption, "ServerSideEncryptionConfigurationNotFoundError", "GetBucketEncryption")?;
    let policy = s3.get_bucket_policy().bucket(name).expected_bucket_owner(account).send().await;
    let policy = absent_if(policy, "NoSuchBucketPolicy", "GetBucketPolicy")?;
    Ok(Some(Hardening {
        public_access_blocked: block.is_some_and(|block| is_blocked(&block)),
        encrypted: encryption.is_some(),
        has_policy: policy.is_some(),
    }))
}

/// The answer; nothing when AWS says with `code` that there is none.
fn absent_if<T, E>(answer: Result<T, SdkError<E>>, code: &str, call: &'static str) -> Result<Option<T>, Failure>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.code() == Some(code) => Ok(None),
        Err(error) => Err(describe(call, error)),
    }
}
