//! Which steps the members of a step refer to.

use serde_json::Value;

use crate::{
    Step,
    expression::{Expression, JsonFile},
    pointer::Place,
    resolve::MAX_DEPTH,
};

/// A step that another one refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referred<'a> {
    /// The name of the step.
    pub step: &'a str,
    /// JSON pointer to the expression, relative to the step that contains it.
    pub pointer: String,
}

/// Every step that the arguments, the conditions or another member of `step` refer to, in document order, repetitions
/// included. What the steps of its branches refer to is theirs alone.
///
/// # Errors
/// JSON pointer (relative to the step) and description of an expression that is not well-formed.
pub fn references(step: &Step) -> Result<Vec<Referred<'_>>, (String, String)> {
    let mut found = Vec::new();
    let arguments = Place::ROOT.member("Arguments");
    for (i, condition) in step.conditions().iter().enumerate() {
        let conditions = arguments.member("Conditions");
        collect(condition, conditions.item(i), 0, &mut found)?;
    }
    collect(&step.arguments, arguments, 0, &mut found)?;
    // Some types take expressions beside their arguments: `ModelName` of a ClarifyCheck, `SkipCheck`, ...
    for (name, value) in &step.other {
        collect(value, Place::ROOT.member(name), 0, &mut found)?;
    }
    Ok(found)
}

fn collect<'a>(
    value: &'a Value,
    place: Place<'_>,
    depth: usize,
    found: &mut Vec<Referred<'a>>,
) -> Result<(), (String, String)> {
    if depth > MAX_DEPTH {
        return Err((place.to_string(), format!("nested deeper than {MAX_DEPTH} levels")));
    }
    let expression = Expression::of(value).map_err(|e| (place.to_string(), e.to_string()))?;
    let step = match &expression {
        Some(Expression::Get(reference)) => reference.step(),
        Some(Expression::JsonGet { file: JsonFile::PropertyFile { step, .. }, .. }) => Some(*step),
        _ => None,
    };
    if let Some(step) = step {
        found.push(Referred { step, pointer: place.to_string() });
    }
    match (expression, value) {
        // A Get has nothing inside.
        (Some(Expression::Get(_)), _) => Ok(()),
        // Nor has the property file, which has been counted; the path may be an expression.
        (Some(Expression::JsonGet { file, path }), _) => {
            let body = place.member("Std:JsonGet");
            if let JsonFile::S3Uri(uri) = file {
                collect(uri, body.member("S3Uri"), depth + 1, found)?;
            }
            collect(path, body.member("Path"), depth + 1, found)
        }
        (_, Value::Object(object)) => {
            object.iter().try_for_each(|(name, value)| collect(value, place.member(name), depth + 1, found))
        }
        (_, Value::Array(items)) => {
            items.iter().enumerate().try_for_each(|(i, value)| collect(value, place.item(i), depth + 1, found))
        }
        _ => Ok(()),
    }
}
