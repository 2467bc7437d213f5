//! What the execution role must be able to do, request by request: what AWS asks of the policies when the verbs run.
//!
//! A policy of somebody else's making is judged by these, not by whether it looks like ours.

use serde::Serialize;

use super::{
    Feature, Settings,
    grants::{self, Block},
    role,
};
use crate::{arn, document::Statement};

/// One request that must be allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Need {
    /// The statement of our policy that allows it.
    pub sid: &'static str,
    /// The action.
    pub action: &'static str,
    /// What it is for.
    pub feature: Feature,
    /// The part of AWS that it is about.
    pub area: Area,
    /// An ARN as the action will meet it, or `*` for an action that is about no resource.
    pub resource: String,
    /// The condition keys that the request will have because of what is done, not of who does it.
    pub context: Vec<(&'static str, String)>,
}

/// A part of AWS: what somebody gives a role permissions for in one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Area {
    /// The bucket and its objects.
    S3,
    /// The pipeline, and its processing and training jobs.
    Training,
    /// The role, handed to SageMaker.
    PassRole,
    /// The container images.
    Images,
    /// Packages, models, endpoints.
    Deployment,
    /// The quality of what endpoints answer, and schedules.
    Monitoring,
    /// CloudWatch: logs and metrics.
    Logs,
    /// The key that encrypts.
    Encryption,
}

impl Area {
    /// All of them, in the order in which they are needed.
    pub const ALL: [Area; 8] = [
        Area::S3,
        Area::Training,
        Area::PassRole,
        Area::Images,
        Area::Deployment,
        Area::Monitoring,
        Area::Logs,
        Area::Encryption,
    ];
}

impl Settings {
    /// What the features need, in the order of the policy: each action with every kind of resource that it is about.
    #[must_use]
    pub fn needs(&self, features: &[Feature]) -> Vec<Need> {
        let mut needs = Vec::new();
        for Block { sid, resources, condition, actions } in role::BLOCKS {
            let resources = resources(self);
            let context: Vec<_> = condition(self).map(|(key, value)| (key, value.to_owned())).into_iter().collect();
            for &(action, feature, _) in actions.iter().filter(|(_, feature, _)| features.contains(feature)) {
                let mut asked: Vec<String> = Vec::new();
                for pattern in resources.iter().filter(|pattern| is_about(action, pattern)) {
                    let resource = self.meet(pattern);
                    if !asked.contains(&resource) {
                        asked.push(resource);
                    }
                }
                needs.extend(asked.into_iter().map(|resource| Need {
                    sid,
                    action,
                    feature,
                    area: area(action, &resource),
                    resource,
                    context: context.clone(),
                }));
            }
        }
        needs
    }

    /// The statements of the role's policy that allow these needs, and only these.
    #[must_use]
    pub fn allowing<'n>(&self, needs: impl IntoIterator<Item = &'n Need>) -> Vec<Statement> {
        let needs: Vec<_> = needs.into_iter().collect();
        let is_needed = |grant: &grants::Grant| needs.iter().any(|it| (it.sid, it.action) == (grant.sid, grant.action));
        grants::statements(role::BLOCKS, self, is_needed)
    }

    /// An ARN that the pattern means, by a name that it will really have. SageMaker writes names in ARNs in lower case.
    fn meet(&self, pattern: &str) -> String {
        let name = match resource_type(pattern) {
            "training-job" | "processing-job" => "pipelines-0123456789ab-step-0123456789".to_owned(),
            "pipeline" => return pattern.to_lowercase(),
            "pipeline-execution" => return pattern.to_lowercase().replace('*', "0123456789ab"),
            "model-package-group" => self.package_group.to_lowercase(),
            "model-package" => format!("{}/1", self.package_group.to_lowercase()),
            "endpoint" => format!("{}-endpoint", self.prefix),
            "model-quality-job-definition" | "monitoring-schedule" => format!("{}-model-quality", self.prefix),
            "log-group" | "log-stream" => {
                return pattern.replacen('*', "ProcessingJobs", 1).replace('*', "step/algo-1");
            }
            "object" => format!("{}/input/pairs.tsv", self.prefix),
            _ => format!("{}-1-01234567", self.prefix),
        };
        if pattern == "*" { pattern.to_owned() } else { pattern.replace('*', &name) }
    }
}

