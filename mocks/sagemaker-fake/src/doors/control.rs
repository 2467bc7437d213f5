//! What the fake answers about itself, and how it is steered, under `/_stsmm/`.
//!
//! | request | answer |
//! |---|---|
//! | `GET state` | the state, as [`crate::export::state`] gives it |
//! | `POST state` | what there is now, by kind, after the state in the body has taken the place of the account |
//! | `GET archive` | the account as a tar: the state, and the files that belong to it ([`crate::archive`]) |
//! | `POST archive` | as `POST state`, of an archive in the body |
//! | `POST reset` | the scenario; the account is as that began |
//! | `GET scenario` | which one the account began as, and which there are |
//! | `POST scenario/NAME` | the same, after the account began again as this one |
//! | `GET coverage` | each operation: how faithful it is, and how often it was called, as [`crate::coverage`] gives it |
//! | `GET calls?service=&operation=&since=&limit=` | the calls that were made, oldest first ([`calls`]) |
//! | `GET clock` | the clock: its time, and how far it is ahead |
//! | `POST clock/advance?seconds=N` | the same, after it was moved forward |
//! | `GET` nothing, `GET page/...` | a page for people (`page`) |
//! | `GET owner` | which state folder this process serves, and by which map of images |
//! | `POST enforce-iam` | nothing; from now on signatures are verified and calls authorised |
//! | `POST strict-images` | nothing; from now on images must be in ECR before they can be run |
//! | `GET`, `POST`, `DELETE faults` | what goes wrong, and when: see `faults` |
//!
//! Errors are `{"code": ..., "message": ...}`.

pub mod calls;
mod client;
pub mod clock;
mod faults;
mod scenario;
mod transfer;

use axum::body::Body;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};

pub use client::{ask, download, tell, upload};
pub use clock::ClockFace;

use crate::protocol::{host, pairs};
use crate::{ApiError, Fake, export, page};

/// How the paths begin. No bucket can have this name.
pub const PREFIX: &str = "/_stsmm/";

/// The longest body of a request that brings no account.
const LONGEST_BODY: usize = 1 << 20;

/// What there is, for whoever asked for something else.
const SERVED: &str = "GET|POST state, GET|POST archive, POST reset, GET scenario, POST scenario/NAME, GET calls, GET coverage, GET clock, \
                      POST clock/advance, GET|POST|DELETE faults, GET owner, POST enforce-iam, POST strict-images";

/// What a path asks for, if it is one of these: how many slashes lead to it does not count, since clients put paths
/// together.
pub(super) fn asked(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(PREFIX.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_start_matches('/'))
}

/// Answers a request that [asks](asked) for something of this.
pub(super) async fn answer(fake: &Fake, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if let Some(origin) = stranger(&parts) {
        let message = format!("{origin} may not steer this account: a page of another site must not");
        return failed(&ApiError::new("AccessDenied", message).with_status(StatusCode::FORBIDDEN));
    }
    let asked = asked(parts.uri.path()).unwrap_or_default();
    let answered = match (&parts.method, asked) {
        // These close the gate, or go in themselves for a while.
        (&Method::POST, "reset") => scenario::reset(fake).await,
        (&Method::POST, path) if path.starts_with("scenario/") => {
            scenario::begin(fake, &path["scenario/".len()..]).await
        }
        (&Method::POST, "state") => transfer::import_state(fake, body).await,
        (&Method::POST, "archive") => transfer::import_archive(fake, body).await,
        (&Method::GET, path) if page::serves(path) => return page(fake, &parts).await,
        (&Method::GET, "archive") => {
            return transfer::export_archive(fake).await.unwrap_or_else(|error| failed(&error));
        }
        _ => {
            let Ok(body) = axum::body::to_bytes(body, LONGEST_BODY).await else {
                return failed(&ApiError::validation("the body cannot be read, or is too long"));
            };
            let (inside, fake) = (fake.gate.enter().await, fake.clone());
            let looked = tokio::task::spawn_blocking(move || {
                let answered = look(&fake, &parts, &body);
                drop(inside);
                answered
            });
            looked.await.unwrap_or_else(|error| Err(ApiError::internal(error)))
        }
    };
    match answered {
        Ok(value) => json_response(StatusCode::OK, &value),
        Err(error) => failed(&error),
    }
}

