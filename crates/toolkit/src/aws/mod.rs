//! Speaking to AWS, or to the fake in its place: the endpoint is all that differs.

pub mod config;
pub mod dry;
pub mod ecr;
pub mod errors;
mod hints;
pub mod iam;
pub mod identity;
pub mod logs;
pub mod quotas;
pub mod runtime;
pub mod session;
pub mod signed;

use aws_config::{BehaviorVersion, SdkConfig};

pub use dry::Mode;
pub use identity::Identity;
pub use session::{Place, Session};

/// The clients of a verb. All of them work as the same identity, and refuse to change anything in a dry run.
#[derive(Debug, Clone)]
pub struct Clients {
    /// SageMaker.
    pub sagemaker: aws_sdk_sagemaker::Client,
    /// S3.
    pub s3: aws_sdk_s3::Client,
    /// AWS STS.
    pub sts: aws_sdk_sts::Client,
    /// ECR.
    pub ecr: ecr::Client,
    /// CloudWatch Logs.
    pub logs: logs::Client,
    /// IAM.
    pub iam: iam::Client,
    /// Service Quotas.
    pub quotas: quotas::Client,
    /// SageMaker Runtime.
    pub runtime: runtime::Client,
}

impl Clients {
    /// Clients of this configuration.
    #[must_use]
    pub fn new(config: &SdkConfig, mode: Mode) -> Self {
        let mut sagemaker = aws_sdk_sagemaker::config::Builder::from(config);
        // Only AWS itself has a host name for every bucket.
        let s3 = aws_sdk_s3::config::Builder::from(config);
        let mut s3 = s3.force_path_style(config::endpoint(config, "S3").is_some());
        if mode == Mode::Dry {
            sagemaker = sagemaker.interceptor(dry::ReadsOnly);
            s3 = s3.interceptor(dry::ReadsOnly);
        }
        Self {
            sagemaker: aws_sdk_sagemaker::Client::from_conf(sagemaker.build()),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            sts: sts(config, mode),
            ecr: ecr::Client::new(signed::Client::new(config, "ECR", "ecr", mode).hosted_as("api.ecr")),
            logs: logs::Client::new(signed::Client::new(config, "CloudWatch Logs", "logs", mode)),
            iam: iam::Client::new(config, mode),
            runtime: runtime::Client::new(
                signed::Client::new(config, "SageMaker Runtime", "sagemaker", mode).hosted_as("runtime.sagemaker"),
            ),
            quotas: quotas::Client::new(signed::Client::new(config, "Service Quotas", "servicequotas", mode)),
        }
    }
}

impl Clients {
    /// Clients that nobody signs for, and that reach nobody: for what does not concern AWS.
    #[must_use]
    pub fn of_nobody(mode: Mode) -> Self {
        Self::new(&SdkConfig::builder().behavior_version(BehaviorVersion::latest()).build(), mode)
    }
}

/// AWS STS alone: what finds out who is calling needs no more.
pub(crate) fn sts(config: &SdkConfig, mode: Mode) -> aws_sdk_sts::Client {
    let mut sts = aws_sdk_sts::config::Builder::from(config);
    if mode == Mode::Dry {
        sts = sts.interceptor(dry::ReadsOnly);
    }
    aws_sdk_sts::Client::from_conf(sts.build())
}

#[cfg(test)]
mod tests;
