//! The clients of a case: AWS's SDKs, and where the workspace has none, the toolkit's own signed requests.

use aws_config::SdkConfig;
use toolkit::aws::{self, Mode, signed};

/// Clients of every service that the suite speaks to, all of one identity.
#[derive(Debug, Clone)]
pub struct Clients {
    /// SageMaker.
    pub sagemaker: aws_sdk_sagemaker::Client,
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// AWS STS.
    pub sts: aws_sdk_sts::Client,
    /// SageMaker, for what no SDK would send.
    pub sagemaker_json: signed::Client,
    /// SageMaker Runtime.
    pub runtime: signed::Client,
    /// CloudWatch Logs.
    pub logs: signed::Client,
    /// CloudWatch.
    pub cloudwatch: signed::Client,
    /// IAM.
    pub iam: signed::Client,
    /// Service Quotas.
    pub quotas: signed::Client,
}

impl Clients {
    /// Clients of this configuration.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        let aws::Clients { sagemaker, s3, sts, .. } = aws::Clients::new(config, Mode::Live);
        let of = |id, name| signed::Client::new(config, id, name, Mode::Live);
        Self {
            sagemaker,
            s3,
            sts,
            sagemaker_json: of("SageMaker", "sagemaker").hosted_as("api.sagemaker"),
            runtime: of("SageMaker Runtime", "sagemaker").hosted_as("runtime.sagemaker"),
            logs: of("CloudWatch Logs", "logs"),
            cloudwatch: of("CloudWatch", "monitoring"),
            iam: of("IAM", "iam").at("iam.amazonaws.com", "us-east-1"),
            quotas: of("Service Quotas", "servicequotas"),
        }
    }
}
