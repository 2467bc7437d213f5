//! A batch transform job: its model is served as an endpoint's is, and asked for inferences of all of the job's input.
//!
//! | module | what it does |
//! |---|---|
//! | `request` | what a job asks for, and how its container is to be asked |
//! | `batches` | an object to the bodies of requests |
//! | `association`, `json_path` | what the model is shown of a record, and what is kept of record and inference |
//!
//! One process stands for all instances: what they would share out among them it does object by object. Each object's
//! inferences are uploaded when all of them are there, or not at all; one object that fails does not stop the others.

mod association;
mod batches;
mod json_path;
mod request;

use std::fs::File;
use std::io::{self, BufReader, Write as _};
use std::path::PathBuf;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use futures::future::join_all;
use http::{HeaderMap, HeaderValue, header};
use serde_json::json;
use tokio::sync::watch;

use self::batches::{Batch, Batches};
use self::request::{ExecutionParameters, Manner, Request};
use super::attempt::{self, ALGORITHM_ERROR, CANNOT_PULL, Failure, Left};
use super::inputs::Item;
use super::job::{Job, Status};
use super::logs::{self, Stream, Writer};
use super::outputs;
use super::tree::Tree;
use crate::authorisation::{NotAssumed, Work};
use crate::endpoints::container::{Container, Plan};
use crate::endpoints::unpack;
use crate::engine::{blocking, until};
use crate::fake::WeakFake;
use crate::sagemaker::model;
use crate::store::Records;
use crate::{ApiError, Fake};

/// SageMaker's sentence for input that cannot be used.
const CLIENT_ERROR: &str = "ClientError: See job logs for more information";

/// The longest answer that is taken, in bytes. SageMaker names no limit of its own.
const LONGEST_ANSWER: usize = 1 << 30;

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

/// Why an object has no inferences.
#[derive(Debug)]
enum Fault {
    /// It is not as it should be, or too much at once.
    Client(String),
    /// The model failed.
    Algorithm(String),
    /// The inferences cannot be stored.
    Output(String),
}

impl Fault {
    /// FailureReason of the job.
    fn reason(&self) -> String {
        match self {
            Self::Client(_) => CLIENT_ERROR.to_owned(),
            Self::Algorithm(_) => ALGORITHM_ERROR.to_owned(),
            Self::Output(why) => Failure::client(why).0,
        }
    }
}

/// None if the fake is closed meanwhile.
pub(super) async fn run(fake: &WeakFake, key: &str) -> Option<()> {
    let owned = key.to_owned();
    if blocking(fake, move |fake| attempt::stopped_before(fake, &owned)).await? {
        return Some(());
    }
    let owned = key.to_owned();
    let ended = match blocking(fake, move |fake| prepare(fake, &owned)).await? {
        Ok(ready) => transform(fake, key, ready).await?,
        Err(failure) => Some(Err(failure.0)),
    };
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
    work.pull(&served.image).map_err(|_| Failure::client(CANNOT_PULL))?;
    let command = fake.programs.command(&served.image, &[], &["serve".to_owned()]).map_err(Failure::client)?;
    if let Some(url) = &served.model_data_url {
        unpack(&work, url, &model).map_err(Failure::client)?;
    }
    let items = request.input().items(&work).map_err(Failure::client)?;
    let mut environment = served.environment;
    environment.extend(request.environment.clone());
    environment.extend(request.announced().map(|(name, value)| (name.to_owned(), value)));
    environment.insert("AWS_REGION".to_owned(), job.region.clone());
    environment.insert("STSMM_OPT_ML".to_owned(), tree.opt_ml().to_string_lossy().into_owned());
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
    let grace = fake.programs.grace_period();
    let container = Plan { command, environment, tree: tree.clone(), stream, grace };
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
    log.say(fake, &format!(
        "MaxConcurrentTransforms={}, MaxPayloadInMB={}, BatchStrategy={}",
        manner.concurrent,
        manner.max_payload,
        manner.strategy.written()
    ))?;
    let whole = std::sync::Arc::new((job, request));
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

/// What it takes to transform an object.
struct Asker<'a> {
    fake: &'a WeakFake,
    job: &'a std::sync::Arc<(Job, Request)>,
    container: &'a Container,
    manner: Manner,
    tree: &'a Tree,
}

