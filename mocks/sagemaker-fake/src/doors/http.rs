//! The door for everyone: every service on one port.

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use bytes::Bytes;
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::control;
use crate::protocol::signature::Request;
use crate::protocol::{self, Checked, Route, runtime};
use crate::s3::{self, S3Service};
use crate::{ApiError, Fake};

/// The longest body of a request that is not for S3 or a model. A pipeline definition of the greatest length, escaped, fits twice.
const LONGEST_BODY: usize = 8 << 20;

/// How long a stop waits for requests that are being answered.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// A fake that is being served. Dropped, it is cut off; [`Server::stop`] lets requests end first.
#[derive(Debug)]
pub struct Server {
    url: String,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// Serves a fake at this listener until the server is stopped or dropped.
///
/// # Errors
/// When the listener has no address.
pub fn serve(fake: &Fake, listener: TcpListener, checked: Checked) -> std::io::Result<Server> {
    let url = format!("http://{}", listener.local_addr()?);
    let door = Door { fake: fake.clone(), s3: s3::service(fake), checked };
    let router = Router::new().fallback(move |request| door.clone().answer(request));
    // Answers are small, and nobody wants to wait for more of them to be sent together.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("cannot set nodelay: {error}");
        }
    });
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        let stopped = async { _ = stopped.await };
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
            tracing::error!("the server failed: {error}");
        }
    });
    Ok(Server { url, stop: Some(stop), task })
}

impl Server {
    /// `http://ADDRESS:PORT`: what a client takes as its endpoint URL, for S3 too.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Takes no more requests, and waits a few seconds for those that are being answered.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // Nobody listens if the server has failed already.
            _ = stop.send(());
        }
        if tokio::time::timeout(PATIENCE, &mut self.task).await.is_err() {
            tracing::warn!("requests were still being answered after {PATIENCE:?}; they are cut off");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone)]
struct Door {
    fake: Fake,
    s3: S3Service,
    checked: Checked,
}

impl Door {
    async fn answer(self, request: axum::extract::Request) -> Response {
        let (parts, body) = request.into_parts();
        let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default().to_owned());
        if path.starts_with(control::PREFIX) {
            let answered = tokio::task::spawn_blocking(move || {
                let asked = path.strip_prefix(control::PREFIX).unwrap_or_default();
                control::answer(&self.fake, &parts.method, asked, &query)
            });
            return written(answered.await);
        }
        // What is for S3 can be told from the headers, and its body is not read here: it may be of any length.
        let route = protocol::route(&parts.method, &path, &query, &parts.headers, &[]);
        if route == Route::S3 {
            return self.s3.call(axum::extract::Request::from_parts(parts, body)).await;
        }
        if let Route::Invoke(endpoint) = route {
            let body = axum::body::to_bytes(body, runtime::LONGEST_BODY).await.ok();
            let http::request::Parts { method, headers, .. } = &parts;
            let request = Request { method, path: &path, query: &query, headers, body: body.as_deref() };
            return runtime::invoke(&self.fake, &endpoint, &request, body.clone()).await.map(Body::from);
        }
        let Ok(body) = axum::body::to_bytes(body, LONGEST_BODY).await else {
            return (StatusCode::PAYLOAD_TOO_LARGE, "the body of the request cannot be read, or is too long")
                .into_response();
        };
        let answered = tokio::task::spawn_blocking(move || {
            let http::request::Parts { method, headers, .. } = &parts;
            let route = protocol::route(method, &path, &query, headers, &body);
            let request = Request { method, path: &path, query: &query, headers, body: Some(&body) };
            protocol::answer(&self.fake, &route, &request, self.checked)
        });
        written(answered.await)
    }
}

/// The answer of a thread of its own, which may have panicked.
fn written(answered: Result<http::Response<Bytes>, tokio::task::JoinError>) -> Response {
    answered.unwrap_or_else(|error| control::failed(&ApiError::internal(error))).map(Body::from)
}
