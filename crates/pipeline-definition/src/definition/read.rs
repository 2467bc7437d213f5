//! From JSON to [`Definition`]: strict about the shape of what is typed, indifferent to everything else.

use serde_json::{Map, Number, Value};

use super::{Branches, CacheConfig, Definition, Parameter, ParameterType, PropertyFile, RetryPolicy, Step, StepType};
use crate::{path::kind_of, pointer::Place};

/// Why a text is not a pipeline definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// The text is not JSON.
    #[error("not JSON: {reason} at line {line}, column {column}")]
    Syntax {
        /// From 1.
        line: usize,
        /// In bytes, from 1; 0 at the very start of a line.
        column: usize,
        /// What the JSON reader says.
        reason: String,
        /// Whether the text does not even begin as a JSON object.
        no_object: bool,
    },
    /// A value is of another kind than its place asks for.
    #[error("{} must be {expected}, not {found}", place(pointer))]
    Shape {
        /// JSON pointer to the value; empty: the whole document.
        pointer: String,
        /// What belongs there, with its article: `an object`, `a list`, `a string`.
        expected: &'static str,
        /// What stands there, with its article.
        found: &'static str,
    },
    /// A member that every such object has is not there.
    #[error("{} has no member {member}", place(pointer))]
    Missing {
        /// JSON pointer to the object.
        pointer: String,
        /// The missing member.
        member: &'static str,
    },
}

impl ParseError {
    /// What SageMaker itself answers to such a definition, where that is known: it knows two sentences, for a place
    /// that must hold an object and one that must hold a list.
    #[must_use]
    pub fn service_message(&self) -> Option<&'static str> {
        const OBJECT: &str = "Unable to parse pipeline definition. Expecting start of Json Object.";
        const ARRAY: &str = "Unable to parse pipeline definition. Expecting start of Json Array.";
        match self {
            ParseError::Syntax { no_object: true, .. } | ParseError::Shape { expected: AN_OBJECT, .. } => Some(OBJECT),
            ParseError::Shape { expected: A_LIST, .. } => Some(ARRAY),
            _ => None,
        }
    }
}

const AN_OBJECT: &str = "an object";
const A_LIST: &str = "a list";
const A_STRING: &str = "a string";

fn place(pointer: &str) -> &str {
    if pointer.is_empty() { "the definition" } else { pointer }
}

pub(super) fn parse(text: &str) -> Result<Definition, ParseError> {
    let value: Value = serde_json::from_str(text).map_err(|e| {
        let full = e.to_string();
        let reason = full.split(" at line ").next().unwrap_or_default().to_owned();
        let no_object = !text.trim_start().starts_with('{');
        ParseError::Syntax { line: e.line(), column: e.column(), reason, no_object }
    })?;
    definition(value)
}

pub(super) fn definition(value: Value) -> Result<Definition, ParseError> {
    let mut members = Members::of(value, Place::ROOT)?;
    let parsed = Definition {
        version: members.string("Version")?,
        metadata: members.value("Metadata"),
        parameters: members.list("Parameters", parameter)?,
        experiment_config: members.value("PipelineExperimentConfig"),
        steps: members.required("Steps", |value, place| items(value, place, &step))?,
        other: Map::new(),
    };
    Ok(Definition { other: members.rest(), ..parsed })
}

fn parameter(value: Value, place: Place<'_>) -> Result<Parameter, ParseError> {
    let mut members = Members::of(value, place)?;
    let parsed = Parameter {
        name: members.required_string("Name")?,
        kind: ParameterType::from(members.required_string("Type")?.as_str()),
        default: members.value("DefaultValue"),
        enum_values: members.list("EnumValues", |value, _| Ok(value))?,
        other: Map::new(),
    };
    Ok(Parameter { other: members.rest(), ..parsed })
}

fn step(value: Value, place: Place<'_>) -> Result<Step, ParseError> {
    let mut members = Members::of(value, place)?;
    let name = members.required_string("Name")?;
    let kind = StepType::from(members.required_string("Type")?.as_str());
    let (arguments, branches) = if kind == StepType::Condition {
        let (arguments, branches) = members.required("Arguments", condition_arguments)?;
        (arguments, Some(branches))
    } else {
        (members.value("Arguments").unwrap_or_default(), None)
    };
    let parsed = Step {
        depends_on: members.list("DependsOn", string)?,
        property_files: members.list("PropertyFiles", property_file)?,
        retry_policies: members.list("RetryPolicies", retry_policy)?,
        cache_config: members.optional("CacheConfig", cache_config)?,
        display_name: members.string("DisplayName")?,
        description: members.string("Description")?,
        branches,
        ..Step::new(name, kind, arguments)
    };
    Ok(Step { other: members.rest(), ..parsed })
}

