//! The steps that make SageMaker models of artefacts: Model and RegisterModel.

use serde_json::{Map, Value, json};

use super::{Expr, strings};
use crate::definition::{Step, StepType};

/// A step that creates a model (CreateModel).
#[derive(Debug, Clone)]
pub struct ModelStep {
    name: String,
    arguments: Map<String, Value>,
}

impl ModelStep {
    /// A model of one container.
    ///
    /// `image` serves it, `model_data` is the S3 URI of its `model.tar.gz`, `role` an ARN.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        image: impl Into<Expr>,
        model_data: impl Into<Expr>,
        role: impl Into<Expr>,
    ) -> Self {
        let container = json!({
            "Image": Value::from(image.into()),
            "Environment": {},
            "ModelDataUrl": Value::from(model_data.into()),
        });
        let arguments = [("ExecutionRoleArn", role.into().into()), ("PrimaryContainer", container)];
        Self {
            name: name.into(),
            arguments: arguments.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(),
        }
    }

    /// An environment variable of the container.
    #[must_use]
    pub fn environment(mut self, name: impl Into<String>, value: impl Into<Expr>) -> Self {
        self.arguments["PrimaryContainer"]["Environment"][name.into()] = value.into().into_text().into();
        self
    }

    /// Runs the container in these subnets.
    #[must_use]
    pub fn network<S: Into<String>, G: Into<String>>(
        mut self,
        subnets: impl IntoIterator<Item = S>,
        security_groups: impl IntoIterator<Item = G>,
    ) -> Self {
        let vpc = json!({"SecurityGroupIds": strings(security_groups), "Subnets": strings(subnets)});
        self.arguments.insert("VpcConfig".to_owned(), vpc);
        self
    }
}

impl From<ModelStep> for Step {
    fn from(step: ModelStep) -> Self {
        Step::new(step.name, StepType::Model, Value::Object(step.arguments))
    }
}

/// A step that registers a model package (CreateModelPackage).
#[derive(Debug, Clone)]
pub struct RegisterModelStep {
    name: String,
    group: String,
    statistics: Option<Expr>,
    metadata: Map<String, Value>,
    containers: Vec<Value>,
    content_types: Vec<String>,
    response_types: Vec<String>,
    realtime_instances: Vec<String>,
    transform_instances: Vec<String>,
    approval_status: Expr,
}

impl RegisterModelStep {
    /// A new version in the model package group; its approval is pending until somebody gives it.
    #[must_use]
    pub fn new(name: impl Into<String>, group: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            group: group.into(),
            statistics: None,
            metadata: Map::new(),
            containers: Vec::new(),
            content_types: Vec::new(),
            response_types: Vec::new(),
            realtime_instances: Vec::new(),
            transform_instances: Vec::new(),
            approval_status: "PendingManualApproval".into(),
        }
    }

    /// Adds a container: the image that serves, and the S3 URI of its `model.tar.gz`.
    #[must_use]
    pub fn container(mut self, image: impl Into<Expr>, model_data: impl Into<Expr>) -> Self {
        let (image, model_data) = (Value::from(image.into()), Value::from(model_data.into()));
        self.containers.push(json!({"Image": image, "ModelDataUrl": model_data}));
        self
    }

    /// The MIME types that the model takes and gives.
    #[must_use]
    pub fn mime_types<T: Into<String>, R: Into<String>>(
        self,
        content_types: impl IntoIterator<Item = T>,
        response_types: impl IntoIterator<Item = R>,
    ) -> Self {
        Self { content_types: strings(content_types), response_types: strings(response_types), ..self }
    }

    /// The instance types that endpoints and batch transforms may use.
    #[must_use]
    pub fn instance_types<T: Into<String>, R: Into<String>>(
        self,
        realtime: impl IntoIterator<Item = T>,
        transform: impl IntoIterator<Item = R>,
    ) -> Self {
        Self { realtime_instances: strings(realtime), transform_instances: strings(transform), ..self }
    }

    /// `Approved`, `Rejected` or `PendingManualApproval`.
    #[must_use]
    pub fn approval_status(self, status: impl Into<Expr>) -> Self {
        Self { approval_status: status.into(), ..self }
    }

    /// The S3 URI of the model quality statistics (`evaluation.json`).
    #[must_use]
    pub fn quality_statistics(self, uri: impl Into<Expr>) -> Self {
        Self { statistics: Some(uri.into()), ..self }
    }

    /// A property of the package, for whoever finds it later.
    #[must_use]
    pub fn customer_metadata(mut self, key: impl Into<String>, value: impl Into<Expr>) -> Self {
        self.metadata.insert(key.into(), value.into().into_text().into());
        self
    }
}

impl From<RegisterModelStep> for Step {
    fn from(step: RegisterModelStep) -> Self {
        let mut arguments = Map::new();
        let mut set = |name: &str, value| arguments.insert(name.to_owned(), value);
        set("ModelPackageGroupName", step.group.into());
        if let Some(uri) = step.statistics {
            let statistics = json!({"ContentType": "application/json", "S3Uri": Value::from(uri)});
            // The SDK writes the two empty ones too.
            let metrics = json!({"ModelQuality": {"Statistics": statistics}, "Bias": {}, "Explainability": {}});
            set("ModelMetrics", metrics);
        }
        if !step.metadata.is_empty() {
            set("CustomerMetadataProperties", Value::Object(step.metadata));
        }
        let specification = json!({
            "Containers": step.containers,
            "SupportedContentTypes": step.content_types,
            "SupportedResponseMIMETypes": step.response_types,
            "SupportedRealtimeInferenceInstanceTypes": step.realtime_instances,
            "SupportedTransformInstanceTypes": step.transform_instances,
        });
        set("InferenceSpecification", specification);
        set("ModelApprovalStatus", step.approval_status.into());
        set("SkipModelValidation", "None".into());
        Step::new(step.name, StepType::RegisterModel, Value::Object(arguments))
    }
}
