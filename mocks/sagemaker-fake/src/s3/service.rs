//! S3 over HTTP: the `s3s` protocol layer, with the operations behind it.

use std::sync::Arc;

use axum::BoxError;
use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use s3s::host::{S3Host, VirtualHost};
use s3s::service::S3ServiceBuilder;
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::access::{Access, Identity, NoSignatures};
use super::envelope;
use super::operations::Operations;
use crate::calls::Call;
use crate::faults::CallFault;
use crate::protocol::{
    Credential, CredentialFault, DEFAULT_REGION, QUARTER_OF_AN_HOUR, authenticate, caller, date, signature,
};
use crate::{ApiError, Fake};

/// S3 as a service that a door can call. Cheap to clone.
#[derive(Clone)]
pub struct S3Service {
    fake: Fake,
    protocol: s3s::service::S3Service,
}

/// S3 of this fake.
///
/// Signatures are taken as they come, as everywhere in a fake that does not enforce IAM: the key says who is calling, a
/// session's token must be one of ours and alive, a presigned URL must not be past its end. Checksums of contents are
/// verified.
///
/// A door hands over every request that is for S3, whatever its body, and sends back what it gets:
///
/// ```
/// # #[tokio::main]
/// # async fn main() {
/// let fake = sagemaker_fake::Fake::builder().build().unwrap();
/// let s3 = sagemaker_fake::s3::service(&fake);
/// let door = axum::Router::new().fallback(move |request: axum::extract::Request| async move { s3.call(request).await });
/// # let _: axum::Router = door;
/// # }
/// ```
pub fn service(fake: &Fake) -> S3Service {
    let mut builder = S3ServiceBuilder::new(Operations(fake.clone()));
    builder.set_auth(NoSignatures);
    builder.set_access(Access(fake.clone()));
    builder.set_host(Localhost);
    S3Service { fake: fake.clone(), protocol: builder.build() }
}

impl S3Service {
    /// Answers a request. Both bodies are streamed; a refusal is an answer too.
    pub async fn call<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let identity = self.identify(&request);
        let user_agent = request
            .headers()
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let is_head = request.method() == Method::HEAD;
        let asks_first = request.headers().contains_key(header::EXPECT);
        let answered = match envelope::open(request.map(Body::new), self.fake.account_time()) {
            Ok(mut request) => {
                request.extensions_mut().insert(identity.clone());
                self.protocol.call(request).await.map_err(|error| ApiError::internal(format!("{error:?}")))
            }
            Err(error) => Err(error),
        };
        let response = match answered {
            Ok(response) => response,
            Err(error) => S3Error::from(error).to_http_response().unwrap_or_default(),
        };
        let request_id = self.fake.ids.base32(16);
        let (mut response, error) = finish(response, &request_id, is_head).await;
        response.headers_mut().insert(header::DATE, date(&self.fake));
        // Who asked before it sent its body, and is refused, sends none: its next request must not be taken for that body.
        if asks_first && error.is_some() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        self.fake.calls.push(Call {
            time: self.fake.clock.now(),
            service: "s3".to_owned(),
            operation: identity.operation.get().cloned().unwrap_or_default(),
            region: identity.region.unwrap_or_else(|| DEFAULT_REGION.to_owned()),
            caller: identity.caller.as_ref().map(|caller| caller.arn.clone()).unwrap_or_default(),
            session_tags: identity.caller.map(|caller| caller.session_tags().to_vec()).unwrap_or_default(),
            user_agent,
            error,
            fault: identity.fault.get().map(CallFault::name),
        });
        if let Some(on_the_wire) = identity.fault.get().and_then(CallFault::on_the_wire) {
            response.extensions_mut().insert(on_the_wire);
        }
        response
    }

    fn identify<B>(&self, request: &Request<B>) -> Identity {
        let (fake, headers) = (&self.fake, request.headers());
        let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
        let credential = Credential::of(headers, query);
        // Presigned the old way, by Signature Version 2, the key is all there is.
        let old = query.split('&').find_map(|pair| pair.strip_prefix("AWSAccessKeyId="));
        let who = match (&credential, old) {
            // S3 takes it for no bucket that was made after June 2020.
            (None, Some(_)) if fake.enforces_iam() => Err(CredentialFault::Outdated),
            (None, Some(key)) if !headers.contains_key(header::AUTHORIZATION) => caller(fake, Some(key), None),
            _ => {
                let request = signature::Request { method: request.method(), path, query, headers, body: None };
                authenticate(fake, credential.as_ref(), &request, QUARTER_OF_AN_HOUR)
            }
        };
        let region = credential.map(|credential| credential.region);
        Identity { caller: who, region, operation: Arc::default(), fault: Arc::default() }
    }
}

