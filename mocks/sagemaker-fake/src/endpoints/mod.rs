//! Endpoints: models that really serve, as programs laid out by SageMaker's container contract.
//!
//! | module | what it does |
//! |---|---|
//! | `record` | the record of an endpoint and of what it deploys |
//! | `lifecycle` | what makes an endpoint go on: deploys, switches over, takes down |
//! | `model` | a model's data, from the fake's S3 into the folder of a container |
//! | `container` | one container: its process, its health check, started again when it ends |
//! | `hosting` | which deployment answers for which endpoint |
//! | [`invoke`] | InvokeEndpoint |
//! | `seed` | the endpoints that a scenario begins with |
//! | `capture` | data capture: records, files, their way into S3 |

mod capture;
pub(crate) mod container;
mod hosting;
pub mod invoke;
mod lifecycle;
mod model;
mod record;
mod seed;

pub(crate) use hosting::Hosting;
pub(crate) use lifecycle::launch;
pub(crate) use model::unpack;
pub use record::{Container, Deployment, Endpoint, Status, Variant};
pub(crate) use seed::seed;

use crate::clock::Timestamp;
use crate::fake::Context;
use crate::sagemaker::names;
use crate::store::Records;
use crate::{ApiError, Fake, engine};

/// Goes on with every endpoint that was there when the fake was last closed or killed; removes what is left of the
/// others, programs included, and uploads what was captured and not uploaded yet.
pub(crate) fn resume(fake: &Fake) -> Result<(), ApiError> {
    let endpoints = fake.store.read(|view| view.list::<Endpoint>(""))?;
    model::tidy(fake, &endpoints);
    capture::upload_all(fake);
    endpoints.iter().for_each(|endpoint| launch(fake, endpoint));
    Ok(())
}

/// Removes what is left of deployments that are no more, programs included: nothing serves.
pub(crate) fn tidy(fake: &Fake) -> Result<(), ApiError> {
    model::tidy(fake, &fake.store.read(|view| view.list::<Endpoint>(""))?);
    Ok(())
}

/// What is captured is uploaded whose minute will be over at this time: whoever reads S3 then finds it.
pub(crate) fn before(fake: &Fake, time: Timestamp) {
    fake.hosting.all().iter().for_each(|serving| serving.close_captures(fake, Some(time)));
}

/// Uploads what is captured: nothing serves any more.
pub(crate) fn close(fake: &Fake) {
    capture::upload_all(fake);
}

/// Waits until nothing is being done with an endpoint; none if it is gone.
///
/// # Errors
/// When the store cannot be read.
pub async fn settled(fake: &Fake, region: &str, name: &str) -> Result<Option<Endpoint>, ApiError> {
    let key = names::key(region, name);
    engine::until(&fake.downgrade(), |fake| {
        let endpoint = fake.store.read(|view| view.get::<Endpoint>(&key))?;
        Ok(endpoint.as_ref().is_none_or(|endpoint| !endpoint.status.is_in_progress()).then_some(endpoint))
    })
    .await
}

/// The endpoint that a caller means.
fn named(context: &Context<'_>, name: &str) -> Result<Option<Endpoint>, ApiError> {
    context.fake.store.read(|view| view.get(&names::key(context.region, name)))
}
