//! The record of a job, and its life.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::attempt;
use crate::clock::Timestamp;
use crate::endpoints::Container;
use crate::engine;
use crate::fake::Context;
use crate::sagemaker::{names, tags};
use crate::store::{Change, Record, Records};
use crate::{ApiError, Fake};

/// The kinds of job that run programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// CreateProcessingJob.
    ProcessingJob,
    /// CreateTrainingJob.
    TrainingJob,
    /// CreateTransformJob.
    TransformJob,
}

impl Kind {
    /// As ARNs have it: `processing-job`.
    #[must_use]
    pub fn resource(self) -> &'static str {
        match self {
            Self::ProcessingJob => "processing-job",
            Self::TrainingJob => "training-job",
            Self::TransformJob => "transform-job",
        }
    }

    /// How SageMaker's sentence about a name that is taken begins.
    fn names(self) -> &'static str {
        match self {
            Self::TrainingJob => "Training job names",
            Self::ProcessingJob | Self::TransformJob => "Job name",
        }
    }

    /// What it calls the job in there.
    fn noun(self) -> &'static str {
        match self {
            Self::TrainingJob => "training job",
            Self::ProcessingJob | Self::TransformJob => "job",
        }
    }

    /// The log group of its jobs.
    #[must_use]
    pub fn log_group(self) -> &'static str {
        match self {
            Self::ProcessingJob => "/aws/sagemaker/ProcessingJobs",
            Self::TrainingJob => "/aws/sagemaker/TrainingJobs",
            Self::TransformJob => "/aws/sagemaker/TransformJobs",
        }
    }
}

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It runs.
    InProgress,
    /// Its program succeeded and its outputs are stored.
    Completed,
    /// It failed; the reason is on record.
    Failed,
    /// It was told to stop and has not yet.
    Stopping,
    /// It was stopped, or ran longer than it may.
    Stopped,
}

impl Status {
    /// Whether nothing follows any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Stopped)
    }

    /// As the API writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
        }
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Processing, training or batch transform.
    pub kind: Kind,
    /// The region it runs in.
    pub region: String,
    /// Unique among the jobs of its kind in its region.
    pub name: String,
    /// `arn:aws:sagemaker:REGION:ACCOUNT:processing-job/NAME`.
    pub arn: String,
    /// What was asked for, with the defaults filled in and without tags.
    pub request: Value,
    /// Where it is in its life.
    pub status: Status,
    /// When it was created.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
    /// When its instances were ready.
    pub started: Option<Timestamp>,
    /// When it came to its end.
    pub ended: Option<Timestamp>,
    /// What the program left in `/opt/ml/output/message`.
    pub exit_message: Option<String>,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// The secondary statuses of a training job, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transitions: Vec<Transition>,
    /// The last value of each of a training job's metrics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
    /// What a batch transform job serves, as its model was when the job was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// How often it was started: more than once if the fake was closed or killed while it ran.
    pub attempt: u32,
}

/// A secondary status of a training job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// `Starting`, `Downloading`, `Training`, `Uploading`, `Stopping` or how it ended.
    pub status: String,
    /// SageMaker's sentence for it.
    pub message: String,
    /// When it began.
    pub start: Timestamp,
    /// When the next one began.
    pub end: Option<Timestamp>,
}

/// The last value of a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// As its definition calls it.
    pub name: String,
    /// What was printed.
    pub value: f64,
    /// When.
    pub time: Timestamp,
}

impl Record for Job {
    const KIND: &'static str = "job";
    fn key(&self) -> String {
        key(&self.region, self.kind, &self.name)
    }
}

impl Job {
    /// Enters a secondary status.
    pub(super) fn enter(&mut self, now: Timestamp, status: &str, message: &str) {
        if self.kind != Kind::TrainingJob {
            return;
        }
        if let Some(last) = self.transitions.last_mut() {
            last.end = Some(now);
        }
        self.transitions.push(Transition {
            status: status.to_owned(),
            message: message.to_owned(),
            start: now,
            end: None,
        });
    }

    /// Comes to its end.
    pub(super) fn end(&mut self, now: Timestamp, status: Status, failure_reason: Option<String>) {
        let (secondary, message) = match status {
            Status::Completed => ("Completed", "Training job completed"),
            Status::Stopped => ("Stopped", "Training job stopped"),
            _ => ("Failed", "Training job failed"),
        };
        self.end_as(now, status, failure_reason, secondary, message);
    }

    /// Comes to its end with a secondary status of its own.
    pub(super) fn end_as(
        &mut self,
        now: Timestamp,
        status: Status,
        failure_reason: Option<String>,
        secondary: &str,
        message: &str,
    ) {
        self.enter(now, secondary, message);
        if let Some(last) = self.transitions.last_mut() {
            last.end = Some(now);
        }
        self.status = status;
        self.failure_reason = failure_reason.map(|reason| reason.chars().take(1024).collect());
        self.ended = Some(now);
    }
}

