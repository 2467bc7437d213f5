//! The grammar of expressions: `{"Get": ...}`, `{"Std:Join": ...}` and `{"Std:JsonGet": ...}`.
//!
//! An expression is an object with that one member. An object with more members is plain data, whatever they are called.

use serde_json::Value;

use crate::path::{Path, PathError, kind_of};

/// A recognised expression, borrowing from the value it was read from.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression<'a> {
    /// `{"Get": "..."}`: what a name stands for.
    Get(Reference<'a>),
    /// `{"Std:Join": {"On": "/", "Values": [...]}}`: the values as one text. `on` and `values` may be expressions.
    Join {
        /// The separator: a string (absent: the empty string).
        on: Option<&'a Value>,
        /// The list of values.
        values: &'a Value,
    },
    /// `{"Std:JsonGet": {"PropertyFile" | "S3Uri": ..., "Path": "a.b"}}`: one value of a JSON file.
    JsonGet {
        /// Which file.
        file: JsonFile<'a>,
        /// The path inside it, a string or an expression.
        path: &'a Value,
    },
}

/// The file that a `Std:JsonGet` reads.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonFile<'a> {
    /// `"PropertyFile": {"Get": "Steps.S.PropertyFiles.F"}`.
    PropertyFile {
        /// The step that wrote it.
        step: &'a str,
        /// The name it was declared with.
        file: &'a str,
    },
    /// `"S3Uri": ...`: a string or an expression.
    S3Uri(&'a Value),
}

/// What a `Get` names.
#[derive(Debug, Clone, PartialEq)]
pub enum Reference<'a> {
    /// `Parameters.X`
    Parameter(&'a str),
    /// `Execution.X`
    Execution(&'a str),
    /// `PipelineExperimentConfig.X`
    ExperimentConfig(&'a str),
    /// `Steps.S.A.B['key']`: a property of a step.
    Property {
        /// The step.
        step: &'a str,
        /// The path into what its Describe call answers; empty for the whole.
        path: Path,
    },
    /// `Steps.S.PropertyFiles.F`: only meaningful inside `Std:JsonGet`.
    PropertyFile {
        /// The step that wrote it.
        step: &'a str,
        /// The name it was declared with.
        file: &'a str,
    },
}

/// Why an object that looks like an expression is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// The text of a `Get` does not begin with one of the four roots.
    #[error("'{0}' must begin with Parameters., Execution., Steps. or PipelineExperimentConfig. and go on with a name")]
    Root(String),
    /// The path behind a step's name.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A member of the expression is missing or of another kind.
    #[error("{0}")]
    Shape(String),
    /// A function of the `Std:` family that does not exist.
    #[error("there is no function '{0}': Std:Join and Std:JsonGet are known")]
    UnknownFunction(String),
}

impl<'a> Expression<'a> {
    /// Recognises an expression. `None`: the value is plain data.
    ///
    /// # Errors
    /// The value is meant as an expression, but not a right one.
    pub fn of(value: &'a Value) -> Result<Option<Self>, ExpressionError> {
        let Value::Object(object) = value else { return Ok(None) };
        let (1, Some((name, body))) = (object.len(), object.iter().next()) else { return Ok(None) };
        match name.as_str() {
            "Get" => Reference::of(body).map(|r| Some(Expression::Get(r))),
            "Std:Join" => {
                let on = body.get("On");
                let values = member(name, body, "Values")?;
                Ok(Some(Expression::Join { on, values }))
            }
            "Std:JsonGet" => {
                let path = member(name, body, "Path")?;
                let file = match (body.get("PropertyFile"), body.get("S3Uri")) {
                    (Some(file), None) => property_file(file)?,
                    (None, Some(uri)) => JsonFile::S3Uri(uri),
                    _ => {
                        return Err(ExpressionError::Shape(format!("{name} needs PropertyFile or S3Uri, one of them")));
                    }
                };
                Ok(Some(Expression::JsonGet { file, path }))
            }
            function if function.starts_with("Std:") => Err(ExpressionError::UnknownFunction(function.to_owned())),
            _ => Ok(None),
        }
    }
}

impl<'a> Reference<'a> {
    /// Reads the text of a `Get`, e.g. `Steps.TrainSTSModel.ModelArtifacts.S3ModelArtifacts`.
    ///
    /// # Errors
    /// Another root than the four, a missing name, a malformed path.
    pub fn parse(text: &'a str) -> Result<Self, ExpressionError> {
        let root = || ExpressionError::Root(text.to_owned());
        let (family, rest) = text.split_once('.').filter(|(_, rest)| !rest.is_empty()).ok_or_else(root)?;
        match family {
            "Parameters" => Ok(Reference::Parameter(rest)),
            "Execution" => Ok(Reference::Execution(rest)),
            "PipelineExperimentConfig" => Ok(Reference::ExperimentConfig(rest)),
            "Steps" => {
                let (step, path) = rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()));
                if step.is_empty() {
                    return Err(root());
                }
                if let Some(file) = path.strip_prefix(".PropertyFiles.").filter(|file| !file.is_empty()) {
                    return Ok(Reference::PropertyFile { step, file });
                }
                // The path's own grammar has no leading dot.
                match path.strip_prefix('.') {
                    Some("") => Err(root()),
                    Some(path) => Ok(Reference::Property { step, path: path.parse()? }),
                    None => Ok(Reference::Property { step, path: path.parse()? }),
                }
            }
            _ => Err(root()),
        }
    }

    /// The step that is named, if one is.
    #[must_use]
    pub fn step(&self) -> Option<&'a str> {
        match self {
            Reference::Property { step, .. } | Reference::PropertyFile { step, .. } => Some(step),
            _ => None,
        }
    }

    fn of(body: &'a Value) -> Result<Self, ExpressionError> {
        let text =
            body.as_str().ok_or_else(|| ExpressionError::Shape(format!("Get is {}, not a string", kind_of(body))))?;
        Self::parse(text)
    }
}

