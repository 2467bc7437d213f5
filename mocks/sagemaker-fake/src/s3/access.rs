//! Who is calling, and whose bucket it is: asked once for every operation, before it begins.

use std::sync::{Arc, OnceLock};

use http::StatusCode;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

use super::bucket::{self, Bucket};
use crate::account::Caller;
use crate::protocol::CredentialFault;
use crate::store::Records;
use crate::{ApiError, Fake};

/// What is known of a request before its operation is. It travels in the request's extensions.
#[derive(Clone)]
pub struct Identity {
    /// Who is calling.
    pub caller: Result<Caller, CredentialFault>,
    /// The region that the request was signed for.
    pub region: String,
    /// The operation, once it is known.
    pub operation: Arc<OnceLock<String>>,
}

/// The check of every operation: the caller is known, the bucket exists and is the caller's and, if the request says
/// whose it expects the bucket to be, that account's.
pub struct Access(pub Fake);

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = context.s3_op().name().to_owned();
        let identity = context.extensions_mut().get::<Identity>().cloned();
        let identity =
            identity.ok_or_else(|| s3_error!(InternalError, "a request came in by another way than the service"))?;
        let creates = operation == "CreateBucket";
        let _ = identity.operation.set(operation);
        let caller = identity.caller.map_err(CredentialFault::in_s3)?;
        let Some(bucket) = context.s3_path().get_bucket_name().filter(|_| !creates) else { return Ok(()) };
        let expected = context.headers().get("x-amz-expected-bucket-owner").and_then(|value| value.to_str().ok());
        self.0.store.read(|view| accessible(view, bucket, expected, &caller.account).map(drop))?;
        Ok(())
    }
}

/// The bucket, if this account may use it and it is owned by the expected one.
///
/// # Errors
/// `NoSuchBucket`, `AccessDenied`, `InvalidBucketOwnerAWSAccountID`.
pub fn accessible(
    records: &impl Records,
    name: &str,
    expected_owner: Option<&str>,
    account: &str,
) -> Result<Bucket, ApiError> {
    if let Some(expected) = expected_owner
        && !(expected.len() == 12 && expected.bytes().all(|byte| byte.is_ascii_digit()))
    {
        let message = "The value of the expected bucket owner parameter must be an AWS Account ID... [accountId]";
        return Err(ApiError::new("InvalidBucketOwnerAWSAccountID", message));
    }
    let bucket = bucket::existing(records, name)?;
    if bucket.owner != account || expected_owner.is_some_and(|expected| expected != bucket.owner) {
        return Err(ApiError::new("AccessDenied", "Access Denied").with_status(StatusCode::FORBIDDEN));
    }
    Ok(bucket)
}

/// There is nothing to verify: [`super::envelope`] has taken the signature off. `s3s` checks access only where there is
/// something to authenticate with, and asks for a key only in one case, an upload by a browser's form.
pub struct NoSignatures;

#[async_trait::async_trait]
impl S3Auth for NoSignatures {
    async fn get_secret_key(&self, _: &str) -> S3Result<SecretKey> {
        Err(s3_error!(NotImplemented, "uploads by HTML form are not served by this fake"))
    }
}
