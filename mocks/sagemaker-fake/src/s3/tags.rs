//! Tags, of buckets and of objects.

use std::collections::BTreeMap;

use s3s::S3Request;
use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput, Tag, TagSet, Tagging,
};

use super::bucket;
use super::object::{self, Object};
use crate::protocol::pairs;
use crate::store::Records as _;
use crate::{ApiError, Fake};

/// How many tags a bucket may have.
pub const MOST_OF_A_BUCKET: usize = 50;
/// How many tags an object may have.
pub const MOST_OF_AN_OBJECT: usize = 10;

/// The tags of an object.
///
/// # Errors
/// `NoSuchKey`.
pub fn of_object(fake: &Fake, request: S3Request<GetObjectTaggingInput>) -> Result<GetObjectTaggingOutput, ApiError> {
    let object = super::get(fake, &request.input.bucket, &request.input.key)?.ok_or_else(object::no_such_key)?;
    Ok(GetObjectTaggingOutput { tag_set: show(&object.tags), version_id: None })
}

/// Replaces the tags of an object.
///
/// # Errors
/// `NoSuchKey`; those of [`read`].
pub fn put_of_object(
    fake: &Fake,
    request: S3Request<PutObjectTaggingInput>,
) -> Result<PutObjectTaggingOutput, ApiError> {
    let tags = read(request.input.tagging, MOST_OF_AN_OBJECT)?;
    replace(fake, &request.input.bucket, &request.input.key, tags)?;
    Ok(PutObjectTaggingOutput::default())
}

/// Removes all tags of an object.
///
/// # Errors
/// `NoSuchKey`.
pub fn delete_of_object(
    fake: &Fake,
    request: S3Request<DeleteObjectTaggingInput>,
) -> Result<DeleteObjectTaggingOutput, ApiError> {
    replace(fake, &request.input.bucket, &request.input.key, BTreeMap::new())?;
    Ok(DeleteObjectTaggingOutput::default())
}

/// The tags of a document.
///
/// # Errors
/// `InvalidTag` and `BadRequest`, as AWS words them.
pub fn read(tagging: Tagging, most: usize) -> Result<BTreeMap<String, String>, ApiError> {
    collect(tagging.tag_set.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())), most)
}

/// The tags of the `x-amz-tagging` header, which is written as a query is.
///
/// # Errors
/// As [`read`].
pub fn read_header(header: &str) -> Result<BTreeMap<String, String>, ApiError> {
    collect(pairs(header.as_bytes()), MOST_OF_AN_OBJECT)
}

/// As a document has them.
pub fn show(tags: &BTreeMap<String, String>) -> TagSet {
    tags.iter().map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) }).collect()
}

fn replace(fake: &Fake, bucket: &str, key: &str, tags: BTreeMap<String, String>) -> Result<(), ApiError> {
    fake.store.write(|change| {
        bucket::existing(change, bucket)?;
        let mut object = change.get::<Object>(&object::id(bucket, key))?.ok_or_else(object::no_such_key)?;
        object.tags = tags;
        change.put(&object)
    })
}

fn collect(pairs: impl Iterator<Item = (String, String)>, most: usize) -> Result<BTreeMap<String, String>, ApiError> {
    let mut tags = BTreeMap::new();
    for (key, value) in pairs {
        if key.is_empty() || key.chars().count() > 128 {
            return Err(ApiError::new("InvalidTag", "The TagKey you have provided is invalid"));
        }
        if value.chars().count() > 256 {
            return Err(ApiError::new("InvalidTag", "The TagValue you have provided is invalid"));
        }
        if key.starts_with("aws:") {
            return Err(ApiError::new("InvalidTag", "System tags cannot be added/updated by requester"));
        }
        if tags.insert(key, value).is_some() {
            return Err(ApiError::new("InvalidTag", "Cannot provide multiple Tags with the same key"));
        }
    }
    if tags.len() > most {
        let whose = if most == MOST_OF_AN_OBJECT { "Object" } else { "Bucket" };
        return Err(ApiError::new("BadRequest", format!("{whose} tags cannot be greater than {most}")));
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_a_query() {
        let check = |header: &str, expected: &[(&str, &str)]| {
            let expected = expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            assert_eq!(read_header(header).unwrap(), expected, "{header}");
        };
        check("", &[]);
        check("Project=sts&empty=&bare", &[("Project", "sts"), ("empty", ""), ("bare", "")]);
        check("a+b=c%20d%26e", &[("a b", "c d&e")]);
        check("percent=100%", &[("percent", "100%")]);
    }

    #[test]
    fn refuses_what_s3_refuses() {
        let check = |header: &str, code: &str| assert_eq!(read_header(header).unwrap_err().code, code, "{header}");
        check("a=1&a=2", "InvalidTag");
        check("aws:x=1", "InvalidTag");
        check("=1", "InvalidTag");
        check(&(0..11).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join("&"), "BadRequest");
    }
}
