//! Who is calling.

use std::sync::Arc;

use http::StatusCode;

use super::signature::{SignatureFault, Skew};
use crate::account::Caller;
use crate::iam::User;
use crate::iam::access_key::AccessKey;
use crate::store::{Records, View};
use crate::{ApiError, Fake, sts};

/// Who calls with this key and this session token.
///
/// The key of a user is that user; a token that AWS STS issued here is that session. Any other key is the scenario's
/// first user, so that a client with made-up credentials just works: signatures are not verified.
///
/// # Errors
/// When there is no key at all, when it was switched off, when the token is one of ours and has expired or was tampered
/// with, or when the user has been deleted.
pub fn caller(
    fake: &Fake,
    access_key_id: Option<&str>,
    session_token: Option<&str>,
) -> Result<Caller, CredentialFault> {
    let key = access_key_id.filter(|key| !key.is_empty()).ok_or(CredentialFault::Missing)?;
    if let Some(session) = session_token.map(|token| sts::session::read(fake, token)).transpose()?.flatten() {
        return if session.access_key_id == key { Ok(session.caller) } else { Err(CredentialFault::Invalid) };
    }
    // A store that cannot be read knows no user; the reason has been logged.
    let user = fake.store.read(|view| user(fake, view, key)).ok().flatten().ok_or(CredentialFault::Invalid)?;
    Ok(Caller { arn: user.arn.clone(), user_id: user.id.clone(), account: fake.account().to_owned(), session: None })
}

/// The same where nobody may make anything up: who calls with a key that was issued here, and the secret that signs.
///
/// # Errors
/// Also when nobody has this key, or has it without this token.
pub(super) fn known(fake: &Fake, key: &str, session_token: Option<&str>) -> Result<(Caller, String), CredentialFault> {
    if key.is_empty() {
        return Err(CredentialFault::Missing);
    }
    if let Some(token) = session_token {
        let session = sts::session::read(fake, token)?.ok_or(CredentialFault::Invalid)?;
        let known = session.access_key_id == key;
        return if known { Ok((session.caller, session.secret_access_key)) } else { Err(CredentialFault::Invalid) };
    }
    let secret = fake.store.read(|view| view.get::<AccessKey>(key)).ok().flatten();
    let secret = secret.filter(|key| !key.inactive).ok_or(CredentialFault::UnknownKey)?.secret;
    Ok((caller(fake, Some(key), None)?, secret))
}

fn user(fake: &Fake, view: &View, key: &str) -> Result<Option<Arc<User>>, ApiError> {
    let name = match view.get::<AccessKey>(key)? {
        Some(key) if key.inactive => None,
        Some(key) => Some(key.user),
        None => fake.scenario().users.first().map(|user| user.name.clone()),
    };
    name.map(|name| view.shared(&name.to_lowercase())).transpose().map(Option::flatten)
}

/// What can be wrong with credentials. Every protocol has its own words for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialFault {
    /// The request is not signed.
    Missing,
    /// The `Authorization` header cannot be read.
    Malformed,
    /// The session has ended.
    Expired,
    /// The token was tampered with, or belongs to another key.
    Invalid,
    /// Nobody has this key.
    UnknownKey,
    /// The signature was made with another secret, or something was changed on the way.
    Mismatch,
    /// The client's clock is off.
    Skewed(Skew),
    /// It is signed by Signature Version 2.
    Outdated,
}

impl From<SignatureFault> for CredentialFault {
    fn from(fault: SignatureFault) -> Self {
        match fault {
            SignatureFault::Incomplete => Self::Malformed,
            SignatureFault::Mismatch => Self::Mismatch,
            SignatureFault::Skewed(skew) => Self::Skewed(skew),
        }
    }
}

impl CredentialFault {
    /// In the words of the query protocol (AWS STS, IAM).
    #[must_use]
    pub fn in_query(self) -> ApiError {
        let (code, message) = match self {
            Self::Missing => ("MissingAuthenticationToken", "Request is missing Authentication Token"),
            Self::Malformed | Self::Outdated => ("IncompleteSignature", INCOMPLETE),
            Self::Expired => ("ExpiredToken", "The security token included in the request is expired"),
            Self::Invalid | Self::UnknownKey => ("InvalidClientTokenId", INVALID),
            Self::Mismatch => ("SignatureDoesNotMatch", MISMATCH),
            Self::Skewed(skew) => ("SignatureDoesNotMatch", &*skew.sentence()),
        };
        let status = if code == "IncompleteSignature" { StatusCode::BAD_REQUEST } else { StatusCode::FORBIDDEN };
        ApiError::new(code, message).with_status(status)
    }

    /// In the words of the JSON protocol (SageMaker, CloudWatch Logs).
    #[must_use]
    pub fn in_json(self) -> ApiError {
        let (code, message) = match self {
            Self::Missing => ("MissingAuthenticationTokenException", "Missing Authentication Token"),
            Self::Malformed | Self::Outdated => ("IncompleteSignatureException", INCOMPLETE),
            Self::Expired => ("ExpiredTokenException", "The security token included in the request is expired"),
            Self::Invalid | Self::UnknownKey => ("UnrecognizedClientException", INVALID),
            Self::Mismatch => ("InvalidSignatureException", MISMATCH),
            Self::Skewed(skew) => ("InvalidSignatureException", &*skew.sentence()),
        };
        ApiError::new(code, message)
    }

    /// In the words of S3.
    #[must_use]
    pub fn in_s3(self) -> ApiError {
        let (code, message) = match self {
            Self::Missing => ("AccessDenied", "Access Denied"),
            Self::Malformed => {
                ("AuthorizationHeaderMalformed", "The authorization header that you provided is not valid.")
            }
            Self::Expired => ("ExpiredToken", "The provided token has expired."),
            Self::Invalid => ("InvalidToken", "The provided token is malformed or otherwise invalid."),
            Self::UnknownKey => {
                ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
            }
            Self::Mismatch => (
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and signing \
                 method.",
            ),
            Self::Skewed(_) => {
                ("RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
            }
            Self::Outdated => (
                "InvalidRequest",
                "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
            ),
        };
        let status = match self {
            Self::Malformed | Self::Expired | Self::Invalid | Self::Outdated => StatusCode::BAD_REQUEST,
            Self::Missing | Self::UnknownKey | Self::Mismatch | Self::Skewed(_) => StatusCode::FORBIDDEN,
        };
        ApiError::new(code, message).with_status(status)
    }
}

const INCOMPLETE: &str = "Authorization header requires 'Credential' parameter.";

const INVALID: &str = "The security token included in the request is invalid.";

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                        Access Key and signing method. Consult the service documentation for details.";
