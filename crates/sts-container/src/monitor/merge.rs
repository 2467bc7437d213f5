//! The ground truth merger: captured records and labels to merged records, in folders as those of the captures.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

use model_monitor::{
    merge::{Join, Labels, Tally},
    records::{Capture, Chunk, Chunks, GroundTruth, RecordError},
};

use super::{CHUNK, data, environment::Environment};
use crate::{
    error::Error,
    files::{self, Output},
    parallel, say,
};

/// Merges all hours of the job.
///
/// # Errors
/// A folder or file is not as it should be, or nothing fits together.
pub(super) fn run(environment: &Environment, ground_truth: &Path) -> Result<(), Error> {
    let captured = environment.folder("dataset_source")?;
    let output = environment.folder("output_path")?;
    let parts = Part::all(data(&captured)?, &captured, &output);
    let join = labels(&data(ground_truth)?)?.join();
    let tally = merge(&join, &parts).inspect_err(|_| {
        // Half a merge would be taken for the whole. Best effort: the job has failed already.
        parts.iter().for_each(|part| drop(std::fs::remove_file(&part.merged)));
    })?;
    let report = join.report(tally);
    if report.merged == 0 {
        return Err(Error::NothingMerged { report: report.to_string() });
    }
    // As AWS's image, it leaves no exit message.
    say(report);
    Ok(())
}

fn labels(files: &[PathBuf]) -> Result<Labels, Error> {
    let mut labels = Labels::default();
    let work = |(): &mut (), (path, chunk): (&PathBuf, Chunk)| {
        chunk.records::<GroundTruth>().collect::<Result<Vec<_>, _>>().map_err(|source| wrong(path.clone(), source))
    };
    parallel::in_order(
        chunks(files),
        || (),
        work,
        |more| {
            more.iter().for_each(|label| labels.add(label));
            Ok(())
        },
    )?;
    Ok(labels)
}

fn merge(join: &Join, parts: &[Part]) -> Result<Tally, Error> {
    let work = |(): &mut (), (part, chunk): (_, Chunk)| {
        let part: &Part = part;
        let (mut lines, mut tally) = (Vec::new(), Tally::default());
        for capture in chunk.records::<Capture>() {
            let capture = capture.map_err(|source| wrong(part.captured.clone(), source))?;
            join.merge(&capture, &mut lines, &mut tally);
        }
        Ok((part, lines, tally))
    };
    let mut tally = Tally::default();
    let mut open: Option<(&Part, Output)> = None;
    parallel::in_order(
        chunks(parts),
        || (),
        work,
        |(part, lines, more)| {
            tally.append(more);
            let is_next = open.as_ref().is_none_or(|(own, _)| own.merged != part.merged);
            if is_next && let Some((_, done)) = open.replace((part, Output::new(part.merged.clone()))) {
                done.finish()?;
            }
            match &mut open {
                Some((_, output)) if !lines.is_empty() => output.append(&lines),
                _ => Ok(()),
            }
        },
    )?;
    if let Some((_, last)) = open {
        last.finish()?;
    }
    Ok(tally)
}

/// A captured file, and what it is merged to.
#[derive(Debug)]
struct Part {
    captured: PathBuf,
    merged: PathBuf,
}

impl Part {
    fn all(captures: Vec<PathBuf>, root: &Path, output: &Path) -> Vec<Self> {
        let id = id(&captures, root);
        let part = |(number, captured): (usize, PathBuf)| {
            let hour = captured.parent().and_then(|folder| folder.strip_prefix(root).ok()).unwrap_or(Path::new(""));
            let merged = output.join(hour).join(format!("part-{number:05}-{id}.c000.jsonl"));
            Self { captured, merged }
        };
        captures.into_iter().enumerate().map(part).collect()
    }
}

impl AsRef<Path> for Part {
    fn as_ref(&self) -> &Path {
        &self.captured
    }
}

fn chunks<F: AsRef<Path> + Sync>(files: &[F]) -> impl Iterator<Item = Result<(&F, Chunk), Error>> + Send {
    files::chunks(files, |file| Ok(Chunks::new(file, CHUNK)), wrong)
}

fn wrong(path: PathBuf, source: RecordError) -> Error {
    Error::Record { path, source }
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
