//! `cargo xtask api-constraints`: makes the tables under `mocks/api/` from AWS's own service models.
//!
//! A step for developers, run when AWS's models have changed; neither builds nor tests need it. The models come with
//! botocore (`pip download botocore`, Apache-2.0). Only facts are taken over: which members a shape has, which are
//! required, of what type, length, range, pattern and set of values. No documentation text.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use serde_json::{Map, Value, json};

use crate::flags::ApiConstraints;

/// The services, with the version of their model and the operations that the fake serves or will serve.
const SERVICES: &[(&str, &str, &[&str])] = &[
    ("sagemaker", "2017-07-24", SAGEMAKER),
    ("sagemaker-runtime", "2017-05-13", &["InvokeEndpoint"]),
    ("sts", "2011-06-15", &["AssumeRole", "GetAccessKeyInfo", "GetCallerIdentity", "GetSessionToken"]),
    ("iam", "2010-05-08", IAM),
    ("ecr", "2015-09-21", ECR),
    ("cloudwatch", "2010-08-01", CLOUDWATCH),
    ("logs", "2014-03-28", LOGS),
    (
        "service-quotas",
        "2019-06-24",
        &["GetAWSDefaultServiceQuota", "GetServiceQuota", "ListAWSDefaultServiceQuotas", "ListServiceQuotas"],
    ),
];

#[rustfmt::skip]
const IAM: &[&str] = &[
    "CreateRole", "GetRole", "ListRoles", "UpdateRole", "UpdateRoleDescription", "UpdateAssumeRolePolicy", "DeleteRole",
    "PutRolePolicy", "GetRolePolicy", "ListRolePolicies", "DeleteRolePolicy",
    "AttachRolePolicy", "DetachRolePolicy", "ListAttachedRolePolicies",
    "PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary",
    "TagRole", "UntagRole", "ListRoleTags", "ListInstanceProfilesForRole",
    "CreateUser", "GetUser", "ListUsers", "DeleteUser",
    "PutUserPolicy", "GetUserPolicy", "ListUserPolicies", "DeleteUserPolicy",
    "AttachUserPolicy", "DetachUserPolicy", "ListAttachedUserPolicies",
    "PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary",
    "TagUser", "UntagUser", "ListUserTags", "ListGroupsForUser",
    "CreateAccessKey", "ListAccessKeys", "UpdateAccessKey", "DeleteAccessKey",
    "CreatePolicy", "GetPolicy", "ListPolicies", "DeletePolicy",
    "CreatePolicyVersion", "GetPolicyVersion", "ListPolicyVersions", "SetDefaultPolicyVersion", "DeletePolicyVersion",
    "TagPolicy", "UntagPolicy", "ListPolicyTags", "ListEntitiesForPolicy",
    "SimulatePrincipalPolicy", "SimulateCustomPolicy", "GetContextKeysForPrincipalPolicy",
    "GetContextKeysForCustomPolicy",
];

#[rustfmt::skip]
const ECR: &[&str] = &[
    "GetAuthorizationToken", "CreateRepository", "DescribeRepositories", "DeleteRepository",
    "PutImageTagMutability", "PutImageScanningConfiguration", "ListTagsForResource", "TagResource", "UntagResource",
    "GetRepositoryPolicy", "SetRepositoryPolicy", "DeleteRepositoryPolicy",
    "GetLifecyclePolicy", "PutLifecyclePolicy", "DeleteLifecyclePolicy",
    "DescribeImages", "ListImages", "BatchGetImage", "BatchDeleteImage", "PutImage", "BatchCheckLayerAvailability",
];

#[rustfmt::skip]
const LOGS: &[&str] = &[
    "CreateLogGroup", "DescribeLogGroups", "DeleteLogGroup", "PutRetentionPolicy", "DeleteRetentionPolicy",
    "TagResource", "UntagResource", "ListTagsForResource",
    "DescribeLogStreams", "FilterLogEvents", "GetLogEvents",
];

#[rustfmt::skip]
const CLOUDWATCH: &[&str] = &[
    "PutMetricData", "ListMetrics", "GetMetricData", "GetMetricStatistics",
    "PutMetricAlarm", "DescribeAlarms", "DeleteAlarms", "ListTagsForResource",
];

