//! From [`Definition`] to JSON: the typed members in the SDK's order, then the others.

use serde_json::{Map, Value, json};

use super::{CacheConfig, Definition, Parameter, PropertyFile, RetryPolicy, Step, StepType};

pub(super) fn definition(d: &Definition) -> Value {
    object(
        [
            ("Version", d.version.as_deref().map(Value::from)),
            ("Metadata", d.metadata.clone()),
            ("Parameters", list(&d.parameters, parameter)),
            ("PipelineExperimentConfig", d.experiment_config.clone()),
            ("Steps", Some(d.steps.iter().map(step).collect())),
        ],
        &d.other,
    )
}

pub(super) fn parameter(p: &Parameter) -> Value {
    object(
        [
            ("Name", Some(p.name.as_str().into())),
            ("Type", Some(p.kind.as_str().into())),
            ("DefaultValue", p.default.clone()),
            ("EnumValues", list(&p.enum_values, Value::clone)),
        ],
        &p.other,
    )
}

pub(super) fn step(s: &Step) -> Value {
    let arguments = match (&s.kind, &s.branches, &s.arguments) {
        (StepType::Condition, Some(branches), arguments) => {
            let none = Map::new();
            Some(object(
                [
                    ("Conditions", list(&branches.conditions, Value::clone)),
                    ("IfSteps", list(&branches.if_steps, step)),
                    ("ElseSteps", list(&branches.else_steps, step)),
                ],
                arguments.as_object().unwrap_or(&none),
            ))
        }
        (_, _, Value::Null) => None,
        (_, _, arguments) => Some(arguments.clone()),
    };
    object(
        [
            ("Name", Some(s.name.as_str().into())),
            ("Type", Some(s.kind.as_str().into())),
            ("Arguments", arguments),
            ("DependsOn", list(&s.depends_on, |name| name.as_str().into())),
            ("DisplayName", s.display_name.as_deref().map(Value::from)),
            ("Description", s.description.as_deref().map(Value::from)),
            ("RetryPolicies", list(&s.retry_policies, retry_policy)),
            ("CacheConfig", s.cache_config.as_ref().map(cache_config)),
            ("PropertyFiles", list(&s.property_files, property_file)),
        ],
        &s.other,
    )
}

fn property_file(file: &PropertyFile) -> Value {
    object(
        [
            ("PropertyFileName", Some(file.name.as_str().into())),
            ("OutputName", Some(file.output_name.as_str().into())),
            ("FilePath", Some(file.file_path.as_str().into())),
        ],
        &file.other,
    )
}

fn cache_config(config: &CacheConfig) -> Value {
    object(
        [("Enabled", Some(config.enabled.into())), ("ExpireAfter", config.expire_after.as_deref().map(Value::from))],
        &config.other,
    )
}

fn retry_policy(policy: &RetryPolicy) -> Value {
    let number = |number: &Option<serde_json::Number>| number.clone().map(Value::Number);
    let exception_types = match (policy.exception_types.as_slice(), policy.other.get("ExceptionType")) {
        ([only], Some(lone @ Value::String(text))) if only == text => Some(lone.clone()),
        (types, _) => list(types, |name| json!(name)),
    };
    object(
        [
            ("BackoffRate", number(&policy.backoff_rate)),
            ("IntervalSeconds", number(&policy.interval_seconds)),
            ("MaxAttempts", number(&policy.max_attempts)),
            ("ExpireAfterMin", number(&policy.expire_after_min)),
            ("ExceptionType", exception_types),
        ],
        &policy.other,
    )
}

fn list<T>(items: &[T], write: impl Fn(&T) -> Value) -> Option<Value> {
    (!items.is_empty()).then(|| items.iter().map(write).collect())
}

/// The typed members that say something, in this order; one that does not may stand among the others (null, an empty
/// list) and is then written in its place. The rest follows in its own order.
fn object<const N: usize>(typed: [(&'static str, Option<Value>); N], other: &Map<String, Value>) -> Value {
    let mut members = Map::new();
    for (name, value) in typed {
        if let Some(value) = value.or_else(|| other.get(name).cloned()) {
            members.insert(name.to_owned(), value);
        }
    }
    for (name, value) in other {
        if !members.contains_key(name) {
            members.insert(name.clone(), value.clone());
        }
    }
    Value::Object(members)
}
