//! One run of a job: prepare its instances, watch over them, finish.

use std::collections::BTreeMap;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::watch;

use super::instance::{End, Instance};
use super::job::{self, Job, Kind, Status};
use super::launch::Launch;
use super::logs::{self, Stream, Writer};
use super::metrics::Metrics;
use super::plan::Plan;
use super::programs::Image;
use super::script_mode::{self, Capture};
use super::tree::Tree;
use super::{outputs, processing, training, transform, tree};
use crate::authorisation::{NotAssumed, Work};
use crate::clock::Timestamp;
use crate::engine::{blocking, until};
use crate::fake::WeakFake;
use crate::store::{Record, Records};
use crate::{ApiError, Fake, cloudwatch, pace};

/// Runs a job in the background.
pub(super) fn launch(fake: &Fake, job: &Job) {
    let (weak, key, kind) = (fake.downgrade(), job.key(), job.kind);
    fake.engine.spawn(async move {
        let ran = match kind {
            Kind::TransformJob => transform::run(&weak, &key).await,
            Kind::ProcessingJob | Kind::TrainingJob => run(&weak, &key).await,
        };
        if ran.is_none() {
            tracing::debug!("the fake was closed while the job {key} ran; it goes on at the next start");
        }
    });
}

/// Whether the job can be run.
///
/// # Errors
/// `ValidationException` for what SageMaker refuses at once, or this fake cannot do.
pub(super) fn check(job: &Job) -> Result<(), ApiError> {
    match job.kind {
        Kind::TransformJob => transform::check(job),
        Kind::ProcessingJob | Kind::TrainingJob => plan(job).map(drop),
    }
}

/// What a job whose program runs to its end wants.
fn plan(job: &Job) -> Result<Plan, ApiError> {
    if job.kind == Kind::TrainingJob { training::plan(job) } else { processing::plan(job) }
}

/// The exit code of a program that has failed, or a sentence that says why it could not be run or go on.
type Exit = Result<i32, String>;

/// How the watch over the instances ended.
#[derive(Debug)]
struct Outcome {
    /// How the first program that failed did so, if one did.
    failure: Option<Exit>,
    /// Why they were told to stop, if they were.
    stopped: Option<Stop>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Asked,
    MaxRuntime,
}

/// A job that is ready to start.
struct Ready {
    plan: Plan,
    instances: Vec<Prepared>,
    metrics: Metrics,
    grace: Duration,
}

/// An instance whose folder is laid out.
struct Prepared {
    tree: Tree,
    log: Writer,
    launch: Launch,
    /// What is to be told of a script, if it is one.
    script: Option<Capture>,
}

/// SageMaker's sentence for a program that failed.
pub(crate) const ALGORITHM_ERROR: &str = "AlgorithmError: See job logs for more information";

/// A job that does not get so far.
pub(super) struct Failure {
    /// FailureReason.
    pub reason: String,
    /// ExitMessage.
    pub message: Option<String>,
}

impl Failure {
    pub(super) fn client(sentence: impl std::fmt::Display) -> Self {
        Self { reason: format!("ClientError: {sentence}"), message: None }
    }

    pub(super) fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!("a job: {cause}");
        Self { reason: format!("InternalServerError: the fake failed: {cause}"), message: None }
    }
}

