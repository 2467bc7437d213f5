//! Layers: files, packed so that nothing but their paths, modes and contents counts.
//!
//! No times, no owners, no order of a directory's listing: the same files make the same layer on every machine.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};

use crate::manifest::LAYER_TYPE;
use crate::{Blob, Digest, Error};

/// A file, or a directory, of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    path: String,
    mode: u32,
    content: Option<Vec<u8>>,
}

impl File {
    /// A file that everybody may read and run. Its path is relative to the root: `usr/bin/hello`.
    pub fn program(path: impl Into<String>, content: Vec<u8>) -> Self {
        Self { path: path.into(), mode: 0o755, content: Some(content) }
    }

    /// A directory in which everybody may make files, and nobody removes another's: `tmp`.
    pub fn shared_directory(path: impl Into<String>) -> Self {
        Self { path: path.into(), mode: 0o1777, content: None }
    }
}

/// Files on top of those of the layers below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    blob: Blob,
    unpacked: Digest,
}

impl Layer {
    /// These files, and the directories above them.
    ///
    /// # Errors
    /// When a path leads out of the image, or is there twice.
    pub fn new(files: impl IntoIterator<Item = File>) -> Result<Self, Error> {
        let mut entries = BTreeMap::new();
        for file in files {
            if file.path.split('/').any(|part| matches!(part, "" | "." | "..")) {
                return Err(Error::Path { path: file.path });
            }
            for (end, _) in file.path.match_indices('/') {
                entries.entry(file.path[..end].to_owned()).or_insert((0o755, None));
            }
            if entries.insert(file.path.clone(), (file.mode, file.content)).is_some() {
                return Err(Error::Twice { path: file.path });
            }
        }
        let mut tar = tar::Builder::new(Vec::new());
        for (path, (mode, content)) in &entries {
            let mut header = tar::Header::new_ustar();
            header.set_mode(*mode);
            header.set_mtime(0);
            header.set_uid(0);
            header.set_gid(0);
            match content {
                Some(content) => {
                    header.set_entry_type(tar::EntryType::Regular);
                    header.set_size(content.len() as u64);
                    tar.append_data(&mut header, path, content.as_slice())?;
                }
                None => {
                    header.set_entry_type(tar::EntryType::Directory);
                    header.set_size(0);
                    tar.append_data(&mut header, format!("{path}/"), std::io::empty())?;
                }
            }
        }
        let tar = tar.into_inner()?;
        // Neither a name nor a time in its header.
        let mut packed = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
        packed.write_all(&tar)?;
        Ok(Self { blob: Blob::new(LAYER_TYPE, packed.finish()?), unpacked: Digest::of(&tar) })
    }

    /// A layer as a registry holds it.
    ///
    /// # Errors
    /// When it is not packed as layers are.
    pub fn packed(bytes: Vec<u8>) -> Result<Self, Error> {
        let mut tar = Vec::new();
        GzDecoder::new(bytes.as_slice()).read_to_end(&mut tar)?;
        Ok(Self { blob: Blob::new(LAYER_TYPE, bytes), unpacked: Digest::of(&tar) })
    }

    /// As a registry holds it: a compressed tape archive.
    #[must_use]
    pub fn blob(&self) -> &Blob {
        &self.blob
    }

    /// The digest of the archive before it is compressed: Docker's `diff_id`.
    #[must_use]
    pub fn unpacked(&self) -> &Digest {
        &self.unpacked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> File {
        File::program("usr/bin/hello", b"hello".to_vec())
    }

    fn entries(layer: &Layer) -> Vec<(String, u32, u64)> {
        let mut archive = tar::Archive::new(GzDecoder::new(layer.blob().bytes()));
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.mtime().unwrap(), header.uid().unwrap(), header.gid().unwrap()), (0, 0, 0));
            (entry.path().unwrap().display().to_string(), header.mode().unwrap(), header.size().unwrap())
        });
        entries.collect()
    }

    #[test]
    fn holds_the_files_and_the_directories_above_them() {
        let layer = Layer::new([hello(), File::shared_directory("tmp")]).unwrap();
        let expected = [("tmp/", 0o1777, 0), ("usr/", 0o755, 0), ("usr/bin/", 0o755, 0), ("usr/bin/hello", 0o755, 5)];
        assert_eq!(entries(&layer), expected.map(|(path, mode, size)| (path.to_owned(), mode, size)));
        assert_eq!(Layer::packed(layer.blob().bytes().to_vec()).unwrap(), layer);
    }

    #[test]
    fn the_order_of_the_files_does_not_count() {
        let tmp = || File::shared_directory("tmp");
        assert_eq!(Layer::new([hello(), tmp()]).unwrap(), Layer::new([tmp(), hello()]).unwrap());
        let other = File::program("usr/bin/hello", b"hallo".to_vec());
        assert_ne!(Layer::new([hello()]).unwrap().blob().digest(), Layer::new([other]).unwrap().blob().digest());
    }

    #[test]
    fn paths_stay_below_the_root() {
        for path in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/"] {
            let refused = Layer::new([File::program(path, Vec::new())]);
            assert!(matches!(refused, Err(Error::Path { path: named }) if named == path), "{path}");
        }
        assert!(matches!(Layer::new([hello(), hello()]), Err(Error::Twice { .. })));
        assert!(Layer::packed(b"no archive".to_vec()).is_err());
    }
}
