//! What a job wants, whatever its kind: the common ground of processing and training.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use serde_json::{Value, json};

use super::inputs::Input;
use super::tree::Tree;

/// What is to be run, and where.
#[derive(Debug)]
pub(super) struct Plan {
    /// The container image.
    pub image: String,
    /// Replaces the image's own entrypoint.
    pub entrypoint: Vec<String>,
    /// What follows it.
    pub arguments: Vec<String>,
    /// The environment, beside what every container gets.
    pub environment: BTreeMap<String, String>,
    /// How many instances.
    pub instances: usize,
    /// What they read.
    pub inputs: Vec<Input>,
    /// Folders below `/opt/ml` that are there before the program starts.
    pub folders: Vec<String>,
    /// Configuration files below `/opt/ml`.
    pub files: Vec<(&'static str, Value)>,
    /// The configuration file that says which instance this is, and its content but for that.
    pub resource_config: (&'static str, Value),
    /// How long it may run.
    pub max_runtime: Duration,
    /// Metric definitions: names and regular expressions.
    pub metrics: Vec<(String, String)>,
}

impl Plan {
    /// The names of the instances: `algo-1`, `algo-2`, ...
    pub(super) fn hosts(&self) -> Vec<String> {
        hosts(self.instances)
    }

    /// Lays out an instance's folders and configuration files.
    pub(super) fn lay_out(&self, tree: &Tree, host: &str) -> io::Result<()> {
        for folder in &self.folders {
            tree.make(folder)?;
        }
        for (path, content) in &self.files {
            tree.write(path, content)?;
        }
        let (path, rest) = &self.resource_config;
        let mut config = json!({"current_host": host});
        if let (Some(config), Some(rest)) = (config.as_object_mut(), rest.as_object()) {
            config.extend(rest.clone());
        }
        tree.write(path, &config)
    }
}

/// `algo-1` to `algo-N`.
pub(super) fn hosts(instances: usize) -> Vec<String> {
    (1..=instances).map(|number| format!("algo-{number}")).collect()
}
