//! Names, ARNs, and who did something.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::Caller;
use crate::fake::Context;

/// What tells a regional resource from others of its kind. AWS has written names in ARNs in lower case for years, so no
/// two names differ by case alone.
#[must_use]
pub fn key(region: &str, name: &str) -> String {
    format!("{region}/{}", name.to_lowercase())
}

/// The name in `given`, which may be an ARN instead. Nothing if it is an ARN of another kind, region or account.
///
/// `kind` is as ARNs have it, e.g. `pipeline`.
#[must_use]
pub fn plain<'a>(context: &Context<'_>, kind: &str, given: &'a str) -> Option<&'a str> {
    if given.starts_with("arn:") {
        given.strip_prefix(context.sagemaker_arn(kind).as_str())?.strip_prefix('/')
    } else {
        Some(given)
    }
}

/// Who created or changed a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserContext {
    /// The caller's ARN.
    pub arn: String,
    /// `AIDA...` of a user, `AROA...:SESSION` of a session.
    pub principal_id: String,
}

impl UserContext {
    /// The caller of this request.
    #[must_use]
    pub fn of(caller: &Caller) -> Self {
        Self { arn: caller.arn.clone(), principal_id: caller.user_id.clone() }
    }

    /// As AWS answers it.
    #[must_use]
    pub fn shape(&self) -> Value {
        json!({"IamIdentity": {"Arn": self.arn, "PrincipalId": self.principal_id}})
    }
}
