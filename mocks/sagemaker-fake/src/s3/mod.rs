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
//! | `content`, `checksum` | content files, and what is computed of every byte that passes |
//! | `bucket`, `object` | the records |
//! | `service` | HTTP: the `s3s` protocol layer over the operations |
//! | `access`, `envelope` | who is calling, whose bucket it is, signatures, and the envelopes of chunked uploads |
//! | `buckets`, `settings`, `objects`, `copy`, `multipart`, `listing`, `conditions` | the operations |

mod bucket;
mod checksum;
mod content;
mod object;

use std::path::Path;

pub use bucket::{Bucket, create as create_bucket};
pub use object::Object;

use crate::store::Records;
use crate::{ApiError, Fake};
use content::Draft;

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
    fake.store.read(|view| bucket::existing(view, bucket).map(drop))?;
    let content = Draft::copy(fake, source).and_then(Draft::finish).map_err(|error| {
        ApiError::internal(format!("cannot put {} as s3://{bucket}/{key}: {error}", source.display()))
    })?;
    let object = Object::new(fake, bucket, key, content);
    object::replace(fake, object, |_, _| Ok(()))
}

/// Removes what a killed process left half done: contents that no object refers to.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn tidy(fake: &Fake) -> Result<(), ApiError> {
    let kept = fake.store.read(|view| view.list::<Object>(""))?.into_iter().map(|object| object.file).collect();
    content::remove_all_but(fake, &kept)
        .map_err(|error| ApiError::internal(format!("cannot tidy the contents of S3: {error}")))
}
