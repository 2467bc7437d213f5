//! `evaluate`: a model and test rows to `evaluation.json`, which the pipeline's condition and the model registry read.

use sts_model::metrics;

use crate::{
    contract::{OptMl, Processing},
    error::Error,
    files, scoring,
};

/// Runs the verb.
///
/// # Errors
/// The job lacks an input or output, or a file is not as it should be.
pub(crate) fn run(opt_ml: &OptMl) -> Result<(), Error> {
    let job = Processing::read(opt_ml)?;
    job.instance.alone()?;
    let report = job.output("evaluation")?.join("evaluation.json");
    let artifact = scoring::read_archive(&job.input("model")?)?;
    // Beside the rows are the pairs they were made from.
    let test = files::list(&job.input("test")?, Some("csv"))?;
    let (labels, probabilities) = scoring::probabilities(&artifact, &test)?;
    let evaluation = metrics::evaluate(&labels, &probabilities, artifact.threshold)?;
    let json = serde_json::to_string_pretty(&evaluation);
    let json = json.map_err(|source| Error::Write { path: report.clone(), source: source.into() })?;
    files::write(&report, &(json + "\n"))?;
    let (regression, binary) = (&evaluation.regression_metrics, &evaluation.binary_classification_metrics);
    opt_ml.finish(&format!(
        "{} rows: mse {:.4} (of the best constant prediction {:.4}), accuracy {:.4}, f1 {:.4}, auc {:.4}",
        labels.len(),
        regression.mse.value,
        regression.mse_best_constant_classifier.value,
        binary.accuracy.value,
        binary.f1.value,
        binary.auc.value
    ))
}
