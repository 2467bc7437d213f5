//! Whose account this is: the scenario it starts from, and who is calling.

mod variation;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::faults::Rule;
use crate::protocol::DEFAULT_REGION;
use crate::store::Record;

/// An account as data: what `mocks/scenarios/NAME.toml` holds.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is called.
    #[serde(skip)]
    pub name: String,
    /// The twelve digits of the account.
    pub account: String,
    /// The first one is who calls with a key that nobody issued.
    pub users: Vec<ScenarioUser>,
    /// The roles that exist from the start.
    #[serde(default)]
    pub roles: Vec<ScenarioRole>,
    /// The managed policies that exist from the start, beside AWS's own.
    #[serde(default)]
    pub policies: Vec<ScenarioPolicy>,
    /// What the organisation lets the account do: a document for each level from the root to the account, each of which
    /// must allow. Without any, the account is in no organisation.
    #[serde(default)]
    pub service_control_policies: Vec<String>,
    /// The buckets that exist from the start, this account's and others'.
    #[serde(default)]
    pub buckets: Vec<ScenarioBucket>,
    /// The endpoints that serve from the start.
    #[serde(default)]
    pub endpoints: Vec<ScenarioEndpoint>,
    /// The values of service quotas that are not AWS's defaults, by the names of the quotas.
    #[serde(default)]
    pub quotas: BTreeMap<String, f64>,
    /// Whether signatures are verified and every call is authorised, as AWS does.
    #[serde(default)]
    pub enforce_iam: bool,
    /// What a client of the account has in its hands.
    #[serde(default)]
    pub client: ScenarioClient,
    /// What goes wrong.
    #[serde(default)]
    pub faults: Vec<Rule>,
}

/// The scenario that an account began as, for whoever opens the state next.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Began {
    /// Its name.
    pub scenario: String,
}

impl Record for Began {
    const KIND: &'static str = "account";
    fn key(&self) -> String {
        Self::KEY.to_owned()
    }
}

impl Began {
    /// There is one.
    pub(crate) const KEY: &'static str = "began";
}

/// What a client of a scenario's account has in its hands.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScenarioClient {
    /// What it signs with.
    pub credentials: ClientCredentials,
    /// The ARN of the role that it is told to use, if that is not the first one.
    pub role: Option<String>,
    /// How far the account's clock is ahead of the client's, in seconds.
    pub clock_skew: i64,
}

/// What a client signs with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCredentials {
    /// The keys of the first user.
    #[default]
    Own,
    /// Nothing.
    None,
    /// The first user's key, with the secret of another.
    WrongSecret,
    /// A session of the first user's, that has ended.
    ExpiredSession,
}

/// Keys to sign with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// `AKIA...`, or `ASIA...` of a session.
    pub access_key_id: String,
    /// What signs.
    pub secret_access_key: String,
    /// Of a session.
    pub session_token: Option<String>,
}

/// The policies of a user or role that exists from the start.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScenarioPolicies {
    /// The documents of its inline policies, by their names.
    pub inline: BTreeMap<String, String>,
    /// The ARNs of the managed policies that are attached to it.
    pub attached: BTreeSet<String>,
    /// The ARN of the managed policy that is its permissions boundary.
    pub boundary: Option<String>,
}

/// An IAM user with one access key, that exists from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioUser {
    /// The user's name, without its path.
    pub name: String,
    /// Begins and ends with `/`.
    #[serde(default = "root_path")]
    pub path: String,
    /// The key that names the user in a signature.
    pub access_key_id: String,
    /// The key that signs.
    pub secret_access_key: String,
    /// What it may do.
    #[serde(default)]
    pub policies: ScenarioPolicies,
}

/// A role that exists from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioRole {
    /// The role's name, without its path.
    pub name: String,
    /// Begins and ends with `/`.
    #[serde(default = "root_path")]
    pub path: String,
    /// Free text.
    #[serde(default)]
    pub description: Option<String>,
    /// The longest session that may be asked for.
    #[serde(default = "one_hour")]
    pub max_session_duration_seconds: u32,
    /// The trust policy, as JSON text.
    pub trust: String,
    /// What it may do.
    #[serde(default)]
    pub policies: ScenarioPolicies,
}

/// A managed policy that exists from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioPolicy {
    /// The policy's name, without its path.
    pub name: String,
    /// Begins and ends with `/`.
    #[serde(default = "root_path")]
    pub path: String,
    /// JSON text.
    pub document: String,
}