/// What kind of thing an ARN is about, as the Service Authorization Reference calls it.
fn resource_type(resource: &str) -> &str {
    let Some(fields) = arn::split(resource) else { return "" };
    let name = fields[5];
    match fields[2] {
        "s3" if name.contains('/') => "object",
        "s3" => "bucket",
        "logs" if name.contains(":log-stream:") => "log-stream",
        "logs" => "log-group",
        _ if name.starts_with("pipeline/") && name.contains("/execution/") => "pipeline-execution",
        _ => name.split('/').next().unwrap_or_default(),
    }
}

/// Whether an action is asked for on such a resource. Most actions of SageMaker say by their name what they are about.
fn is_about(action: &str, resource: &str) -> bool {
    let (service, name) = action.split_once(':').unwrap_or_default();
    let kind = resource_type(resource);
    match (service, name) {
        _ if resource == "*" => true,
        ("sagemaker", "AddTags" | "ListTags") => kind != "pipeline-execution",
        // The endpoint's new configuration is looked at too.
        ("sagemaker", "CreateEndpoint" | "UpdateEndpoint") => matches!(kind, "endpoint" | "endpoint-config"),
        ("sagemaker", "StartPipelineExecution" | "ListPipelineExecutions" | "ListPipelineVersions") => {
            kind == "pipeline"
        }
        ("sagemaker", name) if name.starts_with("ListPipeline") || name.ends_with("ForExecution") => {
            kind == "pipeline-execution"
        }
        ("sagemaker", name) => noun(name).trim_end_matches('s') == kind,
        ("logs", "CreateLogStream" | "PutLogEvents" | "GetLogEvents") => kind == "log-stream",
        ("logs", _) => kind == "log-group",
        _ => true,
    }
}

/// `CreateModelPackageGroup` is about a `model-package-group`.
fn noun(action: &str) -> String {
    let mut words = action.char_indices().filter(|(_, letter)| letter.is_uppercase()).map(|(at, _)| at);
    let after_verb = words.nth(1).unwrap_or(action.len());
    let mut noun = String::new();
    for letter in action[after_verb..].chars() {
        if letter.is_uppercase() && !noun.is_empty() {
            noun.push('-');
        }
        noun.push(letter.to_ascii_lowercase());
    }
    noun
}