fn condition_arguments(value: Value, place: Place<'_>) -> Result<(Value, Branches), ParseError> {
    let mut members = Members::of(value, place)?;
    let branches = Branches {
        conditions: members.list("Conditions", |value, _| Ok(value))?,
        if_steps: members.list("IfSteps", step)?,
        else_steps: members.list("ElseSteps", step)?,
    };
    Ok((Value::Object(members.rest()), branches))
}

fn property_file(value: Value, place: Place<'_>) -> Result<PropertyFile, ParseError> {
    let mut members = Members::of(value, place)?;
    let parsed = PropertyFile {
        name: members.required_string("PropertyFileName")?,
        output_name: members.required_string("OutputName")?,
        file_path: members.required_string("FilePath")?,
        other: Map::new(),
    };
    Ok(PropertyFile { other: members.rest(), ..parsed })
}

fn cache_config(value: Value, place: Place<'_>) -> Result<CacheConfig, ParseError> {
    let mut members = Members::of(value, place)?;
    let enabled = members.required("Enabled", |value, place| match value {
        Value::Bool(enabled) => Ok(enabled),
        other => Err(shape(place, "a boolean", &other)),
    })?;
    let parsed = CacheConfig { enabled, expire_after: members.string("ExpireAfter")?, other: Map::new() };
    Ok(CacheConfig { other: members.rest(), ..parsed })
}

fn retry_policy(value: Value, place: Place<'_>) -> Result<RetryPolicy, ParseError> {
    let mut members = Members::of(value, place)?;
    // A lone string stays among the other members, so that it is written back as one.
    let exception_types = match members.map.get("ExceptionType") {
        Some(Value::String(lone)) => vec![lone.clone()],
        _ => members.list("ExceptionType", string)?,
    };
    let parsed = RetryPolicy {
        exception_types,
        interval_seconds: members.optional("IntervalSeconds", number)?,
        backoff_rate: members.optional("BackoffRate", number)?,
        max_attempts: members.optional("MaxAttempts", number)?,
        expire_after_min: members.optional("ExpireAfterMin", number)?,
        other: Map::new(),
    };
    Ok(RetryPolicy { other: members.rest(), ..parsed })
}

fn string(value: Value, place: Place<'_>) -> Result<String, ParseError> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(shape(place, A_STRING, &other)),
    }
}

fn number(value: Value, place: Place<'_>) -> Result<Number, ParseError> {
    match value {
        Value::Number(number) => Ok(number),
        other => Err(shape(place, "a number", &other)),
    }
}

fn shape(place: Place<'_>, expected: &'static str, found: &Value) -> ParseError {
    ParseError::Shape { pointer: place.to_string(), expected, found: kind_of(found) }
}

/// The members of an object, taken out one by one; what nobody took is kept. A member that is null or an empty list
/// says nothing and is never taken, so that it comes back as it was written.
struct Members<'p> {
    map: Map<String, Value>,
    place: Place<'p>,
}

impl<'p> Members<'p> {
    fn of(value: Value, place: Place<'p>) -> Result<Self, ParseError> {
        match value {
            Value::Object(map) => Ok(Self { map, place }),
            other => Err(shape(place, AN_OBJECT, &other)),
        }
    }

    fn value(&mut self, name: &str) -> Option<Value> {
        // The others keep their order.
        self.map.get(name).filter(|value| !value.is_null())?;
        self.map.shift_remove(name)
    }

    fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(Value, Place<'_>) -> Result<T, ParseError>,
    ) -> Result<Option<T>, ParseError> {
        self.value(name).map(|value| read(value, self.place.member(name))).transpose()
    }

    fn required<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(Value, Place<'_>) -> Result<T, ParseError>,
    ) -> Result<T, ParseError> {
        // A null is given to the reader, which says what belongs there.
        let value = self.map.shift_remove(name);
        let value = value.ok_or_else(|| ParseError::Missing { pointer: self.place.to_string(), member: name })?;
        read(value, self.place.member(name))
    }

    fn string(&mut self, name: &'static str) -> Result<Option<String>, ParseError> {
        self.optional(name, string)
    }

