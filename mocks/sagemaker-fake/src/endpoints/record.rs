//! The record of an endpoint and of what it deploys.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::authorisation::{NotAssumed, Work};
use crate::clock::Timestamp;
use crate::sagemaker::{model, names};
use crate::store::{Record, Records};
use crate::{ApiError, Fake};

/// Where an endpoint is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// Its first deployment is being made ready.
    Creating,
    /// It serves, and another deployment is being made ready or weights are being changed.
    Updating,
    /// It serves.
    InService,
    /// It never served; the reason is on record.
    Failed,
    /// It was told to go, and has not yet.
    Deleting,
}

impl Status {
    /// As the API writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Updating => "Updating",
            Self::InService => "InService",
            Self::Failed => "Failed",
            Self::Deleting => "Deleting",
        }
    }

    /// Whether nothing can be done with it just now.
    #[must_use]
    pub fn is_in_progress(self) -> bool {
        matches!(self, Self::Creating | Self::Updating | Self::Deleting)
    }
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its region.
    pub region: String,
    /// Its name, in the case it was given in.
    pub name: String,
    /// `arn:aws:sagemaker:REGION:ACCOUNT:endpoint/NAME`, the name in lower case.
    pub arn: String,
    /// Where it is in its life.
    pub status: Status,
    /// Why it failed, or why its last update did.
    pub failure_reason: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub modified: Timestamp,
    /// What serves.
    pub serving: Option<Deployment>,
    /// What is being made ready, to serve instead.
    pub pending: Option<Deployment>,
    /// `LastDeploymentConfig`.
    pub deployment_config: Option<Value>,
}

/// A configuration as it was when an endpoint took it over: deleting it, or its models, changes nothing here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    /// Tells it from the others of the endpoint.
    pub id: String,
    /// The name of its endpoint configuration.
    pub config: String,
    /// `DataCaptureConfig`, `AsyncInferenceConfig` ... of the configuration.
    pub details: Map<String, Value>,
    /// The production variants.
    pub variants: Vec<Variant>,
    /// When it was asked for.
    pub started: Timestamp,
}

/// A production variant that is deployed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// Unique in its deployment.
    pub name: String,
    /// Its share of the traffic, relative to the others'.
    pub weight: f64,
    /// The weight that it is to have.
    pub desired_weight: f64,
    /// How many instances it has; here, one process stands for all of them. None if it is serverless.
    pub instances: Option<u64>,
    /// How many it is to have.
    pub desired_instances: Option<u64>,
    /// `i-...`: names its log stream.
    pub instance_id: String,
    /// The variant of the configuration, in AWS's own shape.
    pub details: Map<String, Value>,
    /// What serves.
    pub container: Container,
}

/// The container of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Container {
    /// The URI of its image.
    pub image: String,
    /// `s3://BUCKET/KEY` of its `model.tar.gz`, if it has one.
    pub model_data_url: Option<String>,
    /// Its environment.
    pub environment: std::collections::BTreeMap<String, String>,
    /// `ExecutionRoleArn` of the model.
    pub role: Option<String>,
}

impl Record for Endpoint {
    const KIND: &'static str = "endpoint";
    fn key(&self) -> String {
        names::key(&self.region, &self.name)
    }
}

impl Endpoint {
    /// The log group of its containers.
    #[must_use]
    pub fn log_group(&self) -> String {
        format!("/aws/sagemaker/Endpoints/{}", self.name)
    }

    /// SageMaker at work as the role of one of its models. The error is SageMaker's sentence.
    pub(super) fn work<'a>(&'a self, fake: &'a Fake, role: Option<&str>) -> Result<Work<'a>, String> {
        let role = role.unwrap_or_default();
        let work = Work::start(fake, &self.region, role, &self.arn).map_err(|error| error.message)?;
        work.map_err(|NotAssumed| model::invalid_role(role))
    }
}

/// Changes an endpoint's record, if it is still there, and says so to whoever waits for it.
pub(super) fn update(fake: &Fake, key: &str, f: impl FnOnce(&mut Endpoint)) -> Result<(), ApiError> {
    fake.store.write(|change| {
        let Some(mut endpoint) = change.get::<Endpoint>(key)? else { return Ok(()) };
        f(&mut endpoint);
        endpoint.modified = fake.clock.now();
        change.put(&endpoint)
    })?;
    fake.engine.notify();
    Ok(())
}
