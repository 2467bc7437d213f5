//! The document: `{"Version": ..., "Metadata": ..., "Parameters": [...], "PipelineExperimentConfig": ..., "Steps": [...]}`.
//!
//! Reading and writing lose nothing: what has no typed home (unknown members, members that are null or empty) is kept
//! in `other` as it was written and comes back at the same place. Written members stand in the order in which the
//! SageMaker Python SDK writes them, the unknown ones after them, so the same definition always gives the same bytes.

use serde_json::{Map, Number, Value};

mod duration;
mod read;
mod steps;
mod write;

pub use duration::expire_after;
pub use read::ParseError;
pub use steps::{Governor, PlacedStep, StepsWithBranches};

/// A pipeline definition.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Definition {
    /// `Version`: the grammar, `2020-12-01`.
    pub version: Option<String>,
    /// `Metadata`: free-form; the SDK writes `{}`.
    pub metadata: Option<Value>,
    /// `Parameters`: what an execution may be given.
    pub parameters: Vec<Parameter>,
    /// `PipelineExperimentConfig`: experiment and trial name, usually expressions.
    pub experiment_config: Option<Value>,
    /// `Steps`: the top level; a Condition step holds those of its branches.
    pub steps: Vec<Step>,
    /// Members without a typed home.
    pub other: Map<String, Value>,
}

/// A declared parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// `Name`.
    pub name: String,
    /// `Type`.
    pub kind: ParameterType,
    /// `DefaultValue`; none: every execution must give the parameter.
    pub default: Option<Value>,
    /// `EnumValues`: the only values allowed; empty: any.
    pub enum_values: Vec<Value>,
    /// Members without a typed home.
    pub other: Map<String, Value>,
}

/// The `Type` of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterType {
    /// `String`
    String,
    /// `Integer`, 64 bits.
    Integer,
    /// `Float`, 64 bits.
    Float,
    /// `Boolean`
    Boolean,
    /// A type this crate does not know.
    Other(String),
}

/// A step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// `Name`, unique in the whole definition, branches included.
    pub name: String,
    /// `Type`.
    pub kind: StepType,
    /// `Arguments`: for most types the request of the API call that the step makes. Those of a Condition step are in
    /// [`Step::branches`]; here is what else stands among them (usually an empty object). Null: absent.
    pub arguments: Value,
    /// What a Condition step decides on and between; `None` for every other type.
    pub branches: Option<Branches>,
    /// `DependsOn`: names of steps.
    pub depends_on: Vec<String>,
    /// `PropertyFiles`: JSON files among the outputs that `Std:JsonGet` may read.
    pub property_files: Vec<PropertyFile>,
    /// `RetryPolicies`.
    pub retry_policies: Vec<RetryPolicy>,
    /// `CacheConfig`.
    pub cache_config: Option<CacheConfig>,
    /// `DisplayName`.
    pub display_name: Option<String>,
    /// `Description`.
    pub description: Option<String>,
    /// Members without a typed home; some step types have many of these (`CheckType`, `FunctionArn`, ...).
    pub other: Map<String, Value>,
}

/// The three arguments of a Condition step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Branches {
    /// `Conditions`: ANDed; [`crate::condition::evaluate`] reads them.
    pub conditions: Vec<Value>,
    /// `IfSteps`: run when all conditions hold.
    pub if_steps: Vec<Step>,
    /// `ElseSteps`: run otherwise.
    pub else_steps: Vec<Step>,
}

/// The `Type` of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StepType {
    /// `Processing`: CreateProcessingJob.
    Processing,
    /// `Training`: CreateTrainingJob.
    Training,
    /// `Tuning`: CreateHyperParameterTuningJob.
    Tuning,
    /// `Transform`: CreateTransformJob.
    Transform,
    /// `Model`: CreateModel.
    Model,
    /// `RegisterModel`: CreateModelPackage.
    RegisterModel,
    /// `AutoML`: CreateAutoMLJob.
    AutoML,
    /// `Condition`: chooses a branch.
    Condition,
    /// `Fail`: ends the execution as Failed.
    Fail,
    /// `Lambda`: invokes a function.
    Lambda,
    /// `Callback`: waits for an answer to a queue message.
    Callback,
    /// `EMR`: adds a step to a cluster.
    Emr,
    /// `QualityCheck`: a Model Monitor baseline check.
    QualityCheck,
    /// `ClarifyCheck`: a Clarify baseline check.
    ClarifyCheck,
    /// Any other, as written.
    Other(String),
}

