//! One object of the input: split, asked for its inferences, and what comes of it uploaded, whole or not at all.

use std::fs::File;
use std::io::{self, BufReader, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use futures::future::join_all;
use http::{HeaderMap, HeaderValue, header};

use super::super::attempt::{ALGORITHM_ERROR, Failure};
use super::super::inputs::Item;
use super::super::job::Job;
use super::super::outputs;
use super::super::tree::Tree;
use super::batches::{Batch, Batches};
use super::request::{Manner, Request};
use super::work;
use crate::Fake;
use crate::endpoints::container::Container;
use crate::engine::blocking;
use crate::fake::WeakFake;

/// SageMaker's sentence for input that cannot be used.
const CLIENT_ERROR: &str = "ClientError: See job logs for more information";

/// The longest answer that is taken, in bytes. SageMaker names no limit of its own.
const LONGEST_ANSWER: usize = 1 << 30;

/// Why an object has no inferences.
#[derive(Debug)]
pub(super) enum Fault {
    /// It is not as it should be, or too much at once.
    Client(String),
    /// The model failed.
    Algorithm(String),
    /// The inferences cannot be stored.
    Output(String),
}

impl Fault {
    /// FailureReason of the job.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Client(_) => CLIENT_ERROR.to_owned(),
            Self::Algorithm(_) => ALGORITHM_ERROR.to_owned(),
            Self::Output(why) => Failure::client(why).reason,
        }
    }
}

/// What it takes to transform an object.
pub(super) struct Asker<'a> {
    pub fake: &'a WeakFake,
    pub job: &'a Arc<(Job, Request)>,
    pub container: &'a Container,
    pub manner: Manner,
    pub tree: &'a Tree,
}

impl Asker<'_> {
    /// Asks for the inferences of an object and uploads them. None if the fake is closed meanwhile.
    pub(super) async fn transform(&self, item: &Item) -> Option<Result<(), Fault>> {
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
    let work = work(fake, job).map_err(|failure| Fault::Output(failure.reason))?;
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
    let work = work(fake, job).map_err(|failure| Fault::Output(failure.reason))?;
    outputs::upload_file(&work, &path, &output_uri(request, item)).map_err(Fault::Output)
}

/// The object's name below the input's prefix, and `.out`: as in the developer guide, not as in the one example of the API
/// reference, in which a folder is lost.
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
