//! `pipeline show`: the definition.

use super::deployed;
use crate::aws::Session;
use crate::error::Failure;
use crate::output::Output;
use crate::pipeline;
use crate::site::Site;

/// Prints the definition as it would be sent: one JSON document, whatever the format. Needs no AWS.
///
/// # Errors
/// When stdout cannot be written.
pub fn show(site: &Site, output: &Output) -> Result<(), Failure> {
    let definition: serde_json::Value = serde_json::from_str(&pipeline::definition(site).to_json())
        .map_err(|error| Failure::operation("our own definition is no JSON").because(error))?;
    output.line(format_args!("{definition:#}"))
}

/// Prints the definition that a version of the deployed pipeline has, in the same form.
///
/// # Errors
/// When there is no such version, or stdout cannot be written.
pub async fn show_version(session: &Session, output: &Output, version: i64) -> Result<(), Failure> {
    let text = deployed(session, Some(version)).await?.map(|pipeline| pipeline.definition).unwrap_or_default();
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(definition) => output.line(format_args!("{definition:#}")),
        Err(error) => Err(Failure::operation(format!("the definition of version {version} is no JSON")).because(error)),
    }
}
