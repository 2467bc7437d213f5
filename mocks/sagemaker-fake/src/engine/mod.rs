//! The pipeline engine: what makes a started execution go on.
//!
//! | module | what it does |
//! |---|---|
//! | [`execution`] | the record of an execution and its steps |
//! | `drive` | looks at what is on record and takes the next steps, after every change |
//! | `step` | what each type of step does |
//! | `cache` | an earlier run of a step that stands in for it |
//! | `scope`, `coerce` | a step's arguments: what they refer to, and as the service takes them |
//! | `role` | calls as the execution's role |
//! | `tasks` | the background tasks of one fake |

mod cache;
mod coerce;
mod drive;
pub mod execution;
pub(crate) mod role;
mod scope;
pub(crate) mod step;
mod tasks;

pub use execution::{CacheLookup, Execution, ExecutionStatus, RetriedFailure, Selective, StepRecord, StepStatus};
pub use tasks::Engine;

pub(crate) use drive::launch;
pub(crate) use role::session_of;
pub use tasks::until;
pub(crate) use tasks::{blocking, changed_or_due};

use crate::store::Records;
use crate::{ApiError, Fake, cloudwatch, endpoints, jobs, monitoring, tuning};

/// Goes on with every execution, job and endpoint that was running when the fake was last closed or killed.
///
/// # Errors
/// An internal failure when the store cannot be read.
pub fn resume(fake: &Fake) -> Result<(), ApiError> {
    fake.engine.start();
    jobs::resume(fake)?;
    tuning::resume(fake)?;
    endpoints::resume(fake)?;
    monitoring::resume(fake)?;
    let executions = fake.store.read(|view| view.list::<Execution>(""))?;
    executions
        .iter()
        .filter(|execution| !execution.status.is_final())
        .for_each(|execution| launch(fake, &execution.arn));
    Ok(())
}

/// Ends what drives jobs, executions and endpoints, and with it their programs. All of it can be [resumed](resume).
pub(crate) async fn halt(fake: &Fake) {
    fake.engine.end().await;
    fake.hosting.clear();
}

/// Removes what jobs, and deployments that are no more, have left, programs included: nothing is being driven.
pub(crate) fn tidy(fake: &Fake) -> Result<(), ApiError> {
    jobs::tidy(fake);
    endpoints::tidy(fake)
}

/// Stops driving jobs, executions and endpoints, and lets go of the fake. Nothing is lost: they go on when the fake is
/// built again on the same folder, and what endpoints have captured is in S3.
pub async fn close(fake: Fake) {
    fake.engine.end().await;
    let closed = tokio::task::spawn_blocking(move || {
        endpoints::close(&fake);
        if let Err(error) = cloudwatch::invocations::store(&fake) {
            tracing::error!("the metrics of the last invocations are lost: {error}");
        }
    });
    if let Err(error) = closed.await {
        tracing::error!("what endpoints have captured is uploaded at the next start: {error}");
    }
}

/// Waits until an execution has come to its end.
///
/// # Errors
/// When there is no such execution, or the store cannot be read.
pub async fn settled(fake: &Fake, execution_arn: &str) -> Result<Execution, ApiError> {
    until(&fake.downgrade(), |fake| {
        let execution = fake.store.read(|view| execution::existing(view, execution_arn))?;
        Ok(execution.status.is_final().then_some(execution))
    })
    .await
}
