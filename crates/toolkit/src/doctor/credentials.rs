//! Credentials: whether there are any, and whether they last. What `~/.aws` can tell is looked up before the SDK asks the
//! network, so that the answer comes at once and names the profile.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_runtime::env_config::section::EnvConfigSections;
use aws_runtime::env_config::source;
use aws_types::os_shim_internal::{Env, Fs};
use serde_json::Value;
use sha1::{Digest, Sha1};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::finding::{Finding, Repair};
use crate::aws::errors::no_credentials;
use crate::settings::{Credentials, Settings};

const ID: &str = "credentials";
const WHY: &str = "without credentials nothing can be asked of AWS";

/// Credentials that end sooner than this may not last for what is begun with them.
const SHORT: Duration = Duration::from_secs(15 * 60);

/// Looks for credentials as the SDK does.
pub(super) async fn look(settings: &Settings, config: &SdkConfig, offline: bool) -> Finding {
    if !offline && settings.aws.credentials == Credentials::Chain {
        let broken = match read_profiles(&settings.aws.variables).await {
            Ok(profiles) => {
                let name = settings.profile.as_deref();
                let missing = name.and_then(|name| missing(&profiles, name));
                missing.or_else(|| expired(&profiles, name.unwrap_or("default"), &settings.aws.variables))
            }
            Err(why) => Some(Finding::fail(ID, why).repaired_by(Repair::Tell("correct the file".to_owned()))),
        };
        if let Some(broken) = broken {
            return broken.why(WHY);
        }
    }
    let Some(provider) = config.credentials_provider() else {
        return Finding::fail(ID, "no provider of credentials is configured").why(WHY);
    };
    let keys = match provider.provide_credentials().await {
        Ok(keys) => keys,
        Err(error) => return refused(settings, &error).why(WHY),
    };
    let origin = match (&settings.aws.credentials, &settings.profile) {
        _ if offline => "of the scenario's user".to_owned(),
        (Credentials::Keys { origin, .. }, _) => format!("keys from {origin}"),
        (Credentials::Chain, Some(profile)) => format!("of the profile `{profile}`"),
        (Credentials::Chain, None) => "of the default profile, or of this machine".to_owned(),
    };
    let left = keys.expiry().map(|end| end.duration_since(SystemTime::now()).unwrap_or_default());
    let lasting = left.map(|left| format!(", valid for {} more minutes", left.as_secs() / 60)).unwrap_or_default();
    let found = format!("{origin}{lasting}");
    if !offline && !settings.aws.warnings.is_empty() {
        return Finding::warn(ID, format!("{found}; {}", settings.aws.warnings.join("; ")));
    }
    if left.is_some_and(|left| left < SHORT) {
        return Finding::warn(ID, found)
            .why("a run, a deployment or a wait may take longer than that")
            .repaired_by(Repair::Tell("log in again before you begin (aws sso login, aws login)".to_owned()));
    }
    Finding::pass(ID, found)
}

/// Why the chain of providers came to nothing.
fn refused(settings: &Settings, error: &CredentialsError) -> Finding {
    let failure = no_credentials("GetCallerIdentity", error);
    if !matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
        return Finding::of_failure(ID, &failure);
    }
    let finding = match settings.blank.contains(&"AWS_PROFILE") {
        true => {
            Finding::fail(ID, "AWS_PROFILE is set but blank, so it counts as unset; and there is no default profile")
                .repaired_by(Repair::Run("unset AWS_PROFILE".to_owned()))
        }
        false => Finding::fail(
            ID,
            "there are none: no AWS_PROFILE, no default profile, no AWS_ACCESS_KEY_ID, and this is no machine of AWS's",
        ),
    };
    let repair = "set AWS_PROFILE to a profile of ~/.aws/config, or make one (aws configure sso, aws login), or set \
                  AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; to work without an account: --offline";
    finding.said(failure.to_string()).repaired_by(Repair::Tell(repair.to_owned()))
}

/// `~/.aws/config` and `~/.aws/credentials`, or where the environment says they are.
async fn read_profiles(variables: &HashMap<String, String>) -> Result<EnvConfigSections, String> {
    let (env, files) = (Env::from(variables.clone()), EnvConfigFiles::default());
    let source = source::load(&env, &Fs::real(), &files).await;
    let source = source.map_err(|error| format!("~/.aws cannot be read: {}", deepest(&error)))?;
    EnvConfigSections::parse(source).map_err(|error| format!("~/.aws/config cannot be understood: {}", deepest(&error)))
}

fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source()).last().map(ToString::to_string).unwrap_or_default()
}

/// What a profile that is not there comes to.
fn missing(profiles: &EnvConfigSections, name: &str) -> Option<Finding> {
    if profiles.get_profile(name).is_some() {
        return None;
    }
    let mut known: Vec<_> = profiles.profiles().collect();
    known.sort_unstable();
    let known = match known.is_empty() {
        true => "~/.aws has no profiles at all".to_owned(),
        false => format!("there are: {}", known.join(", ")),
    };
    Some(
        Finding::fail(ID, format!("there is no profile `{name}`; {known}"))
            .repaired_by(Repair::Tell("set AWS_PROFILE to one that there is, or unset it".to_owned()))
            .repaired_by(Repair::Run(format!("aws configure sso --profile {name}"))),
    )
}

/// What the login of a profile comes to that has expired and cannot be renewed without a browser.
fn expired(profiles: &EnvConfigSections, name: &str, variables: &HashMap<String, String>) -> Option<Finding> {
    let profile = profiles.get_profile(name)?;
    // The file of the token is named after the session, or after the portal's address where there is no session.
    let session = profile.get("sso_session");
    let login = session.or_else(|| profile.get("sso_start_url"))?;
    let path = PathBuf::from(variables.get("HOME")?).join(".aws/sso/cache");
    let path = path.join(format!("{:x}.json", Sha1::digest(login)));
    let repair = Repair::Run(format!("aws sso login --profile {name}"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        return Some(Finding::fail(ID, format!("nobody has logged in for the profile `{name}`")).repaired_by(repair));
    };
    let token: Value = serde_json::from_str(&text).ok()?;
    let ends = OffsetDateTime::parse(token["expiresAt"].as_str()?, &Rfc3339).ok()?;
    let now = OffsetDateTime::now_utc();
    // Only a session can be renewed, and only as long as its registration lasts.
    let lasts = |text: &str| OffsetDateTime::parse(text, &Rfc3339).is_ok_and(|end| end > now);
    let renewable = session.is_some()
        && token["refreshToken"].is_string()
        && token["registrationExpiresAt"].as_str().is_some_and(lasts);
    if ends > now || renewable {
        return None;
    }
    let date = ends.format(&Rfc3339).unwrap_or_default();
    Some(Finding::fail(ID, format!("the login of the profile `{name}` has expired, at {date}")).repaired_by(repair))
}
