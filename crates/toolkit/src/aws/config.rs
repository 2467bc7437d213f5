//! The one place where the configuration of the AWS SDK is made.

use std::collections::HashMap;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::service_config::ServiceConfigKey;

use crate::settings::Settings;

/// Whom to speak to.
pub enum Target<'a> {
    /// AWS, as the settings and `~/.aws` say.
    Aws,
    /// The fake, as a user of its scenario; neither the environment nor `~/.aws` is read.
    Fake {
        /// Where it listens.
        url: &'a str,
        /// The user's keys, if it has any.
        keys: Option<Credentials>,
    },
}

/// The configuration for a target. Credentials are looked for when the first call needs them.
pub async fn load(settings: &Settings, target: Target<'_>, http: SharedHttpClient) -> SdkConfig {
    let variables = &settings.aws.variables;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .app_name(AppName::new("stsmodelmonitor").expect("the name is made of allowed characters"))
        .region(Region::new(settings.region.clone()))
        .http_client(http)
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(5))
                .read_timeout(Duration::from_secs(120))
                .build(),
        );
    // Whoever set these knows better.
    if !["AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"].iter().any(|name| variables.contains_key(*name)) {
        let retries = RetryConfig::standard().with_max_attempts(5);
        loader = loader.retry_config(match target {
            Target::Aws => retries,
            // Nobody there has to be spared.
            Target::Fake { .. } => retries.with_initial_backoff(Duration::from_millis(10)),
        });
    }
    match target {
        Target::Aws => {
            let mut variables = variables.clone();
            if !variables.contains_key(NO_INSTANCE_METADATA) && !on_ec2() {
                variables.insert(NO_INSTANCE_METADATA.to_owned(), "true".to_owned());
            }
            loader = loader.env(Env::from(variables));
            if let Some(profile) = &settings.profile {
                loader = loader.profile_name(profile);
            }
            if let Some(url) = &settings.endpoint_url {
                loader = loader.endpoint_url(url);
            }
        }
        Target::Fake { url, keys } => {
            let nothing = HashMap::from([(NO_INSTANCE_METADATA.to_owned(), "true".to_owned())]);
            loader = loader.env(Env::from(nothing)).fs(Fs::from_slice(&[])).endpoint_url(url);
            if let Some(keys) = keys {
                loader = loader.credentials_provider(keys);
            }
        }
    }
    loader.load().await
}

/// Elsewhere than on EC2 nobody answers, and the last link of the credentials chain would take seconds to notice.
const NO_INSTANCE_METADATA: &str = "AWS_EC2_METADATA_DISABLED";

/// Whether the firmware says that this machine is one of EC2. Where there is no such file, the variable
/// `AWS_EC2_METADATA_DISABLED=false` says it.
fn on_ec2() -> bool {
    std::fs::read_to_string("/sys/class/dmi/id/sys_vendor").is_ok_and(|vendor| vendor.trim() == "Amazon EC2")
}

/// An HTTP client for AWS: TLS by rustls and ring, proxies as the environment says.
#[must_use]
pub fn https() -> SharedHttpClient {
    let tls = tls::Provider::Rustls(CryptoMode::Ring);
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().tls_provider(tls.clone()).proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    })
}

/// An HTTP client for the fake: no TLS, no proxies, no certificates to load.
#[must_use]
pub fn http() -> SharedHttpClient {
    Builder::new().build_http()
}

/// The endpoint that is configured for a service, in the order of the SDK: what was said in code, what the environment
/// or the profile says of this service, what they say of all. Nothing means AWS's own.
pub(crate) fn endpoint(config: &SdkConfig, service_id: &str) -> Option<String> {
    let general = config.endpoint_url().map(str::to_owned);
    if config.get_origin("endpoint_url").is_client_config() {
        return general;
    }
    let key =
        ServiceConfigKey::builder().service_id(service_id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let of_service = key.ok().and_then(|key| config.service_config()?.load_config(key));
    of_service.or(general)
}
