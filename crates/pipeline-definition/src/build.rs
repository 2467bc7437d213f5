//! A typed builder for definitions, with the shape that the SageMaker Python SDK emits.
//!
//! ```
//! use pipeline_definition::{Parameter, build::*};
//!
//! let input = Parameter::string("InputDataUrl").with_default("s3://bucket/pairs.tsv");
//! let role = "arn:aws:iam::123456789012:role/sts-execution";
//! let definition = Pipeline::new()
//!     .step(
//!         ProcessingStep::new("Preprocess", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/sts-container:1", role)
//!             .arguments(["preprocess"])
//!             .input("pairs", &input, "/opt/ml/processing/input")
//!             .output("train", "/opt/ml/processing/train", "s3://bucket/train")
//!             .cache("P30D"),
//!     )
//!     .parameter(input)
//!     .build();
//! assert!(definition.to_json().contains(r#"{"Get":"Parameters.InputDataUrl"}"#));
//! ```

use serde_json::{Map, Number, Value, json};

use crate::definition::{CacheConfig, Definition, Parameter, ParameterType, PropertyFile, RetryPolicy, Step};

mod condition;
mod expr;
mod jobs;
mod model;

pub use condition::{Condition, ConditionStep, FailStep};
pub use expr::Expr;
pub use jobs::{ProcessingStep, TrainingStep};
pub use model::{ModelStep, RegisterModelStep};

/// A definition being built.
#[derive(Debug, Clone)]
pub struct Pipeline(Definition);

impl Pipeline {
    /// A pipeline without parameters and steps: grammar 2020-12-01, and the SDK's experiment configuration (an
    /// experiment of the pipeline's name, a trial of the execution's id).
    #[must_use]
    pub fn new() -> Self {
        let experiment = json!({
            "ExperimentName": Value::from(Expr::execution("PipelineName")),
            "TrialName": Value::from(Expr::execution("PipelineExecutionId")),
        });
        Self(Definition {
            version: Some("2020-12-01".to_owned()),
            metadata: Some(json!({})),
            experiment_config: Some(experiment),
            ..Definition::default()
        })
    }

    /// Declares a parameter.
    #[must_use]
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.0.parameters.push(parameter);
        self
    }

    /// Adds a step at the top level.
    #[must_use]
    pub fn step(mut self, step: impl Into<Step>) -> Self {
        self.0.steps.push(step.into());
        self
    }

    /// The definition. Whether its steps form a graph is for [`crate::Graph::new`] to say.
    #[must_use]
    pub fn build(self) -> Definition {
        // The SDK writes the list even when there is nothing in it.
        let other = if self.0.parameters.is_empty() { empty_list("Parameters") } else { Map::new() };
        Definition { other, ..self.0 }
    }
}

impl Default for Pipeline {
    fn default() -> Self {
        Self::new()
    }
}

/// What every type of step may have beside its arguments. The first of these methods makes a [`Step`] of a builder.
pub trait StepOptions: Into<Step> {
    /// Waits for these steps too, though nothing of theirs is used.
    fn depends_on<N: Into<String>>(self, steps: impl IntoIterator<Item = N>) -> Step {
        let mut step = self.into();
        step.depends_on.extend(steps.into_iter().map(Into::into));
        step
    }

    /// Lets a run of the same step that is not older than `expire_after` (ISO 8601, e.g. `P30D`) stand in for a new one.
    fn cache(self, expire_after: impl Into<String>) -> Step {
        let config = CacheConfig { enabled: true, expire_after: Some(expire_after.into()), other: Map::new() };
        Step { cache_config: Some(config), ..self.into() }
    }

    /// Declares a JSON file of an output, so that [`Expr::json_get`] can read it.
    fn property_file(
        self,
        name: impl Into<String>,
        output_name: impl Into<String>,
        file_path: impl Into<String>,
    ) -> Step {
        let mut step = self.into();
        step.property_files.push(PropertyFile {
            name: name.into(),
            output_name: output_name.into(),
            file_path: file_path.into(),
            other: Map::new(),
        });
        step
    }

    /// Adds a retry policy.
    fn retry(self, policy: RetryPolicy) -> Step {
        let mut step = self.into();
        step.retry_policies.push(policy);
        step
    }

    /// What a person reads instead of the name.
    fn display_name(self, name: impl Into<String>) -> Step {
        Step { display_name: Some(name.into()), ..self.into() }
    }

    /// What the step is for.
    fn description(self, text: impl Into<String>) -> Step {
        Step { description: Some(text.into()), ..self.into() }
    }
}

impl<T: Into<Step>> StepOptions for T {}

impl Parameter {
    /// A parameter of type String.
    #[must_use]
    pub fn string(name: impl Into<String>) -> Self {
        Self::of(name.into(), ParameterType::String)
    }

    /// A parameter of type Integer.
    #[must_use]
    pub fn integer(name: impl Into<String>) -> Self {
        Self::of(name.into(), ParameterType::Integer)
    }

    /// A parameter of type Float.
    #[must_use]
    pub fn float(name: impl Into<String>) -> Self {
        Self::of(name.into(), ParameterType::Float)
    }

    /// A parameter of type Boolean.
    #[must_use]
    pub fn boolean(name: impl Into<String>) -> Self {
        Self::of(name.into(), ParameterType::Boolean)
    }

    /// The value of executions that give none.
    #[must_use]
    pub fn with_default(self, value: impl Into<Value>) -> Self {
        Self { default: Some(value.into()), ..self }
    }

    /// The only values allowed.
    #[must_use]
    pub fn with_enum_values<V: Into<Value>>(self, values: impl IntoIterator<Item = V>) -> Self {
        Self { enum_values: values.into_iter().map(Into::into).collect(), ..self }
    }

    fn of(name: String, kind: ParameterType) -> Self {
        Self { name, kind, default: None, enum_values: Vec::new(), other: Map::new() }
    }
}

impl RetryPolicy {
    /// Retries these exceptions (`Step.THROTTLING`, `SageMaker.CAPACITY_ERROR`, ...) at most `attempts` times (up to 20):
    /// the first time after a second, then after twice the interval before.
    #[must_use]
    pub fn up_to_attempts<E: Into<String>>(exceptions: impl IntoIterator<Item = E>, attempts: u32) -> Self {
        Self { max_attempts: Some(attempts.into()), ..Self::of(exceptions) }
    }

    /// Retries these exceptions for at most `minutes` (up to 14400), at the same intervals.
    #[must_use]
    pub fn up_to_minutes<E: Into<String>>(exceptions: impl IntoIterator<Item = E>, minutes: u32) -> Self {
        Self { expire_after_min: Some(minutes.into()), ..Self::of(exceptions) }
    }

    /// Another interval before the first retry than one second, and another factor than two between intervals.
    #[must_use]
    pub fn with_interval(self, seconds: u32, backoff_rate: f64) -> Self {
        // A factor that JSON cannot hold leaves SageMaker's own default, which is two.
        Self { interval_seconds: Some(seconds.into()), backoff_rate: Number::from_f64(backoff_rate), ..self }
    }

    fn of<E: Into<String>>(exceptions: impl IntoIterator<Item = E>) -> Self {
        let exception_types = exceptions.into_iter().map(Into::into).collect();
        Self { exception_types, ..Self::default() }.with_interval(1, 2.0)
    }
}

fn empty_list(name: &str) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), Value::Array(Vec::new()))])
}

fn strings<S: Into<String>>(items: impl IntoIterator<Item = S>) -> Vec<String> {
    items.into_iter().map(Into::into).collect()
}
