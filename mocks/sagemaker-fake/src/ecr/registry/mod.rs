//! The registry's own protocol (Docker Registry HTTP API V2, as the OCI Distribution Specification has it), under `/v2/`.
//!
//! | module | what it serves |
//! |---|---|
//! | `blobs` | layers and configs, and their uploads |
//! | `manifests` | images by tag or digest, and the list of tags |
//! | `refusal` | errors |
//!
//! It answers to every name that a request gives the host: one URL serves every service.

mod blobs;
mod manifests;
mod refusal;

use axum::body::Body;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::json;

use self::refusal::Refusal;
use super::repository::{self, Repository};
use super::token;
use crate::authorisation;
use crate::fake::Context;
use crate::faults::{self, CallFault, Way};
use crate::protocol::{self, Service};
use crate::store::Record as _;
use crate::{ApiError, Fake};

/// How the paths begin. No bucket can have this name: it is too short.
pub const PREFIX: &str = "/v2/";

/// The operations of ECR's that nobody asks for but by the registry.
pub const OPERATIONS: [&str; 4] =
    ["CompleteLayerUpload", "GetDownloadUrlForLayer", "InitiateLayerUpload", "UploadLayerPart"];

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked<'a> {
    /// Whether this is a registry, and lets in who asks.
    Base,
    /// A blob of a repository.
    Blob(&'a str, &'a str),
    /// To begin an upload.
    Uploads(&'a str),
    /// An upload that has begun.
    Upload(&'a str, &'a str),
    /// An image, by tag or digest.
    Manifest(&'a str, &'a str),
    /// The tags of a repository.
    Tags(&'a str),
}

impl<'a> Asked<'a> {
    /// The name of a repository may have slashes, and even end in `/blobs`.
    fn read(path: &'a str) -> Option<Self> {
        let path = match path.strip_prefix(PREFIX) {
            None | Some("") => return serves(path).then_some(Self::Base),
            Some(path) => path,
        };
        if let Some(name) = path.strip_suffix("/tags/list") {
            return Some(Self::Tags(name));
        }
        if let Some(name) = path.strip_suffix("/blobs/uploads").or_else(|| path.strip_suffix("/blobs/uploads/")) {
            return Some(Self::Uploads(name));
        }
        let (rest, last) = path.rsplit_once('/')?;
        if let Some(name) = rest.strip_suffix("/blobs/uploads") {
            return Some(Self::Upload(name, last));
        }
        if let Some(name) = rest.strip_suffix("/blobs") {
            return Some(Self::Blob(name, last));
        }
        rest.strip_suffix("/manifests").map(|name| Self::Manifest(name, last))
    }

    /// The action of ECR's that IAM is asked for, and the repository.
    fn action(self, method: &Method) -> (&'static str, &'a str) {
        match (self, method) {
            (Self::Base, _) => ("GetAuthorizationToken", ""),
            (Self::Blob(name, _), &Method::HEAD) => ("BatchCheckLayerAvailability", name),
            (Self::Blob(name, _), _) => ("GetDownloadUrlForLayer", name),
            (Self::Uploads(name), _) => ("InitiateLayerUpload", name),
            (Self::Upload(name, _), &Method::PUT) => ("CompleteLayerUpload", name),
            (Self::Upload(name, _), _) => ("UploadLayerPart", name),
            (Self::Manifest(name, _), &Method::PUT) => ("PutImage", name),
            (Self::Manifest(name, _), _) => ("BatchGetImage", name),
            (Self::Tags(name), _) => ("ListImages", name),
        }
    }
}

/// Whoever signed in, at one repository.
#[derive(Clone)]
struct Visit {
    fake: Fake,
    /// The key of the repository: region and name.
    repository: Repository,
}

impl Visit {
    fn key(&self) -> String {
        self.repository.key()
    }
}

/// Whether a path is the registry's: it begins with [`PREFIX`], or is that without its last slash.
#[must_use]
pub fn serves(path: &str) -> bool {
    path.starts_with(PREFIX) || path == PREFIX.trim_end_matches('/')
}

/// Answers a request that the registry [serves].
pub async fn answer(fake: &Fake, request: Request<Body>) -> Response<Body> {
    let is_head = request.method() == Method::HEAD;
    let mut fault = None;
    let answered = act(fake, request, &mut fault).await;
    let mut response = answered.unwrap_or_else(Refusal::into_response);
    if let Some(on_the_wire) = fault.as_ref().and_then(CallFault::on_the_wire) {
        response.extensions_mut().insert(on_the_wire);
    }
    response.headers_mut().insert("docker-distribution-api-version", HeaderValue::from_static("registry/2.0"));
    response.headers_mut().insert(header::DATE, protocol::date(fake));
    if is_head { response.map(|_| Body::empty()) } else { response }
}

async fn act(fake: &Fake, request: Request<Body>, fault: &mut Option<CallFault>) -> Result<Response<Body>, Refusal> {
    let (parts, body) = request.into_parts();
    let asked = Asked::read(parts.uri.path()).ok_or_else(Refusal::unsupported)?;
    let (operation, name) = asked.action(&parts.method);
    let who = token::read(fake, &parts.headers);
    let region = who.as_ref().map(|(region, _)| region.clone()).unwrap_or_default();
    let allowed = match &who {
        Err(fault) => Err(Refusal::unauthorized(*fault)),
        Ok((region, caller)) => blocking(fake, {
            let (caller, region, name) = (caller.clone(), region.clone(), name.to_owned());
            move |fake| {
                let context = Context::new(fake, &caller, &region);
                let mut input = json!({"repositoryName": name});
                let struck = faults::strike(&context, Service::Ecr, operation, &mut input, Way::Wire);
                let (fault, refusal) = struck.map(|struck| (struck.fault, struck.refusal)).unzip();
                let visit =
                    refusal.flatten().map_or_else(|| visit(&context, operation, &name), |error| Err(error.into()));
                (fault, visit)
            }
        })
        .await
        .and_then(|(struck, visit)| {
            *fault = struck;
            visit
        }),
    };
    let result = match (allowed, asked) {
        (Err(refusal), _) => Err(refusal),
        (Ok(None), _) => Ok(empty(StatusCode::OK)),
        (Ok(Some(visit)), asked) => serve(visit, asked, &parts.method, &parts.headers, &parts.uri, body).await,
    };
    let error = result.as_ref().err().map(|refusal| refusal.code().to_owned());
    protocol::remember(
        fake,
        ("ecr", operation),
        region,
        who.map(|(_, caller)| caller),
        &parts.headers,
        error,
        fault.as_ref(),
    );
    result
}

/// The repository, if there is one of this name and the caller may do this there; none if no repository is asked for.
fn visit(context: &Context<'_>, operation: &str, name: &str) -> Result<Option<Visit>, Refusal> {
    if name.is_empty() {
        return Ok(None);
    }
    authorisation::check(context, Service::Ecr, operation, &json!({"repositoryName": name}))?;
    let repository = context.fake.store.read(|view| repository::existing(context, view, name))?;
    Ok(Some(Visit { fake: context.fake.clone(), repository }))
}

async fn serve(
    visit: Visit,
    asked: Asked<'_>,
    method: &Method,
    headers: &HeaderMap,
    uri: &http::Uri,
    body: Body,
) -> Result<Response<Body>, Refusal> {
    let query = uri.query().unwrap_or_default();
    match (method, asked) {
        (&Method::GET | &Method::HEAD, Asked::Blob(_, digest)) => blobs::get(visit, digest).await,
        (&Method::POST, Asked::Uploads(_)) => blobs::begin(visit, query, body).await,
        (&Method::GET, Asked::Upload(_, id)) => blobs::status(&visit, id).await,
        (&Method::PATCH, Asked::Upload(_, id)) => blobs::append(&visit, id, headers, body).await,
        (&Method::PUT, Asked::Upload(_, id)) => blobs::complete(visit, id, query, headers, body).await,
        (&Method::DELETE, Asked::Upload(_, id)) => blobs::cancel(&visit, id).await,
        (&Method::GET | &Method::HEAD, Asked::Manifest(_, reference)) => manifests::get(visit, reference).await,
        (&Method::PUT, Asked::Manifest(_, reference)) => manifests::put(visit, reference, headers, body).await,
        (&Method::GET, Asked::Tags(_)) => manifests::tags(visit, query).await,
        _ => Err(Refusal::unsupported()),
    }
}

/// Work with the store and files, off the runtime's threads.
async fn blocking<T: Send + 'static>(
    fake: &Fake,
    work: impl FnOnce(&Fake) -> T + Send + 'static,
) -> Result<T, Refusal> {
    let fake = fake.clone();
    let work = tokio::task::spawn_blocking(move || work(&fake));
    work.await.map_err(|error| Refusal::from(ApiError::internal(error)))
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn set(response: &mut Response<Body>, name: &'static str, value: &str) {
    // What cannot be in a header is no name or digest that was let in.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        fn check(path: &str, expected: Option<Asked<'_>>) {
            assert_eq!(Asked::read(path), expected, "{path}");
        }
        check("/v2/", Some(Asked::Base));
        check("/v2", Some(Asked::Base));
        check("/v2/a/b/manifests/1", Some(Asked::Manifest("a/b", "1")));
        check("/v2/a/blobs/sha256:00", Some(Asked::Blob("a", "sha256:00")));
        check("/v2/a/blobs/uploads/", Some(Asked::Uploads("a")));
        check("/v2/a/blobs/uploads/7", Some(Asked::Upload("a", "7")));
        check("/v2/a/blobs/manifests/1", Some(Asked::Manifest("a/blobs", "1")));
        check("/v2/a/tags/list", Some(Asked::Tags("a")));
        check("/v2/a", None);
        check("/v1/", None);
    }
}
