//! Hyperparameter tuning: training jobs, really run, with hyperparameters that are searched for.
//!
//! | module | what it does |
//! |---|---|
//! | `record` | the record of a tuning job and its trials |
//! | `request` | what a job asks for |
//! | `range`, `search` | the hyperparameters of the next trial |
//! | `drive` | starts trials, looks at what they measured, decides when it is enough |

mod drive;
mod range;
mod record;
mod request;
mod search;

pub(crate) use drive::launch;
pub use record::{Trial, TuningJob, ended};
pub(crate) use record::{TrialState, states};
pub(crate) use request::Request;

use crate::store::Records;
use crate::{ApiError, Fake};

/// Goes on with the tuning jobs that ran when the fake was last closed or killed.
pub(crate) fn resume(fake: &Fake) -> Result<(), ApiError> {
    let jobs = fake.store.read(|view| view.list::<TuningJob>(""))?;
    jobs.iter().filter(|job| !job.status.is_final()).for_each(|job| launch(fake, job));
    Ok(())
}