/// None if the fake is closed meanwhile.
async fn run(fake: &WeakFake, key: &str) -> Option<()> {
    let owned = key.to_owned();
    if blocking(fake, move |fake| stopped_before(fake, &owned)).await? {
        return Some(());
    }
    let owned = key.to_owned();
    let ready = match blocking(fake, move |fake| prepare(fake, &owned)).await? {
        Ok(ready) => ready,
        Err(failure) => {
            let (status, reason) = match pace(fake, key).await? {
                Paced::Due => (Status::Failed, Some(failure.reason)),
                Paced::Stopped => (Status::Stopped, None),
            };
            let key = key.to_owned();
            return blocking(fake, move |fake| {
                let left = Left { message: failure.message, ..Left::default() };
                close(fake, &key, left, |job, now| job.end(now, status, reason));
            })
            .await;
        }
    };
    let trees: Vec<_> = ready.instances.iter().map(|instance| instance.tree.clone()).collect();
    let (mut outcome, metrics) = watch_over(fake, key, ready).await?;
    if outcome.stopped.is_none() && pace(fake, key).await? == Paced::Stopped {
        outcome.stopped = Some(Stop::Asked);
    }
    let key = key.to_owned();
    blocking(fake, move |fake| finish(fake, &key, &trees, &outcome, metrics)).await
}

/// How it came that a job may leave its status.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Paced {
    Due,
    Stopped,
}

/// Waits until a job whose programs have ended may say so, or is told to stop. None if the fake is closed.
pub(super) async fn pace(fake: &WeakFake, key: &str) -> Option<Paced> {
    let (owned, asked) = (key.to_owned(), told_to_stop(fake, key));
    let job = blocking(fake, move |fake| fake.store.read(|view| view.get::<Job>(&owned)).ok().flatten()).await?;
    let Some(job) = job else { return Some(Paced::Due) };
    tokio::select! {
        biased;
        due = pace::hold(fake, &job.arn, job.created) => due.map(|()| Paced::Due),
        answer = asked => answer.ok().map(|()| Paced::Stopped),
    }
}

/// Waits until a job is told to stop, or is gone.
async fn told_to_stop(fake: &WeakFake, key: &str) -> Result<(), ApiError> {
    until(fake, |fake| {
        let job = fake.store.read(|view| view.get::<Job>(key))?;
        Ok(job.is_none_or(|job| job.status == Status::Stopping).then_some(()))
    })
    .await
}

/// SageMaker at work as the job's role.
fn work<'a>(fake: &'a Fake, job: &'a Job) -> Result<Work<'a>, Failure> {
    let role = job.request["RoleArn"].as_str().unwrap_or_default();
    let work = Work::start(fake, &job.region, role, &job.arn).map_err(|error| Failure::internal(error.message))?;
    work.map_err(|NotAssumed| Failure::client(format!("SageMaker was unable to assume the role '{role}'")))
}

/// Ends a job that was told to stop before its programs were started, or started again.
pub(super) fn stopped_before(fake: &Fake, key: &str) -> bool {
    let job = fake.store.read(|view| view.get::<Job>(key)).ok().flatten();
    let stopped = job.is_some_and(|job| job.status == Status::Stopping);
    if stopped {
        close(fake, key, Left::default(), |job, now| job.end(now, Status::Stopped, None));
    }
    stopped
}

/// Puts on record that another attempt at a job begins, unless it is to fail.
pub(super) fn begin(fake: &Fake, key: &str) -> Result<Job, Failure> {
    let now = fake.clock.now();
    let job = job::update(fake, key, |job| {
        job.attempt += 1;
        job.started = Some(now);
        job.enter(now, "Downloading", "Downloading the training image");
    });
    let job = job.map_err(Failure::internal)?;
    match fake.faults.of_job(fake, &job) {
        Some(fault) => Err(Failure { reason: fault.reason(job.kind), message: fault.exit_message(job.kind) }),
        None => Ok(job),
    }
}

