//! The analyzer of data quality: rows to statistics and suggested constraints and, where those of a baseline are given, to
//! violations.

use std::path::Path;

use model_monitor::{
    data_quality::{constraints::Constraints, profile::Profile, rows, statistics::Statistics, violations::Violations},
    dataset::{DatasetFormat, FormatError},
};

use super::{data, environment::Environment};
use crate::{contract::OptMl, error::Error, files};

/// Analyses the job's rows.
///
/// # Errors
/// The environment or a file is not as it should be, or there are no rows.
pub(super) fn run(opt_ml: &OptMl, environment: &Environment) -> Result<(), Error> {
    environment.has_no_scripts()?;
    let text = environment.required("dataset_format")?;
    let format: DatasetFormat = text.parse()?;
    if let DatasetFormat::Merged { .. } = format {
        let reason = "data quality is analysed of csv and json".to_owned();
        return Err(FormatError { text, reason }.into());
    }
    let (source, output) = (environment.folder("dataset_source")?, environment.folder("output_path")?);
    let baseline = |name| environment.optional_folder(name);
    let constraints = baseline("baseline_constraints")?.map(|path| read(&path, Constraints::read)).transpose()?;
    let before = baseline("baseline_statistics")?.map(|path| read(&path, Statistics::read)).transpose()?;

    let statistics = profile(&source, format)?;
    let write = |name: &str, content: String| files::write(&output.join(name), &content);
    write("statistics.json", statistics.to_json())?;
    write("constraints.json", Constraints::suggest(&statistics).to_json())?;
    let mut violations = Violations::default();
    if let Some(constraints) = &constraints {
        violations = Violations::find(&statistics, constraints, before.as_ref());
        write("constraint_violations.json", violations.to_json())?;
    }
    opt_ml.finish(&violations.exit_message())
}

fn profile(source: &Path, format: DatasetFormat) -> Result<Statistics, Error> {
    let mut profile = Profile::default();
    for path in data(source)? {
        let opened = files::open(&path)?;
        rows::add(&mut profile, opened, format).map_err(|source| Error::Dataset { path, source })?;
    }
    profile.finish().ok_or_else(|| Error::NoRows { folder: source.to_owned() })
}

fn read<T>(path: &Path, read: fn(&[u8]) -> Result<T, serde_json::Error>) -> Result<T, Error> {
    read(&files::read(path)?).map_err(|source| Error::Baseline { path: path.to_owned(), source })
}
