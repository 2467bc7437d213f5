//! What the fake answers about itself, and how it is steered, under `/_stsmm/`.
//!
//! | request | answer |
//! |---|---|
//! | `GET state` | the state, as [`crate::export::state`] gives it |
//! | `GET calls` | the calls that were made, oldest first |
//! | `GET coverage` | each operation: how faithful it is, and how often it was called, as [`crate::coverage`] gives it |
//! | `GET owner` | which state folder this process serves |
//! | `GET clock` | the clock: its time, and how far it is ahead |
//! | `POST clock/advance?seconds=N` | the same, after it was moved forward |
//! | `POST enforce-iam` | nothing; from now on signatures are verified and calls authorised |
//! | `GET`, `POST`, `DELETE faults` | what goes wrong, and when: see `faults` |

mod faults;

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::{Offset, Timestamp};
use crate::protocol::pairs;
use crate::{ApiError, Fake, export};

/// How the paths begin. No bucket can have this name.
pub const PREFIX: &str = "/_stsmm/";

/// How long a process on this machine may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers a request; `asked` is its path without the prefix. Blocks while the store is read or written.
pub(super) fn answer(fake: &Fake, method: &Method, asked: &str, query: &str, body: &[u8]) -> Response<Bytes> {
    let answer = match (method, asked) {
        (&Method::GET, "state") => export::state(&fake.store),
        (&Method::GET, "calls") => serde_json::to_value(fake.calls.snapshot()).map_err(ApiError::internal),
        (&Method::GET, "coverage") => Ok(fake.calls.tally.report()),
        (&Method::GET, "owner") => Ok(json!({"folder": fake.folder()})),
        (&Method::GET, "clock") => serde_json::to_value(ClockFace::of(fake)).map_err(ApiError::internal),
        (&Method::POST, "clock/advance") => advance(fake, query),
        (&Method::POST, "enforce-iam") => fake.enforcement.turn_on(&fake.store).map(|()| json!({})),
        (_, "faults") => faults::answer(fake, method, None, body),
        (_, asked) if asked.starts_with("faults/") => faults::answer(fake, method, asked.strip_prefix("faults/"), body),
        _ => Err(ApiError::new("NotFound", format!("{method} {PREFIX}{asked} is not served"))
            .with_status(StatusCode::NOT_FOUND)),
    };
    match answer {
        Ok(value) => json_response(StatusCode::OK, &value),
        Err(error) => failed(&error),
    }
}

fn advance(fake: &Fake, query: &str) -> Result<Value, ApiError> {
    let given = pairs(query.as_bytes()).find(|(name, _)| name == "seconds").map(|(_, value)| value);
    let seconds = given.and_then(|seconds| seconds.parse().ok()).ok_or_else(|| {
        ApiError::validation("`seconds` must say by how many the clock is moved forward: a whole number")
    })?;
    fake.advance(Duration::from_secs(seconds))?;
    serde_json::to_value(ClockFace::of(fake)).map_err(ApiError::internal)
}

/// What the clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockFace {
    /// The time there.
    pub now: Timestamp,
    /// How far ahead of real time that is.
    pub offset: Offset,
}

impl ClockFace {
    /// That of a fake.
    #[must_use]
    pub fn of(fake: &Fake) -> Self {
        Self { now: fake.clock.now(), offset: fake.clock.offset() }
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

/// Asks the fake at `url` for one of the answers above, e.g. `GET` `state`. Blocks for ten seconds at most.
///
/// # Errors
/// When nobody answers there, or it is no fake that does.
pub fn ask(url: &str, method: &Method, what: &str) -> io::Result<Value> {
    let authority = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/');
    let address =
        authority.to_socket_addrs()?.next().ok_or_else(|| io::Error::other(format!("{authority} is no address")))?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // HTTP/1.0: the answer comes in one piece and ends where the connection does.
    write!(stream, "{method} {PREFIX}{what} HTTP/1.0\r\nHost: {authority}\r\n\r\n")?;
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
