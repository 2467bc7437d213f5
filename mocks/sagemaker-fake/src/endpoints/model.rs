//! A model's data: from the fake's S3 into the folder of a container.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::record::{Container, Deployment, Endpoint, Variant};
use crate::Fake;
use crate::authorisation::Work;
use crate::jobs::inputs::split_uri;
use crate::jobs::processes::kill_orphan;
use crate::jobs::tree::{Tree, remove_folder};

/// Lays out the folder of a variant's container, with its model in `/opt/ml/model`: as the role of the model, which must
/// be let have the image too. What is there already, from before the fake was last closed, is not fetched again: the
/// endpoint serves it even if S3 has it no more. The error is SageMaker's sentence.
pub(super) fn lay_out(
    fake: &Fake,
    endpoint: &Endpoint,
    deployment: &Deployment,
    variant: &Variant,
) -> Result<Tree, String> {
    let failed = |error: io::Error| format!("The fake failed: {error}");
    let tree = tree(fake.folder(), endpoint, deployment, variant).map_err(failed)?;
    let model = tree.at("model");
    if model.exists() {
        return Ok(tree);
    }
    let Container { image, model_data_url, role, .. } = &variant.container;
    let work = endpoint.work(fake, role.as_deref())?;
    work.pull(image).map_err(|none| none.of_endpoint(image, role.as_deref().unwrap_or_default()))?;
    // Whole or not at all, whenever the process is killed.
    let part = tree.at("model.part");
    remove_folder(&part);
    fs::create_dir_all(&part).map_err(failed)?;
    if let Some(url) = model_data_url {
        unpack(&work, url, &part)?;
    }
    fs::rename(&part, &model).map_err(failed)?;
    Ok(tree)
}

/// Where a variant's container has its folder, of the fake whose files are in `state`.
pub(super) fn tree(state: &Path, endpoint: &Endpoint, deployment: &Deployment, variant: &Variant) -> io::Result<Tree> {
    Tree::new(&folder(state, endpoint).join(&deployment.id).join(&variant.name))
}

/// Unpacks a `model.tar.gz`. The error is SageMaker's sentence.
pub(crate) fn unpack(work: &Work<'_>, url: &str, folder: &Path) -> Result<(), String> {
    let opened = split_uri(url).and_then(|(bucket, key)| work.open(bucket, key).ok());
    let (_, archive) = opened.ok_or_else(|| {
        format!(
            "Failed to download model data for container \"container_1\" from URL: \"{url}\". Please ensure that there is an object \
             located at the URL and that the role passed to CreateModel has permissions to download the object."
        )
    })?;
    let unpacked = tar::Archive::new(MultiGzDecoder::new(io::BufReader::new(archive))).unpack(folder);
    unpacked.map_err(|error| {
        tracing::debug!("{url}: {error}");
        format!(
            "Failed to extract model data archive for container \"container_1\" from URL \"{url}\". Please ensure that the object \
             located at the URL is a valid tar.gz archive."
        )
    })
}

/// Removes the folder of a deployment that serves no more.
pub(super) fn remove(fake: &Fake, endpoint: &Endpoint, deployment: &str) {
    remove_folder(&folder(fake.folder(), endpoint).join(deployment));
}

/// Removes the folder of an endpoint that is gone.
pub(super) fn remove_all(fake: &Fake, endpoint: &Endpoint) {
    remove_folder(&folder(fake.folder(), endpoint));
}

/// Ends programs that outlived a process that was killed, and removes the folders of deployments that are no more.
pub(super) fn tidy(fake: &Fake, endpoints: &[Endpoint]) {
    let deployments = endpoints.iter().flat_map(|endpoint| endpoint.serving.iter().chain(&endpoint.pending));
    let kept: HashSet<_> = deployments.map(|deployment| deployment.id.as_str()).collect();
    // REGION/ENDPOINT/DEPLOYMENT/VARIANT
    for region in inside(&root(fake.folder())) {
        for deployment in inside(&region).iter().flat_map(|endpoint| inside(endpoint)) {
            inside(&deployment).iter().for_each(|variant| kill_orphan(variant));
            let id = deployment.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !kept.contains(id.as_str()) {
                remove_folder(&deployment);
            }
        }
    }
}

fn inside(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn root(state: &Path) -> PathBuf {
    let root = state.join("endpoints");
    fs::canonicalize(&root).unwrap_or(root)
}

/// The folder of an endpoint, of the fake whose files are in `state`.
fn folder(state: &Path, endpoint: &Endpoint) -> PathBuf {
    root(state).join(&endpoint.region).join(&endpoint.name)
}
