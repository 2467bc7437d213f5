//! `monitor`: in place of the two images of SageMaker Model Monitor, with their environment, inputs and outputs. The
//! images take no arguments; of the two, the ground truth merger alone has `ground_truth_source` in its environment, and
//! of the analyses data quality alone has no `analysis_type`.

mod analyze;
mod data_quality;
mod environment;
mod merge;

use std::path::{Path, PathBuf};

use model_monitor::cloudwatch::{self, Measure};
use time::{OffsetDateTime, macros::format_description};

use self::environment::Environment;
use crate::{
    contract::{OptMl, Processing},
    error::Error,
    files,
};

/// In pieces of so many bytes, files are read by all cores: handing over so much costs nothing beside reading it.
const CHUNK: usize = 64 * 1024;

/// Runs the verb.
///
/// # Errors
/// The environment or a file is not as it should be, or there is no data.
pub(crate) fn run(opt_ml: &OptMl) -> Result<(), Error> {
    Processing::read(opt_ml)?.instance.alone()?;
    let environment = Environment::new(opt_ml);
    match environment.folder("ground_truth_source") {
        Ok(ground_truth) => merge::run(&environment, &ground_truth),
        Err(Error::NoVariable { .. }) => match environment.get("analysis_type").as_deref() {
            None | Some("DATA_QUALITY") => data_quality::run(opt_ml, &environment),
            Some(_) => analyze::run(opt_ml, &environment),
        },
        Err(error) => Err(error),
    }
}

/// Leaves metrics for SageMaker to publish, as those of the hour that was analysed.
fn publish(opt_ml: &OptMl, environment: &Environment, metrics: Vec<(String, Measure)>) -> Result<(), Error> {
    let hour = environment.get("metric_time").or_else(|| environment.get("start_time")).unwrap_or_else(now);
    let (endpoint, schedule) =
        (environment.get("sagemaker_endpoint_name"), environment.get("sagemaker_monitoring_schedule_name"));
    let data = cloudwatch::data(metrics, &hour, endpoint.as_deref(), schedule.as_deref());
    let path = opt_ml.at("output/metrics/cloudwatch/cloudwatch_metrics.jsonl");
    files::write(&path, &cloudwatch::to_json_lines(&data))
}

fn now() -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    // Fails for years beyond four digits alone.
    OffsetDateTime::now_utc().format(format).unwrap_or_default()
}

/// All files of an input.
fn data(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    files::list(folder, None).map_err(|error| match error {
        Error::NoFile { folder, .. } => Error::NoData { folder },
        other => other,
    })
}
