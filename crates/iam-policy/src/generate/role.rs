//! The permissions of the execution role. A new verb adds its lines here.

use super::Feature::{Bootstrap, Cleanup, Deploy, Doctor, Image, Logs, Monitor, Run};
use super::grants::Block;
use super::{Repository, Settings, analyzer};

const PIPELINES: Option<&str> = Some("SageMaker Pipelines calls it, as the role, for a step");
const JOB: Option<&str> = Some("SageMaker calls it, as the role, for a job");
const UPLOAD: Option<&str> = Some("ECR checks it where a layer is sent, in parts or whole");
const TAGGED: Option<&str> = Some("ECR asks for it where a repository is created with tags");
const MULTIPART: Option<&str> = Some("SageMaker uploads large artefacts of a job in parts");

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
            ("s3:DeleteObject", Cleanup, None),
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
            ("sagemaker:DeletePipeline", Cleanup, None),
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
        actions: &[("iam:PassRole", Run, None)],
    },
    Block {
        sid: "Training",
        resources: |s| sagemaker(s, &["training-job", "processing-job"]),
        condition: |_| None,
        actions: &[
            ("sagemaker:CreateTrainingJob", Run, None),
            ("sagemaker:DescribeTrainingJob", Run, None),
            ("sagemaker:StopTrainingJob", Run, PIPELINES),
            ("sagemaker:CreateProcessingJob", Run, None),
            ("sagemaker:DescribeProcessingJob", Run, None),
            ("sagemaker:StopProcessingJob", Run, None),
            ("sagemaker:AddTags", Run, None),
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
            ("sagemaker:DeleteModelPackageGroup", Cleanup, None),
            ("sagemaker:CreateModelPackage", Run, None),
            ("sagemaker:DescribeModelPackage", Run, None),
            ("sagemaker:DeleteModelPackage", Cleanup, None),
            ("sagemaker:ListModelPackages", Deploy, None),
            ("sagemaker:CreateModel", Deploy, None),
            ("sagemaker:DescribeModel", Deploy, None),
            ("sagemaker:DeleteModel", Cleanup, None),
            ("sagemaker:CreateEndpointConfig", Deploy, None),
            ("sagemaker:DescribeEndpointConfig", Deploy, None),
            ("sagemaker:DeleteEndpointConfig", Cleanup, None),
            ("sagemaker:CreateEndpoint", Deploy, None),
            ("sagemaker:DescribeEndpoint", Deploy, None),
            ("sagemaker:UpdateEndpoint", Deploy, None),
            ("sagemaker:DeleteEndpoint", Cleanup, None),
            ("sagemaker:InvokeEndpoint", Deploy, None),
            ("sagemaker:AddTags", Bootstrap, None),
            ("sagemaker:ListTags", Bootstrap, None),
        ],
    },
    Block {
        sid: "Monitoring",
        resources: |s| sagemaker(s, &["model-quality-job-definition", "monitoring-schedule"]),
        condition: |_| None,
        actions: &[
            ("sagemaker:CreateModelQualityJobDefinition", Monitor, None),
            ("sagemaker:DescribeModelQualityJobDefinition", Monitor, None),
            ("sagemaker:DeleteModelQualityJobDefinition", Cleanup, None),
            ("sagemaker:CreateMonitoringSchedule", Monitor, None),
            ("sagemaker:DescribeMonitoringSchedule", Monitor, None),
            ("sagemaker:UpdateMonitoringSchedule", Monitor, None),
            ("sagemaker:StartMonitoringSchedule", Monitor, None),
            ("sagemaker:StopMonitoringSchedule", Monitor, None),
            ("sagemaker:DeleteMonitoringSchedule", Cleanup, None),
            ("sagemaker:AddTags", Monitor, None),
        ],
    },
    Block {
        sid: "ListsAndMetrics",
        // None of these has a resource that could be named.
        resources: |_| vec!["*".to_owned()],
        condition: |_| None,
        actions: &[
            ("sagemaker:ListTrainingJobs", Doctor, None),
            ("sagemaker:ListProcessingJobs", Doctor, None),
            ("sagemaker:ListEndpoints", Doctor, None),
            ("sagemaker:ListEndpointConfigs", Doctor, None),
            ("sagemaker:ListModels", Cleanup, None),
            ("sagemaker:ListMonitoringSchedules", Monitor, None),
            ("sagemaker:ListMonitoringExecutions", Monitor, None),
            ("sagemaker:ListModelQualityJobDefinitions", Monitor, None),
            ("cloudwatch:PutMetricData", Run, None),
            ("ecr:GetAuthorizationToken", Run, None),
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
            ("logs:CreateLogGroup", Run, None),
            ("logs:CreateLogStream", Run, None),
            ("logs:PutLogEvents", Run, None),
            ("logs:DescribeLogStreams", Logs, None),
            ("logs:GetLogEvents", Logs, None),
        ],
    },
    Block {
        sid: "PullImage",
        resources: images,
        condition: |_| None,
        actions: &[
            ("ecr:BatchCheckLayerAvailability", Run, None),
            ("ecr:GetDownloadUrlForLayer", Run, None),
            ("ecr:BatchGetImage", Run, None),
        ],
    },
    Block {
        sid: "PushImage",
        resources: |s| own_image(s).into_iter().collect(),
        condition: |_| None,
        actions: &[
            ("ecr:CreateRepository", Image, None),
            ("ecr:TagResource", Image, TAGGED),
            ("ecr:DescribeRepositories", Image, None),
            ("ecr:ListTagsForResource", Image, None),
            ("ecr:InitiateLayerUpload", Image, None),
            ("ecr:UploadLayerPart", Image, UPLOAD),
            ("ecr:CompleteLayerUpload", Image, None),
            ("ecr:PutImage", Image, None),
            ("ecr:DeleteRepository", Cleanup, None),
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

/// The repository of the image, if it is our account's to push to.
fn own_image(settings: &Settings) -> Option<String> {
    let Repository { account, region, name } = &settings.image;
    (*account == settings.account).then(|| repository(settings, account, region, name))
}

fn repository(settings: &Settings, account: &str, region: &str, name: &str) -> String {
    format!("arn:{}:ecr:{region}:{account}:repository/{name}", settings.partition)
}

/// Our image, and AWS's own that monitor, where there are any.
fn images(settings: &Settings) -> Vec<String> {
    let arn = |account: &str, region: &str, name: &str| repository(settings, account, region, name);
    let ours = arn(&settings.image.account, &settings.image.region, &settings.image.name);
    let of_aws = analyzer::account(&settings.region)
        .into_iter()
        .flat_map(|account| analyzer::REPOSITORIES.map(|repository| arn(account, &settings.region, repository)));
    std::iter::once(ours).chain(of_aws).collect()
}
