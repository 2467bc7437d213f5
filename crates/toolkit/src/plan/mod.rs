//! The plan: what will be done, in order, each with its reason.
//!
//! Observing makes it, `--dry` prints it, [`crate::execute`] executes that same value. Nothing mutates AWS in any other
//! way.

mod monitoring;
mod serving;

use std::fmt;

use serde::Serialize;

pub use monitoring::{NewBaselineJob, NewQualityDefinition, NewSchedule, Resources, When};
pub use serving::{Capture, NewEndpoint, NewEndpointConfig, NewModel};

/// An ordered list of actions. The order is that of execution.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// What will be done, or left alone.
    pub actions: Vec<Action>,
}

/// One thing and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Action {
    /// What becomes of it.
    pub verdict: Verdict,
    /// The kind of thing, in AWS's words: `bucket`, `pipeline`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Why.
    pub because: String,
    /// The calls that do it, in order; none when it is left alone.
    pub operations: Vec<Operation>,
}

/// What becomes of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is not there, and will be made.
    Create,
    /// It is there, and will be changed.
    Update,
    /// It is there, and will be removed.
    Delete,
    /// It is there, and stays as it is.
    Keep,
    /// An execution will be started.
    Start,
    /// An execution will be stopped.
    Stop,
    /// What failed in an execution will run again.
    Retry,
    /// It has to be there before anything is done, and is not; another verb makes it.
    Missing,
    /// It could not be looked at: what would become of it is not known.
    Unknown,
}

/// A call that changes something, with all that it sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "call")]
#[allow(missing_docs, reason = "the members are those of the AWS calls that the variants are named after")]
pub enum Operation {
    #[serde(rename = "s3:CreateBucket")]
    CreateBucket { bucket: String, region: String },
    #[serde(rename = "s3:PutBucketTagging")]
    TagBucket { bucket: String, tags: Vec<Tag> },
    #[serde(rename = "s3:PutPublicAccessBlock")]
    BlockPublicAccess { bucket: String },
    #[serde(rename = "s3:PutBucketEncryption")]
    EncryptBucket { bucket: String, kms_key: Option<String> },
    #[serde(rename = "s3:PutBucketPolicy")]
    PutBucketPolicy { bucket: String, policy: String },
    #[serde(rename = "s3:PutObject")]
    PutObject {
        bucket: String,
        key: String,
        bytes: usize,
        #[serde(skip)]
        content: Content,
    },
    #[serde(rename = "s3:DeleteObject")]
    DeleteObject { bucket: String, key: String },
    #[serde(rename = "sagemaker:CreateModelPackageGroup")]
    CreateModelPackageGroup { name: String, description: String, tags: Vec<Tag> },
    #[serde(rename = "sagemaker:CreatePipeline")]
    CreatePipeline { name: String, description: String, definition: String, role: String, tags: Vec<Tag> },
    #[serde(rename = "sagemaker:UpdatePipeline")]
    UpdatePipeline { name: String, definition: String, role: String },
    #[serde(rename = "sagemaker:AddTags")]
    AddTags { arn: String, tags: Vec<Tag> },
    #[serde(rename = "sagemaker:StartPipelineExecution")]
    StartPipelineExecution {
        pipeline: String,
        parameters: Vec<Parameter>,
        #[serde(skip_serializing_if = "Option::is_none")]
        selective: Option<Selective>,
    },
    #[serde(rename = "sagemaker:StopPipelineExecution")]
    StopPipelineExecution { execution: String },
    #[serde(rename = "sagemaker:RetryPipelineExecution")]
    RetryPipelineExecution { execution: String },
    #[serde(rename = "sagemaker:CreateModel")]
    CreateModel(NewModel),
    #[serde(rename = "sagemaker:CreateEndpointConfig")]
    CreateEndpointConfig(NewEndpointConfig),
    #[serde(rename = "sagemaker:CreateEndpoint")]
    CreateEndpoint(NewEndpoint),
    #[serde(rename = "sagemaker:UpdateEndpoint")]
    UpdateEndpoint(NewEndpoint),
    #[serde(rename = "sagemaker:DeleteEndpoint")]
    DeleteEndpoint { name: String },
    #[serde(rename = "sagemaker:DeleteEndpointConfig")]
    DeleteEndpointConfig { name: String },
    #[serde(rename = "sagemaker:DeleteModel")]
    DeleteModel { name: String },
    #[serde(rename = "sagemaker:CreateProcessingJob")]
    CreateBaselineJob(NewBaselineJob),
    #[serde(rename = "sagemaker:CreateModelQualityJobDefinition")]
    CreateQualityDefinition(NewQualityDefinition),
    #[serde(rename = "sagemaker:CreateMonitoringSchedule")]
    CreateSchedule(NewSchedule),
    #[serde(rename = "sagemaker:UpdateMonitoringSchedule")]
    UpdateSchedule(NewSchedule),
    #[serde(rename = "sagemaker:StartMonitoringSchedule")]
    StartSchedule { name: String },
    #[serde(rename = "sagemaker:StopMonitoringSchedule")]
    StopSchedule { name: String },
    #[serde(rename = "sagemaker:DeleteMonitoringSchedule")]
    DeleteSchedule { name: String },
    #[serde(rename = "sagemaker:DeleteModelQualityJobDefinition")]
    DeleteQualityDefinition { name: String },
    #[serde(rename = "sagemaker:DeleteModelPackage")]
    DeleteModelPackage { arn: String },
    #[serde(rename = "sagemaker:DeleteModelPackageGroup")]
    DeleteModelPackageGroup { name: String },
    #[serde(rename = "sagemaker:DeletePipeline")]
    DeletePipeline { name: String },
    #[serde(rename = "ecr:CreateRepository")]
    CreateRepository { name: String, tags: Vec<Tag> },
    #[serde(rename = "ecr:DeleteRepository")]
    DeleteRepository { name: String },
    /// By the protocol of registries, which knows no actions of IAM's.
    #[serde(rename = "registry:PushBlob")]
    PushBlob {
        digest: String,
        bytes: usize,
        #[serde(skip)]
        content: Content,
    },
    /// By the protocol of registries: the image has its tag then.
    #[serde(rename = "registry:PutManifest")]
    PutManifest {
        tag: String,
        digest: String,
        media_type: &'static str,
        #[serde(skip)]
        content: Content,
    },
}

