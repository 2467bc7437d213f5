//! A client for the few calls that are not worth an SDK: AWS's JSON protocol on the SDKs' own machinery, so that
//! retries, timeouts, signatures and the refusals of a dry run are the same as everywhere.

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
use serde_json::Value;

use super::config::endpoint;
use super::dry::{Mode, ReadsOnly};

/// A service by its JSON protocol.
#[derive(Debug, Clone)]
pub struct Client {
    config: SdkConfig,
    service_id: &'static str,
    /// What the service is called in signatures and host names.
    name: &'static str,
    mode: Mode,
}

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
    pub(super) fn new(config: &SdkConfig, service_id: &'static str, name: &'static str, mode: Mode) -> Self {
        Self { config: config.clone(), service_id, name, mode }
    }

    /// Calls `operation` of the API `version`, e.g. `GetLogEvents` of `Logs_20140328`.
    ///
    /// # Errors
    /// As any SDK's: the service's refusal, or why there is no answer.
    pub async fn call(
        &self,
        version: &str,
        operation: &str,
        input: &Value,
    ) -> Result<Value, SdkError<ServiceError, HttpResponse>> {
        let target = format!("{version}.{operation}");
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
            .serializer(move |body: String| request(&target, body))
            .deserializer(answer);
        if let Some(http) = config.http_client() {
            call = call.http_client(http);
        }
        if let Some(sleep) = config.sleep_impl() {
            call = call.sleep_impl(sleep);
        }
        if self.mode == Mode::Dry {
            call = call.interceptor(ReadsOnly);
        }
        call.build().invoke(input.to_string()).await
    }

    fn endpoint(&self) -> String {
        endpoint(&self.config, self.service_id).unwrap_or_else(|| {
            let region = self.region();
            let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
            format!("https://{}.{region}.{domain}", self.name)
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
            region: self.config.region().cloned().map(SigningRegion::from),
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

fn request(target: &str, body: String) -> Result<HttpRequest, aws_smithy_runtime_api::box_error::BoxError> {
    let request = http::Request::builder()
        .method("POST")
        .uri("/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", target)
        .header("user-agent", concat!("stsmodelmonitor/", env!("CARGO_PKG_VERSION")))
        .body(SdkBody::from(body))?;
    Ok(request.try_into()?)
}

fn answer(response: &HttpResponse) -> Result<Value, OrchestratorError<ServiceError>> {
    let body = response.body().bytes().unwrap_or_default();
    let json = serde_json::from_slice::<Value>(body);
    if response.status().is_success() {
        return json.map_err(OrchestratorError::other);
    }
    let json = json.unwrap_or_default();
    let text = |names: [&str; 2]| names.iter().find_map(|name| json[*name].as_str()).map(str::to_owned);
    let mut metadata = ErrorMetadata::builder();
    // A service may put its namespace before the code, or a URL behind it.
    let code = text(["__type", "code"]).map(|code| {
        let code = code.rsplit('#').next().unwrap_or_default();
        code.split(':').next().unwrap_or_default().to_owned()
    });
    if let Some(code) = code {
        metadata = metadata.code(code);
    }
    if let Some(message) = text(["message", "Message"]) {
        metadata = metadata.message(message);
    }
    Err(OrchestratorError::operation(ServiceError { metadata: metadata.build(), status: response.status().as_u16() }))
}
