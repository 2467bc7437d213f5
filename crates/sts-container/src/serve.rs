//! `serve`: answers requests with a model's predictions, by SageMaker's contract for serving containers.
//!
//! The request's `Content-Type` says what a row is, the answer's form follows from `Accept`; rows and answers are in
//! the same order.

mod answer;
mod request;

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use sts_model::artifact::{self, Artifact};
use tokio::net::TcpListener;

use self::{answer::Answer, request::Rows};
use crate::{contract::OptMl, error::Error, files, say};

/// The largest request, in bytes: SageMaker's own limit.
const MAX_BODY: usize = 6_291_456;

/// The model, as soon as it is loaded.
type Model = Arc<OnceLock<Artifact>>;

/// Serves until `stop`; then answers what it has accepted, and ends.
///
/// # Errors
/// The address is taken, or there is no model of this program.
pub(crate) async fn run(
    opt_ml: &OptMl,
    address: SocketAddr,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let model = Model::default();
    let listening = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listening)?;
    // Whoever asked for port 0 learns here which one it is.
    say(format_args!("listening on {}", listener.local_addr().map_err(listening)?));

    let path = opt_ml.at("model").join(artifact::FILE_NAME);
    let loaded = model.clone();
    let loading = tokio::task::spawn_blocking(move || {
        let content = files::read(&path)?;
        let artifact = Artifact::from_json(&content).map_err(|source| Error::Model { path, source })?;
        let artifact = loaded.get_or_init(|| artifact);
        // Only now: whoever reads this line counts on an answer.
        say(format_args!("model of {} pairs, threshold {}", artifact.training.rows, artifact.threshold));
        Ok(())
    });
    // A client that waits for an answer of some bytes must not wait for more to send along.
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    let serving = axum::serve(listener, router(model)).with_graceful_shutdown(stop).into_future();
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        result = &mut serving => result.map_err(listening),
        result = loading => {
            result.unwrap_or(Err(Error::Panicked))?;
            serving.await.map_err(listening)
        }
    }
}

fn router(model: Model) -> Router {
    Router::new()
        .route("/ping", get(ping))
        .route("/invocations", post(invocations))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(model)
}

async fn ping(State(model): State<Model>) -> StatusCode {
    if model.get().is_some() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn invocations(
    State(model): State<Model>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let rows = Rows::of(&headers)?;
    let answer = Answer::of(&headers)?;
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {MAX_BODY} bytes"))
        }
        status => Refusal::new(status, "the body did not arrive"),
    })?;
    let text = tokio::task::spawn_blocking(move || {
        let not_loaded = || Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the model is not loaded yet");
        let artifact = model.get().ok_or_else(not_loaded)?;
        rows.predictions(artifact, &body).map(|predictions| answer.text(&predictions))
    });
    let broken = |_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the program is broken; its log says where");
    let text = text.await.map_err(broken)??;
    Ok(([(header::CONTENT_TYPE, answer.media_type())], text).into_response())
}

/// Why a request is not answered with predictions.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    reason: String,
}

impl Refusal {
    fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, self.reason + "\n").into_response()
    }
}

#[cfg(test)]
mod tests;
