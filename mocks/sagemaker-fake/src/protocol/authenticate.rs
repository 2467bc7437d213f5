//! Whether a request comes from whom its signature names.

use http::header;

use super::caller::{self, CredentialFault};
use super::credential::{Credential, DEFAULT_REGION};
use super::signature::{self, Request};
use crate::Fake;
use crate::account::Caller;

/// How far a client's clock may be off for AWS STS, IAM and S3, in seconds.
pub const QUARTER_OF_AN_HOUR: i64 = 15 * 60;

/// The same for the services that speak JSON: their refusals say "5 min.".
pub const FIVE_MINUTES: i64 = 5 * 60;

/// The region that a request was signed for, and who makes it. The client's clock may be off by `tolerance` seconds.
pub(super) fn identify(
    fake: &Fake,
    request: &Request<'_>,
    tolerance: i64,
) -> (String, Result<Caller, CredentialFault>) {
    let credential = Credential::of(request.headers, request.query);
    let who = authenticate(fake, credential.as_ref(), request, tolerance);
    (credential.map_or_else(|| DEFAULT_REGION.to_owned(), |credential| credential.region), who)
}

/// Who made this request, which carries this credential.
///
/// A fake that enforces IAM verifies the signature, by the clock of the account; any other takes it as it comes.
///
/// # Errors
/// What is wrong with the credential, or with the signature.
pub fn authenticate(
    fake: &Fake,
    credential: Option<&Credential>,
    request: &Request<'_>,
    tolerance: i64,
) -> Result<Caller, CredentialFault> {
    let Some(given) = credential else {
        let signed = request.headers.contains_key(header::AUTHORIZATION);
        return Err(if signed { CredentialFault::Malformed } else { CredentialFault::Missing });
    };
    let (key, token) = (given.access_key_id.as_str(), given.session_token.as_deref());
    if !fake.enforces_iam() {
        return caller::caller(fake, Some(key), token);
    }
    let (caller, secret) = caller::known(fake, key, token)?;
    signature::verify(request, &secret, fake.account_time(), tolerance)?;
    Ok(caller)
}
