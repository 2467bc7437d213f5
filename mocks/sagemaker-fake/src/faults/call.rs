//! What goes wrong with calls, in each service's own words.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::wire::OnTheWire;
use crate::ApiError;
use crate::authorisation;
use crate::fake::Context;
use crate::protocol::{CredentialFault, Service};

/// How a call goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallFault {
    /// Too many requests: `ThrottlingException` or `Throttling`, S3's `SlowDown`, Service Quotas' `TooManyRequestsException`.
    Throttle,
    /// The service fails: status 500.
    InternalError,
    /// The service is not there: status 503.
    Unavailable,
    /// A limit of the account is reached: `ResourceLimitExceeded`, IAM's `LimitExceeded`, S3's `TooManyBuckets` ... AWS STS
    /// has no such error.
    ResourceLimit,
    /// IAM refuses it, for want of a policy that allows it.
    AccessDenied,
    /// The session of the caller has ended.
    ExpiredToken,
    /// The connection is closed before anything is done, and without an answer.
    Reset,
    /// Everything is done, and the connection is closed without an answer.
    Lost,
    /// Everything is done, and the connection is closed in the middle of the answer's body; without an answer, if that has
    /// no body.
    Cut,
    /// The answer comes so much later, in real time.
    Delay(Duration),
    /// A list has as few items on its page as can be asked for, mostly one, and a token for the rest.
    TruncatedPage,
}

impl CallFault {
    /// As rules call them. The delay of the one that has a delay is written beside it.
    pub(super) const NAMES: [(&'static str, Self); 11] = [
        ("throttle", Self::Throttle),
        ("internal-error", Self::InternalError),
        ("unavailable", Self::Unavailable),
        ("resource-limit", Self::ResourceLimit),
        ("access-denied", Self::AccessDenied),
        ("expired-token", Self::ExpiredToken),
        ("reset", Self::Reset),
        ("lost", Self::Lost),
        ("cut", Self::Cut),
        ("delay", Self::Delay(Duration::ZERO)),
        ("truncated-page", Self::TruncatedPage),
    ];

    /// As rules call it, and the record of calls.
    #[must_use]
    pub fn name(&self) -> &'static str {
        let same = |other: &Self| std::mem::discriminant(other) == std::mem::discriminant(self);
        Self::NAMES.iter().find(|(_, fault)| same(fault)).map_or("", |(name, _)| name)
    }

    /// What happens to the answer on its way.
    pub(crate) fn on_the_wire(&self) -> Option<OnTheWire> {
        match self {
            Self::Reset | Self::Lost => Some(OnTheWire::Reset),
            Self::Cut => Some(OnTheWire::Cut),
            Self::Delay(by) => Some(OnTheWire::Delay(*by)),
            _ => None,
        }
    }

    /// Whether it can happen to this call.
    pub(super) fn can_happen_to(&self, asked: &Asked<'_>) -> bool {
        match self {
            Self::ResourceLimit => limit(asked.service).is_some(),
            Self::TruncatedPage => asked.pages,
            Self::ExpiredToken => asked.way == Way::Wire,
            fault => fault.on_the_wire().is_none() || asked.way == Way::Wire,
        }
    }

    /// What is answered instead of acting, unless that depends on what exactly was asked for.
    pub(crate) fn refusal(&self, service: &str) -> Option<ApiError> {
        match self {
            Self::Throttle => Some(throttling(service)),
            Self::InternalError => Some(internal(service)),
            Self::Unavailable => Some(unavailable(service)),
            Self::ResourceLimit => limit(service),
            // No client ever reads this one.
            Self::Reset => Some(ApiError::new(self.name(), "The connection is closed.")),
            _ => None,
        }
    }
}

/// How a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By a door: there is a connection, and a token that may end.
    Wire,
    /// From inside: a pipeline makes its jobs.
    Inside,
}

/// A call, as far as rules ask about it.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    /// By the name that signatures carry.
    pub service: &'a str,
    pub operation: &'a str,
    /// The caller's ARN.
    pub caller: &'a str,
    /// Whether it is a list of which a page can be asked for.
    pub pages: bool,
    pub way: Way,
}

/// What has struck a call.
pub(crate) struct Struck {
    pub fault: CallFault,
    /// What is answered instead of acting; nothing if the operation is carried out.
    pub refusal: Option<ApiError>,
}

/// What goes wrong with a call of any service but S3; of a list that is to be cut short, the input is changed.
pub(crate) fn strike(
    context: &Context<'_>,
    service: Service,
    operation: &str,
    input: &mut Value,
    way: Way,
) -> Option<Struck> {
    if context.fake.faults.none() {
        return None;
    }
    let size = page_size(service, operation);
    let asked = Asked { service: service.name(), operation, caller: &context.caller.arn, pages: size.is_some(), way };
    let fault = context.fake.faults.of_call(&asked)?;
    let refusal = match fault {
        CallFault::AccessDenied => Some(authorisation::unallowed(context, service, operation, input)),
        CallFault::ExpiredToken if matches!(service, Service::Sts | Service::Iam) => {
            Some(CredentialFault::Expired.in_query())
        }
        CallFault::ExpiredToken => Some(CredentialFault::Expired.in_json()),
        ref other => other.refusal(service.name()),
    };
    if let (CallFault::TruncatedPage, Some((member, least)), Some(input)) = (&fault, size, input.as_object_mut()) {
        input.insert(member.to_owned(), json!(least));
    }
    Some(Struck { fault, refusal })
}

