//! Images as SageMaker asks for them: by URI, to run what is in them.

use std::sync::atomic::{AtomicBool, Ordering};

use iam_policy::generate::Repository;

use super::image::{Image, Reference, find};
use super::repository;
use crate::{ApiError, Fake};

/// Whether images must be in ECR before they can be run. Programs of this machine stand for them in any case.
#[derive(Debug, Default)]
pub struct Strictness(AtomicBool);

impl Strictness {
    pub(crate) fn new(on: bool) -> Self {
        Self(AtomicBool::new(on))
    }

    /// From now on they must.
    pub fn turn_on(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether they must.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why an image cannot be pulled.
#[derive(Debug)]
pub(crate) enum NoImage {
    /// IAM does not let the role.
    NotAllowed(Repository),
    /// There is no such repository.
    NoRepository(Repository),
    /// It is not in its repository.
    NotThere,
    /// Nobody knows: the fake failed.
    Unknown(ApiError),
}

/// The image of a URI, if it is one that this account has. What is in other registries than ECR, or in other accounts,
/// nobody here knows, and without strictness nobody looks.
///
/// # Errors
/// When it must be there and is not.
pub(crate) fn look_up(fake: &Fake, uri: &str) -> Result<Option<Image>, NoImage> {
    let own = |repository: &Repository| repository.account == fake.account();
    let Some(repository) = Repository::of_image(uri).filter(own).filter(|_| fake.strict_images.is_on()) else {
        return Ok(None);
    };
    let found = find(fake, &repository.region, &repository.name, reference(uri)).map_err(NoImage::Unknown)?;
    match found {
        Some(image) => Ok(Some(image)),
        None if exists(fake, &repository).map_err(NoImage::Unknown)? => Err(NoImage::NotThere),
        None => Err(NoImage::NoRepository(repository)),
    }
}

fn exists(fake: &Fake, repository: &Repository) -> Result<bool, ApiError> {
    fake.store.read(|view| repository::is_there(view, &repository.region, &repository.name))
}

/// What follows the name of the repository: a digest, a tag, or what stands for the tag `latest`.
fn reference(uri: &str) -> Reference<'_> {
    let path = uri.split_once('/').map_or(uri, |(_, path)| path);
    match (path.split_once('@'), path.split_once(':')) {
        (Some((_, digest)), _) => Reference::Digest(digest),
        (None, Some((_, tag))) => Reference::Tag(tag),
        (None, None) => Reference::Tag("latest"),
    }
}

impl NoImage {
    /// Why a job does not start, in the words of SageMaker and of Docker, which it pulls images with.
    pub(crate) fn of_job(&self, uri: &str) -> String {
        match self {
            Self::NotAllowed(_) => {
                "Cannot pull algorithm container. Either the image does not exist or its permissions are incorrect."
                    .to_owned()
            }
            Self::NoRepository(Repository { name, account, .. }) => {
                let why = repository::not_found(name, account).message;
                format!("API error (404): repository {name} not found: name unknown: {why}")
            }
            Self::NotThere => {
                format!("API error (404): manifest for {uri} not found: manifest unknown: Requested image not found")
            }
            Self::Unknown(error) => error.message.clone(),
        }
    }

    /// Why a training or tuning job is not taken.
    pub(crate) fn of_training(&self, uri: &str, role: &str) -> ApiError {
        let pull = "has proper pull permissions for SageMaker: ecr:BatchCheckLayerAvailability, ecr:BatchGetImage, \
                    ecr:GetDownloadUrlForLayer";
        match self {
            Self::NotAllowed(Repository { name, account, .. })
            | Self::NoRepository(Repository { name, account, .. }) => ApiError::validation(format!(
                "Cannot find repository: {name} in registry ID: {account} Please check if your ECR repository exists and role \
                     {role} {pull}"
            )),
            Self::NotThere => {
                let (tag, digest) = match reference(uri) {
                    Reference::Tag(tag) => (tag, "null"),
                    Reference::Digest(digest) => ("null", digest),
                };
                ApiError::validation(format!(
                    "Cannot find the requested image: {uri} with tag: {tag} and digest: {digest}. Please check if your ECR image \
                     exists and role {role} {pull}"
                ))
            }
            Self::Unknown(error) => error.clone(),
        }
    }

    /// Why a model is not taken.
    pub(crate) fn of_model(self, uri: &str) -> ApiError {
        match self {
            Self::Unknown(error) => error,
            _ => ApiError::validation(format!("Requested image {uri} not found.")),
        }
    }

    /// Why an endpoint does not start.
    pub(crate) fn of_endpoint(&self, uri: &str, role: &str) -> String {
        match self {
            Self::NotAllowed(_) => {
                format!("The role '{role}' does not have BatchGetImage permission for the image: '{uri}'.")
            }
            Self::NoRepository(_) | Self::NotThere => format!("The image '{uri}' does not exist."),
            Self::Unknown(error) => error.message.clone(),
        }
    }
}

/// Why a model is not taken whose image is there.
///
/// # Errors
/// `ValidationException` for OCI's manifests: SageMaker hosts Docker's alone.
pub(crate) fn check_media_type(image: &Image, uri: &str) -> Result<(), ApiError> {
    let Image { media_type, .. } = image;
    if media_type.starts_with("application/vnd.docker.distribution.manifest.v2") {
        return Ok(());
    }
    Err(ApiError::validation(format!(
        "Unsupported manifest media type {media_type} for image {uri}. Ensure that valid manifest media type is used for specified image."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        fn check(rest: &str, expected: Reference<'_>) {
            let uri = format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/sts{rest}");
            assert_eq!(reference(&uri), expected, "{uri}");
        }
        check("", Reference::Tag("latest"));
        check(":1", Reference::Tag("1"));
        check("@sha256:00", Reference::Digest("sha256:00"));
        check(":1@sha256:00", Reference::Digest("sha256:00"));
    }
}
