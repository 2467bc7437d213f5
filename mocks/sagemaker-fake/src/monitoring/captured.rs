//! Where an endpoint captures what it is asked and answers.

use serde_json::json;

use crate::ApiError;
use crate::fake::Context;
use crate::sagemaker;

/// What is captured of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Captured {
    /// `s3://BUCKET/PREFIX`; below it are folders `ENDPOINT/VARIANT/YYYY/MM/DD/HH`.
    pub destination: String,
    /// The variants that serve.
    pub variants: Vec<String>,
}

impl Captured {
    /// That of an endpoint.
    ///
    /// # Errors
    /// `ValidationException` if there is no such endpoint, or nothing is captured of it.
    pub(crate) fn of(context: &Context<'_>, endpoint: &str) -> Result<Self, ApiError> {
        let described = sagemaker::perform(context, "DescribeEndpoint", json!({"EndpointName": endpoint}))?;
        let destination = described["DataCaptureConfig"]["DestinationS3Uri"].as_str().ok_or_else(|| {
            ApiError::validation(format!(
                "Data capture is not configured for the endpoint {endpoint}, so that it cannot be monitored."
            ))
        })?;
        let variants = described["ProductionVariants"].as_array().into_iter().flatten();
        let variants = variants.filter_map(|variant| variant["VariantName"].as_str().map(str::to_owned)).collect();
        Ok(Self { destination: destination.to_owned(), variants })
    }
}