/// What AWS adds to every answer, and to errors that `s3s` words by their code alone. Says which error it is, if any.
async fn finish(response: s3s::HttpResponse, request_id: &str, is_head: bool) -> (Response<Body>, Option<String>) {
    let (mut parts, body) = response.into_parts();
    if let Ok(id) = HeaderValue::from_str(request_id) {
        parts.headers.insert("x-amz-request-id", id.clone());
        parts.headers.insert("x-amz-id-2", id);
    }
    parts.headers.insert(header::SERVER, HeaderValue::from_static("AmazonS3"));
    if parts.status == StatusCode::NOT_MODIFIED {
        parts.headers.remove(header::CONTENT_TYPE);
        return (Response::from_parts(parts, Body::empty()), None);
    }
    if parts.status.is_success() {
        return (Response::from_parts(parts, Body::new(body)), None);
    }
    let text =
        body.collect().await.map(|body| String::from_utf8_lossy(&body.to_bytes()).into_owned()).unwrap_or_default();
    let code =
        text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code.to_owned());
    let code = code.unwrap_or_else(|| parts.status.as_u16().to_string());
    parts.headers.remove(header::CONTENT_LENGTH);
    if is_head {
        return (Response::from_parts(parts, Body::empty()), Some(code));
    }
    let text = if text.contains("<Message>") {
        text
    } else {
        text.replacen("</Code>", &format!("</Code><Message>{}</Message>", sentence(&code)), 1)
    };
    let ids = format!("<RequestId>{request_id}</RequestId><HostId>{request_id}</HostId></Error>");
    let text = text.replacen("</Error>", &ids, 1);
    (Response::from_parts(parts, Body::from(text)), Some(code))
}

/// AWS's sentence for the errors that `s3s` raises without one.
fn sentence(code: &str) -> &'static str {
    match code {
        "InvalidBucketName" => "The specified bucket is not valid.",
        "InvalidURI" => "Couldn't parse the specified URI.",
        "KeyTooLongError" => "Your key is too long",
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        "MalformedXML" => "The XML you provided was not well-formed or did not validate against our published schema",
        "MaxMessageLengthExceeded" => "Your request was too big.",
        "MissingRequestBodyError" => "Request Body is empty",
        "MissingContentLength" => "You must provide the Content-Length HTTP header.",
        "NotImplemented" => "A header you provided implies functionality that is not implemented",
        "InternalError" => "We encountered an internal error. Please try again.",
        _ => "The request was refused.",
    }
}

impl From<ApiError> for S3Error {
    fn from(error: ApiError) -> Self {
        // AWS's other services say `InternalFailure` where S3 says `InternalError`.
        let code = if error.status == StatusCode::INTERNAL_SERVER_ERROR { "InternalError" } else { &error.code };
        let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
        let mut answer = S3Error::with_message(code, error.message);
        answer.set_status_code(error.status);
        answer
    }
}

/// Buckets in the name of the host: `BUCKET.localhost` and `BUCKET.s3.localhost`. In any other host the bucket is in
/// the path.
struct Localhost;

impl S3Host for Localhost {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let name = host.split(':').next().unwrap_or_default();
        let bucket = name.strip_suffix(".localhost").map(|rest| rest.strip_suffix(".s3").unwrap_or(rest));
        Ok(match bucket {
            Some(bucket) if bucket != "s3" => VirtualHost::new("localhost").with_bucket(bucket),
            _ => VirtualHost::new(name),
        })
    }
}
