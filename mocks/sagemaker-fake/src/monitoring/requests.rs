//! What the processing jobs of an execution are asked to do. Names, environment and places are those of jobs that
//! AWS's own schedules started.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::baseline::{Baseline, from_s3};
use super::captured::Captured;
use super::execution::{Execution, Stage};
use crate::clock::Timestamp;
use crate::jobs::inputs::split_uri;
use crate::jobs::{Job, Kind, job};
use crate::sagemaker::monitoring_job_definition::{JobDefinition, MonitoringType};
use crate::store::Records;
use crate::{ApiError, Fake, s3};

/// Where labels and captures are in the container of the merger, and where it writes.
const LABELS: &str = "/opt/ml/processing/groundtruth";
const CAPTURES: &str = "/opt/ml/processing/input_data";
const OUTPUT: &str = "/opt/ml/processing/output";

/// An execution with what its jobs are made of.
pub(super) struct Plan<'a> {
    pub fake: &'a Fake,
    pub execution: &'a Execution,
    pub definition: &'a JobDefinition,
    pub captured: &'a Captured,
}

impl Plan<'_> {
    /// The job that merges captures and labels; none if there are no captures or no labels.
    pub(super) fn merge(&self) -> Result<Option<Value>, ApiError> {
        let labels = self.definition.typed("JobInput")["GroundTruthS3Input"]["S3Uri"].as_str();
        let labels = labels.unwrap_or_default().trim_end_matches('/');
        let labels = self.hours().map(|hour| (format!("{labels}/{hour}"), format!("{LABELS}/{hour}")));
        let folders = self.folders();
        let captures = folders.iter().map(|folder| {
            (format!("{}/{folder}", self.captured.destination.trim_end_matches('/')), format!("{CAPTURES}/{folder}"))
        });
        let (labels, captures) = (self.inputs("groundtruth_input", labels), self.inputs("endpoint_input", captures));
        if labels.is_empty() || captures.is_empty() {
            return Ok(None);
        }
        let merged = format!("{}/merge", self.output_uri());
        // Of hours that have been merged before, the new merge is the only one that counts.
        for folder in &folders {
            remove_all(self.fake, &format!("{merged}/{folder}/"))?;
        }
        let environment = json!({"dataset_source": CAPTURES, "ground_truth_source": LABELS, "output_path": OUTPUT});
        let inputs = labels.into_iter().chain(captures).collect();
        let image =
            self.image().replace("sagemaker-model-monitor-analyzer", "sagemaker-model-monitor-groundtruth-merger");
        let output = output(&merged, OUTPUT, "EndOfJob");
        Ok(Some(self.job(Stage::Merge, json!({"ImageUri": image}), environment, inputs, output)))
    }

    /// The job that analyses what was captured, or merged with its labels; none if there is nothing.
    pub(super) fn analysis(&self) -> Result<Option<Value>, ApiError> {
        let (definition, execution, window) = (self.definition, self.execution, self.execution.window);
        let input = definition.endpoint_input();
        let source = input["LocalPath"].as_str().unwrap_or_default().trim_end_matches('/');
        let output_uri = self.output_uri();
        let destination = self.captured.destination.trim_end_matches('/');
        let (name, from, own) = match definition.monitoring_type {
            MonitoringType::DataQuality => ("input", destination.to_owned(), self.of_data_quality()),
            MonitoringType::ModelQuality => ("endpoint_input", format!("{output_uri}/merge"), self.of_model_quality()),
        };
        let places = self.folders().into_iter();
        let places = places.map(|folder| (format!("{from}/{folder}"), format!("{source}/{folder}")));
        let data = self.inputs(name, places);
        if data.is_empty() {
            return Ok(None);
        }
        let to = &definition.typed("JobOutputConfig")["MonitoringOutputs"][0]["S3Output"];
        let to_local = to["LocalPath"].as_str().unwrap_or(OUTPUT);
        let mut environment = json!({
            "dataset_source": source,
            "end_time": time(window.end),
            "output_path": to_local,
            "publish_cloudwatch_metrics": "Enabled",
            "sagemaker_endpoint_name": execution.endpoint,
            "sagemaker_monitoring_schedule_name": execution.schedule,
            "start_time": time(window.start),
        });
        let mut inputs = Vec::new();
        for file in self.baseline()?.given() {
            environment[file.variable] = json!(file.path);
            inputs.push(file.input);
        }
        inputs.extend(data);
        let app = definition.typed("AppSpecification");
        let mut environment = present(environment);
        environment.extend(present(own));
        environment.extend(app["Environment"].as_object().cloned().unwrap_or_default());
        let app = json!({
            "ImageUri": app["ImageUri"], "ContainerEntrypoint": app["ContainerEntrypoint"], "ContainerArguments": app["ContainerArguments"],
        });
        let uri =
            format!("{output_uri}/{}/{}/{}", execution.endpoint, execution.schedule, hour(execution.scheduled.date()));
        let output = output(&uri, to_local, to["S3UploadMode"].as_str().unwrap_or("Continuous"));
        Ok(Some(self.job(Stage::Analysis, app, Value::Object(environment), inputs, output)))
    }

    /// What the environment of an analysis of model quality has beside that of any.
    fn of_model_quality(&self) -> Value {
        let input = self.definition.endpoint_input();
        json!({
            "analysis_type": "MODEL_QUALITY",
            "dataset_format": json!({"sagemakerMergeJson": {"captureIndexNames": ["endpointOutput"]}}).to_string(),
            "inference_attribute": input["InferenceAttribute"],
            "metric_time": time(self.execution.window.start),
            "probability_attribute": input["ProbabilityAttribute"],
            "probability_threshold_attribute": input["ProbabilityThresholdAttribute"].as_f64().map(|value| value.to_string()),
            "problem_type": self.definition.typed("AppSpecification")["ProblemType"],
        })
    }

    /// The same of data quality, by the contract that AWS documents for containers.
    fn of_data_quality(&self) -> Value {
        let sides = json!({"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}});
        json!({
            "dataset_format": sides.to_string(),
            "sagemaker_endpoint_datacapture_prefix": self.captured.destination,
        })
    }

    fn job(&self, stage: Stage, app: Value, environment: Value, inputs: Vec<Value>, output: Value) -> Value {
        let definition = self.definition;
        // An hourly schedule leaves no more.
        let stopping = json!({"MaxRuntimeInSeconds": definition.monitoring_type.max_runtime_seconds()});
        let request = json!({
            "ProcessingJobName": self.execution.job_name(stage),
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig":
                present(json!({"Outputs": [output], "KmsKeyId": definition.typed("JobOutputConfig")["KmsKeyId"]})),
            "ProcessingResources": {"ClusterConfig": definition.member("JobResources")["ClusterConfig"]},
            "StoppingCondition": definition.details.get("StoppingCondition").cloned().unwrap_or(stopping),
            "AppSpecification": present(app),
            "Environment": environment,
            "NetworkConfig": definition.member("NetworkConfig"),
            "RoleArn": definition.member("RoleArn"),
        });
        Value::Object(present(request))
    }

    /// The hours of the window, as folders.
    fn hours(&self) -> impl Iterator<Item = String> {
        self.execution.window.hours().map(hour)
    }

    /// `ENDPOINT/VARIANT/YYYY/MM/DD/HH` of every variant and hour.
    fn folders(&self) -> Vec<String> {
        let endpoint = &self.execution.endpoint;
        let of_variant =
            |variant: &String| self.hours().map(|hour| format!("{endpoint}/{variant}/{hour}")).collect::<Vec<_>>();
        self.captured.variants.iter().flat_map(of_variant).collect()
    }

    /// Numbered inputs, of the places (in S3, in the container) where there is anything.
    fn inputs(&self, name: &str, places: impl Iterator<Item = (String, String)>) -> Vec<Value> {
        let there = places.filter(|(uri, _)| is_there(self.fake, &format!("{uri}/")));
        there.enumerate().map(|(index, (uri, local))| from_s3(&format!("{name}_{}", index + 1), &uri, &local)).collect()
    }

    fn image(&self) -> &str {
        self.definition.typed("AppSpecification")["ImageUri"].as_str().unwrap_or_default()
    }

    fn output_uri(&self) -> &str {
        let output = &self.definition.typed("JobOutputConfig")["MonitoringOutputs"][0]["S3Output"];
        output["S3Uri"].as_str().unwrap_or_default().trim_end_matches('/')
    }

    /// The files of the baseline: named, or written by the baselining job that is named. Model quality is compared with
    /// constraints alone.
    fn baseline(&self) -> Result<Baseline, ApiError> {
        let given = self.definition.typed("BaselineConfig");
        let named = |resource: &str| given[resource]["S3Uri"].as_str().map(str::to_owned);
        let mut baseline =
            Baseline { statistics: named("StatisticsResource"), constraints: named("ConstraintsResource") };
        if let (Some(name), None) = (given["BaseliningJobName"].as_str(), &baseline.constraints) {
            let key = job::key(&self.definition.region, Kind::ProcessingJob, name);
            let job: Option<Job> = self.fake.store.read(|view| view.get(&key))?;
            let folder = job
                .as_ref()
                .and_then(|job| job.request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"].as_str());
            let folder = folder
                .ok_or_else(|| ApiError::validation(format!("Could not find requested job with name: {name}")))?;
            let written = Baseline::in_folder(folder);
            baseline.statistics = baseline.statistics.or(written.statistics);
            baseline.constraints = written.constraints;
        }
        if self.definition.monitoring_type == MonitoringType::ModelQuality {
            baseline.statistics = None;
        }
        Ok(baseline)
    }
}

fn output(uri: &str, local: &str, mode: &str) -> Value {
    json!({
        "OutputName": "result",
        "S3Output": {"S3Uri": uri, "LocalPath": local, "S3UploadMode": mode},
        "AppManaged": false,
    })
}

/// The members that are not null.
fn present(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Map::new(),
    }
}

fn time(time: Timestamp) -> String {
    // Fails for years beyond four digits alone.
    time.date().replace_nanosecond(0).ok().and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}

fn hour(time: OffsetDateTime) -> String {
    model_monitor::layout::hour(time)
}

/// Whether anything is below a place in S3.
fn is_there(fake: &Fake, uri: &str) -> bool {
    let objects = split_uri(uri).and_then(|(bucket, prefix)| s3::list(fake, bucket, prefix).ok());
    objects.is_some_and(|objects| objects.iter().any(|object| !object.key.ends_with('/')))
}

fn remove_all(fake: &Fake, uri: &str) -> Result<(), ApiError> {
    let Some((bucket, prefix)) = split_uri(uri) else { return Ok(()) };
    let keys: Vec<_> = s3::list(fake, bucket, prefix)?.into_iter().map(|object| object.key).collect();
    if keys.is_empty() { Ok(()) } else { s3::remove(fake, bucket, keys) }
}
