//! What a client of the registry signs in with: the user `AWS`, whose password is a session of whoever asked for it.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};
use serde_json::{Value, json};

use crate::account::Caller;
use crate::fake::Context;
use crate::protocol::CredentialFault;
use crate::sts::session::{self, NewSession};
use crate::{ApiError, Fake};

const USER: &str = "AWS";

/// As long as ECR's tokens last.
const LIFETIME: Duration = Duration::from_secs(12 * 3600);

pub(super) fn get(context: &Context<'_>, _: &Value) -> Result<Value, ApiError> {
    let Context { fake, caller, region, host } = *context;
    let expires = SystemTime::now() + LIFETIME;
    let context = caller.session.clone().unwrap_or_default();
    let session =
        session::issue(fake, NewSession { arn: caller.arn.clone(), user_id: caller.user_id.clone(), context, expires });
    let password = STANDARD.encode(format!("{region}:{}", session.token));
    // As ECR says which host is the registry: here the one that was asked is.
    let host = host.ok_or_else(|| ApiError::internal("a token was asked for by nobody who could be sent a URL"))?;
    Ok(json!({"authorizationData": [{
        "authorizationToken": STANDARD.encode(format!("{USER}:{password}")),
        "expiresAt": session::seconds(expires),
        "proxyEndpoint": format!("http://{host}"),
    }]}))
}

/// Who signs in at the registry, and in which region: a token is for the region that it was asked for in.
///
/// # Errors
/// Why not.
pub(super) fn read(fake: &Fake, headers: &HeaderMap) -> Result<(String, Caller), CredentialFault> {
    let given = headers.get(header::AUTHORIZATION).ok_or(CredentialFault::Missing)?;
    let decoded = |text: &str| STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let basic = given.to_str().ok().and_then(|value| value.strip_prefix("Basic ")).and_then(decoded);
    let basic = basic.ok_or(CredentialFault::Malformed)?;
    let password = basic.strip_prefix(USER).and_then(|rest| rest.strip_prefix(':')).and_then(decoded);
    let password = password.ok_or(CredentialFault::Invalid)?;
    let (region, token) = password.split_once(':').ok_or(CredentialFault::Invalid)?;
    let session = session::read(fake, token)?.ok_or(CredentialFault::Invalid)?;
    Ok((region.to_owned(), session.caller))
}
