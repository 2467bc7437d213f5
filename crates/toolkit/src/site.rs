//! The site: everything that the pipeline names, once settings and account are known.

use crate::names;
use crate::plan::Tag;
use crate::settings::{Network, Settings};

/// What stands for an account that is not known yet, in names that are only shown.
pub const UNKNOWN_ACCOUNT: &str = "{account}";

/// Where the pipeline lives, and what it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The twelve digits of the account, or [`UNKNOWN_ACCOUNT`].
    pub account: String,
    /// The region of everything.
    pub region: String,
    /// The bucket of all that the steps read and write.
    pub bucket: String,
    /// The first part of every key.
    pub prefix: String,
    /// The pipeline's name, part of every key.
    pub pipeline: String,
    /// Where models are registered.
    pub package_group: String,
    /// The image of every step.
    pub image: String,
    /// The role of the pipeline and of every step.
    pub role: String,
    /// Encrypts disks, outputs and a bucket of our making.
    pub kms_key: Option<String>,
    /// The jobs' network.
    pub network: Option<Network>,
    /// The tags on everything that is created.
    pub tags: Vec<Tag>,
}

impl Site {
    /// The site of these settings in this account. Without a role it shows where one would stand.
    #[must_use]
    pub fn new(settings: &Settings, account: &str, role: Option<&str>) -> Self {
        let region = &settings.region;
        let image = || names::image(account, region, sts_container::TAG);
        Self {
            account: account.to_owned(),
            region: region.clone(),
            bucket: settings.bucket(account),
            prefix: settings.base_job_prefix.clone(),
            pipeline: settings.pipeline_name.clone(),
            package_group: settings.model_package_group_name.clone(),
            image: settings.image.clone().unwrap_or_else(image),
            role: role.unwrap_or("{AWS_ROLE}").to_owned(),
            kms_key: settings.kms_key.clone(),
            network: settings.network.clone(),
            tags: settings.tags().into_iter().map(|(key, value)| Tag { key, value }).collect(),
        }
    }

    /// The partition of ARNs: `aws`, `aws-cn`, ...
    #[must_use]
    pub fn partition(&self) -> &str {
        // The role's ARN knows; a role that is only a placeholder does not.
        match self.role.split(':').nth(1) {
            Some(partition) if self.role.starts_with("arn:") => partition,
            _ if self.region.starts_with("cn-") => "aws-cn",
            _ if self.region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    /// The ARN of an execution of our pipeline.
    #[must_use]
    pub fn execution_arn(&self, id: &str) -> String {
        let (partition, region, account) = (self.partition(), &self.region, &self.account);
        format!("arn:{partition}:sagemaker:{region}:{account}:pipeline/{}/execution/{id}", self.pipeline)
    }
}
