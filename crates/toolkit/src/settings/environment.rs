//! The environment that the AWS SDK gets to see: that of the process, with `.env` beneath it.
//!
//! Nothing is set in the process itself: that would be visible to every thread and every child, and could not be told
//! apart from what the user had set.

use std::collections::HashMap;

use super::{Found, Origin, Sources, set};

const KEYS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

/// What the AWS SDK gets to see.
#[derive(Clone, Default)]
pub struct AwsEnvironment {
    /// The variables; blank ones are left out, for the SDK would take them at their word.
    pub variables: HashMap<String, String>,
    /// Where the credentials come from, as far as that is known before anybody is asked.
    pub credentials: Credentials,
    /// The services that are called elsewhere: the variable and its URL.
    pub endpoints: Vec<(String, String)>,
    /// What may not be as the user thinks.
    pub warnings: Vec<String>,
}

/// Where the credentials come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Static keys, from here.
    Keys {
        /// `environment` or `.env:LINE`.
        origin: String,
        /// Whether there is a session token: the keys are temporary.
        session: bool,
    },
    /// Whatever the SDK's chain finds: the profile, a container's role, the instance's role.
    #[default]
    Chain,
}

/// Secrets are among the variables.
impl std::fmt::Debug for AwsEnvironment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsEnvironment").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

impl AwsEnvironment {
    /// Merges the sources. `profile` is the setting as it was found.
    pub(super) fn of(sources: &Sources, profile: Option<&Found>) -> Self {
        let mut variables: HashMap<String, String> = HashMap::new();
        let mut warnings = Vec::new();
        for entry in sources.dotenv.iter().flat_map(|file| &file.entries) {
            if let Some(value) = set(&entry.value) {
                variables.entry(entry.key.clone()).or_insert(value);
            }
        }
        for (key, value) in &sources.environment {
            // Only of AWS's own variables is it known that blank means nothing.
            if !key.starts_with("AWS_") || set(value).is_some() {
                variables.insert(key.clone(), value.clone());
            }
        }
        let credentials = keys(sources, profile, &mut variables, &mut warnings);
        // Handed over by name: see `aws::config`.
        for handed_over in ["AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"] {
            variables.remove(handed_over);
        }
        let mut endpoints: Vec<_> = variables
            .iter()
            .filter(|(key, _)| key.starts_with("AWS_ENDPOINT_URL"))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        endpoints.sort();
        Self { variables, credentials, endpoints, warnings }
    }
}

/// An access key, its secret and its token belong together: they are taken from one source, the one of the access key.
/// A profile from a stronger source than the keys is what the user means by it.
fn keys(
    sources: &Sources,
    profile: Option<&Found>,
    variables: &mut HashMap<String, String>,
    warnings: &mut Vec<String>,
) -> Credentials {
    let of_environment = |key: &str| sources.environment.get(key).and_then(|value| set(value));
    let of_file = |key: &str| Some(sources.dotenv.as_ref()?.get(key)?.value.trim().to_owned());
    let from_environment = of_environment(KEYS[0]).is_some();
    let from_file = !from_environment && of_file(KEYS[0]).is_some();
    for key in KEYS {
        variables.remove(key);
        let value = if from_environment {
            of_environment(key)
        } else if from_file {
            of_file(key)
        } else {
            None
        };
        variables.extend(value.map(|value| (key.to_owned(), value)));
    }
    let origin = match sources.dotenv.as_ref().and_then(|file| Some((file, file.get(KEYS[0])?))) {
        _ if from_environment => "environment".to_owned(),
        Some((file, entry)) if from_file => format!("{}:{}", file.label, entry.line),
        _ => {
            if KEYS[1..].iter().any(|key| of_environment(key).or_else(|| of_file(key)).is_some()) {
                warnings.push(
                    "AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN is set without AWS_ACCESS_KEY_ID: it does nothing"
                        .to_owned(),
                );
            }
            return Credentials::Chain;
        }
    };
    if let Some(Found { value: Some(name), origin: profile_at, .. }) = profile {
        let stronger = match profile_at {
            Origin::Flag(_) => true,
            Origin::Environment(_) => from_file,
            Origin::DotEnv { .. } | Origin::Default => false,
        };
        if stronger {
            for key in KEYS {
                variables.remove(key);
            }
            return Credentials::Chain;
        }
        warnings.push(format!(
            "AWS_ACCESS_KEY_ID ({origin}) and AWS_PROFILE={name} ({profile_at}) are both set: the key is used, not the profile"
        ));
    }
    if !variables.contains_key(KEYS[1]) {
        warnings.push(format!("AWS_ACCESS_KEY_ID ({origin}) is set without AWS_SECRET_ACCESS_KEY: it does nothing"));
    }
    let session = variables.contains_key(KEYS[2]);
    if !session && variables.get(KEYS[0]).is_some_and(|key| key.starts_with("ASIA")) {
        warnings.push(format!(
            "AWS_ACCESS_KEY_ID ({origin}) is a temporary key, and AWS_SESSION_TOKEN is not set beside it: AWS will not know it"
        ));
    }
    Credentials::Keys { origin, session }
}