/// The key of a job's record.
pub(crate) fn key(region: &str, kind: Kind, name: &str) -> String {
    names::key(&format!("{region}/{}", kind.resource()), name)
}

impl Job {
    /// One that has not started: `request` is what was asked for, with the defaults filled in and without tags.
    pub(crate) fn new(context: &Context<'_>, kind: Kind, name: &str, request: Value) -> Self {
        let now = context.fake.clock.now();
        let mut job = Self {
            kind,
            region: context.region.to_owned(),
            name: name.to_owned(),
            arn: context.sagemaker_arn(&format!("{}/{name}", kind.resource())),
            request,
            status: Status::InProgress,
            created: now,
            modified: now,
            started: None,
            ended: None,
            exit_message: None,
            failure_reason: None,
            transitions: Vec::new(),
            metrics: Vec::new(),
            container: None,
            attempt: 0,
        };
        job.enter(now, "Starting", "Preparing the instances for training");
        job
    }
}

/// Starts a job: puts it on record with the tags of `input`, and runs it.
///
/// # Errors
/// `ResourceInUse` if there is one of this name; `ValidationException` for what cannot be run.
pub(crate) fn start(fake: &Fake, job: Job, input: &Value) -> Result<Job, ApiError> {
    attempt::check(&job)?;
    fake.store.write(|change| match change.get::<Job>(&job.key())? {
        Some(other) => Err(ApiError::new(
            "ResourceInUse",
            format!(
                "{} must be unique within an AWS account and region, and a {} with this name already exists ({})",
                job.kind.names(),
                job.kind.noun(),
                other.arn
            ),
        )),
        None => {
            change.put(&job)?;
            tags::create(change, &job.arn, input)
        }
    })?;
    attempt::launch(fake, &job);
    Ok(job)
}

/// Tells a job to stop.
///
/// # Errors
/// `not_found` if there is none; `ValidationException` if it has ended.
pub(crate) fn stop(fake: &Fake, key: &str, not_found: impl FnOnce() -> ApiError) -> Result<(), ApiError> {
    let now = fake.clock.now();
    fake.store.write(|change| {
        let mut job: Job = change.get(key)?.ok_or_else(not_found)?;
        if job.status.is_final() {
            let kind = job.kind.resource().replace('-', " ");
            let message = format!("The request was rejected because the {kind} is in status {}.", job.status.as_str());
            return Err(ApiError::validation(message));
        }
        if job.status == Status::InProgress {
            job.status = Status::Stopping;
            job.modified = now;
            job.enter(now, "Stopping", "Stopping the training job");
            change.put(&job)?;
        }
        Ok(())
    })?;
    fake.engine.notify();
    Ok(())
}

/// Removes a job that has ended, so that its name can be used again.
///
/// # Errors
/// `not_found` if there is none; `ResourceInUse` while it runs.
pub(crate) fn delete(fake: &Fake, key: &str, not_found: impl FnOnce() -> ApiError) -> Result<(), ApiError> {
    fake.store.write(|change| {
        let job: Job = change.get(key)?.ok_or_else(not_found)?;
        if !job.status.is_final() {
            let (kind, status) = (job.kind.resource().replace('-', " "), job.status.as_str());
            let message = format!("The request was rejected because the {kind} is in status {status}.");
            return Err(ApiError::new("ResourceInUse", message));
        }
        change.delete::<Job>(key)?;
        tags::delete(change, &job.arn)
    })
}

/// Changes a job's record and says so to whoever waits for it.
pub(super) fn update(fake: &Fake, key: &str, f: impl FnOnce(&mut Job)) -> Result<Job, ApiError> {
    update_with(fake, key, |_, job| {
        f(job);
        Ok(())
    })
}

/// The same, with other records in one transaction.
pub(super) fn update_with(
    fake: &Fake,
    key: &str,
    f: impl FnOnce(&mut Change<'_>, &mut Job) -> Result<(), ApiError>,
) -> Result<Job, ApiError> {
    let job = fake.store.write(|change| {
        let mut job: Job = change.get(key)?.ok_or_else(|| ApiError::internal(format!("the job {key} is gone")))?;
        f(change, &mut job)?;
        job.modified = fake.clock.now();
        change.put(&job)?;
        Ok(job)
    })?;
    fake.engine.notify();
    Ok(job)
}

/// Waits until a job has come to its end.
///
/// # Errors
/// When there is no such job, or the store cannot be read.
pub async fn ended(fake: &Fake, region: &str, kind: Kind, name: &str) -> Result<Job, ApiError> {
    let key = key(region, kind, name);
    engine::until(&fake.downgrade(), |fake| {
        let job = fake.store.read(|view| view.get::<Job>(&key))?;
        let job = job.ok_or_else(|| ApiError::validation(format!("there is no job {key}")))?;
        Ok(job.status.is_final().then_some(job))
    })
    .await
}
