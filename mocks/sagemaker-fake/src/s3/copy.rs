//! Copying inside S3: an object, or a range of one as a part of an upload.

use std::io::{Read as _, Seek as _, SeekFrom};

use http::HeaderMap;
use s3s::S3Request;
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopyPartResult, CopySource, ETag, ServerSideEncryption,
    UploadPartCopyInput, UploadPartCopyOutput,
};

use super::access::accessible;
use super::buckets::caller_and_region;
use super::checksum::{Algorithm, show_checksum};
use super::conditions;
use super::content::Draft;
use super::object::{self, Headers, Object};
use super::wishes::wishes;
use super::{bucket, multipart, upload};
use crate::{ApiError, Fake};

/// Copies an object, all or nothing.
///
/// # Errors
/// `NoSuchKey`, `NoSuchBucket`, `AccessDenied`, `PreconditionFailed`, `InvalidRequest` for a copy onto itself.
pub fn object(fake: &Fake, request: S3Request<CopyObjectInput>) -> Result<CopyObjectOutput, ApiError> {
    let (caller, _) = caller_and_region(&request)?;
    let mut input = request.input;
    let wishes = wishes!(input);
    let (from_bucket, from_key) = source(&input.copy_source)?;
    fake.store.read(|view| {
        accessible(
            view,
            from_bucket,
            input.expected_source_bucket_owner.as_deref(),
            &caller.account,
            fake.enforces_iam(),
        )
    })?;
    let (original, mut file) = super::open(fake, from_bucket, from_key)?;
    let conditions = conditions::Read {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
    };
    conditions.check_source(&original)?;
    let replaces_headers = input.metadata_directive.is_some_and(|directive| directive.as_str() == "REPLACE");
    let changes = replaces_headers
        || wishes.encryption.is_some()
        || wishes.headers.storage_class != original.headers.storage_class
        || wishes.headers.website_redirect_location.is_some();
    if !changes && original.bucket == input.bucket && original.key == input.key {
        let message = "This copy request is illegal because it is trying to copy an object to itself without changing the object's \
                       metadata, storage class, website redirect location or encryption attributes.";
        return Err(ApiError::new("InvalidRequest", message));
    }
    let bucket = fake.store.read(|view| bucket::existing(view, &input.bucket))?;
    wishes.check(&bucket)?;
    let algorithm = input.checksum_algorithm.and_then(|algorithm| Algorithm::named(algorithm.as_str()));
    let mut draft = Draft::new(fake, algorithm.unwrap_or(original.checksum.algorithm)).map_err(uncopied)?;
    draft.append(&mut file).map_err(uncopied)?;
    let mut copy = Object::new(fake, &bucket, &input.key, draft.finish(|_| Ok(()))?);
    let replaces_tags = input.tagging_directive.is_some_and(|directive| directive.as_str() == "REPLACE");
    copy.encryption = wishes.encryption(&bucket);
    copy.tags = if replaces_tags { wishes.tags } else { original.tags };
    // Neither the storage class nor a redirect is copied.
    let Headers { storage_class, website_redirect_location, .. } = wishes.headers.clone();
    let headers = if replaces_headers { wishes.headers } else { original.headers };
    copy.headers = Headers { storage_class, website_redirect_location, ..headers };
    let copy = object::replace(fake, copy, |_, _| Ok(()))?;

    let mut result = CopyObjectResult {
        e_tag: Some(ETag::Strong(copy.etag)),
        last_modified: Some(copy.last_modified.date().into()),
        checksum_type: Some(copy.checksum.kind()),
        ..CopyObjectResult::default()
    };
    show_checksum!(result, copy.checksum);
    Ok(CopyObjectOutput {
        copy_object_result: Some(result),
        server_side_encryption: Some(ServerSideEncryption::from(copy.encryption.algorithm)),
        ssekms_key_id: copy.encryption.kms_key_id,
        ..CopyObjectOutput::default()
    })
}

/// Copies an object, or a range of it, as a part of an upload.
///
/// # Errors
/// `NoSuchKey`, `NoSuchUpload`, `AccessDenied`, `PreconditionFailed`, `InvalidArgument` for a range.
pub fn part(fake: &Fake, request: S3Request<UploadPartCopyInput>) -> Result<UploadPartCopyOutput, ApiError> {
    let (caller, _) = caller_and_region(&request)?;
    let input = request.input;
    let (from_bucket, from_key) = source(&input.copy_source)?;
    let upload = fake.store.read(|view| {
        accessible(
            view,
            from_bucket,
            input.expected_source_bucket_owner.as_deref(),
            &caller.account,
            fake.enforces_iam(),
        )?;
        upload::existing(view, &input.bucket, &input.key, &input.upload_id)
    })?;
    let claims = multipart::claims(&upload, input.part_number, &HeaderMap::new(), &http::Extensions::new())?;
    let (original, mut file) = super::open(fake, from_bucket, from_key)?;
    let conditions = conditions::Read {
        if_match: input.copy_source_if_match,
        if_none_match: input.copy_source_if_none_match,
        if_modified_since: input.copy_source_if_modified_since,
        if_unmodified_since: input.copy_source_if_unmodified_since,
    };
    conditions.check_source(&original)?;
    let bytes = match &input.copy_source_range {
        Some(range) => range_of(range, original.size)?,
        None => 0..original.size,
    };
    file.seek(SeekFrom::Start(bytes.start)).map_err(uncopied)?;
    let mut draft = Draft::new(fake, claims.algorithm.unwrap_or_default()).map_err(uncopied)?;
    draft.append(&mut file.take(bytes.end - bytes.start)).map_err(uncopied)?;
    let part = multipart::put_part(fake, &upload, input.part_number, draft.finish(|_| Ok(()))?)?;
    let mut result = CopyPartResult {
        e_tag: Some(ETag::Strong(part.etag)),
        last_modified: Some(part.last_modified.date().into()),
        ..CopyPartResult::default()
    };
    show_checksum!(result, part.checksum);
    Ok(UploadPartCopyOutput {
        copy_part_result: Some(result),
        server_side_encryption: Some(ServerSideEncryption::from(upload.encryption.algorithm)),
        ..UploadPartCopyOutput::default()
    })
}

/// The bucket and key of a source.
fn source(source: &CopySource) -> Result<(&str, &str), ApiError> {
    match source {
        CopySource::Bucket { bucket, key, .. } => Ok((bucket, key)),
        _ => Err(ApiError::new(
            "InvalidArgument",
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
        )),
    }
}

/// A range of a source is written out in full and lies inside it.
fn range_of(text: &str, size: u64) -> Result<std::ops::Range<u64>, ApiError> {
    let range = text.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let range = range.and_then(|(first, last)| Some(first.parse().ok()?..last.parse::<u64>().ok()?.checked_add(1)?));
    let range = range.filter(|range| range.start < range.end).ok_or_else(|| {
        let message = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based \
                       offsets of the first and last bytes to copy";
        ApiError::new("InvalidArgument", message)
    })?;
    if range.end > size {
        return Err(ApiError::new(
            "InvalidArgument",
            format!("Range specified is not valid for source object of size: {size}"),
        ));
    }
    Ok(range)
}

fn uncopied(error: std::io::Error) -> ApiError {
    ApiError::internal(format!("cannot copy a content: {error}"))
}
