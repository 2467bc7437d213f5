//! What a registry said no to, why, and what to do next.

use std::error::Error;

use oci_client::errors::{OciDistributionError, OciEnvelope, OciErrorCode};

use crate::error::Failure;

/// What was pushed before a failure stays.
const AGAIN: &str = "run it again: what has been pushed is there";

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Looking at a tag.
    Tag,
    /// Looking for a blob.
    Look,
    /// Getting a blob.
    Pull,
    /// Sending a blob.
    Blob,
    /// Giving an image its tag.
    Manifest,
}

impl Step {
    /// What of, and the calls that ECR makes of it: its permissions are named after them.
    fn words(self, what: &str, is_ecr: bool) -> String {
        let (did, calls) = match self {
            Self::Tag => ("looking for the image", "BatchGetImage"),
            Self::Look => ("looking for the blob", "BatchCheckLayerAvailability"),
            Self::Pull => ("pulling the blob", "GetDownloadUrlForLayer"),
            Self::Blob => ("pushing the blob", "InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload"),
            Self::Manifest => ("pushing the image", "PutImage"),
        };
        if is_ecr { format!("{did} {what} ({calls})") } else { format!("{did} {what}") }
    }
}

/// What is not there is no error.
pub(super) fn absent<T>(error: OciDistributionError) -> Result<Option<T>, OciDistributionError> {
    let is_unknown = |code: &OciErrorCode| {
        matches!(code, OciErrorCode::ManifestUnknown | OciErrorCode::NameUnknown | OciErrorCode::NotFound)
    };
    match &error {
        OciDistributionError::RegistryError { envelope, .. }
            if envelope.errors.iter().any(|error| is_unknown(&error.code)) =>
        {
            Ok(None)
        }
        OciDistributionError::ServerError { code: 404, .. } => Ok(None),
        _ => Err(error),
    }
}

/// Whether it may well go away by itself.
pub(super) fn is_transient(error: &OciDistributionError) -> bool {
    match error {
        OciDistributionError::RequestError(error) => match error.status() {
            Some(status) => is_passing(status.as_u16()),
            None => !error.is_builder(),
        },
        OciDistributionError::ServerError { code, .. } => is_passing(*code),
        OciDistributionError::RegistryError { envelope, .. } => {
            envelope.errors.iter().any(|error| error.code == OciErrorCode::Toomanyrequests)
        }
        _ => false,
    }
}

fn is_passing(status: u16) -> bool {
    status >= 500 || status == 429
}

/// The failure of a step at a registry.
pub(super) fn failure(step: Step, what: &str, host: &str, is_ecr: bool, error: &OciDistributionError) -> Failure {
    let step = step.words(what, is_ecr);
    // What no one answered was not refused.
    let mut outcome = "was refused";
    let (why, hint) = match error {
        OciDistributionError::RegistryError { envelope, .. } => said(envelope, host, is_ecr),
        OciDistributionError::ServerError { code, message, .. } => match serde_json::from_str(message) {
            Ok(envelope) => said(&envelope, host, is_ecr),
            Err(_) => (format!("HTTP status {code}"), None),
        },
        OciDistributionError::UnauthorizedError { .. } => ("nobody signed in".to_owned(), Some(sign_in(host, is_ecr))),
        OciDistributionError::RequestError(error) if let Some(status) = error.status() => {
            // The answer to a HEAD request says nothing but its status.
            let hint = matches!(status.as_u16(), 401 | 403).then(|| sign_in(host, is_ecr));
            (format!("HTTP status {}", status.as_u16()), hint)
        }
        OciDistributionError::RequestError(error) => {
            let hint = "check the network, the proxy (HTTPS_PROXY, NO_PROXY) and the registry's name";
            outcome = "was not answered";
            (deepest(error), Some(hint.to_owned()))
        }
        other => (other.to_string(), None),
    };
    let failure = Failure::operation(format!("{step} at {host} {outcome}: {why}"));
    if is_transient(error) {
        return failure.transient().hint(hint.map_or_else(|| AGAIN.to_owned(), |hint| format!("{hint}; then {AGAIN}")));
    }
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// The registry's own code and sentence, and what to do.
fn said(envelope: &OciEnvelope, host: &str, is_ecr: bool) -> (String, Option<String>) {
    let Some(error) = envelope.errors.first() else { return ("no reason was given".to_owned(), None) };
    let code = serde_json::to_value(&error.code).ok().and_then(|code| code.as_str().map(str::to_owned));
    let code = code.unwrap_or_default();
    let hint = match error.code {
        OciErrorCode::Denied if error.message.contains("expired") => Some(AGAIN.to_owned()),
        OciErrorCode::Denied | OciErrorCode::Unauthorized => Some(sign_in(host, is_ecr)),
        OciErrorCode::TagInvalid => Some(
            "a tag of this repository stays with the image that it was given to: build the image anew, from other source"
                .to_owned(),
        ),
        OciErrorCode::NameUnknown => Some(format!("make the repository first: {host} does not do it by itself")),
        _ => None,
    };
    (format!("{code}: {}", error.message), hint)
}

fn sign_in(host: &str, is_ecr: bool) -> String {
    match is_ecr {
        true => "the role needs to push to this repository: cargo xtask policies prints what it needs".to_owned(),
        false => format!("sign in first: docker login {host}"),
    }
}

/// The last cause: the wrappers above it say little more than that something failed.
pub(super) fn deepest(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16, message: &str) -> OciDistributionError {
        OciDistributionError::ServerError { code, url: "https://r/v2/x".to_owned(), message: message.to_owned() }
    }

    #[test]
    fn a_refusal_is_told_in_the_registrys_words() {
        let denied = r#"{"errors":[{"code":"DENIED","message":"User: x is not authorized"}]}"#;
        let invalid = r#"{"errors":[{"code":"TAG_INVALID","message":"the repository is immutable"}]}"#;
        for (step, is_ecr, error, says, hint) in [
            (Step::Blob, true, refused(403, denied), "UploadLayerPart", "cargo xtask policies"),
            (Step::Blob, true, refused(403, denied), "DENIED: User: x is not authorized", "cargo xtask policies"),
            (Step::Blob, false, refused(403, denied), "pushing the blob sha256:1 at r was", "docker login r"),
            (Step::Manifest, true, refused(400, invalid), "PutImage", "build the image anew"),
            (Step::Manifest, false, refused(503, "<html>"), "HTTP status 503", "run it again"),
        ] {
            let failure = failure(step, "sha256:1", "r", is_ecr, &error);
            let (said, next) = (failure.to_string(), failure.next().unwrap_or_default());
            assert!(said.contains(says) && next.contains(hint), "{said}: {next}");
        }
    }

    #[test]
    fn what_is_absent_or_passing_is_known() {
        let unknown = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"Requested image not found"}]}"#;
        assert!(matches!(absent::<()>(refused(404, unknown)), Ok(None)));
        assert!(absent::<()>(refused(403, "")).is_err());
        for (code, passing) in [(500, true), (503, true), (429, true), (404, false), (403, false)] {
            assert_eq!(is_transient(&refused(code, "")), passing, "{code}");
        }
    }
}
