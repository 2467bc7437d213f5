//! What a processing job wants, and what becomes of its outputs.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::inputs::{DataType, Input};
use super::job::Job;
use super::outputs;
use super::plan::{Plan, hosts};
use super::tree::{Tree, below_opt_ml};
use crate::ApiError;
use crate::authorisation::Work;

/// The parts of CreateProcessingJob that say what to run.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    app_specification: AppSpecification,
    #[serde(default)]
    processing_inputs: Vec<ProcessingInput>,
    #[serde(default)]
    processing_output_config: OutputConfig,
    processing_resources: Resources,
    stopping_condition: Stopping,
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AppSpecification {
    image_uri: String,
    #[serde(default)]
    container_entrypoint: Vec<String>,
    #[serde(default)]
    container_arguments: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProcessingInput {
    input_name: String,
    #[serde(default)]
    app_managed: bool,
    s3_input: Option<S3Input>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3Input {
    s3_uri: String,
    local_path: Option<String>,
    s3_data_type: DataType,
    s3_input_mode: Option<String>,
    s3_data_distribution_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OutputConfig {
    #[serde(default)]
    outputs: Vec<Output>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    output_name: String,
    #[serde(default)]
    app_managed: bool,
    s3_output: Option<S3Output>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3Output {
    s3_uri: String,
    local_path: Option<String>,
    s3_upload_mode: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resources {
    cluster_config: Cluster,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Cluster {
    instance_count: usize,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stopping {
    max_runtime_in_seconds: u64,
}

/// What the job wants.
///
/// # Errors
/// `ValidationException` for what SageMaker refuses at once, or this fake cannot do.
pub(super) fn plan(job: &Job) -> Result<Plan, ApiError> {
    let request = read(&job.request)?;
    let outputs: Vec<_> =
        request.uploads().map(|(_, folder, _)| folder.map(str::to_owned)).collect::<Result<_, _>>()?;
    let inputs = request.processing_inputs.iter().filter(|input| !input.app_managed);
    let instances = request.processing_resources.cluster_config.instance_count;
    Ok(Plan {
        inputs: inputs.map(ProcessingInput::plan).collect::<Result<_, _>>()?,
        image: request.app_specification.image_uri,
        entrypoint: request.app_specification.container_entrypoint,
        arguments: request.app_specification.container_arguments,
        environment: request.environment,
        instances,
        folders: outputs.into_iter().chain(["output".to_owned()]).collect(),
        files: vec![("config/processingjobconfig.json", config_file(job))],
        resource_config: ("config/resourceconfig.json", json!({"hosts": hosts(instances)})),
        max_runtime: Duration::from_secs(request.stopping_condition.max_runtime_in_seconds),
        metrics: Vec::new(),
    })
}

/// Uploads the outputs of all instances. Those that upload continuously are there even if the job failed. The error is
/// a sentence.
pub(super) fn upload(work: &Work<'_>, job: &Job, trees: &[Tree], succeeded: bool) -> Result<(), String> {
    let request = read(&job.request).map_err(|error| error.message)?;
    for (_, folder, output) in request.uploads() {
        let folder = folder.map_err(|error| error.message)?;
        if succeeded || output.s3_upload_mode.as_deref() == Some("Continuous") {
            trees.iter().try_for_each(|tree| outputs::upload_folder(work, &tree.at(folder), &output.s3_uri))?;
        }
    }
    Ok(())
}

impl Request {
    /// Name, folder below `/opt/ml` and destination of the outputs that SageMaker uploads.
    fn uploads(&self) -> impl Iterator<Item = (&str, Result<&str, ApiError>, &S3Output)> {
        self.processing_output_config.outputs.iter().filter(|output| !output.app_managed).filter_map(|output| {
            let to_s3 = output.s3_output.as_ref()?;
            Some((output.output_name.as_str(), local_path(&output.output_name, to_s3.local_path.as_deref()), to_s3))
        })
    }
}

impl ProcessingInput {
    fn plan(&self) -> Result<Input, ApiError> {
        let name = &self.input_name;
        let Some(from_s3) = &self.s3_input else {
            return Err(ApiError::validation(format!(
                "The input '{name}' has no S3Input: this fake reads no dataset definitions."
            )));
        };
        if from_s3.s3_input_mode.as_deref() == Some("Pipe") {
            return Err(ApiError::validation(format!(
                "The input '{name}' has the S3InputMode Pipe: this fake serves File alone."
            )));
        }
        Ok(Input {
            name: name.clone(),
            uri: from_s3.s3_uri.clone(),
            data: from_s3.s3_data_type,
            folder: local_path(name, from_s3.local_path.as_deref())?.to_owned(),
            sharded: from_s3.s3_data_distribution_type.as_deref() == Some("ShardedByS3Key"),
            gzip: false,
        })
    }
}

fn local_path<'a>(name: &str, path: Option<&'a str>) -> Result<&'a str, ApiError> {
    let path = path.unwrap_or_default();
    below_opt_ml(path).filter(|path| path.starts_with("processing/")).ok_or_else(|| {
        ApiError::validation(format!("LocalPath '{path}' of '{name}' must be a folder below /opt/ml/processing/."))
    })
}

fn read(request: &Value) -> Result<Request, ApiError> {
    Request::deserialize(request).map_err(|error| ApiError::validation(format!("CreateProcessingJob: {error}")))
}

/// `processingjobconfig.json` as AWS writes it: its own order of members, null for what was not given.
fn config_file(job: &Job) -> Value {
    let request = &job.request;
    let input = |input: &Value| {
        let from = &input["S3Input"];
        let s3 = json!({
            "LocalPath": from["LocalPath"], "S3Uri": from["S3Uri"], "S3DataDistributionType": from["S3DataDistributionType"],
            "S3DataType": from["S3DataType"], "S3InputMode": from["S3InputMode"], "S3CompressionType": from["S3CompressionType"],
            "S3DownloadMode": "StartOfJob",
        });
        json!({"InputName": input["InputName"], "AppManaged": input["AppManaged"], "S3Input": s3, "DatasetDefinition": input["DatasetDefinition"]})
    };
    let output = |output: &Value| {
        let to = &output["S3Output"];
        let s3 = json!({"LocalPath": to["LocalPath"], "S3Uri": to["S3Uri"], "S3UploadMode": to["S3UploadMode"]});
        json!({"OutputName": output["OutputName"], "AppManaged": output["AppManaged"], "S3Output": s3, "FeatureStoreOutput": output["FeatureStoreOutput"]})
    };
    let list = |value: &Value, f: &dyn Fn(&Value) -> Value| {
        Value::Array(value.as_array().into_iter().flatten().map(f).collect())
    };
    let app = &request["AppSpecification"];
    let cluster = &request["ProcessingResources"]["ClusterConfig"];
    json!({
        "ProcessingJobArn": job.arn,
        "ProcessingJobName": job.name,
        "Environment": request.get("Environment").cloned().unwrap_or_else(|| json!({})),
        "AppSpecification": {
            "ImageUri": app["ImageUri"],
            "ContainerEntrypoint": app["ContainerEntrypoint"],
            "ContainerArguments": app["ContainerArguments"],
        },
        "ProcessingInputs": list(&request["ProcessingInputs"], &input),
        "ProcessingOutputConfig": {
            "Outputs": list(&request["ProcessingOutputConfig"]["Outputs"], &output),
            "KmsKeyId": request["ProcessingOutputConfig"]["KmsKeyId"],
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": cluster["InstanceCount"],
                "InstanceType": cluster["InstanceType"],
                "VolumeSizeInGB": cluster["VolumeSizeInGB"],
                "VolumeKmsKeyId": cluster["VolumeKmsKeyId"],
            },
        },
        "RoleArn": request["RoleArn"],
        "StoppingCondition": request["StoppingCondition"],
    })
}
