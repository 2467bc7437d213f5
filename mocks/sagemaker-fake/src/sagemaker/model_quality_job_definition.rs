//! Definitions of jobs that watch a model's quality.

use serde_json::Value;

use super::monitoring_job_definition::{self as definition, MonitoringType};
use crate::ApiError;
use crate::fake::Context;

const TYPE: MonitoringType = MonitoringType::ModelQuality;

pub(super) fn create(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    check(input)?;
    definition::create(context, TYPE, input)
}

pub(super) fn describe(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    definition::describe(context, TYPE, input)
}

pub(super) fn delete(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    definition::delete(context, TYPE, input)
}

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    definition::list(context, TYPE, input)
}

/// What the shapes of AWS's model do not say, of these definitions alone.
fn check(input: &Value) -> Result<(), ApiError> {
    let refused = |message: &str| Err(ApiError::validation(message));
    let job_input = &input["ModelQualityJobInput"];
    if job_input["GroundTruthS3Input"]["S3Uri"].is_null() {
        return refused("GroundTruthS3Input must have an S3Uri.");
    }
    // Which of the two inputs there is, is checked of all definitions.
    let endpoint = &job_input["EndpointInput"];
    let (inference, probability) = (&endpoint["InferenceAttribute"], &endpoint["ProbabilityAttribute"]);
    match input["ModelQualityAppSpecification"]["ProblemType"].as_str() {
        None => refused("ProblemType is required for a model quality job definition."),
        _ if endpoint.is_null() => Ok(()),
        Some("BinaryClassification") if inference.is_null() && probability.is_null() => {
            refused("BinaryClassification needs InferenceAttribute or ProbabilityAttribute.")
        }
        Some("Regression" | "MulticlassClassification") if inference.is_null() => {
            refused("InferenceAttribute is required for this ProblemType.")
        }
        Some(_) => Ok(()),
    }
}