#[rustfmt::skip]
const SAGEMAKER: &[&str] = &[
    "CreatePipeline", "DescribePipeline", "UpdatePipeline", "DeletePipeline", "ListPipelines",
    "StartPipelineExecution", "StopPipelineExecution", "RetryPipelineExecution", "UpdatePipelineExecution",
    "DescribePipelineExecution", "ListPipelineExecutions", "ListPipelineExecutionSteps",
    "ListPipelineParametersForExecution", "DescribePipelineDefinitionForExecution",
    "ListPipelineVersions", "UpdatePipelineVersion",
    "SendPipelineExecutionStepSuccess", "SendPipelineExecutionStepFailure",
    "CreateProcessingJob", "DescribeProcessingJob", "ListProcessingJobs", "StopProcessingJob",
    "DeleteProcessingJob",
    "CreateTrainingJob", "DescribeTrainingJob", "ListTrainingJobs", "StopTrainingJob",
    "DeleteTrainingJob",
    "CreateTransformJob", "DescribeTransformJob", "ListTransformJobs", "StopTransformJob",
    "CreateHyperParameterTuningJob", "DescribeHyperParameterTuningJob", "ListHyperParameterTuningJobs",
    "StopHyperParameterTuningJob", "DeleteHyperParameterTuningJob", "ListTrainingJobsForHyperParameterTuningJob",
    "CreateModelPackageGroup", "DescribeModelPackageGroup", "DeleteModelPackageGroup", "ListModelPackageGroups",
    "PutModelPackageGroupPolicy", "GetModelPackageGroupPolicy", "DeleteModelPackageGroupPolicy",
    "CreateModelPackage", "DescribeModelPackage", "UpdateModelPackage", "DeleteModelPackage", "ListModelPackages",
    "BatchDescribeModelPackage",
    "CreateModel", "DescribeModel", "DeleteModel", "ListModels",
    "AddTags", "ListTags", "DeleteTags",
    "CreateEndpointConfig", "DescribeEndpointConfig", "DeleteEndpointConfig", "ListEndpointConfigs",
    "CreateEndpoint", "DescribeEndpoint", "UpdateEndpoint", "UpdateEndpointWeightsAndCapacities",
    "DeleteEndpoint", "ListEndpoints",
    "CreateMonitoringSchedule", "DescribeMonitoringSchedule", "UpdateMonitoringSchedule", "DeleteMonitoringSchedule",
    "StartMonitoringSchedule", "StopMonitoringSchedule", "ListMonitoringSchedules", "ListMonitoringExecutions",
    "CreateModelQualityJobDefinition", "DescribeModelQualityJobDefinition", "DeleteModelQualityJobDefinition",
    "ListModelQualityJobDefinitions",
    "CreateDataQualityJobDefinition", "DescribeDataQualityJobDefinition", "DeleteDataQualityJobDefinition",
    "ListDataQualityJobDefinitions",
];

