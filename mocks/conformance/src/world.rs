//! The account that a case works in, and what it has made there.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sagemaker::types::Tag;

use crate::Clients;
use crate::made::Made;
use crate::wait::Time;

/// How often something is looked at before a case gives up: half an hour on AWS.
const LOOKS_ON_AWS: u32 = 360;

/// What an account has that cases build on.
#[derive(Debug, Clone)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// Where everything is made.
    pub region: String,
    /// The ARN of a role that SageMaker may work as.
    pub role: String,
    /// A bucket of the account, in the region, that the role may read and write.
    pub bucket: String,
    /// The image of `sts-container`, in a registry that the role may pull from.
    pub image: String,
}

/// The account that one case works in. Whatever it makes is named after the run, tagged, and put on a list before it is
/// made: [`World::clean`] removes it, whatever has become of the case.
pub struct World {
    /// The clients.
    pub clients: Clients,
    /// What is there already.
    pub account: Account,
    time: Arc<dyn Time>,
    run: String,
    looks: u32,
    counter: AtomicU32,
    made: Mutex<Vec<Made>>,
}

impl World {
    /// A world whose names contain `run`: letters and digits, unique in the account and at most 20 of them.
    #[must_use]
    pub fn new(clients: Clients, account: Account, time: Arc<dyn Time>, run: impl Into<String>) -> Self {
        Self {
            clients,
            account,
            time,
            run: run.into(),
            looks: LOOKS_ON_AWS,
            counter: AtomicU32::new(0),
            made: Mutex::new(Vec::new()),
        }
    }

    /// The same, that looks this often before it gives up.
    #[must_use]
    pub fn looking(self, looks: u32) -> Self {
        Self { looks, ..self }
    }

    /// A name of this run's own. Every call gives another.
    pub fn name(&self, what: &str) -> String {
        format!("stsmm-{}-{}-{what}", self.run, self.counter.fetch_add(1, Ordering::Relaxed))
    }

    /// A client request token of this run's own.
    pub fn token(&self) -> String {
        format!("{:-<40}", self.name("token"))
    }

    /// `arn:aws:sagemaker:REGION:ACCOUNT:RESOURCE`.
    pub fn arn(&self, resource: &str) -> String {
        format!("arn:aws:sagemaker:{}:{}:{resource}", self.account.region, self.account.id)
    }

    /// The tag on everything that is made.
    pub fn tag(&self) -> Tag {
        tag(TAG, &self.run)
    }

    /// Puts something on the list of what is to be removed, just before it is made.
    pub(crate) fn will_make(&self, made: Made) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push(made);
    }

    /// A key of this run's own, whose object is removed with the case.
    pub(crate) fn key(&self, name: &str) -> String {
        let key = format!("stsmm-live-tests/{}/{name}", self.run);
        self.will_make(Made::Object(key.clone()));
        key
    }

    /// Puts an object into the bucket: its URI.
    pub(crate) async fn put(&self, name: &str, content: impl Into<Vec<u8>>) -> anyhow::Result<String> {
        let key = self.key(name);
        let (s3, content) = (&self.clients.s3, ByteStream::from(content.into()));
        s3.put_object().bucket(&self.account.bucket).key(&key).body(content).send().await?;
        Ok(self.uri(&key))
    }

    /// A URI below which a job may write; what is there is removed with the case.
    pub(crate) fn output(&self, name: &str) -> String {
        let prefix = format!("stsmm-live-tests/{}/{name}", self.run);
        self.will_make(Made::Prefix(format!("{prefix}/")));
        self.uri(&prefix)
    }

    pub(crate) fn uri(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.account.bucket)
    }

    /// Looks again and again until there is a value.
    ///
    /// # Errors
    /// When looking fails, or there is none after half an hour.
    pub(crate) async fn until<T>(
        &self,
        what: &str,
        look: impl AsyncFn() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        for _ in 0..self.looks {
            if let Some(value) = look().await.with_context(|| format!("waiting for {what}"))? {
                return Ok(value);
            }
            self.time.pause().await;
        }
        bail!("waited in vain for {what}")
    }

    /// Lets time pass, as quickly as that goes here.
    ///
    /// # Errors
    /// When the clock does not move.
    pub(crate) async fn pass(&self, duration: Duration) -> anyhow::Result<()> {
        self.time.pass(duration).await
    }

    /// Removes what was made, last first: what could not be removed, and why.
    pub async fn clean(&self) -> Vec<String> {
        let mut left = Vec::new();
        loop {
            let made = self.made.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(made) = made else { return left };
            if let Err(error) = made.remove(self).await {
                left.push(format!("{made}: {error:#}"));
            }
        }
    }
}

/// The key of the tag on everything that is made.
pub(crate) const TAG: &str = "stsmodelmonitor-live-tests";

/// A tag.
pub(crate) fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}
