//! `serve`: answers requests with a model's predictions, by SageMaker's contract for serving containers.
//!
//! The request's `Content-Type` says what a row is, the answer's form follows from `Accept`; rows and answers are in
//! the same order. [`server`] is about connections, [`handler`] about requests.
//!
//! Under load: a connection is kept for as many requests as its client likes. Beyond
//! [`server::MAX_CONNECTIONS`] connections, clients wait to be accepted. Small requests are answered at once; of large
//! ones a few are worked on at a time, some more wait, and the rest get 503.

mod answer;
mod handler;
mod request;
mod server;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use sts_model::artifact::{self, Artifact};
use tokio::net::TcpListener;

use self::handler::Handler;
use crate::{contract::OptMl, error::Error, files, say};

/// The variable by which SageMaker tells a container that it is to listen at another port than 8080.
pub(crate) const PORT: &str = "SAGEMAKER_BIND_TO_PORT";

/// Where to listen if nobody says: at this port, or 8080, of every interface in a container, and of the loopback one where
/// this is none.
///
/// # Errors
/// What is given is no port.
pub(crate) fn address(opt_ml: &OptMl, port: Option<&str>) -> Result<SocketAddr, Error> {
    let host = if opt_ml.is_in_container() { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
    let port =
        port.map_or(Ok(8080), |port| port.parse().map_err(|source| Error::Port { port: port.to_owned(), source }));
    Ok(SocketAddr::from((host, port?)))
}

/// Serves until `stop`; then answers what it has accepted, and ends.
///
/// # Errors
/// The address is taken, or there is no model of this program.
pub(crate) async fn run(opt_ml: &OptMl, address: SocketAddr, stop: impl Future<Output = ()>) -> Result<(), Error> {
    let handler = Arc::new(Handler::new());
    let listening = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listening)?;
    // Whoever asked for port 0 learns here which one it is.
    say(format_args!("listening on {}", listener.local_addr().map_err(listening)?));

    let path = opt_ml.at("model").join(artifact::FILE_NAME);
    let ready = handler.clone();
    let loading = tokio::task::spawn_blocking(move || {
        let content = files::read(&path)?;
        let artifact = Artifact::from_json(&content).map_err(|source| Error::Model { path, source })?;
        let (rows, threshold) = (artifact.training.rows, artifact.threshold);
        ready.load(artifact);
        // Only now: whoever reads this line counts on an answer.
        say(format_args!("model of {rows} pairs, threshold {threshold}"));
        Ok(())
    });
    let mut serving = std::pin::pin!(server::serve(listener, handler, stop));
    tokio::select! {
        result = &mut serving => result,
        result = loading => {
            result.unwrap_or(Err(Error::Panicked))?;
            serving.await
        }
    }
}

#[cfg(test)]
mod tests;
