//! The analyzer: rows to statistics and suggested constraints and, where the constraints of a baseline are given, to
//! violations.

use std::path::{Path, PathBuf};

use model_monitor::{
    analysis::{Analysis, Observation, Settings, Unusable},
    attribute::Attribute,
    cloudwatch,
    constraints::Constraints,
    dataset::{Attributes, Chunk, Chunks, DatasetFormat},
    problem::Problem,
    statistics::Statistics,
    violations::Violations,
};

use super::{CHUNK, data, environment::Environment, now, publish};
use crate::{contract::OptMl, error::Error, files, parallel, say};

/// What a job asks for.
#[derive(Debug)]
struct Job {
    source: PathBuf,
    output: PathBuf,
    format: DatasetFormat,
    attributes: Attributes,
    settings: Settings,
    /// Of a baseline.
    constraints: Option<Constraints>,
    publishes: bool,
}

/// Analyses the job's rows.
///
/// # Errors
/// The environment or a file is not as it should be, or there are no rows that can be used.
pub(super) fn run(opt_ml: &OptMl, environment: &Environment) -> Result<(), Error> {
    let job = Job::read(environment)?;
    let statistics = job.analyze(opt_ml)?;
    let write = |name: &str, content: String| files::write(&job.output.join(name), &content);
    write("statistics.json", statistics.to_json(&now()))?;
    write("constraints.json", Constraints::suggest(&statistics).to_json())?;
    let mut violations = Violations::default();
    if let Some(constraints) = &job.constraints {
        violations = Violations::find(&statistics, constraints);
        write("constraint_violations.json", violations.to_json())?;
    }
    if job.publishes {
        publish(opt_ml, environment, cloudwatch::metrics(&statistics))?;
    }
    opt_ml.finish(&violations.exit_message())
}

impl Job {
    fn read(environment: &Environment) -> Result<Self, Error> {
        let analysis = environment.get("analysis_type").unwrap_or_default();
        if analysis != "MODEL_QUALITY" {
            return Err(Error::AnalysisType { found: analysis });
        }
        environment.has_no_scripts()?;
        let problem: Problem = environment.required("problem_type")?.parse()?;
        let format: DatasetFormat = environment.required("dataset_format")?.parse()?;
        let attribute = |name| environment.get(name).map(|text| Attribute::new(text.trim()));
        let attributes = Attributes {
            inference: attribute("inference_attribute"),
            probability: attribute("probability_attribute"),
            ground_truth: attribute("ground_truth_attribute"),
        };
        // What every row would lack is missing in the job.
        let by_probability = problem == Problem::BinaryClassification && attributes.probability.is_some();
        if attributes.inference.is_none() && !by_probability {
            return Err(Error::NoVariable { name: "inference_attribute" });
        }
        if attributes.ground_truth.is_none() && !matches!(format, DatasetFormat::Merged { .. }) {
            return Err(Error::NoVariable { name: "ground_truth_attribute" });
        }
        let threshold =
            environment.parsed("probability_threshold_attribute", "a number", |value: &f64| value.is_finite())?;
        let publishes = environment.publishes()?;
        let constraints = match environment.folder("baseline_constraints") {
            Ok(path) => Some(constraints(&path, problem)?),
            Err(Error::NoVariable { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(Self {
            source: environment.folder("dataset_source")?,
            output: environment.folder("output_path")?,
            format,
            attributes,
            settings: Settings { problem, threshold, positive_label: environment.get("positive_label") },
            constraints,
            publishes,
        })
    }

    /// A row that cannot be used is left out, and the log says so.
    fn analyze(&self, opt_ml: &OptMl) -> Result<Statistics, Error> {
        let mut analysis = Analysis::new(&self.settings);
        let (mut rows, mut unusable) = (0_u64, 0_u64);
        let mut first: Option<(PathBuf, u64, Unusable)> = None;
        let files = data(&self.source)?;
        let wrong = |path, source| Error::Dataset { path, source };
        let chunks = files::chunks(&files, |file| Chunks::new(file, self.format, &self.attributes, CHUNK), wrong);
        let work = |(): &mut (), (path, chunk): (_, Chunk)| {
            let path: &PathBuf = path;
            let mut rows = Vec::new();
            let each = |line, row: Result<Observation<'_>, _>| rows.push((line, row.map(Observation::into_owned)));
            chunk.rows(&self.attributes, each).map_err(|source| wrong(path.clone(), source))?;
            Ok((path, rows))
        };
        parallel::in_order(
            chunks,
            || (),
            work,
            |(path, more)| {
                for (line, row) in more {
                    rows += 1;
                    if let Err(reason) = row.and_then(|row| analysis.add(&row)) {
                        unusable += 1;
                        first.get_or_insert_with(|| (path.clone(), line, reason));
                    }
                }
                Ok(())
            },
        )?;
        match (analysis.finish(), first) {
            (Some(statistics), None) => Ok(statistics),
            (Some(statistics), Some((path, line, reason))) => {
                let path = path.display();
                say(opt_ml.as_in_container(&format!(
                    "{unusable} of {rows} rows cannot be used, the first is {path}, line {line}: {reason}"
                )));
                Ok(statistics)
            }
            (None, Some((path, line, reason))) => {
                Err(Error::NoUsableRows { rows, path, line, source: Box::new(reason) })
            }
            (None, None) => Err(Error::NoRows { folder: self.source.clone() }),
        }
    }
}

fn constraints(path: &Path, problem: Problem) -> Result<Constraints, Error> {
    let content = files::read(path)?;
    Constraints::read(&content, problem).map_err(|source| Error::Constraints { path: path.to_owned(), source })
}
