//! SageMaker Runtime: asking an endpoint.

use super::errors::describe;
use super::signed;
use crate::error::Failure;

/// SageMaker Runtime.
#[derive(Debug, Clone)]
pub struct Client(signed::Client);

impl Client {
    pub(super) fn new(client: signed::Client) -> Self {
        Self(client)
    }

    /// Asks an endpoint about rows of features, in CSV, under an id of the caller's: the answer, in CSV.
    ///
    /// # Errors
    /// When the call or the model refuses, or there is no answer.
    pub async fn invoke(&self, endpoint: &str, inference_id: &str, rows: String) -> Result<Vec<u8>, Failure> {
        let path = format!("/endpoints/{endpoint}/invocations");
        let csv = "text/csv";
        let headers = [("content-type", csv), ("accept", csv), ("x-amzn-sagemaker-inference-id", inference_id)];
        let answer = self.0.post("InvokeEndpoint", &path, &headers, rows.into_bytes()).await;
        answer.map_err(|error| describe("InvokeEndpoint", error))
    }
}
