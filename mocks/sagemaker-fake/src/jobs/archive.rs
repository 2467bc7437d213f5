//! `model.tar.gz`: the same files always give the same bytes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use flate2::{Compression, GzBuilder};

use super::outputs;

/// Packs the files below some folders into one archive; where two have a file of one name, the first counts. False if
/// there are none.
pub(super) fn pack(folders: &[PathBuf], archive: &Path) -> io::Result<bool> {
    let mut files = BTreeMap::new();
    for folder in folders {
        for (name, path) in outputs::files(folder)? {
            files.entry(name).or_insert(path);
        }
    }
    if files.is_empty() {
        return Ok(false);
    }
    // No time, no name, no user: only what is in the files.
    let gzip = GzBuilder::new().mtime(0).write(File::create(archive)?, Compression::default());
    let mut tar = tar::Builder::new(gzip);
    for (name, path) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(fs::metadata(&path)?.len());
        header.set_mode(0o644);
        header.set_mtime(0);
        tar.append_data(&mut header, name, File::open(path)?)?;
    }
    tar.into_inner()?.finish()?.sync_all()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_files_same_bytes() {
        let bytes = |order: [&str; 2]| {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("model")).unwrap();
            fs::create_dir(folder.path().join("model/sub")).unwrap();
            for name in order {
                fs::write(folder.path().join("model").join(name), name).unwrap();
            }
            let archive = folder.path().join("model.tar.gz");
            assert!(pack(&[folder.path().join("model")], &archive).unwrap());
            fs::read(archive).unwrap()
        };
        let one = bytes(["a", "sub/b"]);
        assert_eq!(one, bytes(["sub/b", "a"]));

        let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(&one[..]));
        let names: Vec<_> = tar.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().into_owned()).collect();
        assert_eq!(names, [Path::new("a"), Path::new("sub/b")]);
    }

    #[test]
    fn nothing_makes_no_archive() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("model.tar.gz");
        assert!(!pack(&[folder.path().join("model")], &archive).unwrap());
        assert!(!archive.exists());
    }
}
