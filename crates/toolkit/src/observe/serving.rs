//! What is registered to be served, and what is served.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::error::ProvideErrorMetadata;
use aws_sdk_sagemaker::operation::describe_model_package::DescribeModelPackageOutput;
use aws_sdk_sagemaker::types::{ModelApprovalStatus, SortOrder};

use super::{Seen, is_absent};
use crate::aws::errors::describe;
use crate::error::Failure;

/// A registered version of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its ARN.
    pub arn: String,
    /// Its number within the group.
    pub version: i32,
    /// `Approved`, `PendingManualApproval` or `Rejected`.
    pub approval: String,
    /// What the pipeline wrote beside it: `TestSet`, `BaselineSet`, ...
    pub metadata: HashMap<String, String>,
}

/// An endpoint, and how it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serving {
    /// The ARN of the endpoint.
    pub arn: String,
    /// `InService`, `Updating`, `Failed`, ...
    pub status: String,
    /// Why it failed, or why the last update did.
    pub failure: Option<String>,
    /// How it serves; nothing if the configuration is gone.
    pub config: Option<Config>,
}

/// An endpoint configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Its name.
    pub name: String,
    /// The models of its variants.
    pub models: Vec<String>,
    /// The instance types of its variants.
    pub instance_types: Vec<String>,
    /// Where it captures to, if it does.
    pub capture: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// The newest approved version of the group, by its number, over all pages.
///
/// # Errors
/// When a call is refused.
pub async fn newest_approved(sagemaker: &Client, group: &str) -> Result<Option<Package>, Failure> {
    let listed = sagemaker.list_model_packages().model_package_group_name(group);
    let listed = listed.model_approval_status(ModelApprovalStatus::Approved).sort_order(SortOrder::Descending);
    let mut pages = listed.into_paginator().send();
    let mut newest: Option<(i32, String)> = None;
    while let Some(page) = pages.next().await {
        let page = match page {
            Ok(page) => page,
            Err(error) if is_absent(error.code(), error.message()) => return Ok(None),
            Err(error) => return Err(describe("ListModelPackages", error)),
        };
        let found = page.model_package_summary_list.unwrap_or_default().into_iter();
        let found = found.filter_map(|summary| summary.model_package_version.zip(summary.model_package_arn));
        newest = newest.into_iter().chain(found).max();
    }
    match newest {
        Some((_, arn)) => package(sagemaker, &arn).await.map(Some),
        None => Ok(None),
    }
}

/// A registered version, by its ARN.
///
/// # Errors
/// When the call is refused.
pub async fn package(sagemaker: &Client, arn: &str) -> Result<Package, Failure> {
    let found = sagemaker.describe_model_package().model_package_name(arn).send().await;
    let DescribeModelPackageOutput {
        model_package_arn,
        model_package_version,
        model_approval_status,
        customer_metadata_properties,
        ..
    } = found.map_err(|error| describe("DescribeModelPackage", error))?;
    Ok(Package {
        arn: model_package_arn.unwrap_or_else(|| arn.to_owned()),
        version: model_package_version.unwrap_or_default(),
        approval: model_approval_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        metadata: customer_metadata_properties.unwrap_or_default(),
    })
}

/// The endpoint of this name.
///
/// # Errors
/// When a call is refused.
pub async fn endpoint(sagemaker: &Client, name: &str) -> Result<Seen<Serving>, Failure> {
    let found = match sagemaker.describe_endpoint().endpoint_name(name).send().await {
        Ok(found) => found,
        Err(error) if is_absent(error.code(), error.message()) => return Ok(Seen::Absent),
        Err(error) => return Err(describe("DescribeEndpoint", error)),
    };
    let config = match found.endpoint_config_name {
        Some(config) => self::config(sagemaker, &config).await?,
        None => None,
    };
    Ok(Seen::Present(Serving {
        arn: found.endpoint_arn.unwrap_or_default(),
        status: found.endpoint_status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        failure: found.failure_reason,
        config,
    }))
}

/// The endpoint configuration of this name; nothing if there is none.
///
/// # Errors
/// When a call is refused.
pub async fn config(sagemaker: &Client, name: &str) -> Result<Option<Config>, Failure> {
    let found = match sagemaker.describe_endpoint_config().endpoint_config_name(name).send().await {
        Ok(found) => found,
        Err(error) if is_absent(error.code(), error.message()) => return Ok(None),
        Err(error) => return Err(describe("DescribeEndpointConfig", error)),
    };
    let variants = found.production_variants.unwrap_or_default();
    let capture = found.data_capture_config.filter(|capture| capture.enable_capture == Some(true));
    Ok(Some(Config {
        name: name.to_owned(),
        models: variants.iter().filter_map(|variant| variant.model_name.clone()).collect(),
        instance_types: variants
            .iter()
            .filter_map(|variant| variant.instance_type.as_ref().map(|it| it.as_str().to_owned()))
            .collect(),
        capture: capture.and_then(|capture| capture.destination_s3_uri),
        tags: super::tags(sagemaker, found.endpoint_config_arn.as_deref().unwrap_or_default()).await?,
    }))
}

/// Whether there is a model of this name.
///
/// # Errors
/// When the call is refused.
pub async fn has_model(sagemaker: &Client, name: &str) -> Result<bool, Failure> {
    match sagemaker.describe_model().model_name(name).send().await {
        Ok(_) => Ok(true),
        Err(error) if is_absent(error.code(), error.message()) => Ok(false),
        Err(error) => Err(describe("DescribeModel", error)),
    }
}
