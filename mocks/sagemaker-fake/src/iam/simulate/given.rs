//! What comes with the call: documents, and the context.

use iam_policy::problem::Severity;
use iam_policy::simulate::is_of_type;
use iam_policy::{Attached, Context, Kind, Policy};
use serde::Deserialize;

use crate::ApiError;
use crate::iam::invalid_input;

/// One level of an organisation.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
pub(super) struct OrganizationLevel {
    service_control_policy_input_list: Vec<String>,
}

impl OrganizationLevel {
    /// Its policies.
    ///
    /// # Errors
    /// Those of [`documents`].
    pub(super) fn documents(&self) -> Result<Vec<Attached>, ApiError> {
        documents("ServiceControlPolicyInputList", &self.service_control_policy_input_list, Kind::Scp)
    }
}

/// The policies of a list, each under its place there: `PolicyInputList.1`.
///
/// # Errors
/// `InvalidInput` for what is no policy.
pub(super) fn documents(list: &str, texts: &[String], kind: Kind) -> Result<Vec<Attached>, ApiError> {
    texts.iter().enumerate().map(|(at, text)| document(&format!("{list}.{}", at + 1), text, kind)).collect()
}

/// A policy, of whatever size: there are no quotas here.
///
/// # Errors
/// `InvalidInput` for what is no policy.
pub(super) fn document(id: &str, text: &str, kind: Kind) -> Result<Attached, ApiError> {
    Policy::parse_kept(text, kind).map(|policy| Attached::new(id, policy)).map_err(|malformed| {
        let mut errors = malformed.problems.iter().filter(|problem| problem.severity == Severity::Error);
        let why = errors.next().map(ToString::to_string).unwrap_or_default();
        invalid_input(format!("Invalid policy document in {id}: {why}"))
    })
}

/// A context key with its values.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ContextEntry {
    context_key_name: String,
    context_key_values: Vec<String>,
    context_key_type: Option<String>,
}

/// The context.
///
/// # Errors
/// `InvalidInput` for values that are not of the type that is said of them.
pub(super) fn context(entries: Vec<ContextEntry>) -> Result<Context, ApiError> {
    let mut context = Context::new();
    for ContextEntry { context_key_name: key, context_key_values: values, context_key_type } in entries {
        let name = context_key_type.as_deref().unwrap_or("stringList");
        if let Some(wrong) = values.iter().find(|value| !is_of_type(value, name)) {
            return Err(invalid_input(format!("Invalid value for context key {key}: {wrong} is not of type {name}.")));
        }
        if values.len() > 1 && !name.ends_with("List") {
            return Err(invalid_input(format!("Context key {key} of type {name} has more than one value.")));
        }
        context.set(&key, values);
    }
    Ok(context)
}
