//! What a training job wants, and what becomes of its model.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::inputs::{DataType, Input, split_uri};
use super::job::Job;
use super::plan::{Plan, hosts};
use super::tree::{Tree, is_plain};
use super::{archive, outputs};
use crate::ApiError;
use crate::authorisation::Work;

/// The parts of CreateTrainingJob that say what to run.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    algorithm_specification: AlgorithmSpecification,
    #[serde(default)]
    input_data_config: Vec<Channel>,
    output_data_config: OutputDataConfig,
    resource_config: ResourceConfig,
    stopping_condition: Stopping,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    hyper_parameters: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AlgorithmSpecification {
    training_image: Option<String>,
    training_input_mode: String,
    #[serde(default)]
    container_entrypoint: Vec<String>,
    #[serde(default)]
    container_arguments: Vec<String>,
    #[serde(default)]
    metric_definitions: Vec<MetricDefinition>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricDefinition {
    name: String,
    regex: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Channel {
    channel_name: String,
    data_source: DataSource,
    content_type: Option<String>,
    compression_type: Option<String>,
    record_wrapper_type: Option<String>,
    input_mode: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DataSource {
    s3_data_source: Option<S3DataSource>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3DataSource {
    s3_uri: String,
    s3_data_type: DataType,
    s3_data_distribution_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OutputDataConfig {
    s3_output_path: String,
    compression_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceConfig {
    instance_type: Option<String>,
    instance_count: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stopping {
    #[serde(default = "one_day")]
    max_runtime_in_seconds: u64,
}

fn one_day() -> u64 {
    86_400
}

/// What the job wants.
///
/// # Errors
/// `ValidationException` for what SageMaker refuses at once, or this fake cannot do.
pub(super) fn plan(job: &Job) -> Result<Plan, ApiError> {
    let request = read(&job.request)?;
    let (Some(instance_type), Some(instances)) =
        (&request.resource_config.instance_type, request.resource_config.instance_count)
    else {
        return Err(ApiError::validation(
            "This fake trains on one group of instances: ResourceConfig needs InstanceType and InstanceCount.",
        ));
    };
    let hosts = hosts(instances);
    let group = "homogeneousCluster";
    let resource_config = json!({
        "current_instance_type": instance_type,
        "current_group_name": group,
        "hosts": hosts,
        "instance_groups": [{"instance_group_name": group, "instance_type": instance_type, "hosts": hosts}],
        "network_interface_name": "eth0",
    });
    let algorithm = &request.algorithm_specification;
    let mut environment = request.environment.clone();
    environment.insert("TRAINING_JOB_NAME".to_owned(), job.name.clone());
    environment.insert("TRAINING_JOB_ARN".to_owned(), job.arn.clone());
    let by_default = algorithm.container_entrypoint.is_empty() && algorithm.container_arguments.is_empty();
    Ok(Plan {
        image: algorithm.training_image.clone().ok_or_else(|| {
            ApiError::validation(
                "This fake runs images: AlgorithmSpecification needs TrainingImage, not AlgorithmName.",
            )
        })?,
        entrypoint: algorithm.container_entrypoint.clone(),
        arguments: if by_default { vec!["train".to_owned()] } else { algorithm.container_arguments.clone() },
        environment,
        instances,
        inputs: request.input_data_config.iter().map(|channel| channel.plan(algorithm)).collect::<Result<_, _>>()?,
        folders: ["model", "output/data", "input/data"].map(str::to_owned).to_vec(),
        files: vec![
            ("input/config/hyperparameters.json", json!(request.hyper_parameters)),
            ("input/config/inputdataconfig.json", input_data_config(&request)),
        ],
        resource_config: ("input/config/resourceconfig.json", resource_config),
        max_runtime: Duration::from_secs(request.stopping_condition.max_runtime_in_seconds),
        metrics: algorithm
            .metric_definitions
            .iter()
            .map(|metric| (metric.name.clone(), metric.regex.clone()))
            .collect(),
    })
}

/// The URI and the bucket of the first channel for which nothing is in S3.
///
/// # Errors
/// `ValidationException` for a request that cannot be run.
pub(crate) fn missing_input(work: &Work<'_>, request: &Value) -> Result<Option<(String, String)>, ApiError> {
    let request = read(request)?;
    for channel in &request.input_data_config {
        let input = channel.plan(&request.algorithm_specification)?;
        if !input.is_there(work) {
            let bucket = split_uri(&input.uri).map_or("", |(bucket, _)| bucket).to_owned();
            return Ok(Some((input.uri, bucket)));
        }
    }
    Ok(None)
}

/// Where the model is or will be: `ModelArtifacts.S3ModelArtifacts`.
pub(crate) fn model_uri(request: &Value, name: &str) -> Option<String> {
    let output = &request["OutputDataConfig"];
    let path = output["S3OutputPath"].as_str()?.trim_end_matches('/');
    let packed = output["CompressionType"] != "NONE";
    Some(if packed { format!("{path}/{name}/output/model.tar.gz") } else { format!("{path}/{name}/output/model/") })
}

/// Uploads the model, unless the job failed, and what is in `/opt/ml/output/data`. The error is a sentence.
pub(super) fn upload(work: &Work<'_>, job: &Job, trees: &[Tree], with_model: bool) -> Result<(), String> {
    let request = read(&job.request).map_err(|error| error.message)?;
    let Some(first) = trees.first() else { return Ok(()) };
    let output = &request.output_data_config;
    let folder = format!("{}/{}/output", output.s3_output_path.trim_end_matches('/'), job.name);
    let upload = |below: &str, name: &str| {
        let folders: Vec<PathBuf> = trees.iter().map(|tree| tree.at(below)).collect();
        if output.compression_type.as_deref() == Some("NONE") {
            // The first instance's file of a name counts, so it comes last.
            return folders
                .iter()
                .rev()
                .try_for_each(|from| outputs::upload_folder(work, from, &format!("{folder}/{name}")));
        }
        let path = first.root().join(format!("{name}.tar.gz"));
        let packed =
            archive::pack(&folders, &path).map_err(|error| format!("Failed to pack {name}.tar.gz: {error}"))?;
        if packed { outputs::upload_file(work, &path, &format!("{folder}/{name}.tar.gz")) } else { Ok(()) }
    };
    if with_model {
        upload("model", "model")?;
    }
    upload("output/data", "output")
}

impl Channel {
    fn plan(&self, algorithm: &AlgorithmSpecification) -> Result<Input, ApiError> {
        let name = &self.channel_name;
        let Some(source) = &self.data_source.s3_data_source else {
            return Err(ApiError::validation(format!(
                "The channel '{name}' has no S3DataSource: this fake reads from S3 alone."
            )));
        };
        if self.mode(algorithm) == "Pipe" {
            return Err(ApiError::validation(format!(
                "The channel '{name}' has the input mode Pipe: this fake serves File and FastFile."
            )));
        }
        if !is_plain(name) {
            return Err(ApiError::validation(format!("'{name}' makes no folder name for a channel.")));
        }
        Ok(Input {
            name: name.clone(),
            uri: source.s3_uri.clone(),
            data: source.s3_data_type,
            folder: format!("input/data/{name}"),
            sharded: source.s3_data_distribution_type.as_deref() == Some("ShardedByS3Key"),
            gzip: self.compression_type.as_deref() == Some("Gzip"),
        })
    }

    fn mode<'a>(&'a self, algorithm: &'a AlgorithmSpecification) -> &'a str {
        self.input_mode.as_deref().unwrap_or(&algorithm.training_input_mode)
    }
}

fn read(request: &Value) -> Result<Request, ApiError> {
    Request::deserialize(request).map_err(|error| ApiError::validation(format!("CreateTrainingJob: {error}")))
}

fn input_data_config(request: &Request) -> Value {
    let channels = request.input_data_config.iter().map(|channel| {
        let source = channel.data_source.s3_data_source.as_ref();
        let mut config = Map::new();
        if let Some(content_type) = &channel.content_type {
            config.insert("ContentType".to_owned(), json!(content_type));
        }
        config.insert("TrainingInputMode".to_owned(), json!(channel.mode(&request.algorithm_specification)));
        let distribution = source.and_then(|source| source.s3_data_distribution_type.as_deref());
        config.insert("S3DistributionType".to_owned(), json!(distribution.unwrap_or("FullyReplicated")));
        config.insert("RecordWrapperType".to_owned(), json!(channel.record_wrapper_type.as_deref().unwrap_or("None")));
        (channel.channel_name.clone(), Value::Object(config))
    });
    Value::Object(channels.collect())
}
