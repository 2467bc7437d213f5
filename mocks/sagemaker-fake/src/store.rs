//! Where everything is kept: records in one transactional store.
//!
//! A record is any serialisable type with a kind and a key. Every change happens in a transaction that is on disk
//! before the caller is answered, so a kill at any moment loses nothing that was acknowledged and leaves nothing half
//! done; those who write at the same time share the wait for the disk (see `group`). Objects of S3 are files beside the
//! store (see [`crate::s3`]); only their metadata are records.

mod group;
mod records;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use redb::{
    DatabaseError, ReadOnlyDatabase, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, TableHandle,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::ApiError;
use group::Writers;
pub use records::{Change, Records, View};

/// The number of the form that records have.
pub const VERSION: u32 = 3;

/// (kind, key) -> the record as JSON. JSON keeps the state readable and lets old records be read by newer code. Where it
/// does not, the number in the name goes up, and states of other numbers are refused rather than misread.
const RECORDS: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("records 3");

/// How much of the file is kept in memory, in bytes. An account that people work with fits several times over.
const CACHE: usize = 16 << 20;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("another process has it open")]
    Held,
    /// Its records have another form.
    #[error("another version of this program wrote it, and this one cannot read it: remove the folder, or use another")]
    OtherVersion,
    /// The file cannot be opened or is no store.
    #[error(transparent)]
    Database(Box<redb::Error>),
}

impl<E: Into<redb::Error>> From<E> for OpenError {
    fn from(error: E) -> Self {
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Self::Held,
            redb::Error::TableDoesNotExist(_) => Self::OtherVersion,
            error => Self::Database(Box::new(error)),
        }
    }
}

/// Something the store keeps.
pub trait Record: Serialize + DeserializeOwned {
    /// The kind of thing, e.g. `pipeline`. One type, one kind.
    const KIND: &'static str;

    /// What tells it from others of its kind. Regional resources begin with the region: `eu-west-1/stsPipeline`.
    fn key(&self) -> String;
}

/// The transactional store. Cheap to share by reference; changes run one at a time, readers never wait.
pub struct Store {
    /// What was committed last. Declared first, so that no snapshot outlives the database.
    latest: Latest,
    db: redb::Database,
    writers: Writers,
}

/// The snapshot that all readers share until the next commit.
struct Latest(RwLock<Arc<View>>);

impl Latest {
    fn of(db: &redb::Database) -> Result<Self, redb::Error> {
        Ok(Self(RwLock::new(Arc::new(View::of(db)?))))
    }

    fn get(&self) -> Arc<View> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shows what has been committed.
    fn renew(&self, db: &redb::Database) -> Result<(), redb::Error> {
        let view = Arc::new(View::of(db)?);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = view;
        Ok(())
    }
}

impl Store {
    /// Opens the store in `file`, or makes it.
    ///
    /// # Errors
    /// When the file cannot be opened, is no store, is another version's, or another process holds it.
    pub fn open(file: &Path) -> Result<Self, OpenError> {
        Self::prepare(redb::Database::builder().set_cache_size(CACHE).create(file)?)
    }

    /// A store that is gone with the process: for tests, and for dry runs where no state exists yet.
    ///
    /// # Errors
    /// Never in practice: memory does not fail to open.
    pub fn in_memory() -> Result<Self, OpenError> {
        Self::prepare(redb::Database::builder().create_with_backend(redb::backends::InMemoryBackend::new())?)
    }

    fn prepare(db: redb::Database) -> Result<Self, OpenError> {
        let transaction = db.begin_write()?;
        if transaction.list_tables()?.any(|table| table.name() != RECORDS.name()) {
            return Err(OpenError::OtherVersion);
        }
        transaction.open_table(RECORDS)?;
        transaction.commit()?;
        Ok(Self { latest: Latest::of(&db)?, db, writers: Writers::default() })
    }

    /// Reads in one consistent snapshot.
    ///
    /// # Errors
    /// Those of `f`.
    pub fn read<T>(&self, f: impl FnOnce(&View) -> Result<T, ApiError>) -> Result<T, ApiError> {
        f(&self.latest.get())
    }

