//! The analyzer of data quality: rows to statistics and suggested constraints and, where those of a baseline are given, to
//! violations.

use std::path::{Path, PathBuf};

use model_monitor::{
    analysis::Unusable,
    data_quality::{
        constraints::Constraints,
        metrics::metrics,
        profile::Profile,
        rows::{self, Format},
        statistics::Statistics,
        violations::Violations,
    },
};

use super::{data, environment::Environment, publish};
use crate::{contract::OptMl, error::Error, files, say};

/// Analyses the job's rows.
///
/// # Errors
/// The environment or a file is not as it should be, or there are no rows.
pub(super) fn run(opt_ml: &OptMl, environment: &Environment) -> Result<(), Error> {
    environment.has_no_scripts()?;
    let format: Format = environment.required("dataset_format")?.parse()?;
    let publishes = environment.publishes()?;
    let (source, output) = (environment.folder("dataset_source")?, environment.folder("output_path")?);
    let baseline = |name| environment.optional_folder(name);
    let constraints = baseline("baseline_constraints")?.map(|path| read(&path, Constraints::read)).transpose()?;
    let before = baseline("baseline_statistics")?.map(|path| read(&path, Statistics::read)).transpose()?;

    let columns: Vec<_> = constraints.iter().flat_map(Constraints::names).collect();
    let statistics = profile(opt_ml, &source, format, &columns)?;
    let write = |name: &str, content: String| files::write(&output.join(name), &content);
    write("statistics.json", statistics.to_json())?;
    let suggested = Constraints::suggest(&statistics);
    write("constraints.json", suggested.to_json())?;
    let mut violations = Violations::default();
    if let Some(constraints) = &constraints {
        violations = Violations::find(&statistics, constraints, before.as_ref());
        write("constraint_violations.json", violations.to_json())?;
    }
    if publishes {
        let constraints = constraints.as_ref().unwrap_or(&suggested);
        publish(opt_ml, environment, metrics(&statistics, constraints, before.as_ref()))?;
    }
    opt_ml.finish(&violations.exit_message())
}

/// A line that cannot be used is left out, and the log says so.
fn profile(opt_ml: &OptMl, source: &Path, format: Format, columns: &[&str]) -> Result<Statistics, Error> {
    let mut profile = Profile::default();
    let mut unusable = 0;
    let mut first: Option<(PathBuf, u64, Unusable)> = None;
    for path in data(source)? {
        let opened = files::open(&path)?;
        let added = rows::add(&mut profile, opened, format, columns);
        let left_out = added.map_err(|source| Error::Dataset { path: path.clone(), source })?;
        unusable += left_out.lines;
        first = first.or_else(|| left_out.first.map(|(line, reason)| (path, line, reason)));
    }
    match (profile.finish(), first) {
        (Some(statistics), None) => Ok(statistics),
        (Some(statistics), Some((path, line, reason))) => {
            let path = path.display();
            say(opt_ml.as_in_container(&format!(
                "{unusable} records cannot be used, the first is {path}, line {line}: {reason}"
            )));
            Ok(statistics)
        }
        (None, Some((path, line, reason))) => {
            Err(Error::NoUsableRows { rows: unusable, path, line, source: Box::new(reason) })
        }
        (None, None) => Err(Error::NoRows { folder: source.to_owned() }),
    }
}

fn read<T>(path: &Path, read: fn(&[u8]) -> Result<T, serde_json::Error>) -> Result<T, Error> {
    read(&files::read(path)?).map_err(|source| Error::Baseline { path: path.to_owned(), source })
}
