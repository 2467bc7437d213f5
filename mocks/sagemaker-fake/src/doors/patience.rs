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
use tokio::time::{Sleep, sleep};

/// How long the door waits.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the head of the next request, the time included in which the client has nothing to ask.
    pub head: Duration,
    /// For the client to send more of a body or to take more of an answer; and for the whole of a body that is not
    /// streamed.
    pub stall: Duration,
    /// For the end of a body that nobody wants: hanging up on a client that is still sending would take the answer from
    /// it too.
    pub linger: Duration,
}

impl Default for Patience {
    /// AWS's own load balancers hang up after a minute.
    fn default() -> Self {
        Self { head: Duration::from_secs(60), stall: Duration::from_secs(60), linger: Duration::from_secs(5) }
    }
}

/// A connection whose other end must go on reading.
pub(super) struct Stream {
    stream: TcpStream,
    stall: Duration,
    /// When the patience with a client that does not read ends. Nothing while it does.
    until: Option<Pin<Box<Sleep>>>,
}

impl Stream {
    pub(super) fn new(stream: TcpStream, patience: Patience) -> Self {
        Self { stream, stall: patience.stall, until: None }
    }

    /// What came of a write, unless the client has not read for too long.
    fn written<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.until = None;
            return written;
        }
        let until = self.until.get_or_insert_with(|| Box::pin(sleep(self.stall)));
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

/// A body whose sender must go on sending.
///
/// Whoever refuses a request may drop it unread. The rest of it is then read and thrown away, so that the client comes
/// to its end and finds the answer.
pub(super) struct Body {
    /// Nothing once it is dropped, and of one that was read before.
    body: Option<Incoming>,
    /// What was read before, and comes first.
    read: Bytes,
    /// Whether the client sends nothing before it is asked to.
    held_back: bool,
    patience: Patience,
    /// Whether each part that comes renews the patience.
    streamed: bool,
    /// When the patience with a client that does not send ends.
    until: Option<Pin<Box<Sleep>>>,
}

impl Body {
    /// The body that goes with these headers.
    pub(super) fn new(body: Incoming, headers: &HeaderMap, patience: Patience) -> Self {
        Self {
            body: Some(body),
            read: Bytes::new(),
            held_back: headers.contains_key(header::EXPECT),
            patience,
            streamed: true,
            until: None,
        }
    }

    /// One that has come to its end already.
    pub(super) fn read(read: Bytes, patience: Patience) -> Self {
        Self { body: None, read, held_back: false, patience, streamed: true, until: None }
    }

    /// The same, but the patience is for the whole of it.
    pub(super) fn in_one_go(mut self) -> Self {
        self.streamed = false;
        self
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if !self.read.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.read)))));
        }
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let frame = Pin::new(body).poll_frame(cx);
        self.held_back = false;
        if let Poll::Ready(frame) = frame {
            if self.streamed {
                self.until = None;
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let stall = self.patience.stall;
        let until = self.until.get_or_insert_with(|| Box::pin(sleep(stall)));
        ready!(until.as_mut().poll(cx));
        Poll::Ready(Some(Err("the client does not send the rest of the body".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_empty() && self.body.as_ref().is_none_or(hyper::body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let read = || SizeHint::with_exact(self.read.len() as u64);
        self.body.as_ref().map_or_else(read, hyper::body::Body::size_hint)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let rest = self.body.take().filter(|body| !self.held_back && !hyper::body::Body::is_end_stream(body));
        if let (Some(mut rest), Ok(runtime)) = (rest, Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(self.patience.linger, async move {
                while let Some(Ok(_)) = rest.frame().await {}
            }));
        }
    }
}
