//! The door for everyone: every service on one port.
//!
//! One task per connection, HTTP/1.1 with keep-alive and pipelining. What a request means and what it is answered is
//! `answer`'s business; here connections come and go.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};

use super::answer::Answerer;
use super::overlay::Overlay;
pub use super::patience::Patience;
use super::patience::Stream;
use crate::Fake;
use crate::protocol::Checked;

/// How long a stop waits for requests that are being answered.
const FAREWELL: Duration = Duration::from_secs(5);

/// How much of a connection is kept in memory, in bytes: the longest head of a request, and how far an answer is
/// written ahead of its reader.
const BUFFER: usize = 64 << 10;

/// How long to wait when no connection can be taken, as when there are no more file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// A fake that is being served. Dropped, it is cut off; [`Server::stop`] lets requests end first.
#[derive(Debug)]
pub struct Server {
    url: String,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Serves a fake at this listener until the server is stopped or dropped.
///
/// # Errors
/// When the listener has no address.
pub fn serve(fake: &Fake, listener: TcpListener, checked: Checked) -> io::Result<Server> {
    serve_with(fake, listener, checked, &Overlay::default(), Patience::default())
}

/// The same, with answers of a test's own before the fake's, and with more or less patience for clients that stop in the
/// middle.
///
/// # Errors
/// When the listener has no address.
pub fn serve_with(
    fake: &Fake,
    listener: TcpListener,
    checked: Checked,
    overlay: &Overlay,
    patience: Patience,
) -> io::Result<Server> {
    let url = format!("http://{}", listener.local_addr()?);
    let (stop, stopped) = watch::channel(false);
    let answerer = Answerer::new(fake, checked, overlay.mocks(), patience);
    let task = tokio::spawn(run(answerer, listener, patience, stopped));
    Ok(Server { url, stop, task })
}

/// Lets this process have as many files open as the system allows: every connection is one, and so is every object that is
/// read. What it may have from the start is often a thousand.
pub fn allow_many_connections() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::debug!("the limit of open files stays as it is: {error}");
    }
}

impl Server {
    /// `http://ADDRESS:PORT`: what a client takes as its endpoint URL, for S3 too.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Takes no more requests, and waits a few seconds for those that are being answered.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(FAREWELL, &mut self.task).await.is_err() {
            tracing::warn!("requests were still being answered after {FAREWELL:?}; they are cut off");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Takes connections until it is stopped; then waits for those that are still open. Ends them all when it is dropped.
async fn run(answerer: Answerer, listener: TcpListener, patience: Patience, mut stopped: watch::Receiver<bool>) {
    let answerer = Arc::new(answerer);
    let mut connections = JoinSet::new();
    // Said once, not ten times a second.
    let mut full = false;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    full = false;
                    connections.spawn(connection(stream, Arc::clone(&answerer), patience, stopped.clone()));
                }
                Err(error) if is_of_one(&error) => tracing::debug!("a connection was gone before it was taken: {error}"),
                Err(error) => {
                    if !full {
                        tracing::warn!("no connection can be taken until others end: {error}");
                    }
                    full = true;
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(ended) = connections.join_next() => report(ended),
            _ = stopped.changed() => break,
        }
    }
    drop(listener);
    while let Some(ended) = connections.join_next().await {
        report(ended);
    }
}

/// Whether what went wrong was the connection's fault and not the listener's.
fn is_of_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!("a connection failed: {error}");
    }
}

/// Answers the requests of one connection, one after the other.
async fn connection(
    stream: TcpStream,
    answerer: Arc<Answerer>,
    patience: Patience,
    mut stopped: watch::Receiver<bool>,
) {
    // Answers are small, and nobody wants to wait for more of them to be sent together.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("cannot set nodelay: {error}");
    }
    // Every answer leaves here. An error instead of one hangs up.
    let service = service_fn(move |request: http::Request<Incoming>| {
        let answerer = Arc::clone(&answerer);
        async move { answerer.answer(request).await }
    });
    let mut http = http1::Builder::new();
    // Who has said all that he has to say, and that he has, is answered nevertheless.
    http.half_close(true);
    http.timer(TokioTimer::new()).header_read_timeout(patience.head).max_buf_size(BUFFER);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(Stream::new(stream, patience)), service));
    let served = tokio::select! {
        served = &mut connection => served,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!("a connection ended early: {error}");
    }
}