fn area(action: &str, resource: &str) -> Area {
    let (service, name) = action.split_once(':').unwrap_or_default();
    let noun = if resource == "*" { noun(name) } else { resource_type(resource).to_owned() };
    match service {
        "s3" => Area::S3,
        "iam" => Area::PassRole,
        "ecr" => Area::Images,
        "logs" | "cloudwatch" => Area::Logs,
        "kms" => Area::Encryption,
        _ if noun.starts_with("monitoring") || noun.contains("quality") => Area::Monitoring,
        _ if noun.starts_with("model") || noun.starts_with("endpoint") => Area::Deployment,
        _ => Area::Training,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::{Simulation, simulate};
    use crate::{Attached, Caller, Context, Outcome, Policies};

    fn settings() -> Settings {
        Settings::new("111122223333", "eu-west-1", "arn:aws:iam::111122223333:user/ann", "sts-execution")
    }

    #[test]
    fn our_own_policy_allows_all_that_is_needed() {
        let settings = settings();
        let role = settings.documents(&Feature::ALL).role;
        let policies = Policies { identity: vec![Attached::new("role", role)], ..Policies::default() };
        for need in settings.needs(&Feature::ALL) {
            let mut context = Context::new();
            for (key, value) in &need.context {
                context.set(key, [value]);
            }
            // By the simulator: what AWS's own repository lets in is not ours to say.
            let simulation = Simulation {
                caller: Caller::role(settings.role_arn()),
                policies: policies.clone(),
                actions: vec![need.action.to_owned()],
                resources: vec![need.resource.clone()],
                resource_owner: None,
                context,
            };
            assert_eq!(simulate(&simulation).unwrap()[0].eval_decision, Outcome::Allowed, "{need:?}");
        }
    }

    #[test]
    fn every_permission_is_needed_for_something() {
        let needs = settings().needs(&Feature::ALL);
        for grant in grants::grants().filter(|grant| grant.sid != "Key") {
            assert!(needs.iter().any(|need| need.sid == grant.sid && need.action == grant.action), "{grant:?}");
        }
    }

    #[test]
    fn an_action_is_asked_for_on_what_it_is_about() {
        let needs = settings().needs(&Feature::ALL);
        let check = |sid: &str, action: &str, area: Area, expected: &[&str]| {
            let found = needs.iter().filter(|need| (need.sid, need.action) == (sid, action));
            let found: Vec<_> = found.inspect(|need| assert_eq!(need.area, area, "{need:?}")).collect();
            let found: Vec<_> = found.iter().map(|need| need.resource.splitn(6, ':').last().unwrap()).collect();
            assert_eq!(found, expected, "{action}");
        };
        check("Bucket", "s3:ListBucket", Area::S3, &["sagemaker-eu-west-1-111122223333"]);
        check("Objects", "s3:PutObject", Area::S3, &["sagemaker-eu-west-1-111122223333/sts/input/pairs.tsv"]);
        check("Pipeline", "sagemaker:StartPipelineExecution", Area::Training, &["pipeline/stspipeline"]);
        let execution = ["pipeline/stspipeline/execution/0123456789ab"];
        check("Pipeline", "sagemaker:StopPipelineExecution", Area::Training, &execution);
        check("Pipeline", "sagemaker:ListPipelineExecutionSteps", Area::Training, &execution);
        check("Pipeline", "sagemaker:DescribePipelineDefinitionForExecution", Area::Training, &execution);
        check("Pipeline", "sagemaker:AddTags", Area::Training, &["pipeline/stspipeline"]);
        check("Deployment", "sagemaker:CreateModelPackage", Area::Deployment, &["model-package/stspackagegroup/1"]);
        check("Deployment", "sagemaker:ListModelPackages", Area::Deployment, &["model-package/stspackagegroup/1"]);
        let endpoint = ["endpoint-config/sts-1-01234567", "endpoint/sts-endpoint"];
        check("Deployment", "sagemaker:UpdateEndpoint", Area::Deployment, &endpoint);
        check("Deployment", "sagemaker:InvokeEndpoint", Area::Deployment, &endpoint[1..]);
        let schedule = ["monitoring-schedule/sts-model-quality"];
        check("Monitoring", "sagemaker:StopMonitoringSchedule", Area::Monitoring, &schedule);
        check("ListsAndMetrics", "sagemaker:ListModelQualityJobDefinitions", Area::Monitoring, &["*"]);
        check("ListsAndMetrics", "sagemaker:ListEndpoints", Area::Deployment, &["*"]);
        check("ListsAndMetrics", "sagemaker:ListProcessingJobs", Area::Training, &["*"]);
        let stream = ["log-group:/aws/sagemaker/ProcessingJobs:log-stream:step/algo-1"];
        check("Logs", "logs:PutLogEvents", Area::Logs, &stream);
        check("Logs", "logs:CreateLogGroup", Area::Logs, &["log-group:/aws/sagemaker/ProcessingJobs"]);
        check("PassItselfToSageMaker", "iam:PassRole", Area::PassRole, &["role/sts-execution"]);
    }

    #[test]
    fn what_is_missing_is_allowed_by_the_statements_of_our_policy() {
        let settings = settings();
        let needs = settings.needs(&[Feature::Logs]);
        let statements = settings.allowing(&needs);
        assert_eq!(statements.len(), 1);
        assert_eq!(statements[0].actions.patterns, ["logs:DescribeLogStreams", "logs:GetLogEvents"]);
        assert!(settings.allowing(&[]).is_empty());
    }
}
