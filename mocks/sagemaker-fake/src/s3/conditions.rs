//! Conditional requests: `If-Match` and its kin.

use http::StatusCode;
use s3s::dto::{ETagCondition, Timestamp};
use time::OffsetDateTime;

use super::object::{Object, no_such_key};
use crate::ApiError;

/// What a reader demands of the object that it finds.
#[derive(Default)]
pub struct Read {
    pub if_match: Option<ETagCondition>,
    pub if_none_match: Option<ETagCondition>,
    pub if_modified_since: Option<Timestamp>,
    pub if_unmodified_since: Option<Timestamp>,
}

impl Read {
    /// The conditions of a GET or HEAD.
    ///
    /// # Errors
    /// `PreconditionFailed`; `NotModified`, which is no failure and travels as one.
    pub fn check(&self, object: &Object) -> Result<(), ApiError> {
        match self.outcome(object) {
            Outcome::Go => Ok(()),
            Outcome::Failed => Err(precondition_failed()),
            Outcome::NotModified => {
                Err(ApiError::new("NotModified", "Not Modified").with_status(StatusCode::NOT_MODIFIED))
            }
        }
    }

    /// The conditions of a copy on its source.
    ///
    /// # Errors
    /// `PreconditionFailed`.
    pub fn check_source(&self, object: &Object) -> Result<(), ApiError> {
        if matches!(self.outcome(object), Outcome::Go) { Ok(()) } else { Err(precondition_failed()) }
    }

    /// RFC 9110, section 13.2.2: a condition on the ETag overrules the one on the date.
    fn outcome(&self, object: &Object) -> Outcome {
        let modified_after = |since: &Timestamp| {
            object.last_modified.date().unix_timestamp() > OffsetDateTime::from(since.clone()).unix_timestamp()
        };
        let failed = match &self.if_match {
            Some(condition) => !matches(condition, object),
            None => self.if_unmodified_since.as_ref().is_some_and(modified_after),
        };
        let not_modified = match &self.if_none_match {
            Some(condition) => matches(condition, object),
            None => self.if_modified_since.as_ref().is_some_and(|since| !modified_after(since)),
        };
        if failed {
            Outcome::Failed
        } else if not_modified {
            Outcome::NotModified
        } else {
            Outcome::Go
        }
    }
}

/// What a writer demands of what is there before it writes.
#[derive(Default)]
pub struct Write {
    pub if_match: Option<ETagCondition>,
    pub if_none_match: Option<ETagCondition>,
}

impl Write {
    /// # Errors
    /// `PreconditionFailed`; `NoSuchKey` when a version is demanded and nothing is there.
    pub fn check(&self, there: Option<&Object>) -> Result<(), ApiError> {
        match (&self.if_match, there) {
            (Some(_), None) => return Err(no_such_key()),
            (Some(condition), Some(object)) if !matches(condition, object) => return Err(precondition_failed()),
            _ => {}
        }
        match (&self.if_none_match, there) {
            (Some(condition), Some(object)) if matches(condition, object) => Err(precondition_failed()),
            _ => Ok(()),
        }
    }
}

enum Outcome {
    Go,
    Failed,
    NotModified,
}

fn matches(condition: &ETagCondition, object: &Object) -> bool {
    condition.as_etag().is_none_or(|etag| etag.value() == object.etag)
}

fn precondition_failed() -> ApiError {
    let message = "At least one of the pre-conditions you specified did not hold";
    ApiError::new("PreconditionFailed", message).with_status(StatusCode::PRECONDITION_FAILED)
}
