//! A batch transform job: its model is served as an endpoint's is, and asked for inferences of all of the job's input.
//!
//! | module | what it does |
//! |---|---|
//! | `request` | what a job asks for, and how its container is to be asked |
//! | `object` | one object of the input: asked for its inferences, and what comes of it uploaded |
//! | `batches` | an object to the bodies of requests |
//! | `association`, `json_path` | what the model is shown of a record, and what is kept of record and inference |
//! | `data_log` | what SageMaker itself has to say of the job |
//!
//! One process stands for all instances: what they would share out among them it does object by object. Each object's
//! inferences are uploaded when all of them are there, or not at all; one object that fails does not stop the others.

mod association;
mod batches;
mod data_log;
mod json_path;
mod object;
mod request;

use std::sync::Arc;

use serde_json::json;
use tokio::sync::watch;

use self::data_log::DataLog;
use self::object::Asker;
use self::request::{ExecutionParameters, Request};
use super::attempt::{self, ALGORITHM_ERROR, Failure, Left, Paced};
use super::inputs::Item;
use super::job::{Job, Status};
use super::logs::{self, Stream};
use super::outputs;
use super::tree::Tree;
use crate::authorisation::{NotAssumed, Work};
use crate::endpoints::container::{Container, NotPlanned, Plan};
use crate::endpoints::unpack;
use crate::engine::{blocking, until};
use crate::fake::WeakFake;
use crate::sagemaker::model;
use crate::store::Records;
use crate::{ApiError, Fake};

/// Whether the job can be run.
///
/// # Errors
/// `ValidationException` for what SageMaker refuses at once, or this fake cannot do.
pub(super) fn check(job: &Job) -> Result<(), ApiError> {
    Request::read(&job.request).map(drop)
}

/// A job that is ready to start.
struct Ready {
    job: Job,
    request: Request,
    items: Vec<Item>,
    tree: Tree,
    container: Plan,
    log: DataLog,
}

/// None if the fake is closed meanwhile.
pub(super) async fn run(fake: &WeakFake, key: &str) -> Option<()> {
    let owned = key.to_owned();
    if blocking(fake, move |fake| attempt::stopped_before(fake, &owned)).await? {
        return Some(());
    }
    let owned = key.to_owned();
    let mut ended = match blocking(fake, move |fake| prepare(fake, &owned)).await? {
        Ok(ready) => transform(fake, key, ready).await?,
        Err(failure) => Some(Err(failure.reason)),
    };
    if ended.is_some() && attempt::pace(fake, key).await? == Paced::Stopped {
        ended = None;
    }
    let key = key.to_owned();
    blocking(fake, move |fake| {
        attempt::close(fake, &key, Left::default(), |job, now| match ended {
            None => job.end(now, Status::Stopped, None),
            Some(Ok(())) => job.end(now, Status::Completed, None),
            Some(Err(reason)) => job.end(now, Status::Failed, Some(reason)),
        });
    })
    .await
}

/// SageMaker at work as the role of the job's model.
fn work<'a>(fake: &'a Fake, job: &'a Job) -> Result<Work<'a>, Failure> {
    let role = job.container.as_ref().and_then(|container| container.role.as_deref()).unwrap_or_default();
    let work = Work::start(fake, &job.region, role, &job.arn).map_err(|error| Failure::internal(error.message))?;
    work.map_err(|NotAssumed| Failure::client(model::invalid_role(role)))
}

/// Everything before the container starts: the model, its environment, the list of what is to be transformed.
fn prepare(fake: &Fake, key: &str) -> Result<Ready, Failure> {
    let job = attempt::begin(fake, key)?;
    let request = Request::read(&job.request).map_err(|error| Failure::client(error.message))?;
    let served = job.container.clone().ok_or_else(|| Failure::internal("the job has no container"))?;
    let tree = Tree::of(fake, &job, "algo-1").map_err(Failure::internal)?;
    let model = tree.make("model").map_err(Failure::internal)?;
    let work = work(fake, &job)?;
    work.pull(&served.image).map_err(|none| Failure::client(none.of_job(&served.image)))?;
    let mut environment = served.environment.clone();
    environment.extend(request.environment.clone());
    environment.extend(request.announced().map(|(name, value)| (name.to_owned(), value)));
    environment.insert("AWS_REGION".to_owned(), job.region.clone());
    if let Some(url) = &served.model_data_url {
        unpack(&work, url, &model).map_err(Failure::client)?;
    }
    let items = request.input().items(&work).map_err(Failure::client)?;
    let stream = Stream {
        region: job.region.clone(),
        group: job.kind.log_group().to_owned(),
        name: format!("{}/i-{}-{}", job.name, fake.ids.hex(17), fake.clock.now().0 / 1000),
        created: fake.clock.now(),
    };
    let groups = logs::groups(fake, &job.region).map_err(Failure::internal)?;
    // Who may not log runs all the same, unheard.
    let stream = work.may_log(&stream.group, groups.contains(&stream.group), &stream.name).then_some(stream);
    let log = DataLog::open(fake, stream.as_ref()).map_err(|error| Failure::internal(error.message))?;
    let container = Plan::new(fake, Some(&work), &served.image, &environment, tree.clone(), stream);
    let container = container.map_err(|why| match why {
        NotPlanned::NoProgram(sentence) => Failure::client(sentence),
        NotPlanned::Ended => Failure { reason: ALGORITHM_ERROR.to_owned(), message: None },
    })?;
    drop(work);
    Ok(Ready { job, request, items, tree, container, log })
}

