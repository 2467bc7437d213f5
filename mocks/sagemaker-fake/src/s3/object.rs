//! The record of an object.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::bucket::{self, Bucket, Encryption};
use super::checksum::Checksum;
use super::content::{self, Content};
use crate::clock::Timestamp;
use crate::store::{Change, Record, Records as _};
use crate::{ApiError, Fake};

/// An object's metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// The bucket it is in.
    pub bucket: String,
    /// Its key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// Without quotation marks.
    pub etag: String,
    /// When it was put.
    pub last_modified: Timestamp,
    /// The name of the file that holds its content, under the fake's `objects` folder.
    pub file: String,
    /// What S3 keeps to check the bytes by.
    pub checksum: Checksum,
    /// What the client said about it.
    pub headers: Headers,
    /// How it is said to be encrypted.
    pub encryption: Encryption,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// If it was uploaded in parts: the size of each, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<u64>,
}

/// The headers that are kept with an object and come back with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Headers {
    /// `Content-Type`, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `Cache-Control`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    /// `Content-Disposition`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    /// `Content-Encoding`, without the `aws-chunked` that only concerns the way here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    /// `Content-Language`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    /// `Expires`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// `x-amz-storage-class`, if it is not `STANDARD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// `x-amz-website-redirect-location`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub website_redirect_location: Option<String>,
    /// `x-amz-meta-*`, without that prefix.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Record for Object {
    const KIND: &'static str = "object";
    fn key(&self) -> String {
        id(&self.bucket, &self.key)
    }
}

impl Object {
    /// A new object with this content, put now, of which nothing more is known.
    pub(super) fn new(fake: &Fake, bucket: &Bucket, key: &str, content: Content) -> Self {
        Self {
            bucket: bucket.name.clone(),
            key: key.to_owned(),
            size: content.size,
            etag: hex(&content.md5),
            last_modified: fake.clock.now(),
            file: content.file,
            checksum: content.checksum,
            headers: Headers::default(),
            encryption: bucket.settings.encryption.clone(),
            tags: BTreeMap::new(),
            parts: Vec::new(),
        }
    }

    /// The file that holds its content.
    #[must_use]
    pub fn path(&self, fake: &Fake) -> PathBuf {
        content::path(fake, &self.file)
    }
}

/// The key of an object's record, or with the beginning of a key, what the keys of such records begin with. The name of
/// a bucket has no slash.
pub fn id(bucket: &str, key: &str) -> String {
    format!("{bucket}/{key}")
}

/// Commits an object whose content is on disk, in place of what is at its key, if `allow` does. The file that is in the
/// way afterwards, the old content or the refused one, is removed.
///
/// # Errors
/// `NoSuchBucket`; those of `allow`, which is shown what is at the key now.
pub fn replace(
    fake: &Fake,
    object: Object,
    allow: impl FnOnce(&mut Change<'_>, Option<&Object>) -> Result<(), ApiError>,
) -> Result<Object, ApiError> {
    let committed = fake.store.write(|change| {
        bucket::existing(change, &object.bucket)?;
        let old = change.get::<Object>(&object.key())?;
        allow(change, old.as_ref())?;
        change.put(&object)?;
        Ok(old)
    });
    match committed {
        Ok(old) => {
            if let Some(old) = old {
                content::remove(fake, &old.file);
            }
            Ok(object)
        }
        Err(error) => {
            content::remove(fake, &object.file);
            Err(error)
        }
    }
}

/// Whether this is the version that an object has: there is one, and AWS calls it so in a bucket without versioning.
///
/// # Errors
/// `NoSuchVersion`.
pub fn check_version(id: Option<&str>) -> Result<(), ApiError> {
    match id {
        None | Some("null") => Ok(()),
        Some(_) => {
            Err(ApiError::new("NoSuchVersion", "The specified version does not exist.")
                .with_status(StatusCode::NOT_FOUND))
        }
    }
}

/// `NoSuchKey`.
pub fn no_such_key() -> ApiError {
    ApiError::new("NoSuchKey", "The specified key does not exist.").with_status(StatusCode::NOT_FOUND)
}

/// The fake's time of a moment that came over the wire.
pub fn timestamp(moment: s3s::dto::Timestamp) -> Timestamp {
    Timestamp(time::OffsetDateTime::from(moment).unix_timestamp().saturating_mul(1000))
}

/// Lower-case hexadecimal digits, as ETags have them.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing into a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
