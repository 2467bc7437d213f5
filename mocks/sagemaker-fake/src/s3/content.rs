//! Content files: how bytes get into them durably, and out of the way when nothing refers to them any more.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use s3s::crypto::{Checksum as _, Md5};
use tempfile::NamedTempFile;

use super::checksum::{Algorithm, Checksum, Hasher};
use crate::{ApiError, Fake};

/// How much of a file is copied at a time.
const BLOCK: usize = 256 * 1024;

/// A content that is being written. Dropped before it is finished, it leaves nothing behind.
pub struct Draft {
    file: NamedTempFile,
    folder: PathBuf,
    size: u64,
    md5: Md5,
    checksum: Hasher,
}

/// A content on disk, durable, that no record refers to yet.
#[derive(Debug)]
pub struct Content {
    /// The name of the file, under the fake's `objects` folder.
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// Of all the bytes: what the ETag of an object is made of.
    pub md5: [u8; 16],
    /// Of all the bytes.
    pub checksum: Checksum,
}

impl Draft {
    /// An empty one, whose checksum will be of this algorithm.
    pub fn new(fake: &Fake, algorithm: Algorithm) -> io::Result<Self> {
        let folder = folder(fake);
        std::fs::create_dir_all(&folder)?;
        // The name is random and claimed exclusively: it is the final one, since only a record makes it mean something.
        let file = tempfile::Builder::new().prefix("").rand_bytes(24).tempfile_in(&folder)?;
        Ok(Self { file, folder, size: 0, md5: Md5::new(), checksum: Hasher::new(algorithm) })
    }

    /// A copy of a local file.
    pub fn copy(fake: &Fake, source: &Path) -> io::Result<Self> {
        let mut source = File::open(source)?;
        let mut draft = Self::new(fake, Algorithm::default())?;
        draft.append(&mut source)?;
        Ok(draft)
    }

    /// Adds bytes at the end.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.md5.update(bytes);
        self.checksum.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Adds all that is left to read in `source`.
    pub fn append(&mut self, source: &mut impl io::Read) -> io::Result<()> {
        let mut block = vec![0; BLOCK];
        loop {
            match source.read(&mut block) {
                Ok(0) => return Ok(()),
                Ok(read) => self.write(&block[..read])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Makes it durable, if `check` finds it to be what was promised. From now on only [`remove`] or
    /// [`remove_all_but`] takes the file away.
    ///
    /// # Errors
    /// Those of `check`; an internal failure when the disk does not take it.
    pub fn finish(self, check: impl FnOnce(&Content) -> Result<(), ApiError>) -> Result<Content, ApiError> {
        let file = self.file.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let content = Content { file, size: self.size, md5: self.md5.finalize(), checksum: self.checksum.finish() };
        check(&content)?;
        let durable = || -> io::Result<()> {
            self.file.as_file().sync_all()?;
            self.file.keep()?;
            // The name must be as durable as the bytes.
            #[cfg(unix)]
            File::open(&self.folder)?.sync_all()?;
            Ok(())
        };
        durable().map_err(|error| ApiError::internal(format!("cannot keep a content: {error}")))?;
        Ok(content)
    }
}

/// Where the content file of this name is.
pub fn path(fake: &Fake, file: &str) -> PathBuf {
    folder(fake).join(file)
}

/// Removes a content that no record refers to any more. Should it fail, the next start does it.
pub fn remove(fake: &Fake, file: &str) {
    if let Err(error) = std::fs::remove_file(path(fake, file)) {
        tracing::warn!("cannot remove the content {file}, which nothing refers to: {error}");
    }
}

/// Removes all contents but these.
pub fn remove_all_but(fake: &Fake, kept: &HashSet<String>) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder(fake)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if !kept.contains(entry.file_name().to_string_lossy().as_ref()) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn folder(fake: &Fake) -> PathBuf {
    fake.folder().join("objects")
}
