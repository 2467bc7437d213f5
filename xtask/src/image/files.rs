//! What is below `/opt/ml`, as a value: what a job is given, and what it leaves.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use flate2::{Compression, GzBuilder};
use serde_json::Value;

/// Files by their path below a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<String, Vec<u8>>);

impl Files {
    /// With this file too.
    pub fn with(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.0.insert(path.to_owned(), content.into());
        self
    }

    /// With this configuration file too.
    pub fn with_json(self, path: &str, content: &Value) -> Self {
        self.with(path, content.to_string())
    }

    /// With these files too.
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// The content of a file.
    ///
    /// # Errors
    /// When it is not there.
    pub fn get(&self, path: &str) -> anyhow::Result<&[u8]> {
        self.0.get(path).map(Vec::as_slice).with_context(|| format!("/opt/ml/{path} is not there"))
    }

    /// The files below a folder, as they are called below another.
    ///
    /// # Errors
    /// When there is none.
    pub fn moved(&self, from: &str, to: &str) -> anyhow::Result<Self> {
        let of_folder = |(path, content): (&String, &Vec<u8>)| {
            let rest = path.strip_prefix(from)?.strip_prefix('/')?;
            Some((format!("{to}/{rest}"), content.clone()))
        };
        let moved: BTreeMap<_, _> = self.0.iter().filter_map(of_folder).collect();
        ensure!(!moved.is_empty(), "nothing is in /opt/ml/{from}");
        Ok(Self(moved))
    }

    /// The files below a folder as SageMaker packs a model: a `model.tar.gz`.
    ///
    /// # Errors
    /// When there is none.
    pub fn packed(&self, folder: &str) -> anyhow::Result<Vec<u8>> {
        let mut archive = tar::Builder::new(GzBuilder::new().write(Vec::new(), Compression::fast()));
        for (path, content) in self.moved(folder, ".")?.0 {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(content.len() as u64);
            archive.append_data(&mut header, path, content.as_slice())?;
        }
        Ok(archive.into_inner()?.finish()?)
    }

    /// The first file that is not the same in the other, or is in one of the two alone.
    pub fn difference<'a>(&'a self, other: &'a Self) -> Option<&'a str> {
        let differs = |(path, _): &(&String, &Vec<u8>)| self.0.get(*path) != other.0.get(*path);
        self.0.iter().chain(&other.0).find(differs).map(|(path, _)| path.as_str())
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// All files below a folder.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn read(folder: &Path) -> anyhow::Result<Self> {
        let (mut files, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
        while let Some(next) = folders.pop() {
            let entries = fs::read_dir(&next).with_context(|| format!("cannot read {}", next.display()))?;
            for entry in entries {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let content = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                files.insert(path.strip_prefix(folder)?.to_string_lossy().into_owned(), content);
            }
        }
        Ok(Self(files))
    }

    /// Puts them into a folder, which has nothing else afterwards.
    ///
    /// # Errors
    /// When one of them cannot be written.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        for (path, content) in &self.0 {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap_or(folder))
                .and_then(|()| fs::write(&path, content))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}