/// The member of an operation's input that says how many items a page has, and its least value; nothing if it is no list.
fn page_size(service: Service, operation: &str) -> Option<(&'static str, i64)> {
    let api = service.api();
    let input = api.shape(api.operation(operation)?.input.as_deref()?);
    let tokens = ["NextToken", "nextToken", "Marker"];
    let sizes = ["MaxResults", "maxResults", "MaxItems", "MaxRecords", "limit"];
    if !tokens.iter().any(|token| input.has(token)) {
        return None;
    }
    let (member, shape) = input
        .members()
        .find_map(|(member, shape)| Some((sizes.into_iter().find(|size| *size == member)?, api.shape(shape))))?;
    #[expect(clippy::cast_possible_truncation, reason = "the numbers of items in AWS's models are small and whole")]
    Some((member, shape.min.map_or(1, |least| least as i64).max(1)))
}

/// Service Quotas, IAM and CloudWatch declare errors of their own in their models; all other codes and sentences here are
/// common ones of AWS's, as its SDKs classify them. The sentences of the errors with status 500 and 503 are inferred.
fn throttling(service: &str) -> ApiError {
    match service {
        "s3" => {
            ApiError::new("SlowDown", "Please reduce your request rate.").with_status(StatusCode::SERVICE_UNAVAILABLE)
        }
        "sts" | "iam" => ApiError::new("Throttling", "Rate exceeded"),
        "servicequotas" => ApiError::new("TooManyRequestsException", "Rate exceeded"),
        _ => ApiError::new("ThrottlingException", "Rate exceeded"),
    }
}

fn internal(service: &str) -> ApiError {
    let sentence = "The request processing has failed because of an unknown error.";
    let error = match service {
        "s3" => ApiError::new("InternalError", "We encountered an internal error. Please try again."),
        "iam" => ApiError::new("ServiceFailure", sentence),
        "servicequotas" => ApiError::new("ServiceException", sentence),
        "monitoring" => ApiError::new("InternalServiceFault", sentence),
        _ => ApiError::new("InternalFailure", sentence),
    };
    error.with_status(StatusCode::INTERNAL_SERVER_ERROR)
}

fn unavailable(service: &str) -> ApiError {
    let error = match service {
        "s3" => ApiError::new("ServiceUnavailable", "Service is unable to handle request."),
        "logs" => ApiError::new("ServiceUnavailableException", "The service cannot complete the request."),
        _ => ApiError::new("ServiceUnavailable", "The request has failed due to a temporary failure of the server."),
    };
    error.with_status(StatusCode::SERVICE_UNAVAILABLE)
}

fn limit(service: &str) -> Option<ApiError> {
    match service {
        "sagemaker" => Some(ApiError::new(
            "ResourceLimitExceeded",
            "The account-level service limit is 0 Instances, with current utilization of 0 Instances and a request delta of 1 \
             Instances. Please contact AWS support to request an increase for this limit.",
        )),
        "s3" => Some(ApiError::new("TooManyBuckets", "You have attempted to create more buckets than allowed")),
        "iam" => Some(
            ApiError::new("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000")
                .with_status(StatusCode::CONFLICT),
        ),
        "ecr" => Some(ApiError::new(
            "LimitExceededException",
            "The operation did not succeed because it would have exceeded a service limit for your account.",
        )),
        "logs" => Some(ApiError::new("LimitExceededException", "Resource limit exceeded.")),
        "monitoring" => Some(ApiError::new("LimitExceededFault", "The quota for alarms is reached.")),
        "servicequotas" => Some(ApiError::new("QuotaExceededException", "The quota for open requests is reached.")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_its_name() {
        for (name, fault) in CallFault::NAMES {
            assert_eq!(fault.name(), name);
        }
        assert_eq!(CallFault::Delay(Duration::from_secs(1)).name(), "delay");
    }

    #[test]
    fn lists_have_pages_and_nothing_else_has() {
        let check = |service: Service, operation: &str, expected: Option<(&str, i64)>| {
            assert_eq!(page_size(service, operation), expected, "{operation}");
        };
        check(Service::SageMaker, "ListModels", Some(("MaxResults", 1)));
        check(Service::SageMaker, "ListTags", Some(("MaxResults", 50)));
        check(Service::SageMaker, "DescribeModel", None);
        check(Service::SageMaker, "InvokeEndpoint", None);
        check(Service::Iam, "ListRoles", Some(("MaxItems", 1)));
        check(Service::Iam, "GetRole", None);
        check(Service::Logs, "DescribeLogStreams", Some(("limit", 1)));
        check(Service::ServiceQuotas, "ListServiceQuotas", Some(("MaxResults", 1)));
        check(Service::CloudWatch, "DescribeAlarms", Some(("MaxRecords", 1)));
        check(Service::CloudWatch, "ListMetrics", None);
    }
}
