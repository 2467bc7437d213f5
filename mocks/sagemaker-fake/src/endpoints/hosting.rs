//! Which deployment answers for which endpoint, and how its containers are asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::{OwnedRwLockReadGuard, watch};

use super::capture::Capture;
use super::container::Container;
use super::record::{Deployment, Endpoint};
use crate::Fake;
use crate::clock::Timestamp;

/// The deployments that answer, by the keys of their endpoints.
#[derive(Default)]
pub struct Hosting {
    serving: RwLock<HashMap<String, Arc<Serving>>>,
    /// Those too that nobody is led to any more, as long as they are there.
    all: Mutex<Vec<Weak<Serving>>>,
    pub(crate) client: Client,
}

/// A deployment that answers.
pub(super) struct Serving {
    /// The record of its endpoint, as it was when it began.
    pub endpoint: Endpoint,
    /// Tells it from the endpoint's others.
    pub id: String,
    pub variants: Vec<Hosted>,
    weights: RwLock<Vec<f64>>,
    /// Held for reading by everybody who is waiting for an answer.
    in_flight: Arc<tokio::sync::RwLock<()>>,
    stop: watch::Sender<bool>,
}

/// A variant that answers.
pub(super) struct Hosted {
    pub name: String,
    pub container: Container,
    pub capture: Option<Arc<Capture>>,
}

/// As long as this is held, the deployment goes on answering.
pub(super) type InFlight = OwnedRwLockReadGuard<()>;

impl Hosting {
    /// The deployment that answers for an endpoint.
    pub(super) fn find(&self, key: &str) -> Option<(Arc<Serving>, InFlight)> {
        let serving = self.serving.read().unwrap_or_else(PoisonError::into_inner);
        let found = serving.get(key)?;
        // Nobody waits for the end of a deployment that is still to be found here.
        let in_flight = Arc::clone(&found.in_flight).try_read_owned().ok()?;
        Some((Arc::clone(found), in_flight))
    }

    /// From now on this deployment answers.
    pub(super) fn set(&self, key: &str, serving: Arc<Serving>) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|serving| serving.strong_count() > 0);
        all.push(Arc::downgrade(&serving));
        drop(all);
        self.serving.write().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), serving);
    }

    /// From now on nobody answers.
    pub(super) fn remove(&self, key: &str) {
        self.serving.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Nobody answers any more: the tasks that kept the containers running have ended.
    pub(crate) fn clear(&self) {
        self.serving.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Everything that answers, or did and has not ended.
    pub(super) fn all(&self) -> Vec<Arc<Serving>> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter_map(Weak::upgrade).collect()
    }
}

impl Serving {
    pub(super) fn new(
        endpoint: Endpoint,
        deployment: &Deployment,
        variants: Vec<Hosted>,
        stop: watch::Sender<bool>,
    ) -> Self {
        let serving = Self {
            endpoint,
            id: deployment.id.clone(),
            variants,
            weights: RwLock::default(),
            in_flight: Arc::default(),
            stop,
        };
        serving.set_weights(deployment);
        serving
    }

    /// Takes over the weights of its deployment.
    pub(super) fn set_weights(&self, deployment: &Deployment) {
        let weights = deployment.variants.iter().map(|variant| variant.weight).collect();
        *self.weights.write().unwrap_or_else(PoisonError::into_inner) = weights;
    }

    /// The variant that the share of the traffic at `at` (0 to 1) goes to.
    pub(super) fn pick(&self, at: f64) -> Option<&Hosted> {
        let weights = self.weights.read().unwrap_or_else(PoisonError::into_inner);
        let mut left = at * weights.iter().sum::<f64>();
        let index = weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        self.variants.get(index.unwrap_or_default())
    }

    /// Uploads what is captured; what is younger than a minute at `by` is not, if that is given.
    pub(super) fn close_captures(&self, fake: &Fake, by: Option<Timestamp>) {
        self.variants.iter().filter_map(|variant| variant.capture.as_ref()).for_each(|capture| capture.close(fake, by));
    }

    /// Waits until everybody has been answered, then ends the containers. Nothing must lead here any more.
    pub(super) async fn end(&self, patience: std::time::Duration) {
        let answered = Arc::clone(&self.in_flight).write_owned();
        if tokio::time::timeout(patience, answered).await.is_err() {
            tracing::warn!("a deployment of {} ends with requests that are not answered", self.endpoint.arn);
        }
        self.stop.send_replace(true);
        for variant in &self.variants {
            variant.container.ended().await;
        }
    }
}

/// Speaks to containers over connections that are kept.
#[derive(Clone)]
pub(crate) struct Client(hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>);

impl Default for Client {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self(hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector))
    }
}

impl Client {
    /// Whether a container says that it is well.
    pub(super) async fn ping(&self, port: u16) -> bool {
        let request = request(Method::GET, port, "/ping", HeaderMap::new(), Bytes::new());
        self.0.request(request).await.is_ok_and(|response| response.status() == StatusCode::OK)
    }

    /// How a container wants to be asked by a batch transform job, if it says so.
    pub(crate) async fn execution_parameters(&self, port: u16) -> Option<Bytes> {
        let request = request(Method::GET, port, "/execution-parameters", HeaderMap::new(), Bytes::new());
        let response = self.0.request(request).await.ok().filter(|response| response.status() == StatusCode::OK)?;
        let body = Limited::new(response.into_body(), 1 << 20).collect().await.ok()?;
        Some(body.to_bytes())
    }

    /// Asks a container for an inference; takes no longer answer than `limit` bytes. The error is the cause.
    pub(crate) async fn invoke(
        &self,
        port: u16,
        headers: HeaderMap,
        body: Bytes,
        limit: usize,
    ) -> Result<Response<Bytes>, String> {
        let request = request(Method::POST, port, "/invocations", headers, body);
        let (parts, body) = self.0.request(request).await.map_err(|error| error.to_string())?.into_parts();
        let body = Limited::new(body, limit).collect().await.map_err(|error| error.to_string())?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }
}

fn request(method: Method, port: u16, path: &'static str, headers: HeaderMap, body: Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    let authority = format!("127.0.0.1:{port}");
    *request.uri_mut() =
        Uri::builder().scheme("http").authority(authority).path_and_query(path).build().unwrap_or_default();
    *request.headers_mut() = headers;
    request
}