impl Asker<'_> {
    /// Asks for the inferences of an object and uploads them. None if the fake is closed meanwhile.
    async fn transform(&self, item: &Item) -> Option<Result<(), Fault>> {
        let (job, manner, item_of) = (self.job.clone(), self.manner, item.clone());
        let opened = blocking(self.fake, move |fake| open(fake, &job.0, &job.1, &item_of, manner)).await?;
        let mut batches = match opened {
            Ok(batches) => batches,
            Err(fault) => return Some(Err(fault)),
        };
        let path = self.tree.root().join("inferences");
        let mut output = match Output::new(path, self.job.1.assembles_by_line()) {
            Ok(output) => output,
            Err(error) => return Some(Err(Fault::Output(error.to_string()))),
        };
        loop {
            let concurrent = self.manner.concurrent;
            let taken = blocking(self.fake, move |_| {
                let taken = batches.take(concurrent);
                (batches, taken)
            });
            let (rest, taken) = taken.await?;
            batches = rest;
            let taken = match taken {
                Ok(taken) if taken.is_empty() => break,
                Ok(taken) => taken,
                Err(why) => return Some(Err(Fault::Client(why))),
            };
            let answers = join_all(taken.into_iter().map(|batch| self.ask(batch))).await;
            let job = self.job.clone();
            let written = blocking(self.fake, move |_| {
                let association = job.1.association().map_err(Fault::Client)?;
                for answer in answers {
                    let (records, answer) = answer?;
                    for kept in association.kept(&records, &answer).map_err(Fault::Client)? {
                        output.add(&kept).map_err(|error| Fault::Output(error.to_string()))?;
                    }
                }
                Ok(output)
            });
            output = match written.await? {
                Ok(output) => output,
                Err(fault) => return Some(Err(fault)),
            };
        }
        let (job, item) = (self.job.clone(), item.clone());
        blocking(self.fake, move |fake| upload(fake, &job.0, &job.1, &item, output)).await
    }

    /// Asks for the inferences of a batch, again if need be: what the model refuses it would refuse again.
    async fn ask(&self, batch: Batch) -> Result<(Vec<Vec<u8>>, Bytes), Fault> {
        let request = &self.job.1;
        let body = Bytes::from(batch.body);
        let mut headers = HeaderMap::new();
        let given = [
            (header::CONTENT_TYPE, &request.transform_input.content_type),
            (header::ACCEPT, &request.transform_output.accept),
        ];
        for (name, value) in given {
            if let Some(value) = value.as_deref().and_then(|value| HeaderValue::from_str(value).ok()) {
                headers.insert(name, value);
            }
        }
        let mut said = String::new();
        for _ in 0..=request.retries() {
            let Some(client) = self.fake.upgrade().map(|fake| fake.hosting.client.clone()) else { break };
            let Some(port) = self.container.port() else {
                said = "Unable to get response from algorithm".to_owned();
                break;
            };
            let asked = client.invoke(port, headers.clone(), body.clone(), LONGEST_ANSWER);
            said = match tokio::time::timeout(request.patience(), asked).await {
                Ok(Ok(answer)) if answer.status().is_success() => return Ok((batch.records, answer.into_body())),
                Ok(Ok(answer)) if answer.status().is_client_error() => {
                    let (status, body) = (answer.status().as_u16(), answer.into_body());
                    let message = String::from_utf8_lossy(&body).trim_end().to_owned();
                    return Err(Fault::Client(format!("ClientError: {status}\n\nMessage:\n{message}")));
                }
                Ok(Ok(answer)) => format!("Bad HTTP status received from algorithm: {}", answer.status().as_u16()),
                Ok(Err(why)) => format!("Unable to get response from algorithm: {why}"),
                Err(_) => "Model server did not respond to /invocations request within the timeout".to_owned(),
            };
        }
        Err(Fault::Algorithm(said))
    }
}

fn open(fake: &Fake, job: &Job, request: &Request, item: &Item, manner: Manner) -> Result<Batches, Fault> {
    let work = work(fake, job).map_err(|failure| Fault::Output(failure.0))?;
    let (_, file) = work.open(&item.bucket, &item.key).map_err(|error| Fault::Client(error.message))?;
    let association = request.association().map_err(Fault::Client)?;
    let content: Box<dyn io::BufRead + Send> = match request.transform_input.compression_type.as_deref() {
        Some("Gzip") => Box::new(BufReader::new(MultiGzDecoder::new(file))),
        _ => Box::new(BufReader::new(file)),
    };
    Ok(Batches::new(content, request.by_line(), manner, association))
}

