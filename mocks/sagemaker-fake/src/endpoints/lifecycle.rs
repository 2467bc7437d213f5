//! What makes an endpoint go on: one task that looks at what is on record and does it, after every change.
//!
//! It remembers only what it has running. Killed at any moment, it goes on from the record alone.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use serde_json::Value;
use tokio::sync::watch;

use super::capture::Capture;
use super::container::{Container, NotPlanned, Plan};
use super::hosting::{Hosted, Serving};
use super::model;
use super::record::{self, Deployment, Endpoint, Status, Variant};
use crate::authorisation::Work;
use crate::engine::blocking;
use crate::fake::WeakFake;
use crate::jobs::logs::{self, Stream};
use crate::sagemaker::tags;
use crate::store::{Record, Records};
use crate::{ApiError, Fake, pace};

/// How long a deployment that serves no more waits for its last answers: as long as an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks after an endpoint in the background, until it is gone.
pub(crate) fn launch(fake: &Fake, endpoint: &Endpoint) {
    let (weak, key) = (fake.downgrade(), endpoint.key());
    fake.engine.spawn(async move {
        if look_after(&weak, &key).await.is_none() {
            tracing::debug!("the fake was closed; the endpoint {key} serves again at the next start");
        }
    });
}

/// None if the fake is closed meanwhile.
async fn look_after(fake: &WeakFake, key: &str) -> Option<()> {
    let mut changes = fake.upgrade()?.engine.changes();
    let mut current: Option<Arc<Serving>> = None;
    loop {
        changes.mark_unchanged();
        let owned = key.to_owned();
        let read = blocking(fake, move |fake| fake.store.read(|view| view.get::<Endpoint>(&owned))).await?;
        let endpoint = match read {
            Ok(Some(endpoint)) => endpoint,
            Ok(None) => return Some(()),
            Err(error) => return cannot_go_on(key, &error),
        };
        if endpoint.status == Status::Deleting {
            pace::hold(fake, &endpoint.arn, endpoint.modified).await?;
            take_down(fake, key, endpoint, current).await?;
            return Some(());
        }
        if let (None, Some(serving)) = (&current, &endpoint.serving) {
            // The fake was closed while this served.
            match deploy(fake, &endpoint, serving).await? {
                Ok(serving) => current = Some(host(fake, key, serving)?),
                Err(reason) => {
                    change(fake, key, move |endpoint| fail(endpoint, reason)).await?;
                    continue;
                }
            }
        }
        match (endpoint.status, &endpoint.pending) {
            (Status::Creating | Status::Updating, Some(pending)) => {
                let deployed = deploy(fake, &endpoint, pending).await?;
                pace::hold(fake, &endpoint.arn, endpoint.modified).await?;
                let reason = match deployed {
                    Ok(serving) => {
                        let serving = host(fake, key, serving)?;
                        if let Some(old) = current.replace(serving) {
                            retire(fake, old)?;
                        }
                        None
                    }
                    Err(reason) => Some(reason),
                };
                change(fake, key, move |endpoint| switch(endpoint, reason)).await?;
            }
            (Status::Updating, None) => {
                pace::hold(fake, &endpoint.arn, endpoint.modified).await?;
                // As with a deployment, before the record says so.
                let mut wished = endpoint.clone();
                set_weights(&mut wished);
                if let (Some(current), Some(serving)) = (&current, &wished.serving) {
                    current.set_weights(serving);
                }
                change(fake, key, set_weights).await?;
            }
            _ => changes.changed().await.ok()?,
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "what it ends is a task")]
fn cannot_go_on(key: &str, error: &ApiError) -> Option<()> {
    tracing::error!("the endpoint {key} cannot go on: {error}");
    Some(())
}

/// Changes the record. What cannot be put on record is logged; it is looked at again after the next change.
async fn change(fake: &WeakFake, key: &str, f: impl FnOnce(&mut Endpoint) + Send + 'static) -> Option<()> {
    let key = key.to_owned();
    let changed = blocking(fake, move |fake| record::update(fake, &key, f)).await?;
    changed.map_err(|error| tracing::error!("an endpoint: {error}")).ok()
}

/// What was pending serves now, or the reason says why it does not: then what served before goes on.
fn switch(endpoint: &mut Endpoint, reason: Option<String>) {
    match (reason, endpoint.serving.is_some()) {
        (None, _) => {
            endpoint.serving = endpoint.pending.take();
            endpoint.status = Status::InService;
            endpoint.failure_reason = None;
        }
        (Some(reason), true) => {
            endpoint.pending = None;
            endpoint.status = Status::InService;
            endpoint.failure_reason = Some(reason);
        }
        (Some(reason), false) => fail(endpoint, reason),
    }
}

fn fail(endpoint: &mut Endpoint, reason: String) {
    if let Some(serving) = endpoint.serving.take() {
        endpoint.pending = Some(serving);
    }
    endpoint.status = Status::Failed;
    endpoint.failure_reason = Some(reason);
}

fn set_weights(endpoint: &mut Endpoint) {
    for variant in endpoint.serving.iter_mut().flat_map(|serving| &mut serving.variants) {
        variant.weight = variant.desired_weight;
        variant.instances = variant.desired_instances;
    }
    endpoint.status = Status::InService;
}

/// Starts the containers of a deployment and waits until all of them are well. The error is SageMaker's sentence.
async fn deploy(fake: &WeakFake, endpoint: &Endpoint, deployment: &Deployment) -> Option<Result<Serving, String>> {
    let (stop, stopping) = watch::channel(false);
    let (owned, of) = (endpoint.clone(), deployment.clone());
    let prepared = blocking(fake, move |fake| {
        of.variants.iter().map(|variant| prepare(fake, &owned, &of, variant)).collect::<Result<Vec<_>, _>>()
    });
    let plans = match prepared.await? {
        Ok(plans) => plans,
        Err(reason) => return Some(Err(reason)),
    };
    let (client, patience) = {
        let fake = fake.upgrade()?;
        (fake.hosting.client.clone(), fake.programs.startup_patience())
    };
    let hosted: Vec<_> = {
        let fake = fake.upgrade()?;
        let variants = plans.into_iter().zip(&deployment.variants);
        variants
            .map(|(plan, variant)| Hosted {
                name: variant.name.clone(),
                container: Container::start(&fake, client.clone(), plan, stopping.clone()),
                capture: Capture::new(endpoint, deployment, variant).map(Arc::new),
            })
            .collect()
    };
    let ready = hosted.iter().zip(&deployment.variants).map(|(hosted, variant)| async move {
        let own = variant.details.get("ContainerStartupHealthCheckTimeoutInSeconds").and_then(Value::as_u64);
        let patience = own.map_or(patience, |own| patience.min(Duration::from_secs(own)));
        tokio::time::timeout(patience, hosted.container.ready()).await.unwrap_or(Some(false))
    });
    let ready = join_all(ready).await;
    let serving = Serving::new(endpoint.clone(), deployment, hosted, stop);
    for (ready, variant) in ready.into_iter().zip(&deployment.variants) {
        if !ready? {
            retire(fake, Arc::new(serving))?;
            return Some(Err(unhealthy(variant)));
        }
    }
    Some(Ok(serving))
}

/// SageMaker's sentence for a container that does not come to answer.
fn unhealthy(variant: &Variant) -> String {
    format!(
        "The primary container for production variant {} did not pass the ping health check. Please check CloudWatch logs for \
         this endpoint.",
        variant.name
    )
}

/// Everything before a container starts. The error is SageMaker's sentence.
fn prepare(fake: &Fake, endpoint: &Endpoint, deployment: &Deployment, variant: &Variant) -> Result<Plan, String> {
    let tree = model::lay_out(fake, endpoint, deployment, variant)?;
    let mut environment = variant.container.environment.clone();
    environment.insert("AWS_REGION".to_owned(), endpoint.region.clone());
    let stream = Stream {
        region: endpoint.region.clone(),
        group: endpoint.log_group(),
        name: format!("{}/{}", variant.name, variant.instance_id),
        created: fake.clock.now(),
    };
    let groups = logs::groups(fake, &stream.region).map_err(|error| error.message)?;
    let work = endpoint.work(fake, variant.container.role.as_deref()).ok();
    // Who may not log serves all the same, unheard.
    let may_log = |work: &Work<'_>| work.may_log(&stream.group, groups.contains(&stream.group), &stream.name);
    let stream = work.as_ref().is_some_and(may_log).then_some(stream);
    let plan = Plan::new(fake, work.as_ref(), &variant.container.image, &environment, tree, stream);
    plan.map_err(|why| match why {
        NotPlanned::NoProgram(sentence) => sentence,
        NotPlanned::Ended => unhealthy(variant),
    })
}

/// From now on this deployment answers, before the record says so: whoever reads that is answered.
fn host(fake: &WeakFake, key: &str, serving: Serving) -> Option<Arc<Serving>> {
    let serving = Arc::new(serving);
    let fake = fake.upgrade()?;
    fake.hosting.set(key, Arc::clone(&serving));
    fake.engine.notify();
    Some(serving)
}

/// Lets a deployment to which nothing leads any more end in the background.
fn retire(fake: &WeakFake, old: Arc<Serving>) -> Option<()> {
    let weak = fake.clone();
    fake.upgrade()?.engine.spawn(async move {
        let _ = end(&weak, old).await;
    });
    Some(())
}

async fn end(fake: &WeakFake, old: Arc<Serving>) -> Option<()> {
    old.end(PATIENCE).await;
    blocking(fake, move |fake| {
        old.close_captures(fake, None);
        model::remove(fake, &old.endpoint, &old.id);
    })
    .await
}

/// The endpoint goes.
async fn take_down(fake: &WeakFake, key: &str, endpoint: Endpoint, current: Option<Arc<Serving>>) -> Option<()> {
    fake.upgrade()?.hosting.remove(key);
    if let Some(current) = current {
        end(fake, current).await?;
    }
    let gone = blocking(fake, move |fake| {
        model::remove_all(fake, &endpoint);
        let gone = fake.store.write(|change| {
            change.delete::<Endpoint>(&endpoint.key())?;
            tags::delete(change, &endpoint.arn)
        });
        fake.engine.notify();
        gone
    });
    gone.await?.map_err(|error| tracing::error!("an endpoint: {error}")).ok()
}
