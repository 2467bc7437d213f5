//! Deleting objects.

use s3s::S3Request;
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETagCondition, Error,
};

use super::buckets::caller_and_region;
use super::conditions;
use super::object::{self, Object};
use super::{bucket, content};
use crate::authorisation::s3;
use crate::store::Records as _;
use crate::{ApiError, Fake};

/// Deletes an object. That there is none is no error.
///
/// # Errors
/// `NoSuchBucket`, `PreconditionFailed`.
pub fn object(fake: &Fake, request: S3Request<DeleteObjectInput>) -> Result<DeleteObjectOutput, ApiError> {
    let input = request.input;
    let result = remove(fake, &input.bucket, &[(input.key, input.if_match)])?.pop();
    result.transpose()?;
    Ok(DeleteObjectOutput::default())
}

/// Deletes up to a thousand objects, in one transaction; those whose conditions do not hold stay and are named.
///
/// # Errors
/// `NoSuchBucket`, `MalformedXML`.
pub fn objects(fake: &Fake, request: S3Request<DeleteObjectsInput>) -> Result<DeleteObjectsOutput, ApiError> {
    let (caller, region) = caller_and_region(&request)?;
    let input = request.input;
    if input.delete.objects.is_empty() || input.delete.objects.len() > 1000 {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        return Err(ApiError::new("MalformedXML", message));
    }
    let wanted = input
        .delete
        .objects
        .into_iter()
        .map(|object| {
            let version = object::check_version(object.version_id.as_deref());
            (version, object.key, object.e_tag.map(ETagCondition::ETag))
        })
        .collect::<Vec<_>>();
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    let may_delete = |key: &str| match fake.enforces_iam() {
        true => s3::check_deletion(fake, &caller, &region, &input.bucket, key),
        false => Ok(()),
    };
    let (allowed, refused): (Vec<_>, Vec<_>) = wanted
        .into_iter()
        .map(|(version, key, condition)| (version.and_then(|()| may_delete(&key)), key, condition))
        .partition(|(may, ..)| may.is_ok());
    let wanted: Vec<_> = allowed.into_iter().map(|(_, key, condition)| (key, condition)).collect();
    let results = remove(fake, &input.bucket, &wanted)?;
    let done = wanted.into_iter().map(|(key, _)| key).zip(results);
    for (key, result) in done.chain(refused.into_iter().map(|(may, key, _)| (key, may))) {
        match result {
            Ok(()) => deleted.push(DeletedObject { key: Some(key), ..DeletedObject::default() }),
            Err(error) => {
                errors.push(Error {
                    key: Some(key),
                    code: Some(error.code),
                    message: Some(error.message),
                    version_id: None,
                });
            }
        }
    }
    let quiet = input.delete.quiet == Some(true);
    Ok(DeleteObjectsOutput {
        deleted: (!quiet && !deleted.is_empty()).then_some(deleted),
        errors: (!errors.is_empty()).then_some(errors),
        request_charged: None,
    })
}

/// Removes objects, each if its condition holds, and then their contents.
pub(super) fn remove(
    fake: &Fake,
    bucket: &str,
    wanted: &[(String, Option<ETagCondition>)],
) -> Result<Vec<Result<(), ApiError>>, ApiError> {
    let mut files = Vec::new();
    let results = fake.store.write(|change| {
        bucket::existing(change, bucket)?;
        let mut results = Vec::new();
        for (key, if_match) in wanted {
            let id = object::id(bucket, key);
            let there = change.get::<Object>(&id)?;
            let condition = conditions::Write { if_match: if_match.clone(), if_none_match: None };
            let allowed = condition.check(there.as_ref());
            if let (Ok(()), Some(object)) = (&allowed, there) {
                change.delete::<Object>(&id)?;
                files.push(object.file);
            }
            results.push(allowed);
        }
        Ok(results)
    })?;
    files.iter().for_each(|file| content::remove(fake, file));
    Ok(results)
}
