//! The account, replaced while it is served: as its scenario began, as another scenario, or as an import has it.
//!
//! Nobody sees anything between the two: requests wait at the gate, what runs has been ended before, and
//! all records change in one transaction. The files of the new account (contents of objects, logs, models that serve)
//! are made in a folder of their own before, and take the place of the old ones after. A mark among the records says
//! that this is still to be done, so that a kill at any moment leaves the one account or the other.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::account::Scenario;
use crate::ecr::layer;
use crate::jobs::tree::remove_folder;
use crate::store::{Record, Records, Store};
use crate::{ApiError, Fake, engine, fake};

/// The folder, beside the store, in which the files of the new account are made.
const INCOMING: &str = "incoming";

/// The folders of files that belong to an account. Jobs begin again in a fresh folder.
pub(crate) const FOLDERS: [&str; 5] = ["objects", "logs", "endpoints", "capture", layer::FOLDER];

/// The mark of records whose files are still in the folder in which they were made.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Incoming {}

impl Record for Incoming {
    const KIND: &'static str = "incoming";
    fn key(&self) -> String {
        Self::KEY.to_owned()
    }
}

impl Incoming {
    /// There is one.
    const KEY: &'static str = "files";
}

/// Begins again: the account is as its scenario began, and so is the clock. What ran is ended, and the record of calls
/// is empty.
///
/// # Errors
/// `ServiceUnavailable` if requests do not come to an end; an internal failure when the disk does not take it. Then the
/// account is as it was.
pub async fn reset(fake: &Fake) -> Result<(), ApiError> {
    begin(fake, fake.scenario()).await
}

/// The same as another scenario.
///
/// # Errors
/// Those of [`reset`]; `ValidationException` for a scenario of another account, whose number is in every ARN.
pub async fn begin(fake: &Fake, scenario: Arc<Scenario>) -> Result<(), ApiError> {
    if scenario.account != fake.account() {
        let message = format!("the scenario is one of account {}, and this is {}", scenario.account, fake.account());
        return Err(ApiError::validation(message));
    }
    replace(fake, move |fake, files| {
        let now = fake.clock.unmoved();
        fake.store.write(|change| {
            change.clear()?;
            change.put(&Incoming {})?;
            fake::seed(change, &scenario, now, files)
        })?;
        Ok(scenario)
    })
    .await
}

/// Replaces the account by what `make` makes: files in the folder that it is given, then all records in one
/// transaction, the mark of [`Incoming`] among them. It gives the scenario by which the new account goes on.
pub(crate) async fn replace(
    fake: &Fake,
    make: impl FnOnce(&Fake, &Path) -> Result<Arc<Scenario>, ApiError> + Send + 'static,
) -> Result<(), ApiError> {
    let closed = fake.gate.close().await.ok_or_else(|| {
        ApiError::new("ServiceUnavailable", "requests are still being answered; the account is as it was")
            .with_status(StatusCode::SERVICE_UNAVAILABLE)
    })?;
    engine::halt(fake).await;
    let fake = fake.clone();
    let replaced = tokio::task::spawn_blocking(move || {
        let replaced = put_in_place(&fake, make);
        // With the old account, if there is no new one.
        let resumed = fake.resume();
        drop(closed);
        replaced.and(resumed)
    });
    replaced.await.map_err(ApiError::internal)?
}

fn put_in_place(
    fake: &Fake,
    make: impl FnOnce(&Fake, &Path) -> Result<Arc<Scenario>, ApiError>,
) -> Result<(), ApiError> {
    engine::tidy(fake)?;
    let files = incoming(fake.folder());
    remove_folder(&files);
    let prepared = FOLDERS.iter().try_for_each(|name| std::fs::create_dir_all(files.join(name)));
    let made = prepared.map_err(cannot_move).and_then(|()| make(fake, &files));
    let scenario = made.inspect_err(|_| remove_folder(&files))?;
    settle(&fake.store, fake.folder())?;
    fake.go_on_as(scenario)
}

/// Gives the files of the account that was last put on record their place, if that has not been done yet. What was made
/// for an account that never came is removed.
pub(crate) fn settle(store: &Store, folder: &Path) -> Result<(), ApiError> {
    let files = incoming(folder);
    if store.read(|view| view.get::<Incoming>(Incoming::KEY))?.is_some() {
        move_in(&files, folder).map_err(cannot_move)?;
        store.write(|change| change.delete::<Incoming>(Incoming::KEY))?;
    }
    remove_folder(&files);
    Ok(())
}

/// What is not there to be moved has been moved before, by a process that was killed then.
fn move_in(files: &Path, folder: &Path) -> io::Result<()> {
    for name in FOLDERS {
        let (from, to) = (files.join(name), folder.join(name));
        if from.exists() {
            remove_folder(&to);
            std::fs::rename(from, to)?;
        }
    }
    Ok(())
}

fn cannot_move(error: io::Error) -> ApiError {
    ApiError::internal(format!("the files of the account cannot be put in their place: {error}"))
}

fn incoming(folder: &Path) -> PathBuf {
    folder.join(INCOMING)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn an_account_that_was_half_replaced_is_replaced_at_the_next_start() {
        let state = tempfile::tempdir().unwrap();
        let open = || Fake::builder().state(state.path()).build().unwrap();
        let files = incoming(state.path());
        let (objects, logs) = (state.path().join("objects"), state.path().join("logs"));
        let fake = open();
        fake.store.write(|change| change.put(&Incoming {})).unwrap();
        drop(fake);
        // A kill came after the logs had moved, and before the contents did.
        fs::create_dir_all(files.join("objects")).unwrap();
        fs::create_dir_all(&objects).unwrap();
        fs::write(objects.join("old"), "old").unwrap();
        fs::create_dir_all(&logs).unwrap();
        fs::write(logs.join("new"), "new").unwrap();

        let fake = open();
        assert!(!files.exists() && !objects.join("old").exists() && logs.join("new").exists());
        assert!(fake.store.read(|view| view.get::<Incoming>(Incoming::KEY)).unwrap().is_none());
        drop(fake);

        // What was made for an account that never came does not come later either.
        fs::create_dir_all(files.join("logs")).unwrap();
        open();
        assert!(!files.exists() && logs.join("new").exists());
    }
}
