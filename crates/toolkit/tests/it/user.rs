//! A user with nothing: no home, no configuration, no environment, no network to speak of.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use assert_cmd::cargo::cargo_bin;
use container_image::{File, Image, Layer, Platform, Runs};
use tempfile::TempDir;

/// A user and the folder that is both project and home.
pub struct User {
    folder: TempDir,
}

/// What a command left: exit code, stdout, stderr.
pub type Done = (i32, String, String);

impl User {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The root of a project: nothing above it is looked at.
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        Self { folder }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where `--offline` keeps its state.
    pub fn state(&self) -> PathBuf {
        self.folder().join(".stsmm/offline")
    }

    pub fn dotenv(self, content: &str) -> Self {
        std::fs::write(self.folder().join(".env"), content).unwrap();
        self
    }

    /// An archive with an image of this tag that is small, and is told from others by its content; its name.
    pub fn archive(&self, tag: &str, content: &str) -> String {
        self.labelled_archive(tag, content, "")
    }

    /// The same, of which something is said.
    pub fn labelled_archive(&self, tag: &str, content: &str, revision: &str) -> String {
        let layer = Layer::new([File::program("usr/bin/sts-container", content.as_bytes().to_vec())]).unwrap();
        let labels = [("org.opencontainers.image.revision".to_owned(), revision.to_owned())].into();
        let runs = Runs { labels, ..Runs::default() };
        let image = Image::new(&Platform::linux_amd64(), &runs, vec![layer]).unwrap();
        let name = format!("image-{content}{revision}.tar");
        std::fs::write(self.folder().join(&name), image.to_archive(&format!("sts-container:{tag}")).unwrap()).unwrap();
        name
    }

    /// A command that sees only this environment.
    pub fn command(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Command {
        let mut command = Command::new(cargo_bin("stsmm"));
        command.env_clear().env("HOME", self.folder()).envs(environment.iter().copied());
        command.current_dir(self.folder()).args(arguments);
        command
    }

    pub fn run(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Done {
        done(&self.command(environment, arguments).output().unwrap())
    }
}

pub fn done(output: &Output) -> Done {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}
