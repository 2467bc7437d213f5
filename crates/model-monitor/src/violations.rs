//! Which metrics do not hold to their constraints: `constraint_violations.json`, and what a job says of it.

use serde::{Deserialize, Serialize};

use crate::{constraints::Constraints, json, json::java_double, problem::Problem, statistics::Statistics};

/// All violations of a job.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Violations {
    /// In the monitor's order.
    pub violations: Vec<Violation>,
}

/// A metric on the wrong side of its threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The constraint's operator: `LessThanThreshold`.
    pub constraint_check_type: String,
    /// The metric, its value and standard deviation, and the threshold, in a sentence.
    pub description: String,
    /// The metric, in camel case: `truePositiveRate`.
    pub metric_name: String,
}

/// The metrics as the monitor comes upon them, which is the order of a hash map of Scala's (reproduced with its hash for
/// the two classifications; violations of three real jobs are in this order). `f0_5` and `weighted_f0_5` are missing: the
/// monitor never reports them, though it suggests a constraint.
fn reported(problem: Problem) -> &'static [(&'static str, &'static str)] {
    match problem {
        Problem::Regression => &[("mae", "mae"), ("mse", "mse"), ("rmse", "rmse"), ("r2", "r2")],
        Problem::BinaryClassification => &[
            ("auc", "auc"),
            ("precision", "precision"),
            ("true_positive_rate", "truePositiveRate"),
            ("f1", "f1"),
            ("accuracy", "accuracy"),
            ("false_positive_rate", "falsePositiveRate"),
            ("true_negative_rate", "trueNegativeRate"),
            ("false_negative_rate", "falseNegativeRate"),
            ("recall", "recall"),
            ("f2", "f2"),
        ],
        Problem::MulticlassClassification => &[
            ("weighted_f2", "weightedF2"),
            ("accuracy", "accuracy"),
            ("weighted_recall", "weightedRecall"),
            ("weighted_precision", "weightedPrecision"),
            ("weighted_f1", "weightedF1"),
        ],
    }
}

impl Violations {
    /// Compares metrics with their constraints. The standard deviation is told, and does not count.
    #[must_use]
    pub fn find(statistics: &Statistics, constraints: &Constraints) -> Self {
        let violations = reported(statistics.problem).iter().filter_map(|(name, metric_name)| {
            let (metric, constraint) = (statistics.metric(name)?, constraints.get(name)?);
            let operator = constraint.comparison_operator.name();
            constraint.is_violated(metric.value).then(|| Violation {
                constraint_check_type: operator.to_owned(),
                description: format!(
                    "Metric {metric_name} with {} +/- {} was {operator} '{}'",
                    java_double(metric.value),
                    java_double(metric.standard_deviation.unwrap_or(f64::NAN)),
                    java_double(constraint.threshold)
                ),
                metric_name: (*metric_name).to_owned(),
            })
        });
        Self { violations: violations.collect() }
    }

    /// `constraint_violations.json`.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::document(self)
    }

    /// The job's exit message. What it begins with becomes the status of the monitor's execution.
    #[must_use]
    pub fn exit_message(&self) -> String {
        exit_message(self.violations.len())
    }
}

/// What a job with so many violations says.
pub(crate) fn exit_message(violations: usize) -> String {
    match violations {
        0 => "Completed: Job completed successfully with no violations.".to_owned(),
        count => format!("CompletedWithViolations: Job completed successfully with {count} violations."),
    }
}
