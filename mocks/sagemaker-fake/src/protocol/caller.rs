//! Who is calling.

use http::{HeaderMap, StatusCode, header};

use super::{Credential, DEFAULT_REGION};
use crate::account::Caller;
use crate::iam::User;
use crate::iam::access_key::AccessKey;
use crate::store::Records;
use crate::{ApiError, Fake, sts};

/// The region that a request was signed for, and who makes it.
pub(super) fn identify(fake: &Fake, headers: &HeaderMap, query: &str) -> (String, Result<Caller, CredentialFault>) {
    let credential = Credential::of(headers, query);
    let region = credential.as_ref().map_or(DEFAULT_REGION, |credential| credential.region.as_str()).to_owned();
    let who = match (&credential, headers.contains_key(header::AUTHORIZATION)) {
        (Some(given), _) => caller(fake, Some(&given.access_key_id), given.session_token.as_deref()),
        (None, true) => Err(CredentialFault::Malformed),
        (None, false) => Err(CredentialFault::Missing),
    };
    (region, who)
}

/// Who calls with this key and this session token.
///
/// The key of a user is that user; a token that AWS STS issued here is that session. Any other key is the scenario's
/// first user, so that a client with made-up credentials just works: signatures are not verified.
///
/// # Errors
/// When there is no key at all, when the token is one of ours and has expired or was tampered with, or when the user has
/// been deleted.
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

fn user(fake: &Fake, records: &impl Records, key: &str) -> Result<Option<User>, ApiError> {
    let name = match records.get::<AccessKey>(key)? {
        Some(key) => Some(key.user),
        None => fake.scenario.users.first().map(|user| user.name.clone()),
    };
    name.map(|name| records.get(&name.to_lowercase())).transpose().map(Option::flatten)
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
}

impl CredentialFault {
    /// In the words of the query protocol (AWS STS, IAM).
    #[must_use]
    pub fn in_query(self) -> ApiError {
        let (code, message) = match self {
            Self::Missing => ("MissingAuthenticationToken", "Request is missing Authentication Token"),
            Self::Malformed => ("IncompleteSignature", INCOMPLETE),
            Self::Expired => ("ExpiredToken", "The security token included in the request is expired"),
            Self::Invalid => ("InvalidClientTokenId", "The security token included in the request is invalid."),
        };
        let status = if self == Self::Malformed { StatusCode::BAD_REQUEST } else { StatusCode::FORBIDDEN };
        ApiError::new(code, message).with_status(status)
    }

    /// In the words of the JSON protocol (SageMaker, CloudWatch Logs).
    #[must_use]
    pub fn in_json(self) -> ApiError {
        let (code, message) = match self {
            Self::Missing => ("MissingAuthenticationTokenException", "Missing Authentication Token"),
            Self::Malformed => ("IncompleteSignatureException", INCOMPLETE),
            Self::Expired => ("ExpiredTokenException", "The security token included in the request is expired"),
            Self::Invalid => ("UnrecognizedClientException", "The security token included in the request is invalid."),
        };
        ApiError::new(code, message)
    }

    /// In the words of S3.
    #[must_use]
    pub fn in_s3(self) -> ApiError {
        let (code, message, status) = match self {
            Self::Missing => ("AccessDenied", "Access Denied", StatusCode::FORBIDDEN),
            Self::Malformed => (
                "AuthorizationHeaderMalformed",
                "The authorization header that you provided is not valid.",
                StatusCode::BAD_REQUEST,
            ),
            Self::Expired => ("ExpiredToken", "The provided token has expired.", StatusCode::BAD_REQUEST),
            Self::Invalid => {
                ("InvalidToken", "The provided token is malformed or otherwise invalid.", StatusCode::BAD_REQUEST)
            }
        };
        ApiError::new(code, message).with_status(status)
    }
}

const INCOMPLETE: &str = "Authorization header requires 'Credential' parameter.";
