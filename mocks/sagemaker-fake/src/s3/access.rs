//! Who is calling, and whose bucket it is: asked once for every operation, before it begins.

use std::sync::{Arc, OnceLock};

use http::{Extensions, HeaderMap, HeaderName, HeaderValue, StatusCode};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, dto, s3_error};

use super::bucket::{self, Bucket};
use super::{object, settings};
use crate::account::Caller;
use crate::authorisation::s3::{self, Call};
use crate::faults::{Asked, CallFault, Way};
use crate::protocol::{CredentialFault, DEFAULT_REGION, pairs};
use crate::store::Records;
use crate::{ApiError, Fake};

/// What is known of a request before its operation is. It travels in the request's extensions.
#[derive(Clone)]
pub struct Identity {
    /// Who is calling.
    pub caller: Result<Caller, CredentialFault>,
    /// The region that the request was signed for, if it says so.
    pub region: Option<String>,
    /// The operation, once it is known.
    pub operation: Arc<OnceLock<String>>,
    /// What goes wrong on request, if something does.
    pub fault: Arc<OnceLock<CallFault>>,
}

/// The operations whose answers come in pages.
const LISTS: [&str; 6] =
    ["ListBuckets", "ListMultipartUploads", "ListObjectVersions", "ListObjects", "ListObjectsV2", "ListParts"];

/// The check of every operation: the caller is known, the bucket exists, is in the region that the request was signed for
/// and open to the caller and, if the request says whose it expects the bucket to be, that account's.
pub struct Access(pub Fake);

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = context.s3_op().name().to_owned();
        let identity = context.extensions_mut().get::<Identity>().cloned();
        let identity =
            identity.ok_or_else(|| s3_error!(InternalError, "a request came in by another way than the service"))?;
        let creates = operation == "CreateBucket";
        let asks_for_region = operation == "GetBucketLocation";
        let _ = identity.operation.set(operation.clone());
        let caller = identity.caller.map_err(CredentialFault::in_s3)?;
        let path = context.s3_path();
        let call = Call {
            operation: &operation,
            bucket: path.get_bucket_name(),
            key: path.as_object().map(|(_, key)| key),
            headers: context.headers(),
            query: context.uri().query().unwrap_or_default(),
        };
        if let Some(refusal) = strike(&self.0, &caller, &call, &identity.fault) {
            return Err(refusal.into());
        }
        check_served(&call)?;
        let region = identity.region.as_deref().unwrap_or(DEFAULT_REGION);
        let authorise = || if self.0.enforces_iam() { s3::check(&self.0, &caller, region, &call) } else { Ok(()) };
        let Some(bucket) = path.get_bucket_name().filter(|_| !creates) else { return Ok(authorise()?) };
        let expected = context.headers().get("x-amz-expected-bucket-owner").and_then(|value| value.to_str().ok());
        let existing = self.0.store.read(|view| bucket::existing(view, bucket))?;
        if asks_for_region || identity.region.as_ref().is_none_or(|region| *region == existing.region) {
            let allowed = check_owner(&existing, expected, &caller.account, self.0.enforces_iam());
            return allowed.and_then(|()| authorise()).map_err(|refusal| placed(refusal.into(), &existing));
        }
        Err(elsewhere(&existing))
    }

    async fn list_buckets(&self, request: &mut S3Request<dto::ListBucketsInput>) -> S3Result<()> {
        cut_short(&request.extensions, &mut request.input.max_buckets)
    }

    async fn list_multipart_uploads(&self, request: &mut S3Request<dto::ListMultipartUploadsInput>) -> S3Result<()> {
        cut_short(&request.extensions, &mut request.input.max_uploads)
    }

    async fn list_object_versions(&self, request: &mut S3Request<dto::ListObjectVersionsInput>) -> S3Result<()> {
        cut_short(&request.extensions, &mut request.input.max_keys)
    }

    async fn list_objects(&self, request: &mut S3Request<dto::ListObjectsInput>) -> S3Result<()> {
        cut_short(&request.extensions, &mut request.input.max_keys)
    }

    async fn list_objects_v2(&self, request: &mut S3Request<dto::ListObjectsV2Input>) -> S3Result<()> {
        cut_short(&request.extensions, &mut request.input.max_keys)
    }

    async fn list_parts(&self, request: &mut S3Request<dto::ListPartsInput>) -> S3Result<()> {
        cut_short(&request.extensions, &mut request.input.max_parts)
    }
}