/// The content of an object or a blob to be put.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Content(pub Vec<u8>);

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// A tag of an AWS resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Tag {
    /// 1 to 128 characters.
    pub key: String,
    /// At most 256 characters.
    pub value: String,
}

/// A parameter of an execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Its name in the definition.
    pub name: String,
    /// Its value, as text: SageMaker converts it to the parameter's type.
    pub value: String,
}

/// Which steps an execution runs, when not all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Selective {
    /// The steps that run.
    pub steps: Vec<String>,
    /// The ARN of the execution that stands in for what they wait for, if they wait for any other step.
    pub source: Option<String>,
}

impl Operation {
    /// The call, as IAM writes it: `sagemaker:CreatePipeline`.
    #[must_use]
    pub fn call(&self) -> &'static str {
        match self {
            Self::CreateBucket { .. } => "s3:CreateBucket",
            Self::TagBucket { .. } => "s3:PutBucketTagging",
            Self::BlockPublicAccess { .. } => "s3:PutPublicAccessBlock",
            Self::EncryptBucket { .. } => "s3:PutBucketEncryption",
            Self::PutBucketPolicy { .. } => "s3:PutBucketPolicy",
            Self::PutObject { .. } => "s3:PutObject",
            Self::DeleteObject { .. } => "s3:DeleteObject",
            Self::CreateModelPackageGroup { .. } => "sagemaker:CreateModelPackageGroup",
            Self::CreatePipeline { .. } => "sagemaker:CreatePipeline",
            Self::UpdatePipeline { .. } => "sagemaker:UpdatePipeline",
            Self::AddTags { .. } => "sagemaker:AddTags",
            Self::StartPipelineExecution { .. } => "sagemaker:StartPipelineExecution",
            Self::StopPipelineExecution { .. } => "sagemaker:StopPipelineExecution",
            Self::RetryPipelineExecution { .. } => "sagemaker:RetryPipelineExecution",
            Self::CreateModel(_) => "sagemaker:CreateModel",
            Self::CreateEndpointConfig(_) => "sagemaker:CreateEndpointConfig",
            Self::CreateEndpoint(_) => "sagemaker:CreateEndpoint",
            Self::UpdateEndpoint(_) => "sagemaker:UpdateEndpoint",
            Self::DeleteEndpoint { .. } => "sagemaker:DeleteEndpoint",
            Self::DeleteEndpointConfig { .. } => "sagemaker:DeleteEndpointConfig",
            Self::DeleteModel { .. } => "sagemaker:DeleteModel",
            Self::CreateBaselineJob(_) => "sagemaker:CreateProcessingJob",
            Self::CreateQualityDefinition(_) => "sagemaker:CreateModelQualityJobDefinition",
            Self::CreateSchedule(_) => "sagemaker:CreateMonitoringSchedule",
            Self::UpdateSchedule(_) => "sagemaker:UpdateMonitoringSchedule",
            Self::StartSchedule { .. } => "sagemaker:StartMonitoringSchedule",
            Self::StopSchedule { .. } => "sagemaker:StopMonitoringSchedule",
            Self::DeleteSchedule { .. } => "sagemaker:DeleteMonitoringSchedule",
            Self::DeleteQualityDefinition { .. } => "sagemaker:DeleteModelQualityJobDefinition",
            Self::DeleteModelPackage { .. } => "sagemaker:DeleteModelPackage",
            Self::DeleteModelPackageGroup { .. } => "sagemaker:DeleteModelPackageGroup",
            Self::DeletePipeline { .. } => "sagemaker:DeletePipeline",
            Self::CreateRepository { .. } => "ecr:CreateRepository",
            Self::DeleteRepository { .. } => "ecr:DeleteRepository",
            Self::PushBlob { .. } => "registry:PushBlob",
            Self::PutManifest { .. } => "registry:PutManifest",
        }
    }
}

