//! Curves over all thresholds, in the form of Spark's `BinaryClassificationMetrics`, which the monitor runs on.

use serde::Serialize;

use super::{Row, counts::share};

/// The receiver operating characteristic: (0, 0), one point for each distinct probability in falling order, (1, 1).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the names are the monitor's")]
pub struct RocCurve {
    pub false_positive_rates: Vec<f64>,
    pub true_positive_rates: Vec<f64>,
}

/// Precision over recall: recall 0 with the first point's precision, then one point for each distinct probability in
/// falling order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "the names are the monitor's")]
pub struct PrecisionRecallCurve {
    pub precisions: Vec<f64>,
    pub recalls: Vec<f64>,
}

/// Both curves of rows sorted by falling probability; at least one row.
pub(super) fn curves(rows: &[Row]) -> (RocCurve, PrecisionRecallCurve) {
    let points = points(rows);
    let (negatives, positives) = points[points.len() - 1];
    let mut roc = RocCurve { false_positive_rates: vec![0.0], true_positive_rates: vec![0.0] };
    let mut curve = PrecisionRecallCurve { precisions: vec![], recalls: vec![0.0] };
    for (false_positives, true_positives) in points {
        roc.false_positive_rates.push(share(false_positives, negatives));
        roc.true_positive_rates.push(share(true_positives, positives));
        curve.precisions.push(share(true_positives, true_positives + false_positives));
        curve.recalls.push(share(true_positives, positives));
    }
    roc.false_positive_rates.push(1.0);
    roc.true_positive_rates.push(1.0);
    curve.precisions.insert(0, curve.precisions[0]);
    (roc, curve)
}

/// The area under the ROC curve of rows sorted by falling probability: the probability that a row of label 1 is
/// ranked above one of label 0, ties counting half. Exact, as it is a ratio of two counts. Where one label does not
/// occur it is what the monitor's trapezoids give: 1 without label 0, 1/2 without label 1.
pub(super) fn auc(rows: &[Row]) -> f64 {
    let points = points(rows);
    let Some(&(negatives, positives)) = points.last() else { return 0.5 };
    if negatives == 0 {
        return 1.0;
    }
    if positives == 0 {
        return 0.5;
    }
    let (mut twice_the_area, mut last) = (0_u128, (0, 0));
    for point in points {
        twice_the_area += u128::from(point.0 - last.0) * u128::from(point.1 + last.1);
        last = point;
    }
    twice_the_area as f64 / 2.0 / (negatives as f64 * positives as f64)
}

/// For each distinct probability, falling: how many rows of label 0 and of label 1 have it or a higher one.
fn points(rows: &[Row]) -> Vec<(u64, u64)> {
    let mut points = Vec::new();
    let (mut negatives, mut positives) = (0, 0);
    for (index, row) in rows.iter().enumerate() {
        if row.label {
            positives += 1;
        } else {
            negatives += 1;
        }
        if rows.get(index + 1).is_none_or(|next| next.probability != row.probability) {
            points.push((negatives, positives));
        }
    }
    points
}
