//! Data capture: what endpoints are sent and answer, in files that SageMaker Model Monitor reads.
//!
//! A file is written under the fake's `capture` folder at `BUCKET/KEY` of the object that it becomes a minute after its
//! first record. An answer is given after its record is written, and what a killed process leaves there is uploaded at
//! the next start: nothing that was captured is lost.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model_monitor::layout;
use model_monitor::records::{self, CaptureData, ContentTypes, EventMetadata, Mode, Payload};
use serde_json::Value;
use time::format_description::well_known::Rfc3339;

use super::record::{Deployment, Endpoint, Variant};
use crate::clock::Timestamp;
use crate::engine::blocking;
use crate::jobs::inputs::split_uri;
use crate::jobs::tree::is_plain;
use crate::{Fake, s3};

/// How long a file takes records, from its first one, in milliseconds of the fake's clock.
const MINUTE: i64 = 60_000;

/// What is captured of one variant.
pub(super) struct Capture {
    endpoint: Endpoint,
    variant: String,
    /// `ExecutionRoleArn` of the model.
    role: Option<String>,
    bucket: String,
    /// Of keys; empty, or with a slash at its end.
    prefix: String,
    percentage: f64,
    input: bool,
    output: bool,
    types: ContentTypes,
    open: Mutex<Option<Open>>,
    /// Files that take no records any more and are not uploaded yet.
    closed: Mutex<Vec<PathBuf>>,
    /// Held while files are uploaded, so that whoever comes next finds them in S3.
    uploading: Mutex<()>,
}

/// The file that takes records.
struct Open {
    file: File,
    path: PathBuf,
    first: Timestamp,
}

/// A request that was answered.
pub(super) struct Exchange<'a> {
    /// When it came.
    pub time: Timestamp,
    pub request: Side<'a>,
    pub answer: Side<'a>,
    pub inference_id: Option<&'a str>,
    pub custom_attributes: Option<&'a str>,
}

/// One side of it.
pub(super) struct Side<'a> {
    pub content_type: Option<&'a str>,
    pub body: &'a [u8],
}

impl Capture {
    /// What an endpoint's `DataCaptureConfig` asks for; none if it asks for nothing.
    pub(super) fn new(endpoint: &Endpoint, deployment: &Deployment, variant: &Variant) -> Option<Self> {
        let config = deployment.details.get("DataCaptureConfig").filter(|config| config["EnableCapture"] == true)?;
        let (bucket, prefix) = split_uri(config["DestinationS3Uri"].as_str()?)?;
        let prefix = prefix.trim_end_matches('/');
        if !is_plain(bucket) || !is_plain(prefix) {
            tracing::warn!("{} captures nothing: {bucket}/{prefix} makes no path", endpoint.arn);
            return None;
        }
        let modes: Vec<_> =
            list(&config["CaptureOptions"]).filter_map(|option| option["CaptureMode"].as_str()).collect();
        let captures = |mode| modes.contains(&mode) || modes.contains(&"InputAndOutput");
        let types = |member: &str| {
            let types = list(&config["CaptureContentTypeHeader"][member]);
            types.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        Some(Self {
            endpoint: endpoint.clone(),
            variant: variant.name.clone(),
            role: variant.container.role.clone(),
            bucket: bucket.to_owned(),
            prefix: if prefix.is_empty() { String::new() } else { format!("{prefix}/") },
            percentage: config["InitialSamplingPercentage"].as_f64().unwrap_or_default(),
            input: captures("Input"),
            output: captures("Output"),
            types: ContentTypes { csv: types("CsvContentTypes"), json: types("JsonContentTypes") },
            open: Mutex::default(),
            closed: Mutex::default(),
            uploading: Mutex::default(),
        })
    }

    /// Captures a request, if it is among those that are. What cannot be written is logged: the request is answered all
    /// the same, as on AWS.
    pub(super) fn record(self: &Arc<Self>, fake: &Fake, exchange: &Exchange<'_>) {
        if fake.ids.fraction() * 100.0 >= self.percentage {
            return;
        }
        let side = |wanted: bool, mode, side: &Side<'_>| {
            wanted.then(|| Payload::capture(mode, side.content_type, side.body, &self.types))
        };
        let data = CaptureData {
            endpoint_input: side(self.input, Mode::Input, &exchange.request),
            endpoint_output: side(self.output, Mode::Output, &exchange.answer),
            batch_transform_output: None,
        };
        let metadata = EventMetadata {
            event_id: fake.ids.uuid(),
            custom_attributes: exchange.custom_attributes.map(|attributes| serde_json::json!([attributes])),
            inference_id: exchange.inference_id.map(str::to_owned),
            inference_time: exchange.time.date().replace_nanosecond(0).ok().and_then(|time| time.format(&Rfc3339).ok()),
            invocation_source: None,
        };
        let mut line = Vec::new();
        records::Capture::new(data, metadata).write(&mut line);
        if let Err(error) = self.append(fake, exchange.time, &line) {
            tracing::warn!("a request to {}/{} is not captured: {error}", self.endpoint.name, self.variant);
        }
    }

