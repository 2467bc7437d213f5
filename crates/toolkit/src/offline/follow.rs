//! The HTTP client for the fake. When the process that serves it ends, the state is still there: the client opens
//! another door to it, and the SDK's own retry goes through that one.

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::door::Door;

/// Sends every request to wherever the door is.
#[derive(Debug, Clone)]
pub(super) struct Follow {
    http: SharedHttpClient,
    door: Arc<Door>,
}

#[derive(Debug)]
struct Connector {
    http: SharedHttpConnector,
    door: Arc<Door>,
}

impl Follow {
    pub(super) fn new(door: Arc<Door>) -> Self {
        Self { http: crate::aws::config::http(), door }
    }
}

impl HttpClient for Follow {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let http = self.http.http_connector(settings, components);
        SharedHttpConnector::new(Connector { http, door: Arc::clone(&self.door) })
    }
}

impl HttpConnector for Connector {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let (http, door) = (self.http.clone(), Arc::clone(&self.door));
        HttpConnectorFuture::new(async move {
            let url = door.url().await;
            let moved = format!("{url}{}", path_and_query(request.uri()));
            request.set_uri(moved).map_err(|error| ConnectorError::user(error.into()))?;
            let answer = http.call(request).await;
            if answer.as_ref().is_err_and(ConnectorError::is_io) {
                door.reopen(&url).await.map_err(|failure| ConnectorError::user(failure.into()))?;
            }
            answer
        })
    }
}

/// What follows the host in a URL.
fn path_and_query(uri: &str) -> &str {
    let after_scheme = uri.find("://").map_or(0, |at| at + 3);
    uri[after_scheme..].find('/').map_or("/", |at| &uri[after_scheme + at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_kept_when_the_host_changes() {
        for (uri, path) in [
            ("http://127.0.0.1:1/b/k%20?x=/", "/b/k%20?x=/"),
            ("http://127.0.0.1:1", "/"),
            ("http://127.0.0.1:1/", "/"),
            ("/b", "/b"),
        ] {
            assert_eq!(path_and_query(uri), path);
        }
    }
}