fn member<'a>(function: &str, body: &'a Value, name: &str) -> Result<&'a Value, ExpressionError> {
    body.get(name).ok_or_else(|| ExpressionError::Shape(format!("{function} has no member {name}")))
}

fn property_file(value: &Value) -> Result<JsonFile<'_>, ExpressionError> {
    let text = value.as_object().filter(|object| object.len() == 1).and_then(|object| object.get("Get")?.as_str());
    match text.map(Reference::parse).transpose()? {
        Some(Reference::PropertyFile { step, file }) => Ok(JsonFile::PropertyFile { step, file }),
        _ => {
            Err(ExpressionError::Shape("PropertyFile must be {\"Get\": \"Steps.STEP.PropertyFiles.FILE\"}".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_read() {
        fn check(text: &str, expected: Reference<'_>) {
            assert_eq!(Reference::parse(text), Ok(expected), "{text}");
        }
        let property = |step, path: &str| Reference::Property { step, path: path.parse().unwrap() };
        check("Parameters.X", Reference::Parameter("X"));
        check("Execution.PipelineExecutionId", Reference::Execution("PipelineExecutionId"));
        check("PipelineExperimentConfig.TrialName", Reference::ExperimentConfig("TrialName"));
        check("Steps.Train-1.ModelArtifacts.S3ModelArtifacts", property("Train-1", "ModelArtifacts.S3ModelArtifacts"));
        check("Steps.L.OutputParameters['k']", property("L", "OutputParameters['k']"));
        check("Steps.L['k']", property("L", "['k']"));
        check("Steps.Whole", property("Whole", ""));
        check("Steps.E.PropertyFiles.report", Reference::PropertyFile { step: "E", file: "report" });
    }

    #[test]
    fn malformed_expressions_are_refused() {
        fn check(value: &Value, reason: &str) {
            assert_eq!(Expression::of(value).unwrap_err().to_string(), reason, "{value}");
        }
        const ROOTS: &str =
            "must begin with Parameters., Execution., Steps. or PipelineExperimentConfig. and go on with a name";
        for text in ["", "Parameters", "Parameters.", "parameters.X", "Step.S", "Steps.", "Steps.S.", "Steps..A"] {
            check(&json!({"Get": text}), &format!("'{text}' {ROOTS}"));
        }
        check(&json!({"Get": 3}), "Get is a number, not a string");
        check(&json!({"Get": "Steps.S.A..B"}), "a member name is missing at character 1 of the path 'A..B'");
        check(&json!({"Std:Join": {"On": ""}}), "Std:Join has no member Values");
        check(&json!({"Std:Join": 1}), "Std:Join has no member Values");
        check(&json!({"Std:JsonGet": {}}), "Std:JsonGet has no member Path");
        let either = "Std:JsonGet needs PropertyFile or S3Uri, one of them";
        check(&json!({"Std:JsonGet": {"Path": "a"}}), either);
        check(&json!({"Std:JsonGet": {"Path": "a", "S3Uri": "s3://b/k", "PropertyFile": {}}}), either);
        let file = "PropertyFile must be {\"Get\": \"Steps.STEP.PropertyFiles.FILE\"}";
        for wrong in [json!("Steps.S.PropertyFiles.F"), json!({"Get": "Parameters.X"}), json!({"Get": 1}), json!({})] {
            check(&json!({"Std:JsonGet": {"Path": "a", "PropertyFile": wrong}}), file);
        }
        check(&json!({"Std:Split": {}}), "there is no function 'Std:Split': Std:Join and Std:JsonGet are known");
    }

    #[test]
    fn everything_else_is_data() {
        for data in
            [json!({}), json!({"Get": "Parameters.X", "b": 1}), json!([{"Get": "x"}]), json!("Get"), json!(null)]
        {
            assert_eq!(Expression::of(&data), Ok(None), "{data}");
        }
    }
}
