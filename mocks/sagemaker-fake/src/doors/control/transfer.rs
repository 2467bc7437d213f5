//! The account on its way out and in: as a document, or with the files that belong to it.

use std::fs::File;
use std::io::{Seek, Write};

use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::Value;
use tokio::io::AsyncReadExt;

use crate::{ApiError, Fake, archive, export, import};

/// The longest state that is taken, in bytes.
const LONGEST_STATE: usize = 256 << 20;

/// How much of an archive is sent at a time.
const BLOCK: usize = 64 << 10;

pub(super) async fn import_state(fake: &Fake, body: Body) -> Result<Value, ApiError> {
    let body = axum::body::to_bytes(body, LONGEST_STATE).await.map_err(unreadable)?;
    let document = serde_json::from_slice(&body).map_err(unreadable)?;
    let owned = fake.clone();
    let imported = tokio::spawn(async move { import::state(&owned, document).await });
    imported.await.map_err(ApiError::internal)??;
    counts(fake)
}

pub(super) async fn import_archive(fake: &Fake, body: Body) -> Result<Value, ApiError> {
    let mut file = tempfile::tempfile_in(fake.folder()).map_err(ApiError::internal)?;
    let mut blocks = body.into_data_stream();
    while let Some(block) = blocks.next().await {
        let block = block.map_err(unreadable)?;
        file = blocking(move || file.write_all(&block).map(|()| file)).await?;
    }
    let owned = fake.clone();
    let imported = tokio::spawn(async move { import::archive(&owned, file).await });
    imported.await.map_err(ApiError::internal)??;
    counts(fake)
}

pub(super) async fn export_archive(fake: &Fake) -> Result<Response<Body>, ApiError> {
    let (inside, owned) = (fake.gate.enter().await, fake.clone());
    let written = tokio::task::spawn_blocking(move || {
        let mut file = tempfile::tempfile_in(owned.folder()).map_err(ApiError::internal)?;
        archive::write(&owned, &mut file)?;
        drop(inside);
        let length = file.stream_position().and_then(|length| file.rewind().map(|()| length));
        Ok::<_, ApiError>((file, length.map_err(ApiError::internal)?))
    });
    let (file, length) = written.await.map_err(ApiError::internal)??;
    let blocks = futures::stream::try_unfold(tokio::fs::File::from_std(file), |mut file| async move {
        let mut block = vec![0; BLOCK];
        let read = file.read(&mut block).await?;
        block.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then_some((Bytes::from(block), file)))
    });
    let mut response = Response::new(Body::from_stream(blocks.into_stream()));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    Ok(response)
}

/// How many records of each kind there are.
fn counts(fake: &Fake) -> Result<Value, ApiError> {
    Ok(export::counts(&export::state(&fake.store)?))
}

async fn blocking(work: impl FnOnce() -> std::io::Result<File> + Send + 'static) -> Result<File, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)?.map_err(ApiError::internal)
}

fn unreadable(error: impl std::fmt::Display) -> ApiError {
    ApiError::new("BadRequest", format!("the body cannot be read: {error}")).with_status(StatusCode::BAD_REQUEST)
}
