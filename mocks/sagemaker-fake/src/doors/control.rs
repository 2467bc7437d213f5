//! What the fake answers about itself, under `/_stsmm/`.
//!
//! | path | answer |
//! |---|---|
//! | `state` | the state, as [`crate::export::state`] gives it |
//! | `calls` | the calls that were made, oldest first |
//! | `owner` | which state folder this process serves |

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::{ApiError, Fake, export};

/// How the paths begin. No bucket can have this name.
pub const PREFIX: &str = "/_stsmm/";

/// How long a process on this machine may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers a request; `asked` is its path without the prefix.
pub(super) fn answer(fake: &Fake, method: &Method, asked: &str) -> Response<Bytes> {
    let answer = match (method, asked) {
        (&Method::GET, "state") => export::state(&fake.store),
        (&Method::GET, "calls") => serde_json::to_value(fake.calls.snapshot()).map_err(ApiError::internal),
        (&Method::GET, "owner") => Ok(json!({"folder": fake.folder()})),
        _ => Err(ApiError::new("NotFound", format!("{method} {PREFIX}{asked} is not served"))
            .with_status(StatusCode::NOT_FOUND)),
    };
    match answer {
        Ok(value) => json_response(StatusCode::OK, &value),
        Err(error) => failed(&error),
    }
}

/// An error in plain JSON.
pub(super) fn failed(error: &ApiError) -> Response<Bytes> {
    json_response(error.status, &json!({"code": error.code, "message": error.message}))
}

fn json_response(status: StatusCode, value: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(value.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Asks the fake at `url` for one of the answers above, e.g. `state`. Blocks for ten seconds at most.
///
/// # Errors
/// When nobody answers there, or it is no fake that does.
pub fn ask(url: &str, what: &str) -> io::Result<Value> {
    let authority = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
    let address =
        authority.to_socket_addrs()?.next().ok_or_else(|| io::Error::other(format!("{authority} is no address")))?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // HTTP/1.0: the answer comes in one piece and ends where the connection does.
    write!(stream, "GET {PREFIX}{what} HTTP/1.0\r\nHost: {authority}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) =
        answer.split_once("\r\n\r\n").ok_or_else(|| io::Error::other(format!("{url} does not speak HTTP")))?;
    if head.split(' ').nth(1) != Some("200") {
        return Err(io::Error::other(format!("{url} answers {}", head.lines().next().unwrap_or_default())));
    }
    serde_json::from_str(body)
        .map_err(|error| io::Error::other(format!("{url} does not answer as the fake does: {error}")))
}
