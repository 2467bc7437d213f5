//! Answers: what AWS's model would not let through. Tests run with this check on.

use serde_json::Value;

use super::{Api, Kind};

impl Api {
    /// What is wrong with the output of an operation: members that are missing or unknown, values of the wrong type or
    /// outside their set. Lengths and patterns are not checked: AWS itself does not keep to them in answers.
    #[must_use]
    pub fn faults_of_output(&self, operation: &str, output: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        match self.operation(operation).map(|operation| operation.output.as_deref()) {
            None => faults.push(format!("{operation} is not in the table")),
            Some(None) if *output != Value::Null => faults.push(format!("{operation} has no output")),
            Some(None) => {}
            Some(Some(shape)) => self.look(shape, output, operation, &mut faults),
        }
        faults
    }

    fn look(&self, shape: &str, value: &Value, path: &str, faults: &mut Vec<String>) {
        let shape = self.shape(shape);
        match (shape.kind, value) {
            (Kind::Structure, Value::Object(members)) => {
                for required in shape.required.iter().filter(|name| members.get(*name).is_none_or(Value::is_null)) {
                    faults.push(format!("{path}.{required} is missing"));
                }
                for unknown in members.keys().filter(|name| !shape.has(name)) {
                    faults.push(format!("{path}.{unknown} is unknown"));
                }
                for (name, inner) in shape.members() {
                    match members.get(name) {
                        // An absent member is left out; null would be read as a value by some clients.
                        Some(Value::Null) => faults.push(format!("{path}.{name} is null")),
                        Some(value) => self.look(inner, value, &format!("{path}.{name}"), faults),
                        None => {}
                    }
                }
            }
            (Kind::List, Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.look(shape.member(), item, &format!("{path}[{index}]"), faults);
                }
            }
            (Kind::Map, Value::Object(entries)) => {
                for (name, value) in entries {
                    self.look(shape.value(), value, &format!("{path}['{name}']"), faults);
                }
            }
            (Kind::String, Value::String(text)) => {
                if !shape.allowed.is_empty() && !shape.allowed.contains(text) {
                    faults.push(format!("{path}: `{text}` is not one of {}", shape.allowed.join(", ")));
                }
            }
            (Kind::Blob, Value::String(_)) | (Kind::Float, Value::Number(_)) | (Kind::Boolean, Value::Bool(_)) => {}
            (Kind::Integer, number) if number.is_i64() || number.is_u64() => {}
            // Seconds in JSON; a date in XML, which only the query services answer with.
            (Kind::Timestamp, Value::Number(seconds))
                if seconds.as_f64().is_some_and(|seconds| seconds > 0.0 && seconds < 1e11) => {}
            (Kind::Timestamp, Value::String(date)) if date.ends_with('Z') && date.contains('T') => {}
            (kind, value) => faults.push(format!("{path}: {value} is no {kind:?}")),
        }
    }
}
