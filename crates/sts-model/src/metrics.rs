//! How good predictions are, in the format of SageMaker Model Monitor's model quality statistics: as `evaluation.json`
//! it is what a pipeline's condition, the model registry and the monitor all read.
//!
//! Conventions are the monitor's: label `1` is predicted where the probability is above the threshold; a rate over
//! nothing is 0; `standard_deviation` is that of five random samples of 80% of the rows, and `"NaN"` below
//! [`SAMPLED_FROM`] rows. `regression_metrics` compare the predicted label, as the number 0 or 1, with the true one, so
//! that the MSE is the error rate.

mod counts;
mod curves;
mod deviation;

use serde::{Serialize, Serializer};

pub use self::{
    counts::ConfusionMatrix,
    curves::{PrecisionRecallCurve, RocCurve},
};

/// Metrics of fewer rows have no standard deviation.
pub const SAMPLED_FROM: usize = 200;

/// What is measured of a set of predictions. Serialises to `evaluation.json`; members are in the monitor's order.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// The predicted labels as numbers.
    pub regression_metrics: RegressionMetrics,
    /// The predicted labels and probabilities.
    pub binary_classification_metrics: BinaryClassificationMetrics,
}

/// A measured value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Metric {
    /// The value over all rows.
    pub value: f64,
    /// The standard deviation over samples of the rows; `None`, written `"NaN"`, where there are too few rows.
    #[serde(serialize_with = "or_nan")]
    pub standard_deviation: Option<f64>,
}

/// Errors of the predicted labels as numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RegressionMetrics {
    /// The mean absolute error.
    pub mae: Metric,
    /// The mean squared error: of labels, the share of wrong ones.
    pub mse: Metric,
    /// The square root of the MSE.
    pub rmse: Metric,
    /// One minus the squared errors over the squared deviations from the mean; 0 where all labels are the same.
    pub r2: Metric,
    /// The MSE of always predicting the more frequent label. Not the monitor's: with it a condition can ask whether
    /// the model is better than that.
    pub mse_best_constant_classifier: Metric,
}

/// Classification by label and by probability. The best constant classifier always predicts the more frequent label.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the names are the field's own, and the monitor's")]
pub struct BinaryClassificationMetrics {
    pub confusion_matrix: ConfusionMatrix,
    pub recall: Metric,
    pub precision: Metric,
    pub accuracy: Metric,
    pub recall_best_constant_classifier: Metric,
    pub precision_best_constant_classifier: Metric,
    pub accuracy_best_constant_classifier: Metric,
    pub true_positive_rate: Metric,
    pub true_negative_rate: Metric,
    pub false_positive_rate: Metric,
    pub false_negative_rate: Metric,
    pub receiver_operating_characteristic_curve: RocCurve,
    pub precision_recall_curve: PrecisionRecallCurve,
    pub auc: Metric,
    pub f0_5: Metric,
    pub f1: Metric,
    pub f2: Metric,
    pub f0_5_best_constant_classifier: Metric,
    pub f1_best_constant_classifier: Metric,
    pub f2_best_constant_classifier: Metric,
}

/// Why predictions cannot be evaluated.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum MetricsError {
    /// There are none.
    #[error("there are no predictions to evaluate")]
    Empty,
    /// Not one probability for each label.
    #[error("{probabilities} probabilities for {labels} labels")]
    Length {
        /// How many labels.
        labels: usize,
        /// How many probabilities.
        probabilities: usize,
    },
    /// A probability is outside of 0..=1, or NaN.
    #[error("prediction {row}: {value} is not a probability between 0 and 1")]
    Probability {
        /// The position of the prediction, from 1.
        row: usize,
        /// What is there.
        value: f64,
    },
}

