//! The folders and files by which SageMaker and a container talk: `/opt/ml` and what is where below it.

mod processing;
mod training;

use std::{
    env,
    ffi::OsString,
    num::NonZeroUsize,
    path::{self, Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};

pub(crate) use self::{
    processing::Processing,
    training::{Hyperparameters, Training},
};
use crate::{error::Error, files, say};

/// Where everything is in a container.
const ROOT: &str = "/opt/ml";

/// As much SageMaker keeps of an exit message (in bytes) and of a failure (in characters).
const REASON: usize = 1024;

/// The folder that is `/opt/ml` in a container.
#[derive(Debug, Clone)]
pub(crate) struct OptMl {
    root: PathBuf,
}

impl OptMl {
    /// The folder named by `STSMM_OPT_ML`, or `/opt/ml` itself.
    pub(crate) fn from_env() -> Self {
        Self::new(env::var_os("STSMM_OPT_ML").unwrap_or_default())
    }

    /// Without a folder it is `/opt/ml` itself.
    pub(crate) fn new(root: OsString) -> Self {
        let root = PathBuf::from(if root.is_empty() { ROOT.into() } else { root });
        // In full and without a slash at its end: messages are searched for it.
        let root = path::absolute(&root).unwrap_or(root);
        Self { root: root.components().collect() }
    }

    /// Whether this is a container, and not a folder somewhere.
    pub(crate) fn is_in_container(&self) -> bool {
        self.root == Path::new(ROOT)
    }

    /// The place of what is `/opt/ml/RELATIVE` in a container.
    pub(crate) fn at(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A text with the paths that its reader knows, those of a container.
    pub(crate) fn as_in_container(&self, text: &str) -> String {
        text.replace(&*self.root.to_string_lossy(), ROOT)
    }

    /// Tells the log, and SageMaker as the job's exit message, what the job did.
    ///
    /// # Errors
    /// The message cannot be written.
    pub(crate) fn finish(&self, message: &str) -> Result<(), Error> {
        say(message);
        self.write_message(message)
    }

    /// Leaves a processing job's exit message. What SageMaker would cut off is not written: half a character would fail
    /// the job.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write_message(&self, message: &str) -> Result<(), Error> {
        files::write(&self.at("output/message"), shortened(message))
    }

    /// Leaves a training job's failure reason.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write_failure(&self, reason: &str) -> Result<(), Error> {
        files::write(&self.at("output/failure"), shortened(reason))
    }
}

/// Which of a job's instances this one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instance {
    /// From 0.
    pub(crate) number: usize,
    pub(crate) count: NonZeroUsize,
}

impl Instance {
    /// Reads `resourceconfig.json`; without it, this instance is alone.
    fn read(path: &Path) -> Result<Self, Error> {
        let Some(ResourceConfig { current_host, mut hosts }) = config(path)? else {
            return Ok(Self { number: 0, count: NonZeroUsize::MIN });
        };
        // All instances must count in the same order.
        hosts.sort();
        let number = hosts.iter().position(|host| *host == current_host);
        match number.zip(NonZeroUsize::new(hosts.len())) {
            Some((number, count)) => Ok(Self { number, count }),
            None => Err(Error::Host { current: current_host, hosts }),
        }
    }

    /// # Errors
    /// The instance is not alone.
    pub(crate) fn alone(self) -> Result<(), Error> {
        match self.count.get() {
            1 => Ok(()),
            count => Err(Error::SeveralInstances { count }),
        }
    }
}

#[derive(Debug, Deserialize)]
struct ResourceConfig {
    current_host: String,
    hosts: Vec<String>,
}

/// Reads a configuration file, if it is there.
fn config<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    if !path.exists() {
        return Ok(None);
    }
    let content = files::read(path)?;
    serde_json::from_slice(&content).map(Some).map_err(|source| Error::Config { path: path.to_owned(), source })
}

/// The first [`REASON`] bytes, in whole characters.
fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(REASON)]
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_root_is_relocatable() {
        assert_eq!(OptMl::new("".into()).at("model"), Path::new("/opt/ml/model"));
        for root in ["/tmp/job/opt/ml", "/tmp/job/opt/ml/"] {
            let moved = OptMl::new(root.into());
            assert_eq!(moved.at("model"), Path::new("/tmp/job/opt/ml/model"));
            assert_eq!(moved.as_in_container("/tmp/job/opt/ml/model: bad"), "/opt/ml/model: bad");
        }
        assert!(OptMl::new("ml".into()).at("model").is_absolute());
    }

    #[test]
    fn messages_are_cut_between_characters() {
        fn check(text: &str, bytes: usize) {
            let folder = tempfile::tempdir().unwrap();
            let opt_ml = OptMl::new(folder.path().into());
            opt_ml.write_message(text).unwrap();
            opt_ml.write_failure(text).unwrap();
            for name in ["output/message", "output/failure"] {
                assert_eq!(fs::read_to_string(opt_ml.at(name)).unwrap(), text[..bytes], "{name}");
            }
        }
        check("all good", 8);
        check(&"x".repeat(1024), 1024);
        check(&"x".repeat(1025), 1024);
        // The 342nd character takes bytes 1023 to 1025.
        check(&"\u{20ac}".repeat(342), 1023);
    }

    #[test]
    fn instances() {
        fn check(config: &str, expected: Result<(usize, usize), &str>) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("resourceconfig.json");
            fs::write(&path, config).unwrap();
            let found = Instance::read(&path);
            let found = found.as_ref().map(|instance| (instance.number, instance.count.get()));
            match expected {
                Ok(expected) => assert_eq!(found.unwrap(), expected, "{config}"),
                Err(reason) => {
                    let error = crate::error::chain(found.unwrap_err());
                    assert!(error.contains(reason), "{config}: {error}");
                }
            }
        }
        check(r#"{"current_host": "algo-1", "hosts": ["algo-1"]}"#, Ok((0, 1)));
        check(
            r#"{"current_host": "algo-2", "hosts": ["algo-3", "algo-2", "algo-1"], "network_interface_name": "eth0"}"#,
            Ok((1, 3)),
        );
        check(
            r#"{"current_host": "algo-4", "hosts": ["algo-1", "algo-2"]}"#,
            Err("algo-1, algo-2, but this one is \"algo-4\""),
        );
        check(r#"{"current_host": "algo-1", "hosts": []}"#, Err("algo-1"));
        check("{", Err("resourceconfig.json is not the JSON"));
        let nowhere = Instance::read(Path::new("/nowhere/resourceconfig.json")).unwrap();
        assert_eq!((nowhere.number, nowhere.count.get()), (0, 1));
    }
}
