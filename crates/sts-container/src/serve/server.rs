//! Connections: accepted by one thread, dealt out in turn to one thread for each core, which serves them to their end.
//!
//! A connection that stays on its thread needs no lock and wakes no other core: with a scheduler that moves them about,
//! half of the time goes into that.

use std::{convert::Infallible, num::NonZero, pin::pin, sync::Arc, thread, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
    sync::{
        OwnedSemaphorePermit, Semaphore,
        mpsc::{self, UnboundedReceiver},
        watch,
    },
    task::JoinSet,
};

use super::handler::Handler;
use crate::{error::Error, say};

/// How many connections there are at the same time. Others wait until one ends.
pub(super) const MAX_CONNECTIONS: usize = 1024;

/// How long nothing is accepted after that has failed: most likely the process has too many files open.
const PAUSE: Duration = Duration::from_millis(100);

/// A connection, and its place among [`MAX_CONNECTIONS`].
type Accepted = (std::net::TcpStream, OwnedSemaphorePermit);

/// Serves until `stop`; then accepts no more connections, answers the requests that are under way, and ends.
///
/// # Errors
/// There can be no thread for each core, or one of them has panicked.
pub(super) async fn serve(
    listener: TcpListener,
    handler: Arc<Handler>,
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    let (stopping, _) = watch::channel(false);
    let (mut threads, mut workers) = (Vec::new(), Vec::new());
    for number in 0..thread::available_parallelism().map_or(1, NonZero::get) {
        // Before it looks for more requests, a thread lets others have its core. Under full load they would wait for their
        // turn until the scheduler takes it away, and 1 request in 100 for 3 ms.
        let runtime = Builder::new_current_thread().enable_all().on_thread_park(thread::yield_now).build();
        let runtime = runtime.map_err(Error::Runtime)?;
        let (worker, accepted) = mpsc::unbounded_channel();
        let (handler, stopping) = (handler.clone(), stopping.subscribe());
        let work = move || work(&runtime, accepted, &handler, &stopping);
        threads.push(thread::Builder::new().name(format!("serve-{number}")).spawn(work).map_err(Error::Runtime)?);
        workers.push(worker);
    }
    let accepting = async {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        for worker in workers.iter().cycle() {
            // Nobody closes this semaphore, and no worker ends before the loop does.
            let Ok(place) = places.clone().acquire_owned().await else { break };
            let _ = worker.send((accept(&listener).await, place));
        }
    };
    tokio::select! {
        () = accepting => {}
        () = stop => {}
    }
    drop(listener);
    drop(workers);
    stopping.send_replace(true);
    let ended = tokio::task::spawn_blocking(|| threads.into_iter().try_for_each(thread::JoinHandle::join));
    ended.await.map_or(Err(Error::Panicked), |ended| ended.map_err(|_| Error::Panicked))
}

/// The next connection.
async fn accept(listener: &TcpListener) -> std::net::TcpStream {
    loop {
        let accepted = listener.accept().await.and_then(|(connection, _)| {
            // A client that waits for an answer of some bytes must not wait for more to send along.
            connection.set_nodelay(true)?;
            connection.into_std()
        });
        match accepted {
            Ok(connection) => return connection,
            Err(error) => {
                say(format_args!("a connection was not accepted: {error}"));
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Serves connections until there are no more to come and all have ended.
fn work(
    runtime: &Runtime,
    mut accepted: UnboundedReceiver<Accepted>,
    handler: &Arc<Handler>,
    stopping: &watch::Receiver<bool>,
) {
    runtime.block_on(async {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                Some((connection, place)) = accepted.recv() => {
                    // This registers the connection with the runtime of this thread.
                    if let Ok(connection) = TcpStream::from_std(connection) {
                        connections.spawn(converse(connection, place, handler.clone(), stopping.clone()));
                    }
                }
                Some(_) = connections.join_next() => {}
                else => break,
            }
        }
    });
}

/// Answers the requests of a connection.
async fn converse(
    connection: TcpStream,
    _place: OwnedSemaphorePermit,
    handler: Arc<Handler>,
    mut stopping: watch::Receiver<bool>,
) {
    let service = service_fn(|request| async { Ok::<_, Infallible>(handler.answer(request).await) });
    let conversation = http1::Builder::new().pipeline_flush(true).serve_connection(TokioIo::new(connection), service);
    let mut conversation = pin!(conversation);
    let stop = async { drop(stopping.wait_for(|stopping| *stopping).await) };
    // How it ends is the client's business: nothing is lost here when it goes away.
    tokio::select! {
        biased;
        _ = conversation.as_mut() => {}
        () = stop => {
            conversation.as_mut().graceful_shutdown();
            let _ = conversation.await;
        }
    }
}
