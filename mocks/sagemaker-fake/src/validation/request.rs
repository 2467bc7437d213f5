//! Requests: what AWS says of a value that its model does not allow.

use serde_json::{Map, Value};

use super::{Api, Kind, Shape};
use crate::ApiError;

impl Api {
    /// Checks the input of an operation. Members that the model does not know are left alone, as AWS leaves them.
    ///
    /// `code` is what the service calls a failed validation: `ValidationException`, or `ValidationError` in the query
    /// protocol.
    ///
    /// # Errors
    /// `SerializationException` for a value of the wrong type; `code` with AWS's sentence for everything else that is
    /// wrong, counted.
    pub fn check_input(&self, operation: &str, input: &Value, code: &str) -> Result<(), ApiError> {
        let Some(shape) = self.operation(operation).and_then(|operation| operation.input.as_deref()) else {
            return Ok(());
        };
        let mut faults = Vec::new();
        self.check(shape, input, "", &mut faults)?;
        if faults.is_empty() {
            return Ok(());
        }
        let errors = if faults.len() == 1 { "error" } else { "errors" };
        Err(ApiError::new(code, format!("{} validation {errors} detected: {}", faults.len(), faults.join("; "))))
    }

    fn check(&self, shape: &str, value: &Value, path: &str, faults: &mut Vec<String>) -> Result<(), ApiError> {
        let shape = self.shape(shape);
        check_type(shape.kind, value)?;
        match value {
            Value::Object(members) if shape.kind == Kind::Structure => {
                for (name, inner) in shape.members() {
                    let path =
                        if path.is_empty() { lower_camel(name) } else { format!("{path}.{}", lower_camel(name)) };
                    match members.get(name) {
                        Some(value) if !value.is_null() => self.check(inner, value, &path, faults)?,
                        _ if shape.required.iter().any(|required| required == name) => {
                            faults.push(fault("null", &path, "Member must not be null"));
                        }
                        _ => {}
                    }
                }
            }
            Value::Array(items) => {
                faults
                    .extend(violations(shape, value).into_iter().map(|said| fault(&shown(value, shape), path, &said)));
                self.check_items(self.shape(shape.member()), shape.member(), items, value, path, faults)?;
            }
            Value::Object(entries) => {
                faults
                    .extend(violations(shape, value).into_iter().map(|said| fault(&shown(value, shape), path, &said)));
                self.check_entries(shape, entries, value, path, faults)?;
            }
            scalar => faults
                .extend(violations(shape, scalar).into_iter().map(|said| fault(&shown(scalar, shape), path, &said))),
        }
        Ok(())
    }

    /// Structures in a list are named by their number; of plain values AWS only says what all of them must be like.
    fn check_items(
        &self,
        item: &Shape,
        name: &str,
        items: &[Value],
        list: &Value,
        path: &str,
        faults: &mut Vec<String>,
    ) -> Result<(), ApiError> {
        if matches!(item.kind, Kind::Structure | Kind::List | Kind::Map) {
            for (index, value) in items.iter().enumerate() {
                self.check(name, value, &format!("{path}.{}.member", index + 1), faults)?;
            }
            return Ok(());
        }
        items.iter().try_for_each(|value| check_type(item.kind, value))?;
        if items.iter().any(|value| !violations(item, value).is_empty()) {
            faults.push(fault(
                &shown(list, item),
                path,
                &format!("Member must satisfy constraint: [{}]", constraints(item)),
            ));
        }
        Ok(())
    }

    fn check_entries(
        &self,
        map: &Shape,
        entries: &Map<String, Value>,
        whole: &Value,
        path: &str,
        faults: &mut Vec<String>,
    ) -> Result<(), ApiError> {
        let (key, value) = (self.shape(map.key()), self.shape(map.value()));
        if entries.keys().any(|name| !violations(key, &Value::from(name.as_str())).is_empty()) {
            faults.push(fault(
                &shown(whole, key),
                path,
                &format!("Map keys must satisfy constraint: [{}]", constraints(key)),
            ));
        }
        if matches!(value.kind, Kind::Structure | Kind::List | Kind::Map) {
            return entries.iter().try_for_each(|(name, entry)| {
                self.check(map.value(), entry, &format!("{path}.{name}.member"), faults)
            });
        }
        entries.values().try_for_each(|entry| check_type(value.kind, entry))?;
        if entries.values().any(|entry| !violations(value, entry).is_empty()) {
            faults.push(fault(
                &shown(whole, value),
                path,
                &format!("Map value must satisfy constraint: [{}]", constraints(value)),
            ));
        }
        Ok(())
    }
}

