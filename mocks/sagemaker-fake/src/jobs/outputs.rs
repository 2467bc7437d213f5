//! A job's outputs: files of an instance into the fake's S3, and what the program had to say.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::inputs::split_uri;
use crate::authorisation::Work;

/// As much as SageMaker reads of a message or a failure.
const LONGEST_MESSAGE: usize = 1024;

/// The files below a folder, each with its path relative to it, in order. Links are not followed; a folder that is not
/// there has none.
pub(super) fn files(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), folder.to_owned())];
    while let Some((prefix, folder)) = open.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().into_string();
            let name =
                name.map_err(|name| io::Error::other(format!("the file name {} is not UTF-8", name.display())))?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push((format!("{prefix}{name}/"), entry.path()));
            } else if kind.is_file() {
                found.push((format!("{prefix}{name}"), entry.path()));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Uploads all files below `folder` to below `uri`. The error is a sentence.
pub(super) fn upload_folder(work: &Work<'_>, folder: &Path, uri: &str) -> Result<(), String> {
    for (name, path) in files(folder).map_err(|error| failed(uri, &error))? {
        upload_file(work, &path, &format!("{}/{name}", uri.trim_end_matches('/')))?;
    }
    Ok(())
}

/// Uploads one file. The error is a sentence.
pub(super) fn upload_file(work: &Work<'_>, path: &Path, uri: &str) -> Result<(), String> {
    let (bucket, key) = split_uri(uri).ok_or_else(|| failed(uri, &"it is no s3:// URI"))?;
    work.put_file(bucket, key, path).map(drop).map_err(|error| failed(uri, &error))
}

/// The beginning of what a program left for us to read, if it did. The error says that it is not UTF-8.
pub(super) fn message(path: &Path) -> Result<Option<String>, String> {
    let mut bytes = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(LONGEST_MESSAGE as u64 + 3).read_to_end(&mut bytes));
    match read {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
        Ok(_) => {}
    }
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        // Cut in the middle of a character.
        Err(error) if error.valid_up_to() >= LONGEST_MESSAGE => {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return Err("it is not UTF-8".to_owned()),
    };
    let text = &text[..text.floor_char_boundary(LONGEST_MESSAGE)];
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn failed(uri: &str, why: &dyn std::fmt::Display) -> String {
    format!("Failed to upload data. {uri}: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_files_and_follows_no_links() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("b/c")).unwrap();
        for name in ["z", "b/a", "b/c/d"] {
            fs::write(at(name), name).unwrap();
        }
        std::os::unix::fs::symlink(at("z"), at("link")).unwrap();
        std::os::unix::fs::symlink(at("b"), at("folder-link")).unwrap();
        let names: Vec<_> = files(folder.path()).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["b/a", "b/c/d", "z"]);
        assert_eq!(files(&at("nowhere")).unwrap(), []);
    }

    #[test]
    fn messages() {
        fn check(content: &[u8], expected: Result<Option<&str>, &str>) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("message");
            fs::write(&path, content).unwrap();
            assert_eq!(message(&path), expected.map(|text| text.map(str::to_owned)).map_err(str::to_owned));
        }
        check(b"", Ok(None));
        check(b"done", Ok(Some("done")));
        check("é".as_bytes(), Ok(Some("é")));
        check(b"\xff", Err("it is not UTF-8"));
        let long = "x".repeat(2000);
        check(long.as_bytes(), Ok(Some(&long[..1024])));
        let cut = format!("{}é and more", "x".repeat(1023));
        check(cut.as_bytes(), Ok(Some(&cut[..1023])));
        assert_eq!(message(Path::new("/nowhere/message")), Ok(None));
    }
}
