//! The whole account as one file: a tar of the state as a document, and of the files that the document refers to.
//!
//! | in the tar | |
//! |---|---|
//! | `state.json` | what [`crate::export::state`] gives |
//! | `objects/` | the contents of S3's objects and of parts that are being uploaded |
//! | `registry/` | the layers of images |
//! | `logs/` | what jobs and endpoints have printed |
//! | `endpoints/` | the models that serve, which S3 need not have any more |
//! | `capture/` | what endpoints have captured and not uploaded yet |

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path};

use serde_json::Value;
use tar::{Builder, EntryType, Header};

use crate::clock::Timestamp;
use crate::ecr::layer;
use crate::jobs::instance::PID;
use crate::replace::FOLDERS;
use crate::{ApiError, Fake, cloudwatch, endpoints, export};

/// The file of the document.
const STATE: &str = "state.json";

/// The folders of what the document refers to.
const CONTENTS: [&str; 2] = ["objects", layer::FOLDER];

/// How often an account is looked at again that changes while it is looked at.
const TRIES: usize = 20;

/// Writes the account of a fake. What changes meanwhile is in it or not.
///
/// # Errors
/// An internal failure when something cannot be read or written.
pub fn write(fake: &Fake, into: impl Write) -> Result<(), ApiError> {
    // What is only in memory, or on its way into S3.
    cloudwatch::invocations::store(fake)?;
    endpoints::before(fake, Timestamp(i64::MAX));
    let (document, contents) = snapshot(fake)?;
    let written = (|| {
        let mut tar = Builder::new(into);
        let text = serde_json::to_vec_pretty(&document)?;
        append(&mut tar, Path::new(STATE), text.len() as u64, &text[..])?;
        for name in FOLDERS {
            let of_document = CONTENTS.contains(&name);
            let folder = if of_document { contents.path() } else { fake.folder() };
            append_all(&mut tar, &folder.join(name), Path::new(name))?;
        }
        tar.into_inner()?.flush()
    })();
    written.map_err(|error| ApiError::internal(format!("the archive cannot be written: {error}")))
}

/// The document, and a folder with the contents that it refers to: other names of the same files, which stay though
/// their objects may be overwritten.
fn snapshot(fake: &Fake) -> Result<(Value, tempfile::TempDir), ApiError> {
    for _ in 0..TRIES {
        let document = export::state(&fake.store)?;
        let folder = tempfile::tempdir_in(fake.folder()).map_err(ApiError::internal)?;
        let kept = export::contents(&document).try_for_each(|(_, file, _)| {
            let (from, to) = (fake.folder().join(&file), folder.path().join(&file));
            to.parent().map_or(Ok(()), fs::create_dir_all)?;
            // Several records may refer to one file, and some file systems know no second name.
            if to.exists() { Ok(()) } else { fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop)) }
        });
        match kept {
            Ok(()) => return Ok((document, folder)),
            // Overwritten or deleted since.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(ApiError::internal(format!("a content cannot be kept: {error}"))),
        }
    }
    Err(ApiError::internal("the account changes faster than it can be looked at"))
}

/// Appends the files in a folder, in the order of their names, below `name`.
fn append_all(tar: &mut Builder<impl Write>, folder: &Path, name: &Path) -> io::Result<()> {
    let mut entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?.collect::<Result<Vec<_>, _>>()?,
    };
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        // The program that runs there is none of the account's where it is imported.
        if entry.file_name() == PID {
            continue;
        }
        let (kind, name) = (entry.file_type()?, name.join(entry.file_name()));
        if kind.is_dir() {
            append_all(tar, &entry.path(), &name)?;
        } else if kind.is_file() {
            match File::open(entry.path()) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                file => {
                    let file = file?;
                    append(tar, &name, file.metadata()?.len(), file)?;
                }
            }
        }
    }
    Ok(())
}

/// Appends the first `length` bytes of a content, which may be growing.
fn append(tar: &mut Builder<impl Write>, name: &Path, length: u64, content: impl Read) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_size(length);
    tar.append_data(&mut header, name, content.take(length))
}

/// Unpacks an archive into a folder; gives the document. The error is a sentence.
pub(crate) fn unpack(archive: impl Read, folder: &Path) -> Result<Value, String> {
    let mut document = None;
    let mut tar = tar::Archive::new(archive);
    tar.set_preserve_mtime(false);
    let entries = tar.entries().map_err(|error| format!("it is no tar: {error}"))?;
    for entry in entries {
        let mut entry = entry.map_err(|error| format!("it is no tar, or cut off: {error}"))?;
        let path = entry.path().map_err(|error| error.to_string())?.into_owned();
        let shown = path.display();
        let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        let first = path.iter().next().and_then(|first| first.to_str()).unwrap_or_default();
        match entry.header().entry_type() {
            EntryType::Directory if plain => {}
            EntryType::Regular if path == Path::new(STATE) => {
                document = Some(serde_json::from_reader(&mut entry).map_err(|error| format!("{STATE}: {error}"))?);
            }
            EntryType::Regular if plain && FOLDERS.contains(&first) => {
                let to = folder.join(&path);
                let made = to.parent().map_or(Ok(()), fs::create_dir_all);
                let copied = made.and_then(|()| io::copy(&mut entry, &mut File::create(&to)?));
                copied.map_err(|error| format!("{shown}: {error}"))?;
            }
            _ => return Err(format!("{shown} does not belong into an account")),
        }
    }
    document.ok_or_else(|| format!("it has no {STATE}"))
}