    fn required_string(&mut self, name: &'static str) -> Result<String, ParseError> {
        self.required(name, string)
    }

    fn list<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(Value, Place<'_>) -> Result<T, ParseError>,
    ) -> Result<Vec<T>, ParseError> {
        if self.map.get(name).and_then(Value::as_array).is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        Ok(self.optional(name, |value, place| items(value, place, &read))?.unwrap_or_default())
    }

    fn rest(self) -> Map<String, Value> {
        self.map
    }
}

fn items<T>(
    value: Value,
    place: Place<'_>,
    read: &impl Fn(Value, Place<'_>) -> Result<T, ParseError>,
) -> Result<Vec<T>, ParseError> {
    match value {
        Value::Array(list) => list.into_iter().enumerate().map(|(i, item)| read(item, place.item(i))).collect(),
        other => Err(shape(place, A_LIST, &other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: Option<&str> = Some("Unable to parse pipeline definition. Expecting start of Json Object.");
    const ARRAY: Option<&str> = Some("Unable to parse pipeline definition. Expecting start of Json Array.");

    fn check(text: &str, error: &str, service_message: Option<&str>) {
        let found = Definition::parse(text).unwrap_err();
        assert_eq!((found.to_string().as_str(), found.service_message()), (error, service_message), "{text}");
    }

    #[test]
    fn texts_that_are_no_json_are_refused() {
        check("", "not JSON: EOF while parsing a value at line 1, column 0", OBJECT);
        check("pipeline.json", "not JSON: expected value at line 1, column 1", OBJECT);
        check("{\n  \"Steps\": [,]\n}", "not JSON: expected value at line 2, column 13", None);
        check(" {\"Steps\": []} x", "not JSON: trailing characters at line 1, column 16", None);
        let deep = "[".repeat(1000);
        check(&format!("{{\"Steps\": {deep}"), "not JSON: recursion limit exceeded at line 1, column 137", None);
    }

    #[test]
    fn values_of_another_kind_are_refused_at_their_place() {
        check("[]", "the definition must be an object, not a list", OBJECT);
        check("{}", "the definition has no member Steps", None);
        check(r#"{"Steps": {}}"#, "/Steps must be a list, not an object", ARRAY);
        check(r#"{"Steps": null}"#, "/Steps must be a list, not null", ARRAY);
        check(r#"{"Steps": ["S"]}"#, "/Steps/0 must be an object, not a string", OBJECT);
        check(r#"{"Steps": [], "Version": 1}"#, "/Version must be a string, not a number", None);
        check(r#"{"Steps": [], "Parameters": {}}"#, "/Parameters must be a list, not an object", ARRAY);
        check(r#"{"Steps": [], "Parameters": [{"Name": "P"}]}"#, "/Parameters/0 has no member Type", None);
        check(r#"{"Steps": [{"Type": "Fail"}]}"#, "/Steps/0 has no member Name", None);
        check(r#"{"Steps": [{"Name": null, "Type": "Fail"}]}"#, "/Steps/0/Name must be a string, not null", None);
        check(r#"{"Steps": [{"Name": "C", "Type": "Condition"}]}"#, "/Steps/0 has no member Arguments", None);
        let step = |members: &str, error: &str, service_message| {
            let text = format!(r#"{{"Steps": [{{"Name": "S", "Type": "Condition", "Arguments": {{}}, {members}}}]}}"#);
            check(&text, &format!("/Steps/0{error}"), service_message);
        };
        step(r#""Arguments": []"#, "/Arguments must be an object, not a list", OBJECT);
        step(r#""Arguments": {"IfSteps": {}}"#, "/Arguments/IfSteps must be a list, not an object", ARRAY);
        step(r#""Arguments": {"ElseSteps": [{"Name": "F"}]}"#, "/Arguments/ElseSteps/0 has no member Type", None);
        step(r#""DependsOn": "A""#, "/DependsOn must be a list, not a string", ARRAY);
        step(r#""DependsOn": ["A", 1]"#, "/DependsOn/1 must be a string, not a number", None);
        step(r#""PropertyFiles": [{"PropertyFileName": "f"}]"#, "/PropertyFiles/0 has no member OutputName", None);
        step(r#""CacheConfig": {"Enabled": "yes"}"#, "/CacheConfig/Enabled must be a boolean, not a string", None);
        step(
            r#""RetryPolicies": [{"MaxAttempts": "3"}]"#,
            "/RetryPolicies/0/MaxAttempts must be a number, not a string",
            None,
        );
    }
}
