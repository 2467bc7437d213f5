//! Where an endpoint captures what it is asked and answers.

use serde_json::{Value, json};

use crate::ApiError;
use crate::fake::Context;
use crate::sagemaker;

/// What is captured of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Captured {
    /// `s3://BUCKET/PREFIX`; below it are folders `ENDPOINT/VARIANT/YYYY/MM/DD/HH`.
    pub destination: String,
    /// Its variants.
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
        let mut variants = names(&described["ProductionVariants"]);
        if variants.is_empty() {
            // It does not serve yet, or any more: its configuration says what it would serve.
            let config = json!({"EndpointConfigName": described["EndpointConfigName"]});
            variants = names(&sagemaker::perform(context, "DescribeEndpointConfig", config)?["ProductionVariants"]);
        }
        Ok(Self { destination: destination.to_owned(), variants })
    }
}

fn names(variants: &Value) -> Vec<String> {
    let names = variants.as_array().into_iter().flatten().filter_map(|variant| variant["VariantName"].as_str());
    names.map(str::to_owned).collect()
}
