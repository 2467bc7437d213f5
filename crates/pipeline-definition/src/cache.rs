//! Step caching: whether an earlier run of a step may stand in for a new one, and why it may not.
//!
//! A run is known by its [`Key`], the attributes of its resolved arguments that AWS compares
//! (<https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-default-keys.html>). [`look_up`] finds the run to reuse
//! among earlier ones, or says what stands in the way.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::definition::{CacheConfig, StepType, expire_after};
use crate::path::Path;
use crate::pointer::Place;
use crate::resolve::text_of;

/// What must be the same for an earlier run to stand in: each attribute by its name, in a canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(Map<String, Value>);

/// A place at which two keys differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The attribute, e.g. `HyperParameters`.
    pub attribute: String,
    /// The place below it as a JSON pointer, e.g. `/l2`; empty: all of it.
    pub pointer: String,
    /// The earlier run's value; null: it had none.
    pub earlier: Value,
    /// The new run's value; null: it has none.
    pub now: Value,
}

/// An earlier run of the same step that succeeded and was not taken from the cache itself.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The ARN of its execution.
    pub execution: &'a str,
    /// What it was made with.
    pub key: &'a Key,
    /// How long ago it ended.
    pub age: Duration,
}

/// What came of looking for an earlier run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The run of this execution (its ARN) stands in.
    Hit(String),
    /// The step has to run.
    Miss(Miss),
}

/// Why a step has to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Miss {
    /// Its `CacheConfig` does not enable caching.
    Off,
    /// Caching needs a duration in `ExpireAfter`, and this is none.
    NoDuration(String),
    /// No earlier execution of the pipeline has a successful run of this step.
    NeverSucceeded,
    /// The newest run with the same key is too old.
    Expired {
        /// The ARN of its execution.
        execution: String,
        /// Its age in seconds.
        age: u64,
        /// The oldest age that is reused, in seconds.
        expire_after: u64,
    },
    /// No run has the same key; these are the differences from the one most like it, the newest of several.
    Differs {
        /// The ARN of its execution.
        execution: String,
        /// Where the two differ.
        differences: Vec<Difference>,
    },
}

/// Finds the newest run with the same key that is not too old.
pub fn look_up<'a>(config: Option<&CacheConfig>, key: &Key, earlier: impl IntoIterator<Item = Run<'a>>) -> Verdict {
    let Some(config) = config.filter(|config| config.enabled) else { return Verdict::Miss(Miss::Off) };
    let written = config.expire_after.as_deref().unwrap_or_default();
    let Some(limit) = expire_after(written) else { return Verdict::Miss(Miss::NoDuration(written.to_owned())) };
    let mut runs: Vec<_> = earlier.into_iter().collect();
    runs.sort_by_key(|run| run.age);
    if let Some(run) = runs.iter().find(|run| run.key == key) {
        return match run.age <= limit {
            true => Verdict::Hit(run.execution.to_owned()),
            false => Verdict::Miss(Miss::Expired {
                execution: run.execution.to_owned(),
                age: run.age.as_secs(),
                expire_after: limit.as_secs(),
            }),
        };
    }
    let closest =
        runs.iter().map(|run| (key.differences(run.key), run)).min_by_key(|(differences, _)| differences.len());
    Verdict::Miss(closest.map_or(Miss::NeverSucceeded, |(differences, run)| Miss::Differs {
        execution: run.execution.to_owned(),
        differences,
    }))
}

/// The attributes that AWS compares for a type of step, as paths into its resolved arguments; none for a type that is
/// never cached.
#[must_use]
pub fn attributes(kind: &StepType) -> Option<&'static [&'static str]> {
    Some(match kind {
        StepType::Processing => &["AppSpecification", "Environment", "ProcessingInputs"],
        StepType::Training => &[
            "AlgorithmSpecification",
            "CheckpointConfig",
            "DebugHookConfig",
            "DebugRuleConfigurations",
            "Environment",
            "HyperParameters",
            "InputDataConfig",
        ],
        StepType::Tuning => &[
            "HyperParameterTuningJobConfig",
            "TrainingJobDefinition.AlgorithmSpecification",
            "TrainingJobDefinition.HyperParameterRanges",
            "TrainingJobDefinition.InputDataConfig",
            "TrainingJobDefinition.StaticHyperParameters",
            "TrainingJobDefinition.TuningObjective",
            "TrainingJobDefinitions",
        ],
        // The arguments of its job, and beside them what the step itself says.
        StepType::QualityCheck => &[
            "AppSpecification",
            "Environment",
            "ProcessingInputs",
            "CheckType",
            "ModelPackageGroupName",
            "RegisterNewBaseline",
            "SkipCheck",
            "SuppliedBaselineConstraints",
            "SuppliedBaselineStatistics",
        ],
        StepType::Transform => &["DataProcessing", "Environment", "ModelName", "TransformInput"],
        StepType::AutoML => &[
            "AutoMLJobConfig.CompletionCriteria",
            "AutoMLJobConfig.CandidateGenerationConfig",
            "AutoMLJobConfig.DataSplitConfig",
            "AutoMLJobConfig.Mode",
            "AutoMLJobObjective",
            "InputDataConfig",
            "ProblemType",
        ],
        StepType::Emr => &["ClusterId", "StepConfig"],
        _ => return None,
    })
}

