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
//! | `wishes`, `conditions` | what requests say beside what they are for |
//! | the others | the operations |

mod access;
mod acl;
mod bucket;
mod buckets;
mod checksum;
mod conditions;
mod content;
mod copy;
mod delete;
mod document;
mod envelope;
mod get;
mod lifecycle;
mod listing;
mod multipart;
mod object;
mod operations;
mod put;
mod service;
mod settings;
mod tags;
mod upload;
mod wishes;

use std::path::Path;

pub use bucket::{Bucket, create as create_bucket};
pub(crate) use lifecycle::expire;
pub use object::Object;
pub(crate) use object::hex;
pub use operations::names as operations;
pub use service::{S3Service, service};

use crate::account::Scenario;
use crate::clock::Timestamp;
use crate::store::{Change, Records};
use crate::{ApiError, Fake};
use content::Draft;
pub(crate) use upload::{Part, Upload};

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

/// Removes objects, as a job does that replaces what it has written before. One that is not there is no error.
///
/// # Errors
/// `NoSuchBucket`.
pub(crate) fn remove(fake: &Fake, bucket: &str, keys: Vec<String>) -> Result<(), ApiError> {
    let keys: Vec<_> = keys.into_iter().map(|key| (key, None)).collect();
    delete::remove(fake, bucket, &keys)?.into_iter().collect()
}

/// Makes the buckets of a scenario.
///
/// # Errors
/// An internal failure when the store cannot be written.
pub(crate) fn seed(change: &mut Change<'_>, scenario: &Scenario, now: Timestamp) -> Result<(), ApiError> {
    scenario.buckets.iter().try_for_each(|bucket| {
        change.put(&Bucket {
            name: bucket.name.clone(),
            owner: bucket.owner.as_ref().unwrap_or(&scenario.account).clone(),
            region: bucket.region.clone(),
            created: now,
            settings: bucket::Settings { policy: bucket.policy.clone(), ..bucket::Settings::default() },
        })
    })
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

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    const ACCOUNT: &str = "111122223333";

    fn fake(state: &Path) -> Fake {
        Fake::builder().state(state).build().unwrap()
    }

    fn put(fake: &Fake, key: &str, content: &str) -> Object {
        let source = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(source.path(), content).unwrap();
        put_file(fake, "sts-bucket", key, source.path()).unwrap()
    }

    fn files(fake: &Fake) -> Vec<String> {
        let entries = std::fs::read_dir(fake.folder().join("objects")).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    fn read(fake: &Fake, key: &str) -> String {
        let mut content = String::new();
        open(fake, "sts-bucket", key).unwrap().1.read_to_string(&mut content).unwrap();
        content
    }

    #[tokio::test]
    async fn what_is_put_is_there() {
        let state = tempfile::tempdir().unwrap();
        let fake = fake(state.path());
        assert_eq!(get(&fake, "sts-bucket", "a").unwrap_err().code, "NoSuchBucket");
        assert_eq!(list(&fake, "sts-bucket", "").unwrap_err().code, "NoSuchBucket");
        assert_eq!(put_file(&fake, "sts-bucket", "a", state.path()).unwrap_err().code, "NoSuchBucket");
        let made = create_bucket(&fake, "sts-bucket", "eu-west-1", ACCOUNT).unwrap();
        assert_eq!(bucket(&fake, "sts-bucket").unwrap(), Some(made));
        create_bucket(&fake, "sts-bucket2", "eu-west-1", ACCOUNT).unwrap();

        let object = put(&fake, "in/b", "hello");
        put(&fake, "in/a", "");
        put(&fake, "out", "x");
        assert_eq!((object.size, object.etag.as_str()), (5, "5d41402abc4b2a76b9719d911017c592"));
        assert_eq!(get(&fake, "sts-bucket", "in/b").unwrap(), Some(object));
        assert_eq!(get(&fake, "sts-bucket", "in").unwrap(), None);
        let keys = list(&fake, "sts-bucket", "in/").unwrap().into_iter().map(|object| object.key);
        assert_eq!(keys.collect::<Vec<_>>(), ["in/a", "in/b"]);
        assert_eq!(list(&fake, "sts-bucket2", "").unwrap(), []);
        assert_eq!(open(&fake, "sts-bucket", "none").unwrap_err().code, "NoSuchKey");

        // A source that cannot be read changes nothing.
        assert_eq!(
            put_file(&fake, "sts-bucket", "out", &state.path().join("none")).unwrap_err().code,
            "InternalFailure"
        );
        assert_eq!(read(&fake, "out"), "x");
        assert_eq!(files(&fake).len(), 3);
    }

    #[tokio::test]
    async fn an_overwritten_content_is_read_to_its_end_and_then_gone() {
        let state = tempfile::tempdir().unwrap();
        let fake = fake(state.path());
        create_bucket(&fake, "sts-bucket", "eu-west-1", ACCOUNT).unwrap();
        put(&fake, "k", "old");
        let (_, mut reader) = open(&fake, "sts-bucket", "k").unwrap();
        let new = put(&fake, "k", "new");
        let mut content = String::new();
        reader.read_to_string(&mut content).unwrap();
        assert_eq!((content.as_str(), read(&fake, "k").as_str()), ("old", "new"));
        assert_eq!(files(&fake), [new.file]);
    }

    /// What a kill between two steps leaves: a content that is written, and not yet or no longer referred to.
    #[tokio::test]
    async fn a_start_removes_contents_without_record_and_keeps_the_others() {
        let state = tempfile::tempdir().unwrap();
        let one = fake(state.path());
        create_bucket(&one, "sts-bucket", "eu-west-1", ACCOUNT).unwrap();
        let kept = put(&one, "k", "kept");
        let half = Draft::new(&one, checksum::Algorithm::default()).unwrap();
        std::mem::forget(half);
        let mut whole = Draft::new(&one, checksum::Algorithm::default()).unwrap();
        whole.write(b"whole").unwrap();
        whole.finish(|_| Ok(())).unwrap();
        assert_eq!(files(&one).len(), 3);
        drop(one);
        let other = fake(state.path());
        assert_eq!(files(&other), [kept.file]);
        assert_eq!(read(&other, "k"), "kept");
    }

    #[tokio::test]
    async fn a_record_never_lacks_its_content() {
        let state = tempfile::tempdir().unwrap();
        let fake = fake(state.path());
        create_bucket(&fake, "sts-bucket", "eu-west-1", ACCOUNT).unwrap();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| (0..200).for_each(|n| drop(put(&fake, "k", &n.to_string()))));
            let mut last = None;
            while !writer.is_finished() {
                if get(&fake, "sts-bucket", "k").unwrap().is_some() {
                    let read: u32 = read(&fake, "k").parse().unwrap();
                    assert!(last <= Some(read), "an older content after a newer one");
                    last = Some(read);
                }
            }
        });
        assert_eq!(read(&fake, "k"), "199");
        assert_eq!(files(&fake).len(), 1);
    }
}