/// A JSON file among a Processing step's outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct PropertyFile {
    /// `PropertyFileName`: what `Std:JsonGet` calls it.
    pub name: String,
    /// `OutputName`: the output it lies in.
    pub output_name: String,
    /// `FilePath`: relative to that output.
    pub file_path: String,
    /// Members without a typed home.
    pub other: Map<String, Value>,
}

/// `CacheConfig`: whether an earlier run of the same step may stand in for this one.
#[derive(Debug, Clone, PartialEq)]
pub struct CacheConfig {
    /// `Enabled`.
    pub enabled: bool,
    /// `ExpireAfter`: an ISO 8601 duration, the leading `P` optional (`30d`, `PT1H`).
    pub expire_after: Option<String>,
    /// Members without a typed home.
    pub other: Map<String, Value>,
}

/// One of a step's `RetryPolicies`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RetryPolicy {
    /// `ExceptionType`: e.g. `Step.THROTTLING`, `SageMaker.RESOURCE_LIMIT`. AWS's schema says one string, the SDK
    /// writes a list; both are read, each is written back as it was.
    pub exception_types: Vec<String>,
    /// `IntervalSeconds` before the first retry; SageMaker's default is 1.
    pub interval_seconds: Option<Number>,
    /// `BackoffRate`: the factor between intervals; SageMaker's default is 2.0.
    pub backoff_rate: Option<Number>,
    /// `MaxAttempts`, at most 20; SageMaker's default is 5.
    pub max_attempts: Option<Number>,
    /// `ExpireAfterMin`: minutes, at most 14400; not together with `MaxAttempts`.
    pub expire_after_min: Option<Number>,
    /// Members without a typed home.
    pub other: Map<String, Value>,
}

impl Definition {
    /// Reads a definition.
    ///
    /// # Errors
    /// The text is no JSON, or a member that this crate types has another shape; the error knows the place.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        read::parse(text)
    }

    /// Reads a definition that is JSON already.
    ///
    /// # Errors
    /// A member that this crate types has another shape; the error knows the place.
    pub fn from_value(value: Value) -> Result<Self, ParseError> {
        read::definition(value)
    }

    /// The definition as JSON, members in the SDK's order.
    #[must_use]
    pub fn to_value(&self) -> Value {
        write::definition(self)
    }

    /// The definition as compact JSON text. The same definition always gives the same bytes.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    /// All steps in document order, each Condition step followed by its IfSteps and then its ElseSteps.
    #[must_use]
    pub fn steps_with_branches(&self) -> StepsWithBranches<'_> {
        StepsWithBranches::new(&self.steps)
    }

    /// The step of that name, wherever it stands.
    #[must_use]
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps_with_branches().map(|placed| placed.step).find(|step| step.name == name)
    }
}

impl Parameter {
    /// The declaration as JSON, members in the SDK's order.
    #[must_use]
    pub fn to_value(&self) -> Value {
        write::parameter(self)
    }
}

impl Step {
    /// A step with nothing but a name, a type and arguments.
    #[must_use]
    pub fn new(name: impl Into<String>, kind: StepType, arguments: Value) -> Self {
        Self {
            name: name.into(),
            kind,
            arguments,
            branches: None,
            depends_on: Vec::new(),
            property_files: Vec::new(),
            retry_policies: Vec::new(),
            cache_config: None,
            display_name: None,
            description: None,
            other: Map::new(),
        }
    }

    /// The step as JSON, members in the SDK's order, branches included.
    #[must_use]
    pub fn to_value(&self) -> Value {
        write::step(self)
    }

    /// `Conditions` of a Condition step; empty for every other type.
    #[must_use]
    pub fn conditions(&self) -> &[Value] {
        self.branches.as_ref().map_or(&[], |branches| &branches.conditions)
    }

    /// `IfSteps` of a Condition step; empty for every other type.
    #[must_use]
    pub fn if_steps(&self) -> &[Step] {
        self.branches.as_ref().map_or(&[], |branches| &branches.if_steps)
    }

    /// `ElseSteps` of a Condition step; empty for every other type.
    #[must_use]
    pub fn else_steps(&self) -> &[Step] {
        self.branches.as_ref().map_or(&[], |branches| &branches.else_steps)
    }
}

