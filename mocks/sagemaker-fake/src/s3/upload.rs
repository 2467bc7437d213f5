//! The records of an upload in parts.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::bucket::Encryption;
use super::checksum::{Algorithm, Checksum};
use super::object::{self, Headers};
use crate::ApiError;
use crate::clock::Timestamp;
use crate::store::{Record, Records};

/// An upload in parts that is neither completed nor aborted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    /// Tells it from other uploads to the same key.
    pub id: String,
    /// The bucket of the object to be.
    pub bucket: String,
    /// The key of the object to be.
    pub key: String,
    /// When it was begun.
    pub initiated: Timestamp,
    /// Of the object to be.
    pub headers: Headers,
    /// Of the object to be.
    pub tags: BTreeMap<String, String>,
    /// Of the object to be.
    pub encryption: Encryption,
    /// The algorithm that every part must use, if the client chose one.
    pub algorithm: Option<Algorithm>,
    /// Whether the object's checksum will be one of the parts' checksums, not of its bytes.
    pub composite: bool,
}

/// A part of an upload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The upload's id.
    pub upload: String,
    /// 1 to 10,000.
    pub number: i32,
    /// Bytes.
    pub size: u64,
    /// Without quotation marks: the MD5 of its bytes.
    pub etag: String,
    /// Of its bytes.
    pub checksum: Checksum,
    /// When it was uploaded.
    pub last_modified: Timestamp,
    /// The name of its content file.
    pub file: String,
}

impl Record for Upload {
    const KIND: &'static str = "upload";
    fn key(&self) -> String {
        id(&self.bucket, &self.key, &self.id)
    }
}

impl Record for Part {
    const KIND: &'static str = "upload-part";
    fn key(&self) -> String {
        part_id(&self.upload, self.number)
    }
}

/// The key of an upload's record.
pub fn id(bucket: &str, key: &str, upload: &str) -> String {
    format!("{}/{upload}", object::id(bucket, key))
}

/// The key of a part's record: parts lie in the order of their numbers.
pub fn part_id(upload: &str, number: i32) -> String {
    format!("{upload}/{number:05}")
}

/// The upload with this id.
///
/// # Errors
/// `NoSuchUpload`.
pub fn existing(records: &impl Records, bucket: &str, key: &str, upload: &str) -> Result<Upload, ApiError> {
    records.get(&id(bucket, key, upload))?.ok_or_else(|| {
        let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
        ApiError::new("NoSuchUpload", message).with_status(StatusCode::NOT_FOUND)
    })
}

/// The parts of an upload, in the order of their numbers.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn parts(records: &impl Records, upload: &str) -> Result<Vec<Part>, ApiError> {
    records.list(&format!("{upload}/"))
}
