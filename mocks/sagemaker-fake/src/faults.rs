//! Faults on request: what AWS does on a bad day, for those who want to see what follows.

use std::sync::{Mutex, PoisonError};

use http::StatusCode;

use crate::ApiError;
use crate::jobs::Kind;

/// How a call to SageMaker fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallFault {
    /// `ThrottlingException`.
    Throttling,
    /// `InternalFailure`, status 500.
    ServiceFault,
    /// `ResourceLimitExceeded`.
    ResourceLimit,
}

/// How a job fails before its program starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobFault {
    /// `InternalServerError`.
    InternalServerError,
    /// `CapacityError`: there are no such instances now.
    CapacityError,
}

/// The faults that are still to come. They live in memory only.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Planned>);

#[derive(Debug, Default)]
struct Planned {
    calls: Vec<(String, CallFault)>,
    jobs: Vec<(Kind, JobFault)>,
}

impl Faults {
    /// The next `times` calls of this operation of SageMaker fail, whoever makes them.
    pub fn fail_calls(&self, operation: &str, fault: CallFault, times: usize) {
        self.with(|planned| planned.calls.extend(vec![(operation.to_owned(), fault); times]));
    }

    /// The next `times` jobs of this kind fail.
    pub fn fail_jobs(&self, kind: Kind, fault: JobFault, times: usize) {
        self.with(|planned| planned.jobs.extend(vec![(kind, fault); times]));
    }

    /// The fault of a call that is being made.
    pub(crate) fn of_call(&self, operation: &str) -> Option<ApiError> {
        self.with(|planned| take(&mut planned.calls, |planned| planned == operation)).map(CallFault::error)
    }

    /// The FailureReason of a job that is being started.
    pub(crate) fn of_job(&self, kind: Kind) -> Option<String> {
        self.with(|planned| take(&mut planned.jobs, |planned| *planned == kind)).map(|fault| fault.reason().to_owned())
    }

    fn with<T>(&self, f: impl FnOnce(&mut Planned) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn take<K, F>(planned: &mut Vec<(K, F)>, is_for: impl Fn(&K) -> bool) -> Option<F> {
    let position = planned.iter().position(|(key, _)| is_for(key))?;
    Some(planned.remove(position).1)
}

impl CallFault {
    fn error(self) -> ApiError {
        match self {
            Self::Throttling => ApiError::new("ThrottlingException", "Rate exceeded"),
            Self::ServiceFault => {
                ApiError::new("InternalFailure", "The request processing has failed because of an unknown error.")
                    .with_status(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::ResourceLimit => ApiError::new(
                "ResourceLimitExceeded",
                "The account-level service limit is 0 Instances, with current utilization of 0 Instances and a request delta of 1 \
                 Instances. Please contact AWS support to request an increase for this limit.",
            ),
        }
    }
}

impl JobFault {
    fn reason(self) -> &'static str {
        match self {
            Self::InternalServerError => "InternalServerError: We encountered an internal error. Please try again.",
            Self::CapacityError => {
                "CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type."
            }
        }
    }
}