/// Everything before the programs start: folders, inputs, configuration, logs.
fn prepare(fake: &Fake, key: &str) -> Result<Ready, Failure> {
    let job = begin(fake, key)?;
    let plan = plan(&job).map_err(|error| Failure::client(error.message))?;
    let work = work(fake, &job)?;
    work.pull(&plan.image).map_err(|none| Failure::client(none.of_job(&plan.image)))?;
    let mut environment = plan.environment.clone();
    environment.insert("AWS_REGION".to_owned(), job.region.clone());
    let image = fake.programs.find(&plan.image).map_err(Failure::client)?;
    let is_script = job.kind == Kind::TrainingJob && image.program.is_none() && plan.entrypoint.is_empty();
    let metrics = Metrics::new(plan.metrics.iter().map(|(name, regex)| (name.as_str(), regex.as_str())));
    let metrics = metrics.map_err(|error| Failure::client(error.message))?;
    let mut instances = Vec::new();
    for (number, host) in plan.hosts().iter().enumerate() {
        let tree = Tree::of(fake, &job, host).map_err(Failure::internal)?;
        plan.lay_out(&tree, host).map_err(Failure::internal)?;
        for input in &plan.inputs {
            input.fetch(&work, &tree, number, plan.instances).map_err(Failure::client)?;
        }
        let stream = Stream {
            region: job.region.clone(),
            group: job.kind.log_group().to_owned(),
            name: format!("{}/{host}-{}", job.name, fake.clock.now().0 / 1000),
            created: fake.clock.now(),
        };
        let groups = logs::groups(fake, &job.region).map_err(Failure::internal)?;
        // Who may not log runs all the same, unheard.
        let mut log = match work.may_log(&stream.group, groups.contains(&stream.group), &stream.name) {
            true => Writer::open(fake, &stream).map_err(|error| Failure::internal(error.message))?,
            false => Writer::deaf(),
        };
        let launch = if is_script {
            script(fake, &work, image, &environment, &tree, &mut log)?
        } else {
            Launch::new(&fake.programs, (&plan.image, image), &plan.entrypoint, &plan.arguments, &environment)
                .map_err(Failure::client)?
        };
        let script = is_script.then(|| Capture::of(&plan.image));
        instances.push(Prepared { tree, log, launch, script });
    }
    job::update(fake, key, |job| {
        job.enter(fake.clock.now(), "Training", "Training image download completed. Training in progress.");
    })
    .map_err(Failure::internal)?;
    Ok(Ready { plan, instances, metrics, grace: fake.programs.grace_period() })
}

/// Makes the script of a training job ready on an instance, and says so in its log.
fn script(
    fake: &Fake,
    work: &Work<'_>,
    image: &Image,
    environment: &BTreeMap<String, String>,
    tree: &Tree,
    log: &mut Writer,
) -> Result<Launch, Failure> {
    let mut say = |text: &str| log.say(fake.clock.now(), text).map_err(Failure::internal);
    match script_mode::prepare(work, image, &fake.programs, environment, tree) {
        Ok(script) => {
            script.said.iter().try_for_each(|text| say(text))?;
            Ok(script.launch)
        }
        Err(refusal) => {
            say(&refusal.text)?;
            refusal.help.iter().try_for_each(|text| say(text))?;
            Err(Failure { reason: algorithm_error(&refusal.text, refusal.exit_code), message: None })
        }
    }
}

