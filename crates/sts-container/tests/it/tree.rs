//! The folder that a container has as `/opt/ml`, and the binary that runs in it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use flate2::{Compression, write::GzEncoder};
use sts_model::sample;
use tempfile::TempDir;

/// A folder in the place of `/opt/ml`.
pub(crate) struct Tree(TempDir);

impl Tree {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// What a pipeline leaves behind whose steps all ran here, on generated pairs.
    pub(crate) fn of_pipeline(pairs: usize) -> Self {
        let tree = Self::new();
        tree.put("processing/input/pairs.tsv", sample::tsv(&sample::pairs(pairs)));
        tree.done("preprocess");
        for channel in ["train", "validation", "vocabulary"] {
            tree.copy(&format!("processing/{channel}"), &format!("input/data/{channel}"));
        }
        tree.done("train");
        tree.pack_model();
        tree
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.0.path().join(relative)
    }

    pub(crate) fn put(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn text(&self, relative: &str) -> String {
        fs::read_to_string(self.path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
    }

    /// Copies a folder: what happens between two steps by way of S3.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        copy(&self.path(from), &self.path(to));
    }

    pub(crate) fn clone_all(&self) -> Self {
        let clone = Self::new();
        copy(self.0.path(), clone.0.path());
        clone
    }

    /// What SageMaker does with the model's folder after training.
    pub(crate) fn pack_model(&self) {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        archive.append_dir_all(".", self.path("model")).unwrap();
        self.put("processing/model/model.tar.gz", archive.into_inner().unwrap().finish().unwrap());
    }

    /// The binary, with nothing in its environment but the place of the tree.
    pub(crate) fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sts-container"));
        command.arg(verb).env_clear().env("STSMM_OPT_ML", self.0.path());
        command
    }

    pub(crate) fn run(&self, verb: &str) -> Output {
        self.command(verb).output().unwrap()
    }

    /// Runs a verb that succeeds, and gives its stdout.
    pub(crate) fn done(&self, verb: &str) -> String {
        let output =
            assert_cmd::Command::from_std(self.command(verb)).assert().success().stderr("").get_output().clone();
        String::from_utf8(output.stdout).unwrap()
    }

    /// All files below a folder, with the folder's path cut off, in order.
    pub(crate) fn files(&self, relative: &str) -> Vec<String> {
        let root = self.path(relative);
        let (mut files, mut folders) = (Vec::new(), vec![root.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        files.sort();
        files
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
