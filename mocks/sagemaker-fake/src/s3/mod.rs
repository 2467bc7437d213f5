//! S3: buckets and objects. Metadata are records in the store, contents are plain files beside it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::{ApiError, Fake};

/// An object's metadata.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
}

impl Object {
    /// The file that holds its content.
    #[must_use]
    pub fn path(&self, fake: &Fake) -> PathBuf {
        fake.folder().join("objects").join(&self.file)
    }
}

/// The object at this key, if there is one.
///
/// # Errors
/// `NoSuchBucket`.
pub fn get(_fake: &Fake, _bucket: &str, _key: &str) -> Result<Option<Object>, ApiError> {
    Ok(None)
}

/// All objects whose key begins with `prefix`, in the order of their keys.
///
/// # Errors
/// `NoSuchBucket`.
pub fn list(_fake: &Fake, _bucket: &str, _prefix: &str) -> Result<Vec<Object>, ApiError> {
    Ok(Vec::new())
}

/// Puts a copy of a local file as an object, as a job's upload does. All or nothing.
///
/// # Errors
/// `NoSuchBucket`; an internal failure when the file cannot be copied.
pub fn put_file(_fake: &Fake, _bucket: &str, _key: &str, _source: &Path) -> Result<Object, ApiError> {
    Err(ApiError::internal("not yet"))
}

/// Removes what a killed process left half done: contents that no object refers to.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn tidy(_fake: &Fake) -> Result<(), ApiError> {
    Ok(())
}
