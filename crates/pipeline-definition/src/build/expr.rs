//! Values that may be known now or only in the execution.

use serde_json::{Value, json};

use crate::{
    Parameter, ParameterType,
    path::{Path, Segment},
};

/// A value of a definition: a literal, or an expression that the execution replaces.
#[derive(Debug, Clone)]
pub struct Expr {
    value: Value,
    /// Whether it is certain to be a string when the execution has replaced it.
    is_text: bool,
}

impl Expr {
    /// `{"Get": "Parameters.NAME"}`. A `&Parameter` converts by itself.
    #[must_use]
    pub fn parameter(name: &str) -> Self {
        Self::get(&format!("Parameters.{name}"), false)
    }

    /// `{"Get": "Execution.VARIABLE"}`: StartDateTime, CurrentDateTime, PipelineName, PipelineArn, PipelineExecutionId
    /// or PipelineExecutionArn.
    #[must_use]
    pub fn execution(variable: &str) -> Self {
        Self::get(&format!("Execution.{variable}"), true)
    }

    /// `{"Get": "Steps.STEP.PATH"}`: a property of what the step made, by its path in the Describe response.
    #[must_use]
    pub fn property(step: &str, path: &str) -> Self {
        Self::get(&format!("Steps.{step}.{path}"), false)
    }

    /// Where a Processing step puts an output.
    #[must_use]
    pub fn processing_output(step: &str, output: &str) -> Self {
        let output = Path(vec![Segment::Key(output.to_owned())]);
        Self {
            is_text: true,
            ..Self::property(step, &format!("ProcessingOutputConfig.Outputs{output}.S3Output.S3Uri"))
        }
    }

    /// Where a Training step puts its model.
    #[must_use]
    pub fn model_artifacts(step: &str) -> Self {
        Self { is_text: true, ..Self::property(step, "ModelArtifacts.S3ModelArtifacts") }
    }

    /// `Std:Join`: the values as texts with `on` between them.
    #[must_use]
    pub fn join(on: &str, values: impl IntoIterator<Item = Expr>) -> Self {
        let values: Vec<Value> = values.into_iter().map(|value| value.value).collect();
        Self { value: json!({"Std:Join": {"On": on, "Values": values}}), is_text: true }
    }

    /// `Std:JsonGet`: one value of a step's property file; `path` is JSONPath without `$.`.
    #[must_use]
    pub fn json_get(step: &str, property_file: &str, path: &str) -> Self {
        let file = Self::property(step, &format!("PropertyFiles.{property_file}"));
        Self { value: json!({"Std:JsonGet": {"PropertyFile": file.value, "Path": path}}), is_text: false }
    }

    /// `Std:JsonGet`: one value of a JSON object in S3; `path` is JSONPath without `$.`.
    #[must_use]
    pub fn json_get_s3(uri: impl Into<Expr>, path: &str) -> Self {
        Self { value: json!({"Std:JsonGet": {"S3Uri": uri.into().value, "Path": path}}), is_text: false }
    }

    /// The same as a text, for places that take strings only (a hyperparameter, an environment variable).
    #[must_use]
    pub fn into_text(self) -> Self {
        match &self.value {
            _ if self.is_text => self,
            Value::Object(_) => Self::join("", [self]),
            literal => Self { value: Value::String(literal.to_string()), is_text: true },
        }
    }

    fn get(name: &str, is_text: bool) -> Self {
        Self { value: json!({ "Get": name }), is_text }
    }
}

impl From<Expr> for Value {
    fn from(expr: Expr) -> Self {
        expr.value
    }
}

impl From<&Parameter> for Expr {
    fn from(parameter: &Parameter) -> Self {
        Self { is_text: parameter.kind == ParameterType::String, ..Self::parameter(&parameter.name) }
    }
}

impl From<&Expr> for Expr {
    fn from(expr: &Expr) -> Self {
        expr.clone()
    }
}

macro_rules! literals {
    ($($literal:ty),*) => {$(
        /// A literal. A float that JSON cannot hold (NaN, infinities) becomes null.
        impl From<$literal> for Expr {
            fn from(literal: $literal) -> Self {
                let value = Value::from(literal);
                Self { is_text: value.is_string(), value }
            }
        }
    )*};
}

literals!(&str, String, bool, i32, i64, u32, u64, f64);

impl From<&String> for Expr {
    fn from(literal: &String) -> Self {
        literal.as_str().into()
    }
}