/// Measures predictions: for each row its true label and the predicted probability of label 1.
///
/// # Errors
/// There are no rows, the lengths differ, or a probability is none.
pub fn evaluate(labels: &[bool], probabilities: &[f64], threshold: f64) -> Result<Evaluation, MetricsError> {
    if labels.is_empty() {
        return Err(MetricsError::Empty);
    }
    if labels.len() != probabilities.len() {
        return Err(MetricsError::Length { labels: labels.len(), probabilities: probabilities.len() });
    }
    if let Some(place) = probabilities.iter().position(|p| !(0.0..=1.0).contains(p)) {
        return Err(MetricsError::Probability { row: place + 1, value: probabilities[place] });
    }
    let mut rows: Vec<Row> = labels
        .iter()
        .zip(probabilities)
        .map(|(label, probability)| Row {
            label: *label,
            probability: *probability,
            predicted: *probability > threshold,
        })
        .collect();
    let matrix = ConfusionMatrix::of(&rows);
    let constant = matrix.positives() >= matrix.negatives();
    let samples = deviation::samples(&rows, |rows| values(rows, constant));
    let metrics = values(&mut rows, constant);
    let metric = |get: fn(&Values) -> f64| Metric {
        value: get(&metrics),
        standard_deviation: samples.as_ref().map(|samples| deviation::standard_deviation(samples.iter().map(get))),
    };
    let (roc, precision_recall) = curves::curves(&rows);
    Ok(Evaluation {
        regression_metrics: RegressionMetrics {
            mae: metric(|v| v.matrix.error_rate()),
            mse: metric(|v| v.matrix.error_rate()),
            rmse: metric(|v| v.matrix.error_rate().sqrt()),
            r2: metric(|v| v.matrix.r2()),
            mse_best_constant_classifier: metric(|v| v.constant.error_rate()),
        },
        binary_classification_metrics: BinaryClassificationMetrics {
            confusion_matrix: matrix,
            recall: metric(|v| v.matrix.recall()),
            precision: metric(|v| v.matrix.precision()),
            accuracy: metric(|v| v.matrix.accuracy()),
            recall_best_constant_classifier: metric(|v| v.constant.recall()),
            precision_best_constant_classifier: metric(|v| v.constant.precision()),
            accuracy_best_constant_classifier: metric(|v| v.constant.accuracy()),
            true_positive_rate: metric(|v| v.matrix.recall()),
            true_negative_rate: metric(|v| v.matrix.true_negative_rate()),
            false_positive_rate: metric(|v| v.matrix.false_positive_rate()),
            false_negative_rate: metric(|v| v.matrix.false_negative_rate()),
            receiver_operating_characteristic_curve: roc,
            precision_recall_curve: precision_recall,
            auc: metric(|v| v.auc),
            f0_5: metric(|v| v.matrix.f_beta(0.5)),
            f1: metric(|v| v.matrix.f_beta(1.0)),
            f2: metric(|v| v.matrix.f_beta(2.0)),
            f0_5_best_constant_classifier: metric(|v| v.constant.f_beta(0.5)),
            f1_best_constant_classifier: metric(|v| v.constant.f_beta(1.0)),
            f2_best_constant_classifier: metric(|v| v.constant.f_beta(2.0)),
        },
    })
}

/// One prediction.
#[derive(Debug, Clone, Copy)]
struct Row {
    label: bool,
    probability: f64,
    predicted: bool,
}

/// What all metrics of some rows follow from.
#[derive(Debug)]
struct Values {
    matrix: ConfusionMatrix,
    constant: ConfusionMatrix,
    auc: f64,
}

/// Sorts the rows by falling probability on the way.
fn values(rows: &mut [Row], constant: bool) -> Values {
    rows.sort_by(|row, other| other.probability.total_cmp(&row.probability));
    let matrix = ConfusionMatrix::of(rows);
    Values { matrix, constant: matrix.of_constant(constant), auc: curves::auc(rows) }
}

fn or_nan<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.serialize_f64(*value),
        None => serializer.serialize_str("NaN"),
    }
}
