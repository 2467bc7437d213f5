//! A baseline, and how a job of the monitor gets it.

use serde_json::{Value, json};

/// The files of a baseline, as S3 URIs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Baseline {
    pub statistics: Option<String>,
    pub constraints: Option<String>,
}

/// A file of a baseline in the job that compares with it.
pub(crate) struct Given {
    /// The variable of the job's environment that says where it is.
    pub variable: &'static str,
    /// Where it is in the container.
    pub path: String,
    /// The job's input.
    pub input: Value,
}

impl Baseline {
    /// What a job of the monitor writes to a folder.
    pub(crate) fn in_folder(folder: &str) -> Self {
        let file = |name: &str| Some(format!("{}/{name}.json", folder.trim_end_matches('/')));
        Self { statistics: file("statistics"), constraints: file("constraints") }
    }

    /// The files that there are, as AWS's own schedules give them to a job.
    pub(crate) fn given(&self) -> Vec<Given> {
        let files = [
            ("baseline_statistics", "baseline", "stats", &self.statistics),
            ("baseline_constraints", "constraints", "constraints", &self.constraints),
        ];
        let given = |(variable, name, folder, uri): (_, &str, &str, &Option<String>)| {
            let uri = uri.as_ref()?;
            let folder = format!("/opt/ml/processing/baseline/{folder}");
            let path = format!("{folder}/{}", uri.rsplit('/').next().unwrap_or_default());
            Some(Given { variable, path, input: from_s3(name, uri, &folder) })
        };
        files.into_iter().filter_map(given).collect()
    }
}

/// An input of a processing job.
pub(super) fn from_s3(name: &str, uri: &str, local: &str) -> Value {
    json!({
        "InputName": name,
        "AppManaged": false,
        "S3Input": {
            "S3Uri": uri, "LocalPath": local, "S3DataType": "S3Prefix", "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated", "S3CompressionType": "None",
        },
    })
}
