//! The pipeline engine: what makes a started execution go on.

use crate::{ApiError, Fake};

/// What drives the executions of one fake.
#[derive(Default)]
pub struct Engine {}

/// Goes on with every execution and job that was running when the fake was last closed or killed.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn resume(_fake: &Fake) -> Result<(), ApiError> {
    Ok(())
}