/// The types and their names, once for both directions.
const STEP_TYPES: [(StepType, &str); 14] = [
    (StepType::Processing, "Processing"),
    (StepType::Training, "Training"),
    (StepType::Tuning, "Tuning"),
    (StepType::Transform, "Transform"),
    (StepType::Model, "Model"),
    (StepType::RegisterModel, "RegisterModel"),
    (StepType::AutoML, "AutoML"),
    (StepType::Condition, "Condition"),
    (StepType::Fail, "Fail"),
    (StepType::Lambda, "Lambda"),
    (StepType::Callback, "Callback"),
    (StepType::Emr, "EMR"),
    (StepType::QualityCheck, "QualityCheck"),
    (StepType::ClarifyCheck, "ClarifyCheck"),
];

/// The names of all types that this crate knows.
pub(crate) fn step_type_names() -> impl Iterator<Item = &'static str> {
    STEP_TYPES.into_iter().map(|(_, name)| name)
}

impl StepType {
    /// The name in a definition.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            StepType::Other(name) => name,
            known => STEP_TYPES.iter().find(|(kind, _)| kind == known).map_or("", |(_, name)| name),
        }
    }
}

impl From<&str> for StepType {
    fn from(text: &str) -> Self {
        STEP_TYPES
            .iter()
            .find(|(_, name)| *name == text)
            .map_or_else(|| StepType::Other(text.to_owned()), |(kind, _)| kind.clone())
    }
}

impl std::fmt::Display for StepType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ParameterType {
    /// The name in a definition.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            ParameterType::String => "String",
            ParameterType::Integer => "Integer",
            ParameterType::Float => "Float",
            ParameterType::Boolean => "Boolean",
            ParameterType::Other(name) => name,
        }
    }
}

impl From<&str> for ParameterType {
    fn from(text: &str) -> Self {
        match text {
            "String" => ParameterType::String,
            "Integer" => ParameterType::Integer,
            "Float" => ParameterType::Float,
            "Boolean" => ParameterType::Boolean,
            other => ParameterType::Other(other.to_owned()),
        }
    }
}

