//! What SageMaker itself has to say of a batch transform job, beside what its container prints.

use super::super::logs::{Stream, Writer};
use super::object::Fault;
use crate::fake::WeakFake;
use crate::{ApiError, Fake};

/// The stream `STREAM/data-log`.
pub(super) struct DataLog(Writer);

impl DataLog {
    pub(super) fn open(fake: &Fake, container: Option<&Stream>) -> Result<Self, ApiError> {
        let Some(container) = container else { return Ok(Self(Writer::deaf())) };
        let stream = Stream { name: format!("{}/data-log", container.name), ..container.clone() };
        Writer::open(fake, &stream).map(Self)
    }

    /// None if the fake is closed.
    pub(super) fn say(&mut self, fake: &WeakFake, line: &str) -> Option<()> {
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
    pub(super) fn tell(&mut self, fake: &WeakFake, place: &str, fault: &Fault) -> Option<()> {
        let (Fault::Client(why) | Fault::Algorithm(why) | Fault::Output(why)) = fault;
        why.lines().try_for_each(|line| self.say(fake, &format!("{place}: {line}")))
    }
}
