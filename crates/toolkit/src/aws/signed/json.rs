//! AWS's JSON protocol.

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use serde_json::Value;

use super::{Answer, Client, ServiceError, post, refused};

impl Client {
    /// Calls `operation` of the API `version`, e.g. `GetLogEvents` of `Logs_20140328`.
    ///
    /// # Errors
    /// As any SDK's: the service's refusal, or why there is no answer.
    pub async fn call(&self, version: &str, operation: &str, input: &Value) -> Answer<Value> {
        let request = post("application/x-amz-json-1.1")
            .header("x-amz-target", format!("{version}.{operation}"))
            .body(input.to_string().into_bytes())
            .map_err(SdkError::construction_failure)?;
        self.send(operation, request, read).await
    }
}

fn read(response: &HttpResponse) -> Result<Value, OrchestratorError<ServiceError>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        return serde_json::from_slice(body).map_err(OrchestratorError::other);
    }
    Err(refusal(response, None))
}

/// The refusal in a JSON body; a code that came in a header counts for more.
pub(super) fn refusal(response: &HttpResponse, code: Option<&str>) -> OrchestratorError<ServiceError> {
    let json = serde_json::from_slice::<Value>(response.body().bytes().unwrap_or_default()).unwrap_or_default();
    let text = |names: [&str; 2]| names.iter().find_map(|name| json[*name].as_str()).map(str::to_owned);
    // A service may put its namespace before the code, or a URL behind it.
    let code = code.map(str::to_owned).or_else(|| text(["__type", "code"])).map(|code| {
        let code = code.rsplit('#').next().unwrap_or_default();
        code.split(':').next().unwrap_or_default().to_owned()
    });
    refused(code, text(["message", "Message"]), response)
}