/// A bucket that exists from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioBucket {
    /// Unique among all accounts.
    pub name: String,
    /// The region it is in.
    #[serde(default = "default_region")]
    pub region: String,
    /// The account that owns it, if that is not this one.
    #[serde(default)]
    pub owner: Option<String>,
    /// The bucket policy, as JSON text. Whoever takes a name that others will use lets them in, to see what they bring.
    #[serde(default)]
    pub policy: Option<String>,
}

/// An endpoint that serves from the start: a model of ours, on one instance.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioEndpoint {
    /// Its name, and that of its configuration and its model.
    pub name: String,
    /// The region it is in.
    #[serde(default = "default_region")]
    pub region: String,
    /// E.g. `ml.m5.large`.
    pub instance_type: String,
    /// How long ago it was created.
    pub age_days: u16,
    /// Its tags, and those of its configuration and its model.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

fn root_path() -> String {
    "/".to_owned()
}

fn one_hour() -> u32 {
    crate::iam::role::DEFAULT_SESSION_SECONDS
}

fn default_region() -> String {
    DEFAULT_REGION.to_owned()
}

/// Names scenarios, and brings their texts along.
macro_rules! scenarios {
    ($($name:literal,)+) => {
        &[$(($name, include_str!(concat!("../../scenarios/", $name, ".toml"))),)+]
    };
}

/// The scenarios that come with the fake, by name.
const SCENARIOS: &[(&str, &str)] = scenarios![
    "ready",
    "boundary-blocks",
    "bucket-in-other-region",
    "bucket-squatted",
    "cannot-simulate",
    "clock-skew",
    "endpoint-left-running",
    "expired-token",
    "explicit-deny",
    "fresh-account",
    "missing-deploy",
    "missing-logs",
    "missing-monitoring",
    "missing-pass-role",
    "missing-s3",
    "missing-training",
    "no-assume-role",
    "no-credentials",
    "quota-zero",
    "role-in-other-account",
    "role-missing",
    "scp-denies",
    "trust-without-sagemaker",
    "trust-without-tag-session",
    "trust-without-user",
    "trust-wrong-source-account",
    "wrong-secret",
];

fn text_of(name: &str) -> Option<&'static str> {
    SCENARIOS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

impl Scenario {
    /// The default scenario: an account in which everything is as it should be.
    #[must_use]
    pub fn ready() -> Self {
        Self::named("ready").expect("a test reads every scenario")
    }

    /// The scenario of this name.
    ///
    /// # Errors
    /// A sentence that lists the names there are.
    pub fn named(name: &str) -> Result<Self, String> {
        let Some(text) = text_of(name) else {
            let known: Vec<_> = Self::names().collect();
            let alike = |known: &&str| strsim::damerau_levenshtein(name, known) <= 3;
            let meant =
                known.iter().copied().filter(alike).min_by_key(|known| strsim::damerau_levenshtein(name, known));
            let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_else(|| ";".to_owned());
            return Err(format!("there is no scenario `{name}`{meant} there are: {}", known.join(", ")));
        };
        let whole = variation::whole(text, &text_of);
        let scenario = whole.and_then(|table| table.try_into().map_err(|error: toml::de::Error| error.to_string()));
        let named = |scenario: Self| Self { name: name.to_owned(), ..scenario };
        scenario.map(named).map_err(|error| format!("scenario `{name}`: {error}"))
    }

    /// The names of all scenarios, the default one first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SCENARIOS.iter().map(|(name, _)| *name)
    }

    /// What a client of the account signs with; nothing if it has nothing.
    #[must_use]
    pub fn client_keys(&self) -> Option<Keys> {
        let user = self.users.first()?;
        let own = Keys {
            access_key_id: user.access_key_id.clone(),
            secret_access_key: user.secret_access_key.clone(),
            session_token: None,
        };
        match self.client.credentials {
            ClientCredentials::Own => Some(own),
            ClientCredentials::None => None,
            ClientCredentials::WrongSecret => {
                Some(Keys { secret_access_key: own.secret_access_key.to_lowercase(), ..own })
            }
            ClientCredentials::ExpiredSession => Some(crate::sts::session::expired(self)),
        }
    }

    /// The role that a client of the account is told to use.
    #[must_use]
    pub fn client_role(&self) -> Option<String> {
        self.client.role.clone().or_else(|| self.role_arns().next())
    }

    /// The ARNs of the roles that exist from the start.
    pub fn role_arns(&self) -> impl Iterator<Item = String> {
        self.roles.iter().map(|role| format!("arn:aws:iam::{}:role{}{}", self.account, role.path, role.name))
    }
}

