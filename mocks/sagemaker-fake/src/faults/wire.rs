//! What goes wrong with an answer on its way to the client.

use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream;
use http::{HeaderValue, Response, header};

/// What goes wrong with an answer on its way. It travels as an extension of the response, to the place where responses
/// leave the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTheWire {
    /// It comes so much later.
    Delay(Duration),
    /// The connection is closed, and nothing comes at all.
    Reset,
    /// The connection is closed in the middle of its body.
    Cut,
}

/// The last place before an answer leaves: here it is delayed, withheld or cut, if that was asked for.
///
/// # Errors
/// When it shall not leave: the connection is to be closed without a word.
pub(crate) async fn leave(mut response: Response<Body>) -> Result<Response<Body>, BoxError> {
    match response.extensions_mut().remove::<OnTheWire>() {
        None => Ok(response),
        Some(OnTheWire::Delay(by)) => {
            tokio::time::sleep(by).await;
            Ok(response)
        }
        Some(OnTheWire::Cut) if !response.body().is_end_stream() => Ok(cut(response)),
        // There is no middle in an answer without a body.
        Some(OnTheWire::Cut | OnTheWire::Reset) => Err("the connection is closed on request".into()),
    }
}

/// The same answer with the first half of its body. The length that it announces stays the whole one.
fn cut(mut response: Response<Body>) -> Response<Body> {
    let announced = response.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse().ok());
    let length = announced.or_else(|| response.body().size_hint().exact());
    if let Some(length) = length {
        response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    // Of a body of unknown length its first piece.
    let half = length.map_or(0, |length| length / 2);
    response.map(|body| {
        let start = body.into_data_stream().scan(half, |left, piece| {
            let piece = piece.ok().filter(|_| *left > 0).map(|mut piece| {
                let kept = usize::try_from(*left).unwrap_or(usize::MAX).min(piece.len());
                *left -= kept as u64;
                Ok(piece.split_to(kept))
            });
            std::future::ready(piece)
        });
        Body::from_stream(start.chain(broken_off()))
    })
}

/// A body that cannot be sent to its end: whoever sends it closes the connection. What comes before it is sent first.
fn broken_off() -> impl futures::Stream<Item = Result<Bytes, BoxError>> + Send {
    stream::once(async {
        tokio::task::yield_now().await;
        Err("the connection is closed on request".into())
    })
}
