//! What an image runs, and the list of its parts, in Docker's version 2, schema 2.
//!
//! Source: the image manifest of the distribution registry (`manifest-v2-2`) and Docker's image specification 1.2.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Blob, Digest, Layer};

/// The type of the list of parts. SageMaker takes this one, and not OCI's.
pub const MANIFEST_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// The type of what an image runs.
pub const CONFIG_TYPE: &str = "application/vnd.docker.container.image.v1+json";

/// The type of a layer.
pub const LAYER_TYPE: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";

/// The moment at which every image is made: the time at which it happened to be would make each another image.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// What an image can run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// `linux`.
    pub os: String,
    /// In the words of Go: `amd64`, `arm64`.
    pub architecture: String,
}

impl Platform {
    /// What nearly every instance of SageMaker's is.
    #[must_use]
    pub fn linux_amd64() -> Self {
        Self { os: "linux".to_owned(), architecture: "amd64".to_owned() }
    }
}

/// What an image runs, and what is said of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runs {
    /// The program and its first arguments; whoever runs the image adds more.
    pub entrypoint: Vec<String>,
    /// Variables of its environment.
    pub environment: BTreeMap<String, String>,
    /// Facts for people and registries: `org.opencontainers.image.revision` and its like.
    pub labels: BTreeMap<String, String>,
}

/// The file that a registry calls the config.
#[derive(Debug, Serialize)]
pub(crate) struct Config {
    architecture: String,
    os: String,
    created: &'static str,
    config: Container,
    rootfs: RootFs,
    history: Vec<History>,
}

#[derive(Debug, Serialize)]
struct Container {
    #[serde(rename = "Entrypoint")]
    entrypoint: Vec<String>,
    #[serde(rename = "Env")]
    environment: Vec<String>,
    #[serde(rename = "Labels")]
    labels: BTreeMap<String, String>,
    #[serde(rename = "WorkingDir")]
    working_directory: &'static str,
}

#[derive(Debug, Serialize)]
struct RootFs {
    #[serde(rename = "type")]
    kind: &'static str,
    diff_ids: Vec<Digest>,
}

#[derive(Debug, Serialize)]
struct History {
    created: &'static str,
    created_by: &'static str,
}

impl Config {
    pub(crate) fn new(platform: &Platform, runs: &Runs, layers: &[Layer]) -> Self {
        Self {
            architecture: platform.architecture.clone(),
            os: platform.os.clone(),
            created: CREATED,
            config: Container {
                entrypoint: runs.entrypoint.clone(),
                environment: runs.environment.iter().map(|(name, value)| format!("{name}={value}")).collect(),
                labels: runs.labels.clone(),
                working_directory: "/",
            },
            rootfs: RootFs { kind: "layers", diff_ids: layers.iter().map(|layer| layer.unpacked().clone()).collect() },
            history: layers.iter().map(|_| History { created: CREATED, created_by: "files" }).collect(),
        }
    }
}

/// The list of parts.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    schema_version: u32,
    media_type: String,
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    size: usize,
    digest: Digest,
}

impl Manifest {
    pub(crate) fn new(config: &Blob, layers: &[Layer]) -> Self {
        let described = |blob: &Blob| Descriptor {
            media_type: blob.media_type().to_owned(),
            size: blob.bytes().len(),
            digest: blob.digest().clone(),
        };
        Self {
            schema_version: 2,
            media_type: MANIFEST_TYPE.to_owned(),
            config: described(config),
            layers: layers.iter().map(|layer| described(layer.blob())).collect(),
        }
    }
}