/// Who is calling, as the credentials of the request say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// A user's ARN, or `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`.
    pub arn: String,
    /// `AIDA...` of a user, `AROA...:SESSION` of a session of a role.
    pub user_id: String,
    /// The account it belongs to.
    pub account: String,
    /// What its temporary credentials carry; nothing if it calls with a user's long-term key.
    pub session: Option<SessionContext>,
}

/// What temporary credentials carry: what was said when they were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionContext {
    /// The tags of the session, inherited ones included.
    pub tags: Vec<(String, String)>,
    /// The keys of those tags that sessions of this session inherit.
    #[serde(default)]
    pub transitive_tag_keys: Vec<String>,
    /// The session policy, as JSON text.
    #[serde(default)]
    pub policy: Option<String>,
    /// The ARNs of the managed policies that are session policies too.
    #[serde(default)]
    pub policy_arns: Vec<String>,
    /// Who is behind all this.
    #[serde(default)]
    pub source_identity: Option<String>,
    /// When the session began, in seconds since 1970, by real time.
    #[serde(default)]
    pub issued: u64,
}

impl Caller {
    /// Whether it is a session of a role, and no user.
    #[must_use]
    pub fn is_role_session(&self) -> bool {
        self.arn.contains(":assumed-role/")
    }

    /// The tags of the session; a user has none.
    #[must_use]
    pub fn session_tags(&self) -> &[(String, String)] {
        self.session.as_ref().map_or(&[], |session| &session.tags)
    }
}

#[cfg(test)]
mod tests {
    use iam_policy::Kind;

    use super::*;

    #[test]
    fn every_scenario_is_readable() {
        for (name, _) in SCENARIOS {
            let scenario = Scenario::named(name).unwrap();
            assert!(!scenario.users.is_empty(), "{name} needs a user to call as");
            let own =
                scenario.users.iter().map(|user| &user.policies).chain(scenario.roles.iter().map(|r| &r.policies));
            let identity = own.flat_map(|policies| policies.inline.values());
            let identity = identity.chain(scenario.policies.iter().map(|policy| &policy.document));
            let documents = identity.map(|document| (document, Kind::Identity));
            let documents = documents.chain(scenario.roles.iter().map(|role| (&role.trust, Kind::Trust)));
            let documents = documents.chain(scenario.service_control_policies.iter().map(|policy| (policy, Kind::Scp)));
            for (document, kind) in documents {
                crate::iam::check_document(document.trim(), kind)
                    .unwrap_or_else(|error| panic!("{name}: {error}: {document}"));
            }
        }
    }

    #[test]
    fn a_scenario_sets_only_quotas_that_there_are() {
        for (name, _) in SCENARIOS {
            for quota in Scenario::named(name).unwrap().quotas.keys() {
                assert!(crate::service_quotas::is_known(quota), "{name}: {quota}");
            }
        }
    }

    /// What the README tells people to write is what the fake lets them try.
    #[test]
    fn the_policies_of_ready_are_those_of_the_readme() {
        let blocks = include_str!("../../../README.md").split("```json").skip(1);
        let blocks: Vec<_> = blocks.filter_map(|rest| rest.split("```").next()).map(str::trim).collect();
        let ready = Scenario::ready();
        let (user, role) = (&ready.users[0], &ready.roles[0]);
        let of_user = user.policies.inline.values().map(|policy| policy.trim());
        let of_role = role.policies.inline.values().map(|policy| policy.trim());
        let kept: Vec<_> = of_user.chain([role.trust.trim()]).chain(of_role).collect();
        assert_eq!(kept, blocks);
    }

    #[test]
    fn an_unknown_scenario_lists_the_known_ones() {
        let said = Scenario::named("reddy").unwrap_err();
        assert!(
            said.starts_with("there is no scenario `reddy`; did you mean `ready`? there are: ready, boundary-blocks, "),
            "{said}"
        );
    }

    #[test]
    fn every_scenario_file_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let files: BTreeSet<_> = files.map(|name| name.trim_end_matches(".toml").to_owned()).collect();
        assert_eq!(files, Scenario::names().map(str::to_owned).collect());
    }
}