impl Key {
    /// The key of a run with these resolved arguments (a Describe call's answer has the same members); none for a type
    /// of step that is never cached.
    #[must_use]
    pub fn of(kind: &StepType, arguments: &Value) -> Option<Self> {
        let found = attributes(kind)?.iter().filter_map(|attribute| {
            let path: Path = attribute.parse().ok()?;
            Some(((*attribute).to_owned(), canonical(path.find(arguments).ok()?)?))
        });
        Some(Self(found.collect()))
    }

    /// Where this key differs from an earlier one, attribute by attribute. Lists of different lengths differ as a whole.
    #[must_use]
    pub fn differences(&self, earlier: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        for name in names(&self.0, &earlier.0) {
            compare(name, Place::ROOT, self.0.get(name), earlier.0.get(name), &mut found);
        }
        found
    }
}

/// The same for everything that the service takes for the same: numbers are the texts that they become, and what is
/// null or empty is not there.
fn canonical(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(members) => {
            let members: Map<_, _> =
                members.iter().filter_map(|(name, value)| Some((name.clone(), canonical(value)?))).collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
        Value::Array(items) if items.is_empty() => None,
        // An item keeps its position even if there is nothing in it.
        Value::Array(items) => Some(items.iter().map(|item| canonical(item).unwrap_or_default()).collect()),
        scalar => text_of(scalar).map(Value::String),
    }
}

fn compare(
    attribute: &str,
    place: Place<'_>,
    now: Option<&Value>,
    earlier: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    match (now, earlier) {
        (now, earlier) if now == earlier => {}
        (Some(Value::Object(now)), Some(Value::Object(earlier))) => {
            for name in names(now, earlier) {
                compare(attribute, place.member(name), now.get(name), earlier.get(name), found);
            }
        }
        (Some(Value::Array(now)), Some(Value::Array(earlier))) if now.len() == earlier.len() => {
            for (i, (now, earlier)) in now.iter().zip(earlier).enumerate() {
                compare(attribute, place.item(i), Some(now), Some(earlier), found);
            }
        }
        (now, earlier) => found.push(Difference {
            attribute: attribute.to_owned(),
            pointer: place.to_string(),
            earlier: earlier.cloned().unwrap_or_default(),
            now: now.cloned().unwrap_or_default(),
        }),
    }
}

/// The names in either, the first one's first.
fn names<'a>(one: &'a Map<String, Value>, other: &'a Map<String, Value>) -> impl Iterator<Item = &'a String> {
    one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)))
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hit(execution) => write!(f, "the same as in execution {}", id(execution)),
            Self::Miss(miss) => miss.fmt(f),
        }
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("caching is off"),
            Self::NoDuration(text) => write!(f, "ExpireAfter '{text}' is no duration such as P30D"),
            Self::NeverSucceeded => f.write_str("it has never succeeded before"),
            Self::Expired { execution, age, expire_after } => {
                write!(f, "execution {} is {age} s old, more than {expire_after} s", id(execution))
            }
            Self::Differs { execution, differences } => {
                write!(f, "not as in execution {}: ", id(execution))?;
                for (i, difference) in differences.iter().enumerate() {
                    write!(f, "{}{difference}", if i == 0 { "" } else { "; " })?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Value| match value {
            Value::Null => "absent".to_owned(),
            value => text_of(value).unwrap_or_else(|| value.to_string()),
        };
        write!(f, "{}{} is {}, was {}", self.attribute, self.pointer, text(&self.now), text(&self.earlier))
    }
}

