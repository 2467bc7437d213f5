//! The clock: looked at, and moved forward.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{parameters, read};
use crate::clock::{Offset, Timestamp};
use crate::{ApiError, Fake};

/// What the clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockFace {
    /// The time there.
    pub now: Timestamp,
    /// How far ahead of real time that is.
    pub offset: Offset,
}

impl ClockFace {
    /// That of a fake.
    #[must_use]
    pub fn of(fake: &Fake) -> Self {
        Self { now: fake.clock.now(), offset: fake.clock.offset() }
    }
}

pub(super) fn answer(fake: &Fake) -> Result<Value, ApiError> {
    serde_json::to_value(ClockFace::of(fake)).map_err(ApiError::internal)
}

pub(super) fn advance(fake: &Fake, query: &str) -> Result<Value, ApiError> {
    let [seconds] = parameters(query, ["seconds"])?;
    let seconds = read(
        "seconds",
        Some(seconds.as_deref().unwrap_or_default()),
        "by how many the clock is moved forward: a whole number",
    )?;
    fake.advance(Duration::from_secs(seconds.unwrap_or_default()))?;
    answer(fake)
}