    fn append(self: &Arc<Self>, fake: &Fake, time: Timestamp, line: &[u8]) -> io::Result<()> {
        let mut open = lock(&self.open);
        if let Some(full) = open.take_if(|open| time.0 >= open.first.0 + MINUTE) {
            lock(&self.closed).push(full.path);
            let (weak, capture) = (fake.downgrade(), Arc::clone(self));
            fake.engine.spawn(async move {
                blocking(&weak, move |fake| capture.upload_closed(fake)).await;
            });
        }
        let open = match &mut *open {
            Some(open) => open,
            none => {
                let new = self.begin(fake, time)?;
                self.watch(fake, &new);
                none.insert(new)
            }
        };
        open.file.write_all(line)
    }

    /// Asks here, and not when the file is uploaded, whether the role of the model may write it: then nobody is there any
    /// more who could be asked, if the fake was killed meanwhile.
    fn begin(&self, fake: &Fake, first: Timestamp) -> io::Result<Open> {
        let key = layout::capture(&self.endpoint.name, &self.variant, first.date(), &fake.ids.uuid());
        let key = format!("{}{key}", self.prefix);
        let work = self.endpoint.work(fake, self.role.as_deref()).map_err(io::Error::other)?;
        work.may_put(&self.bucket, &key).map_err(io::Error::other)?;
        let path = folder(fake).join(&self.bucket).join(key);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(Open { file: File::options().append(true).create_new(true).open(&path)?, path, first })
    }

    /// Uploads the file when its minute is over, though no request comes any more.
    fn watch(self: &Arc<Self>, fake: &Fake, open: &Open) {
        let due = Timestamp(open.first.0.saturating_add(MINUTE));
        let (weak, capture, asleep) = (fake.downgrade(), Arc::clone(self), fake.clock.sleep_until(due));
        fake.engine.spawn(async move {
            asleep.await;
            blocking(&weak, move |fake| capture.close(fake, Some(fake.clock.now()))).await;
        });
    }

    /// Closes the file, unless its minute is not over at `by`, if that is given. Every closed file is in S3 afterwards.
    /// Blocks.
    pub(super) fn close(&self, fake: &Fake, by: Option<Timestamp>) {
        let due = |open: &mut Open| by.is_none_or(|by| by.0 >= open.first.0 + MINUTE);
        if let Some(full) = lock(&self.open).take_if(due) {
            lock(&self.closed).push(full.path);
        }
        self.upload_closed(fake);
    }

    fn upload_closed(&self, fake: &Fake) {
        let _uploading = lock(&self.uploading);
        let closed = std::mem::take(&mut *lock(&self.closed));
        closed.iter().for_each(|path| upload(fake, path));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn folder(fake: &Fake) -> PathBuf {
    fake.folder().join("capture")
}

/// Uploads every file that is there: nothing takes records.
pub(super) fn upload_all(fake: &Fake) {
    let mut open = vec![folder(fake)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { open.push(path) } else { upload(fake, &path) }
        }
    }
}

/// Uploads a file and removes it. One whose bucket is gone is lost, as on AWS.
fn upload(fake: &Fake, path: &Path) {
    let relative = path.strip_prefix(folder(fake)).ok().and_then(Path::to_str);
    let Some((bucket, key)) = relative.and_then(|relative| relative.split_once('/')) else { return };
    match s3::put_file(fake, bucket, key, path) {
        Err(error) if error.code == "InternalFailure" => return,
        Err(error) => tracing::warn!("what was captured for s3://{bucket}/{key} is lost: {error}"),
        Ok(_) => {}
    }
    if let Err(error) = fs::remove_file(path) {
        tracing::warn!("cannot remove {}: {error}", path.display());
    }
}
