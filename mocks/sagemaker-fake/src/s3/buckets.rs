//! Operations on buckets themselves.

use http::StatusCode;
use s3s::S3Request;
use s3s::dto::{
    Bucket as BucketSummary, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput, DeleteBucketInput,
    DeleteBucketOutput, GetBucketLocationInput, GetBucketLocationOutput, HeadBucketInput, HeadBucketOutput,
    ListBucketsInput, ListBucketsOutput, Owner,
};

use super::access::Identity;
use super::bucket::{self, Bucket};
use super::object::{Object, hex};
use super::upload::Upload;
use crate::account::Caller;
use crate::protocol::{CredentialFault, DEFAULT_REGION};
use crate::store::Records as _;
use crate::{ApiError, Fake};

/// The region whose endpoint takes no location constraint.
const US_EAST_1: &str = "us-east-1";

/// Makes a bucket in the region that the request was signed for.
///
/// # Errors
/// Those of [`bucket::create`]; `IllegalLocationConstraintException`, `InvalidLocationConstraint`.
pub fn create(fake: &Fake, request: S3Request<CreateBucketInput>) -> Result<CreateBucketOutput, ApiError> {
    let (caller, region) = caller_and_region(&request)?;
    let input = request.input;
    let constraint = input.create_bucket_configuration.and_then(|configuration| configuration.location_constraint);
    check_location(&region, constraint.as_ref().map(BucketLocationConstraint::as_str))?;
    if input.object_lock_enabled_for_bucket == Some(true) {
        let message = "object lock is not served by this fake";
        return Err(ApiError::new("NotImplemented", message).with_status(StatusCode::NOT_IMPLEMENTED));
    }
    let ownership = input.object_ownership.map(|ownership| ownership.as_str().to_owned());
    if input.acl.is_some_and(|acl| acl.as_str() != "private")
        && ownership.as_deref().is_none_or(|it| it == "BucketOwnerEnforced")
    {
        let message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
        return Err(ApiError::new("InvalidBucketAclWithObjectOwnership", message));
    }
    let name = input.bucket;
    let made = bucket::create_with(fake, &name, &region, &caller.account, |settings| {
        if ownership.is_some() {
            settings.ownership = ownership;
        }
    });
    match made {
        // The oldest region has kept its oldest manners: making your own bucket again is no error there.
        Err(error) if error.code == "BucketAlreadyOwnedByYou" && region == US_EAST_1 => {}
        made => drop(made?),
    }
    let location = if region == US_EAST_1 { format!("/{name}") } else { format!("http://{name}.s3.amazonaws.com/") };
    Ok(CreateBucketOutput { location: Some(location) })
}

/// Says that the bucket is there, and where.
///
/// # Errors
/// `NoSuchBucket`.
pub fn head(fake: &Fake, request: S3Request<HeadBucketInput>) -> Result<HeadBucketOutput, ApiError> {
    let bucket = fake.store.read(|view| bucket::existing(view, &request.input.bucket))?;
    Ok(HeadBucketOutput { bucket_region: Some(bucket.region), ..HeadBucketOutput::default() })
}

/// Deletes a bucket that has neither objects nor unfinished uploads.
///
/// # Errors
/// `NoSuchBucket`, `BucketNotEmpty`.
pub fn delete(fake: &Fake, request: S3Request<DeleteBucketInput>) -> Result<DeleteBucketOutput, ApiError> {
    let name = request.input.bucket;
    fake.store.write(|change| {
        bucket::existing(change, &name)?;
        let inside = format!("{name}/");
        if !change.page::<Object>(&inside, "", 1)?.is_empty() || !change.page::<Upload>(&inside, "", 1)?.is_empty() {
            let message = "The bucket you tried to delete is not empty";
            return Err(ApiError::new("BucketNotEmpty", message).with_status(StatusCode::CONFLICT));
        }
        change.delete::<Bucket>(&name)
    })?;
    Ok(DeleteBucketOutput {})
}

