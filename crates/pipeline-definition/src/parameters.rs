//! Binds the values of one execution to the parameters that a definition declares.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Number, Value};

use crate::{Definition, Parameter, ParameterType};

/// The value of every declared parameter, typed, in the order of declaration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bound(Map<String, Value>);

/// Why values and declarations do not go together. Where SageMaker's own sentence is not known, it is that of the
/// Python SDK's local mode, which imitates the service.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ParameterError {
    /// A value for a parameter that is not declared.
    #[error("Unknown parameter '{name}': {}.", known(declared))]
    Unknown {
        /// The parameter.
        name: String,
        /// The names that are declared.
        declared: Vec<String>,
    },
    /// Two values for one parameter.
    #[error("Parameter '{name}' is given more than once.")]
    Twice {
        /// The parameter.
        name: String,
    },
    /// Neither a value nor a default.
    #[error("Parameter '{name}' is undefined.")]
    Undefined {
        /// The parameter.
        name: String,
    },
    /// A value of another type.
    #[error("Unexpected type for parameter '{name}'. Expected {expected} but found {found}.")]
    WrongType {
        /// The parameter.
        name: String,
        /// Its declared type.
        expected: String,
        /// The value, as it was given.
        found: String,
    },
    /// A value that is not among the declared ones.
    #[error("Parameter '{name}' has value {found} which is not one of the enum values [{}].", allowed.join(", "))]
    NotInEnum {
        /// The parameter.
        name: String,
        /// The value.
        found: String,
        /// The declared values.
        allowed: Vec<String>,
    },
    /// A declaration of a type that does not exist.
    #[error("Parameter '{name}' has type '{kind}' which is not one of [String, Integer, Float, Boolean].")]
    UnknownType {
        /// The parameter.
        name: String,
        /// The type.
        kind: String,
    },
}

/// Binds `given` (name and value as text, as StartPipelineExecution has them) to the declarations.
///
/// # Errors
/// The first given value that belongs to no declaration, then the first declaration whose value does not fit.
pub fn bind(definition: &Definition, given: &[(String, String)]) -> Result<Bound, ParameterError> {
    let declared: HashSet<&str> = definition.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let mut texts: HashMap<&str, &str> = HashMap::new();
    for (name, text) in given {
        if !declared.contains(name.as_str()) {
            let declared = definition.parameters.iter().map(|parameter| parameter.name.clone()).collect();
            return Err(ParameterError::Unknown { name: name.clone(), declared });
        }
        if texts.insert(name, text).is_some() {
            return Err(ParameterError::Twice { name: name.clone() });
        }
    }
    let mut bound = Map::new();
    for parameter in &definition.parameters {
        let value = match (texts.get(parameter.name.as_str()), &parameter.default) {
            (Some(text), _) => from_text(parameter, text)?,
            (None, Some(default)) => from_default(parameter, default)?,
            (None, None) => return Err(ParameterError::Undefined { name: parameter.name.clone() }),
        };
        check_enum(parameter, &value)?;
        bound.insert(parameter.name.clone(), value);
    }
    Ok(Bound(bound))
}

