//! The blobs that images are made of: files named by their digest, and a record for each repository that has one.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Repository;
use super::repository::{existing, images_of, named};
use crate::fake::Context;
use crate::store::{Change, Record, Records};
use crate::{ApiError, Fake};

/// Where the files are, in the account's folder.
pub(crate) const FOLDER: &str = "registry";

/// How much of a file is read at a time.
const BLOCK: usize = 256 * 1024;

/// A blob of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// The key of its repository: region and name.
    pub repository: String,
    /// `sha256:...`.
    pub digest: String,
    /// Bytes.
    pub size: u64,
}

impl Record for Layer {
    const KIND: &'static str = "layer";
    fn key(&self) -> String {
        key(&self.repository, &self.digest)
    }
}

fn key(repository: &str, digest: &str) -> String {
    format!("{repository}@{digest}")
}

/// The blob of this digest, if the repository has it.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub(super) fn find(records: &impl Records, repository: &str, digest: &str) -> Result<Option<Layer>, ApiError> {
    records.get(&key(repository, digest))
}

/// Whether this can name a blob.
pub(super) fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or_default();
    hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The file of a blob in the account's folder; of what is no digest, one that there never is.
pub(crate) fn file(digest: &str) -> PathBuf {
    let name = if is_digest(digest) { digest.trim_start_matches("sha256:") } else { "none" };
    Path::new(FOLDER).join("blobs").join(name)
}

/// The file of a blob.
pub(super) fn path(fake: &Fake, digest: &str) -> PathBuf {
    fake.folder().join(file(digest))
}

/// The file of an upload that is under way.
pub(super) fn upload_path(fake: &Fake, id: &str) -> io::Result<PathBuf> {
    let uploads = fake.folder().join(FOLDER).join("uploads");
    std::fs::create_dir_all(&uploads)?;
    Ok(uploads.join(id))
}

/// Makes a finished upload a blob of the repository, if it is what its digest says: durable when this returns.
///
/// # Errors
/// Whether it is another blob than promised; an internal failure when the disk does not take it.
pub(super) fn keep(
    fake: &Fake,
    repository: &str,
    digest: &str,
    upload: &Path,
) -> Result<Result<Layer, Altered>, ApiError> {
    let failed = |error: io::Error| ApiError::internal(format!("cannot keep a layer: {error}"));
    let (found, size) = digest_of(upload).map_err(failed)?;
    if found != digest {
        return Ok(Err(Altered));
    }
    let path = path(fake, digest);
    let durable = || -> io::Result<()> {
        let blobs = path.parent().unwrap_or(&path);
        std::fs::create_dir_all(blobs)?;
        File::open(upload)?.sync_all()?;
        std::fs::rename(upload, &path)?;
        File::open(blobs)?.sync_all()
    };
    durable().map_err(failed)?;
    let layer = Layer { repository: repository.to_owned(), digest: digest.to_owned(), size };
    fake.store.write(|change| change.put(&layer))?;
    Ok(Ok(layer))
}

/// A blob that is not what its digest says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Altered;

fn digest_of(file: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(file)?;
    let (mut hash, mut size, mut block) = (Sha256::new(), 0, vec![0; BLOCK]);
    loop {
        let read = file.read(&mut block)?;
        if read == 0 {
            return Ok((format!("sha256:{:x}", hash.finalize()), size));
        }
        hash.update(&block[..read]);
        size += read as u64;
    }
}

/// Takes the blobs from a repository that none of its images names any more; the digests that nobody has now.
pub(super) fn drop_unused(change: &mut Change<'_>, repository: &Repository) -> Result<Vec<String>, ApiError> {
    let images = images_of(change, repository)?;
    drop(change, repository, |digest| images.iter().any(|image| image.manifest.contains(digest)))
}

/// Takes all blobs from a repository; the digests that nobody has now.
pub(super) fn drop_all(change: &mut Change<'_>, repository: &Repository) -> Result<Vec<String>, ApiError> {
    drop(change, repository, |_| false)
}

fn drop(
    change: &mut Change<'_>,
    repository: &Repository,
    keeps: impl Fn(&str) -> bool,
) -> Result<Vec<String>, ApiError> {
    let mut dropped = Vec::new();
    for layer in change.list::<Layer>(&format!("{}@", repository.key()))? {
        if !keeps(&layer.digest) {
            change.delete::<Layer>(&layer.key())?;
            dropped.push(layer.digest);
        }
    }
    let kept: BTreeSet<_> = change.list::<Layer>("")?.into_iter().map(|layer| layer.digest).collect();
    dropped.retain(|digest| !kept.contains(digest));
    Ok(dropped)
}

/// Removes the files of blobs that nobody has. One that stays does no harm.
pub(super) fn remove(fake: &Fake, digests: Vec<String>) {
    for digest in digests {
        if let Err(error) = std::fs::remove_file(path(fake, &digest)) {
            tracing::warn!("cannot remove the layer {digest}, which nothing refers to: {error}");
        }
    }
}

pub(super) fn batch_check(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    context.fake.store.read(|view| {
        let repository = existing(context, view, named(input))?.key();
        let (mut layers, mut failures) = (Vec::new(), Vec::new());
        for digest in input["layerDigests"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !is_digest(digest) {
                failures.push(json!({
                    "layerDigest": digest,
                    "failureCode": "InvalidLayerDigest",
                    "failureReason": "Invalid layer digest",
                }));
                continue;
            }
            layers.push(match find(view, &repository, digest)? {
                Some(layer) => {
                    json!({"layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": layer.size})
                }
                None => json!({"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}),
            });
        }
        Ok(json!({"layers": layers, "failures": failures}))
    })
}