/// Puts down what goes wrong with a request, if something does; what is answered instead of acting, if something is.
fn strike(fake: &Fake, caller: &Caller, call: &Call<'_>, fault: &OnceLock<CallFault>) -> Option<ApiError> {
    let Call { operation, .. } = *call;
    let pages = LISTS.contains(&operation);
    let struck =
        fake.faults.of_call(&Asked { service: "s3", operation, caller: &caller.arn, pages, way: Way::Wire })?;
    match fault.get_or_init(|| struck) {
        CallFault::AccessDenied => Some(s3::unallowed(caller, call)),
        CallFault::ExpiredToken => Some(CredentialFault::Expired.in_s3()),
        other => other.refusal("s3"),
    }
}

/// Lets a list have one item a page, if that was asked for.
#[expect(clippy::unnecessary_wraps, reason = "as the checks of operations have it")]
fn cut_short(extensions: &Extensions, size: &mut Option<i32>) -> S3Result<()> {
    let fault = extensions.get::<Identity>().and_then(|identity| identity.fault.get());
    if fault == Some(&CallFault::TruncatedPage) {
        *size = Some(1);
    }
    Ok(())
}

/// What a path says that `s3s` does not know: it would take such a request for another one.
const UNKNOWN_SUBRESOURCES: [&str; 5] =
    ["abac", "metadataConfiguration", "metadataInventoryTable", "metadataJournalTable", "renameObject"];

/// Whether the request is about something that there is here: no subresource that is not served, and no version of an
/// object but the only one.
///
/// # Errors
/// `NotImplemented`, `NoSuchVersion`.
fn check_served(call: &Call<'_>) -> Result<(), ApiError> {
    for (name, value) in pairs(call.query.as_bytes()) {
        if UNKNOWN_SUBRESOURCES.contains(&name.as_str()) {
            let message = format!("the subresource {name} is not served by this fake");
            return Err(ApiError::new("NotImplemented", message).with_status(StatusCode::NOT_IMPLEMENTED));
        }
        if name == "versionId" && call.key.is_some() {
            object::check_version(Some(&value))?;
        }
    }
    let source = call.headers.get("x-amz-copy-source").and_then(|source| source.to_str().ok());
    object::check_version(source.and_then(|source| Some(source.split_once("?versionId=")?.1)))
}

/// The refusal of a request that was signed for another region than the bucket's. It says which one would do.
fn elsewhere(bucket: &Bucket) -> S3Error {
    let mut refusal = S3Error::with_message(
        S3ErrorCode::PermanentRedirect,
        "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future \
         requests to this endpoint.",
    );
    refusal.set_status_code(StatusCode::MOVED_PERMANENTLY);
    placed(refusal, bucket)
}

/// A refusal that says where the bucket is, as AWS's do whatever the reason.
fn placed(mut refusal: S3Error, bucket: &Bucket) -> S3Error {
    if let Ok(region) = HeaderValue::from_str(&bucket.region) {
        refusal.set_headers(HeaderMap::from_iter([(HeaderName::from_static("x-amz-bucket-region"), region)]));
    }
    refusal
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
    enforced: bool,
) -> Result<Bucket, ApiError> {
    let bucket = bucket::existing(records, name)?;
    check_owner(&bucket, expected_owner, account, enforced)?;
    Ok(bucket)
}

/// Whether this account may use the bucket, and it is owned by the expected one. The bucket of another account may be
/// used if its policy lets everyone in, as that of a squatted name does; where IAM is enforced, IAM says who may.
fn check_owner(bucket: &Bucket, expected_owner: Option<&str>, account: &str, enforced: bool) -> Result<(), ApiError> {
    if let Some(expected) = expected_owner
        && !(expected.len() == 12 && expected.bytes().all(|byte| byte.is_ascii_digit()))
    {
        let message = "The value of the expected bucket owner parameter must be an AWS Account ID... [accountId]";
        return Err(ApiError::new("InvalidBucketOwnerAWSAccountID", message));
    }
    let open = enforced
        || bucket.owner == account
        || bucket.settings.policy.as_deref().is_some_and(settings::lets_everyone_in);
    if !open || expected_owner.is_some_and(|expected| expected != bucket.owner) {
        return Err(ApiError::new("AccessDenied", "Access Denied").with_status(StatusCode::FORBIDDEN));
    }
    Ok(())
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
