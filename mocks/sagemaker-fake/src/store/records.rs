//! Records as they are read, in a snapshot or in a change, and as they are changed.

use std::any::Any;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use redb::{ReadableDatabase, ReadableTable, WriteTransaction};
use serde::Serialize;
use serde_json::Value;

use super::{RECORDS, Record};
use crate::ApiError;

/// Reading, inside a snapshot or inside a change.
pub trait Records {
    /// The record of this kind with this key.
    ///
    /// # Errors
    /// An internal failure when the store cannot be read.
    fn get<R: Record>(&self, key: &str) -> Result<Option<R>, ApiError>;

    /// All records of this kind whose key begins with `prefix`, in the order of their keys.
    ///
    /// # Errors
    /// An internal failure when the store cannot be read.
    fn list<R: Record>(&self, prefix: &str) -> Result<Vec<R>, ApiError> {
        self.page(prefix, "", usize::MAX)
    }

    /// The first `limit` records of this kind whose key begins with `prefix` and does not come before `from`, in the
    /// order of their keys.
    ///
    /// # Errors
    /// An internal failure when the store cannot be read.
    fn page<R: Record>(&self, prefix: &str, from: &str, limit: usize) -> Result<Vec<R>, ApiError>;
}

/// A kind and a key.
type Id = (Cow<'static, str>, String);

/// A consistent snapshot.
pub struct View {
    table: redb::ReadOnlyTable<(&'static str, &'static str), &'static [u8]>,
    /// Records that were parsed already.
    parsed: Mutex<HashMap<Id, Arc<dyn Any + Send + Sync>>>,
}

impl View {
    /// What is committed now.
    pub(super) fn of(db: &redb::Database) -> Result<Self, redb::Error> {
        Ok(Self { table: db.begin_read()?.open_table(RECORDS)?, parsed: Mutex::default() })
    }

    /// The record of this kind with this key, parsed only once in this snapshot: for what nearly every request looks at.
    /// It stays in memory as long as the snapshot.
    ///
    /// # Errors
    /// An internal failure when the store cannot be read.
    pub fn shared<R: Record + Send + Sync + 'static>(&self, key: &str) -> Result<Option<Arc<R>>, ApiError> {
        let id = (Cow::Borrowed(R::KIND), key.to_owned());
        let parsed = || self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(record) = parsed().get(&id).and_then(|record| Arc::clone(record).downcast().ok()) {
            return Ok(Some(record));
        }
        let Some(record) = self.get::<R>(key)?.map(Arc::new) else { return Ok(None) };
        parsed().insert(id, Arc::<R>::clone(&record));
        Ok(Some(record))
    }

    /// How many records of each kind there are.
    ///
    /// # Errors
    /// An internal failure when the store cannot be read.
    pub(crate) fn counts(&self) -> Result<Vec<(String, usize)>, ApiError> {
        let mut counts: Vec<(String, usize)> = Vec::new();
        for row in self.table.iter().map_err(ApiError::internal)? {
            let (id, _) = row.map_err(ApiError::internal)?;
            let (kind, _) = id.value();
            match counts.last_mut().filter(|(last, _)| last == kind) {
                Some((_, count)) => *count += 1,
                None => counts.push((kind.to_owned(), 1)),
            }
        }
        Ok(counts)
    }

    /// The first `limit` records of a kind whose key does not come before `from`, each with its key, as they are in an
    /// export.
    ///
    /// # Errors
    /// An internal failure when the store cannot be read.
    pub(crate) fn values(&self, kind: &str, from: &str, limit: usize) -> Result<Vec<(String, Value)>, ApiError> {
        let mut values = Vec::new();
        for row in self.table.range((kind, from)..).map_err(ApiError::internal)?.take(limit) {
            let (id, bytes) = row.map_err(ApiError::internal)?;
            let (of, key) = id.value();
            if of != kind {
                break;
            }
            values.push((key.to_owned(), serde_json::from_slice(bytes.value()).map_err(ApiError::internal)?));
        }
        Ok(values)
    }
}

/// An open transaction.
pub struct Change<'t> {
    table: redb::Table<'t, (&'static str, &'static str), &'static [u8]>,
    /// What was there before, oldest first.
    replaced: Vec<(Id, Option<Vec<u8>>)>,
}

impl<'t> Change<'t> {
    pub(super) fn of(transaction: &'t WriteTransaction) -> Result<Self, redb::TableError> {
        Ok(Self { table: transaction.open_table(RECORDS)?, replaced: Vec::new() })
    }