/// Where a browser's request comes from, if that is a page of another site: loopback keeps out other machines, but not the
/// pages that somebody on this one looks at. Only browsers name an origin.
fn stranger(parts: &Parts) -> Option<&str> {
    let text = |name| parts.headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("another site"));
    let host = text(header::HOST).or(parts.uri.authority().map(http::uri::Authority::as_str)).unwrap_or_default();
    text(header::ORIGIN).filter(|origin| origin.strip_prefix("http://") != Some(host))
}

/// Whoever asks may be in another folder than this process is.
fn owner(fake: &Fake) -> Result<Value, ApiError> {
    let folder = std::path::absolute(fake.folder()).map_err(ApiError::internal)?;
    Ok(json!({"folder": folder, "images": fake.programs.source()}))
}

/// A page for people.
async fn page(fake: &Fake, parts: &Parts) -> Response<Body> {
    let (inside, fake) = (fake.gate.enter().await, fake.clone());
    let host = host(&parts.headers).or(parts.uri.authority().map(http::uri::Authority::as_str));
    let host = host.unwrap_or_default().to_owned();
    let path = asked(parts.uri.path()).unwrap_or_default().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let made = tokio::task::spawn_blocking(move || {
        let page = page::answer(&fake, &path, &query, &host);
        drop(inside);
        page
    });
    made.await.map_or_else(|error| failed(&ApiError::internal(error)), |page| page.map(Body::from))
}

/// What is answered at once. Blocks while the store is read or written.
fn look(fake: &Fake, parts: &Parts, body: &[u8]) -> Result<Value, ApiError> {
    let asked = asked(parts.uri.path()).unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    match (&parts.method, asked) {
        (&Method::GET, "state") => export::state(&fake.store),
        (&Method::GET, "scenario") => Ok(scenario::shown(fake)),
        (&Method::GET, "calls") => calls::answer(fake, query),
        (&Method::GET, "coverage") => Ok(fake.calls.tally.report()),
        (&Method::GET, "owner") => owner(fake),
        (&Method::GET, "clock") => clock::answer(fake),
        (&Method::POST, "clock/advance") => clock::advance(fake, query),
        (method, "faults") => faults::answer(fake, method, None, body),
        (method, path) if path.starts_with("faults/") => {
            faults::answer(fake, method, path.strip_prefix("faults/"), body)
        }
        (&Method::POST, "strict-images") => {
            fake.strict_images.turn_on();
            Ok(json!({}))
        }
        (&Method::POST, "enforce-iam") => fake.enforcement.turn_on(&fake.store).map(|()| json!({})),
        (method, _) => {
            let message = format!("{method} {PREFIX}{asked} is not served; there are: {SERVED}");
            Err(ApiError::new("NotFound", message).with_status(StatusCode::NOT_FOUND))
        }
    }
}

/// The parameters of a query, of which only these are known.
fn parameters<const N: usize>(query: &str, known: [&str; N]) -> Result<[Option<String>; N], ApiError> {
    let mut values = [const { None }; N];
    for (name, value) in pairs(query.as_bytes()) {
        let Some(at) = known.iter().position(|known| *known == name) else {
            let message = format!("`{name}` is no parameter of this; there are: {}", known.join(", "));
            return Err(ApiError::validation(message));
        };
        values[at] = Some(value).filter(|value| !value.is_empty());
    }
    Ok(values)
}

/// A parameter that is of some type.
fn read<T: std::str::FromStr>(name: &str, value: Option<&str>, what: &str) -> Result<Option<T>, ApiError> {
    let read = |value: &str| value.parse().map_err(|_| ApiError::validation(format!("`{name}` must be {what}")));
    value.map(read).transpose()
}

/// An error in plain JSON.
pub(super) fn failed(error: &ApiError) -> Response<Body> {
    json_response(error.status, &json!({"code": error.code, "message": error.message}))
}

fn json_response(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