impl std::fmt::Display for ParameterType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn step_types_keep_their_names() {
        for (kind, name) in STEP_TYPES {
            assert_eq!((StepType::from(name), kind.as_str()), (kind.clone(), name));
        }
        assert_eq!(StepType::from("EndpointConfig").as_str(), "EndpointConfig");
    }

    #[test]
    fn members_find_their_home() {
        let definition = Definition::parse(
            r#"{"Version": "2020-12-01", "Metadata": {"a": 1}, "Unknown": [1], "Parameters": [
                  {"Name": "P", "Type": "Integer", "DefaultValue": 1, "EnumValues": [1, 2], "Hint": "x"}],
                "Steps": [{"Name": "S", "Type": "Processing", "Arguments": {"RoleArn": "r"}, "DependsOn": ["T"],
                  "PropertyFiles": [{"PropertyFileName": "f", "OutputName": "o", "FilePath": "p"}],
                  "RetryPolicies": [{"ExceptionType": ["Step.THROTTLING"], "BackoffRate": 2.5, "MaxAttempts": 3}],
                  "CacheConfig": {"Enabled": true, "ExpireAfter": "30d"}, "DisplayName": "D", "Description": "E",
                  "CheckType": "c"}]}"#,
        )
        .unwrap();
        assert_eq!(definition.version.as_deref(), Some("2020-12-01"));
        assert_eq!(definition.other, *json!({"Unknown": [1]}).as_object().unwrap());
        let parameter = &definition.parameters[0];
        assert_eq!((parameter.name.as_str(), &parameter.kind), ("P", &ParameterType::Integer));
        assert_eq!((&parameter.default, parameter.enum_values.len()), (&Some(json!(1)), 2));
        let step = definition.step("S").unwrap();
        assert_eq!((&step.kind, &step.arguments), (&StepType::Processing, &json!({"RoleArn": "r"})));
        assert_eq!(
            (step.depends_on.as_slice(), step.property_files[0].file_path.as_str()),
            (&["T".to_owned()][..], "p")
        );
        let retry = &step.retry_policies[0];
        assert_eq!(
            (retry.exception_types[0].as_str(), retry.max_attempts.as_ref()),
            ("Step.THROTTLING", Some(&3.into()))
        );
        let cache = step.cache_config.as_ref().unwrap();
        assert_eq!((cache.enabled, cache.expire_after.as_deref()), (true, Some("30d")));
        assert_eq!((step.display_name.as_deref(), step.description.as_deref()), (Some("D"), Some("E")));
        assert_eq!(step.other, *json!({"CheckType": "c"}).as_object().unwrap());
    }

    #[test]
    fn nothing_is_lost() {
        fn check(value: &Value) {
            assert_eq!(Definition::from_value(value.clone()).unwrap().to_value(), *value);
        }
        check(&json!({"Steps": []}));
        check(
            &json!({"Steps": [], "Parameters": [], "Metadata": null, "PipelineExperimentConfig": null, "Version": null}),
        );
        let step = |members: &Value| {
            let mut step = json!({"Name": "S", "Type": "Processing"});
            step.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            check(&json!({"Steps": [step]}));
        };
        step(&json!({}));
        step(&json!({"Arguments": null}));
        step(&json!({"Arguments": [1, {"x": null}]}));
        step(
            &json!({"DependsOn": [], "PropertyFiles": null, "CacheConfig": null, "RetryPolicies": [], "Description": ""}),
        );
        step(&json!({"RetryPolicies": [{"ExceptionType": "Step.THROTTLING", "BackoffRate": 2, "x": 1}, {}]}));
        step(&json!({"RetryPolicies": [{"ExceptionType": ["A", "B"], "BackoffRate": 2.0, "IntervalSeconds": 1.5}]}));
        step(&json!({"Type": "Nonsense", "Arguments": {"Conditions": 1, "IfSteps": {}}}));
        step(&json!({"Type": "Condition", "Arguments": {}}));
        step(&json!({"Type": "Condition", "Arguments": {"Conditions": [], "IfSteps": null, "x": 1}}));
        step(&json!({"Type": "Condition", "Arguments": {"ElseSteps": [
            {"Name": "I", "Type": "Condition", "Arguments": {"IfSteps": [{"Name": "F", "Type": "Fail"}]}, "y": {}}
        ]}}));
    }

    #[test]
    fn the_sdk_s_order_is_written_whatever_order_was_read() {
        let text =
            r#"{"Steps":[{"Type":"Fail","zeta":1,"Arguments":{"b":1,"a":2},"alpha":2,"Name":"F"}],"Version":"v"}"#;
        let written =
            r#"{"Version":"v","Steps":[{"Name":"F","Type":"Fail","Arguments":{"b":1,"a":2},"zeta":1,"alpha":2}]}"#;
        assert_eq!(Definition::parse(text).unwrap().to_json(), written);
    }

    #[test]
    fn branches_are_walked_in_document_order() {
        let definition = Definition::from_value(json!({"Steps": [
            {"Name": "A", "Type": "Processing"},
            {"Name": "C", "Type": "Condition", "Arguments": {
                "Conditions": [{"Type": "x"}],
                "IfSteps": [
                    {"Name": "C1", "Type": "Condition", "Arguments": {"ElseSteps": [{"Name": "D", "Type": "Fail"}]}},
                    {"Name": "E", "Type": "Model"}
                ],
                "ElseSteps": [{"Name": "F", "Type": "Fail"}]
            }},
            {"Name": "G", "Type": "Training"}
        ]}))
        .unwrap();
        let walked: Vec<_> = definition
            .steps_with_branches()
            .map(|p| (p.step.name.as_str(), p.pointer, p.governor.map(|g| (g.condition, g.outcome))))
            .collect();
        let arguments = "/Steps/1/Arguments";
        let expected = [
            ("A", "/Steps/0".to_owned(), None),
            ("C", "/Steps/1".to_owned(), None),
            ("C1", format!("{arguments}/IfSteps/0"), Some(("C", true))),
            ("D", format!("{arguments}/IfSteps/0/Arguments/ElseSteps/0"), Some(("C1", false))),
            ("E", format!("{arguments}/IfSteps/1"), Some(("C", true))),
            ("F", format!("{arguments}/ElseSteps/0"), Some(("C", false))),
            ("G", "/Steps/2".to_owned(), None),
        ];
        assert_eq!(walked, expected);
        for placed in definition.steps_with_branches() {
            assert_eq!(definition.to_value().pointer(&placed.pointer).unwrap()["Name"], placed.step.name);
        }
        let condition = definition.step("C").unwrap();
        assert_eq!((condition.conditions().len(), condition.if_steps().len(), condition.else_steps().len()), (1, 2, 1));
    }
}