/// The last part of an execution's ARN.
fn id(execution: &str) -> &str {
    execution.rsplit('/').next().unwrap_or(execution)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn training(hyperparameters: Value) -> Key {
        Key::of(&StepType::Training, &json!({"HyperParameters": hyperparameters, "RoleArn": "r"})).unwrap()
    }

    #[test]
    fn only_what_counts_is_compared() {
        fn check(kind: &StepType, one: Value, other: Value, same: bool) {
            assert_eq!(Key::of(kind, &one) == Key::of(kind, &other), same, "{one} {other}");
        }
        let processing = &StepType::Processing;
        check(processing, json!({"RoleArn": "a"}), json!({"RoleArn": "b", "ProcessingOutputConfig": {}}), true);
        check(processing, json!({"Environment": {"A": "1", "B": "2"}}), json!({"Environment": {"B": 2, "A": 1}}), true);
        check(processing, json!({"Environment": {}}), json!({"ProcessingInputs": null}), true);
        check(processing, json!({"ProcessingInputs": [1, 2]}), json!({"ProcessingInputs": [2, 1]}), false);
        check(processing, json!({"ProcessingInputs": [{}]}), json!({"ProcessingInputs": []}), false);
        check(&StepType::Training, json!({"HyperParameters": {"a": 1.0}}), json!({"HyperParameters": {"a": 1}}), false);
        let ranges = |value: i32| json!({"TrainingJobDefinition": {"TuningObjective": value, "RoleArn": value}});
        check(&StepType::Tuning, ranges(1), ranges(2), false);
        for kind in [StepType::Condition, StepType::Fail, StepType::RegisterModel, StepType::Model] {
            assert_eq!(Key::of(&kind, &json!({})), None, "{kind}");
        }
    }

    #[test]
    fn differences_are_named() {
        fn check(now: Value, earlier: Value, expected: &[&str]) {
            let of = |value| Key::of(&StepType::Training, &value).unwrap();
            let differences: Vec<_> = of(now).differences(&of(earlier)).iter().map(ToString::to_string).collect();
            assert_eq!(differences, expected);
        }
        check(json!({"HyperParameters": {"l2": 1}}), json!({"HyperParameters": {"l2": "1"}}), &[]);
        check(
            json!({"HyperParameters": {"l2": 0.5, "a": 1}, "Environment": {"X": "y"}}),
            json!({"HyperParameters": {"l2": 1.0, "b": 2}}),
            &[
                r#"Environment is {"X":"y"}, was absent"#,
                "HyperParameters/l2 is 0.5, was 1.0",
                "HyperParameters/a is 1, was absent",
                "HyperParameters/b is absent, was 2",
            ],
        );
        let channel = |uri: &str| json!({"InputDataConfig": [{"DataSource": {"S3Uri": uri}}]});
        check(
            channel("s3://b/2"),
            channel("s3://b/1"),
            &["InputDataConfig/0/DataSource/S3Uri is s3://b/2, was s3://b/1"],
        );
        check(
            json!({"InputDataConfig": [1]}),
            json!({"InputDataConfig": [1, 2]}),
            &[r#"InputDataConfig is ["1"], was ["1","2"]"#],
        );
    }

    #[test]
    fn the_newest_run_with_the_same_key_wins_and_a_miss_says_why() {
        let [same, other] = [training(json!({"l2": 1})), training(json!({"l2": 2}))];
        let check = |enabled: bool, expire_after: &str, runs: &[(&str, &Key, u64)], expected: &str| {
            let config = CacheConfig { enabled, expire_after: Some(expire_after.to_owned()), other: Map::new() };
            let runs = runs.iter().map(|(execution, key, age)| Run { execution, key, age: Duration::from_secs(*age) });
            assert_eq!(look_up(Some(&config), &same, runs).to_string(), expected);
        };
        check(
            true,
            "PT1M",
            &[("old", &same, 60), ("e/new", &same, 50), ("x", &other, 1)],
            "the same as in execution new",
        );
        check(true, "PT1M", &[("old", &same, 99), ("new", &same, 61)], "execution new is 61 s old, more than 60 s");
        let differs = "not as in execution new: HyperParameters/l2 is 1, was 2";
        check(true, "PT1M", &[("old", &other, 2), ("new", &other, 1)], differs);
        let far = training(json!({"l2": 3, "a": 1}));
        check(true, "PT1M", &[("new", &other, 2), ("newest but far", &far, 1)], differs);
        check(true, "PT1M", &[], "it has never succeeded before");
        check(true, "soon", &[("new", &same, 1)], "ExpireAfter 'soon' is no duration such as P30D");
        check(false, "PT1M", &[("new", &same, 1)], "caching is off");
        assert_eq!(look_up(None, &same, []), Verdict::Miss(Miss::Off));
    }

    #[test]
    fn a_verdict_is_kept_as_json() {
        let verdict = look_up(None, &training(json!({})), []);
        let text = serde_json::to_string(&verdict).unwrap();
        assert_eq!((text.as_str(), serde_json::from_str(&text).unwrap()), (r#"{"Miss":"Off"}"#, verdict));
    }
}
