//! awsJson, 1.1 or 1.0: an object in, an object out.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::{QUERY_ERROR, Service, response};
use crate::ApiError;

/// The type of version 1.1, and of 1.0, which is CloudWatch's.
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
const CONTENT_TYPE_1_0: &str = "application/x-amz-json-1.0";

/// The codes that the models of SageMaker and Service Quotas declare. Their sentence stands under `Message`; that of any
/// other error, which the models do not know, under `message`. Clients read both.
const MODELLED: &[&str] = &[
    "ConflictException",
    "InvalidPaginationTokenException",
    "NoSuchResourceException",
    "QuotaExceededException",
    "ResourceInUse",
    "ResourceLimitExceeded",
    "ResourceNotFound",
    "ServiceException",
    "TooManyRequestsException",
];

/// The input. No body at all is an empty object.
pub(super) fn read(body: &[u8]) -> Result<Value, ApiError> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(input @ Value::Object(_)) => Ok(input),
        Ok(_) => Err(ApiError::new("SerializationException", "The body of the request is not a JSON object")),
        Err(error) => {
            Err(ApiError::new("SerializationException", format!("The body of the request is not JSON: {error}")))
        }
    }
}

/// The answer of a service, or of none.
pub(super) fn write(service: Option<Service>, result: Result<Value, ApiError>) -> Response<Bytes> {
    let content_type = if service == Some(Service::CloudWatch) { CONTENT_TYPE_1_0 } else { CONTENT_TYPE };
    match result {
        // An operation without output answers with an empty body, which is not even an object.
        Ok(Value::Null) => response(StatusCode::OK, content_type, Bytes::new()),
        Ok(output) => match serde_json::to_vec(&output) {
            Ok(body) => response(StatusCode::OK, content_type, body),
            Err(error) => write(service, Err(ApiError::internal(error))),
        },
        Err(error) => {
            let key = if MODELLED.contains(&error.code.as_str()) { "Message" } else { "message" };
            let body = json!({"__type": error.code, key: error.message}).to_string();
            let mut response = response(error.status, content_type, body);
            if let Some(query_error) = service.and_then(|service| service.query_error(&error)) {
                response.headers_mut().insert(QUERY_ERROR, query_error);
            }
            if let Ok(code) = HeaderValue::from_str(&error.code) {
                response.headers_mut().insert("x-amzn-errortype", code);
            }
            response
        }
    }
}
