//! A gzipped tar archive in memory, the same bytes for the same content: no times, no owners.

use std::io::{self, Read, Write};

use flate2::{Compression, GzBuilder, read::GzDecoder};

/// How large an archive may become when it is unpacked, in bytes. A model with the largest vocabulary has 4 MB; a
/// few bytes of gzip can hold gigabytes.
pub const MAX_UNPACKED: u64 = 64 * 1024 * 1024;

/// Why an archive cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Not gzip, or damaged, or the end is missing.
    #[error("it is not a complete gzip file")]
    Gzip(#[source] io::Error),
    /// What is inside the gzip is no tar archive.
    #[error("its content is not a tar archive")]
    Tar(#[source] io::Error),
    /// It unpacks to more than [`MAX_UNPACKED`].
    #[error("it unpacks to more than {MAX_UNPACKED} bytes")]
    TooLarge,
    /// The wanted file is not there.
    #[error("it contains no {name}, but {found:?}")]
    Missing {
        /// The wanted file.
        name: String,
        /// What is there, up to ten names.
        found: Vec<String>,
    },
}

/// An archive with one file.
pub(super) fn pack(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_entry_type(tar::EntryType::Regular);
    // 255 is "unknown operating system": the default is the one of the machine.
    let gzip = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::new(6));
    let mut archive = tar::Builder::new(gzip);
    let written = archive
        .append_data(&mut header, name, content)
        .and_then(|()| archive.into_inner())
        .and_then(|mut gzip| gzip.flush().map(|()| gzip))
        .and_then(flate2::write::GzEncoder::finish);
    written.expect("writing to memory does not fail, and the name is short")
}

/// The content of one file of an archive.
pub(super) fn unpack(name: &str, bytes: &[u8]) -> Result<Vec<u8>, ArchiveError> {
    let mut unpacked = Vec::new();
    // All of it, then the tar archive: a reader that stops at the archive's end mark never sees that the gzip is cut
    // off behind it.
    GzDecoder::new(bytes).take(MAX_UNPACKED + 1).read_to_end(&mut unpacked).map_err(ArchiveError::Gzip)?;
    if unpacked.len() as u64 > MAX_UNPACKED {
        return Err(ArchiveError::TooLarge);
    }
    let mut found = Vec::new();
    for entry in tar::Archive::new(unpacked.as_slice()).entries().map_err(ArchiveError::Tar)? {
        let mut entry = entry.map_err(ArchiveError::Tar)?;
        let path = entry.path().map_err(ArchiveError::Tar)?.to_string_lossy().into_owned();
        if path.strip_prefix("./").unwrap_or(&path) == name {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(ArchiveError::Tar)?;
            return Ok(content);
        }
        if found.len() < 10 {
            found.push(path);
        }
    }
    Err(ArchiveError::Missing { name: name.to_owned(), found })
}
