//! `model`: the data scientist's inner loop, on this machine alone. It knows no AWS and needs no settings.

mod errors;
mod evaluate;
mod export;
mod features;
mod page;
mod read;

use crate::cli::Model;
use crate::error::Failure;
use crate::output::Output;

/// Runs the verb below `model` that was typed.
///
/// # Errors
/// Those of the verb.
pub fn run(verb: &Model, output: &Output) -> Result<(), Failure> {
    match verb {
        Model::Evaluate(arguments) => evaluate::run(arguments, output),
        Model::Features => features::run(output),
    }
}
