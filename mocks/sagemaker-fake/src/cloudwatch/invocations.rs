//! The metrics of InvokeEndpoint: summed up in memory by the minute, so that no request waits for the disk, and stored
//! when the minute is over, when somebody asks for metrics, and at the end. A kill loses no more than the minute.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::metric::Metric;
use super::points::{Datum, Statistics, add};
use crate::clock::Timestamp;
use crate::{ApiError, Fake, engine};

const NAMESPACE: &str = "AWS/SageMaker";
const MINUTE_MS: i64 = 60_000;

/// A variant of an endpoint, and a minute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    minute: i64,
    region: String,
    endpoint: String,
    variant: String,
}

/// What a minute's requests come to.
#[derive(Debug, Clone, Copy)]
struct Minute {
    client_errors: f64,
    server_errors: f64,
    model_latency: Statistics,
    overhead_latency: Statistics,
}

/// A request that a variant has answered, or failed to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Invocation<'a> {
    /// The endpoint's region.
    pub region: &'a str,
    /// The endpoint.
    pub endpoint: &'a str,
    /// The variant that was asked.
    pub variant: &'a str,
    /// When it came.
    pub time: Timestamp,
    /// What the container answered with; 0 if it did not answer.
    pub status: u16,
    /// How long the container took.
    pub model_latency: Duration,
    /// How long everything else took.
    pub overhead_latency: Duration,
}

/// Requests that have not been stored yet.
#[derive(Debug, Default)]
pub struct Invocations(Mutex<BTreeMap<Key, Minute>>);

impl Invocations {
    /// Forgets what has been counted.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Counts a request.
pub(crate) fn record(fake: &Fake, invocation: &Invocation<'_>) {
    let minute = invocation.time.0.div_euclid(MINUTE_MS);
    let key = Key {
        minute,
        region: invocation.region.to_owned(),
        endpoint: invocation.endpoint.to_owned(),
        variant: invocation.variant.to_owned(),
    };
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a minute fit 53 bits")]
    let latency = |duration: Duration| Statistics::of(duration.as_micros() as f64, 1.0);
    let is_client_error = (400..500).contains(&invocation.status);
    let one = Minute {
        client_errors: f64::from(u8::from(is_client_error)),
        server_errors: f64::from(u8::from(!is_client_error && !(200..400).contains(&invocation.status))),
        model_latency: latency(invocation.model_latency),
        overhead_latency: latency(invocation.overhead_latency),
    };
    let earlier = {
        let mut minutes = fake.invocations.0.lock().unwrap_or_else(PoisonError::into_inner);
        minutes.entry(key).and_modify(|minute| *minute = minute.and(one)).or_insert(one);
        minutes.first_key_value().is_some_and(|(first, _)| first.minute < minute)
    };
    if earlier {
        let weak = fake.downgrade();
        fake.engine.spawn(async move {
            if let Some(Err(error)) = engine::blocking(&weak, store).await {
                tracing::error!("the metrics of invocations cannot be stored: {error}");
            }
        });
    }
}

/// Stores what has been counted.
///
/// # Errors
/// An internal failure when the store cannot be written.
pub(crate) fn store(fake: &Fake) -> Result<(), ApiError> {
    let minutes = std::mem::take(&mut *fake.invocations.0.lock().unwrap_or_else(PoisonError::into_inner));
    if minutes.is_empty() {
        return Ok(());
    }
    let data: Vec<_> = minutes.iter().flat_map(|(key, minute)| minute.data(key)).collect();
    fake.store.write(|change| add(change, fake.clock.now(), &data))
}

impl Minute {
    fn and(self, other: Self) -> Self {
        Self {
            client_errors: self.client_errors + other.client_errors,
            server_errors: self.server_errors + other.server_errors,
            model_latency: self.model_latency.and(other.model_latency),
            overhead_latency: self.overhead_latency.and(other.overhead_latency),
        }
    }

    /// For each request, 1 or 0 was sent for each count.
    fn data(self, key: &Key) -> [Datum; 5] {
        let requests = self.model_latency.count;
        let count = |sum: f64| Statistics {
            count: requests,
            sum,
            minimum: f64::from(u8::from(sum >= requests)),
            maximum: f64::from(u8::from(sum > 0.0)),
        };
        let datum = |name: &str, unit: &str, statistics| Datum {
            metric: Metric {
                region: key.region.clone(),
                namespace: NAMESPACE.to_owned(),
                name: name.to_owned(),
                dimensions: vec![
                    ("EndpointName".to_owned(), key.endpoint.clone()),
                    ("VariantName".to_owned(), key.variant.clone()),
                ],
                last: Timestamp(0),
            },
            time: Timestamp(key.minute * MINUTE_MS),
            unit: unit.to_owned(),
            statistics,
            by_second: false,
        };
        [
            datum("Invocations", "None", count(requests)),
            datum("Invocation4XXErrors", "None", count(self.client_errors)),
            datum("Invocation5XXErrors", "None", count(self.server_errors)),
            datum("ModelLatency", "Microseconds", self.model_latency),
            datum("OverheadLatency", "Microseconds", self.overhead_latency),
        ]
    }
}
