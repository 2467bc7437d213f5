//! What the expressions of a definition refer to in one execution.

use std::io::BufReader;

use pipeline_definition::resolve::{Scope, resolve};
use pipeline_definition::{Definition, StepType};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::execution::{Execution, StepStatus};
use super::role;
use super::step::callback;
use crate::Fake;
use crate::authorisation::{NotAssumed, Work, could_not_assume};
use crate::clock::Timestamp;
use crate::jobs::{Job, Kind, inputs::split_uri, job};
use crate::sagemaker::{hyper_parameter_tuning_job, names, processing_job, training_job, transform_job};
use crate::store::Records;

/// An execution as the expressions of its definition see it.
pub(super) struct ExecutionScope<'a> {
    pub fake: &'a Fake,
    pub definition: &'a Definition,
    pub execution: &'a Execution,
    /// The name of what the step that is being resolved will make.
    pub resource: Option<&'a str>,
}

impl Scope for ExecutionScope<'_> {
    fn execution(&self, variable: &str) -> Option<Value> {
        let date = |time: Timestamp| time.date().format(&Rfc3339).ok().map(Value::from);
        match variable {
            "PipelineName" => Some(json!(self.execution.pipeline)),
            "PipelineArn" => Some(json!(self.execution.pipeline_arn)),
            "PipelineExecutionId" => Some(json!(self.execution.id)),
            "PipelineExecutionArn" => Some(json!(self.execution.arn)),
            "StartDateTime" => date(self.execution.created),
            "CurrentDateTime" => date(self.fake.clock.now()),
            "ProcessingJobName" | "TrainingJobName" => self.resource.map(Value::from),
            _ => None,
        }
    }

    fn parameter(&self, name: &str) -> Option<Value> {
        self.execution.parameters.get(name).cloned()
    }

    fn step(&self, name: &str) -> Option<Value> {
        let step = self.execution.step(name).filter(|step| step.status == StepStatus::Succeeded)?;
        let look_up = |operation: &str, input: Value| {
            let found = role::look_up(self.fake, self.execution, operation, input);
            found.map_err(|error| tracing::warn!("the properties of step {name}: {error}")).ok()
        };
        match self.definition.step(name)?.kind {
            StepType::Processing => {
                self.job(Kind::ProcessingJob, &step.resource).map(|job| processing_job::description(&job))
            }
            StepType::Training => {
                self.job(Kind::TrainingJob, &step.resource).map(|job| training_job::description(&job))
            }
            StepType::Transform => {
                self.job(Kind::TransformJob, &step.resource).map(|job| transform_job::description(&job))
            }
            StepType::Tuning => self.tuning_job(&step.resource),
            StepType::Callback => Some(callback::properties(self.definition.step(name)?, step)),
            StepType::QualityCheck => Some(step.metadata["QualityCheck"].clone()),
            StepType::Model => look_up("DescribeModel", json!({"ModelName": step.resource})),
            StepType::RegisterModel => {
                look_up("DescribeModelPackage", json!({"ModelPackageName": step.metadata["RegisterModel"]["Arn"]}))
            }
            StepType::Condition => Some(step.metadata["Condition"].clone()),
            _ => None,
        }
    }

    fn property_file(&self, step: &str, file: &str) -> Result<Value, String> {
        let declared =
            self.definition.step(step).and_then(|step| step.property_files.iter().find(|known| known.name == file));
        let declared = declared.ok_or_else(|| format!("step '{step}' declares no property file '{file}'"))?;
        let properties = self.step(step).ok_or_else(|| format!("step '{step}' has not succeeded in this execution"))?;
        let outputs = properties["ProcessingOutputConfig"]["Outputs"].as_array();
        let output = outputs.into_iter().flatten().find(|output| output["OutputName"] == declared.output_name.as_str());
        let folder = output.and_then(|output| output["S3Output"]["S3Uri"].as_str());
        let folder = folder.ok_or_else(|| format!("step '{step}' has no output '{}'", declared.output_name))?;
        self.s3_json(&format!("{}/{}", folder.trim_end_matches('/'), declared.file_path))
    }

    fn s3_json(&self, uri: &str) -> Result<Value, String> {
        let (bucket, key) = split_uri(uri).ok_or_else(|| format!("{uri} is no s3:// URI"))?;
        let Execution { region, role_arn, pipeline_arn, .. } = self.execution;
        let work = Work::start(self.fake, region, role_arn, pipeline_arn).map_err(|error| error.message)?;
        let work = work.map_err(|NotAssumed| could_not_assume(role_arn).message)?;
        let (_, file) = work.open(bucket, key).map_err(|error| format!("{uri}: {}", error.message))?;
        serde_json::from_reader(BufReader::new(file)).map_err(|error| format!("{uri} is not JSON: {error}"))
    }

    fn experiment_config(&self, member: &str) -> Option<Value> {
        resolve(self.definition.experiment_config.as_ref()?.get(member)?, self).ok()
    }
}

impl ExecutionScope<'_> {
    fn tuning_job(&self, name: &str) -> Option<Value> {
        let key = names::key(&self.execution.region, name);
        let read = self.fake.store.read(|view| match view.get(&key)? {
            Some(job) => hyper_parameter_tuning_job::properties(view, &job).map(Some),
            None => Ok(None),
        });
        read.ok().flatten()
    }

    fn job(&self, kind: Kind, name: &str) -> Option<Job> {
        let key = job::key(&self.execution.region, kind, name);
        self.fake.store.read(|view| view.get(&key)).ok().flatten()
    }
}