/// The caller's buckets, by name.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn list(fake: &Fake, request: S3Request<ListBucketsInput>) -> Result<ListBucketsOutput, ApiError> {
    let (caller, _) = caller_and_region(&request)?;
    let input = request.input;
    let mut buckets = fake.store.read(|view| view.list::<Bucket>(input.prefix.as_deref().unwrap_or_default()))?;
    buckets.retain(|bucket| {
        bucket.owner == caller.account
            && input.bucket_region.as_ref().is_none_or(|region| *region == bucket.region)
            && input.continuation_token.as_ref().is_none_or(|last| bucket.name > *last)
    });
    let limit = input.max_buckets.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(0));
    let continuation_token =
        (buckets.len() > limit).then(|| buckets.get(limit.saturating_sub(1)).map(|last| last.name.clone())).flatten();
    buckets.truncate(limit);
    let buckets = buckets.into_iter().map(|bucket| BucketSummary {
        name: Some(bucket.name),
        creation_date: Some(bucket.created.date().into()),
        bucket_region: Some(bucket.region),
    });
    Ok(ListBucketsOutput {
        buckets: Some(buckets.collect()),
        owner: Some(owner(&caller.account)),
        prefix: input.prefix,
        continuation_token,
    })
}

/// The region of a bucket, as the constraint it could have been made with.
///
/// # Errors
/// `NoSuchBucket`.
pub fn location(fake: &Fake, request: S3Request<GetBucketLocationInput>) -> Result<GetBucketLocationOutput, ApiError> {
    let bucket = fake.store.read(|view| bucket::existing(view, &request.input.bucket))?;
    let constraint = (bucket.region != US_EAST_1).then(|| BucketLocationConstraint::from(bucket.region));
    Ok(GetBucketLocationOutput { location_constraint: constraint })
}

/// An account as S3 shows it: by its canonical id, which has nothing to do with the twelve digits.
pub fn owner(account: &str) -> Owner {
    use sha2::Digest as _;
    Owner { id: Some(hex(&sha2::Sha256::digest(account))), display_name: None }
}

/// Who is calling, and the region of the request.
pub fn caller_and_region<T>(request: &S3Request<T>) -> Result<(Caller, String), ApiError> {
    let identity =
        request.extensions.get::<Identity>().ok_or_else(|| ApiError::internal("a request without identity"))?;
    let region = identity.region.clone().unwrap_or_else(|| DEFAULT_REGION.to_owned());
    Ok((identity.caller.clone().map_err(CredentialFault::in_s3)?, region))
}

fn check_location(region: &str, constraint: Option<&str>) -> Result<(), ApiError> {
    let illegal = |constraint: &str| {
        let message = format!(
            "The {constraint} location constraint is incompatible for the region specific endpoint this request was sent to."
        );
        Err(ApiError::new("IllegalLocationConstraintException", message))
    };
    match constraint.filter(|constraint| !constraint.is_empty()) {
        None if region == US_EAST_1 => Ok(()),
        None => illegal("unspecified"),
        Some(US_EAST_1) if region == US_EAST_1 => {
            Err(ApiError::new("InvalidLocationConstraint", "The specified location-constraint is not valid"))
        }
        Some("EU") if region == "eu-west-1" => Ok(()),
        Some(constraint) if constraint == region => Ok(()),
        Some(constraint) => illegal(constraint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constraint_must_be_the_region_of_the_endpoint() {
        let check = |region: &str, constraint: Option<&str>, expected: Option<(&str, &str)>| {
            let found = check_location(region, constraint).err();
            let found = found.as_ref().map(|error| (error.code.as_str(), error.message.split(' ').nth(1).unwrap()));
            assert_eq!(found, expected, "{region} {constraint:?}");
        };
        check("us-east-1", None, None);
        check("us-east-1", Some(""), None);
        check("eu-west-1", Some("eu-west-1"), None);
        check("eu-west-1", Some("EU"), None);
        check("eu-west-1", None, Some(("IllegalLocationConstraintException", "unspecified")));
        check("eu-west-1", Some("eu-west-3"), Some(("IllegalLocationConstraintException", "eu-west-3")));
        check("us-east-1", Some("eu-west-1"), Some(("IllegalLocationConstraintException", "eu-west-1")));
        check("us-east-1", Some("us-east-1"), Some(("InvalidLocationConstraint", "specified")));
    }
}