    /// Whether anything was changed.
    pub(super) fn is_one(&self) -> bool {
        !self.replaced.is_empty()
    }

    /// Adds the record, or replaces the one with its key.
    ///
    /// # Errors
    /// An internal failure when the store cannot be written.
    pub fn put<R: Record>(&mut self, record: &R) -> Result<(), ApiError> {
        self.insert((R::KIND.into(), record.key()), record)
    }

    /// Adds a record as it is in an export.
    ///
    /// # Errors
    /// An internal failure when the store cannot be written.
    pub(crate) fn put_value(&mut self, kind: &str, key: &str, record: &Value) -> Result<(), ApiError> {
        self.insert((kind.to_owned().into(), key.to_owned()), record)
    }

    fn insert(&mut self, id: Id, record: &impl Serialize) -> Result<(), ApiError> {
        let bytes = serde_json::to_vec(record).map_err(ApiError::internal)?;
        let old = self.table.insert((&*id.0, id.1.as_str()), bytes.as_slice()).map_err(ApiError::internal)?;
        let old = old.map(|old| old.value().to_vec());
        self.replaced.push((id, old));
        Ok(())
    }

    /// Removes the record with this key; says whether there was one.
    ///
    /// # Errors
    /// An internal failure when the store cannot be written.
    pub fn delete<R: Record>(&mut self, key: &str) -> Result<bool, ApiError> {
        let Some(old) = self.table.remove((R::KIND, key)).map_err(ApiError::internal)? else { return Ok(false) };
        self.replaced.push(((R::KIND.into(), key.to_owned()), Some(old.value().to_vec())));
        Ok(true)
    }

    /// Removes every record.
    ///
    /// # Errors
    /// An internal failure when the store cannot be written.
    pub(crate) fn clear(&mut self) -> Result<(), ApiError> {
        for row in self.table.extract_if(|_, _| true).map_err(ApiError::internal)? {
            let (id, old) = row.map_err(ApiError::internal)?;
            let (kind, key) = id.value();
            self.replaced.push(((kind.to_owned().into(), key.to_owned()), Some(old.value().to_vec())));
        }
        Ok(())
    }

    /// Puts everything back as it was.
    pub(super) fn undo(&mut self) -> Result<(), ApiError> {
        for ((kind, key), old) in self.replaced.drain(..).rev() {
            let id = (&*kind, key.as_str());
            let undone = match &old {
                Some(bytes) => self.table.insert(id, bytes.as_slice()),
                None => self.table.remove(id),
            };
            undone.map_err(ApiError::internal)?;
        }
        Ok(())
    }
}

impl Records for View {
    fn get<R: Record>(&self, key: &str) -> Result<Option<R>, ApiError> {
        get(&self.table, key)
    }

    fn page<R: Record>(&self, prefix: &str, from: &str, limit: usize) -> Result<Vec<R>, ApiError> {
        page(&self.table, prefix, from, limit)
    }
}

impl Records for Change<'_> {
    fn get<R: Record>(&self, key: &str) -> Result<Option<R>, ApiError> {
        get(&self.table, key)
    }

    fn page<R: Record>(&self, prefix: &str, from: &str, limit: usize) -> Result<Vec<R>, ApiError> {
        page(&self.table, prefix, from, limit)
    }
}

type Key = (&'static str, &'static str);

fn get<R: Record>(table: &impl ReadableTable<Key, &'static [u8]>, key: &str) -> Result<Option<R>, ApiError> {
    let bytes = table.get((R::KIND, key)).map_err(ApiError::internal)?;
    bytes.map(|bytes| serde_json::from_slice(bytes.value()).map_err(ApiError::internal)).transpose()
}

fn page<R: Record>(
    table: &impl ReadableTable<Key, &'static [u8]>,
    prefix: &str,
    from: &str,
    limit: usize,
) -> Result<Vec<R>, ApiError> {
    let mut records = Vec::new();
    for row in table.range((R::KIND, prefix.max(from))..).map_err(ApiError::internal)?.take(limit) {
        let (id, bytes) = row.map_err(ApiError::internal)?;
        let (kind, key) = id.value();
        if kind != R::KIND || !key.starts_with(prefix) {
            break;
        }
        records.push(serde_json::from_slice(bytes.value()).map_err(ApiError::internal)?);
    }
    Ok(records)
}
