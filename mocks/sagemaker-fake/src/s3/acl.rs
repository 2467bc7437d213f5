//! Access lists. There is one: whoever owns the bucket may do everything. Others are refused, as AWS refuses all of them
//! where access lists are disabled, which they are in new buckets.

use http::StatusCode;
use s3s::S3Request;
use s3s::dto::{
    BucketCannedACL, GetBucketAclInput, GetBucketAclOutput, GetObjectAclInput, GetObjectAclOutput, Grant, Grantee,
    ObjectCannedACL, Owner, Permission, PutBucketAclInput, PutBucketAclOutput, PutObjectAclInput, PutObjectAclOutput,
    Type,
};

use super::bucket::{self, Bucket};
use super::buckets::owner;
use super::object::no_such_key;
use crate::{ApiError, Fake};

/// Who may do what with a bucket.
///
/// # Errors
/// `NoSuchBucket`.
pub fn of_bucket(fake: &Fake, request: S3Request<GetBucketAclInput>) -> Result<GetBucketAclOutput, ApiError> {
    let bucket = fake.store.read(|view| bucket::existing(view, &request.input.bucket))?;
    let owner = owner(&bucket.owner);
    Ok(GetBucketAclOutput { grants: Some(vec![full_control(&owner)]), owner: Some(owner) })
}

/// Takes the list that there is already.
///
/// # Errors
/// `AccessControlListNotSupported`; `NotImplemented` for another list.
pub fn put_of_bucket(fake: &Fake, request: S3Request<PutBucketAclInput>) -> Result<PutBucketAclOutput, ApiError> {
    let input = request.input;
    let bucket = fake.store.read(|view| bucket::existing(view, &input.bucket))?;
    put(&bucket, input.acl.as_ref().map(BucketCannedACL::as_str))?;
    Ok(PutBucketAclOutput {})
}

/// Who may do what with an object.
///
/// # Errors
/// `NoSuchKey`.
pub fn of_object(fake: &Fake, request: S3Request<GetObjectAclInput>) -> Result<GetObjectAclOutput, ApiError> {
    let input = request.input;
    super::get(fake, &input.bucket, &input.key)?.ok_or_else(no_such_key)?;
    let owner = owner(&fake.store.read(|view| bucket::existing(view, &input.bucket))?.owner);
    Ok(GetObjectAclOutput { grants: Some(vec![full_control(&owner)]), owner: Some(owner), request_charged: None })
}

/// Takes the list that there is already.
///
/// # Errors
/// `NoSuchKey`; those of [`put_of_bucket`].
pub fn put_of_object(fake: &Fake, request: S3Request<PutObjectAclInput>) -> Result<PutObjectAclOutput, ApiError> {
    let input = request.input;
    super::get(fake, &input.bucket, &input.key)?.ok_or_else(no_such_key)?;
    let bucket = fake.store.read(|view| bucket::existing(view, &input.bucket))?;
    put(&bucket, input.acl.as_ref().map(ObjectCannedACL::as_str))?;
    Ok(PutObjectAclOutput { request_charged: None })
}

/// Whether an object may be put into this bucket with this canned list, or with none.
///
/// # Errors
/// Those of [`put_of_bucket`].
pub fn check(bucket: &Bucket, canned: Option<&str>) -> Result<(), ApiError> {
    match canned {
        None | Some("private" | "bucket-owner-full-control") => Ok(()),
        canned => put(bucket, canned),
    }
}

fn put(bucket: &Bucket, canned: Option<&str>) -> Result<(), ApiError> {
    if bucket.settings.ownership.as_deref() == Some("BucketOwnerEnforced") {
        return Err(ApiError::new("AccessControlListNotSupported", "The bucket does not allow ACLs"));
    }
    match canned {
        Some("private" | "bucket-owner-full-control") => Ok(()),
        canned => {
            let message = format!("the access list {} is not served by this fake", canned.unwrap_or("of grants"));
            Err(ApiError::new("NotImplemented", message).with_status(StatusCode::NOT_IMPLEMENTED))
        }
    }
}

/// What an access list says of whoever owns the thing.
fn full_control(owner: &Owner) -> Grant {
    Grant {
        grantee: Some(Grantee {
            id: owner.id.clone(),
            type_: Type::from_static(Type::CANONICAL_USER),
            display_name: None,
            email_address: None,
            uri: None,
        }),
        permission: Some(Permission::from_static(Permission::FULL_CONTROL)),
    }
}
