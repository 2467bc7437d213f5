//! Images, by tag or digest.

use axum::body::Body;
use http::{HeaderMap, Response, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::image::{Image, Reference, find};
use super::super::{layer, repository};
use super::{Refusal, Visit, blocking, empty, set};
use crate::protocol::pairs;
use crate::store::{Change, Records as _};

/// The longest manifest, in bytes.
const LONGEST: usize = 4 << 20;

/// What a manifest may be.
const MEDIA_TYPES: [&str; 4] = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
];

pub(super) async fn get(visit: Visit, reference: &str) -> Result<Response<Body>, Refusal> {
    let owned = reference.to_owned();
    let repository = visit.repository.clone();
    let found =
        blocking(&visit.fake, move |fake| find(fake, &repository.region, &repository.name, Reference::read(&owned)));
    let image = found.await??.ok_or_else(Refusal::manifest_unknown)?;
    let mut response = Response::new(Body::empty());
    set(&mut response, "content-type", &image.media_type);
    set(&mut response, "content-length", &image.manifest.len().to_string());
    set(&mut response, "docker-content-digest", &image.digest);
    Ok(response.map(|_| Body::from(image.manifest)))
}

pub(super) async fn put(
    visit: Visit,
    reference: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Refusal> {
    let body = axum::body::to_bytes(body, LONGEST).await;
    let body = body.map_err(|error| Refusal::manifest_invalid(format!("the manifest cannot be read: {error}")))?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (owned, content_type) = (reference.to_owned(), content_type.to_owned());
    let name = visit.repository.name.clone();
    let fake = visit.fake.clone();
    let digest = blocking(&fake, move |_| keep(&visit, &owned, &content_type, &body)).await??;
    let mut response = empty(StatusCode::CREATED);
    set(&mut response, "location", &format!("/v2/{name}/manifests/{digest}"));
    set(&mut response, "docker-content-digest", &digest);
    Ok(response)
}

/// Puts an image on record, and gives it the tag. The error is undone altogether.
fn keep(visit: &Visit, reference: &str, content_type: &str, body: &[u8]) -> Result<String, Refusal> {
    let invalid = |why: String| Refusal::manifest_invalid(format!("manifest invalid: {why}"));
    let text = std::str::from_utf8(body).map_err(|error| invalid(error.to_string()))?;
    let manifest: Value = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
    let media_type = manifest["mediaType"].as_str().unwrap_or(content_type);
    if !MEDIA_TYPES.contains(&media_type) {
        return Err(invalid(format!("manifests of the type `{media_type}` are not taken")));
    }
    let digest = format!("sha256:{:x}", Sha256::digest(body));
    let tag = match Reference::read(reference) {
        Reference::Digest(promised) if promised != digest => return Err(Refusal::digest_invalid()),
        Reference::Digest(_) => None,
        Reference::Tag(tag) => Some(tag),
    };
    // The error of the store is the API's: the registry's own is carried past it.
    let mut refused = None;
    let kept = visit.fake.store.write(|change| {
        let (size, missing) = parts(change, visit, &manifest)?;
        if let Some(missing) = missing {
            refused = Some(Refusal::manifest_blob_unknown(&missing));
            return Ok(());
        }
        let key = visit.key();
        let now = visit.fake.clock.now();
        let known = change.get::<Image>(&format!("{key}@{digest}"))?;
        let mut image = known.unwrap_or_else(|| Image {
            repository: key,
            digest: digest.clone(),
            tags: Vec::new(),
            manifest: text.to_owned(),
            media_type: media_type.to_owned(),
            size: size + body.len() as u64,
            pushed: now,
        });
        if let Some(tag) = tag
            && !image.tags.iter().any(|held| held == tag)
        {
            if let Some(mut holder) = repository::may_tag(change, &visit.repository, tag, &digest)? {
                holder.tags.retain(|held| held != tag);
                change.put(&holder)?;
            }
            image.tags.push(tag.to_owned());
        }
        change.put(&image)
    });
    kept?;
    refused.map_or(Ok(digest), Err)
}

/// The bytes of an image's parts, and the first part that the repository does not have.
fn parts(change: &Change<'_>, visit: &Visit, manifest: &Value) -> Result<(u64, Option<String>), crate::ApiError> {
    let key = visit.key();
    let list = |member: &str| manifest[member].as_array().cloned().unwrap_or_default();
    let blobs = list("layers").into_iter().chain([manifest["config"].clone()]);
    let mut size = 0;
    for digest in blobs.filter_map(|part| part["digest"].as_str().map(str::to_owned)) {
        match layer::find(change, &key, &digest)? {
            Some(layer) => size += layer.size,
            None => return Ok((size, Some(digest))),
        }
    }
    // Of an index, the parts are images.
    for digest in list("manifests").iter().filter_map(|part| part["digest"].as_str()) {
        if change.get::<Image>(&format!("{key}@{digest}"))?.is_none() {
            return Ok((size, Some(digest.to_owned())));
        }
    }
    Ok((size, None))
}

pub(super) async fn tags(visit: Visit, query: &str) -> Result<Response<Body>, Refusal> {
    let given = |wanted: &str| pairs(query.as_bytes()).find(|(name, _)| name == wanted).map(|(_, value)| value);
    let size = given("n").and_then(|size| size.parse().ok()).unwrap_or(1000);
    let after = given("last").unwrap_or_default();
    let (repository, name) = (visit.repository.clone(), visit.repository.name.clone());
    let images =
        blocking(&visit.fake, move |fake| fake.store.read(|view| repository::images_of(view, &repository))).await??;
    let mut tags: Vec<_> = images.into_iter().flat_map(|image| image.tags).filter(|tag| *tag > after).collect();
    tags.sort();
    let more = tags.len() > size;
    tags.truncate(size);
    let mut response = Response::new(Body::from(json!({"name": name, "tags": tags}).to_string()));
    set(&mut response, "content-type", "application/json; charset=utf-8");
    if let Some(last) = tags.last().filter(|_| more) {
        set(&mut response, "link", &format!("</v2/{name}/tags/list?n={size}&last={last}>; rel=\"next\""));
    }
    Ok(response)
}
