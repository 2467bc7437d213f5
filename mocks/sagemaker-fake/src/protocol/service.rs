//! The services that speak the JSON and query protocols.

use std::sync::OnceLock;

use http::HeaderValue;
use serde_json::Value;

use super::Checked;
use crate::ApiError;
use crate::fake::Context;
use crate::validation::Api;

/// A service other than S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// SageMaker's control plane: awsJson 1.1.
    SageMaker,
    /// CloudWatch Logs: awsJson 1.1.
    Logs,
    /// Service Quotas: awsJson 1.1.
    ServiceQuotas,
    /// ECR: awsJson 1.1.
    Ecr,
    /// AWS STS: awsQuery.
    Sts,
    /// IAM: awsQuery.
    Iam,
    /// CloudWatch: rpc-v2-cbor, awsJson 1.0 and awsQuery.
    CloudWatch,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::SageMaker, Self::Logs, Self::ServiceQuotas, Self::Ecr, Self::Sts, Self::Iam, Self::CloudWatch];

    /// The name that signatures carry.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SageMaker => "sagemaker",
            Self::Logs => "logs",
            Self::ServiceQuotas => "servicequotas",
            Self::Ecr => "ecr",
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::CloudWatch => "monitoring",
        }
    }

    /// AWS's constraints on its requests and answers. The tables are read when they are first asked for, so that the
    /// fake starts at once.
    #[must_use]
    pub fn api(self) -> &'static Api {
        static SAGEMAKER: OnceLock<Api> = OnceLock::new();
        static LOGS: OnceLock<Api> = OnceLock::new();
        static SERVICE_QUOTAS: OnceLock<Api> = OnceLock::new();
        static ECR: OnceLock<Api> = OnceLock::new();
        static STS: OnceLock<Api> = OnceLock::new();
        static IAM: OnceLock<Api> = OnceLock::new();
        static CLOUDWATCH: OnceLock<Api> = OnceLock::new();
        let (once, table) = match self {
            Self::SageMaker => (&SAGEMAKER, include_str!("../../../api/sagemaker.json")),
            Self::Logs => (&LOGS, include_str!("../../../api/logs.json")),
            Self::ServiceQuotas => (&SERVICE_QUOTAS, include_str!("../../../api/service-quotas.json")),
            Self::Ecr => (&ECR, include_str!("../../../api/ecr.json")),
            Self::Sts => (&STS, include_str!("../../../api/sts.json")),
            Self::Iam => (&IAM, include_str!("../../../api/iam.json")),
            Self::CloudWatch => (&CLOUDWATCH, include_str!("../../../api/cloudwatch.json")),
        };
        once.get_or_init(|| Api::read(table))
    }

    /// What the query protocol calls an error. CloudWatch was born in that protocol, and some of its codes differ there.
    #[must_use]
    pub fn query_code(self, code: &str) -> &str {
        match (self, code) {
            (Self::CloudWatch, "InvalidParameterValueException") => "InvalidParameterValue",
            (Self::CloudWatch, "InvalidParameterCombinationException") => "InvalidParameterCombination",
            (Self::CloudWatch, "AccessDeniedException") => "AccessDenied",
            (Self::CloudWatch, "MissingRequiredParameterException") => "MissingParameter",
            (Self::CloudWatch, "ThrottlingException") => "Throttling",
            (Self::CloudWatch, "InternalServiceFault") => "InternalServiceError",
            (Self::CloudWatch, "LimitExceededFault") => "LimitExceeded",
            (_, code) => code,
        }
    }

    /// The header by which CloudWatch tells the clients of its other protocols what the error is in the query protocol:
    /// `CODE;FAULT`.
    pub(super) fn query_error(self, error: &ApiError) -> Option<HeaderValue> {
        let fault = if error.status.is_server_error() { "Receiver" } else { "Sender" };
        let value = (self == Self::CloudWatch).then(|| format!("{};{fault}", self.query_code(&error.code)))?;
        HeaderValue::from_str(&value).ok()
    }

    /// Calls an operation: validates its input, acts, and checks its output if that is wanted.
    pub(super) fn call(
        self,
        context: &Context<'_>,
        operation: &str,
        input: Value,
        checked: Checked,
    ) -> Result<Value, ApiError> {
        let output = match self {
            Self::SageMaker => crate::sagemaker::call(context, operation, input),
            Self::Logs => crate::logs::call(context, operation, &input),
            Self::ServiceQuotas => crate::service_quotas::call(context, operation, &input),
            Self::Ecr => crate::ecr::call(context, operation, &input),
            Self::Sts => crate::sts::call(context, operation, input),
            Self::Iam => crate::iam::call(context, operation, &input),
            Self::CloudWatch => crate::cloudwatch::call(context, operation, &input),
        }?;
        if checked == Checked::Yes {
            let faults = self.api().faults_of_output(operation, &output);
            if !faults.is_empty() {
                return Err(ApiError::internal(format!(
                    "the answer of {operation} is not as AWS's model says: {}",
                    faults.join("; ")
                )));
            }
        }
        Ok(output)
    }
}
