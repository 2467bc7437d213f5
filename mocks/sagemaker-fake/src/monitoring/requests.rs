//! What the two processing jobs of an execution are asked to do. Names, environment and places are those of jobs that
//! AWS's own schedules started.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::captured::Captured;
use super::execution::{Execution, Stage};
use crate::clock::Timestamp;
use crate::jobs::inputs::split_uri;
use crate::jobs::{Job, Kind, job};
use crate::sagemaker::model_quality_job_definition::JobDefinition;
use crate::store::Records;
use crate::{ApiError, Fake, s3};

/// Where labels and captures are in the container of the merger, and where it writes.
const LABELS: &str = "/opt/ml/processing/groundtruth";
const CAPTURES: &str = "/opt/ml/processing/input_data";
const OUTPUT: &str = "/opt/ml/processing/output";

/// Where the constraints of the baseline are in the container of the analyzer.
const CONSTRAINTS: &str = "/opt/ml/processing/baseline/constraints";

/// As long as a job may run unless the definition says: an hourly schedule leaves half an hour to each of its two jobs.
const MAX_RUNTIME_SECONDS: u64 = 1800;

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
        let labels = self.definition.member("ModelQualityJobInput")["GroundTruthS3Input"]["S3Uri"].as_str();
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

    /// The job that analyses what was merged; none if nothing was.
    pub(super) fn analysis(&self) -> Result<Option<Value>, ApiError> {
        let definition = self.definition;
        let input = definition.endpoint_input();
        let source = input["LocalPath"].as_str().unwrap_or_default().trim_end_matches('/');
        let output_uri = self.output_uri();
        let merged = self.folders().into_iter();
        let merged = merged.map(|folder| (format!("{output_uri}/merge/{folder}"), format!("{source}/{folder}")));
        let mut inputs = self.inputs("endpoint_input", merged);
        if inputs.is_empty() {
            return Ok(None);
        }
        let constraints = self.constraints()?;
        if let Some(uri) = &constraints {
            inputs.insert(0, from_s3("constraints", uri, CONSTRAINTS));
        }
        let (execution, window) = (self.execution, self.execution.window);
        let to = &definition.member("ModelQualityJobOutputConfig")["MonitoringOutputs"][0]["S3Output"];
        let to_local = to["LocalPath"].as_str().unwrap_or(OUTPUT);
        let environment = json!({
            "analysis_type": "MODEL_QUALITY",
            "baseline_constraints": constraints.map(|_| format!("{CONSTRAINTS}/constraints.json")),
            "dataset_format": json!({"sagemakerMergeJson": {"captureIndexNames": ["endpointOutput"]}}).to_string(),
            "dataset_source": source,
            "end_time": time(window.end),
            "inference_attribute": input["InferenceAttribute"],
            "metric_time": time(window.start),
            "output_path": to_local,
            "probability_attribute": input["ProbabilityAttribute"],
            "probability_threshold_attribute": input["ProbabilityThresholdAttribute"].as_f64().map(|value| value.to_string()),
            "problem_type": definition.member("ModelQualityAppSpecification")["ProblemType"],
            "publish_cloudwatch_metrics": "Enabled",
            "sagemaker_endpoint_name": execution.endpoint,
            "sagemaker_monitoring_schedule_name": execution.schedule,
            "start_time": time(window.start),
        });
        let mut environment = present(environment);
        if let Some(own) = definition.member("ModelQualityAppSpecification")["Environment"].as_object() {
            environment.extend(own.clone());
        }
        let app = &definition.member("ModelQualityAppSpecification");
        let app = json!({
            "ImageUri": app["ImageUri"], "ContainerEntrypoint": app["ContainerEntrypoint"], "ContainerArguments": app["ContainerArguments"],
        });
        let uri =
            format!("{output_uri}/{}/{}/{}", execution.endpoint, execution.schedule, hour(execution.scheduled.date()));
        let output = output(&uri, to_local, to["S3UploadMode"].as_str().unwrap_or("Continuous"));
        Ok(Some(self.job(Stage::Analysis, app, Value::Object(environment), inputs, output)))
    }

    fn job(&self, stage: Stage, app: Value, environment: Value, inputs: Vec<Value>, output: Value) -> Value {
        let definition = self.definition;
        let stopping = json!({"MaxRuntimeInSeconds": MAX_RUNTIME_SECONDS});
        let request = json!({
            "ProcessingJobName": self.execution.job_name(stage),
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig":
                present(json!({"Outputs": [output], "KmsKeyId": definition.member("ModelQualityJobOutputConfig")["KmsKeyId"]})),
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
        self.definition.member("ModelQualityAppSpecification")["ImageUri"].as_str().unwrap_or_default()
    }

    fn output_uri(&self) -> &str {
        let output = &self.definition.member("ModelQualityJobOutputConfig")["MonitoringOutputs"][0]["S3Output"];
        output["S3Uri"].as_str().unwrap_or_default().trim_end_matches('/')
    }

    /// Where the constraints are: named, or written by the baselining job that is named.
    fn constraints(&self) -> Result<Option<String>, ApiError> {
        let baseline = &self.definition.member("ModelQualityBaselineConfig");
        if let Some(uri) = baseline["ConstraintsResource"]["S3Uri"].as_str() {
            return Ok(Some(uri.to_owned()));
        }
        let Some(name) = baseline["BaseliningJobName"].as_str() else { return Ok(None) };
        let key = job::key(&self.definition.region, Kind::ProcessingJob, name);
        let job: Option<Job> = self.fake.store.read(|view| view.get(&key))?;
        let uri = job.and_then(|job| {
            let uri = &job.request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"];
            Some(format!("{}/constraints.json", uri.as_str()?.trim_end_matches('/')))
        });
        uri.map(Some).ok_or_else(|| ApiError::validation(format!("Could not find requested job with name: {name}")))
    }
}

fn from_s3(name: &str, uri: &str, local: &str) -> Value {
    json!({
        "InputName": name,
        "AppManaged": false,
        "S3Input": {
            "S3Uri": uri, "LocalPath": local, "S3DataType": "S3Prefix", "S3InputMode": "File",
            "S3DataDistributionType": "FullyReplicated", "S3CompressionType": "None",
        },
    })
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
