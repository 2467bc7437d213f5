//! Images, by tag or digest.

use axum::body::Body;
use http::{HeaderMap, Response, StatusCode, header};
use serde_json::json;

use super::super::image::{Reference, find};
use super::super::put_image::{self, NewImage, NotPut};
use super::super::repository;
use super::{Refusal, Visit, blocking, empty, set};
use crate::protocol::pairs;

/// The longest manifest, in bytes.
const LONGEST: usize = 4 << 20;

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

/// Puts an image on record, and gives it the tag if it came by one; its digest.
fn keep(visit: &Visit, reference: &str, content_type: &str, body: &[u8]) -> Result<String, Refusal> {
    let manifest = std::str::from_utf8(body).map_err(|error| NotPut::Invalid(error.to_string()))?;
    let (tag, digest) = match Reference::read(reference) {
        Reference::Digest(digest) => (None, Some(digest)),
        Reference::Tag(tag) => (Some(tag), None),
    };
    let new = NewImage { manifest, media_type: Some(content_type), tag, digest };
    // Who pushes again what is there finds it there.
    let (image, _) = put_image::put(&visit.fake, &visit.repository, &new)?;
    Ok(image.digest)
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
