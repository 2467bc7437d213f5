//! `--offline`: the fake in place of AWS.
//!
//! One process owns a folder of state: the one that holds the lock of its store. Whoever comes second finds the owner's
//! URL beside the store and talks to it, so that two commands at once see one account.

mod door;
mod follow;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use sagemaker_fake::account::{Keys, Scenario};
use sagemaker_fake::doors::control::{self, ClockFace};
use sagemaker_fake::jobs::programs::Programs;

use crate::aws::Mode;
use crate::error::Failure;
use crate::settings::dotenv::project_root;
use door::{Door, Wanted};
use follow::Follow;

/// In what the fake is to be as strict as AWS, even if nobody asked it for that before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Strict {
    /// Signatures are verified, and every call is authorised.
    pub iam: bool,
    /// Images have to be in ECR before they can be run.
    pub images: bool,
}

/// The fake, here or in the process that owns the folder.
pub struct Offline {
    /// Where it listens at first.
    pub url: String,
    /// What the scenario's client signs with, if it has anything.
    pub keys: Option<Credentials>,
    /// The account.
    pub account: String,
    /// The role that the scenario's client is told to use.
    pub role: Option<String>,
    /// How far its clock is ahead of real time.
    pub ahead: Duration,
    /// Sends requests to it, wherever it goes. Kept, it keeps a fake in this process alive.
    pub http: SharedHttpClient,
    door: Arc<Door>,
}

impl Offline {
    /// Joins the owner of the folder, or becomes it. A dry run that finds no state gets a fake in memory, so that
    /// nothing is created.
    ///
    /// # Errors
    /// When there is no such scenario, something is wrong in the map of images, the state cannot be opened, or whoever owns
    /// it has another map.
    pub async fn open(
        state: &Path,
        images: Option<&Path>,
        scenario: &str,
        strict: Strict,
        mode: Mode,
    ) -> Result<Self, Failure> {
        let programs = programs(images)?;
        let mut scenario = Scenario::named(scenario).map_err(Failure::usage)?;
        scenario.enforce_iam |= strict.iam;
        let keys = scenario.client_keys().map(|Keys { access_key_id, secret_access_key, session_token }| {
            Credentials::new(access_key_id, secret_access_key, session_token, None, "Scenario")
        });
        let (account, role) = (scenario.account.clone(), scenario.client_role());
        let door = Door::open(state, Wanted { programs, scenario, strict_images: strict.images }, mode).await?;
        let url = door.url().await;
        let ahead = clock(url.clone()).await?.offset.duration();
        let door = Arc::new(door);
        let http = SharedHttpClient::new(Follow::new(Arc::clone(&door)));
        Ok(Self { url, keys, account, role, ahead, http, door })
    }

    /// Moves its clock forward.
    ///
    /// # Errors
    /// When it does not move.
    pub async fn advance(&mut self, by: Duration) -> Result<(), Failure> {
        let asked = format!("clock/advance?seconds={}", by.as_secs());
        self.ahead = ask(self.door.url().await, http::Method::POST, asked).await?.offset.duration();
        Ok(())
    }

    /// Closes the fake in order, if it is in this process: what its endpoints have captured is in S3 then.
    pub async fn close(self) {
        self.door.close().await;
    }
}

/// The programs that stand for images: the fake's own map, and the user's before it.
fn programs(images: Option<&Path>) -> Result<Programs, Failure> {
    images.into_iter().try_fold(Programs::built_in(), Programs::file).map_err(|mistakes| {
        Failure::usage(mistakes.to_string()).hint("`mocks/images.toml` says how such a file is written")
    })
}

/// What the fake's clock shows.
async fn clock(url: String) -> Result<ClockFace, Failure> {
    ask(url, http::Method::GET, "clock".to_owned()).await
}

async fn ask(url: String, method: http::Method, what: String) -> Result<ClockFace, Failure> {
    let asked = tokio::task::spawn_blocking(move || control::ask(&url, &method, &what)).await;
    let asked = asked.unwrap_or_else(|error| Err(error.into())).and_then(|it| Ok(serde_json::from_value(it)?));
    asked.map_err(|error| Failure::operation("the fake does not say what time it is").because(error))
}

/// The folder of the state: `--state`, else `STSMM_STATE_DIR`, else `.stsmm/offline` at the root of the project.
#[must_use]
pub fn state_folder(flag: Option<&Path>, setting: Option<&Path>, current: &Path) -> PathBuf {
    let given = flag.or(setting).map(|folder| current.join(folder));
    given.unwrap_or_else(|| project_root(current).join(".stsmm").join("offline"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_where_it_was_asked_for() {
        let project = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(project.path().join(".git")).unwrap();
        let below = project.path().join("a");
        std::fs::create_dir(&below).unwrap();
        let (flag, setting) = (Path::new("flag"), Path::new("setting"));
        for (given, expected) in [
            ((Some(flag), Some(setting)), below.join("flag")),
            ((None, Some(setting)), below.join("setting")),
            ((None, None), project.path().join(".stsmm/offline")),
        ] {
            assert_eq!(state_folder(given.0, given.1, &below), expected);
        }
    }
}
