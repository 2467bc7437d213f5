//! The folders of one instance of a job or an endpoint, laid out as SageMaker's container contract says: what is `/opt/ml` in a
//! container is `opt/ml` in the instance's folder.

use std::io;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::job::Job;
use crate::Fake;

/// The folder of one instance.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    root: PathBuf,
}

impl Tree {
    /// Where the instance `host` (`algo-1`, ...) of a job's present attempt has its folder. Absolute: the program's
    /// working folder is another one than ours.
    pub(super) fn of(fake: &Fake, job: &Job, host: &str) -> io::Result<Self> {
        Self::new(&folder(fake, job).join(job.attempt.to_string()).join(host))
    }

    /// With its root in this folder.
    pub(crate) fn new(root: &Path) -> io::Result<Self> {
        Ok(Self { root: std::path::absolute(root)? })
    }

    /// The instance's root folder, in which the program runs.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// `opt/ml` in it.
    pub(crate) fn opt_ml(&self) -> PathBuf {
        self.root.join("opt").join("ml")
    }

    /// The path that is `/opt/ml/RELATIVE` in a container.
    pub(crate) fn at(&self, relative: &str) -> PathBuf {
        self.opt_ml().join(relative)
    }

    /// Where a path of a container that is `/opt/ml` or below it is on this machine; None for any other.
    pub(crate) fn within(&self, path: &str) -> Option<PathBuf> {
        let rest = path.strip_prefix("/opt/ml").filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
        Some(self.root.join("opt").join(format!("ml{rest}")))
    }

    /// Makes a folder.
    pub(crate) fn make(&self, relative: &str) -> io::Result<PathBuf> {
        let path = self.at(relative);
        std::fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// Writes a configuration file.
    pub(super) fn write(&self, relative: &str, content: &Value) -> io::Result<()> {
        let path = self.at(relative);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, content.to_string())
    }
}

/// What follows `/opt/ml/` in a path of a container; None if the path is not below it.
pub(super) fn below_opt_ml(path: &str) -> Option<&str> {
    let relative = path.strip_prefix("/opt/ml/")?;
    is_plain(relative).then_some(relative)
}

/// Whether a relative path stays below where it begins.
pub(crate) fn is_plain(relative: &str) -> bool {
    Path::new(relative).components().all(|part| matches!(part, Component::Normal(_)))
}

/// Removes what a job's attempts have left. Failing to is no failure of the job.
pub(super) fn remove(fake: &Fake, job: &Job) {
    remove_folder(&folder(fake, job));
}

/// Removes what all jobs have left, after `end` has seen the folder of every instance.
pub(super) fn remove_all(fake: &Fake, end: impl Fn(&Path)) {
    let jobs = fake.folder().join("jobs");
    // REGION/KIND/NAME/ATTEMPT/HOST
    let mut folders = vec![std::fs::canonicalize(&jobs).unwrap_or_else(|_| jobs.clone())];
    for _ in 0..5 {
        folders = folders
            .iter()
            .flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten())
            .map(|entry| entry.path())
            .collect();
    }
    folders.iter().for_each(|folder| end(folder));
    remove_folder(&jobs);
}

/// Removes a folder with all that is in it, if it is there. Failing to is logged. A program that was killed a moment ago
/// may still write into it.
pub(crate) fn remove_folder(folder: &Path) {
    let mut removed = std::fs::remove_dir_all(folder);
    for _ in 0..100 {
        match &removed {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                removed = std::fs::remove_dir_all(folder);
            }
            _ => break,
        }
    }
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!("cannot remove the folder {}: {error}", folder.display());
        }
        _ => {}
    }
}

/// `jobs/REGION/KIND/NAME`: jobs of different kinds or regions may have one name.
fn folder(fake: &Fake, job: &Job) -> PathBuf {
    fake.folder().join("jobs").join(&job.region).join(job.kind.resource()).join(&job.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_below_opt_ml() {
        fn check(path: &str, expected: Option<&str>) {
            assert_eq!(below_opt_ml(path), expected, "{path}");
        }
        check("/opt/ml/processing/input", Some("processing/input"));
        check("/opt/ml/processing/../../../etc", None);
        check("/opt/mlx", None);
        check("/tmp", None);
    }
}
