//! `train`: rows of features and the vocabulary to a model.

use std::path::PathBuf;

use sts_model::{
    artifact::{self, Artifact},
    features,
    logistic::Params,
    metrics::{self, Evaluation},
    rows::Dataset,
    vocabulary::{Counter, Vocabulary},
};

use crate::{
    contract::{Hyperparameters, OptMl, Training},
    error::Error,
    files, say, scoring,
};

/// Runs the verb.
///
/// # Errors
/// A hyperparameter, a channel or a file is not as it should be, or the model cannot be fitted.
pub(crate) fn run(opt_ml: &OptMl) -> Result<(), Error> {
    let job = Training::read(opt_ml)?;
    job.instance.alone()?;
    let (params, threshold) = hyperparameters(job.hyperparameters())?;
    say(format_args!("l2={} max_iterations={} threshold={threshold}", params.l2, params.max_iterations));

    let validation = job.optional_channel("validation")?;
    let vocabulary = vocabulary(job.optional_channel("vocabulary")?)?;
    say(format_args!("vocabulary: {} words of {} sentences", vocabulary.len(), vocabulary.sentences()));

    let train = files::list(&job.channel("train")?, None)?;
    say(format_args!("train: reading {} file(s)", train.len()));
    let mut dataset = Dataset::new(features::COUNT);
    scoring::each_row(&train, |path, _, label, features| {
        dataset.push(label, features).map_err(|source| Error::Rows { path: path.to_owned(), source })
    })?;
    let positives = dataset.labels().iter().filter(|label| **label).count();
    say(format_args!("train: {} rows of {} features, {positives} of them paraphrases", dataset.len(), features::COUNT));

    let fit = params.check()?.fit(&dataset)?;
    say(format_args!(
        "optimum after {} iterations: objective {}, gradient norm {:e}",
        fit.iterations, fit.objective, fit.gradient_norm
    ));
    let mut artifact =
        Artifact::new(&fit, params, dataset.len() as u64, positives as u64, vocabulary).map_err(Error::Artifact)?;
    artifact.threshold = threshold;

    let probabilities: Vec<f64> = dataset.features().map(|row| artifact.predict(row).probability).collect();
    tell("train", &metrics::evaluate(dataset.labels(), &probabilities, threshold)?);
    if let Some(folder) = validation {
        let (labels, probabilities) = scoring::probabilities(&artifact, &files::list(&folder, None)?)?;
        tell("validation", &metrics::evaluate(&labels, &probabilities, threshold)?);
    }
    files::write(&job.model_file(artifact::FILE_NAME), &artifact.to_json())
}

/// The word counts behind the rows: those of the channel, or none if the job has no such channel, as `preprocess` uses
/// none if it has no such output.
fn vocabulary(channel: Option<PathBuf>) -> Result<Vocabulary, Error> {
    let Some(folder) = channel else { return Ok(Counter::new().finish()) };
    let path = files::only(&folder)?;
    Vocabulary::from_json(&files::read(&path)?).map_err(|source| Error::Vocabulary { path, source })
}

fn hyperparameters(given: &Hyperparameters) -> Result<(Params, f64), Error> {
    given.check_names(&["l2", "max_iterations", "threshold"])?;
    let default = Params::default();
    let l2 = given.get("l2", "a number above 0, such as 1.0", |l2: &f64| l2.is_finite() && *l2 > 0.0)?;
    let max_iterations = given.get("max_iterations", "a whole number from 1, such as 100", |count| *count >= 1)?;
    let threshold = given.get("threshold", "a number from 0 to below 1, such as 0.5", |t| (0.0..1.0).contains(t))?;
    let params =
        Params { l2: l2.unwrap_or(default.l2), max_iterations: max_iterations.unwrap_or(default.max_iterations) };
    Ok((params, threshold.unwrap_or(artifact::THRESHOLD)))
}

/// Tells the log the metrics in a form that a job's metric definitions can find: `validation:accuracy=([0-9.]+)`.
fn tell(part: &str, evaluation: &Evaluation) {
    let (regression, binary) = (&evaluation.regression_metrics, &evaluation.binary_classification_metrics);
    say(format_args!(
        "{part}:accuracy={}; {part}:mse={}; {part}:f1={}; {part}:auc={};",
        binary.accuracy.value, regression.mse.value, binary.f1.value, binary.auc.value
    ));
}
