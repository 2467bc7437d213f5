//! The forms of ARNs, from the Service Authorization Reference: those of the resources that pipelines have to do with.

use crate::arn;

/// The service, what the last field begins with, what stands in it besides (empty: anything), and the form. The first that
/// fits counts.
const TEMPLATES: [(&str, &str, &str, &str); 21] = [
    ("s3", "", "/", "arn:${Partition}:s3:::${BucketName}/${KeyName}"),
    ("s3", "", "", "arn:${Partition}:s3:::${BucketName}"),
    ("iam", "role/", "", "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}"),
    ("iam", "user/", "", "arn:${Partition}:iam::${Account}:user/${UserNameWithPath}"),
    ("ecr", "repository/", "", "arn:${Partition}:ecr:${Region}:${Account}:repository/${RepositoryName}"),
    ("kms", "key/", "", "arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}"),
    (
        "logs",
        "log-group:",
        ":log-stream:",
        "arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}:log-stream:${LogStreamName}",
    ),
    ("logs", "log-group:", "", "arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}"),
    ("cloudwatch", "alarm:", "", "arn:${Partition}:cloudwatch:${Region}:${Account}:alarm:${AlarmName}"),
    (
        "sagemaker",
        "pipeline/",
        "/execution/",
        "arn:${Partition}:sagemaker:${Region}:${Account}:pipeline/${PipelineName}/execution/${RandomString}",
    ),
    ("sagemaker", "pipeline/", "", "arn:${Partition}:sagemaker:${Region}:${Account}:pipeline/${PipelineName}"),
    (
        "sagemaker",
        "training-job/",
        "",
        "arn:${Partition}:sagemaker:${Region}:${Account}:training-job/${TrainingJobName}",
    ),
    (
        "sagemaker",
        "processing-job/",
        "",
        "arn:${Partition}:sagemaker:${Region}:${Account}:processing-job/${ProcessingJobName}",
    ),
    (
        "sagemaker",
        "transform-job/",
        "",
        "arn:${Partition}:sagemaker:${Region}:${Account}:transform-job/${TransformJobName}",
    ),
    ("sagemaker", "model/", "", "arn:${Partition}:sagemaker:${Region}:${Account}:model/${ModelName}"),
    (
        "sagemaker",
        "model-package/",
        "",
        "arn:${Partition}:sagemaker:${Region}:${Account}:model-package/${ModelPackageName}",
    ),
    (
        "sagemaker",
        "model-package-group/",
        "",
        "arn:${Partition}:sagemaker:${Region}:${Account}:model-package-group/${ModelPackageGroupName}",
    ),
    ("sagemaker", "endpoint/", "", "arn:${Partition}:sagemaker:${Region}:${Account}:endpoint/${EndpointName}"),
    (
        "sagemaker",
        "endpoint-config/",
        "",
        "arn:${Partition}:sagemaker:${Region}:${Account}:endpoint-config/${EndpointConfigName}",
    ),
    (
        "sagemaker",
        "model-quality-job-definition/",
        "",
        "arn:${Partition}:sagemaker:${Region}:${Account}:model-quality-job-definition/${ModelQualityJobDefinitionName}",
    ),
    (
        "sagemaker",
        "monitoring-schedule/",
        "",
        "arn:${Partition}:sagemaker:${Region}:${Account}:monitoring-schedule/${MonitoringScheduleName}",
    ),
];

/// The form of a resource's ARN; `*` for what is not in the table.
pub(super) fn of(resource: &str) -> &'static str {
    let Some([_, _, service, _, _, last]) = arn::split(resource) else { return "*" };
    let fits = |(of, start, with, _): &&(&str, &str, &str, &str)| {
        *of == service && last.strip_prefix(start).is_some_and(|rest| rest.contains(with))
    };
    TEMPLATES.iter().find(fits).map_or("*", |(.., template)| template)
}
