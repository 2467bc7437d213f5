//! Jobs: processing, training and batch transform, really run as programs laid out by SageMaker's container contract.
//!
//! | module | what it does |
//! |---|---|
//! | [`job`] | the record of a job and its life: create, change, stop |
//! | `attempt` | one run of a job: prepare, watch over its instances, finish |
//! | `instance` | one program: its process, its log, its end |
//! | `launch` | what is started as a container: a command, its surroundings and limits |
//! | `namespace` | how a program gets to see the files of its instance as `/opt/ml` |
//! | `processes` | all processes of an instance, to be stopped or measured |
//! | `script_mode` | what AWS's framework images do with a script of yours |
//! | `tree` | the folders of one instance, laid out as `/opt/ml` |
//! | `processing`, `training` | what the two kinds of job want: inputs, configuration files, outputs |
//! | `transform` | a batch transform job: a model that is served, asked for inferences of all of its input |
//! | `plan` | what a job wants whose program runs to its end |
//! | `inputs`, `outputs`, `archive` | from S3, to S3, and how a model becomes a `model.tar.gz` |
//! | `metrics` | what a training job's metric definitions find in its log |
//! | [`logs`] | what jobs and endpoints print, as CloudWatch Logs would keep it |
//! | [`programs`] | which program stands for which image |

mod archive;
mod attempt;
pub(crate) mod inputs;
pub(crate) mod instance;
pub mod job;
pub(crate) mod launch;
pub mod logs;
mod metrics;
mod namespace;
mod outputs;
mod plan;
pub(crate) mod processes;
pub(crate) mod processing;
pub mod programs;
pub(crate) mod script_mode;
pub(crate) mod training;
pub(crate) mod transform;
pub(crate) mod tree;

pub(crate) use attempt::ALGORITHM_ERROR;
pub use job::{Job, Kind, Status, ended};

use crate::store::Records;
use crate::{ApiError, Fake};

/// Starts again what was running when the fake was last closed or killed, each job in a fresh folder; removes what is
/// left of the old ones, programs included.
pub(crate) fn resume(fake: &Fake) -> Result<(), ApiError> {
    tidy(fake);
    let jobs = fake.store.read(|view| view.list::<Job>(""))?;
    jobs.iter().filter(|job| !job.status.is_final()).for_each(|job| attempt::launch(fake, job));
    Ok(())
}

/// Removes what jobs have left, programs included: none runs.
pub(crate) fn tidy(fake: &Fake) {
    tree::remove_all(fake, processes::kill_orphan);
}
