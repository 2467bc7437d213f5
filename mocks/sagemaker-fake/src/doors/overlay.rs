//! Answers of a test's own, which come before the fake's: wiremock mocks, for any service.
//!
//! wiremock keeps every request that it matches in memory and serves one at a time, so the fake does not stand behind it
//! but before it: a request is passed on to wiremock only where a test has mounted something, and is answered by the fake
//! if no mock is for it.

use std::sync::{Arc, OnceLock};

use axum::body::Body;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, Request, Response, StatusCode, Uri, header};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::OnceCell;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::control;
use crate::ApiError;

/// The last to be asked. A mock that asks for this priority itself never is.
const PRIORITY: u8 = 255;

/// Marks the answer to a request that no mock is for.
const UNMATCHED: HeaderName = HeaderName::from_static("x-stsmm-unmatched");

/// Where mocks are mounted. They are verified when it is dropped.
#[derive(Default)]
pub struct Overlay {
    server: OnceCell<MockServer>,
    mocks: Mocks,
}

/// The mounted mocks, as a door asks them.
#[derive(Clone, Default)]
pub(super) struct Mocks(Arc<OnceLock<Reached>>);

struct Reached {
    authority: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Overlay {
    /// Mounts a mock. Needs a running tokio runtime.
    pub async fn mount(&self, mock: Mock) {
        let start = async || {
            let server = MockServer::builder().disable_request_recording().start().await;
            let unmatched = ResponseTemplate::new(StatusCode::NOT_FOUND).insert_header(UNMATCHED, "");
            Mock::given(wiremock::matchers::any()).respond_with(unmatched).with_priority(PRIORITY).mount(&server).await;
            server
        };
        let server = self.server.get_or_init(start).await;
        server.register(mock).await;
        self.mocks.0.get_or_init(|| Reached {
            authority: server.address().to_string(),
            client: Client::builder(TokioExecutor::new()).build_http(),
        });
    }

    pub(super) fn mocks(&self) -> Mocks {
        self.mocks.clone()
    }
}

impl Mocks {
    /// Whether there are any.
    pub(super) fn are_mounted(&self) -> bool {
        self.0.get().is_some()
    }

    /// The answer of a mock, if one is for this request.
    pub(super) async fn answer(&self, parts: &Parts, body: &Bytes) -> Option<Response<Body>> {
        let Reached { authority, client } = self.0.get()?;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let uri = Uri::builder().scheme("http").authority(authority.as_str()).path_and_query(path).build();
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = parts.method.clone();
        *request.headers_mut() = parts.headers.clone();
        // The body is here already.
        request.headers_mut().remove(header::EXPECT);
        *request.uri_mut() = uri.unwrap_or_default();
        match client.request(request).await {
            Ok(answer) => Some(answer.map(Body::new)).filter(|answer| !answer.headers().contains_key(UNMATCHED)),
            Err(error) => {
                let error = ApiError::internal(format!("the mocks do not answer: {error}"));
                Some(control::failed(&error))
            }
        }
    }
}
