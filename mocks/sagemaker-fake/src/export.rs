//! The state as one JSON document: resources only, in an order that depends on nothing but the resources.

use std::path::{Path, PathBuf};

use http::Method;
use serde_json::{Map, Value};

use crate::doors::{control, owner::Owner};
use crate::ecr::Layer;
use crate::ecr::layer;
use crate::sagemaker::idempotency;
use crate::store::{self, OpenError, Record, Store};
use crate::{ApiError, fake, replace};

/// The member of a document that says how to read it: [`store::VERSION`].
pub const VERSION: &str = "version";

/// Kinds of records that are no part of an account.
pub(crate) const LEFT_OUT: [&str; 2] = [idempotency::Token::KIND, replace::Incoming::KIND];

/// What is in a store: `{"version": N, kind: {key: record}, ...}`. Tokens of requests are no resources and are left out.
/// The secrets of access keys are in it: without them nobody could go on with what is imported.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn state(store: &Store) -> Result<Value, ApiError> {
    store.export().map(resources)
}

fn resources(state: Value) -> Value {
    let mut document = Map::from_iter([(VERSION.to_owned(), store::VERSION.into())]);
    if let Value::Object(kinds) = state {
        document.extend(kinds.into_iter().filter(|(kind, _)| !LEFT_OUT.contains(&kind.as_str())));
    }
    Value::Object(document)
}

/// How many records of each kind are in a document.
#[must_use]
pub fn counts(document: &Value) -> Value {
    let kinds = document.as_object().into_iter().flatten();
    kinds.filter_map(|(kind, records)| Some((kind.clone(), Value::from(records.as_object()?.len())))).collect()
}

/// What one record of a kind is called, or several: `model packages`.
#[must_use]
pub fn named(kind: &str, is_one: bool) -> String {
    let kind = kind.replace(['-', '_'], " ");
    match (is_one, kind.ends_with('s')) {
        (true, _) | (_, true) => kind,
        (_, false) if kind.ends_with('y') && !kind.ends_with("ey") => format!("{}ies", kind.trim_end_matches('y')),
        (_, false) => format!("{kind}s"),
    }
}

/// The contents that a document refers to: whose each is, its file in the account's folder, and its size in bytes.
pub(crate) fn contents(document: &Value) -> impl Iterator<Item = (String, PathBuf, u64)> {
    ["object", "upload-part", Layer::KIND].into_iter().flat_map(|kind| {
        let records = document[kind].as_object().into_iter().flatten();
        records.filter_map(move |(key, record)| {
            let file = match kind {
                Layer::KIND => layer::file(record["digest"].as_str()?),
                _ => Path::new("objects").join(record["file"].as_str()?),
            };
            Some((format!("{kind} {key}"), file, record["size"].as_u64()?))
        })
    })
}

/// Why a state cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The process that holds the folder does not answer.
    #[error("{url} holds the state and does not give it")]
    Owner {
        /// Where it should answer.
        url: String,
        /// Why it does not.
        source: std::io::Error,
    },
    /// The store cannot be read.
    #[error("cannot read the state in {folder}")]
    Store {
        /// The folder of the state.
        folder: std::path::PathBuf,
        /// Why not.
        source: OpenError,
    },
}

/// What is in a state folder, whether it is being served or not. Nothing is created or changed: a folder that does not
/// exist has an empty state.
///
/// # Errors
/// When the state is there and cannot be read.
pub fn folder(folder: &Path) -> Result<Value, ExportError> {
    let file = folder.join(fake::STORE_FILE);
    if !file.exists() {
        return Ok(Value::Object(Map::new()));
    }
    if let Some(url) = Owner::find(folder) {
        return control::ask(&url, &Method::GET, "state").map_err(|source| ExportError::Owner { url, source });
    }
    let state = Store::export_file(&file);
    let state = state.map_err(|source| ExportError::Store { folder: folder.to_owned(), source })?;
    Ok(resources(state))
}
