//! `model features`: what the model looks at.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};
use sts_model::features::FEATURES;

use crate::error::Failure;
use crate::output::Output;

/// Prints the features with what they measure and where the idea comes from.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(output: &Output) -> Result<(), Failure> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(120);
    table.set_header(["feature", "what it measures", "source"]);
    for feature in FEATURES {
        table.add_row([feature.name, feature.description, feature.source]);
    }
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    let document: Vec<Value> = FEATURES
        .iter()
        .map(|feature| json!({"name": feature.name, "description": feature.description, "source": feature.source}))
        .collect();
    output.print(lines.join("\n"), &document)
}
