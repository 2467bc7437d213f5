//! Errors, as the registry writes them.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;

use super::super::layer::Altered;
use super::super::put_image::NotPut;
use crate::ApiError;
use crate::protocol::CredentialFault;

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn code(&self) -> &'static str {
        self.code
    }

    pub(super) fn unauthorized(fault: CredentialFault) -> Self {
        let expired = "Your authorization token has expired. Reauthenticate and try again.";
        let (status, code, message) = match fault {
            CredentialFault::Missing => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Not Authorized"),
            CredentialFault::Expired => (StatusCode::FORBIDDEN, "DENIED", expired),
            // The status is ECR's for a token that it did not issue, or issued in another region; the words are inferred.
            _ => (StatusCode::BAD_REQUEST, "DENIED", "Not Authorized"),
        };
        Self::new(status, code, message)
    }

    pub(super) fn unsupported() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "The operation is unsupported.")
    }

    pub(super) fn blob_unknown() -> Self {
        Self::new(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to registry")
    }

    pub(super) fn upload_unknown() -> Self {
        Self::new(StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
    }

    pub(super) fn digest_invalid() -> Self {
        let message = "provided digest did not match uploaded content";
        Self::new(StatusCode::BAD_REQUEST, "DIGEST_INVALID", message)
    }

    pub(super) fn range_invalid() -> Self {
        let message = "the upload does not go on where it ended";
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID", message)
    }

    pub(super) fn body(error: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BLOB_UPLOAD_INVALID", format!("the body cannot be read: {error}"))
    }

    pub(super) fn manifest_unknown() -> Self {
        Self::new(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "Requested image not found")
    }

    pub(super) fn manifest_invalid(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "MANIFEST_INVALID", why)
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let body = json!({"errors": [{"code": self.code, "message": self.message}]});
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"sagemaker-fake\",service=\"ecr.amazonaws.com\"");
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl From<NotPut> for Refusal {
    fn from(error: NotPut) -> Self {
        match error {
            NotPut::Invalid(why) => Self::manifest_invalid(format!("manifest invalid: {why}")),
            NotPut::Altered => Self::digest_invalid(),
            NotPut::NoPart { digest, .. } => {
                let message = format!("the manifest names {digest}, which the repository does not have");
                Self::new(StatusCode::BAD_REQUEST, "MANIFEST_BLOB_UNKNOWN", message)
            }
            NotPut::Refused(error) => error.into(),
        }
    }
}

impl From<Altered> for Refusal {
    fn from(_: Altered) -> Self {
        Self::digest_invalid()
    }
}

/// What ECR's own operations refuse, in the registry's words.
impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let (status, code) = match error.code.as_str() {
            "RepositoryNotFoundException" => (StatusCode::NOT_FOUND, "NAME_UNKNOWN"),
            "ImageTagAlreadyExistsException" => (StatusCode::BAD_REQUEST, "TAG_INVALID"),
            "AccessDeniedException" | "ExpiredTokenException" => (StatusCode::FORBIDDEN, "DENIED"),
            "ThrottlingException" => (StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS"),
            _ => (error.status, "UNKNOWN"),
        };
        Self::new(status, code, error.message)
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        ApiError::internal(format!("a layer: {error}")).into()
    }
}
