//! The three documents that somebody needs who works with this toolkit: the caller's policy, the role's trust policy, and
//! the role's own policy, as narrow as the calls that are made.
//!
//! ```
//! use iam_policy::generate::{Feature, Settings, Terraform};
//!
//! let settings = Settings::new("111122223333", "eu-west-1", "arn:aws:iam::111122223333:user/sts-developer", "sts-execution");
//! let documents = settings.documents(&Feature::ALL);
//! assert!(documents.identity.to_text().contains("sts:TagSession"));
//! assert!(Terraform(&settings, &documents).to_string().contains("data \"aws_iam_policy_document\" \"trust\""));
//! ```

use serde::Serialize;

use crate::{
    arn,
    document::{Kind, Policy, PrincipalPattern, Statement},
};

mod analyzer;
mod caller;
mod grants;
mod needs;
mod role;
mod terraform;

pub use analyzer::image as analyzer_image;
pub use grants::{Grant, caller_grants, grants};
pub use needs::{Area, Need};
pub use terraform::Terraform;

/// What the documents are made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// Of pipeline and endpoint: `eu-west-1`.
    pub region: String,
    /// The id of the account, twelve digits.
    pub account: String,
    /// The ARN of the user or role that assumes the execution role.
    pub caller: String,
    /// The execution role's name, with its path if it has one: `service-role/sts-execution`.
    pub role: String,
    /// The bucket's name.
    pub bucket: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The name of the model package group.
    pub package_group: String,
    /// What names and keys begin with.
    pub prefix: String,
    /// Where the image of the jobs is.
    pub image: Repository,
    /// The ARN of the KMS key that encrypts what is written, if there is one.
    pub kms_key: Option<String>,
}

/// A repository of container images in ECR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// The account that it belongs to.
    pub account: String,
    /// The region that it is in.
    pub region: String,
    /// Its name.
    pub name: String,
}

/// What a permission is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Feature {
    /// Working as the execution role.
    Assume,
    /// The bucket and the model package group.
    Bootstrap,
    /// The image of the jobs, pushed.
    Image,
    /// The pipeline and its jobs.
    Run,
    /// What the jobs printed.
    Logs,
    /// The endpoint, and traffic to it.
    Deploy,
    /// The quality of what the endpoint answers.
    Monitor,
    /// Finding out what is there and what costs money.
    Doctor,
    /// Removing what was created.
    Cleanup,
}

impl Feature {
    /// All of them.
    pub const ALL: [Feature; 9] = [
        Feature::Assume,
        Feature::Bootstrap,
        Feature::Image,
        Feature::Run,
        Feature::Logs,
        Feature::Deploy,
        Feature::Monitor,
        Feature::Doctor,
        Feature::Cleanup,
    ];
}

/// The three documents.
#[derive(Debug, Clone, PartialEq)]
pub struct Documents {
    /// Of the caller: may assume the role, and tag the session; for the doctor, may look into IAM and the quotas.
    pub identity: Policy,
    /// Of the role: lets the caller in, and SageMaker.
    pub trust: Policy,
    /// Of the role: what a session and the jobs may do.
    pub role: Policy,
}

impl Settings {
    /// Those of the defaults, for an account, a region, the ARN of a caller and the name of a role.
    #[must_use]
    pub fn new(account: &str, region: &str, caller: &str, role: &str) -> Self {
        let partition = match region {
            _ if region.starts_with("cn-") => "aws-cn",
            _ if region.starts_with("us-gov-") => "aws-us-gov",
            _ if region.starts_with("eusc-") => "aws-eusc",
            _ => "aws",
        };
        Self {
            partition: partition.to_owned(),
            region: region.to_owned(),
            account: account.to_owned(),
            caller: caller.to_owned(),
            role: role.to_owned(),
            bucket: format!("sagemaker-{region}-{account}"),
            pipeline: "stsPipeline".to_owned(),
            package_group: "stsPackageGroup".to_owned(),
            prefix: "sts".to_owned(),
            image: Repository {
                account: account.to_owned(),
                region: region.to_owned(),
                name: "sts-container".to_owned(),
            },
            kms_key: None,
        }
    }

    /// The documents that these features need. The role's policy has only the statements and actions of the features.
    #[must_use]
    pub fn documents(&self, features: &[Feature]) -> Documents {
        let of = |blocks, wanted: &dyn Fn(&Grant) -> bool| {
            Policy::of(Kind::Identity, grants::statements(blocks, self, wanted))
        };
        Documents {
            // Without that there is no session to work in.
            identity: of(caller::BLOCKS, &|grant| {
                grant.feature == Feature::Assume || features.contains(&grant.feature)
            }),
            trust: Policy::of(Kind::Trust, self.trust()),
            role: of(role::BLOCKS, &|grant| features.contains(&grant.feature)),
        }
    }

    /// The execution role's ARN.
    #[must_use]
    pub fn role_arn(&self) -> String {
        format!("arn:{}:iam::{}:role/{}", self.partition, self.account, self.role.trim_start_matches('/'))
    }

    fn trust(&self) -> Vec<Statement> {
        let caller = PrincipalPattern::Aws(self.caller.clone());
        let service = PrincipalPattern::Service("sagemaker.amazonaws.com".to_owned());
        vec![
            Statement::allow(["sts:AssumeRole", "sts:TagSession"]).named("UserMayAssume").to([caller]),
            // Nobody else's job may make SageMaker use the role.
            Statement::allow(["sts:AssumeRole"])
                .named("SageMakerMayAssume")
                .to([service])
                .if_equals("aws:SourceAccount", &self.account),
        ]
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
    }
}

impl Repository {
    /// As images in it are named: `111122223333.dkr.ecr.eu-west-1.amazonaws.com/name`.
    #[must_use]
    pub fn uri(&self) -> String {
        let Self { account, region, name } = self;
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("{account}.dkr.ecr.{region}.{domain}/{name}")
    }

    /// That of an image: `111122223333.dkr.ecr.eu-west-1.amazonaws.com/name:tag`. `None` if it is in another registry than
    /// ECR.
    #[must_use]
    pub fn of_image(image: &str) -> Option<Self> {
        let (host, path) = image.split_once('/')?;
        let mut labels = host.split('.');
        let (account, dkr, ecr, region) = (labels.next()?, labels.next()?, labels.next()?, labels.next()?);
        let name = path.split(['@', ':']).next().filter(|name| !name.is_empty())?;
        let is_ecr =
            arn::is_account(account) && dkr == "dkr" && ecr.starts_with("ecr") && labels.next() == Some("amazonaws");
        is_ecr.then(|| Self { account: account.to_owned(), region: region.to_owned(), name: name.to_owned() })
    }
}
