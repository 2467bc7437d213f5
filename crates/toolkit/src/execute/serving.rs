//! Models, endpoint configurations, endpoints.

use aws_sdk_sagemaker::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sagemaker::types::{
    CaptureContentTypeHeader, CaptureMode, CaptureOption, ContainerDefinition, DataCaptureConfig, EndpointStatus,
    ProductionVariant, ProductionVariantInstanceType, VpcConfig,
};

use super::{Executor, sagemaker_tags};
use crate::aws::errors::describe;
use crate::error::Failure;
use crate::names::VARIANT;
use crate::plan::{Capture, NewEndpoint, NewEndpointConfig, NewModel};

impl Executor<'_> {
    pub(super) async fn create_model(&self, model: &NewModel) -> Result<(), Failure> {
        let NewModel { name, package, role, network, tags } = model;
        let container = ContainerDefinition::builder().model_package_name(package).build();
        let network = network.as_ref().map(|network| {
            VpcConfig::builder()
                .set_subnets(Some(network.subnets.clone()))
                .set_security_group_ids(Some(network.security_groups.clone()))
                .build()
        });
        let made = self
            .clients
            .sagemaker
            .create_model()
            .model_name(name)
            .primary_container(container)
            .execution_role_arn(role);
        let made = made.set_vpc_config(network).set_tags(Some(sagemaker_tags(tags))).send().await;
        unless_there("CreateModel", made)
    }

    pub(super) async fn create_endpoint_config(&self, config: &NewEndpointConfig) -> Result<(), Failure> {
        let NewEndpointConfig { name, model, instance_type, capture, kms_key, tags } = config;
        let variant = ProductionVariant::builder()
            .variant_name(VARIANT)
            .model_name(model)
            .instance_type(ProductionVariantInstanceType::from(instance_type.as_str()))
            .initial_instance_count(1)
            .initial_variant_weight(1.0)
            .build();
        let made =
            self.clients.sagemaker.create_endpoint_config().endpoint_config_name(name).production_variants(variant);
        let made = made
            .set_data_capture_config(capture.as_ref().map(|capture| data_capture(capture, kms_key.as_deref())))
            .set_kms_key_id(kms_key.clone())
            .set_tags(Some(sagemaker_tags(tags)));
        unless_there("CreateEndpointConfig", made.send().await)
    }

    pub(super) async fn create_endpoint(&self, endpoint: &NewEndpoint) -> Result<(), Failure> {
        let NewEndpoint { name, config, tags } = endpoint;
        let made = self.clients.sagemaker.create_endpoint().endpoint_name(name).endpoint_config_name(config);
        let made = made.set_tags(Some(sagemaker_tags(tags))).send().await;
        match made {
            Err(error) if is_there(&error) && self.is_led_to(endpoint).await => Ok(()),
            made => made.map(drop).map_err(|error| describe("CreateEndpoint", error)),
        }
    }

    /// Whether the endpoint has this configuration, or is on its way to it: the call was sent again because the answer was
    /// lost.
    async fn is_led_to(&self, endpoint: &NewEndpoint) -> bool {
        let Ok(found) = self.clients.sagemaker.describe_endpoint().endpoint_name(&endpoint.name).send().await else {
            return false;
        };
        let pending = found.pending_deployment_summary().map(|pending| pending.endpoint_config_name());
        [found.endpoint_config_name(), pending.flatten()].contains(&Some(endpoint.config.as_str()))
    }

    pub(super) async fn update_endpoint(&self, endpoint: &NewEndpoint) -> Result<(), Failure> {
        let NewEndpoint { name, config, .. } = endpoint;
        let done =
            self.clients.sagemaker.update_endpoint().endpoint_name(name).endpoint_config_name(config).send().await;
        match done {
            Err(error) if error.code() == Some("ValidationException") && self.is_led_to(endpoint).await => Ok(()),
            done => done.map(drop).map_err(|error| describe("UpdateEndpoint", error)),
        }
    }

    pub(super) async fn delete_endpoint(&self, name: &str) -> Result<(), Failure> {
        match self.clients.sagemaker.delete_endpoint().endpoint_name(name).send().await {
            // It was sent again because the answer was lost.
            Err(error) if error.code() == Some("ValidationException") && self.is_going(name).await => Ok(()),
            done => unless_gone("DeleteEndpoint", done),
        }
    }

    /// Whether the endpoint is being deleted.
    async fn is_going(&self, name: &str) -> bool {
        let found = self.clients.sagemaker.describe_endpoint().endpoint_name(name).send().await;
        found.is_ok_and(|found| found.endpoint_status() == Some(&EndpointStatus::Deleting))
    }

    pub(super) async fn delete_endpoint_config(&self, name: &str) -> Result<(), Failure> {
        let done = self.clients.sagemaker.delete_endpoint_config().endpoint_config_name(name).send().await;
        unless_gone("DeleteEndpointConfig", done)
    }

    pub(super) async fn delete_model(&self, name: &str) -> Result<(), Failure> {
        unless_gone("DeleteModel", self.clients.sagemaker.delete_model().model_name(name).send().await)
    }
}

/// Both sides of every call that is drawn; CSV and JSON lines as they are, all else in base64.
fn data_capture(capture: &Capture, kms_key: Option<&str>) -> DataCaptureConfig {
    let side = |mode| CaptureOption::builder().capture_mode(mode).build();
    let types = CaptureContentTypeHeader::builder()
        .csv_content_types("text/csv")
        .json_content_types("application/json")
        .json_content_types("application/jsonlines")
        .build();
    DataCaptureConfig::builder()
        .enable_capture(true)
        .initial_sampling_percentage(i32::from(capture.percent))
        .destination_s3_uri(&capture.destination)
        .set_kms_key_id(kms_key.map(str::to_owned))
        .capture_options(side(CaptureMode::Input))
        .capture_options(side(CaptureMode::Output))
        .capture_content_type_header(types)
        .build()
}

/// What is made by a name of its content is the same, whoever was quicker.
pub(super) fn unless_there<T, E>(call: &'static str, made: Result<T, SdkError<E>>) -> Result<(), Failure>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match made {
        Err(error) if is_there(&error) => Ok(()),
        made => made.map(drop).map_err(|error| describe(call, error)),
    }
}

/// Whether something was not made because there is one of its name.
pub(super) fn is_there<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.message().is_some_and(|message| message.contains("already exist"))
}

/// What shall not be there, and is not, is as it should be.
pub(super) fn unless_gone<T, E>(call: &'static str, done: Result<T, SdkError<E>>) -> Result<(), Failure>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match done {
        Err(error) if crate::observe::is_absent(error.code(), error.message()) => Ok(()),
        done => done.map(drop).map_err(|error| describe(call, error)),
    }
}
