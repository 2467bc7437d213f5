//! Metrics that follow from the four counts of right and wrong labels.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::Row;

/// How often which label was predicted for which. Serialises as `{actual: {predicted: count}}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the field's own")]
pub struct ConfusionMatrix {
    pub true_negatives: u64,
    pub false_positives: u64,
    pub false_negatives: u64,
    pub true_positives: u64,
}

impl ConfusionMatrix {
    pub(super) fn of(rows: &[Row]) -> Self {
        let mut matrix = Self { true_negatives: 0, false_positives: 0, false_negatives: 0, true_positives: 0 };
        for row in rows {
            *match (row.label, row.predicted) {
                (false, false) => &mut matrix.true_negatives,
                (false, true) => &mut matrix.false_positives,
                (true, false) => &mut matrix.false_negatives,
                (true, true) => &mut matrix.true_positives,
            } += 1;
        }
        matrix
    }

    /// The matrix of a classifier that predicts the same label for all of these rows.
    pub(super) fn of_constant(self, label: bool) -> Self {
        let (negatives, positives) = (self.negatives(), self.positives());
        if label {
            Self { true_negatives: 0, false_positives: negatives, false_negatives: 0, true_positives: positives }
        } else {
            Self { true_negatives: negatives, false_positives: 0, false_negatives: positives, true_positives: 0 }
        }
    }

    /// Rows of label 0.
    pub fn negatives(self) -> u64 {
        self.true_negatives + self.false_positives
    }

    /// Rows of label 1.
    pub fn positives(self) -> u64 {
        self.false_negatives + self.true_positives
    }

    /// The share of the rows of label 1 that were found; also the true positive rate.
    pub fn recall(self) -> f64 {
        share(self.true_positives, self.positives())
    }

    /// The share of label 1 among the rows predicted so.
    pub fn precision(self) -> f64 {
        share(self.true_positives, self.true_positives + self.false_positives)
    }

    /// The share of right predictions.
    pub fn accuracy(self) -> f64 {
        share(self.true_positives + self.true_negatives, self.negatives() + self.positives())
    }

    /// The share of wrong predictions.
    pub fn error_rate(self) -> f64 {
        share(self.false_positives + self.false_negatives, self.negatives() + self.positives())
    }

    /// The share of the rows of label 0 that were found.
    pub fn true_negative_rate(self) -> f64 {
        share(self.true_negatives, self.negatives())
    }

    /// The share of the rows of label 0 that were taken for 1.
    pub fn false_positive_rate(self) -> f64 {
        share(self.false_positives, self.negatives())
    }

    /// The share of the rows of label 1 that were missed.
    pub fn false_negative_rate(self) -> f64 {
        share(self.false_negatives, self.positives())
    }

    /// The weighted harmonic mean of precision and recall; recall counts `beta` times as much.
    pub fn f_beta(self, beta: f64) -> f64 {
        let (precision, recall) = (self.precision(), self.recall());
        let weight = beta * beta;
        let below = weight * precision + recall;
        if below > 0.0 { (1.0 + weight) * precision * recall / below } else { 0.0 }
    }

    /// The coefficient of determination of the labels as numbers. Where all labels are the same: 1 if all are
    /// predicted, else 0 (scikit-learn's convention).
    pub fn r2(self) -> f64 {
        let count = (self.negatives() + self.positives()) as f64;
        let errors = (self.false_positives + self.false_negatives) as f64;
        let deviations = self.negatives() as f64 * self.positives() as f64 / count;
        if deviations > 0.0 {
            1.0 - errors / deviations
        } else if errors > 0.0 {
            0.0
        } else {
            1.0
        }
    }
}

impl Serialize for ConfusionMatrix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Predicted {
            #[serde(rename = "0")]
            zero: u64,
            #[serde(rename = "1")]
            one: u64,
        }
        let mut actual = serializer.serialize_map(Some(2))?;
        actual.serialize_entry("0", &Predicted { zero: self.true_negatives, one: self.false_positives })?;
        actual.serialize_entry("1", &Predicted { zero: self.false_negatives, one: self.true_positives })?;
        actual.end()
    }
}

/// A share; of nothing, 0.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
