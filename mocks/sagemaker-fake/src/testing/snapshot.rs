//! An account as it is at one moment, for any number of others to go on from.

use std::io;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;

use crate::account::Scenario;
use crate::clock::Clock;
use crate::jobs::instance::PID;
use crate::jobs::programs::Programs;
use crate::replace::FOLDERS;
use crate::store::Store;
use crate::{ApiError, Fake, FakeBuilder};

/// An account as it was at one moment: its records and files, its clock, its scenario and the programs of its images.
/// Cheap to clone. Rules by which things go wrong are not in it, but those of the scenario.
#[derive(Clone)]
pub struct Snapshot {
    scenario: Scenario,
    programs: Programs,
    clock: Clock,
    kept: Kept,
}

/// What is kept of an account.
#[derive(Clone)]
pub(crate) struct Kept {
    records: Arc<Value>,
    files: Arc<TempDir>,
}

impl Snapshot {
    pub(super) fn of(fake: &Fake) -> Result<Self, ApiError> {
        let files = tempfile::tempdir().map_err(ApiError::internal)?;
        // Files first, records after them: a record never lacks its file, and a file without a record harms nobody. An
        // object that goes meanwhile would; whoever takes a snapshot does not write at the same time.
        copy_all(fake.folder(), files.path()).map_err(|error| ApiError::internal(format!("cannot copy: {error}")))?;
        Ok(Self {
            scenario: Scenario::clone(&fake.scenario()),
            programs: fake.programs.clone(),
            clock: fake.clock.clone(),
            kept: Kept { records: Arc::new(fake.store.export()?), files: Arc::new(files) },
        })
    }

    /// What makes a fake that goes on from here.
    pub fn builder(&self) -> FakeBuilder {
        Fake::builder()
            .scenario(self.scenario.clone())
            .programs(self.programs.clone())
            .clock(self.clock.another())
            .from(self.kept.clone())
    }
}

impl Kept {
    /// Puts everything into an empty store and the folder beside it.
    pub(crate) fn put_into(&self, store: &Store, folder: &Path) -> Result<(), ApiError> {
        copy_all(self.files.path(), folder).map_err(|error| ApiError::internal(format!("cannot copy: {error}")))?;
        store.write(|change| {
            for (kind, records) in self.records.as_object().into_iter().flatten() {
                for (key, record) in records.as_object().into_iter().flatten() {
                    change.put_value(kind, key, record)?;
                }
            }
            Ok(())
        })
    }
}

fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    FOLDERS.iter().map(|name| (from.join(name), to.join(name))).try_for_each(|(from, to)| copy(&from, &to))
}

/// Copies a folder with all that is in it. One that is not there is empty.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let entries = match std::fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    std::fs::create_dir_all(to)?;
    for entry in entries {
        let entry = entry?;
        // The program that runs there is the other account's.
        if entry.file_name() == PID {
            continue;
        }
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&from, &to)?;
        } else {
            std::fs::copy(&from, &to)?;
        }
    }
    Ok(())
}
