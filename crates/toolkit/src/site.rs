//! The site: everything that the pipeline names, once settings and account are known.

use iam_policy::generate;

use crate::error::Failure;
use crate::names;
use crate::plan::Tag;
use crate::settings::{Network, RoleArn, Settings};

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

    /// What IAM's documents for this site are made from; `caller` is the ARN of the user or role that works with the role.
    ///
    /// # Errors
    /// With exit code 2, when it is not known which role.
    pub fn policy_settings(&self, caller: &str) -> Result<generate::Settings, Failure> {
        let role = RoleArn::parse(&self.role).map_err(|_| {
            Failure::usage("which role? AWS_ROLE is not set")
                .hint("set AWS_ROLE to its ARN, in the environment or in .env; it need not exist yet")
        })?;
        let image = generate::Repository::of_image(&self.image).ok_or_else(|| {
            Failure::usage(format!("{} is no image in a repository of Amazon ECR", self.image))
                .hint("STSMM_IMAGE is like 111122223333.dkr.ecr.eu-west-1.amazonaws.com/sts-container:TAG")
        })?;
        let path = role.arn.split_once(":role/").map_or(role.name.as_str(), |(_, path)| path);
        Ok(generate::Settings {
            partition: self.partition().to_owned(),
            bucket: self.bucket.clone(),
            pipeline: self.pipeline.clone(),
            package_group: self.package_group.clone(),
            prefix: self.prefix.clone(),
            image,
            kms_key: self.kms_key.clone(),
            ..generate::Settings::new(&role.account, &self.region, caller, path)
        })
    }

    /// The ARN of an execution of our pipeline.
    #[must_use]
    pub fn execution_arn(&self, id: &str) -> String {
        let (partition, region, account) = (self.partition(), &self.region, &self.account);
        format!("arn:{partition}:sagemaker:{region}:{account}:pipeline/{}/execution/{id}", self.pipeline)
    }
}
