//! The errors that the fake answers with, in AWS's shape: a code, a sentence, a status.

use http::StatusCode;

/// An error as an AWS client sees it.
///
/// Every operation returns one of these; the protocol layer writes it as JSON or XML. A failure of the fake itself
/// (a full disk, a bug) becomes [`ApiError::internal`] and is logged, never a panic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// AWS's code, e.g. `ResourceNotFound`.
    pub code: String,
    /// AWS's sentence.
    pub message: String,
    /// The HTTP status it travels with.
    pub status: StatusCode,
}

impl ApiError {
    /// An error with the status 400, which SageMaker uses for nearly everything.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status: StatusCode::BAD_REQUEST }
    }

    /// The same error with another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// `ValidationException`: the request is well-formed and cannot be met.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    /// `ResourceNotFound`, which SageMaker declares for pipelines, jobs and schedules.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new("ResourceNotFound", message)
    }

    /// `InternalFailure`: the fake itself failed. The cause is logged here, once.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!("internal failure: {cause}");
        Self::new("InternalFailure", format!("the fake failed: {cause}")).with_status(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
