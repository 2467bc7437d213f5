//! Model Monitor: schedules that fire on the fake's clock, and executions that really run.
//!
//! | module | what it does |
//! |---|---|
//! | [`expression`] | when a schedule fires |
//! | [`window`] | which data an execution looks at |
//! | [`schedule`], [`execution`] | the records, and how the one makes the other |
//! | `captured` | where an endpoint's captures are |
//! | `baseline` | what a job compares with, and how it gets it |
//! | `requests` | the processing jobs of an execution: one of data quality, two of model quality |
//! | `drive` | the task that takes executions to their ends |

pub(crate) mod baseline;
pub(crate) mod captured;
mod drive;
pub mod execution;
pub mod expression;
mod requests;
pub mod schedule;
pub mod window;

pub use execution::Execution;
pub use schedule::{Schedule, fire};

pub(crate) use drive::launch;

use crate::store::Records;
use crate::{ApiError, Fake, engine};

/// Goes on with every schedule. What fell due while nobody had the state open is fired now.
pub(crate) fn resume(fake: &Fake) -> Result<(), ApiError> {
    let schedules = fake.store.read(|view| view.list::<Schedule>(""))?;
    schedules.iter().for_each(|schedule| launch(fake, schedule));
    Ok(())
}

/// Waits until a schedule has done all that is due by now; gives its executions, oldest first.
///
/// # Errors
/// When there is no such schedule, or the store cannot be read.
pub async fn settled(fake: &Fake, region: &str, name: &str) -> Result<Vec<Execution>, ApiError> {
    let key = crate::sagemaker::names::key(region, name);
    engine::until(&fake.downgrade(), |fake| {
        fake.store.read(|view| {
            let schedule: Option<Schedule> = view.get(&key)?;
            let schedule =
                schedule.ok_or_else(|| ApiError::validation(format!("there is no monitoring schedule {key}")))?;
            let executions = view.list::<Execution>(&execution::keys_of_schedule(region, name))?;
            let idle = !schedule.pending && !schedule.is_due(fake.clock.now());
            Ok((idle && executions.iter().all(|execution| execution.status.is_final())).then_some(executions))
        })
    })
    .await
}

/// Waits until every schedule has done all that is due by now.
///
/// # Errors
/// When the store cannot be read.
pub async fn all_settled(fake: &Fake) -> Result<(), ApiError> {
    let schedules = fake.store.read(|view| view.list::<Schedule>(""))?;
    for schedule in schedules {
        settled(fake, &schedule.region, &schedule.name).await?;
    }
    Ok(())
}