impl Action {
    /// Something that stays as it is.
    pub fn keep(kind: &'static str, name: impl Into<String>, because: impl Into<String>) -> Self {
        Self::new(Verdict::Keep, kind, name, because, Vec::new())
    }

    /// Something that becomes `verdict` by these calls.
    pub fn new(
        verdict: Verdict,
        kind: &'static str,
        name: impl Into<String>,
        because: impl Into<String>,
        operations: Vec<Operation>,
    ) -> Self {
        Self { verdict, kind, name: name.into(), because: because.into(), operations }
    }
}

impl Plan {
    /// Whether executing it would change anything.
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        self.actions.iter().all(|action| action.operations.is_empty())
    }

    /// Whether something could not be looked at.
    #[must_use]
    pub fn has_unknowns(&self) -> bool {
        self.actions.iter().any(|action| action.verdict == Verdict::Unknown)
    }

    /// Every call that executing it makes, in order.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.actions.iter().flat_map(|action| &action.operations)
    }
}

impl Verdict {
    /// The word for it in a plan.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Keep => "keep",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Retry => "retry",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.actions.iter().map(|action| action.kind.len()).max().unwrap_or(0);
        for action in &self.actions {
            writeln!(f, "{:<7} {:<width$}  {}", action.verdict.word(), action.kind, action.name)?;
            writeln!(f, "        {:<width$}  {}", "", action.because)?;
            if !action.operations.is_empty() {
                let calls: Vec<_> = action.operations.iter().map(Operation::call).collect();
                for line in wrapped(&calls, 68_usize.saturating_sub(width)) {
                    writeln!(f, "        {:<width$}  -> {line}", "")?;
                }
            }
        }
        Ok(())
    }
}

/// The words in lines of at most `width` characters, separated by commas.
fn wrapped(words: &[&str], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.len() + 2 + word.len() <= width => {
                line.push_str(", ");
                line.push_str(word);
            }
            _ => lines.push((*word).to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let bucket = "sagemaker-eu-west-1-111122223333".to_owned();
        Plan {
            actions: vec![
                Action::new(
                    Verdict::Create,
                    "bucket",
                    bucket.clone(),
                    "there is none",
                    vec![
                        Operation::CreateBucket { bucket: bucket.clone(), region: "eu-west-1".into() },
                        Operation::TagBucket { bucket: bucket.clone(), tags: vec![] },
                        Operation::BlockPublicAccess { bucket },
                    ],
                ),
                Action::keep("package group", "stsPackageGroup", "it is there"),
            ],
        }
    }

    #[test]
    fn reads_well() {
        let text = "\
create  bucket         sagemaker-eu-west-1-111122223333
                       there is none
                       -> s3:CreateBucket, s3:PutBucketTagging
                       -> s3:PutPublicAccessBlock
keep    package group  stsPackageGroup
                       it is there
";
        assert_eq!(plan().to_string(), text);
    }

    #[test]
    fn every_call_is_named_alike_in_text_and_json() {
        for operation in plan().operations() {
            assert_eq!(serde_json::to_value(operation).unwrap()["call"], operation.call());
        }
    }

    #[test]
    fn knows_what_it_changes() {
        let mut plan = plan();
        assert!(!plan.changes_nothing());
        plan.actions.remove(0);
        assert!(plan.changes_nothing());
        assert!(!plan.has_unknowns());
    }
}
