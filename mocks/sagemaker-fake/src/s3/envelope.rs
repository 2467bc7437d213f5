//! Takes a request out of its envelope: the signature and, around the body, the `aws-chunked` encoding.
//!
//! The signature has been looked at by then, if it had to be; what a presigned URL says of its own end is respected. The body may come in signed or unsigned chunks with or without checksums in a trailer; the
//! chunks' signatures are skipped, the trailer is kept in [`Trailer`].

use std::sync::{Arc, Mutex, PoisonError};

use axum::BoxError;
use axum::body::{Body, BodyDataStream};
use bytes::{Buf as _, Bytes, BytesMut};
use futures::{Stream, StreamExt as _};
use http::{HeaderName, HeaderValue, Request, StatusCode, Uri, header};

use crate::ApiError;
use crate::protocol::{pairs, signature};

/// The longest line of a chunked body that is not content: a chunk's header or a line of the trailer.
const LONGEST_LINE: usize = 8 * 1024;

/// The headers that came after a chunked body. Empty until the body has been read.
#[derive(Clone, Default)]
pub struct Trailer(Arc<Mutex<Vec<(String, String)>>>);

impl Trailer {
    /// The value of a header; names are in lower case.
    pub fn get(&self, name: &str) -> Option<String> {
        let headers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    fn push(&self, line: &str) {
        if let Some((name, value)) = line.split_once(':') {
            let header = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(header);
        }
    }
}

/// The same request as `s3s` would get it from a client that does not sign. `now` is in seconds since 1970.
///
/// # Errors
/// `AccessDenied` for a presigned URL that has expired; `MissingContentLength`, `AuthorizationQueryParametersError`.
pub fn open(request: Request<Body>, now: i64) -> Result<Request<s3s::Body>, ApiError> {
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(header::AUTHORIZATION);
    let (uri, moved) = without_presignature(&parts.uri, now)?;
    parts.uri = uri;
    for (name, value) in moved {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            parts.headers.entry(name).or_insert(value);
        }
    }
    if parts.headers.get(header::RANGE).is_some_and(|range| !is_one_range(range)) {
        parts.headers.remove(header::RANGE);
    }
    let hash = parts.headers.remove("x-amz-content-sha256");
    let streaming = hash.is_some_and(|hash| hash.as_bytes().starts_with(b"STREAMING-"));
    let body = if streaming {
        let length = parts.headers.remove("x-amz-decoded-content-length");
        let length = length.ok_or_else(|| {
            let message = "You must provide the Content-Length HTTP header.";
            ApiError::new("MissingContentLength", message).with_status(StatusCode::LENGTH_REQUIRED)
        })?;
        let expected = length.to_str().ok().and_then(|length| length.parse().ok());
        let expected =
            expected.ok_or_else(|| ApiError::new("InvalidArgument", "x-amz-decoded-content-length is not a number"))?;
        parts.headers.insert(header::CONTENT_LENGTH, length);
        strip_encoding(&mut parts.headers);
        let trailer = Trailer::default();
        parts.extensions.insert(trailer.clone());
        Body::from_stream(chunks(body.into_data_stream(), expected, trailer))
    } else {
        body
    };
    Ok(Request::from_parts(parts, s3s::Body::http_body_unsync(body)))
}

/// Whether this asks for one range of bytes. S3 gives the whole object to who asks for several, or for something else.
fn is_one_range(range: &HeaderValue) -> bool {
    let bounds = range.to_str().ok().and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let is_number = |bound: &str| bound.bytes().all(|byte| byte.is_ascii_digit());
    bounds.is_some_and(|(from, to)| is_number(from) && is_number(to) && !(from.is_empty() && to.is_empty()))
}

/// Removes `aws-chunked` from the encodings: it concerns the way here, not the object.
fn strip_encoding(headers: &mut http::HeaderMap) {
    let Some(encodings) = headers.remove(header::CONTENT_ENCODING) else { return };
    let rest =
        encodings.to_str().unwrap_or_default().split(',').map(str::trim).filter(|encoding| *encoding != "aws-chunked");
    let rest = rest.collect::<Vec<_>>().join(",");
    if let Ok(rest) = HeaderValue::from_str(&rest)
        && !rest.is_empty()
    {
        headers.insert(header::CONTENT_ENCODING, rest);
    }
}

