//! `--offline`: the fake in place of AWS.
//!
//! One process owns a folder of state: the one that holds the lock of its store. Whoever comes second finds the owner's
//! URL beside the store and talks to it, so that two commands at once see one account.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_credential_types::Credentials;
use sagemaker_fake::Fake;
use sagemaker_fake::account::Scenario;
use sagemaker_fake::doors::http::{self, Server};
use sagemaker_fake::doors::owner::Owner;
use sagemaker_fake::fake::StartError;
use sagemaker_fake::protocol::Checked;
use tokio::net::TcpListener;

use crate::aws::Mode;
use crate::error::Failure;
use crate::settings::dotenv::project_root;

/// The fake, here or in the process that owns the folder.
pub struct Offline {
    /// Where it listens.
    pub url: String,
    /// The keys of the scenario's first user.
    pub keys: Credentials,
    /// The account.
    pub account: String,
    /// The scenario's first role.
    pub role: Option<String>,
    _here: Option<Here>,
}

/// The fake in this process: its door, and the notice that says so to others.
struct Here {
    _server: Server,
    _owner: Option<Owner>,
}

/// How often and how long to wait for an owner that is just starting or just leaving.
const PAUSE: Duration = Duration::from_millis(20);
const TRIES: u32 = 500;

impl Offline {
    /// Joins the owner of the folder, or becomes it. A dry run that finds no state gets a fake in memory, so that
    /// nothing is created.
    ///
    /// # Errors
    /// When there is no such scenario, or the state cannot be opened.
    pub async fn open(state: &Path, scenario: &str, mode: Mode) -> Result<Self, Failure> {
        let scenario = Scenario::named(scenario).map_err(Failure::usage)?;
        let user = scenario.users.first().ok_or_else(|| Failure::operation("the scenario has no user"))?;
        let keys = Credentials::new(&user.access_key_id, &user.secret_access_key, None, None, "Scenario");
        let (account, role) = (scenario.account.clone(), scenario.role_arns().next());
        let (url, here) = join(state, scenario, mode).await?;
        Ok(Self { url, keys, account, role, _here: here })
    }
}

/// The folder of the state: `--state`, else `STSMM_STATE_DIR`, else `.stsmm/offline` at the root of the project.
#[must_use]
pub fn state_folder(flag: Option<&Path>, setting: Option<&Path>, current: &Path) -> PathBuf {
    let given = flag.or(setting).map(|folder| current.join(folder));
    given.unwrap_or_else(|| project_root(current).join(".stsmm").join("offline"))
}

async fn join(state: &Path, scenario: Scenario, mode: Mode) -> Result<(String, Option<Here>), Failure> {
    if mode == Mode::Dry && !state.exists() {
        return start(Fake::builder().scenario(scenario).build().map_err(cannot_start)?, None).await;
    }
    for _ in 0..TRIES {
        match Fake::builder().state(state).scenario(scenario.clone()).build() {
            Ok(fake) => return start(fake, Some(state)).await,
            Err(StartError::Held(_)) => {}
            Err(error) => return Err(cannot_start(error)),
        }
        let folder = state.to_owned();
        if let Ok(Some(url)) = tokio::task::spawn_blocking(move || Owner::find(&folder)).await {
            return Ok((url, None));
        }
        tokio::time::sleep(PAUSE).await;
    }
    let waited = (PAUSE * TRIES).as_secs();
    Err(Failure::operation(format!(
        "the state in {} is held by a process that does not answer, after {waited} s",
        state.display()
    ))
    .hint("end that process, or use another folder: --state DIR"))
}

/// Opens the fake's door on a port of this machine; it stays open as long as the answer is kept.
async fn start(fake: Fake, state: Option<&Path>) -> Result<(String, Option<Here>), Failure> {
    let no_door = |error: std::io::Error| Failure::operation("the fake cannot listen on 127.0.0.1").because(error);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(no_door)?;
    let server = http::serve(&fake, listener, Checked::No).map_err(no_door)?;
    let url = server.url().to_owned();
    let owner = state.map(|state| Owner::claim(state, &url)).transpose();
    let owner =
        owner.map_err(|error| Failure::operation("the folder of the state cannot be claimed").because(error))?;
    Ok((url, Some(Here { _server: server, _owner: owner })))
}

fn cannot_start(error: StartError) -> Failure {
    Failure::operation("the fake cannot start").because(error)
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
