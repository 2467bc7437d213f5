//! SageMaker's runtime, which speaks restJson: InvokeEndpoint, whose parameters are headers and whose body is the model's.

use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value, json};

use super::authenticate::{FIVE_MINUTES, identify};
use super::signature::Request;
use super::{CredentialFault, REQUEST_ID, Service, date, host, remember, response};
use crate::endpoints::invoke::{self, Inference, Invocation, Refusal};
use crate::fake::Context;
use crate::faults::{self, CallFault, Way};
use crate::validation::Api;
use crate::{ApiError, Fake, authorisation};

/// The longest body of a request, in bytes.
pub const LONGEST_BODY: usize = invoke::LONGEST_BODY;

/// The operation that is served.
pub const OPERATION: &str = "InvokeEndpoint";

/// The members of the input that are headers.
const HEADERS: [(&str, &str); 9] = [
    ("ContentType", "content-type"),
    ("Accept", "accept"),
    ("CustomAttributes", invoke::CUSTOM_ATTRIBUTES),
    ("InferenceId", "x-amzn-sagemaker-inference-id"),
    ("TargetVariant", "x-amzn-sagemaker-target-variant"),
    ("TargetModel", "x-amzn-sagemaker-target-model"),
    ("TargetContainerHostname", "x-amzn-sagemaker-target-container-hostname"),
    ("InferenceComponentName", "x-amzn-sagemaker-inference-component"),
    ("SessionId", "x-amzn-sagemaker-session-id"),
];

/// Those that this fake has nothing to answer for.
const UNSERVED: [&str; 4] = ["TargetModel", "TargetContainerHostname", "InferenceComponentName", "SessionId"];

/// The name of the endpoint in a path that invokes one.
pub(super) fn endpoint(path: &str) -> Option<&str> {
    path.strip_prefix("/endpoints/")?.strip_suffix("/invocations").filter(|name| !name.contains('/'))
}

/// Answers an InvokeEndpoint request, whose body is absent if it is too long. Does not block while the model works.
pub async fn invoke(fake: &Fake, endpoint: &str, request: &Request<'_>, body: Option<Bytes>) -> Response<Bytes> {
    let headers = request.headers;
    let (region, who) = identify(fake, request, FIVE_MINUTES);
    let mut fault = None;
    let result = match (&who, body) {
        (Err(fault), _) => Err(refused(*fault).into()),
        (_, None) => {
            let message = format!("HTTP content length exceeded {LONGEST_BODY} bytes.");
            Err(ApiError::new("", message).with_status(StatusCode::PAYLOAD_TOO_LARGE).into())
        }
        (Ok(caller), Some(body)) => {
            let context = Context { fake, caller, region: &region, host: host(headers) };
            let asked = read(endpoint, headers, body).and_then(|invocation| {
                let mut input = json!({"EndpointName": endpoint});
                if let Some(struck) = faults::strike(&context, Service::SageMaker, OPERATION, &mut input, Way::Wire) {
                    let refusal = struck.refusal.map(|error| in_words_of_runtime(error, &struck.fault));
                    fault = Some(struck.fault);
                    refusal.map_or(Ok(()), Err)?;
                }
                let allowed = authorisation::check(&context, Service::SageMaker, OPERATION, &input);
                allowed.map(|()| invocation).map_err(|error| error.with_status(StatusCode::FORBIDDEN))
            });
            match asked {
                Ok(invocation) => invoke::invoke(&context, &invocation).await,
                Err(error) => Err(error.into()),
            }
        }
    };
    let error = result.as_ref().err().map(|refusal| match refusal {
        Refusal::Service(error) => error.code.clone(),
        Refusal::Model { .. } => "ModelError".to_owned(),
    });
    remember(fake, ("sagemaker", OPERATION), region, who, headers, error, fault.as_ref());
    let mut response = result.map_or_else(failed, answered);
    if let Ok(id) = HeaderValue::from_str(&fake.ids.uuid()) {
        response.headers_mut().insert(&REQUEST_ID, id);
    }
    response.headers_mut().insert(header::DATE, date(fake));
    if let Some(on_the_wire) = fault.as_ref().and_then(CallFault::on_the_wire) {
        response.extensions_mut().insert(on_the_wire);
    }
    response
}

/// The input, checked against AWS's constraints.
fn read(endpoint: &str, headers: &HeaderMap, body: Bytes) -> Result<Invocation, ApiError> {
    let given = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let members = HEADERS.iter().filter_map(|(member, name)| Some(((*member).to_owned(), json!(given(name)?))));
    let mut input = Map::from_iter(members);
    input.insert("EndpointName".to_owned(), json!(endpoint));
    // It is measured while it is read.
    input.insert("Body".to_owned(), json!(""));
    let input = Value::Object(input);
    api().check_input(OPERATION, &input, "ValidationError")?;
    if let Some(unserved) = UNSERVED.iter().find(|member| input[**member].is_string()) {
        return Err(ApiError::new(
            "ValidationError",
            format!("This fake serves one model a variant: {unserved} is not supported."),
        ));
    }
    let text = |member: &str| input[member].as_str().map(str::to_owned);
    Ok(Invocation {
        endpoint: endpoint.to_owned(),
        content_type: text("ContentType"),
        accept: text("Accept"),
        custom_attributes: text("CustomAttributes"),
        inference_id: text("InferenceId"),
        target_variant: text("TargetVariant"),
        body,
    })
}

fn api() -> &'static Api {
    static API: OnceLock<Api> = OnceLock::new();
    API.get_or_init(|| Api::read(include_str!("../../../api/sagemaker-runtime.json")))
}

/// The runtime says with another status that somebody may not do something.
fn in_words_of_runtime(error: ApiError, fault: &CallFault) -> ApiError {
    match fault {
        CallFault::AccessDenied | CallFault::ExpiredToken => error.with_status(StatusCode::FORBIDDEN),
        _ => error,
    }
}

fn refused(fault: CredentialFault) -> ApiError {
    fault.in_json().with_status(StatusCode::FORBIDDEN)
}

fn answered(inference: Inference) -> Response<Bytes> {
    let mut response = Response::new(inference.body);
    let headers = response.headers_mut();
    if let Some(content_type) = inference.content_type {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    if let Some(attributes) = inference.custom_attributes {
        headers.insert(invoke::CUSTOM_ATTRIBUTES, attributes);
    }
    if let Ok(variant) = HeaderValue::from_str(&inference.variant) {
        headers.insert("x-amzn-invoked-production-variant", variant);
    }
    response
}

fn failed(refusal: Refusal) -> Response<Bytes> {
    let (code, status, body) = match refusal {
        Refusal::Service(error) => (error.code, error.status, json!({"Message": error.message})),
        Refusal::Model { message, original_status, original_message, log_stream_arn } => {
            let body = json!({
                "ErrorCode": if original_status == 0 || original_status >= 500 { "INTERNAL_FAILURE_FROM_MODEL" } else { "CLIENT_ERROR_FROM_MODEL" },
                "LogStreamArn": log_stream_arn,
                "Message": message,
                "OriginalMessage": original_message,
                "OriginalStatusCode": original_status,
            });
            ("ModelError".to_owned(), StatusCode::FAILED_DEPENDENCY, body)
        }
    };
    let mut response = response(status, "application/json", body.to_string());
    if let Some(code) = HeaderValue::from_str(&code).ok().filter(|code| !code.is_empty()) {
        response.headers_mut().insert("x-amzn-errortype", code);
    }
    response
}
