//! `baseline`: a model and validation rows to `baseline.csv`, from which a model quality monitor learns what is normal.

use crate::{
    contract::{OptMl, Processing},
    error::Error,
    files::{self, Output},
    scoring,
};

/// Runs the verb.
///
/// # Errors
/// The job lacks an input or output, or a file is not as it should be.
pub(crate) fn run(opt_ml: &OptMl) -> Result<(), Error> {
    let job = Processing::read(opt_ml)?;
    job.instance.alone()?;
    let mut baseline = Output::new(job.output("validate")?.join("baseline.csv"));
    let artifact = scoring::read_archive(&job.input("model")?)?;
    let validation = files::list(&job.input("validation")?, Some("csv"))?;
    baseline.append("prediction,probability,label\n")?;
    let mut rows = 0;
    scoring::each_prediction(&artifact, &validation, |label, prediction| {
        rows += 1;
        let (predicted, label) = (u8::from(prediction.label), u8::from(label));
        baseline.append(&format!("{predicted},{},{label}\n", prediction.probability))
    })?;
    baseline.finish()?;
    opt_ml.finish(&format!("{rows} rows in the baseline"))
}
