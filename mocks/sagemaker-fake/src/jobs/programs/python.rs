//! A Python environment of this machine, which stands for the one in an image.

use std::path::{Path, PathBuf};

/// An interpreter, and the environment that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Python {
    /// The interpreter.
    pub executable: PathBuf,
    /// The virtual environment, if it is one.
    pub virtual_env: Option<PathBuf>,
}

impl Python {
    /// The interpreter at `path`, or that of the virtual environment there; None if there is none.
    pub(super) fn at(path: &Path) -> Option<Self> {
        let executable = if path.is_dir() {
            ["bin/python", "bin/python3"].iter().map(|name| path.join(name)).find(|file| file.is_file())?
        } else {
            path.is_file().then(|| path.to_owned())?
        };
        // The folder as it is really called; not the interpreter, which is itself a link in a virtual environment.
        let folder = executable.parent()?.canonicalize().ok()?;
        let executable = folder.join(executable.file_name()?);
        let environment = folder.parent();
        let virtual_env = environment.filter(|folder| folder.join("pyvenv.cfg").is_file()).map(Path::to_owned);
        Some(Self { executable, virtual_env })
    }

    /// The folder of its programs.
    pub(crate) fn folder(&self) -> &Path {
        self.executable.parent().unwrap_or(Path::new("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpreters_and_environments() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let at = |path: &str| root.join(path);
        for path in ["venv/bin/python3", "venv/pyvenv.cfg", "conda/bin/python", "conda/bin/python3"] {
            std::fs::create_dir_all(at(path).parent().unwrap()).unwrap();
            std::fs::write(at(path), "").unwrap();
        }
        let check = |path: &str, executable: &str, virtual_env: Option<&str>| {
            let expected = Python { executable: at(executable), virtual_env: virtual_env.map(at) };
            assert_eq!(Python::at(&at(path)), Some(expected), "{path}");
        };
        check("venv", "venv/bin/python3", Some("venv"));
        check("venv/bin/python3", "venv/bin/python3", Some("venv"));
        check("conda", "conda/bin/python", None);
        check("conda/bin/python3", "conda/bin/python3", None);
        assert_eq!(Python::at(&at("venv/../conda")), Python::at(&at("conda")));
        assert_eq!(Python::at(&at("venv/bin")), None);
        assert_eq!(Python::at(&at("nothing")), None);
    }
}
