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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// An execution with two parameters, one step that has run and two files.
    struct Execution;

    impl Scope for Execution {
        fn execution(&self, variable: &str) -> Option<Value> {
            (variable == "PipelineExecutionId").then(|| json!("abc123def456"))
        }

        fn parameter(&self, name: &str) -> Option<Value> {
            json!({"Url": "s3://b/in", "Count": 2, "Threshold": 3.0, "Skip": true}).get(name).cloned()
        }

        fn step(&self, name: &str) -> Option<Value> {
            let response = json!({
                "ProcessingOutputConfig": {"Outputs": [{"OutputName": "test", "S3Output": {"S3Uri": "s3://b/test"}}]},
                // Looks like an expression, but comes from a job: data.
                "ExitMessage": {"Get": "Parameters.Url"},
            });
            (name == "Evaluate").then_some(response)
        }

        fn property_file(&self, step: &str, file: &str) -> Result<Value, String> {
            match (step, file) {
                ("Evaluate", "report") => Ok(json!({"regression_metrics": {"mse": {"value": 0.25}}, "list": [1, 2]})),
                _ => Err(format!("step '{step}' declares no property file '{file}'")),
            }
        }

        fn s3_json(&self, uri: &str) -> Result<Value, String> {
            if uri == "s3://b/test/m.json" { Ok(json!({"m": [7]})) } else { Err("NoSuchKey".to_owned()) }
        }

        fn experiment_config(&self, member: &str) -> Option<Value> {
            (member == "TrialName").then(|| json!("trial"))
        }
    }

    fn get(name: &str) -> Value {
        json!({"Get": name})
    }

    fn join(on: &str, values: &[Value]) -> Value {
        json!({"Std:Join": {"On": on, "Values": values}})
    }

    #[test]
    fn expressions_become_values() {
        fn check(expression: &Value, expected: &Value) {
            assert_eq!(resolve(expression, &Execution).as_ref(), Ok(expected), "{expression}");
        }
        check(&get("Parameters.Count"), &json!(2));
        check(&get("Execution.PipelineExecutionId"), &json!("abc123def456"));
        check(&get("PipelineExperimentConfig.TrialName"), &json!("trial"));
        check(&get("Steps.Evaluate.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri"), &json!("s3://b/test"));
        check(&get("Steps.Evaluate.ExitMessage"), &json!({"Get": "Parameters.Url"}));
        let texts = [json!("MSE >"), get("Parameters.Threshold"), get("Parameters.Count"), json!(true), json!(0.25)];
        // A Float of a whole number keeps its fraction, as in an executed pipeline: "Execution failed due to MSE > 3.0".
        check(&join(" ", &texts), &json!("MSE > 3.0 2 true 0.25"));
        check(&join("/", &[]), &json!(""));
        check(&json!({"Std:Join": {"Values": ["a", "b"]}}), &json!("ab"));
        check(
            &json!({"Std:Join": {"On": get("Parameters.Count"), "Values": []}, "x": 1}),
            &json!({"Std:Join": {"On": 2, "Values": []}, "x": 1}),
        );
        let file = get("Steps.Evaluate.PropertyFiles.report");
        for path in ["regression_metrics.mse.value", "$.regression_metrics['mse'].value"] {
            check(&json!({"Std:JsonGet": {"PropertyFile": file, "Path": path}}), &json!(0.25));
        }
        check(
            &json!({"Std:JsonGet": {"PropertyFile": file, "Path": join("", &[json!("list["), json!(1), json!("]")])}}),
            &json!(2),
        );
        let uri =
            join("/", &[get("Steps.Evaluate.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri"), json!("m.json")]);
        check(&json!({"Std:JsonGet": {"S3Uri": uri, "Path": "m[0]"}}), &json!(7));
    }

    #[test]
    fn what_is_around_expressions_stays_as_it_is() {
        let value = json!({"b": [1, {"c": get("Parameters.Skip")}, null], "a": "Parameters.Url", "d": {}});
        let resolved = resolve(&value, &Execution).unwrap();
        assert_eq!(resolved.to_string(), r#"{"b":[1,{"c":true},null],"a":"Parameters.Url","d":{}}"#);
    }

    #[test]
    fn errors_name_expression_place_and_reason() {
        fn check(expression: &Value, below: &str, reason: &str) {
            let value = json!({"a/b": [0, expression]});
            let error = resolve(&value, &Execution).unwrap_err();
            assert_eq!((error.pointer, error.reason.to_string()), (format!("/a~1b/1{below}"), reason.to_owned()));
            assert_eq!(value.pointer(&format!("/a~1b/1{below}")).unwrap().to_string(), error.expression);
        }
        check(&get("Parameters.X"), "", "parameter 'X' is undefined");
        check(&get("Execution.X"), "", "execution variable 'X' is undefined");
        check(&get("PipelineExperimentConfig.X"), "", "PipelineExperimentConfig has no member 'X'");
        check(&get("Steps.Train.A"), "", "step 'Train' has no properties: it has not succeeded in this execution");
        let reason = "step 'Evaluate': 'ProcessingOutputConfig.Outputs' has no item named 'x'";
        check(&get("Steps.Evaluate.ProcessingOutputConfig.Outputs['x']"), "", reason);
        check(&get("Steps.Evaluate.PropertyFiles.report"), "", "a property file can only be read with Std:JsonGet");
        check(&join("", &[json!(1), get("Parameters.X")]), "/Std:Join/Values/1", "parameter 'X' is undefined");
        check(&join("", &[json!("a"), json!([])]), "", "Values/1 is a list, not a string, number or boolean");
        check(&join("", &[json!(null)]), "", "Values/0 is null, not a string, number or boolean");
        check(&json!({"Std:Join": {"On": 1, "Values": []}}), "", "On is a number, not a string");
        check(&json!({"Std:Join": {"On": "", "Values": "a"}}), "", "Values is a string, not a list");
        let json_get = |step: &str, path: Value| json!({"Std:JsonGet": {"PropertyFile": get(&format!("Steps.{step}.PropertyFiles.report")), "Path": path}});
        let file = "property file 'report' of step";
        let reason = format!("cannot read {file} 'Train': step 'Train' declares no property file 'report'");
        check(&json_get("Train", json!("a")), "", &reason);
        let reason = format!("{file} 'Evaluate': 'regression_metrics' has no member 'mae' (it has: mse)");
        check(&json_get("Evaluate", json!("regression_metrics.mae")), "", &reason);
        check(&json_get("Evaluate", json!(1)), "", "Path is a number, not a string");
        check(
            &json_get("Evaluate", json!("a.*")),
            "",
            "a wildcard does not name one value at character 1 of the path 'a.*'",
        );
        let s3 = json!({"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": "m"}});
        check(&s3, "", "cannot read s3://b/k: NoSuchKey");
        check(&json!({"Std:Upper": 1}), "", "there is no function 'Std:Upper': Std:Join and Std:JsonGet are known");
    }

    #[test]
    fn long_expressions_are_cut_in_errors() {
        let error = resolve(&join("", &[json!("ä".repeat(1000)), json!(null)]), &Execution).unwrap_err();
        assert_eq!((error.expression.chars().count(), error.expression.ends_with("ä...")), (203, true));
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth| (0..depth).fold(json!("x"), |inner, _| join("", &[inner]));
        assert_eq!(resolve(&nested(40), &Execution), Ok(json!("x")));
        // Far less than the stack of a test or of a worker thread is enough.
        let deep = move || assert_eq!(resolve(&nested(200), &Execution).unwrap_err().reason, Reason::TooDeep);
        std::thread::Builder::new().stack_size(1 << 20).spawn(deep).unwrap().join().unwrap();
    }
}
