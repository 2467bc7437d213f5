//! Replaces the expressions of a value by what they stand for in one execution.

use serde_json::{Map, Value};

use crate::{
    expression::{Expression, ExpressionError, JsonFile, Reference},
    path::{Path, PathError, kind_of},
    pointer::Place,
};

/// What the expressions of a definition can refer to while it is executed.
pub trait Scope {
    /// `Execution.VARIABLE`, e.g. `PipelineExecutionId`.
    fn execution(&self, variable: &str) -> Option<Value>;

    /// `Parameters.NAME`, typed: an Integer as a JSON integer, a Float as a JSON float.
    fn parameter(&self, name: &str) -> Option<Value>;

    /// `Steps.NAME`: the Describe response of what the step made, as JSON; of a Lambda or Callback step
    /// `{"OutputParameters": {...}}`, of a Condition step `{"Outcome": ...}`. `None`: the step has not succeeded.
    fn step(&self, name: &str) -> Option<Value>;

    /// The content of a property file that a step declares.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    fn property_file(&self, step: &str, file: &str) -> Result<Value, String>;

    /// The content of a JSON object in S3.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    fn s3_json(&self, uri: &str) -> Result<Value, String>;

    /// `PipelineExperimentConfig.MEMBER`, resolved. None unless implemented: few definitions refer to it.
    fn experiment_config(&self, _member: &str) -> Option<Value> {
        None
    }
}

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{expression} at '{pointer}': {reason}")]
pub struct ResolveError {
    /// The expression as compact JSON, cut when it is long.
    pub expression: String,
    /// JSON pointer to it, relative to the value that was to be resolved.
    pub pointer: String,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What can be wrong with an expression.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// It is not well-formed.
    #[error(transparent)]
    Malformed(#[from] ExpressionError),
    /// The `Path` of a `Std:JsonGet` is not one.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The execution has no such parameter.
    #[error("parameter '{0}' is undefined")]
    Parameter(String),
    /// There is no such execution variable.
    #[error("execution variable '{0}' is undefined")]
    Variable(String),
    /// The pipeline's experiment configuration has no such member.
    #[error("PipelineExperimentConfig has no member '{0}'")]
    ExperimentConfig(String),
    /// The step has not run, or does not exist.
    #[error("step '{0}' has no properties: it has not succeeded in this execution")]
    Step(String),
    /// The step's properties do not contain the path.
    #[error("step '{step}': {reason}")]
    Property {
        /// The step.
        step: String,
        /// Where its properties end.
        reason: String,
    },
    /// The JSON file cannot be had.
    #[error("cannot read {file}: {reason}")]
    File {
        /// Which file.
        file: String,
        /// Why.
        reason: String,
    },
    /// The JSON file does not contain the path.
    #[error("{file}: {reason}")]
    Content {
        /// Which file.
        file: String,
        /// Where its content ends.
        reason: String,
    },
    /// A property file outside `Std:JsonGet`.
    #[error("a property file can only be read with Std:JsonGet")]
    BarePropertyFile,
    /// A part of the expression has a value of the wrong kind.
    #[error("{part} is {found}, not {expected}")]
    Kind {
        /// Which part: `On`, `Values/2`, `Path`.
        part: String,
        /// What its value is.
        found: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// The members of a condition do not fit together.
    #[error("{0}")]
    Condition(String),
    /// Nested too deeply to be meant.
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// As deep as serde_json reads; a value built in memory may be deeper and must not exhaust the stack.
pub(crate) const MAX_DEPTH: usize = 128;

/// Replaces every expression in `value`, however deep, by its value. What an expression stands for is data and is not
/// looked at again. Values keep their JSON type (an Integer parameter gives a number, even where the API call wants a
/// string): only the receiver knows what it wants.
///
/// # Errors
/// The first expression without a value.
pub fn resolve(value: &Value, scope: &dyn Scope) -> Result<Value, ResolveError> {
    at(value, scope, Place::ROOT, 0)
}

/// The text that `Std:Join` makes of a scalar: `3` for an Integer, `3.0` for a Float; `None` for what is no scalar.
#[must_use]
pub fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

pub(crate) fn at(value: &Value, scope: &dyn Scope, place: Place<'_>, depth: usize) -> Result<Value, ResolveError> {
    let fail = |reason| error(value, place, reason);
    if depth > MAX_DEPTH {
        return Err(fail(Reason::TooDeep));
    }
    match (Expression::of(value).map_err(|e| fail(e.into()))?, value) {
        (Some(expression), _) => evaluate(value, &expression, scope, place, depth),
        (None, Value::Object(object)) => {
            let member = |(name, member): (&String, &Value)| {
                Ok((name.clone(), at(member, scope, place.member(name), depth + 1)?))
            };
            object.iter().map(member).collect::<Result<Map<_, _>, _>>().map(Value::Object)
        }
        (None, Value::Array(items)) => {
            let item = |(i, item)| at(item, scope, place.item(i), depth + 1);
            items.iter().enumerate().map(item).collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        (None, scalar) => Ok(scalar.clone()),
    }
}

pub(crate) fn error(value: &Value, place: Place<'_>, reason: Reason) -> ResolveError {
    const LONGEST: usize = 200;
    // A value too deep to resolve is too deep to print.
    let mut expression = if reason == Reason::TooDeep { "expression".to_owned() } else { value.to_string() };
    if let Some((cut, _)) = expression.char_indices().nth(LONGEST) {
        expression.truncate(cut);
        expression.push_str("...");
    }
    ResolveError { expression, pointer: place.to_string(), reason }
}

fn evaluate(
    value: &Value,
    expression: &Expression<'_>,
    scope: &dyn Scope,
    place: Place<'_>,
    depth: usize,
) -> Result<Value, ResolveError> {
    let fail = |reason| error(value, place, reason);
    match expression {
        Expression::Get(reference) => get(reference, scope).map_err(fail),
        Expression::Join { on, values } => {
            let body = place.member("Std:Join");
            let on = match on {
                Some(on) => at(on, scope, body.member("On"), depth + 1)?,
                None => Value::from(""),
            };
            let on = on.as_str().ok_or_else(|| fail(kind("On", &on, "a string")))?;
            let values = at(values, scope, body.member("Values"), depth + 1)?;
            let values = values.as_array().ok_or_else(|| fail(kind("Values", &values, "a list")))?;
            let text = |(i, value)| {
                text_of(value).ok_or_else(|| fail(kind(&format!("Values/{i}"), value, "a string, number or boolean")))
            };
            let texts = values.iter().enumerate().map(text).collect::<Result<Vec<_>, _>>()?;
            Ok(Value::from(texts.join(on)))
        }
        Expression::JsonGet { file, path } => {
            let body = place.member("Std:JsonGet");
            let path = at(path, scope, body.member("Path"), depth + 1)?;
            let path = path.as_str().ok_or_else(|| fail(kind("Path", &path, "a string")))?;
            let path: Path = path.parse().map_err(|e: PathError| fail(e.into()))?;
            let (file, content) = match file {
                JsonFile::PropertyFile { step, file } => {
                    (format!("property file '{file}' of step '{step}'"), scope.property_file(step, file))
                }
                JsonFile::S3Uri(uri) => {
                    let uri = at(uri, scope, body.member("S3Uri"), depth + 1)?;
                    let uri = uri.as_str().ok_or_else(|| fail(kind("S3Uri", &uri, "a string")))?;
                    (uri.to_owned(), scope.s3_json(uri))
                }
            };
            let content = content.map_err(|reason| fail(Reason::File { file: file.clone(), reason }))?;
            path.find(&content).cloned().map_err(|reason| fail(Reason::Content { file, reason }))
        }
    }
}

fn get(reference: &Reference<'_>, scope: &dyn Scope) -> Result<Value, Reason> {
    match reference {
        Reference::Parameter(name) => scope.parameter(name).ok_or_else(|| Reason::Parameter((*name).to_owned())),
        Reference::Execution(variable) => {
            scope.execution(variable).ok_or_else(|| Reason::Variable((*variable).to_owned()))
        }
        Reference::ExperimentConfig(member) => {
            scope.experiment_config(member).ok_or_else(|| Reason::ExperimentConfig((*member).to_owned()))
        }
        Reference::Property { step, path } => {
            let properties = scope.step(step).ok_or_else(|| Reason::Step((*step).to_owned()))?;
            let found = path.find(&properties);
            found.cloned().map_err(|reason| Reason::Property { step: (*step).to_owned(), reason })
        }
        Reference::PropertyFile { .. } => Err(Reason::BarePropertyFile),
    }
}

fn kind(part: &str, found: &Value, expected: &'static str) -> Reason {
    Reason::Kind { part: part.to_owned(), found: kind_of(found), expected }
}
