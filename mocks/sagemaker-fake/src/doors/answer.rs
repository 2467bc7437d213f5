//! What a request is answered, whatever it is for.
//!
//! Answering a JSON or query request never awaits anything, but it may wait for the disk. Those that do not are answered
//! by the thread that read them, which is worth more than all else together when many ask; the others get a thread that
//! may block.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{HeaderValue, Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};

use super::control;
use super::overlay::Mocks;
use super::patience::{self, Patience};
use crate::ecr::registry;
use crate::protocol::signature;
use crate::protocol::{self, Checked, Route, runtime};
use crate::s3::{self, S3Service};
use crate::{Fake, faults};

/// The longest body of a request that is not for S3 or a model. A pipeline definition of the greatest length, escaped, fits twice.
const LONGEST_BODY: usize = 8 << 20;

/// Why a connection is closed instead of a request answered.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct HangUp(String);

impl HangUp {
    fn because(why: impl std::fmt::Display) -> Self {
        Self(why.to_string())
    }
}

/// Answers requests. There is one for all connections.
pub(super) struct Answerer {
    fake: Fake,
    s3: S3Service,
    checked: Checked,
    patience: Patience,
    mocks: Mocks,
}

impl Answerer {
    pub(super) fn new(fake: &Fake, checked: Checked, mocks: Mocks, patience: Patience) -> Self {
        Self { fake: fake.clone(), s3: s3::service(fake), checked, mocks, patience }
    }

    /// The answer to one request. Every answer leaves here.
    ///
    /// # Errors
    /// When there is nobody to answer any more, or the answer shall not arrive: the connection is to be closed.
    pub(super) async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, HangUp> {
        let (parts, body) = request.into_parts();
        let mut body = patience::Body::new(body, &parts.headers, self.patience);
        if self.mocks.are_mounted() {
            let read = whole(body, usize::MAX).await?.unwrap_or_default();
            if let Some(answer) = self.mocks.answer(&parts, &read).await {
                return Ok(answer);
            }
            body = patience::Body::read(read, self.patience);
        }
        let response = self.act(parts, body).await?;
        faults::leave(response).await.map_err(HangUp::because)
    }

    async fn act(&self, parts: Parts, body: patience::Body) -> Result<Response<Body>, HangUp> {
        let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
        if control::asked(path).is_some() {
            return Ok(control::answer(&self.fake, Request::from_parts(parts, Body::new(body))).await);
        }
        if registry::serves(path) {
            let _inside = self.fake.gate.enter().await;
            return Ok(registry::answer(&self.fake, Request::from_parts(parts, Body::new(body))).await);
        }
        // What is for S3 can be told from the head, and its body is not read here: it may be of any length.
        match protocol::route(&parts.method, path, query, &parts.headers, &[]) {
            Route::S3 => {
                let _inside = self.fake.gate.enter().await;
                Ok(self.s3.call(Request::from_parts(parts, body)).await)
            }
            Route::Invoke(endpoint) => {
                let body = whole(body, runtime::LONGEST_BODY).await?;
                let request = whole_request(&parts, body.as_deref());
                let _inside = self.fake.gate.enter().await;
                let answer = runtime::invoke(&self.fake, &endpoint, &request, body.clone());
                let answer = self.fake.gate.unless_closed(answer).await;
                answer.map(|answer| answer.map(Body::from)).ok_or_else(|| HangUp::because("the account is replaced"))
            }
            route => {
                let Some(body) = whole(body, LONGEST_BODY).await? else {
                    return Ok(self.too_long(&route, &parts));
                };
                // Only a query request says in its body what it is for.
                let route = match route {
                    Route::Query(..) | Route::Unserved { .. } => {
                        protocol::route(&parts.method, path, query, &parts.headers, &body)
                    }
                    route => route,
                };
                self.call(route, parts, body).await
            }
        }
    }

    async fn call(&self, route: Route, parts: Parts, body: Bytes) -> Result<Response<Body>, HangUp> {
        let reads = route.only_reads();
        let answer = move |fake: &Fake, checked| {
            protocol::answer(fake, &route, &whole_request(&parts, Some(&body)), checked).map(Body::from)
        };
        let inside = self.fake.gate.enter().await;
        if reads {
            return Ok(answer(&self.fake, self.checked));
        }
        let (fake, checked) = (self.fake.clone(), self.checked);
        let answered = tokio::task::spawn_blocking(move || {
            let answer = answer(&fake, checked);
            drop(inside);
            answer
        });
        answered.await.map_err(HangUp::because)
    }

    fn too_long(&self, route: &Route, parts: &Parts) -> Response<Body> {
        let request = whole_request(parts, None);
        let mut response = protocol::refuse(&self.fake, route, &request, protocol::too_long(LONGEST_BODY));
        // What is left of the body would have to be read first.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        response.map(Body::from)
    }
}

fn whole_request<'a>(parts: &'a Parts, body: Option<&'a [u8]>) -> signature::Request<'a> {
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    signature::Request { method: &parts.method, path, query, headers: &parts.headers, body }
}

/// The whole body, unless it is longer than that. One that says so in the head is not even begun to be read.
///
/// # Errors
/// When the client goes away or does not come to the end.
async fn whole(body: patience::Body, longest: usize) -> Result<Option<Bytes>, HangUp> {
    if body.size_hint().lower() > longest as u64 {
        return Ok(None);
    }
    if body.is_end_stream() {
        return Ok(Some(Bytes::new()));
    }
    let mut body = body.in_one_go();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(HangUp::because)?.into_data() else { continue };
        if whole.len() + data.len() > longest {
            return Ok(None);
        }
        whole.extend_from_slice(&data);
    }
    Ok(Some(whole.freeze()))
}
