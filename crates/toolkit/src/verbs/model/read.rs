//! Judged pairs from a file.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use sts_model::pairs::{Labels, Pair, Reader};

use crate::error::Failure;

/// All pairs of a file, each with its label.
///
/// # Errors
/// The file cannot be read, or a line of it is no judged pair.
pub fn pairs(path: &Path) -> Result<Vec<Pair>, Failure> {
    let wrong = || format!("{} cannot be used", path.display());
    let file = File::open(path).map_err(|error| Failure::usage(wrong()).because(error))?;
    let reader = Reader::new(BufReader::new(file), Labels::Required);
    let pairs = reader.and_then(Iterator::collect);
    pairs.map_err(|error| Failure::usage(wrong()).because(error))
}
