//! The rows behind an evaluation, so that any other program can fit the same model to them and compare.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use sts_model::features::{Extractor, FEATURES};
use sts_model::pairs::Pair;
use sts_model::rows;
use sts_model::validation::Validation;
use sts_model::vocabulary::Vocabulary;

use crate::error::Failure;

/// Writes `fold-01-train.csv`, `fold-01-test.csv` and so on: label and features, as the pipeline's steps hand them on; and
/// `predictions.csv`: fold, label and probability of every pair that was asked about, in the order of the file.
/// `features.txt` has the features' names, one on each line.
///
/// `train` is empty where the pairs were dealt out into folds.
///
/// # Errors
/// The folder or a file cannot be written.
pub fn write(folder: &Path, train: &[Pair], tested: &[Pair], validation: &Validation) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| cannot(folder, error))?;
    for (fold, model) in validation.models.iter().enumerate() {
        let of = |is_own: bool| {
            let judged = tested.iter().zip(&validation.judged);
            judged.filter(move |(_, judged)| (judged.fold == fold) == is_own).map(|(pair, _)| pair)
        };
        let name = |part: &str| folder.join(format!("fold-{:02}-{part}.csv", fold + 1));
        write_rows(&name("train"), train.iter().chain(of(false)), &model.vocabulary)?;
        write_rows(&name("test"), of(true), &model.vocabulary)?;
    }
    let mut predictions = String::from("fold,label,probability\n");
    for (pair, judged) in tested.iter().zip(&validation.judged) {
        let label = u8::from(pair.label == Some(true));
        predictions += &format!("{},{label},{}\n", judged.fold + 1, judged.probability);
    }
    let names: Vec<&str> = FEATURES.iter().map(|feature| feature.name).collect();
    for (name, content) in [("predictions.csv", predictions), ("features.txt", names.join("\n") + "\n")] {
        let path = folder.join(name);
        std::fs::write(&path, content).map_err(|error| cannot(&path, error))?;
    }
    Ok(())
}

fn write_rows<'a>(path: &PathBuf, pairs: impl Iterator<Item = &'a Pair>, words: &Vocabulary) -> Result<(), Failure> {
    let mut file = File::create(path).map(BufWriter::new).map_err(|error| cannot(path, error))?;
    let (mut extractor, mut line) = (Extractor::new(words), String::new());
    for pair in pairs {
        line.clear();
        let label = pair.label == Some(true);
        rows::write_labelled(&mut line, label, &extractor.extract(&pair.sentence1, &pair.sentence2));
        file.write_all(line.as_bytes()).map_err(|error| cannot(path, error))?;
    }
    file.flush().map_err(|error| cannot(path, error))
}

fn cannot(path: &Path, error: std::io::Error) -> Failure {
    Failure::operation(format!("{} cannot be written", path.display())).because(error)
}
