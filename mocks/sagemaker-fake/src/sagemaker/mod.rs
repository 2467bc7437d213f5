//! SageMaker: one file per resource.

use serde_json::Value;

use crate::ApiError;
use crate::fake::Context;

/// An operation: its input as JSON, its output as JSON.
pub type Operation = fn(&Context<'_>, Value) -> Result<Value, ApiError>;

/// The operations that are served, by name.
const OPERATIONS: &[(&str, Operation)] = &[];

/// Calls an operation by its name: validated, then done. Requests from outside and the steps of a pipeline take this
/// same way.
///
/// # Errors
/// Those of the operation; `UnknownOperationException` for one that is not served.
pub fn call(context: &Context<'_>, operation: &str, input: Value) -> Result<Value, ApiError> {
    match OPERATIONS.iter().find(|(name, _)| *name == operation) {
        Some((_, operation)) => operation(context, input),
        None => Err(ApiError::new("UnknownOperationException", format!("SageMaker.{operation} is not served by this fake"))),
    }
}