/// Serves the model for as long as it is asked. Gives how the job ended, or nothing if it was told to stop; None if the
/// fake is closed meanwhile.
async fn transform(fake: &WeakFake, key: &str, ready: Ready) -> Option<Option<Result<(), String>>> {
    let (stop, stopping) = watch::channel(false);
    let (container, patience) = {
        let fake = fake.upgrade()?;
        let client = fake.hosting.client.clone();
        (Container::start(&fake, client, ready.container.clone(), stopping), fake.programs.startup_patience())
    };
    let asked = until(fake, |fake| {
        let job = fake.store.read(|view| view.get::<Job>(key))?;
        Ok(job.is_none_or(|job| job.status == Status::Stopping).then_some(()))
    });
    let all = async {
        match tokio::time::timeout(patience, container.ready()).await {
            Ok(Some(true)) => transform_all(fake, ready, &container).await,
            Ok(None) => None,
            Ok(Some(false)) | Err(_) => Some(Err(ALGORITHM_ERROR.to_owned())),
        }
    };
    let ended = tokio::select! {
        biased;
        asked = asked => asked.ok().map(|()| None),
        ended = all => ended.map(Some),
    };
    stop.send_replace(true);
    container.ended().await;
    ended
}

async fn transform_all(fake: &WeakFake, ready: Ready, container: &Container) -> Option<Result<(), String>> {
    let Ready { job, request, items, tree, mut log, .. } = ready;
    let client = fake.upgrade()?.hosting.client.clone();
    let parameters = match container.port() {
        Some(port) => client.execution_parameters(port).await,
        None => None,
    };
    let parameters = parameters.and_then(|body| serde_json::from_slice(&body).ok());
    let manner = request.manner(&parameters.unwrap_or_else(ExecutionParameters::default));
    log.say(
        fake,
        &format!(
            "MaxConcurrentTransforms={}, MaxPayloadInMB={}, BatchStrategy={}",
            manner.concurrent,
            manner.max_payload,
            manner.strategy.written()
        ),
    )?;
    let whole = Arc::new((job, request));
    let mut failed = None;
    for item in &items {
        let asker = Asker { fake, job: &whole, container, manner, tree: &tree };
        if let Err(fault) = asker.transform(item).await? {
            let place = format!("{}/{}", item.bucket, item.key);
            log.tell(fake, &place, &fault)?;
            failed.get_or_insert(fault.reason());
        }
    }
    if let Some(reason) = failed {
        return Some(Err(reason));
    }
    blocking(fake, move |fake| capture(fake, &whole.0, &whole.1, &items, &tree)).await
}

/// Batch transform captures what went in and came out by naming the objects, in manifests under the hour of the job's
/// start. The error is FailureReason.
fn capture(fake: &Fake, job: &Job, request: &Request, items: &[Item], tree: &Tree) -> Result<(), String> {
    let Some(config) = &request.data_capture_config else { return Ok(()) };
    let work = work(fake, job).map_err(|failure| failure.reason)?;
    let hour = model_monitor::layout::hour(job.started.unwrap_or(job.created).date());
    let Some(first) = items.first() else { return Ok(()) };
    let folder = first.key.strip_suffix(&first.path).unwrap_or_default();
    let output = format!("{}/", request.transform_output.s3_output_path.trim_end_matches('/'));
    let sides = [("input", format!("s3://{}/{folder}", first.bucket), ""), ("output", output, ".out")];
    for (side, prefix, suffix) in sides {
        let names = items.iter().map(|item| json!(format!("{}{suffix}", item.path)));
        let manifest: Vec<_> = std::iter::once(json!({"prefix": prefix})).chain(names).collect();
        let path = tree.root().join("manifest");
        std::fs::write(&path, json!(manifest).to_string()).map_err(|error| Failure::internal(error).reason)?;
        let uri = format!("{}/{side}/{hour}/{}.json", config.destination_s3_uri.trim_end_matches('/'), fake.ids.uuid());
        outputs::upload_file(&work, &path, &uri).map_err(|why| Failure::client(why).reason)?;
    }
    Ok(())
}
