//! The conditions: complete, of a known type, and with sides that can be compared.

use std::fmt;

use serde_json::Value;

use super::{Context, Findings, Rule};
use crate::{
    ParameterType, StepType,
    expression::{Expression, Reference},
    path::{Segment, kind_of},
    pointer::Place,
};

pub(super) fn check(context: &Context<'_>, findings: &mut Findings) {
    for placed in context.of_type(|kind| *kind == StepType::Condition) {
        let root = format!("{}/Arguments/Conditions", placed.pointer);
        for (i, condition) in placed.step.conditions().iter().enumerate() {
            one(context, condition, &root, Place::ROOT.item(i), findings);
        }
    }
}

/// `root` is where the list of conditions stands, `place` where the condition stands in it.
fn one(context: &Context<'_>, condition: &Value, root: &str, place: Place<'_>, findings: &mut Findings) {
    const TYPES: [&str; 8] =
        ["Equals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo", "In", "Not", "Or"];
    let at = format!("{root}{place}");
    let Some(kind) = condition.get("Type").and_then(Value::as_str) else {
        findings.add(Rule::Condition, at, "the condition has no Type").suggest(format!("one of {}", TYPES.join(", ")));
        return;
    };
    let mut member = |name: &str| match condition.get(name) {
        Some(value) => Some(value),
        None => {
            findings.add(Rule::Condition, &at, format!("a condition of type {kind} needs {name}"));
            None
        }
    };
    match kind {
        "Not" => {
            // The Python SDK writes Expression; Condition is how the service's documentation calls it.
            let name = if condition.get("Condition").is_some() { "Condition" } else { "Expression" };
            if let Some(inner) = member(name) {
                one(context, inner, root, place.member(name), findings);
            }
        }
        "Or" => match member("Conditions") {
            Some(Value::Array(inner)) => {
                let list = place.member("Conditions");
                for (i, condition) in inner.iter().enumerate() {
                    one(context, condition, root, list.item(i), findings);
                }
            }
            Some(other) => {
                let message = format!("Conditions is {}, not a list", kind_of(other));
                findings.add(Rule::Condition, format!("{at}/Conditions"), message);
            }
            None => {}
        },
        "In" => {
            if let (Some(query), Some(values)) = (member("QueryValue"), member("Values")) {
                contained(context, query, values, &at, findings);
            }
        }
        comparison if TYPES.contains(&comparison) => {
            if let (Some(left), Some(right)) = (member("LeftValue"), member("RightValue")) {
                compared(kind, [kind_of_operand(context, left), kind_of_operand(context, right)], &at, findings);
            }
        }
        other => {
            let meant = findings.nearest(other, TYPES);
            let message = format!("there is no condition type '{other}'");
            findings.add(Rule::Condition, format!("{at}/Type"), message).did_you_mean(meant);
        }
    }
}

/// What is known of the value that an operand has in an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operand {
    Number,
    Text,
    Boolean,
    /// Null, a list, an object: equal to nothing.
    Never(&'static str),
    Unknown,
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operand::Number => "a number",
            Operand::Text => "a string",
            Operand::Boolean => "a boolean",
            Operand::Never(what) => what,
            Operand::Unknown => "not known",
        })
    }
}

fn compared(kind: &str, [left, right]: [Operand; 2], at: &str, findings: &mut Findings) {
    for (member, operand) in [("LeftValue", left), ("RightValue", right)] {
        let wrong = match operand {
            Operand::Never(_) => true,
            Operand::Boolean => kind != "Equals",
            _ => false,
        };
        if wrong {
            let message = format!("{kind} cannot compare {operand}");
            findings.add(Rule::ConditionOperands, format!("{at}/{member}"), message);
            return;
        }
    }
    if left != right && ![left, right].contains(&Operand::Unknown) {
        findings
            .add(Rule::ConditionOperands, at, format!("{kind} cannot compare {left} with {right}"))
            .suggest("a number and a string are never equal; write both as numbers or both as strings");
    }
}

fn contained(context: &Context<'_>, query: &Value, values: &Value, at: &str, findings: &mut Findings) {
    let query = kind_of_operand(context, query);
    if let Operand::Never(what) = query {
        findings.add(Rule::ConditionOperands, format!("{at}/QueryValue"), format!("In cannot look for {what}"));
        return;
    }
    match values {
        Value::Array(values) => {
            let kinds: Vec<Operand> = values.iter().map(|value| kind_of_operand(context, value)).collect();
            let possible = |kind: &Operand| *kind == query || [*kind, query].contains(&Operand::Unknown);
            if !kinds.is_empty() && !kinds.iter().any(possible) {
                findings.add(Rule::ConditionOperands, at, format!("QueryValue is {query}, which none of Values is"));
            }
        }
        other if matches!(Expression::of(other), Ok(None)) => {
            let message = format!("Values is {}, not a list", kind_of(other));
            findings.add(Rule::Condition, format!("{at}/Values"), message);
        }
        _ => {}
    }
}

fn kind_of_operand(context: &Context<'_>, value: &Value) -> Operand {
    match value {
        Value::Number(_) => Operand::Number,
        Value::String(_) => Operand::Text,
        Value::Bool(_) => Operand::Boolean,
        other => match Expression::of(other) {
            Ok(None) => Operand::Never(kind_of(other)),
            Ok(Some(Expression::Join { .. })) => Operand::Text,
            Ok(Some(Expression::Get(reference))) => kind_of_reference(context, &reference),
            // What a file holds is not known; what is malformed is found elsewhere.
            Ok(Some(Expression::JsonGet { .. })) | Err(_) => Operand::Unknown,
        },
    }
}

fn kind_of_reference(context: &Context<'_>, reference: &Reference<'_>) -> Operand {
    match reference {
        Reference::Execution(_) | Reference::ExperimentConfig(_) => Operand::Text,
        Reference::Parameter(name) => match context.parameters.get(name).map(|parameter| &parameter.kind) {
            Some(ParameterType::Integer | ParameterType::Float) => Operand::Number,
            Some(ParameterType::String) => Operand::Text,
            Some(ParameterType::Boolean) => Operand::Boolean,
            Some(ParameterType::Other(_)) | None => Operand::Unknown,
        },
        Reference::Property { step, path } => match path.0.as_slice() {
            [Segment::Member(outputs), Segment::Key(name)] if outputs == "OutputParameters" => {
                kind_of_output(context, step, name)
            }
            _ => Operand::Unknown,
        },
        Reference::PropertyFile { .. } => Operand::Unknown,
    }
}

/// Lambda and Callback steps declare the types of what they put out.
fn kind_of_output(context: &Context<'_>, step: &str, name: &str) -> Operand {
    let output = context.by_name.get(step).and_then(|&at| {
        let position = context.declared[at].output_parameters.as_ref()?.position(name)?;
        context.steps[at].step.other.get("OutputParameters")?.get(position)
    });
    match output.and_then(|output| output.get("OutputType")?.as_str()) {
        Some("String") => Operand::Text,
        Some("Integer" | "Float") => Operand::Number,
        Some("Boolean") => Operand::Boolean,
        _ => Operand::Unknown,
    }
}
