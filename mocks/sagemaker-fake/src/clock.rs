//! The fake's clock: real time plus an offset that can be moved forward.
//!
//! Everything that the fake dates, schedules or lets expire goes by it. Only signatures and the expiry of tokens go by
//! real time, or else a moved clock would look like clock skew to every client.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use tokio::sync::watch;

use crate::ApiError;
use crate::store::Record;

/// A moment, in milliseconds since 1970. On the wire and in the store it is a number of seconds with a fraction, as
/// SageMaker's JSON protocol writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// So much later.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The same moment as a date.
    #[must_use]
    pub fn date(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit 53 bits")]
        serializer.serialize_f64(self.0 as f64 / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and no request is of that age")]
        Ok(Self((seconds * 1000.0).round() as i64))
    }
}

/// How far the clock of a state was moved, for whoever opens it next. A clock that was never moved leaves none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    /// Ahead of real time, in milliseconds.
    pub ms: i64,
}

impl Record for Offset {
    const KIND: &'static str = "clock";
    fn key(&self) -> String {
        Self::KEY.to_owned()
    }
}

impl Offset {
    /// There is one.
    pub const KEY: &'static str = "offset";

    /// As far as a clock can be moved: a century.
    pub const MAX: Duration = Duration::from_secs(100 * 365 * 86_400);

    /// The same as a duration: clocks are moved forward only.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_millis(u64::try_from(self.ms).unwrap_or_default())
    }
}

/// The clock of one fake. All clones are the same clock.
#[derive(Debug, Clone, Default)]
pub struct Clock(Arc<Parts>);

#[derive(Debug, Default)]
struct Parts {
    offset_ms: AtomicI64,
    /// A clock that stands still unless it is moved, for tests that compare times.
    frozen_at_ms: Option<i64>,
    /// Tells those who wait that the clock was moved.
    moved: watch::Sender<()>,
}

impl Clock {
    /// Stands at `at` until it is advanced.
    #[must_use]
    pub fn frozen(at: Timestamp) -> Self {
        Self(Arc::new(Parts { frozen_at_ms: Some(at.0), ..Parts::default() }))
    }

    /// Another clock, that stands still where this one does, and has not been moved yet.
    #[must_use]
    pub(crate) fn another(&self) -> Self {
        Self(Arc::new(Parts { frozen_at_ms: self.0.frozen_at_ms, ..Parts::default() }))
    }

    /// The fake's time.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.unmoved().0 + self.0.offset_ms.load(Ordering::SeqCst))
    }

    /// The time it would be if it had never been moved.
    pub(crate) fn unmoved(&self) -> Timestamp {
        Timestamp(self.0.frozen_at_ms.unwrap_or_else(real_ms))
    }

    /// How far it is ahead of real time.
    pub fn offset(&self) -> Offset {
        Offset { ms: self.0.offset_ms.load(Ordering::SeqCst) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.0.offset_ms.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
        self.0.moved.send_replace(());
    }

    /// Whether it can be moved so far.
    pub(crate) fn check(&self, by: Duration) -> Result<(), ApiError> {
        let offset = self.offset().duration();
        if offset.checked_add(by).is_some_and(|offset| offset <= Offset::MAX) {
            return Ok(());
        }
        Err(ApiError::validation("the clock cannot be moved further than a century ahead of real time"))
    }

    /// Stands where it stood when the state was last open, or where another account has it.
    pub(crate) fn resume(&self, at: Offset) {
        self.0.offset_ms.store(at.ms, Ordering::SeqCst);
        self.0.moved.send_replace(());
    }

    /// Waits until the clock has come to `at`, by itself or because it was moved. Keeps the clock alive, and nothing else.
    pub fn sleep_until(&self, at: Timestamp) -> impl Future<Output = ()> + Send + 'static {
        let (clock, mut moved) = (self.clone(), self.0.moved.subscribe());
        async move {
            loop {
                let left = at.0.saturating_sub(clock.now().0);
                let Some(left) = u64::try_from(left).ok().filter(|left| *left > 0) else { return };
                let moved = async { moved.changed().await.unwrap_or_default() };
                if clock.0.frozen_at_ms.is_some() {
                    moved.await;
                } else {
                    tokio::select! {
                        () = moved => {}
                        () = tokio::time::sleep(Duration::from_millis(left)) => {}
                    }
                }
            }
        }
    }
}

fn real_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn travels_as_seconds_with_a_fraction() {
        let json = serde_json::to_string(&Timestamp(1_650_241_635_069)).unwrap();
        assert_eq!(json, "1650241635.069");
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), Timestamp(1_650_241_635_069));
        assert_eq!(serde_json::from_str::<Timestamp>("1650241635").unwrap(), Timestamp(1_650_241_635_000));
    }

    #[test]
    fn a_frozen_clock_moves_only_when_told() {
        let clock = Clock::frozen(Timestamp(1000));
        assert_eq!(clock.now(), Timestamp(1000));
        clock.advance(Duration::from_secs(2));
        assert_eq!(clock.now(), Timestamp(3000));
    }

    #[tokio::test]
    async fn moving_the_clock_wakes_those_who_wait() {
        for clock in [Clock::frozen(Timestamp(1000)), Clock::default()] {
            let hour = Timestamp(clock.now().0 + 3_600_000);
            let mut waiting = std::pin::pin!(clock.sleep_until(hour));
            clock.advance(Duration::from_secs(1800));
            assert!(futures::poll!(&mut waiting).is_pending());
            clock.advance(Duration::from_secs(1800));
            waiting.await;
            assert!(clock.now() >= hour);
            clock.sleep_until(Timestamp(0)).await;
        }
    }
}