/// AWS's reader stops at the first value of the wrong type, and says only that.
fn check_type(kind: Kind, value: &Value) -> Result<(), ApiError> {
    let fits = match kind {
        Kind::Structure | Kind::Map => value.is_object(),
        Kind::List => value.is_array(),
        Kind::String | Kind::Blob => value.is_string(),
        Kind::Integer => value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0),
        Kind::Float | Kind::Timestamp => value.is_number(),
        Kind::Boolean => value.is_boolean(),
    };
    if fits || value.is_null() {
        return Ok(());
    }
    let wanted = match kind {
        Kind::String | Kind::Blob => "a String",
        Kind::Integer => "an Integer",
        Kind::Float => "a Float",
        Kind::Timestamp => "a Timestamp",
        Kind::Boolean => "a Boolean",
        Kind::List => return Err(ApiError::new("SerializationException", "Expected list or null")),
        Kind::Structure | Kind::Map => return Err(ApiError::new("SerializationException", "Expected map or null")),
    };
    let message = match value {
        Value::Array(_) => "Start of list found where not expected".to_owned(),
        Value::Object(_) => "Start of structure or map found where not expected.".to_owned(),
        Value::Bool(true) => format!("TRUE_VALUE can not be converted to {wanted}"),
        Value::Bool(false) => format!("FALSE_VALUE can not be converted to {wanted}"),
        Value::Number(_) => format!("NUMBER_VALUE can not be converted to {wanted}"),
        _ => format!("STRING_VALUE can not be converted to {wanted}"),
    };
    Err(ApiError::new("SerializationException", message))
}

/// The constraints that a value itself breaks (not its members), in the order in which AWS names them.
fn violations(shape: &Shape, value: &Value) -> Vec<String> {
    let mut said = Vec::new();
    if value.is_null() {
        return vec!["Member must not be null".to_owned()];
    }
    if let (Some(pattern), Some(text)) = (&shape.pattern, value.as_str())
        && !pattern.matches(text)
    {
        said.push(format!("Member must satisfy regular expression pattern: {}", pattern.text()));
    }
    let (what, measure) = match value {
        // Java counts UTF-16 units.
        Value::String(text) => ("length", count(text.encode_utf16().count())),
        Value::Array(items) => ("length", count(items.len())),
        Value::Object(entries) => ("length", count(entries.len())),
        number => ("value", number.as_f64().unwrap_or_default()),
    };
    if shape.max.is_some_and(|max| measure > max) {
        said.push(limit(what, "less", shape.max));
    }
    if shape.min.is_some_and(|min| measure < min) {
        said.push(limit(what, "greater", shape.min));
    }
    if let Some(text) = value.as_str()
        && !shape.allowed.is_empty()
        && !shape.allowed.iter().any(|allowed| allowed == text)
    {
        said.push(format!("Member must satisfy enum value set: [{}]", shape.allowed.join(", ")));
    }
    said
}

/// All constraints on a value, as AWS lists them when it does not say which one is broken.
fn constraints(shape: &Shape) -> String {
    let what = if matches!(shape.kind, Kind::Integer | Kind::Float) { "value" } else { "length" };
    let mut all = Vec::new();
    all.extend(shape.max.map(|_| limit(what, "less", shape.max)));
    all.extend(shape.min.map(|_| limit(what, "greater", shape.min)));
    all.extend(
        shape
            .pattern
            .as_ref()
            .map(|pattern| format!("Member must satisfy regular expression pattern: {}", pattern.text())),
    );
    if !shape.allowed.is_empty() {
        all.push(format!("Member must satisfy enum value set: [{}]", shape.allowed.join(", ")));
    }
    if all.is_empty() {
        all.push("Member must not be null".to_owned());
    }
    all.join(", ")
}

fn limit(what: &str, than: &str, bound: Option<f64>) -> String {
    format!("Member must have {what} {than} than or equal to {}", bound.unwrap_or_default())
}

fn fault(value: &str, path: &str, said: &str) -> String {
    let value = if value == "null" { value.to_owned() } else { format!("'{value}'") };
    format!("Value {value} at '{path}' failed to satisfy constraint: {said}")
}

/// A value as Java prints it.
fn shown(value: &Value, shape: &Shape) -> String {
    match value {
        _ if shape.sensitive => "***Sensitive Data Redacted***".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(|item| shown(item, shape)).collect::<Vec<_>>().join(", "))
        }
        Value::Object(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(name, value)| format!("{name}={}", shown(value, shape))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a length that needs more than 53 bits does not fit in memory")]
fn count(length: usize) -> f64 {
    length as f64
}

/// `PipelineName` -> `pipelineName`.
fn lower_camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
