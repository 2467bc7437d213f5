//! How a case waits: on AWS for as long as that takes, in the fake by its clock.

use std::time::Duration;

use futures::future::BoxFuture;

/// Time where a case runs.
pub trait Time: Send + Sync {
    /// Waits a moment before something is looked at again.
    fn pause(&self) -> BoxFuture<'_, ()>;

    /// Lets time pass.
    fn pass(&self, duration: Duration) -> BoxFuture<'_, anyhow::Result<()>>;
}

/// AWS's time, which nobody can hurry.
#[derive(Debug, Clone, Copy)]
pub struct Real;

impl Time for Real {
    fn pause(&self) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(Duration::from_secs(5)))
    }

    fn pass(&self, duration: Duration) -> BoxFuture<'_, anyhow::Result<()>> {
        Box::pin(async move {
            tokio::time::sleep(duration).await;
            Ok(())
        })
    }
}
