//! `pipeline show`: the definition.

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
