//! What calls about models and endpoints send.

use serde::Serialize;

use super::Tag;
use crate::settings::Network;

/// A model made of a registered package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewModel {
    /// Unique in the region.
    pub name: String,
    /// The ARN of the package.
    pub package: String,
    /// The ARN of the role that the container works as.
    pub role: String,
    /// The network that it runs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// How an endpoint serves: one variant that gets all the traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewEndpointConfig {
    /// Unique in the region.
    pub name: String,
    /// The name of the model.
    pub model: String,
    /// E.g. `ml.m5.xlarge`.
    pub instance_type: String,
    /// What is captured, if anything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capture: Option<Capture>,
    /// Encrypts the disks and what is captured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
}

/// What of the traffic is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Capture {
    /// Of the calls, 1 to 100.
    pub percent: u8,
    /// The prefix in S3 that it is kept under.
    pub destination: String,
}

/// An endpoint, and the configuration that it serves by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewEndpoint {
    /// Unique in the region.
    pub name: String,
    /// The name of the configuration.
    pub config: String,
    /// Its tags; an update leaves those that it has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}
