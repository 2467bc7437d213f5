//! How long the door waits for a client that has stopped in the middle.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep};

/// How long a client may neither send more of a body nor take more of an answer.
pub(super) const STALL: Duration = Duration::from_secs(60);

/// A connection whose other end must go on reading.
pub(super) struct Stream {
    stream: TcpStream,
    /// When the patience with a client that does not read ends. Nothing while it does.
    until: Option<Pin<Box<Sleep>>>,
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Self { stream, until: None }
    }
}

impl Stream {
    /// What came of a write, unless the client has not read for too long.
    fn written<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.until = None;
            return written;
        }
        let until = self.until.get_or_insert_with(|| Box::pin(sleep(STALL)));
        ready!(until.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read its answer")))
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// How long what nobody wants of a body is read: hanging up on a client that is still sending would take the answer from
/// it too.
const LINGER: Duration = Duration::from_secs(5);

/// A body whose sender must go on sending.
///
/// Whoever refuses a request may drop it unread. The rest of it is then read and thrown away, so that the client comes
/// to its end and finds the answer.
pub(super) struct Body {
    /// Nothing once it is dropped.
    body: Option<Incoming>,
    /// Whether the client sends nothing before it is asked to.
    held_back: bool,
    /// When the patience with a client that does not send ends; moved on by each part that comes.
    until: Option<Pin<Box<Sleep>>>,
}

impl Body {
    /// The body that goes with these headers.
    pub(super) fn new(body: Incoming, headers: &HeaderMap) -> Self {
        Self { body: Some(body), held_back: headers.contains_key(header::EXPECT), until: None }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = Pin::new(body).poll_frame(cx);
        self.held_back = false;
        if let Poll::Ready(frame) = frame {
            if let Some(until) = &mut self.until {
                until.as_mut().reset(Instant::now() + STALL);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let until = self.until.get_or_insert_with(|| Box::pin(sleep(STALL)));
        ready!(until.as_mut().poll(cx));
        Poll::Ready(Some(Err("the client does not send the rest of the body".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(hyper::body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, hyper::body::Body::size_hint)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let rest = self.body.take().filter(|body| !self.held_back && !hyper::body::Body::is_end_stream(body));
        if let (Some(mut rest), Ok(runtime)) = (rest, Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(LINGER, async move { while let Some(Ok(_)) = rest.frame().await {} }));
        }
    }
}
