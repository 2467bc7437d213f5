//! Labelled rows in files, and what a model says of them.

use std::path::{Path, PathBuf};

use sts_model::{
    artifact::{Artifact, Prediction},
    features,
    rows::{Labelled, RowError},
};

use crate::{error::Error, files};

/// Hands over all rows of the files, one at a time: the file, the row's number in it, label and features.
///
/// # Errors
/// A file cannot be read or has no rows, a row is not as it should be; or as `each`.
pub(crate) fn each_row(
    files: &[PathBuf],
    mut each: impl FnMut(&Path, u64, bool, &[f64]) -> Result<(), Error>,
) -> Result<(), Error> {
    for path in files {
        let wrong = |source| Error::Rows { path: path.clone(), source };
        let mut count = 0;
        for row in Labelled::new(files::open(path)?, features::COUNT) {
            let (label, features) = row.map_err(wrong)?;
            count += 1;
            each(path, count, label, &features)?;
        }
        if count == 0 {
            return Err(wrong(RowError::Empty));
        }
    }
    Ok(())
}

/// Hands over label and prediction of all rows of the files, one at a time.
///
/// # Errors
/// As [`each_row`]; or the model has no probability for a row.
pub(crate) fn each_prediction(
    artifact: &Artifact,
    files: &[PathBuf],
    mut each: impl FnMut(bool, Prediction) -> Result<(), Error>,
) -> Result<(), Error> {
    each_row(files, |path, row, label, features| {
        let prediction = artifact.predict(features);
        if !prediction.probability.is_finite() {
            return Err(Error::NoProbability { path: path.to_owned(), row });
        }
        each(label, prediction)
    })
}

/// All labels and predicted probabilities of the files, for [`sts_model::metrics::evaluate`].
///
/// # Errors
/// As [`each_prediction`].
pub(crate) fn probabilities(artifact: &Artifact, files: &[PathBuf]) -> Result<(Vec<bool>, Vec<f64>), Error> {
    let (mut labels, mut probabilities) = (Vec::new(), Vec::new());
    each_prediction(artifact, files, |label, prediction| {
        labels.push(label);
        probabilities.push(prediction.probability);
        Ok(())
    })?;
    Ok((labels, probabilities))
}

/// Reads the `model.tar.gz` that SageMaker made of a model's folder.
///
/// # Errors
/// The file is not there, damaged, or holds no model of this program.
pub(crate) fn read_archive(folder: &Path) -> Result<Artifact, Error> {
    let path = folder.join("model.tar.gz");
    let content = files::read(&path)?;
    Artifact::from_tar_gz(&content).map_err(|source| Error::Model { path, source })
}