/// Starts the programs and follows them to their end. One that fails ends the others too: SageMaker gives the whole
/// cluster back.
async fn watch_over(fake: &WeakFake, key: &str, ready: Ready) -> Option<(Outcome, Metrics)> {
    let metrics = Arc::new(Mutex::new(ready.metrics));
    let failure = OnceLock::new();
    let (stop, stopping) = watch::channel(false);
    let follow = |Prepared { tree, log, launch, mut script }: Prepared| {
        let (metrics, stopping, stop, grace) = (Arc::clone(&metrics), stopping.clone(), stop.clone(), ready.grace);
        let failure = &failure;
        async move {
            let observe = |time, line: &str| {
                metrics.lock().unwrap_or_else(PoisonError::into_inner).observe(time, line);
                script.iter_mut().for_each(|capture| capture.observe(line));
            };
            let end = match Instance::start(&launch, &tree, log) {
                Ok(instance) => {
                    instance.follow(fake, stopping, grace, observe).await.map_err(|error| error.to_string())
                }
                Err(error) => Err(format!("cannot start {}: {error}", launch.command[0])),
            };
            let exit = match (end, &script) {
                (Ok(End { overrun: Some(overrun), .. }), _) => Err(overrun.sentence(&launch.limits)),
                (Ok(End { status, .. }), Some(capture)) if !status.success() => {
                    script_mode::failed(&tree, &launch.command, status, capture).map_err(|error| error.to_string())
                }
                (Ok(End { status, .. }), _) => Ok(exit_code(status)),
                (Err(sentence), _) => Err(sentence),
            };
            if exit != Ok(0) {
                failure.get_or_init(|| exit);
                stop.send_replace(true);
            }
        }
    };
    let all = join_all(ready.instances.into_iter().map(follow));
    let mut all = std::pin::pin!(all);
    let mut stopped = None;
    let mut asked = std::pin::pin!(told_to_stop(fake, key));
    let mut too_long = std::pin::pin!(tokio::time::sleep(ready.plan.max_runtime));
    loop {
        tokio::select! {
            biased;
            _ = &mut all => break,
            answer = &mut asked, if stopped.is_none() => {
                answer.ok()?;
                stopped = Some(Stop::Asked);
            }
            () = &mut too_long, if stopped.is_none() => stopped = Some(Stop::MaxRuntime),
        }
        stop.send_replace(true);
    }
    let metrics = std::mem::take(&mut *metrics.lock().unwrap_or_else(PoisonError::into_inner));
    Some((Outcome { failure: failure.get().cloned(), stopped }, metrics))
}

/// Everything after the programs have ended: outputs, messages, the job's last status.
fn finish(fake: &Fake, key: &str, trees: &[Tree], outcome: &Outcome, metrics: Metrics) {
    let now = fake.clock.now();
    let metrics = metrics.finals();
    let uploading = job::update(fake, key, |job| {
        job.metrics = metrics;
        job.enter(now, "Uploading", "Uploading generated training model");
    });
    let job = match uploading {
        Ok(job) => job,
        Err(error) => return tracing::error!("the job {key}: {error}"),
    };
    // A program that was told to stop may end as it likes: whatever model it has is kept.
    let failed = outcome.failure.as_ref().filter(|_| outcome.stopped.is_none());
    let client = |sentence: String| Failure::client(sentence).reason;
    let work = work(fake, &job);
    let uploaded = match (&work, job.kind) {
        (Err(failure), _) => Err(failure.reason.clone()),
        (Ok(work), Kind::TrainingJob) => training::upload(work, &job, trees, failed.is_none()).map_err(client),
        (Ok(work), _) => {
            let whole = failed.is_none() && outcome.stopped.is_none();
            processing::upload(work, &job, trees, whole).map_err(client)
        }
    };
    let message = exit_message(&job, trees);
    // Whoever may not publish metrics does without.
    let may_publish = || work.is_ok_and(|work| work.may_publish(namespace(&job)));
    let published = published(&job, trees).map(|data| if data.is_empty() || may_publish() { data } else { Vec::new() });
    let stored = uploaded.and(message.as_ref().map(drop).map_err(|sentence| client(sentence.clone())));
    let stored = stored.and(published.as_ref().map(drop).map_err(|sentence| client(sentence.clone())));
    let reason = match (failed, stored) {
        (Some(exit), _) => Some(failure_reason(&job, trees, exit)),
        (None, Err(reason)) => Some(reason),
        (None, Ok(())) => None,
    };
    let left = Left { message: message.unwrap_or_default(), metrics: published.unwrap_or_default() };
    close(fake, key, left, |job, now| match (reason, outcome.stopped) {
        (Some(reason), _) => job.end(now, Status::Failed, Some(reason)),
        (None, None) => job.end(now, Status::Completed, None),
        (None, Some(Stop::Asked)) => job.end(now, Status::Stopped, None),
        (None, Some(Stop::MaxRuntime)) => {
            let sentence = "Training job runtime exceeded MaxRuntimeInSeconds provided";
            job.end_as(now, Status::Stopped, None, "MaxRuntimeExceeded", sentence);
        }
    });
}

