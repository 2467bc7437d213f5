//! `statistics.json` back to [`Statistics`]: ours, or what AWS's analyzer wrote.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Label, Measure, Metric, Statistics};
use crate::problem::Problem;

/// Why a document has no statistics of model quality.
#[derive(Debug, thiserror::Error)]
pub enum StatisticsError {
    /// It is not a JSON object.
    #[error("the statistics are not JSON")]
    NotJson(#[source] serde_json::Error),
    /// It has no metrics of any problem type: those of data quality, perhaps.
    #[error("the statistics have no metrics: none of {}", members().join(", "))]
    Missing,
    /// A member is not as it should be.
    #[error("{member} of the statistics cannot be read")]
    Member {
        /// Its name.
        member: String,
        /// What is wrong.
        source: serde_json::Error,
    },
}

fn members() -> [&'static str; 3] {
    Problem::ALL.map(Problem::metrics_member)
}

/// What is measured for a model of this kind, in the monitor's order.
fn measured(problem: Problem) -> &'static [&'static str] {
    match problem {
        Problem::Regression => &["mae", "mse", "rmse", "r2"],
        Problem::BinaryClassification => &[
            "confusion_matrix",
            "recall",
            "precision",
            "accuracy",
            "recall_best_constant_classifier",
            "precision_best_constant_classifier",
            "accuracy_best_constant_classifier",
            "true_positive_rate",
            "true_negative_rate",
            "false_positive_rate",
            "false_negative_rate",
            "receiver_operating_characteristic_curve",
            "precision_recall_curve",
            "auc",
            "f0_5",
            "f1",
            "f2",
            "f0_5_best_constant_classifier",
            "f1_best_constant_classifier",
            "f2_best_constant_classifier",
        ],
        Problem::MulticlassClassification => &[
            "confusion_matrix",
            "accuracy",
            "weighted_recall",
            "weighted_precision",
            "weighted_f0_5",
            "weighted_f1",
            "weighted_f2",
            "accuracy_best_constant_classifier",
            "weighted_recall_best_constant_classifier",
            "weighted_precision_best_constant_classifier",
            "weighted_f0_5_best_constant_classifier",
            "weighted_f1_best_constant_classifier",
            "weighted_f2_best_constant_classifier",
        ],
    }
}

impl Statistics {
    /// Reads `statistics.json`. Members that are missing or not known do not matter.
    ///
    /// # Errors
    /// It is not JSON, has no metrics, or they are damaged.
    pub fn read(text: &[u8]) -> Result<Self, StatisticsError> {
        let document: Map<String, Value> = serde_json::from_slice(text).map_err(StatisticsError::NotJson)?;
        let found = Problem::ALL.into_iter().find_map(|problem| match document.get(problem.metrics_member()) {
            Some(Value::Object(metrics)) => Some((problem, metrics)),
            _ => None,
        });
        let (problem, metrics) = found.ok_or(StatisticsError::Missing)?;
        // AWS's analyzer tells it; its documented examples for multiclass models do not.
        let item_count = document.get("dataset").and_then(|dataset| dataset.get("item_count")).and_then(Value::as_u64);
        let measures = measured(problem).iter().filter_map(|name| Some((*name, metrics.get(*name)?)));
        let read = |(name, value): (&'static str, &Value)| match measure(name, value) {
            Ok(measure) => Ok((name, measure)),
            Err(source) => Err(StatisticsError::Member { member: name.to_owned(), source }),
        };
        Ok(Self {
            problem,
            item_count: item_count.unwrap_or(0),
            measures: measures.map(read).collect::<Result<_, _>>()?,
        })
    }
}

fn measure(name: &str, value: &Value) -> Result<Measure, serde_json::Error> {
    match name {
        "confusion_matrix" => {
            let counts = BTreeMap::<String, BTreeMap<String, u64>>::deserialize(value)?;
            let by_label = |counts: BTreeMap<String, u64>| {
                counts.into_iter().map(|(text, count)| (Label::of(&text), count)).collect()
            };
            Ok(Measure::ConfusionMatrix(
                counts.into_iter().map(|(text, counts)| (Label::of(&text), by_label(counts))).collect(),
            ))
        }
        "receiver_operating_characteristic_curve" => {
            let RocCurve { false_positive_rates, true_positive_rates } = RocCurve::deserialize(value)?;
            Ok(Measure::RocCurve { false_positive_rates, true_positive_rates })
        }
        "precision_recall_curve" => {
            let PrecisionRecallCurve { precisions, recalls } = PrecisionRecallCurve::deserialize(value)?;
            Ok(Measure::PrecisionRecallCurve { precisions, recalls })
        }
        _ => {
            let Numbers { value, standard_deviation } = Numbers::deserialize(value)?;
            let standard_deviation = standard_deviation.map(Number::value).filter(|deviation| deviation.is_finite());
            Ok(Measure::Metric(Metric { value: value.value(), standard_deviation }))
        }
    }
}

#[derive(Deserialize)]
struct RocCurve {
    false_positive_rates: Vec<f64>,
    true_positive_rates: Vec<f64>,
}

#[derive(Deserialize)]
struct PrecisionRecallCurve {
    precisions: Vec<f64>,
    recalls: Vec<f64>,
}

#[derive(Deserialize)]
struct Numbers {
    value: Number,
    standard_deviation: Option<Number>,
}

/// Text where JSON has no such number: `NaN`, `Infinity`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Number(f64),
    Text(String),
}

impl Number {
    fn value(self) -> f64 {
        match self {
            Self::Number(number) => number,
            Self::Text(text) => text.parse().unwrap_or(f64::NAN),
        }
    }
}
