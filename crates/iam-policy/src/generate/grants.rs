//! The table of all permissions of the execution role: what each is for, and why it is there if no call of our own needs
//! it. A new verb adds its lines here.

use serde::Serialize;

use super::{
    Feature::{self, Bootstrap, Cleanup, Deploy, Doctor, Logs, Monitor, Run},
    Settings, analyzer,
};
use crate::document::Statement;

/// One permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// The statement that it stands in.
    pub sid: &'static str,
    /// The action.
    pub action: &'static str,
    /// What it is for.
    pub feature: Feature,
    /// Why it is there, if no call of the toolkit's own is tested that needs it.
    pub reason: Option<&'static str>,
}

/// A statement of the role's policy: on what, under which condition, and which actions.
pub(super) struct Block {
    pub(super) sid: &'static str,
    pub(super) resources: fn(&Settings) -> Vec<String>,
    /// A key of the request, and the value that it must have.
    pub(super) condition: fn(&Settings) -> Option<(&'static str, &str)>,
    /// Each with what it is for, and why it is there if no call of our own is tested that needs it.
    pub(super) actions: &'static [(&'static str, Feature, Option<&'static str>)],
}

/// All permissions, in the order of the policy.
pub fn grants() -> impl Iterator<Item = Grant> {
    BLOCKS.iter().flat_map(Block::grants)
}

impl Block {
    fn grants(&self) -> impl Iterator<Item = Grant> {
        self.actions.iter().map(|&(action, feature, reason)| Grant { sid: self.sid, action, feature, reason })
    }
}

/// The statements that the features need; those about nothing are left out.
pub(super) fn statements(settings: &Settings, features: &[Feature]) -> Vec<Statement> {
    matching(settings, |grant| features.contains(&grant.feature))
}

/// The statements with the permissions that are wanted; those about nothing are left out.
pub(super) fn matching(settings: &Settings, wanted: impl Fn(&Grant) -> bool) -> Vec<Statement> {
    let mut statements = Vec::new();
    for block @ Block { sid, resources, condition, .. } in BLOCKS {
        let actions: Vec<_> = block.grants().filter(&wanted).map(|grant| grant.action).collect();
        let resources = resources(settings);
        if actions.is_empty() || resources.is_empty() {
            continue;
        }
        let statement = Statement::allow(actions).named(*sid).on(resources);
        statements.push(match condition(settings) {
            Some((key, value)) => statement.if_equals(key, value),
            None => statement,
        });
    }
    statements
}

const PIPELINES: Option<&str> = Some("SageMaker Pipelines calls it, as the role, for a step");
const TAGS: Option<&str> = Some("SageMaker checks it where something is created with tags");
const JOB: Option<&str> = Some("SageMaker calls it, as the role, for a job");
const MULTIPART: Option<&str> = Some("SageMaker uploads large artefacts of a job in parts");
const LATER: Option<&str> = Some("the verb is to come");

pub(super) const BLOCKS: &[Block] = &[
    Block {
        sid: "Bucket",
        resources: |s| vec![bucket(s)],
        condition: |_| None,
        actions: &[
            ("s3:CreateBucket", Bootstrap, None),
            ("s3:ListBucket", Bootstrap, None),
            ("s3:GetBucketLocation", Run, JOB),
            ("s3:ListBucketMultipartUploads", Run, MULTIPART),
            ("s3:GetBucketTagging", Bootstrap, None),
            ("s3:PutBucketTagging", Bootstrap, None),
            ("s3:GetBucketPublicAccessBlock", Bootstrap, None),
            ("s3:PutBucketPublicAccessBlock", Bootstrap, None),
            ("s3:GetEncryptionConfiguration", Bootstrap, None),
            ("s3:PutEncryptionConfiguration", Bootstrap, None),
            ("s3:GetBucketPolicy", Bootstrap, None),
            ("s3:PutBucketPolicy", Bootstrap, None),
        ],
    },
    Block {
        sid: "Objects",
        resources: |s| vec![format!("{}/*", bucket(s))],
        // A bucket of somebody else under our name is not written to.
        condition: |s| Some(("aws:ResourceAccount", &s.account)),
        actions: &[
            ("s3:GetObject", Run, None),
            ("s3:PutObject", Run, None),
            ("s3:DeleteObject", Cleanup, LATER),
            ("s3:AbortMultipartUpload", Run, MULTIPART),
            ("s3:ListMultipartUploadParts", Run, MULTIPART),
        ],
    },
    Block {
        sid: "Pipeline",
        resources: pipelines,
        condition: |_| None,
        actions: &[
            ("sagemaker:CreatePipeline", Run, None),
            ("sagemaker:UpdatePipeline", Run, None),
            ("sagemaker:DescribePipeline", Run, None),
            ("sagemaker:DeletePipeline", Cleanup, LATER),
            ("sagemaker:StartPipelineExecution", Run, None),
            ("sagemaker:StopPipelineExecution", Run, None),
            ("sagemaker:RetryPipelineExecution", Run, None),
            ("sagemaker:DescribePipelineExecution", Run, None),
            ("sagemaker:DescribePipelineDefinitionForExecution", Run, None),
            ("sagemaker:ListPipelineExecutions", Run, None),
            ("sagemaker:ListPipelineExecutionSteps", Run, None),
            ("sagemaker:ListPipelineParametersForExecution", Run, None),
            ("sagemaker:ListPipelineVersions", Run, None),
            ("sagemaker:AddTags", Run, None),
            ("sagemaker:ListTags", Run, None),
        ],
    },
    Block {
        sid: "PassItselfToSageMaker",
        resources: |s| vec![s.role_arn()],
        condition: |_| Some(("iam:PassedToService", "sagemaker.amazonaws.com")),
        actions: &[("iam:PassRole", Run, Some("IAM checks it where the role is handed to SageMaker"))],
    },
    Block {
        sid: "Training",
        resources: |s| sagemaker(s, &["training-job", "processing-job"]),
        condition: |_| None,
        actions: &[
            ("sagemaker:CreateTrainingJob", Run, PIPELINES),
            ("sagemaker:DescribeTrainingJob", Run, None),
            ("sagemaker:StopTrainingJob", Run, PIPELINES),
            ("sagemaker:CreateProcessingJob", Run, PIPELINES),
            ("sagemaker:DescribeProcessingJob", Run, None),
            ("sagemaker:StopProcessingJob", Run, PIPELINES),
            ("sagemaker:AddTags", Run, TAGS),
            ("sagemaker:ListTags", Run, PIPELINES),
        ],
    },
    Block {
        sid: "Deployment",
        resources: |s| sagemaker(s, &["model-package-group", "model-package", "model", "endpoint-config", "endpoint"]),
        condition: |_| None,
        actions: &[
            ("sagemaker:CreateModelPackageGroup", Bootstrap, None),
            ("sagemaker:DescribeModelPackageGroup", Bootstrap, None),
            ("sagemaker:DeleteModelPackageGroup", Cleanup, LATER),
            ("sagemaker:CreateModelPackage", Run, PIPELINES),
            ("sagemaker:DescribeModelPackage", Run, None),
            ("sagemaker:UpdateModelPackage", Deploy, LATER),
            ("sagemaker:DeleteModelPackage", Cleanup, LATER),
            ("sagemaker:ListModelPackages", Deploy, LATER),
            ("sagemaker:CreateModel", Deploy, LATER),
            ("sagemaker:DescribeModel", Deploy, LATER),
            ("sagemaker:DeleteModel", Cleanup, LATER),
            ("sagemaker:CreateEndpointConfig", Deploy, LATER),
            ("sagemaker:DescribeEndpointConfig", Deploy, LATER),
            ("sagemaker:DeleteEndpointConfig", Cleanup, LATER),
            ("sagemaker:CreateEndpoint", Deploy, LATER),
            ("sagemaker:DescribeEndpoint", Deploy, LATER),
            ("sagemaker:UpdateEndpoint", Deploy, LATER),
            ("sagemaker:DeleteEndpoint", Cleanup, LATER),
            ("sagemaker:InvokeEndpoint", Deploy, LATER),
            ("sagemaker:AddTags", Bootstrap, TAGS),
            ("sagemaker:ListTags", Bootstrap, None),
        ],
    },
    Block {
        sid: "Monitoring",
        resources: |s| sagemaker(s, &["model-quality-job-definition", "monitoring-schedule"]),
        condition: |_| None,
        actions: &[
            ("sagemaker:CreateModelQualityJobDefinition", Monitor, LATER),
            ("sagemaker:DescribeModelQualityJobDefinition", Monitor, LATER),
            ("sagemaker:DeleteModelQualityJobDefinition", Cleanup, LATER),
            ("sagemaker:CreateMonitoringSchedule", Monitor, LATER),
            ("sagemaker:DescribeMonitoringSchedule", Monitor, LATER),
            ("sagemaker:UpdateMonitoringSchedule", Monitor, LATER),
            ("sagemaker:StartMonitoringSchedule", Monitor, LATER),
            ("sagemaker:StopMonitoringSchedule", Monitor, LATER),
            ("sagemaker:DeleteMonitoringSchedule", Cleanup, LATER),
            ("sagemaker:AddTags", Monitor, TAGS),
            ("sagemaker:ListTags", Monitor, LATER),
        ],
    },
    Block {
        sid: "ListsAndMetrics",
        // None of these has a resource that could be named.
        resources: |_| vec!["*".to_owned()],
        condition: |_| None,
        actions: &[
            ("sagemaker:ListTrainingJobs", Doctor, LATER),
            ("sagemaker:ListProcessingJobs", Doctor, LATER),
            ("sagemaker:ListModels", Doctor, LATER),
            ("sagemaker:ListEndpoints", Doctor, LATER),
            ("sagemaker:ListEndpointConfigs", Doctor, LATER),
            ("sagemaker:ListMonitoringSchedules", Monitor, LATER),
            ("sagemaker:ListMonitoringExecutions", Monitor, LATER),
            ("sagemaker:ListModelQualityJobDefinitions", Monitor, LATER),
            ("cloudwatch:PutMetricData", Run, JOB),
            ("cloudwatch:GetMetricData", Monitor, LATER),
            ("cloudwatch:GetMetricStatistics", Monitor, LATER),
            ("cloudwatch:ListMetrics", Monitor, LATER),
            ("logs:DescribeLogGroups", Doctor, LATER),
            ("ecr:GetAuthorizationToken", Run, JOB),
        ],
    },
    Block {
        sid: "Logs",
        resources: |s| {
            let groups = s.arn("logs", "log-group:/aws/sagemaker/*");
            vec![groups.clone(), format!("{groups}:log-stream:*")]
        },
        condition: |_| None,
        actions: &[
            ("logs:CreateLogGroup", Run, JOB),
            ("logs:CreateLogStream", Run, JOB),
            ("logs:PutLogEvents", Run, JOB),
            ("logs:DescribeLogStreams", Logs, None),
            ("logs:GetLogEvents", Logs, None),
            ("logs:FilterLogEvents", Monitor, LATER),
        ],
    },
    Block {
        sid: "PullImage",
        resources: images,
        condition: |_| None,
        actions: &[
            ("ecr:BatchCheckLayerAvailability", Run, JOB),
            ("ecr:GetDownloadUrlForLayer", Run, JOB),
            ("ecr:BatchGetImage", Run, JOB),
        ],
    },
    Block {
        sid: "Key",
        resources: |s| s.kms_key.iter().cloned().collect(),
        condition: |_| None,
        actions: &[
            ("kms:CreateGrant", Run, JOB),
            ("kms:Decrypt", Run, Some("S3 checks it where an encrypted object is read")),
            ("kms:DescribeKey", Run, JOB),
            ("kms:GenerateDataKey", Run, Some("S3 checks it where an object is encrypted")),
        ],
    },
];

fn bucket(settings: &Settings) -> String {
    format!("arn:{}:s3:::{}", settings.partition, settings.bucket)
}

fn sagemaker(settings: &Settings, types: &[&str]) -> Vec<String> {
    types.iter().map(|name| settings.arn("sagemaker", &format!("{name}/*"))).collect()
}

/// SageMaker lower-cases names in some of the ARNs that it checks.
fn pipelines(settings: &Settings) -> Vec<String> {
    let mut names = vec![settings.pipeline.clone(), settings.pipeline.to_lowercase()];
    names.dedup();
    let arns = names.iter().map(|name| settings.arn("sagemaker", &format!("pipeline/{name}")));
    arns.flat_map(|arn| [arn.clone(), format!("{arn}/execution/*")]).collect()
}

/// Our image, and AWS's own that monitors, where there is one.
fn images(settings: &Settings) -> Vec<String> {
    let arn = |account: &str, region: &str, name: &str| {
        format!("arn:{}:ecr:{region}:{account}:repository/{name}", settings.partition)
    };
    let ours = arn(&settings.image.account, &settings.image.region, &settings.image.name);
    let analyzer =
        analyzer::account(&settings.region).map(|account| arn(account, &settings.region, analyzer::REPOSITORY));
    std::iter::once(ours).chain(analyzer).collect()
}