/// The address without what presigning added to it (Signature Version 4, and 2 as boto3 still uses it), if that is not
/// past its end; and the headers that presigning moved into the query.
fn without_presignature(uri: &Uri, now: i64) -> Result<(Uri, Vec<(String, String)>), ApiError> {
    const PRESIGNATURE: [&str; 6] = [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
    ];
    let query = uri.query().unwrap_or_default();
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let version_4 = value("X-Amz-Signature").is_some();
    let version_2 = value("AWSAccessKeyId").is_some() && value("Signature").is_some();
    let ends = match (version_4, version_2) {
        (false, false) => return Ok((uri.clone(), Vec::new())),
        (true, _) => value("X-Amz-Date")
            .and_then(signature::timestamp)
            .zip(value("X-Amz-Expires").and_then(|life| life.parse().ok()))
            .and_then(|(begins, life): (i64, i64)| (0..=604_800).contains(&life).then_some(begins + life)),
        (false, true) => value("Expires").and_then(|ends| ends.parse().ok()),
    };
    let ends: i64 = ends.ok_or_else(|| {
        ApiError::new(
            "AuthorizationQueryParametersError",
            "X-Amz-Date and X-Amz-Expires must say when the URL ends, within a week",
        )
    })?;
    if ends < now {
        return Err(ApiError::new("AccessDenied", "Request has expired").with_status(StatusCode::FORBIDDEN));
    }
    let is_signature = |name: &str| {
        name == "X-Amz-Security-Token"
            || (version_4 && PRESIGNATURE.contains(&name))
            || (version_2 && ["AWSAccessKeyId", "Signature", "Expires", "x-amz-security-token"].contains(&name))
    };
    let kept = query.split('&').filter(|pair| !is_signature(pair.split('=').next().unwrap_or_default()));
    let (moved, kept): (Vec<_>, Vec<_>) = kept.partition(|pair| pair.to_ascii_lowercase().starts_with("x-amz-"));
    let address = if kept.is_empty() { uri.path().to_owned() } else { format!("{}?{}", uri.path(), kept.join("&")) };
    let uri = address
        .parse()
        .map_err(|error| ApiError::new("InvalidURI", format!("Couldn't parse the specified URI: {error}")))?;
    Ok((uri, pairs(moved.join("&").as_bytes()).collect()))
}

/// Where in a chunked body the reader is.
enum Position {
    /// Before the header of a chunk.
    Header,
    /// In a chunk, with so many bytes to come.
    Content(u64),
    /// After the last, empty chunk.
    Trailer,
}

struct Chunks {
    source: BodyDataStream,
    buffer: BytesMut,
    position: Position,
    /// How many decoded bytes are still expected.
    missing: u64,
    trailer: Trailer,
}

/// The decoded bytes of an `aws-chunked` body that must be `expected` in number.
fn chunks(
    source: BodyDataStream,
    expected: u64,
    trailer: Trailer,
) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    let state = Chunks { source, buffer: BytesMut::new(), position: Position::Header, missing: expected, trailer };
    futures::stream::try_unfold(state, |mut state| async move { Ok(state.next().await?.map(|bytes| (bytes, state))) })
}

impl Chunks {
    async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        loop {
            match self.position {
                Position::Header => {
                    let line = self.line().await?.ok_or("the body ends before its last chunk")?;
                    let size = line.split(';').next().unwrap_or_default();
                    let size =
                        u64::from_str_radix(size, 16).map_err(|_| format!("`{size}` is not the size of a chunk"))?;
                    self.missing = self.missing.checked_sub(size).ok_or("the body is longer than it should be")?;
                    self.position = if size == 0 { Position::Trailer } else { Position::Content(size) };
                }
                Position::Content(0) => {
                    if self.line().await?.as_deref() != Some("") {
                        return Err("a chunk is longer than it says".into());
                    }
                    self.position = Position::Header;
                }
                Position::Content(left) => {
                    if self.buffer.is_empty() && !self.fill().await? {
                        return Err("the body ends inside a chunk".into());
                    }
                    let available = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
                    self.position = Position::Content(left - available as u64);
                    return Ok(Some(self.buffer.split_to(available).freeze()));
                }
                Position::Trailer => match self.line().await?.as_deref() {
                    None if self.missing == 0 => return Ok(None),
                    None => return Err("the body is shorter than it should be".into()),
                    Some(line) => self.trailer.push(line),
                },
            }
        }
    }

    /// The next line without its end; nothing at the end of the body.
    async fn line(&mut self) -> Result<Option<String>, BoxError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end);
                self.buffer.advance(1);
                let line = line.strip_suffix(b"\r").unwrap_or(&line);
                return Ok(Some(String::from_utf8_lossy(line).into_owned()));
            }
            if self.buffer.len() > LONGEST_LINE {
                return Err("a line of the chunked body is too long".into());
            }
            if !self.fill().await? {
                return if self.buffer.is_empty() { Ok(None) } else { Err("the body ends inside a line".into()) };
            }
        }
    }

    /// Reads on; says whether there was more.
    async fn fill(&mut self) -> Result<bool, BoxError> {
        match self.source.next().await {
            Some(bytes) => self.buffer.extend_from_slice(&bytes?),
            None => return Ok(false),
        }
        Ok(true)
    }
}
