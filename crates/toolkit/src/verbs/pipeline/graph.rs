//! `pipeline graph`: the steps and what they wait for.

use std::path::Path;

use pipeline_definition::draw::Picture;

use super::Source;
use crate::cli::Drawing;
use crate::error::Failure;
use crate::output::Output;
use crate::site::Site;

/// Draws the definition in the file, or our own.
///
/// # Errors
/// When the file cannot be read, or its steps make no graph.
pub fn run(
    output: &Output,
    file: Option<&Path>,
    format: Drawing,
    site: impl FnOnce() -> Result<Site, Failure>,
) -> Result<(), Failure> {
    let source = Source::of(file, site)?;
    let picture = Picture::of(&source.definition()?).map_err(|error| source.unreadable(error))?;
    let text = match format {
        Drawing::Text => picture.text(),
        Drawing::Mermaid => picture.mermaid(),
        Drawing::Dot => picture.dot(),
    };
    output.print(text, &picture)
}
