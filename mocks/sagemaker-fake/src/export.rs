//! The state as one JSON document: resources only, in an order that depends on nothing but the resources.

use std::path::Path;

use http::Method;
use serde_json::{Map, Value};

use crate::doors::{control, owner::Owner};
use crate::sagemaker::idempotency;
use crate::store::{OpenError, Record, Store};
use crate::{ApiError, fake};

/// What is in a store: `{kind: {key: record}}`. Tokens of requests are no resources and are left out.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn state(store: &Store) -> Result<Value, ApiError> {
    store.export().map(resources)
}

fn resources(mut state: Value) -> Value {
    if let Value::Object(kinds) = &mut state {
        kinds.shift_remove(idempotency::Token::KIND);
    }
    state
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
