//! Retry policies: whether a step that failed is tried again, and after how long.
//!
//! As in <https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html>.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::definition::RetryPolicy;

/// What a policy can be for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exception {
    /// A service that the step called failed. Retried even without a policy.
    #[serde(rename = "Step.SERVICE_FAULT")]
    ServiceFault,
    /// A service that the step called was called too often. Retried even without a policy.
    #[serde(rename = "Step.THROTTLING")]
    Throttling,
    /// The job ended with an `InternalServerError`.
    #[serde(rename = "SageMaker.JOB_INTERNAL_ERROR")]
    JobInternalError,
    /// There were no instances for the job.
    #[serde(rename = "SageMaker.CAPACITY_ERROR")]
    CapacityError,
    /// The account's quota does not allow the job.
    #[serde(rename = "SageMaker.RESOURCE_LIMIT")]
    ResourceLimit,
}

/// A failure after which the step was tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// What it was.
    pub exception: Exception,
    /// How long ago.
    pub age: Duration,
}

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The step is tried again, so much later.
    RetryAfter(Duration),
    /// The policy allows no further retry.
    Exhausted,
    /// No policy is for this exception.
    NoPolicy,
}

/// What follows a failure with this exception just now. `earlier` are the failures of the same step that were followed by
/// a retry, oldest first. The first policy that names the exception counts.
#[must_use]
pub fn next(policies: &[RetryPolicy], exception: Exception, earlier: &[Failure]) -> Next {
    let default = RetryPolicy::default();
    let named = |exception: Exception| {
        policies.iter().position(|policy| policy.exception_types.iter().any(|name| name == exception.as_str()))
    };
    let position = named(exception);
    let policy = match position {
        Some(position) => &policies[position],
        None if exception.is_retried_by_default() => &default,
        None => return Next::NoPolicy,
    };
    // A policy counts its own retries; a default one those after the same exception.
    let own = |failure: &&Failure| match position {
        Some(position) => named(failure.exception) == Some(position),
        None => failure.exception == exception,
    };
    let own: Vec<_> = earlier.iter().filter(own).collect();
    let number =
        |given: &Option<serde_json::Number>, default| given.as_ref().map_or(default, |n| n.as_f64().unwrap_or(default));
    let most = if policy.expire_after_min.is_some() { f64::INFINITY } else { 5.0 };
    let retries = u32::try_from(own.len()).unwrap_or(u32::MAX);
    if f64::from(retries) >= number(&policy.max_attempts, most) {
        return Next::Exhausted;
    }
    let backoff = number(&policy.backoff_rate, 2.0).powf(retries.into());
    let Ok(wait) = Duration::try_from_secs_f64(number(&policy.interval_seconds, 1.0) * backoff) else {
        return Next::Exhausted;
    };
    let since_first = own.first().map_or(Duration::ZERO, |failure| failure.age);
    if since_first.saturating_add(wait).as_secs_f64() > number(&policy.expire_after_min, f64::INFINITY) * 60.0 {
        return Next::Exhausted;
    }
    Next::RetryAfter(wait)
}

impl Exception {
    /// As `ExceptionType` names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceFault => "Step.SERVICE_FAULT",
            Self::Throttling => "Step.THROTTLING",
            Self::JobInternalError => "SageMaker.JOB_INTERNAL_ERROR",
            Self::CapacityError => "SageMaker.CAPACITY_ERROR",
            Self::ResourceLimit => "SageMaker.RESOURCE_LIMIT",
        }
    }

    fn is_retried_by_default(self) -> bool {
        matches!(self, Self::ServiceFault | Self::Throttling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What follows each failure, when every retry fails the same way at once, as seconds.
    fn waits(policies: &[RetryPolicy], exception: Exception) -> (Vec<f64>, Next) {
        let (mut failed_at, mut now, mut waits) = (Vec::new(), Duration::ZERO, Vec::new());
        loop {
            let failure = |at: &Duration| Failure { exception, age: now.saturating_sub(*at) };
            match next(policies, exception, &failed_at.iter().map(failure).collect::<Vec<_>>()) {
                Next::RetryAfter(wait) => {
                    failed_at.push(now);
                    now += wait;
                    waits.push(wait.as_secs_f64());
                }
                end => return (waits, end),
            }
        }
    }

    #[test]
    fn intervals_grow_until_the_policy_ends() {
        fn check(policy: RetryPolicy, expected: &[f64]) {
            let waits = waits(&[policy], Exception::CapacityError);
            assert_eq!(waits, (expected.to_vec(), Next::Exhausted));
        }
        let attempts = |attempts| RetryPolicy::up_to_attempts(["SageMaker.CAPACITY_ERROR"], attempts);
        check(attempts(3), &[1.0, 2.0, 4.0]);
        check(attempts(3).with_interval(10, 1.5), &[10.0, 15.0, 22.5]);
        check(attempts(0), &[]);
        check(RetryPolicy { max_attempts: None, ..attempts(0) }, &[1.0, 2.0, 4.0, 8.0, 16.0]);
        // Sixty seconds after the first failure the last retry may begin.
        let minute = RetryPolicy { max_attempts: None, expire_after_min: Some(1.into()), ..attempts(0) };
        check(minute.clone(), &[1.0, 2.0, 4.0, 8.0, 16.0]);
        check(minute.clone().with_interval(20, 1.0), &[20.0, 20.0, 20.0]);
        check(minute.with_interval(61, 1.0), &[]);
        check(attempts(20).with_interval(43200, 1e300), &[43200.0]);
    }

    #[test]
    fn the_first_policy_for_the_exception_counts_its_own_retries() {
        fn check(exception: Exception, earlier: &[Exception], expected: Next) {
            let policies = [
                RetryPolicy::up_to_attempts(["Step.THROTTLING", "SageMaker.RESOURCE_LIMIT"], 2),
                RetryPolicy::up_to_attempts(["Step.THROTTLING"], 9).with_interval(99, 1.0),
            ];
            let earlier: Vec<_> =
                earlier.iter().map(|exception| Failure { exception: *exception, age: Duration::ZERO }).collect();
            assert_eq!(next(&policies, exception, &earlier), expected, "{exception:?} after {earlier:?}");
        }
        use Exception::{CapacityError, JobInternalError, ResourceLimit, ServiceFault, Throttling};
        let after = |seconds| Next::RetryAfter(Duration::from_secs(seconds));
        check(Throttling, &[], after(1));
        check(Throttling, &[ResourceLimit], after(2));
        check(Throttling, &[ResourceLimit, Throttling], Next::Exhausted);
        check(ServiceFault, &[ResourceLimit, Throttling], after(1));
        check(ServiceFault, &[ServiceFault; 5], Next::Exhausted);
        check(CapacityError, &[], Next::NoPolicy);
        check(JobInternalError, &[Throttling], Next::NoPolicy);
    }

    #[test]
    fn exceptions_keep_their_names() {
        use Exception::{CapacityError, JobInternalError, ResourceLimit, ServiceFault, Throttling};
        for exception in [ServiceFault, Throttling, JobInternalError, CapacityError, ResourceLimit] {
            assert_eq!(serde_json::to_value(exception).unwrap(), exception.as_str());
        }
    }
}