    /// Changes records, all or nothing: on disk when this returns if `f` succeeds, undone altogether if it fails. Blocks
    /// meanwhile, and while others change records.
    ///
    /// # Errors
    /// Those of `f`, or an internal failure when the change cannot be committed.
    pub fn write<T>(&self, f: impl FnOnce(&mut Change<'_>) -> Result<T, ApiError>) -> Result<T, ApiError> {
        self.writers.write(self, f)
    }

    /// Everything, as `{kind: {key: record}}`, in the order of kinds and keys.
    ///
    /// # Errors
    /// An internal failure when the store cannot be read.
    pub fn export(&self) -> Result<Value, ApiError> {
        export(&self.db.begin_read().map_err(ApiError::internal)?).map_err(ApiError::internal)
    }

    /// Everything in a store that no process has open, without changing the file.
    ///
    /// # Errors
    /// When the file cannot be read, is no store, is another version's, or is open in another process.
    pub fn export_file(file: &Path) -> Result<Value, OpenError> {
        match ReadOnlyDatabase::open(file) {
            Ok(db) => Ok(export(&db.begin_read()?)?),
            // Whoever wrote it last was killed. Repairing writes, so it is a copy that is repaired.
            Err(DatabaseError::RepairAborted) => {
                let folder = tempfile::tempdir()?;
                let copy = folder.path().join("state.redb");
                std::fs::copy(file, &copy)?;
                Ok(export(&redb::Database::open(copy)?.begin_read()?)?)
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn export(transaction: &ReadTransaction) -> Result<Value, redb::Error> {
    let mut kinds = Map::new();
    for row in transaction.open_table(RECORDS)?.iter()? {
        let (id, bytes) = row?;
        let (kind, key) = id.value();
        let record = serde_json::from_slice(bytes.value()).map_err(std::io::Error::from)?;
        let records = kinds.entry(kind).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(records) = records {
            records.insert(key.to_owned(), record);
        }
    }
    Ok(Value::Object(kinds))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Thing(String);

    impl Record for Thing {
        const KIND: &'static str = "thing";
        fn key(&self) -> String {
            self.0.clone()
        }
    }

    #[derive(Serialize, Deserialize)]
    struct Later(String);

    impl Record for Later {
        const KIND: &'static str = "thinh";
        fn key(&self) -> String {
            self.0.clone()
        }
    }

    fn thing(key: &str) -> Thing {
        Thing(key.to_owned())
    }

    #[test]
    fn lists_by_kind_and_prefix() {
        let store = Store::in_memory().unwrap();
        store
            .write(|change| {
                for key in ["a/1", "b/1", "b/2", "c/1"] {
                    change.put(&thing(key))?;
                }
                change.put(&Later("b/3".into()))
            })
            .unwrap();
        let listed = store.read(|view| view.list::<Thing>("b/")).unwrap();
        assert_eq!(listed, [thing("b/1"), thing("b/2")]);
        assert_eq!(store.read(|view| view.list::<Thing>("")).unwrap().len(), 4);
        let page =
            |prefix: &str, from: &str, limit| store.read(|view| view.page::<Thing>(prefix, from, limit)).unwrap();
        assert_eq!(page("", "b/1", 2), [thing("b/1"), thing("b/2")]);
        assert_eq!(page("b/", "a/9", 1), [thing("b/1")]);
        assert_eq!(page("b/", "b/11", 9), [thing("b/2")]);
        assert_eq!(page("a/", "b/1", 9), []);
    }

    #[test]
    fn a_failed_change_is_undone_altogether() {
        let store = Store::in_memory().unwrap();
        let failed = store.write(|change| {
            change.put(&thing("a"))?;
            Err::<(), _>(ApiError::validation("no"))
        });
        assert_eq!(failed, Err(ApiError::validation("no")));
        assert_eq!(store.read(|view| view.get::<Thing>("a")).unwrap(), None);
    }

    #[test]
    fn survives_reopening_and_is_held_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.redb");
        let store = Store::open(&file).unwrap();
        store.write(|change| change.put(&thing("a"))).unwrap();
        assert!(matches!(Store::open(&file), Err(OpenError::Held)));
        drop(store);
        let store = Store::open(&file).unwrap();
        assert_eq!(store.export().unwrap(), serde_json::json!({"thing": {"a": "a"}}));
    }

    #[test]
    fn what_was_cleared_in_vain_is_there_again() {
        let store = Store::in_memory().unwrap();
        store.write(|change| ["a", "b"].iter().try_for_each(|key| change.put(&thing(key)))).unwrap();
        let before = store.export().unwrap();
        let failed = store.write(|change| {
            change.clear()?;
            change.put_value("thing", "a", &"z".into())?;
            change.put_value("other", "c", &"c".into())?;
            Err::<(), _>(ApiError::validation("no"))
        });
        assert!(failed.is_err());
        assert_eq!(store.export().unwrap(), before);
        store
            .write(|change| {
                change.clear()?;
                change.put(&thing("c"))
            })
            .unwrap();
        assert_eq!(store.export().unwrap(), serde_json::json!({"thing": {"c": "c"}}));
    }

    #[test]
    fn the_name_of_the_table_has_its_version() {
        assert_eq!(RECORDS.name(), format!("records {VERSION}"));
    }

    #[test]
    fn what_another_version_wrote_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.redb");
        let db = redb::Database::create(&file).unwrap();
        let transaction = db.begin_write().unwrap();
        transaction.open_table(TableDefinition::<(&str, &str), &[u8]>::new("records")).unwrap();
        transaction.commit().unwrap();
        drop(db);
        assert!(matches!(Store::open(&file), Err(OpenError::OtherVersion)));
        assert!(matches!(Store::export_file(&file), Err(OpenError::OtherVersion)));
    }
}
