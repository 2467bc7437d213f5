//! The ground truth merger: captured records and labels to merged records, in folders as those of the captures.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use model_monitor::{
    merge::{Join, Labels},
    records::{Capture, GroundTruth, Records},
};

use super::{data, environment::Environment};
use crate::{
    error::Error,
    files::{self, Output},
    say,
};

/// Merges all hours of the job.
///
/// # Errors
/// A folder or file is not as it should be, or nothing fits together.
pub(super) fn run(environment: &Environment, ground_truth: &Path) -> Result<(), Error> {
    let captured = environment.folder("dataset_source")?;
    let output = environment.folder("output_path")?;
    let captures = data(&captured)?;
    let mut labels = Labels::default();
    for path in data(ground_truth)? {
        for label in Records::<_, GroundTruth>::new(files::open(&path)?) {
            labels.add(&label.map_err(|source| Error::Record { path: path.clone(), source })?);
        }
    }
    let mut join = labels.join();
    let id = id(&captures, &captured);
    let part = |(number, path): (usize, &PathBuf)| {
        let hour = path.parent().and_then(|folder| folder.strip_prefix(&captured).ok()).unwrap_or(Path::new(""));
        output.join(hour).join(format!("part-{number:05}-{id}.c000.jsonl"))
    };
    let parts: Vec<PathBuf> = captures.iter().enumerate().map(part).collect();
    let mut both = captures.iter().zip(&parts);
    if let Err(error) = both.try_for_each(|(path, part)| part_of(path, &mut join, Output::new(part.clone()))) {
        // Half a merge would be taken for the whole. Best effort: the job has failed already.
        parts.iter().for_each(|part| drop(std::fs::remove_file(part)));
        return Err(error);
    }
    let report = join.report();
    if report.merged == 0 {
        return Err(Error::NothingMerged { report: report.to_string() });
    }
    // As AWS's image, it leaves no exit message.
    say(report);
    Ok(())
}

fn part_of(path: &Path, join: &mut Join, mut part: Output) -> Result<(), Error> {
    let mut lines = Vec::new();
    for capture in Records::<_, Capture>::new(files::open(path)?) {
        join.merge(&capture.map_err(|source| Error::Record { path: path.to_owned(), source })?, &mut lines);
        if !lines.is_empty() {
            part.append(&lines)?;
            lines.clear();
        }
    }
    part.finish()
}

/// The UUID that all parts of a job share. It follows from the names of what was captured: a job that runs again
/// replaces its own result, where a second copy would count every record twice.
fn id(captures: &[PathBuf], root: &Path) -> String {
    let mut hash = DefaultHasher::new();
    captures.iter().for_each(|path| path.strip_prefix(root).unwrap_or(path).hash(&mut hash));
    let high = hash.finish();
    high.hash(&mut hash);
    let low = hash.finish();
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0xfff,
        low & 0xffff_ffff_ffff
    )
}
