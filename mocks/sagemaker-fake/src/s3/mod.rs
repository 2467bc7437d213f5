//! S3: buckets and objects. Metadata are records in the store, contents are plain files beside it.
//!
//! A content file is written whole and made durable under a name of its own before the record that refers to it is
//! committed, and removed after the record is gone. So a record never lacks its file; the reverse, a file without a
//! record, is what a kill can leave behind, and [`tidy`] removes it at the next start. An overwritten object gets a new
//! file, so whoever has the old one open reads it to its end.
//!
//! | file | knows |
//! |---|---|
//! | `mod` | what the rest of the fake uses: get, open, list, put a file, create a bucket |
//! | `bucket`, `object`, `upload` | the records |
//! | `content`, `checksum` | content files, and what is computed of every byte that passes |
//! | `service`, `operations` | HTTP: the `s3s` protocol layer, and which function is behind which operation |
//! | `access`, `envelope` | who is calling, whose bucket it is; signatures and chunked bodies taken off |
//! | the others | the operations |

mod access;
mod bucket;
mod buckets;
mod checksum;
mod conditions;
mod content;
mod copy;
mod delete;
mod envelope;
mod get;
mod listing;
mod multipart;
mod object;
mod operations;
mod put;
mod service;
mod settings;
mod tags;
mod upload;

use std::path::Path;

pub use bucket::{Bucket, create as create_bucket};
pub use object::Object;
pub use service::{S3Service, service};

use crate::store::Records;
use crate::{ApiError, Fake};
use content::Draft;
use upload::Part;

/// The bucket of this name, whoever owns it.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn bucket(fake: &Fake, name: &str) -> Result<Option<Bucket>, ApiError> {
    fake.store.read(|view| view.get(name))
}

/// The object at this key, if there is one.
///
/// Its file is there until the object is overwritten or deleted; [`open`] holds on to it.
///
/// # Errors
/// `NoSuchBucket`.
pub fn get(fake: &Fake, bucket: &str, key: &str) -> Result<Option<Object>, ApiError> {
    fake.store.read(|view| {
        bucket::existing(view, bucket)?;
        view.get(&object::id(bucket, key))
    })
}

/// The object at this key with its content, which stays readable whatever happens to the object meanwhile.
///
/// # Errors
/// `NoSuchBucket`, `NoSuchKey`; an internal failure when the content cannot be opened.
pub fn open(fake: &Fake, bucket: &str, key: &str) -> Result<(Object, std::fs::File), ApiError> {
    loop {
        let object = get(fake, bucket, key)?.ok_or_else(object::no_such_key)?;
        match std::fs::File::open(object.path(fake)) {
            Ok(file) => return Ok((object, file)),
            // Overwritten or deleted between the two lines above: the record now says what to open instead.
            Err(error)
                if error.kind() == std::io::ErrorKind::NotFound
                    && get(fake, bucket, key)?.as_ref() != Some(&object) => {}
            Err(error) => {
                return Err(ApiError::internal(format!("cannot open the content of s3://{bucket}/{key}: {error}")));
            }
        }
    }
}

/// All objects whose key begins with `prefix`, in the order of their keys.
///
/// # Errors
/// `NoSuchBucket`.
pub fn list(fake: &Fake, bucket: &str, prefix: &str) -> Result<Vec<Object>, ApiError> {
    fake.store.read(|view| {
        bucket::existing(view, bucket)?;
        view.list(&object::id(bucket, prefix))
    })
}

/// Puts a copy of a local file as an object, as a job's upload does. All or nothing.
///
/// # Errors
/// `NoSuchBucket`; an internal failure when the file cannot be copied.
pub fn put_file(fake: &Fake, bucket: &str, key: &str, source: &Path) -> Result<Object, ApiError> {
    let bucket = fake.store.read(|view| bucket::existing(view, bucket))?;
    let draft = Draft::copy(fake, source).map_err(|error| {
        ApiError::internal(format!("cannot put {} as s3://{}/{key}: {error}", source.display(), bucket.name))
    })?;
    let object = Object::new(fake, &bucket, key, draft.finish(|_| Ok(()))?);
    object::replace(fake, object, |_, _| Ok(()))
}

/// Removes what a killed process left half done: contents that no object and no part of an upload refers to.
///
/// # Errors
/// An internal failure when the store cannot be read, or the folder of contents cannot.
pub fn tidy(fake: &Fake) -> Result<(), ApiError> {
    let kept = fake.store.read(|view| {
        let objects = view.list::<Object>("")?.into_iter().map(|object| object.file);
        Ok(objects.chain(view.list::<Part>("")?.into_iter().map(|part| part.file)).collect())
    })?;
    content::remove_all_but(fake, &kept)
        .map_err(|error| ApiError::internal(format!("cannot tidy the contents of S3: {error}")))
}
