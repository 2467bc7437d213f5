//! A client for the few calls that are not worth an SDK: AWS's protocols on the SDKs' own machinery, so that retries,
//! timeouts, signatures and the refusals of a dry run are the same as everywhere.

mod json;
mod query;
mod rest;

pub use query::{Form, members};

use aws_config::SdkConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use aws_smithy_types::retry::{ErrorKind, ProvideErrorKind, RetryConfig};
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SigningName;
use aws_types::region::SigningRegion;

use super::config::endpoint;
use super::dry::{Mode, ReadsOnly};

/// A service.
#[derive(Debug, Clone)]
pub struct Client {
    config: SdkConfig,
    service_id: &'static str,
    /// What the service is called in signatures.
    name: &'static str,
    /// What its host is called in every region: mostly the same.
    host: &'static str,
    /// Where it is if it has one place for all regions: the host and the region that signatures name.
    global: Option<(&'static str, &'static str)>,
    mode: Mode,
}

/// What is sent, and how an answer is read.
type Request = http::Request<Vec<u8>>;
type Answer<T> = Result<T, SdkError<ServiceError, HttpResponse>>;

/// What the service said instead of an answer.
#[derive(Debug, thiserror::Error)]
#[error("{metadata}")]
pub struct ServiceError {
    metadata: ErrorMetadata,
    status: u16,
}

impl ProvideErrorMetadata for ServiceError {
    fn meta(&self) -> &ErrorMetadata {
        &self.metadata
    }
}

impl ProvideErrorKind for ServiceError {
    fn retryable_error_kind(&self) -> Option<ErrorKind> {
        let throttled = ProvideErrorMetadata::code(self)
            .is_some_and(|code| code.contains("Throttl") || code == "TooManyRequestsException");
        if throttled || self.status == 429 {
            return Some(ErrorKind::ThrottlingError);
        }
        (self.status >= 500).then_some(ErrorKind::ServerError)
    }

    fn code(&self) -> Option<&str> {
        ProvideErrorMetadata::code(self)
    }
}

impl Client {
    /// A client of the service that signatures call `name`, under the id by which its endpoint can be configured.
    #[must_use]
    pub fn new(config: &SdkConfig, service_id: &'static str, name: &'static str, mode: Mode) -> Self {
        Self { config: config.clone(), service_id, name, host: name, global: None, mode }
    }

    /// The same for a service whose host has another name.
    #[must_use]
    pub fn hosted_as(self, host: &'static str) -> Self {
        Self { host, ..self }
    }

    /// The same for a service that is at one place for all regions.
    #[must_use]
    pub fn at(self, host: &'static str, region: &'static str) -> Self {
        Self { global: Some((host, region)), ..self }
    }

    async fn send<T>(
        &self,
        operation: &str,
        request: Request,
        read: fn(&HttpResponse) -> Result<T, OrchestratorError<ServiceError>>,
    ) -> Answer<T>
    where
        T: std::fmt::Debug + Send + Sync + 'static,
    {
        let config = &self.config;
        let mut call = Operation::builder()
            .service_name(self.service_id)
            .operation_name(operation.to_owned())
            .endpoint_url(&self.endpoint())
            .standard_retry(&config.retry_config().cloned().unwrap_or_else(RetryConfig::standard))
            .retry_classifier(aws_runtime::retries::classifiers::AwsErrorCodeClassifier::<ServiceError>::new())
            .retry_classifier(TransientErrorClassifier::<ServiceError>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .timeout_config(config.timeout_config().cloned().unwrap_or_else(TimeoutConfig::disabled))
            .runtime_plugin(self.signing())
            .serializer(|request: Request| Ok(HttpRequest::try_from(request.map(SdkBody::from))?))
            .deserializer(read);
        if let Some(http) = config.http_client() {
            call = call.http_client(http);
        }
        if let Some(sleep) = config.sleep_impl() {
            call = call.sleep_impl(sleep);
        }
        if self.mode == Mode::Dry {
            call = call.interceptor(ReadsOnly);
        }
        call.build().invoke(request).await
    }

    fn endpoint(&self) -> String {
        endpoint(&self.config, self.service_id).unwrap_or_else(|| {
            if let Some((host, _)) = self.global {
                return format!("https://{host}");
            }
            let region = self.region();
            let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
            format!("https://{}.{region}.{domain}", self.host)
        })
    }

    fn region(&self) -> &str {
        self.config.region().map_or("us-east-1", AsRef::as_ref)
    }

    /// Signature Version 4, as the configuration's identity.
    fn signing(&self) -> StaticRuntimePlugin {
        let mut layer = Layer::new("signing");
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(SigV4OperationSigningConfig {
            region: match self.global {
                Some((_, region)) => Some(SigningRegion::from_static(region)),
                None => self.config.region().cloned().map(SigningRegion::from),
            },
            region_set: None,
            name: Some(SigningName::from_static(self.name)),
            signing_options: SigningOptions::default(),
        });
        let mut components = RuntimeComponentsBuilder::new("signing")
            .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
            .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
                StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
            )))
            .with_identity_cache(Some(IdentityCache::lazy().build()));
        if let Some(credentials) = self.config.credentials_provider() {
            components = components.with_identity_resolver(SCHEME_ID, credentials);
        }
        StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
    }
}

/// A request to the root of the service, which all of AWS's protocols but REST send.
fn post(content_type: &'static str) -> http::request::Builder {
    http::Request::builder()
        .method("POST")
        .uri("/")
        .header("content-type", content_type)
        .header("user-agent", user_agent())
}

fn user_agent() -> &'static str {
    concat!("stsmodelmonitor/", env!("CARGO_PKG_VERSION"))
}

/// A refusal with this code and sentence.
fn refused(code: Option<String>, message: Option<String>, response: &HttpResponse) -> OrchestratorError<ServiceError> {
    let mut metadata = ErrorMetadata::builder();
    if let Some(code) = code {
        metadata = metadata.code(code);
    }
    if let Some(message) = message {
        metadata = metadata.message(message);
    }
    OrchestratorError::operation(ServiceError { metadata: metadata.build(), status: response.status().as_u16() })
}
