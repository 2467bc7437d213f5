//! Requests: `GET /ping` says whether the model is loaded, `POST /invocations` asks it.

use std::{
    num::NonZero,
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Bytes},
    header::{self, HeaderValue},
};
use sts_model::artifact::Artifact;
use tokio::sync::Semaphore;

use super::{answer::Answer, request::Rows};

/// The largest request, in bytes: SageMaker's own limit.
pub(super) const MAX_BODY: usize = 6_291_456;

/// The largest request that is answered on the thread of its connection: a millisecond of work at most. What is larger
/// would make the other connections wait.
const SMALL: u64 = 8 * 1024;

/// How many large requests are there at the same time, those that wait for their turn included; each may take up
/// [`MAX_BODY`] of memory. More are refused.
pub(super) const MAX_LARGE: usize = 32;

/// How long a body may take to arrive: as long as SageMaker waits for the answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Answers requests, as soon as it has a model.
#[derive(Debug)]
pub(super) struct Handler {
    model: Arc<OnceLock<Artifact>>,
    large: Semaphore,
    /// Large requests that are worked on: as many as there are cores.
    working: Semaphore,
}

/// Why a request is not answered with predictions.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    reason: String,
}

type Text = Response<Full<Bytes>>;

impl Handler {
    pub(super) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self { model: Arc::default(), large: Semaphore::new(MAX_LARGE), working: Semaphore::new(cores) }
    }

    /// Hands over the model. Only the first one counts.
    pub(super) fn load(&self, artifact: Artifact) {
        let _ = self.model.set(artifact);
    }

    pub(super) async fn answer<B>(&self, request: Request<B>) -> Text
    where
        B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        match (request.uri().path(), request.method()) {
            ("/ping", &Method::GET | &Method::HEAD) => {
                let is_ready = self.model.get().is_some();
                empty(if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE })
            }
            ("/invocations", &Method::POST) => self.invocations(request).await.unwrap_or_else(Refusal::into_response),
            ("/ping", _) => only("GET, HEAD"),
            ("/invocations", _) => only("POST"),
            _ => empty(StatusCode::NOT_FOUND),
        }
    }

    async fn invocations<B>(&self, request: Request<B>) -> Result<Text, Refusal>
    where
        B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
    {
        let rows = Rows::of(request.headers())?;
        let answer = Answer::of(request.headers())?;
        let Some(artifact) = self.model.get() else {
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "the model is not loaded yet"));
        };
        let body = request.into_body();
        let size = body.size_hint();
        if size.lower() > MAX_BODY as u64 {
            return Err(too_large());
        }
        let text = if size.upper().is_some_and(|size| size <= SMALL) {
            answer.text(&rows.predictions(artifact, &read(body).await?)?)
        } else {
            // Taken before the body is read: a client that must wait keeps its bytes.
            let Ok(_place) = self.large.try_acquire() else {
                let reason = format!("{MAX_LARGE} large requests are under way: send this one again in a while");
                return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, reason));
            };
            let body = read(body).await?;
            let _turn = self.working.acquire().await;
            let model = self.model.clone();
            let work = tokio::task::spawn_blocking(move || match model.get() {
                Some(artifact) => rows.predictions(artifact, &body).map(|predictions| answer.text(&predictions)),
                None => Err(broken()),
            });
            work.await.unwrap_or_else(|_| Err(broken()))?
        };
        let mut response = Response::new(Full::from(text));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.media_type()));
        Ok(response)
    }
}

async fn read<B>(body: B) -> Result<Bytes, Refusal>
where
    B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    match tokio::time::timeout(PATIENCE, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Refusal::new(StatusCode::BAD_REQUEST, "the body did not arrive")),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, format!("the body took more than {PATIENCE:?}"))),
    }
}

fn too_large() -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {MAX_BODY} bytes"))
}

fn broken() -> Refusal {
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the program is broken; its log says where")
}

fn empty(status: StatusCode) -> Text {
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

fn only(methods: &'static str) -> Text {
    let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}

impl Refusal {
    pub(super) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, reason: reason.into() }
    }

    fn into_response(self) -> Text {
        let mut response = Response::new(Full::from(self.reason + "\n"));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
