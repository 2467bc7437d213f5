//! AWS's REST protocol, as far as InvokeEndpoint needs it: the body goes and comes as it is.

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;

use super::{Answer, Client, Request, ServiceError, json, user_agent};

impl Client {
    /// Posts a body to a path, with these headers; the answer is the body that comes back.
    ///
    /// # Errors
    /// As any SDK's: the service's refusal, or why there is no answer.
    pub async fn post(&self, operation: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer<Vec<u8>> {
        let mut request = http::Request::builder().method("POST").uri(path).header("user-agent", user_agent());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request: Request = request.body(body).map_err(SdkError::construction_failure)?;
        self.send(operation, request, read).await
    }
}

fn read(response: &HttpResponse) -> Result<Vec<u8>, OrchestratorError<ServiceError>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        return Ok(body.to_vec());
    }
    // The code is a header here, and the message JSON.
    Err(json::refusal(response, response.headers().get("x-amzn-errortype")))
}
