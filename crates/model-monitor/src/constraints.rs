//! What metrics must hold to: `constraints.json`.

use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value};

use crate::{json, problem::Problem, statistics::Statistics};

/// Thresholds of metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct Constraints {
    /// What the model predicts.
    pub problem: Problem,
    /// By the metric's name, as the document has them.
    pub of: Vec<(String, Constraint)>,
}

/// A threshold, and on which side of it a metric violates it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Constraint {
    /// The threshold itself is fine.
    pub threshold: f64,
    /// The wrong side.
    pub comparison_operator: Operator,
}

/// How a metric violates a constraint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// It is below the threshold.
    LessThanThreshold,
    /// It is above the threshold.
    GreaterThanThreshold,
}

/// Why a document has no constraints for a model.
#[derive(Debug, thiserror::Error)]
pub enum ConstraintsError {
    /// It is not JSON.
    #[error("the constraints are not JSON")]
    NotJson(#[source] serde_json::Error),
    /// It has no constraints of this problem type.
    #[error(
        "the constraints have no {member}: the monitor's problem type is {problem}, the baseline's must be the same"
    )]
    Missing {
        /// What is missing.
        member: &'static str,
        /// What the monitored model predicts.
        problem: Problem,
    },
    /// A constraint is not as it should be.
    #[error(
        "the constraint of {metric} cannot be read: it needs a threshold, which is a number, and a comparison_operator"
    )]
    Constraint {
        /// The metric's name.
        metric: String,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A constraint that would never be checked.
    #[error("there is a constraint of {metric:?}, which is no metric of {problem}: known are {known}")]
    UnknownMetric {
        /// The unknown name.
        metric: String,
        /// What the monitored model predicts.
        problem: Problem,
        /// The names that can be constrained.
        known: String,
    },
}

use Operator::{GreaterThanThreshold as Greater, LessThanThreshold as Less};

/// Which metrics are constrained, in the monitor's order.
pub(crate) fn constrained(problem: Problem) -> &'static [(&'static str, Operator)] {
    match problem {
        Problem::Regression => &[("mae", Greater), ("mse", Greater), ("rmse", Greater), ("r2", Less)],
        Problem::BinaryClassification => &[
            ("recall", Less),
            ("precision", Less),
            ("accuracy", Less),
            ("true_positive_rate", Less),
            ("true_negative_rate", Less),
            ("false_positive_rate", Greater),
            ("false_negative_rate", Greater),
            ("auc", Less),
            ("f0_5", Less),
            ("f1", Less),
            ("f2", Less),
        ],
        Problem::MulticlassClassification => &[
            ("accuracy", Less),
            ("weighted_recall", Less),
            ("weighted_precision", Less),
            ("weighted_f0_5", Less),
            ("weighted_f1", Less),
            ("weighted_f2", Less),
        ],
    }
}

impl Constraints {
    /// What AWS suggests for a baseline: its own values, without any margin. (None where a value is not finite.)
    #[must_use]
    pub fn suggest(baseline: &Statistics) -> Self {
        let problem = baseline.problem;
        let of = constrained(problem).iter().filter_map(|(name, comparison_operator)| {
            let threshold = Some(baseline.metric(name)?.value).filter(|value| value.is_finite())?;
            Some(((*name).to_owned(), Constraint { threshold, comparison_operator: *comparison_operator }))
        });
        Self { problem, of: of.collect() }
    }

    /// Reads `constraints.json`. Members that are not known do not matter, constraints that are not known do.
    ///
    /// # Errors
    /// It is not JSON, or has no constraints for such a model, or they are damaged.
    pub fn read(text: &[u8], problem: Problem) -> Result<Self, ConstraintsError> {
        let document: Map<String, Value> = serde_json::from_slice(text).map_err(ConstraintsError::NotJson)?;
        let member = problem.constraints_member();
        let missing = ConstraintsError::Missing { member, problem };
        let Some(Value::Object(constraints)) = document.get(member) else { return Err(missing) };
        let known = constrained(problem);
        let read = |(metric, constraint): (&String, &Value)| {
            let metric = metric.clone();
            if !known.iter().any(|(name, _)| *name == metric) {
                let known = known.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
                return Err(ConstraintsError::UnknownMetric { metric, problem, known });
            }
            match Constraint::deserialize(constraint) {
                Ok(constraint) => Ok((metric, constraint)),
                Err(source) => Err(ConstraintsError::Constraint { metric, source }),
            }
        };
        Ok(Self { problem, of: constraints.iter().map(read).collect::<Result<_, _>>()? })
    }

    /// `constraints.json`.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::document(self)
    }

    /// The constraint of a metric.
    #[must_use]
    pub fn get(&self, metric: &str) -> Option<Constraint> {
        self.of.iter().find(|(name, _)| name == metric).map(|(_, constraint)| *constraint)
    }
}

impl Serialize for Constraints {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Members<'a>(&'a [(String, Constraint)]);
        impl Serialize for Members<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|(name, constraint)| (name, constraint)))
            }
        }
        let mut document = serializer.serialize_map(Some(2))?;
        document.serialize_entry("version", &0.0)?;
        document.serialize_entry(self.problem.constraints_member(), &Members(&self.of))?;
        document.end()
    }
}

impl Constraint {
    /// Whether a value is on the wrong side of the threshold.
    #[must_use]
    pub fn is_violated(self, value: f64) -> bool {
        match self.comparison_operator {
            Less => value < self.threshold,
            Greater => value > self.threshold,
        }
    }
}

impl Operator {
    /// Its name in the document.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Less => "LessThanThreshold",
            Greater => "GreaterThanThreshold",
        }
    }
}