impl ApiConstraints {
    /// Writes one table per service into `mocks/api/`.
    ///
    /// # Errors
    /// When a model is missing or not as expected, or a table cannot be written.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let out = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("mocks").join("api");
        tables(&self.botocore_data, &out)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn tables(botocore_data: &Path, out: &Path) -> anyhow::Result<()> {
    for (service, version, operations) in SERVICES {
        let model = read_model(&botocore_data.join(service).join(version))?;
        let table = table(&model, operations).with_context(|| format!("the model of {service}"))?;
        let file = out.join(format!("{service}.json"));
        std::fs::write(&file, table).with_context(|| format!("cannot write {}", file.display()))?;
        eprintln!("{}: {} operations", file.display(), operations.len());
    }
    Ok(())
}

/// A model is `service-2.json`, gzipped in newer editions.
fn read_model(folder: &Path) -> anyhow::Result<Value> {
    let plain = folder.join("service-2.json");
    let mut text = String::new();
    if plain.exists() {
        text = std::fs::read_to_string(&plain)?;
    } else {
        let zipped = folder.join("service-2.json.gz");
        let file = std::fs::File::open(&zipped).with_context(|| format!("cannot read {}", zipped.display()))?;
        flate2::read::GzDecoder::new(file).read_to_string(&mut text)?;
    }
    Ok(serde_json::from_str(&text)?)
}

/// The table of these operations and of every shape they reach, a line for each, so that a change of AWS's is a
/// readable diff.
fn table(model: &Value, operations: &[&str]) -> anyhow::Result<String> {
    let mut shapes = BTreeMap::new();
    let mut lines = Vec::new();
    let mut sorted = operations.to_vec();
    sorted.sort_unstable();
    for name in sorted {
        let operation = &model["operations"][name];
        ensure!(operation.is_object(), "it has no operation {name}");
        let mut facts = Map::new();
        for side in ["input", "output"] {
            if let Some(shape) = operation[side]["shape"].as_str() {
                collect(model, shape, &mut shapes)?;
                facts.insert(side.to_owned(), json!(shape));
            }
        }
        lines.push(format!("    {}: {}", json!(name), Value::Object(facts)));
    }
    let shapes: Vec<_> = shapes.iter().map(|(name, shape)| format!("    {}: {shape}", json!(name))).collect();
    let version = &model["metadata"]["apiVersion"];
    Ok(format!(
        "{{\n  \"version\": {version},\n  \"operations\": {{\n{}\n  }},\n  \"shapes\": {{\n{}\n  }}\n}}\n",
        lines.join(",\n"),
        shapes.join(",\n")
    ))
}

/// Shapes whose values AWS itself answers otherwise than its model says: IAM's simulator says `IAM Policy`.
const VALUES_DIFFER: &[&str] = &["PolicySourceType"];

/// Adds the facts of a shape, and of the shapes it is made of.
fn collect(model: &Value, name: &str, shapes: &mut BTreeMap<String, Value>) -> anyhow::Result<()> {
    if shapes.contains_key(name) {
        return Ok(());
    }
    let shape = model["shapes"][name].as_object().with_context(|| format!("it has no shape {name}"))?;
    let mut facts = Map::new();
    for fact in ["type", "required", "min", "max", "pattern", "enum", "sensitive"] {
        if let Some(value) = shape.get(fact) {
            facts.insert(fact.to_owned(), value.clone());
        }
    }
    if VALUES_DIFFER.contains(&name) {
        facts.remove("enum");
    }
    // Entered before its parts are, because a shape may contain itself.
    shapes.insert(name.to_owned(), Value::Null);
    for part in ["member", "key", "value"] {
        if let Some(inner) = shape.get(part).and_then(|part| part["shape"].as_str()) {
            collect(model, inner, shapes)?;
            facts.insert(part.to_owned(), json!(inner));
        }
    }
    if let Some(members) = shape.get("members").and_then(Value::as_object) {
        let mut named = Map::new();
        for (member, target) in members {
            let inner = target["shape"].as_str().with_context(|| format!("{name}.{member} has no shape"))?;
            collect(model, inner, shapes)?;
            named.insert(member.clone(), json!(inner));
        }
        facts.insert("members".to_owned(), Value::Object(named));
    }
    shapes.insert(name.to_owned(), Value::Object(facts));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_facts_and_drops_documentation() {
        let model = json!({
            "metadata": {"apiVersion": "2020-01-01"},
            "operations": {
                "Grow": {"input": {"shape": "Tree"}, "output": {"shape": "Leaf"}, "documentation": "<p>"},
                "Fell": {"input": {"shape": "Axe"}},
            },
            "shapes": {
                "Tree": {"type": "structure", "required": ["Leaf"], "documentation": "<p>",
                         "members": {"Leaf": {"shape": "Leaf", "documentation": "<p>"}, "Branches": {"shape": "Trees"}}},
                "Trees": {"type": "list", "member": {"shape": "Tree"}, "max": 2},
                "Leaf": {"type": "string", "pattern": "[a-z]+", "documentation": "<p>"},
                "Axe": {"type": "structure", "members": {}},
            },
        });
        let expected = r#"{
  "version": "2020-01-01",
  "operations": {
    "Grow": {"input":"Tree","output":"Leaf"}
  },
  "shapes": {
    "Leaf": {"type":"string","pattern":"[a-z]+"},
    "Tree": {"type":"structure","required":["Leaf"],"members":{"Leaf":"Leaf","Branches":"Trees"}},
    "Trees": {"type":"list","max":2,"member":"Tree"}
  }
}
"#;
        assert_eq!(table(&model, &["Grow"]).unwrap(), expected);
        assert_eq!(table(&model, &["Prune"]).unwrap_err().to_string(), "it has no operation Prune");
    }
}
