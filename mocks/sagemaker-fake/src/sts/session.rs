//! Sessions of roles and users. They are kept nowhere: the token says all there is to know, and nobody else can make one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Fake;
use crate::account::{Caller, Keys, Scenario, SessionContext};
use crate::iam::Role;
use crate::protocol::CredentialFault;

/// What a session is to be.
pub struct NewSession {
    /// Who calls in it: a user's ARN, or that of a session of a role.
    pub arn: String,
    /// The caller's id.
    pub user_id: String,
    /// What it carries.
    pub context: SessionContext,
    /// When it ends, by real time.
    pub expires: SystemTime,
}

impl NewSession {
    /// A session of a role.
    #[must_use]
    pub fn of_role(fake: &Fake, role: &Role, name: &str, context: SessionContext, expires: SystemTime) -> Self {
        Self {
            arn: format!("arn:aws:sts::{}:assumed-role/{}/{name}", fake.account(), role.name),
            user_id: format!("{}:{name}", role.id),
            context,
            expires,
        }
    }
}

/// A session with its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// `ASIA` and 16 more.
    pub access_key_id: String,
    /// Follows from the token.
    pub secret_access_key: String,
    /// Opaque to clients.
    pub token: String,
    /// Who calls with it.
    pub caller: Caller,
}

/// What a token carries.
#[derive(Serialize, Deserialize)]
struct Claims {
    key: String,
    arn: String,
    id: String,
    #[serde(flatten)]
    context: SessionContext,
    /// Seconds since 1970.
    expires: u64,
}

/// How a token of ours begins. Any other is some real session's, of an account that the fake knows nothing of.
const PREFIX: &str = "IQoJc2FnZW1ha2VyLWZha2U";

/// Issues a session.
#[must_use]
pub fn issue(fake: &Fake, new: NewSession) -> Session {
    let claims = Claims {
        key: format!("ASIA{}", fake.ids.base32(16)),
        arn: new.arn,
        id: new.user_id,
        context: new.context,
        expires: seconds(new.expires),
    };
    sealed(&fake.scenario(), claims)
}

/// The keys of a session of the first user's, that has ended.
#[must_use]
pub fn expired(scenario: &Scenario) -> Keys {
    let arn =
        scenario.users.first().map(|user| format!("arn:aws:iam::{}:user{}{}", scenario.account, user.path, user.name));
    let claims = Claims {
        key: "ASIAIOSFODNN7EXAMPLE".to_owned(),
        arn: arn.unwrap_or_default(),
        id: String::new(),
        context: SessionContext::default(),
        expires: 1,
    };
    let Session { access_key_id, secret_access_key, token, .. } = sealed(scenario, claims);
    Keys { access_key_id, secret_access_key, session_token: Some(token) }
}

fn sealed(scenario: &Scenario, claims: Claims) -> Session {
    let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).unwrap_or_default());
    let token = format!("{PREFIX}.{payload}.{}", URL_SAFE_NO_PAD.encode(seal(scenario, &payload)));
    session(scenario, token, claims)
}

/// The session of a token; nothing if the token is none of ours.
///
/// # Errors
/// `Expired`, or `Invalid` for a token of ours that was tampered with.
pub fn read(fake: &Fake, token: &str) -> Result<Option<Session>, CredentialFault> {
    let Some(rest) = token.strip_prefix(PREFIX) else { return Ok(None) };
    let (payload, mark) =
        rest.strip_prefix('.').and_then(|rest| rest.split_once('.')).ok_or(CredentialFault::Invalid)?;
    let decode = |text| URL_SAFE_NO_PAD.decode(text).map_err(|_| CredentialFault::Invalid);
    if decode(mark)? != seal(&fake.scenario(), payload) {
        return Err(CredentialFault::Invalid);
    }
    let claims: Claims = serde_json::from_slice(&decode(payload)?).map_err(|_| CredentialFault::Invalid)?;
    if UNIX_EPOCH + Duration::from_secs(claims.expires) <= SystemTime::now() {
        return Err(CredentialFault::Expired);
    }
    Ok(Some(session(&fake.scenario(), token.to_owned(), claims)))
}

fn session(scenario: &Scenario, token: String, claims: Claims) -> Session {
    let account = scenario.account.clone();
    let caller = Caller { arn: claims.arn, user_id: claims.id, account, session: Some(claims.context) };
    // 30 bytes are the 40 characters that a secret key has.
    let secret_access_key = STANDARD.encode(&seal(scenario, &format!("secret of {}", claims.key))[..30]);
    Session { access_key_id: claims.key, secret_access_key, token, caller }
}

/// Seconds since 1970.
pub fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Only who knows the secrets of the account can make this: a hash keyed twice, so that nothing can be appended.
fn seal(scenario: &Scenario, text: &str) -> Vec<u8> {
    let key: String = scenario.users.iter().map(|user| user.secret_access_key.as_str()).collect();
    let inner = Sha256::new().chain_update(&key).chain_update([0]).chain_update(text).finalize();
    Sha256::new().chain_update(&key).chain_update([1]).chain_update(inner).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::caller;
    use crate::store::Records;

    fn new_session(fake: &Fake, expires: SystemTime) -> Session {
        let role = fake.store.read(|view| view.get::<Role>("sts-execution")).unwrap().unwrap();
        let context = SessionContext { tags: vec![("Project".into(), "sts".into())], ..SessionContext::default() };
        issue(fake, NewSession::of_role(fake, &role, "me", context, expires))
    }

    #[tokio::test]
    async fn a_token_is_the_session_it_was_issued_for() {
        let fake = Fake::builder().build().unwrap();
        let session = new_session(&fake, SystemTime::now() + Duration::from_secs(60));
        let found = caller(&fake, Some(&session.access_key_id), Some(&session.token)).unwrap();
        assert_eq!(found, session.caller);
        assert_eq!(found.arn, "arn:aws:sts::111122223333:assumed-role/sts-execution/me");
        assert_eq!(found.session_tags(), [("Project".to_owned(), "sts".to_owned())]);
        assert_eq!(session.secret_access_key.len(), 40);
        assert_eq!(read(&fake, &session.token), Ok(Some(session)));
    }

    #[tokio::test]
    async fn expired_foreign_and_forged_tokens() {
        let fake = Fake::builder().build().unwrap();
        let session = new_session(&fake, SystemTime::now() - Duration::from_secs(1));
        assert_eq!(caller(&fake, Some(&session.access_key_id), Some(&session.token)), Err(CredentialFault::Expired));

        let session = new_session(&fake, SystemTime::now() + Duration::from_secs(60));
        assert_eq!(caller(&fake, Some("ASIAOTHER"), Some(&session.token)), Err(CredentialFault::Invalid));
        let (rest, mark) = session.token.rsplit_once('.').unwrap();
        for forged in [format!("{rest}x.{mark}"), format!("{rest}.x{mark}"), rest.to_owned()] {
            assert_eq!(
                caller(&fake, Some(&session.access_key_id), Some(&forged)),
                Err(CredentialFault::Invalid),
                "{forged}"
            );
        }

        let user = caller(&fake, Some("testing"), Some("a token of another account")).unwrap();
        assert_eq!(user.arn, "arn:aws:iam::111122223333:user/sts-developer");
        assert_eq!(caller(&fake, None, None), Err(CredentialFault::Missing));
    }
}
