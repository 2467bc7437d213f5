//! What a batch transform job asks for, and what follows from it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::super::inputs::{DataType, Input};
use super::association::{Association, DataProcessing};
use crate::ApiError;

/// What SageMaker sends at a time if neither the job nor its container says otherwise, in MB.
const MAX_PAYLOAD: usize = 6;

/// The most that may be under way at the same time, in MB.
const MOST_UNDER_WAY: usize = 100;

/// The parts of CreateTransformJob that say what to do.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    max_concurrent_transforms: Option<usize>,
    #[serde(rename = "MaxPayloadInMB")]
    max_payload_in_mb: Option<usize>,
    batch_strategy: Option<Strategy>,
    #[serde(default)]
    model_client_config: ModelClientConfig,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    pub transform_input: TransformInput,
    pub transform_output: TransformOutput,
    pub data_capture_config: Option<DataCaptureConfig>,
    #[serde(default)]
    data_processing: DataProcessing,
}

/// How many records a request has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Strategy {
    /// One.
    SingleRecord,
    /// As many as it may carry.
    MultiRecord,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ModelClientConfig {
    invocations_timeout_in_seconds: Option<u64>,
    invocations_max_retries: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TransformInput {
    data_source: DataSource,
    pub content_type: Option<String>,
    pub compression_type: Option<String>,
    split_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DataSource {
    s3_data_source: S3DataSource,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct S3DataSource {
    s3_data_type: DataType,
    s3_uri: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TransformOutput {
    pub s3_output_path: String,
    pub accept: Option<String>,
    assemble_with: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DataCaptureConfig {
    pub destination_s3_uri: String,
    generate_inference_id: Option<bool>,
}

/// How a container says it wants to be asked.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ExecutionParameters {
    max_concurrent_transforms: Option<usize>,
    #[serde(rename = "MaxPayloadInMB")]
    max_payload_in_mb: Option<usize>,
    batch_strategy: Option<String>,
}

/// How the container is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    /// How many requests there are at the same time.
    pub concurrent: usize,
    /// The longest body of a request, in MB; 0 is without limit.
    pub max_payload: usize,
    /// How many records a request has.
    pub strategy: Strategy,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// `ValidationException` for what does not go together, or this fake cannot do. The rules are SageMaker's; its
    /// sentences about them are not known.
    pub(super) fn read(request: &Value) -> Result<Self, ApiError> {
        let refused = |why: String| Err(ApiError::validation(why));
        let request =
            Self::deserialize(request).map_err(|error| ApiError::validation(format!("CreateTransformJob: {error}")))?;
        if let Some(split @ ("RecordIO" | "TFRecord")) = request.transform_input.split_type.as_deref() {
            return refused(format!("This fake splits input by Line alone, not by {split}."));
        }
        let (payload, concurrent) = (request.max_payload_in_mb.unwrap_or(0), given(request.max_concurrent_transforms));
        if payload.saturating_mul(concurrent.unwrap_or(1)) > MOST_UNDER_WAY {
            return refused(format!(
                "MaxPayloadInMB, and MaxConcurrentTransforms times MaxPayloadInMB, cannot exceed {MOST_UNDER_WAY} MB."
            ));
        }
        if request.data_capture_config.as_ref().and_then(|config| config.generate_inference_id) == Some(true) {
            return refused("This fake captures batch transforms without GenerateInferenceId.".to_owned());
        }
        request.association().map_err(ApiError::validation)?;
        Ok(request)
    }

    /// Whether a record is a line.
    pub(super) fn by_line(&self) -> bool {
        self.transform_input.split_type.as_deref() == Some("Line")
    }

    /// Whether what is kept of every record is a line.
    pub(super) fn assembles_by_line(&self) -> bool {
        self.transform_output.assemble_with.as_deref() == Some("Line")
    }

    /// How inferences are associated with their records. The error is a sentence.
    pub(super) fn association(&self) -> Result<Association, String> {
        Association::new(
            &self.data_processing,
            self.transform_input.content_type.as_deref(),
            self.transform_output.accept.as_deref(),
            self.by_line(),
            self.assembles_by_line(),
        )
    }

    /// What is to be transformed.
    pub(super) fn input(&self) -> Input {
        let S3DataSource { s3_data_type, s3_uri } = &self.transform_input.data_source.s3_data_source;
        Input {
            name: "transform".to_owned(),
            uri: s3_uri.clone(),
            data: *s3_data_type,
            folder: String::new(),
            sharded: false,
            gzip: false,
        }
    }

    /// What a container is told of how it will be asked: what the job itself says.
    pub(super) fn announced(&self) -> impl Iterator<Item = (&'static str, String)> {
        let concurrent = given(self.max_concurrent_transforms).map(|most| most.to_string());
        let said = [
            ("SAGEMAKER_BATCH", Some("true".to_owned())),
            ("SAGEMAKER_MAX_CONCURRENT_TRANSFORMS", concurrent),
            ("SAGEMAKER_MAX_PAYLOAD_IN_MB", self.max_payload_in_mb.map(|most| most.to_string())),
            ("SAGEMAKER_BATCH_STRATEGY", self.batch_strategy.map(|strategy| strategy.written().to_owned())),
        ];
        said.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }

    /// As the job says, else as its container says, else as SageMaker does by itself.
    pub(super) fn manner(&self, container: &ExecutionParameters) -> Manner {
        let strategy = container.batch_strategy.as_deref().and_then(Strategy::of);
        Manner {
            concurrent: given(self.max_concurrent_transforms)
                .or(given(container.max_concurrent_transforms))
                .unwrap_or(1)
                .min(MOST_UNDER_WAY),
            max_payload: self.max_payload_in_mb.or(container.max_payload_in_mb).unwrap_or(MAX_PAYLOAD),
            strategy: self.batch_strategy.or(strategy).unwrap_or(Strategy::MultiRecord),
        }
    }

    /// How long an answer may take; ten minutes if nothing is said.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs(self.model_client_config.invocations_timeout_in_seconds.unwrap_or(600))
    }

    /// How often a request that failed is made again; three times if nothing is said.
    pub(super) fn retries(&self) -> usize {
        self.model_client_config.invocations_max_retries.unwrap_or(3)
    }
}

/// Zero says nothing.
fn given(number: Option<usize>) -> Option<usize> {
    number.filter(|number| *number > 0)
}

impl Strategy {
    /// As containers write it, in either of two ways.
    fn of(text: &str) -> Option<Self> {
        match text.replace('_', "").to_lowercase().as_str() {
            "singlerecord" => Some(Self::SingleRecord),
            "multirecord" => Some(Self::MultiRecord),
            _ => None,
        }
    }

    /// As containers are told.
    pub(super) fn written(self) -> &'static str {
        match self {
            Self::SingleRecord => "SINGLE_RECORD",
            Self::MultiRecord => "MULTI_RECORD",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(more: Value) -> Result<Request, ApiError> {
        let mut request = json!({
            "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in"}}},
            "TransformOutput": {"S3OutputPath": "s3://b/out"},
        });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Request::read(&request)
    }

    #[test]
    fn the_job_says_how_to_ask_then_the_container_then_sagemaker() {
        fn check(asked: Value, container: Value, concurrent: usize, max_payload: usize, strategy: Strategy) {
            let container: ExecutionParameters = serde_json::from_value(container).unwrap();
            let manner = request(asked).unwrap().manner(&container);
            assert_eq!(manner, Manner { concurrent, max_payload, strategy });
        }
        let own = json!({"MaxConcurrentTransforms": 4, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 2});
        check(json!({}), json!({}), 1, 6, Strategy::MultiRecord);
        check(json!({}), own.clone(), 4, 2, Strategy::SingleRecord);
        check(json!({"MaxConcurrentTransforms": 0, "MaxPayloadInMB": 0}), own.clone(), 4, 0, Strategy::SingleRecord);
        let asked = json!({"MaxConcurrentTransforms": 8, "MaxPayloadInMB": 1, "BatchStrategy": "MultiRecord"});
        check(asked, own, 8, 1, Strategy::MultiRecord);
    }

    #[test]
    fn containers_are_told_what_the_job_says() {
        let told: Vec<_> = request(json!({"BatchStrategy": "SingleRecord"})).unwrap().announced().collect();
        let expected = [("SAGEMAKER_BATCH", "true"), ("SAGEMAKER_BATCH_STRATEGY", "SINGLE_RECORD")];
        assert_eq!(told, expected.map(|(name, value)| (name, value.to_owned())));
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        fn check(more: Value, said: &str) {
            let refused = request(more).unwrap_err();
            assert!(refused.message.contains(said), "{refused}");
        }
        check(json!({"MaxPayloadInMB": 101}), "cannot exceed 100 MB");
        check(json!({"MaxPayloadInMB": 10, "MaxConcurrentTransforms": 11}), "cannot exceed 100 MB");
        check(json!({"DataProcessing": {"JoinSource": "Input"}}), "DataProcessing needs ContentType");
        let source = json!({"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in"}});
        check(json!({"TransformInput": {"DataSource": source, "SplitType": "RecordIO"}}), "not by RecordIO");
        let capture = json!({"DestinationS3Uri": "s3://b/c", "GenerateInferenceId": true});
        check(json!({"DataCaptureConfig": capture}), "without GenerateInferenceId");
    }
}
