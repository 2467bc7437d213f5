//! The door for tests: a wiremock server, on which a test can put an answer of its own.
//!
//! S3 streams its bodies, which a wiremock responder cannot, and InvokeEndpoint waits for a model, which would make every
//! other request wait: they are served by [`super::http`] alone.

use bytes::Bytes;
use http::{Response, StatusCode};
use tokio::runtime::Handle;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use super::control;
use crate::protocol::{self, Checked, Route, signature};
use crate::{ApiError, Fake};

/// The last to be asked: whatever a test mounts comes first, unless it asks for this priority itself.
const PRIORITY: u8 = 255;

/// Mounts the fake on a server. Needs a running tokio runtime, in which whatever a request sets going goes on.
pub async fn mount(fake: &Fake, server: &MockServer, checked: Checked) {
    let door = Door { fake: fake.clone(), runtime: Handle::current(), checked };
    Mock::given(wiremock::matchers::any()).respond_with(door).with_priority(PRIORITY).mount(server).await;
}

struct Door {
    fake: Fake,
    runtime: Handle,
    checked: Checked,
}

impl Respond for Door {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        // wiremock answers on a thread and runtime of its own, which ends with the server.
        let _entered = self.runtime.enter();
        template(self.answer(request))
    }
}

impl Door {
    fn answer(&self, request: &Request) -> Response<Bytes> {
        let (path, query) = (request.url.path(), request.url.query().unwrap_or_default());
        if let Some(asked) = path.strip_prefix(control::PREFIX) {
            return control::answer(&self.fake, &request.method, asked, query);
        }
        match protocol::route(&request.method, path, query, &request.headers, &request.body) {
            Route::S3 => elsewhere("S3", "s3_endpoint_url"),
            Route::Invoke(_) => elsewhere("InvokeEndpoint", "runtime_endpoint_url"),
            route => {
                let Request { method, headers, body, .. } = request;
                let request = signature::Request { method, path, query, headers, body: Some(body) };
                protocol::answer(&self.fake, &route, &request, self.checked)
            }
        }
    }
}

/// The answer to what this door does not serve.
fn elsewhere(what: &str, url: &str) -> Response<Bytes> {
    let message = format!("{what} is not served at this URL: give its client the one of `FakeAws::{url}`");
    control::failed(&ApiError::new("NotImplemented", message).with_status(StatusCode::NOT_IMPLEMENTED))
}

fn template(response: Response<Bytes>) -> ResponseTemplate {
    let (parts, body) = response.into_parts();
    let content_type = parts
        .headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let template = ResponseTemplate::new(parts.status).set_body_raw(body, &content_type);
    parts
        .headers
        .iter()
        .filter(|(name, _)| *name != http::header::CONTENT_TYPE)
        .fold(template, |template, (name, value)| template.append_header(name, value))
}
