//! Whose account this is: the scenario it starts from, its users and roles, and who is calling.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::store::Record;

/// An account as data: what `mocks/scenarios/NAME.toml` holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The twelve digits of the account.
    pub account: String,
    /// The first one is who calls with a key that nobody issued.
    pub users: Vec<User>,
    /// The roles that exist from the start.
    #[serde(default)]
    pub roles: Vec<ScenarioRole>,
}

/// An IAM user with one access key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The user's name, without a path.
    pub name: String,
    /// The key that names the user in a signature.
    pub access_key_id: String,
    /// The key that signs.
    pub secret_access_key: String,
}

/// A role that exists from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioRole {
    name: String,
    #[serde(default = "root_path")]
    path: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default = "one_hour")]
    max_session_duration_seconds: u32,
    trust: String,
}

fn root_path() -> String {
    "/".to_owned()
}

fn one_hour() -> u32 {
    3600
}

/// The scenarios that come with the fake, by name.
const SCENARIOS: &[(&str, &str)] = &[("ready", include_str!("../../scenarios/ready.toml"))];

impl Scenario {
    /// The default scenario: an account in which everything is as it should be.
    #[must_use]
    pub fn ready() -> Self {
        toml::from_str(SCENARIOS[0].1).expect("a test reads every scenario")
    }

    /// The scenario of this name.
    ///
    /// # Errors
    /// A sentence that lists the names there are.
    pub fn named(name: &str) -> Result<Self, String> {
        let Some((_, text)) = SCENARIOS.iter().find(|(known, _)| *known == name) else {
            let known: Vec<_> = SCENARIOS.iter().map(|(name, _)| *name).collect();
            return Err(format!("there is no scenario `{name}`; there are: {}", known.join(", ")));
        };
        toml::from_str(text).map_err(|error| format!("scenario `{name}`: {error}"))
    }

    /// The ARNs of the roles that exist from the start.
    pub fn role_arns(&self) -> impl Iterator<Item = String> {
        self.roles.iter().map(|role| format!("arn:aws:iam::{}:role{}{}", self.account, role.path, role.name))
    }

    /// The scenario's roles as the store keeps them.
    pub(crate) fn role_records(&self, now: Timestamp) -> impl Iterator<Item = Role> {
        self.roles.iter().map(move |role| Role {
            arn: format!("arn:aws:iam::{}:role{}{}", self.account, role.path, role.name),
            role_id: iam_id("AROA", &role.name),
            name: role.name.clone(),
            path: role.path.clone(),
            description: role.description.clone(),
            max_session_duration_seconds: role.max_session_duration_seconds,
            trust: role.trust.trim().to_owned(),
            created: now,
        })
    }
}

impl User {
    /// `AIDA` and 17 more.
    #[must_use]
    pub fn id(&self) -> String {
        iam_id("AIDA", &self.name)
    }
}

/// The same id for the same name, so that a fresh account looks the same every time.
fn iam_id(prefix: &str, name: &str) -> String {
    use sha2::Digest;
    let hash = sha2::Sha256::digest(name);
    let id: String = hash
        .iter()
        .take(17)
        .map(|byte| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[usize::from(byte % 32)]))
        .collect();
    format!("{prefix}{id}")
}

/// An IAM role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Role {
    /// With its path.
    pub arn: String,
    /// `AROA` and 17 more.
    pub role_id: String,
    /// Without its path.
    pub name: String,
    /// Begins and ends with `/`.
    pub path: String,
    /// Free text.
    pub description: Option<String>,
    /// The longest session that may be asked for.
    pub max_session_duration_seconds: u32,
    /// The trust policy, as JSON text.
    pub trust: String,
    /// When it was made.
    pub created: Timestamp,
}

impl Record for Role {
    const KIND: &'static str = "role";
    /// IAM is global, and role names are unique whatever their case.
    fn key(&self) -> String {
        self.name.to_lowercase()
    }
}

/// Who is calling, as the credentials of the request say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// A user's ARN, or `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
    pub arn: String,
    /// `AIDA...` of a user, `AROA...:SESSION` of a session.
    pub user_id: String,
    /// The account it belongs to.
    pub account: String,
    /// The tags of the session; a user has none.
    pub session_tags: Vec<(String, String)>,
}

impl Caller {
    /// Whether it is a session of a role, and no user.
    #[must_use]
    pub fn is_session(&self) -> bool {
        self.arn.contains(":assumed-role/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_readable() {
        for (name, _) in SCENARIOS {
            let scenario = Scenario::named(name).unwrap();
            assert!(!scenario.users.is_empty(), "{name} needs a user to call as");
            for role in scenario.role_records(Timestamp(0)) {
                serde_json::from_str::<serde_json::Value>(&role.trust)
                    .unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }

    #[test]
    fn an_unknown_scenario_lists_the_known_ones() {
        assert_eq!(Scenario::named("reddy").unwrap_err(), "there is no scenario `reddy`; there are: ready");
    }
}
