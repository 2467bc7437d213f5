//! The arguments of a step against the request that they become: members that do not exist, members that are missing.

use serde_json::Value;

use super::{
    Context, Findings, Rule,
    document::unknown,
    members::{self, Shape},
};
use crate::{StepType, expression::Expression, pointer::Place};

pub(super) fn check(context: &Context<'_>, findings: &mut Findings) {
    for placed in &context.steps {
        let step = placed.step;
        let pointer = format!("{}/Arguments", placed.pointer);
        if let Some((_, shape)) = members::arguments(&step.kind) {
            walk(&step.arguments, shape, &pointer, Place::ROOT, findings);
        }
        if step.kind == StepType::Condition {
            let known = ["Conditions", "IfSteps", "ElseSteps"];
            unknown(&pointer, step.arguments.as_object().into_iter().flat_map(serde_json::Map::keys), &known, findings);
        }
        let place = if step.arguments.is_null() { &placed.pointer } else { &pointer };
        for member in required(&step.kind) {
            if step.arguments.get(member).is_none_or(Value::is_null) {
                let message = format!("the arguments of a {} step need {member}", step.kind);
                findings.add(Rule::MissingMember, place, message);
            }
        }
    }
}

/// The members without which SageMaker refuses the request.
fn required(kind: &StepType) -> &'static [&'static str] {
    match kind {
        StepType::Processing => &["ProcessingResources", "AppSpecification", "RoleArn"],
        StepType::Training => &["OutputDataConfig", "RoleArn"],
        StepType::Transform => &["ModelName", "TransformInput", "TransformOutput", "TransformResources"],
        StepType::Fail => &["ErrorMessage"],
        _ => &[],
    }
}

/// `root` is where the arguments stand, `place` where the value stands in them.
fn walk(value: &Value, shape: &Shape, root: &str, place: Place<'_>, findings: &mut Findings) {
    // Expressions, malformed ones too, are looked at elsewhere.
    if !matches!(Expression::of(value), Ok(None)) {
        return;
    }
    match (value, shape) {
        (Value::Object(object), Shape::Object(members)) => {
            let known: Vec<&str> = members.names().collect();
            unknown(&format!("{root}{place}"), object.keys(), &known, findings);
            for (name, value) in object {
                if let Some(shape) = members.get(name) {
                    walk(value, shape, root, place.member(name), findings);
                }
            }
        }
        (Value::Array(items), Shape::List(item)) => {
            for (i, value) in items.iter().enumerate() {
                walk(value, item, root, place.item(i), findings);
            }
        }
        _ => {}
    }
}
