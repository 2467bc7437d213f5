//! The pipeline engine: what makes a started execution go on.

mod tasks;

pub use tasks::Engine;
pub(crate) use tasks::{blocking, until};

use crate::{ApiError, Fake};

/// Goes on with every execution and job that was running when the fake was last closed or killed.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn resume(fake: &Fake) -> Result<(), ApiError> {
    fake.engine.start();
    crate::jobs::resume(fake)
}

/// Stops driving jobs and executions, and lets go of the fake. Nothing is lost: they go on when the fake is built again
/// on the same folder.
pub async fn close(fake: Fake) {
    fake.engine.end().await;
}