impl Bound {
    /// The value of a parameter: a string, an integer, a float or a boolean as it was declared.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Names and values in the order of declaration.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

fn from_text(parameter: &Parameter, text: &str) -> Result<Value, ParameterError> {
    let value = match &parameter.kind {
        ParameterType::String => Some(Value::from(text)),
        ParameterType::Integer => text.parse::<i64>().ok().map(Value::from),
        ParameterType::Float => text.parse().ok().and_then(float),
        // The Python SDK sends `True` and `False`.
        ParameterType::Boolean if text.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
        ParameterType::Boolean if text.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
        ParameterType::Boolean => None,
        ParameterType::Other(kind) => return Err(unknown_type(parameter, kind)),
    };
    value.ok_or_else(|| wrong_type(parameter, &Value::from(text)))
}

/// The default of a declaration, typed.
pub(crate) fn from_default(parameter: &Parameter, default: &Value) -> Result<Value, ParameterError> {
    let fits = match (&parameter.kind, default) {
        (ParameterType::String, Value::String(_)) | (ParameterType::Boolean, Value::Bool(_)) => Some(default.clone()),
        (ParameterType::Integer, Value::Number(number)) if number.is_i64() => Some(default.clone()),
        // A float may be written without a fraction: 6 means 6.0.
        (ParameterType::Float, Value::Number(number)) => number.as_f64().and_then(float),
        (ParameterType::Other(kind), _) => return Err(unknown_type(parameter, kind)),
        _ => None,
    };
    fits.ok_or_else(|| wrong_type(parameter, default))
}

/// Infinity and NaN have no JSON.
fn float(number: f64) -> Option<Value> {
    Number::from_f64(number).map(Value::Number)
}

/// Whether the value is among the enum values, if there are any.
pub(crate) fn check_enum(parameter: &Parameter, value: &Value) -> Result<(), ParameterError> {
    let allowed = &parameter.enum_values;
    let same = |other: &Value| match (value.as_f64(), other.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => value == other,
    };
    if allowed.is_empty() || allowed.iter().any(same) {
        return Ok(());
    }
    Err(ParameterError::NotInEnum {
        name: parameter.name.clone(),
        found: plain(value),
        allowed: allowed.iter().map(plain).collect(),
    })
}

fn wrong_type(parameter: &Parameter, found: &Value) -> ParameterError {
    ParameterError::WrongType {
        name: parameter.name.clone(),
        expected: parameter.kind.to_string(),
        found: found.to_string(),
    }
}

fn unknown_type(parameter: &Parameter, kind: &str) -> ParameterError {
    ParameterError::UnknownType { name: parameter.name.clone(), kind: kind.to_owned() }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn known(declared: &[String]) -> String {
    if declared.is_empty() {
        "the pipeline declares none".to_owned()
    } else {
        format!("the pipeline declares {}", declared.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn definition() -> Definition {
        let parameters = vec![
            Parameter::string("Url"),
            Parameter::integer("Count").with_default(1),
            Parameter::float("Threshold").with_default(6),
            Parameter::boolean("Skip").with_default(false),
            Parameter::string("Status").with_default("Approved").with_enum_values(["Approved", "Rejected"]),
        ];
        Definition { parameters, ..Definition::default() }
    }

    fn given(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn values_are_typed_and_defaults_fill_the_rest() {
        let bound = bind(&definition(), &given(&[("Url", ""), ("Count", "-3"), ("Skip", "True")])).unwrap();
        let values: Vec<_> = bound.iter().map(|(name, value)| (name, value.clone())).collect();
        let expected = [
            ("Url", json!("")),
            ("Count", json!(-3)),
            // A Float without a fraction in the definition is a Float all the same.
            ("Threshold", json!(6.0)),
            ("Skip", json!(true)),
            ("Status", json!("Approved")),
        ];
        assert_eq!(values, expected);
        assert_eq!((bound.get("Count"), bound.get("Nope")), (Some(&json!(-3)), None));
    }

    #[test]
    fn floats_are_floats_however_they_are_written() {
        for (text, value) in [("0.05", 0.05), ("3", 3.0), ("1e-3", 0.001), ("-.5", -0.5)] {
            let bound = bind(&definition(), &given(&[("Url", "u"), ("Threshold", text)])).unwrap();
            assert_eq!(bound.get("Threshold"), Some(&json!(value)), "{text}");
        }
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        fn check(pairs: &[(&str, &str)], error: &str) {
            assert_eq!(bind(&definition(), &given(pairs)).unwrap_err().to_string(), error, "{pairs:?}");
        }
        let declares = "the pipeline declares Url, Count, Threshold, Skip, Status.";
        check(&[("url", "x")], &format!("Unknown parameter 'url': {declares}"));
        check(&[("Url", "x"), ("Url", "x")], "Parameter 'Url' is given more than once.");
        check(&[], "Parameter 'Url' is undefined.");
        let typed = |name, value, kind| {
            let error = format!("Unexpected type for parameter '{name}'. Expected {kind} but found \"{value}\".");
            check(&[("Url", "u"), (name, value)], &error);
        };
        for value in ["", "1.5", "one", " 1", "9223372036854775808"] {
            typed("Count", value, "Integer");
        }
        for value in ["", "much", "NaN", "inf", "1,5"] {
            typed("Threshold", value, "Float");
        }
        for value in ["", "yes", "1"] {
            typed("Skip", value, "Boolean");
        }
        let status = "Parameter 'Status' has value approved which is not one of the enum values [Approved, Rejected].";
        check(&[("Url", "u"), ("Status", "approved")], status);
    }

    #[test]
    fn declarations_that_contradict_themselves_are_refused() {
        fn check(parameter: Parameter, error: &str) {
            let definition = Definition { parameters: vec![parameter], ..Definition::default() };
            assert_eq!(bind(&definition, &[]).unwrap_err().to_string(), error);
        }
        let wrong = |kind, found| format!("Unexpected type for parameter 'P'. Expected {kind} but found {found}.");
        check(Parameter::integer("P").with_default(1.0), &wrong("Integer", "1.0"));
        check(Parameter::integer("P").with_default("1"), &wrong("Integer", "\"1\""));
        check(Parameter::string("P").with_default(1), &wrong("String", "1"));
        check(Parameter::boolean("P").with_default("true"), &wrong("Boolean", "\"true\""));
        check(
            Parameter::integer("P").with_default(3).with_enum_values([1, 2]),
            "Parameter 'P' has value 3 which is not one of the enum values [1, 2].",
        );
        check(
            Parameter { kind: ParameterType::from("Date"), ..Parameter::string("P").with_default("x") },
            "Parameter 'P' has type 'Date' which is not one of [String, Integer, Float, Boolean].",
        );
    }
}
