//! The calls that were made: all that are remembered, or some.
//!
//! | parameter | which calls |
//! |---|---|
//! | `service` | of this service, e.g. `sagemaker` |
//! | `operation` | of this operation, e.g. `CreatePipeline` |
//! | `since` | not before this time of the fake's clock, in seconds since 1970 |
//! | `limit` | no more than the newest so many |

use serde_json::Value;

use super::{parameters, read};
use crate::{ApiError, Fake};

pub(super) fn answer(fake: &Fake, query: &str) -> Result<Value, ApiError> {
    let [service, operation, since, limit] = parameters(query, ["service", "operation", "since", "limit"])?;
    let since: Option<f64> = read("since", since.as_deref(), "a time in seconds since 1970")?;
    let limit: Option<usize> = read("limit", limit.as_deref(), "a whole number")?;
    let is =
        |wanted: &Option<String>, there: &str| wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(there));
    let mut calls = fake.calls.snapshot();
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit 53 bits")]
    calls.retain(|call| {
        is(&service, &call.service)
            && is(&operation, &call.operation)
            && since.is_none_or(|since| call.time.0 as f64 >= since * 1000.0)
    });
    calls.drain(..calls.len().saturating_sub(limit.unwrap_or(usize::MAX)));
    serde_json::to_value(calls).map_err(ApiError::internal)
}