/// What a job leaves, beside its outputs.
#[derive(Default)]
pub(super) struct Left {
    message: Option<String>,
    metrics: Vec<cloudwatch::Datum>,
}

/// Removes the job's folders and puts its last status on record. A process that is killed between the two starts the job
/// again.
pub(super) fn close(fake: &Fake, key: &str, left: Left, end: impl FnOnce(&mut Job, Timestamp)) {
    let ended = fake.store.read(|view| view.get::<Job>(key)).and_then(|job| {
        job.iter().for_each(|job| tree::remove(fake, job));
        job::update_with(fake, key, |change, job| {
            job.exit_message = left.message;
            end(job, fake.clock.now());
            cloudwatch::add(change, fake.clock.now(), &left.metrics)
        })
    });
    if let Err(error) = ended {
        tracing::error!("the job {key} has ended and this cannot be put on record: {error}");
    }
}

/// Where the metrics of a monitoring job are published.
fn namespace(job: &Job) -> &'static str {
    model_monitor::cloudwatch::namespace(job.request["Environment"]["analysis_type"].as_str())
}

/// What a monitoring job left in `/opt/ml/output/metrics/cloudwatch`, for SageMaker to publish. The error is a sentence.
fn published(job: &Job, trees: &[Tree]) -> Result<Vec<cloudwatch::Datum>, String> {
    const FOLDER: &str = "output/metrics/cloudwatch";
    if job.request["MonitoringScheduleArn"].is_null() {
        return Ok(Vec::new());
    }
    let failed = |name: &str, why: &dyn std::fmt::Display| format!("/opt/ml/{FOLDER}/{name}: {why}");
    let mut data = Vec::new();
    for tree in trees {
        for (name, path) in outputs::files(&tree.at(FOLDER)).map_err(|error| failed("", &error))? {
            let text = std::fs::read_to_string(path).map_err(|error| failed(&name, &error))?;
            let of_file = cloudwatch::lines(&job.region, namespace(job), &text);
            data.extend(of_file.map_err(|error| failed(&name, &error))?);
        }
    }
    Ok(data)
}

/// What the instances of a processing job left in `/opt/ml/output/message`, one after the other. The error is a
/// sentence.
fn exit_message(job: &Job, trees: &[Tree]) -> Result<Option<String>, String> {
    if job.kind != Kind::ProcessingJob {
        return Ok(None);
    }
    let message = |tree: &Tree| {
        outputs::message(&tree.at("output/message")).map_err(|why| format!("/opt/ml/output/message: {why}"))
    };
    let messages = trees.iter().map(message).collect::<Result<Vec<_>, _>>()?;
    let mut joined = messages.into_iter().flatten().collect::<Vec<_>>().join("\n");
    joined.truncate(joined.floor_char_boundary(1024));
    Ok((!joined.is_empty()).then_some(joined))
}

/// SageMaker's sentence for a program that failed.
fn failure_reason(job: &Job, trees: &[Tree], exit: &Exit) -> String {
    let code = match exit {
        Ok(code) => *code,
        Err(cause) => return Failure::client(cause).reason,
    };
    if job.kind != Kind::TrainingJob {
        return ALGORITHM_ERROR.to_owned();
    }
    let text = trees.iter().find_map(|tree| outputs::message(&tree.at("output/failure")).ok().flatten());
    algorithm_error(&text.unwrap_or_default(), code)
}

/// SageMaker's sentence for a training program that failed, with what it left in `/opt/ml/output/failure`.
fn algorithm_error(text: &str, exit_code: i32) -> String {
    format!("AlgorithmError: {}, exit code: {exit_code}", text.trim_end())
}

/// As a shell has it: 128 and the signal for a program that was killed.
fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}
