//! The images of a repository.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::repository::{existing, images_of, named};
use super::{Repository, layer, page, with_token};
use crate::clock::Timestamp;
use crate::fake::Context;
use crate::store::{Record, Records};
use crate::{ApiError, Fake};

/// An image.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Image {
    /// The key of its repository: region and name.
    pub repository: String,
    /// `sha256:...` of its manifest.
    pub digest: String,
    /// Its names. It may have none.
    pub tags: Vec<String>,
    /// The list of its parts, as it was pushed.
    pub manifest: String,
    /// What the manifest is.
    pub media_type: String,
    /// Bytes that a client pulls.
    pub size: u64,
    /// When it came.
    pub pushed: Timestamp,
}

impl Record for Image {
    const KIND: &'static str = "image";
    fn key(&self) -> String {
        format!("{}@{}", self.repository, self.digest)
    }
}

/// How an image is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'a> {
    /// By its digest.
    Digest(&'a str),
    /// By one of its tags.
    Tag(&'a str),
}

impl<'a> Reference<'a> {
    /// What stands behind the name of the repository: a digest has a colon, a tag none.
    #[must_use]
    pub fn read(text: &'a str) -> Self {
        if text.contains(':') { Self::Digest(text) } else { Self::Tag(text) }
    }

    fn is(self, image: &Image) -> bool {
        match self {
            Self::Digest(digest) => image.digest == digest,
            Self::Tag(tag) => image.tags.iter().any(|held| held == tag),
        }
    }
}

/// The image of a repository, if both are there.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn find(fake: &Fake, region: &str, repository: &str, reference: Reference<'_>) -> Result<Option<Image>, ApiError> {
    fake.store.read(|view| {
        let Some(repository) = view.get::<Repository>(&format!("{region}/{repository}"))? else { return Ok(None) };
        Ok(images_of(view, &repository)?.into_iter().find(|image| reference.is(image)))
    })
}

/// What an `imageId` asks for: an image that is everything that it names.
struct Asked<'a> {
    digest: Option<&'a str>,
    tag: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn read(id: &'a Value) -> Self {
        Self { digest: id["imageDigest"].as_str(), tag: id["imageTag"].as_str() }
    }

    fn is(&self, image: &Image) -> bool {
        self.digest.is_none_or(|digest| Reference::Digest(digest).is(image))
            && self.tag.is_none_or(|tag| Reference::Tag(tag).is(image))
            && (self.digest.is_some() || self.tag.is_some())
    }
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let (name, account) = (named(input), context.fake.account());
    let images = all(context, input)?;
    let (images, token) = match input["imageIds"].as_array() {
        Some(ids) => {
            let found = ids.iter().map(|id| {
                let asked = Asked::read(id);
                images.iter().find(|image| asked.is(image)).cloned().ok_or_else(|| {
                    let quoted = |part: Option<&str>| part.unwrap_or("null").to_owned();
                    ApiError::new(
                        "ImageNotFoundException",
                        format!(
                            "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the repository with name '{name}' in the registry with id '{account}'",
                            quoted(asked.digest),
                            quoted(asked.tag)
                        ),
                    )
                })
            });
            (found.collect::<Result<Vec<_>, _>>()?, None)
        }
        None => page(input, filtered(input, images), |image| image.digest.clone()),
    };
    let details: Vec<_> = images
        .iter()
        .map(|image| {
            let mut detail = json!({
                "registryId": account,
                "repositoryName": name,
                "imageDigest": image.digest,
                "imageSizeInBytes": image.size,
                "imagePushedAt": image.pushed,
                "imageManifestMediaType": image.media_type,
            });
            if !image.tags.is_empty() {
                detail["imageTags"] = json!(image.tags);
            }
            detail
        })
        .collect();
    Ok(with_token(json!({"imageDetails": details}), token))
}

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let ids = filtered(input, all(context, input)?).into_iter().flat_map(|image| {
        let untagged = image.tags.is_empty().then_some(None);
        let tags = image.tags.into_iter().map(Some).chain(untagged).collect::<Vec<_>>();
        tags.into_iter().map(move |tag| (image.digest.clone(), tag))
    });
    let name = |(digest, tag): &(String, Option<String>)| format!("{digest} {}", tag.as_deref().unwrap_or_default());
    let (ids, token) = page(input, ids.collect(), name);
    let ids: Vec<_> = ids.into_iter().map(|(digest, tag)| id(&digest, tag.as_deref())).collect();
    Ok(with_token(json!({"imageIds": ids}), token))
}

pub(super) fn batch_get(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let images = all(context, input)?;
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for id in input["imageIds"].as_array().into_iter().flatten() {
        let asked = Asked::read(id);
        match images.iter().find(|image| asked.is(image)) {
            Some(image) => found.push(json!({
                "registryId": context.fake.account(),
                "repositoryName": named(input),
                "imageId": self::id(&image.digest, asked.tag),
                "imageManifest": image.manifest,
                "imageManifestMediaType": image.media_type,
            })),
            None => failures.push(failure(id)),
        }
    }
    Ok(json!({"images": found, "failures": failures}))
}

/// A tag is taken away; a digest takes the image away, with all of its tags.
pub(super) fn batch_delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let (output, dropped) = context.fake.store.write(|change| {
        let repository = existing(context, change, named(input))?;
        let (mut gone, mut failures) = (Vec::new(), Vec::new());
        for id in input["imageIds"].as_array().into_iter().flatten() {
            let asked = Asked::read(id);
            let Some(mut image) = images_of(change, &repository)?.into_iter().find(|image| asked.is(image)) else {
                failures.push(failure(id));
                continue;
            };
            match asked.tag.filter(|_| asked.digest.is_none() && image.tags.len() > 1) {
                Some(tag) => {
                    image.tags.retain(|held| held != tag);
                    change.put(&image)?;
                    gone.push(self::id(&image.digest, Some(tag)));
                }
                None => {
                    change.delete::<Image>(&image.key())?;
                    let untagged = image.tags.is_empty().then_some(None);
                    let tags = image.tags.iter().map(|tag| Some(tag.as_str())).chain(untagged);
                    gone.extend(tags.map(|tag| self::id(&image.digest, tag)));
                }
            }
        }
        let dropped = layer::drop_unused(change, &repository)?;
        Ok((json!({"imageIds": gone, "failures": failures}), dropped))
    })?;
    layer::remove(context.fake, dropped);
    Ok(output)
}

fn all(context: &Context<'_>, input: &Value) -> Result<Vec<Image>, ApiError> {
    context.fake.store.read(|view| images_of(view, &existing(context, view, named(input))?))
}

fn filtered(input: &Value, mut images: Vec<Image>) -> Vec<Image> {
    match input["filter"]["tagStatus"].as_str() {
        Some("TAGGED") => images.retain(|image| !image.tags.is_empty()),
        Some("UNTAGGED") => images.retain(|image| image.tags.is_empty()),
        _ => {}
    }
    images
}

fn id(digest: &str, tag: Option<&str>) -> Value {
    match tag {
        Some(tag) => json!({"imageDigest": digest, "imageTag": tag}),
        None => json!({"imageDigest": digest}),
    }
}

fn failure(id: &Value) -> Value {
    json!({"imageId": id, "failureCode": "ImageNotFound", "failureReason": "Requested image not found"})
}
