//! An image is put on record: by PutImage, which gives one a further tag as often as not, or by a push.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::image::Image;
use super::repository::{existing, may_tag, named};
use super::{Repository, layer};
use crate::fake::Context;
use crate::store::{Change, Record as _, Records as _};
use crate::{ApiError, Fake};

/// What a manifest may be.
const MEDIA_TYPES: [&str; 4] = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
];

/// An image that comes.
pub(super) struct NewImage<'a> {
    /// The list of its parts.
    pub manifest: &'a str,
    /// What the manifest is, if it does not say so itself.
    pub media_type: Option<&'a str>,
    /// Its name.
    pub tag: Option<&'a str>,
    /// What its digest is promised to be.
    pub digest: Option<&'a str>,
}

/// Why an image is not put on record.
#[derive(Debug)]
pub(super) enum NotPut {
    /// The manifest is none.
    Invalid(String),
    /// Its digest is another one than was promised.
    Altered,
    /// The repository does not have this part of it, which is an image if it is an index's.
    NoPart { digest: String, is_image: bool },
    /// The tag is another image's, or the fake failed.
    Refused(ApiError),
}

impl From<ApiError> for NotPut {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

/// Puts an image on record, gives it its tag, and says whether it had both before. What is refused changes nothing.
pub(super) fn put(fake: &Fake, repository: &Repository, new: &NewImage<'_>) -> Result<(Image, bool), NotPut> {
    let manifest: Value = serde_json::from_str(new.manifest).map_err(|error| NotPut::Invalid(error.to_string()))?;
    let media_type = manifest["mediaType"].as_str().or(new.media_type).unwrap_or_default();
    if !MEDIA_TYPES.contains(&media_type) {
        return Err(NotPut::Invalid(format!("manifests of the type `{media_type}` are not taken")));
    }
    let digest = format!("sha256:{:x}", Sha256::digest(new.manifest));
    if new.digest.is_some_and(|promised| promised != digest) {
        return Err(NotPut::Altered);
    }
    let outcome = fake.store.write(|change| {
        let size = match size_of_parts(change, &repository.key(), &manifest)? {
            Ok(size) => size,
            // Nothing has been changed by then.
            Err(missing) => return Ok(Err(missing)),
        };
        let known = change.get::<Image>(&format!("{}@{digest}", repository.key()))?;
        let had =
            known.as_ref().is_some_and(|image| new.tag.is_none_or(|tag| image.tags.iter().any(|held| held == tag)));
        let mut image = known.unwrap_or_else(|| Image {
            repository: repository.key(),
            digest: digest.clone(),
            tags: Vec::new(),
            manifest: new.manifest.to_owned(),
            media_type: media_type.to_owned(),
            size: size + new.manifest.len() as u64,
            pushed: fake.clock.now(),
        });
        if let Some(tag) = new.tag.filter(|_| !had) {
            if let Some(mut holder) = may_tag(change, repository, tag, &digest)? {
                holder.tags.retain(|held| held != tag);
                change.put(&holder)?;
            }
            image.tags.push(tag.to_owned());
        }
        change.put(&image)?;
        Ok(Ok((image, had)))
    });
    outcome?
}

/// The bytes of an image's parts, unless the repository lacks one.
fn size_of_parts(change: &Change<'_>, repository: &str, manifest: &Value) -> Result<Result<u64, NotPut>, ApiError> {
    let digests = |parts: &Value| -> Vec<String> {
        let parts = parts.as_array().cloned().unwrap_or_default();
        parts.iter().filter_map(|part| part["digest"].as_str().map(str::to_owned)).collect()
    };
    let config = manifest["config"]["digest"].as_str().map(str::to_owned);
    let mut size = 0;
    for digest in digests(&manifest["layers"]).into_iter().chain(config) {
        match layer::find(change, repository, &digest)? {
            Some(layer) => size += layer.size,
            None => return Ok(Err(NotPut::NoPart { digest, is_image: false })),
        }
    }
    for digest in digests(&manifest["manifests"]) {
        if change.get::<Image>(&format!("{repository}@{digest}"))?.is_none() {
            return Ok(Err(NotPut::NoPart { digest, is_image: true }));
        }
    }
    Ok(Ok(size))
}

pub(super) fn put_image(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let (name, account) = (named(input), context.fake.account());
    let repository = context.fake.store.read(|view| existing(context, view, name))?;
    let text = |member: &str| input[member].as_str();
    let new = NewImage {
        manifest: text("imageManifest").unwrap_or_default(),
        media_type: text("imageManifestMediaType"),
        tag: text("imageTag"),
        digest: text("imageDigest"),
    };
    let within = format!("repository with name '{name}' in the registry with id '{account}'");
    let (image, had) = put(context.fake, &repository, &new).map_err(|error| match error {
        NotPut::Invalid(why) => ApiError::new(
            "InvalidParameterException",
            format!("Invalid parameter at 'ImageManifest' failed to satisfy constraint: '{why}'"),
        ),
        NotPut::Altered => ApiError::new(
            "ImageDigestDoesNotMatchException",
            format!(
                "The provided image digest '{}' does not match the calculated digest",
                new.digest.unwrap_or_default()
            ),
        ),
        NotPut::NoPart { digest, is_image: false } => ApiError::new(
            "LayersNotFoundException",
            format!("Layers with digests '[{digest}]' required for pushing image into {within} do not exist"),
        ),
        NotPut::NoPart { digest, is_image: true } => ApiError::new(
            "ReferencedImagesNotFoundException",
            format!("Images with digests '[{digest}]' required for pushing image into {within} do not exist"),
        ),
        NotPut::Refused(error) => error,
    })?;
    if had {
        let tag = new.tag.map(|tag| format!(" and tag '{tag}'")).unwrap_or_default();
        return Err(ApiError::new(
            "ImageAlreadyExistsException",
            format!("Image with digest '{}'{tag} already exists in the {within}", image.digest),
        ));
    }
    let mut id = json!({"imageDigest": image.digest});
    if let Some(tag) = new.tag {
        id["imageTag"] = json!(tag);
    }
    Ok(json!({"image": {
        "registryId": account,
        "repositoryName": name,
        "imageId": id,
        "imageManifest": image.manifest,
        "imageManifestMediaType": image.media_type,
    }}))
}