fn upload(fake: &Fake, job: &Job, request: &Request, item: &Item, output: Output) -> Result<(), Fault> {
    let path = output.finish().map_err(|error| Fault::Output(error.to_string()))?;
    let work = work(fake, job).map_err(|failure| Fault::Output(failure.0))?;
    outputs::upload_file(&work, &path, &output_uri(request, item)).map_err(Fault::Output)
}

/// The object's name below the input's prefix, and `.out`.
fn output_uri(request: &Request, item: &Item) -> String {
    format!("{}/{}.out", request.transform_output.s3_output_path.trim_end_matches('/'), item.path)
}

/// What the job keeps of an object's records, until it is uploaded.
struct Output {
    path: PathBuf,
    file: io::BufWriter<File>,
    by_line: bool,
}

impl Output {
    fn new(path: PathBuf, by_line: bool) -> io::Result<Self> {
        Ok(Self { file: io::BufWriter::new(File::create(&path)?), path, by_line })
    }

    fn add(&mut self, kept: &[u8]) -> io::Result<()> {
        self.file.write_all(kept)?;
        // A model that ends its lines itself does not need another end.
        if self.by_line && !kept.ends_with(b"\n") { self.file.write_all(b"\n") } else { Ok(()) }
    }

    fn finish(self) -> io::Result<PathBuf> {
        self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(self.path)
    }
}

/// Batch transform captures what went in and came out by naming the objects, in manifests under the hour of the job's
/// start. The error is FailureReason.
fn capture(fake: &Fake, job: &Job, request: &Request, items: &[Item], tree: &Tree) -> Result<(), String> {
    let Some(config) = &request.data_capture_config else { return Ok(()) };
    let work = work(fake, job).map_err(|failure| failure.0)?;
    let hour = model_monitor::layout::hour(job.started.unwrap_or(job.created).date());
    let Some(first) = items.first() else { return Ok(()) };
    let folder = first.key.strip_suffix(&first.path).unwrap_or_default();
    let output = format!("{}/", request.transform_output.s3_output_path.trim_end_matches('/'));
    let sides = [("input", format!("s3://{}/{folder}", first.bucket), ""), ("output", output, ".out")];
    for (side, prefix, suffix) in sides {
        let names = items.iter().map(|item| json!(format!("{}{suffix}", item.path)));
        let manifest: Vec<_> = std::iter::once(json!({"prefix": prefix})).chain(names).collect();
        let path = tree.root().join("manifest");
        std::fs::write(&path, json!(manifest).to_string()).map_err(|error| Failure::internal(error).0)?;
        let uri = format!("{}/{side}/{hour}/{}.json", config.destination_s3_uri.trim_end_matches('/'), fake.ids.uuid());
        outputs::upload_file(&work, &path, &uri).map_err(|why| Failure::client(why).0)?;
    }
    Ok(())
}

/// What SageMaker has to say itself: `STREAM/data-log`, beside what the container prints.
struct DataLog(Writer);

impl DataLog {
    fn open(fake: &Fake, container: Option<&Stream>) -> Result<Self, ApiError> {
        let Some(container) = container else { return Ok(Self(Writer::deaf())) };
        let stream = Stream { name: format!("{}/data-log", container.name), ..container.clone() };
        Writer::open(fake, &stream).map(Self)
    }

    /// None if the fake is closed.
    fn say(&mut self, fake: &WeakFake, line: &str) -> Option<()> {
        let now = fake.upgrade()?.clock.now();
        let date = now.date();
        let time = format!(
            "{}T{:02}:{:02}:{:02}.{:03}",
            date.date(),
            date.hour(),
            date.minute(),
            date.second(),
            date.millisecond()
        );
        if let Err(error) = self.0.write(now, format!("{time}:[sagemaker logs]: {line}\n").as_bytes()) {
            tracing::warn!("the log of a batch transform job: {error}");
        }
        Some(())
    }

    /// Why an object has no inferences, line by line.
    fn tell(&mut self, fake: &WeakFake, place: &str, fault: &Fault) -> Option<()> {
        let (Fault::Client(why) | Fault::Algorithm(why) | Fault::Output(why)) = fault;
        why.lines().try_for_each(|line| self.say(fake, &format!("{place}: {line}")))
    }
}
