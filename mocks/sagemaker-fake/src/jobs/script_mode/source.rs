//! The code of a script: fetched as the role, unpacked, and what it requires.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use flate2::read::MultiGzDecoder;

use super::{Kind, Refusal};
use crate::authorisation::Work;
use crate::jobs::inputs::split_uri;
use crate::jobs::tree::Tree;

/// Puts the code into its folder: an archive of S3, or an archive, a folder or a file that an input has brought. Without a
/// name it is there, or nowhere.
pub(super) fn fetch(work: &Work<'_>, uri: Option<&str>, tree: &Tree, code: &Path) -> Result<(), Refusal> {
    let Some(uri) = uri else { return Ok(()) };
    if let Some((bucket, key)) = split_uri(uri) {
        let (_, archive) = work.open(bucket, key).map_err(|error| {
            // The download begins with a HEAD request, whose refusals have no words of their own.
            let (status, name) = match error.code.as_ref() {
                "NoSuchKey" | "NoSuchBucket" => (404, "Not Found"),
                _ => (403, "Forbidden"),
            };
            let text = format!("An error occurred ({status}) when calling the HeadObject operation: {name}");
            Refusal { help: Some(format!("({uri}: {error})")), ..Refusal::framework(text) }
        })?;
        return unpack(archive, code, uri);
    }
    let path = tree.within(uri).filter(|path| path.exists()).ok_or_else(|| Refusal::missing(uri))?;
    if path == code {
        Ok(())
    } else if path.is_dir() {
        copy(&path, code).map_err(|error| Refusal::internal(&error))
    } else if uri.ends_with(".tar.gz") || uri.ends_with(".tgz") {
        unpack(File::open(&path).map_err(|error| Refusal::internal(&error))?, code, uri)
    } else {
        let name = path.file_name().unwrap_or_default();
        std::fs::copy(&path, code.join(name)).map(drop).map_err(|error| Refusal::internal(&error))
    }
}

fn unpack(archive: impl Read, code: &Path, uri: &str) -> Result<(), Refusal> {
    let mut archive = tar::Archive::new(MultiGzDecoder::new(BufReader::new(archive)));
    archive.unpack(code).map_err(|error| Refusal {
        help: Some(format!("({uri} is no tar.gz archive: {error})")),
        ..Refusal::framework("not a gzip file")
    })
}

/// Whether the code is a package that keeps its modules in `src`.
pub(super) fn keeps_modules_in_src(code: &Path) -> bool {
    code.join("setup.py").exists() && code.join("src").is_dir()
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// Looks whether everything in `requirements.txt` is installed. The toolkit would install it: this takes nothing from the
/// network and leaves the environment as it is. Gives what is to be said in the log.
pub(super) fn requirements(code: &Path, python: &str, kind: Kind) -> Result<Vec<String>, Refusal> {
    if !code.join("requirements.txt").exists() {
        return Ok(Vec::new());
    }
    let asked = Command::new(python)
        .args([
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--no-index",
            "--disable-pip-version-check",
            "-r",
            "requirements.txt",
        ])
        .current_dir(code)
        .stdin(Stdio::null())
        .output();
    let asked = asked.map_err(|error| Refusal::framework(format!("{python}: {error}")))?;
    if asked.status.success() {
        return Ok(Vec::new());
    }
    let said = String::from_utf8_lossy(&asked.stderr);
    if said.contains("No module named pip") {
        return Ok(vec![format!("(requirements.txt is not looked at: {python} has no pip)")]);
    }
    let (error, package) =
        if kind == Kind::Package { ("InstallModuleError", ". ") } else { ("InstallRequirementsError", "") };
    let why: Vec<_> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    Err(Refusal {
        help: Some(format!(
            "(not everything in requirements.txt is installed, and nothing is installed here: {python} -m pip install -r \
             requirements.txt does it)\n{}",
            why.join("\n")
        )),
        ..Refusal::client(format!(
            "{error}:\nExitCode 1\nErrorMessage \"\"\nCommand \"{python} -m pip install {package}-r requirements.txt\""
        ))
    })
}
