//! Layers and configs: pulled by their digest, pushed in one piece or in several.
//!
//! An upload is a file that grows. What was cut off goes on where the file ends, even after a restart.

use std::path::PathBuf;

use axum::body::Body;
use http::{HeaderMap, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::layer;
use super::{Refusal, Visit, blocking, empty, set};
use crate::protocol::pairs;

/// How much of a blob is sent at a time.
const BLOCK: usize = 64 * 1024;

pub(super) async fn get(visit: Visit, digest: &str) -> Result<Response<Body>, Refusal> {
    let (key, owned) = (visit.key(), digest.to_owned());
    let found = blocking(&visit.fake, move |fake| fake.store.read(|view| layer::find(view, &key, &owned))).await??;
    let found = found.ok_or_else(Refusal::blob_unknown)?;
    let file = File::open(layer::path(&visit.fake, &found.digest)).await?;
    let blocks = futures::stream::try_unfold(file, |mut file| async move {
        let mut block = vec![0; BLOCK];
        let read = file.read(&mut block).await?;
        block.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then_some((block, file)))
    });
    let mut response = Response::new(Body::from_stream(blocks));
    set(&mut response, "content-length", &found.size.to_string());
    set(&mut response, "content-type", "application/octet-stream");
    set(&mut response, "docker-content-digest", &found.digest);
    Ok(response)
}

/// Begins an upload, or takes all of it at once if the request says what it is.
pub(super) async fn begin(visit: Visit, query: &str, body: Body) -> Result<Response<Body>, Refusal> {
    let id = visit.fake.ids.uuid();
    File::create(layer::upload_path(&visit.fake, &id)?).await?;
    if promised(query).is_some() {
        return complete(visit, &id, query, &HeaderMap::new(), body).await;
    }
    Ok(under_way(&visit, &id, 0, StatusCode::ACCEPTED))
}

pub(super) async fn status(visit: &Visit, id: &str) -> Result<Response<Body>, Refusal> {
    let size = tokio::fs::metadata(upload(visit, id).await?).await?.len();
    Ok(under_way(visit, id, size, StatusCode::NO_CONTENT))
}

pub(super) async fn append(
    visit: &Visit,
    id: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Refusal> {
    let size = write(visit, id, headers, body).await?;
    Ok(under_way(visit, id, size, StatusCode::ACCEPTED))
}

pub(super) async fn complete(
    visit: Visit,
    id: &str,
    query: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response<Body>, Refusal> {
    let digest = promised(query).filter(|digest| layer::is_digest(digest)).ok_or_else(Refusal::digest_invalid)?;
    write(&visit, id, headers, body).await?;
    let path = upload(&visit, id).await?;
    let (key, owned) = (visit.key(), digest.clone());
    blocking(&visit.fake, move |fake| layer::keep(fake, &key, &owned, &path)).await???;
    let mut response = empty(StatusCode::CREATED);
    set(&mut response, "location", &format!("/v2/{}/blobs/{digest}", visit.repository.name));
    set(&mut response, "docker-content-digest", &digest);
    Ok(response)
}

pub(super) async fn cancel(visit: &Visit, id: &str) -> Result<Response<Body>, Refusal> {
    tokio::fs::remove_file(upload(visit, id).await?).await?;
    Ok(empty(StatusCode::NO_CONTENT))
}

/// Adds a body to an upload, from where the headers say; its size now.
async fn write(visit: &Visit, id: &str, headers: &HeaderMap, mut body: Body) -> Result<u64, Refusal> {
    let mut file = OpenOptions::new().append(true).open(upload(visit, id).await?).await?;
    let mut size = file.metadata().await?.len();
    let from = headers.get(header::CONTENT_RANGE).and_then(|range| range.to_str().ok()).and_then(begins);
    if from.is_some_and(|from| from != size) {
        return Err(Refusal::range_invalid());
    }
    while let Some(frame) = body.frame().await {
        if let Ok(bytes) = frame.map_err(Refusal::body)?.into_data() {
            file.write_all(&bytes).await?;
            size += bytes.len() as u64;
        }
    }
    file.flush().await?;
    Ok(size)
}

/// `10-19`, or `bytes 10-19/100`.
fn begins(range: &str) -> Option<u64> {
    range.trim_start_matches("bytes ").split('-').next()?.parse().ok()
}

/// The file of an upload that has begun. An id is what [`begin`] made: it leads out of no folder.
async fn upload(visit: &Visit, id: &str) -> Result<PathBuf, Refusal> {
    let is_id = id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let path = layer::upload_path(&visit.fake, id)?;
    let known = is_id && tokio::fs::try_exists(&path).await?;
    if known { Ok(path) } else { Err(Refusal::upload_unknown()) }
}

/// The digest that a request promises.
fn promised(query: &str) -> Option<String> {
    pairs(query.as_bytes()).find(|(name, _)| name == "digest").map(|(_, digest)| digest)
}

fn under_way(visit: &Visit, id: &str, size: u64, status: StatusCode) -> Response<Body> {
    let mut response = empty(status);
    set(&mut response, "location", &format!("/v2/{}/blobs/uploads/{id}", visit.repository.name));
    set(&mut response, "docker-upload-uuid", id);
    set(&mut response, "range", &format!("0-{}", size.saturating_sub(1)));
    response
}
