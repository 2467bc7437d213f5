//! The declarations of the parameters. Whether they are used is known where the expressions are read.

use std::collections::HashMap;

use serde_json::Value;

use super::{Context, Findings, Rule};
use crate::{
    Parameter, ParameterType,
    parameters::{check_enum, from_default},
    path::kind_of,
};

pub(super) fn check(context: &Context<'_>, findings: &mut Findings) {
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (i, parameter) in context.definition.parameters.iter().enumerate() {
        let pointer = format!("/Parameters/{i}");
        if let Some(other) = first.get(parameter.name.as_str()) {
            let message = format!("parameter '{}' is declared at /Parameters/{other} already", parameter.name);
            findings.add(Rule::DuplicateParameter, format!("{pointer}/Name"), message);
        }
        first.entry(&parameter.name).or_insert(i);
        let name = &parameter.name;
        if !(1..=256).contains(&name.len()) || !name.bytes().all(is_name) {
            let message = format!("'{name}' is no name of a parameter: 1 to 256 letters, digits, '-' and '_'");
            findings.add(Rule::Name, format!("{pointer}/Name"), message);
        }
        values(parameter, &pointer, findings);
    }
}

/// What the names of steps and parameters are made of.
pub(super) fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn values(parameter: &Parameter, pointer: &str, findings: &mut Findings) {
    if let ParameterType::Other(kind) = &parameter.kind {
        let meant = findings.nearest(kind, ["String", "Integer", "Float", "Boolean"]);
        let message = format!("there is no parameter type '{kind}': String, Integer, Float and Boolean are");
        findings.add(Rule::ParameterType, format!("{pointer}/Type"), message).did_you_mean(meant);
        return;
    }
    if let Some(default) = &parameter.default {
        default_value(parameter, default, pointer, findings);
    }
    for (i, value) in parameter.enum_values.iter().enumerate() {
        if from_default(parameter, value).is_err() {
            let message = mismatch(parameter, value);
            findings
                .add(Rule::ParameterEnum, format!("{pointer}/EnumValues/{i}"), message)
                .did_you_mean(as_type(&parameter.kind, value));
        }
    }
}

fn default_value(parameter: &Parameter, default: &Value, pointer: &str, findings: &mut Findings) {
    // As long as StartPipelineExecution takes a value.
    const LONGEST: usize = 1024;
    let place = format!("{pointer}/DefaultValue");
    let Ok(typed) = from_default(parameter, default) else {
        let meant = as_type(&parameter.kind, default);
        findings.add(Rule::ParameterDefault, place, mismatch(parameter, default)).did_you_mean(meant);
        return;
    };
    if let Err(error) = check_enum(parameter, &typed) {
        let written = default.as_str().unwrap_or_default();
        let meant = findings.nearest(written, parameter.enum_values.iter().filter_map(Value::as_str));
        findings.add(Rule::ParameterEnum, &place, error.to_string()).did_you_mean(meant);
    }
    if default.as_str().is_some_and(|text| text.chars().count() > LONGEST) {
        findings.add(Rule::Size, place, format!("a parameter has at most {LONGEST} characters"));
    }
}

fn mismatch(parameter: &Parameter, value: &Value) -> String {
    let Parameter { name, kind, .. } = parameter;
    match value {
        Value::Number(number) => format!("parameter '{name}' is of type {kind}, and {number} is not"),
        _ => format!("parameter '{name}' is of type {kind}, and here stands {}", kind_of(value)),
    }
}

/// The same in the right type: `3` for `"3"`.
fn as_type(kind: &ParameterType, value: &Value) -> Option<Value> {
    match (kind, value) {
        (ParameterType::String, Value::Number(_) | Value::Bool(_)) => Some(Value::from(value.to_string())),
        (ParameterType::Integer, Value::String(text)) => text.parse::<i64>().ok().map(Value::from),
        (ParameterType::Float, Value::String(text)) => {
            text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from)
        }
        (ParameterType::Boolean, Value::String(text)) => {
            text.to_ascii_lowercase().parse::<bool>().ok().map(Value::from)
        }
        _ => None,
    }
}
