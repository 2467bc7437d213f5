//! The protocols: which service and operation a request means, and how its answer is written.
//!
//! SageMaker, CloudWatch Logs and Service Quotas speak awsJson 1.1, AWS STS and IAM speak awsQuery, CloudWatch speaks those
//! two and rpc-v2-cbor, SageMaker's runtime speaks restJson ([`runtime`]). S3 is a protocol of its own and
//! lives in [`crate::s3`]; [`route`] only says that a request is for it.

mod authenticate;
mod caller;
mod cbor;
mod content;
mod credential;
mod date;
mod json;
mod query;
mod route;
pub mod runtime;
mod service;
pub mod signature;
mod xml;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

use authenticate::{FIVE_MINUTES, identify};
pub(crate) use authenticate::{QUARTER_OF_AN_HOUR, authenticate};
pub use caller::{CredentialFault, caller};
pub use credential::{Credential, DEFAULT_REGION};
pub(crate) use date::date;
pub(crate) use query::{decode, encode, pairs};
pub use route::{Route, route};
pub use service::Service;

use crate::account::Caller;
use crate::calls::Call;
use crate::fake::Context;
use crate::faults::{self, CallFault, Way};
use crate::{ApiError, Fake};

/// Whether answers are checked against AWS's own model before they are sent, as tests want.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Checked {
    /// Sent as they are.
    #[default]
    No,
    /// An answer that AWS's model does not allow is replaced by an internal failure that says what is wrong with it.
    Yes,
}

/// The header in which CloudWatch names an error as the query protocol does.
const QUERY_ERROR: &str = "x-amzn-query-error";

/// The header that names a request, for whoever asks AWS about it.
static REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Answers a request for any service but S3: finds out who calls what, validates, acts, writes the answer and remembers
/// the call. Blocks while the store is written; never panics.
pub fn answer(fake: &Fake, route: &Route, request: &signature::Request<'_>, checked: Checked) -> Response<Bytes> {
    let mut fault = None;
    let acted = catch_unwind(AssertUnwindSafe(|| act(fake, route, request, checked, &mut fault)));
    let acted = acted.unwrap_or_else(|panic| Err(ApiError::internal(panic_message(&*panic))));
    let mut response = write(fake, route, acted);
    if let Some(on_the_wire) = fault.as_ref().and_then(CallFault::on_the_wire) {
        response.extensions_mut().insert(on_the_wire);
    }
    response
}

/// Refuses a request whose body is not looked at, and remembers it.
pub(crate) fn refuse(fake: &Fake, route: &Route, request: &signature::Request<'_>, error: ApiError) -> Response<Bytes> {
    let (region, who) = identify(fake, request, QUARTER_OF_AN_HOUR);
    remember(fake, route.names(), region, who, request.headers, Some(error.code.clone()), None);
    write(fake, route, Err(error))
}

/// The refusal of a body that is longer than so many bytes.
pub(crate) fn too_long(longest: usize) -> ApiError {
    let message = format!("HTTP content length exceeded {longest} bytes.");
    ApiError::new("RequestEntityTooLargeException", message).with_status(StatusCode::PAYLOAD_TOO_LARGE)
}

/// A result in the words of the protocol of the request.
fn write(fake: &Fake, route: &Route, result: Result<serde_json::Value, ApiError>) -> Response<Bytes> {
    let request_id = fake.ids.uuid();
    let mut response = match route {
        Route::Query(service, operation) => query::write(*service, operation.as_deref(), result, &request_id),
        Route::Cbor(service, operation) => cbor::write(*service, operation, result),
        Route::Json(service, _) => json::write(Some(*service), result),
        Route::Unserved { .. } | Route::S3 | Route::Invoke(_) => json::write(None, result),
    };
    let request_id = HeaderValue::try_from(request_id).unwrap_or_else(|_| HeaderValue::from_static(""));
    response.headers_mut().insert(&REQUEST_ID, request_id);
    response.headers_mut().insert(header::DATE, date(fake));
    response
}

/// The answer in the shape of its operation's output; and what went wrong on request, if something did.
fn act(
    fake: &Fake,
    route: &Route,
    request: &signature::Request<'_>,
    checked: Checked,
    fault: &mut Option<CallFault>,
) -> Result<serde_json::Value, ApiError> {
    let signature::Request { headers, query, body, .. } = *request;
    let body = body.unwrap_or_default();
    let tolerance = if matches!(route, Route::Query(..)) { QUARTER_OF_AN_HOUR } else { FIVE_MINUTES };
    let (region, who) = identify(fake, request, tolerance);
    let (service, operation) = route.names();
    let mut call = |caller, service: Service, operation: &str, mut input| {
        let context = Context { fake, caller, region: &region, host: host(headers) };
        let struck = faults::strike(&context, service, operation, &mut input, Way::Wire);
        let (struck, refusal) = struck.map(|struck| (struck.fault, struck.refusal)).unzip();
        *fault = struck;
        refusal.flatten().map_or_else(|| service.call(&context, operation, input, checked), Err)
    };
    let result = match (route, &who) {
        (Route::Query(..), Err(fault)) => Err(fault.in_query()),
        (_, Err(fault)) => Err(fault.in_json()),
        (Route::Json(service, operation), Ok(caller)) => content::of(headers, body)
            .and_then(|body| json::read(&body))
            .and_then(|input| call(caller, *service, operation, input)),
        (Route::Cbor(service, operation), Ok(caller)) => content::of(headers, body)
            .and_then(|body| cbor::read(&body))
            .and_then(|input| call(caller, *service, operation, input)),
        (Route::Query(service, operation), Ok(caller)) => content::of(headers, body)
            .and_then(|body| query::read(*service, operation.as_deref(), query, &body))
            .and_then(|(operation, input)| call(caller, *service, &operation, input)),
        (Route::Unserved { .. } | Route::S3 | Route::Invoke(_), Ok(_)) => {
            Err(ApiError::new("UnknownOperationException", format!("{service}.{operation} is not served by this fake")))
        }
    };
    let error = result.as_ref().err().map(|error| error.code.clone());
    remember(fake, (service, operation), region, who, headers, error, fault.as_ref());
    result
}

/// What a request calls the host that it was sent to.
pub(crate) fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

/// Puts a call, of a service and an operation, on the record of calls.
pub(crate) fn remember(
    fake: &Fake,
    (service, operation): (&str, &str),
    region: String,
    who: Result<Caller, CredentialFault>,
    headers: &HeaderMap,
    error: Option<String>,
    fault: Option<&CallFault>,
) {
    fake.calls.push(Call {
        time: fake.clock.now(),
        service: service.to_owned(),
        operation: operation.to_owned(),
        region,
        caller: who.as_ref().map(|caller| caller.arn.clone()).unwrap_or_default(),
        session_tags: who.map(|caller| caller.session_tags().to_vec()).unwrap_or_default(),
        user_agent: headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned(),
        error,
        fault: fault.map(CallFault::name),
    });
}

/// A response with a body of this type.
fn response(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// What a panic said.
fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let said =
        panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    format!("an operation panicked: {}", said.unwrap_or_default())
}
