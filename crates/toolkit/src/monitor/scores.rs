//! How predicted probabilities fare against labels, in flat memory however many rows there are.

use sts_model::metrics::ConfusionMatrix;
use sts_model::quality::{BINS, Bin};

/// Rows are ranked by which of so many bins of equal width their probability is in.
pub const RANKS: usize = 1000;

/// Rows of binary classification.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    confusion_matrix: ConfusionMatrix,
    /// By rank: how many are negative, how many are positive.
    ranks: Vec<[u64; 2]>,
    bins: [Sums; BINS],
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Sums {
    rows: u64,
    positives: u64,
    probability: f64,
}

/// The area under an ROC curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// The area, where rows of one rank are taken for equally probable.
    pub value: f64,
    /// How far the area may be from that of the probabilities themselves.
    pub error: f64,
}

/// False and true positive rates.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// From 0 to 1.
    pub false_positive_rates: Vec<f64>,
    /// From 0 to 1.
    pub true_positive_rates: Vec<f64>,
}

impl Default for Scores {
    fn default() -> Self {
        let confusion_matrix =
            ConfusionMatrix { true_negatives: 0, false_positives: 0, false_negatives: 0, true_positives: 0 };
        Self { confusion_matrix, ranks: vec![[0; 2]; RANKS], bins: [Sums::default(); BINS] }
    }
}

impl Scores {
    /// Takes a row in: whether it is positive, whether it was said to be, and how probable that was said to be. A
    /// score that is not between 0 and 1 is no probability: of its row the labels alone count.
    pub fn add(&mut self, truth: bool, predicted: bool, probability: Option<f64>) {
        let counts = &mut self.confusion_matrix;
        *match (truth, predicted) {
            (false, false) => &mut counts.true_negatives,
            (false, true) => &mut counts.false_positives,
            (true, false) => &mut counts.false_negatives,
            (true, true) => &mut counts.true_positives,
        } += 1;
        let Some(probability) = probability.filter(|probability| (0.0..=1.0).contains(probability)) else { return };
        let place = |count: usize| ((probability * count as f64) as usize).min(count - 1);
        self.ranks[place(RANKS)][usize::from(truth)] += 1;
        let bin = &mut self.bins[place(BINS)];
        bin.rows += 1;
        bin.positives += u64::from(truth);
        bin.probability += probability;
    }

    /// How often which label was predicted for which. Exact.
    #[must_use]
    pub fn confusion_matrix(&self) -> ConfusionMatrix {
        self.confusion_matrix
    }

    /// Rows in bins of equal width, by their probability; none without probabilities. Exact.
    #[must_use]
    pub fn calibration(&self) -> Option<[Bin; BINS]> {
        let bin = |sums: Sums| {
            let rows = sums.rows.max(1) as f64;
            let (mean_probability, positives) = (sums.probability / rows, sums.positives as f64 / rows);
            Bin { rows: sums.rows, mean_probability, positives }
        };
        self.bins.iter().any(|sums| sums.rows > 0).then(|| self.bins.map(bin))
    }

    /// The points of the ROC curve at the thresholds between ranks; none without rows of both labels. Each is exact.
    #[must_use]
    pub fn roc(&self) -> Option<Curve> {
        let [negatives, positives] = self.both_labels()?;
        let mut curve = Curve { false_positive_rates: vec![0.0], true_positive_rates: vec![0.0] };
        let (mut false_positives, mut true_positives) = (0, 0);
        for [negative, positive] in self.ranks.iter().rev().filter(|counts| **counts != [0, 0]) {
            false_positives += negative;
            true_positives += positive;
            curve.false_positive_rates.push(false_positives as f64 / negatives);
            curve.true_positive_rates.push(true_positives as f64 / positives);
        }
        Some(curve)
    }

    /// The area under the ROC curve; none without rows of both labels.
    #[must_use]
    pub fn area(&self) -> Option<Area> {
        let [negatives, positives] = self.both_labels()?;
        // Pairs of rows of both labels: twice those ranked rightly, and those in one rank.
        let (mut above, mut twice_right, mut together) = (0_u128, 0_u128, 0_u128);
        for counts in self.ranks.iter().rev() {
            let [negative, positive] = counts.map(u128::from);
            twice_right += negative * (2 * above + positive);
            together += negative * positive;
            above += positive;
        }
        let pairs = 2.0 * negatives * positives;
        Some(Area { value: twice_right as f64 / pairs, error: together as f64 / pairs })
    }

    fn both_labels(&self) -> Option<[f64; 2]> {
        let sum = |label: usize| self.ranks.iter().map(|counts| counts[label]).sum::<u64>();
        let counts = [sum(0), sum(1)];
        counts.iter().all(|count| *count > 0).then(|| counts.map(|count| count as f64))
    }
}

#[cfg(test)]
mod tests {
    use sts_model::quality;

    use super::*;

    /// Rows whose probabilities are drawn by a fixed rule, with ties and both ends.
    fn rows(count: u32) -> Vec<(bool, f64)> {
        (0..count)
            .map(|n| {
                let probability = f64::from(n.wrapping_mul(2_654_435_761) >> 12) / f64::from(u32::MAX >> 12);
                let probability = if n % 17 == 0 { f64::from(n % 3) / 2.0 } else { probability };
                (f64::from(n.wrapping_mul(40_503) % 1000) / 1000.0 < probability, probability)
            })
            .collect()
    }

    #[test]
    fn agrees_with_the_exact_figures() {
        for count in [50, 3000] {
            let rows = rows(count);
            let (labels, probabilities): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
            let exact = quality::measure(&labels, &probabilities, 0.5, 0).unwrap();
            let mut scores = Scores::default();
            rows.iter().for_each(|(label, probability)| scores.add(*label, *probability > 0.5, Some(*probability)));
            let metrics = &exact.evaluation.binary_classification_metrics;
            assert_eq!(scores.confusion_matrix(), metrics.confusion_matrix);
            for (found, expected) in scores.calibration().unwrap().iter().zip(exact.bins) {
                assert_eq!(found.rows, expected.rows);
                assert!((found.mean_probability - expected.mean_probability).abs() < 1e-12);
                assert!((found.positives - expected.positives).abs() < 1e-12);
            }
            let Area { value, error } = scores.area().unwrap();
            assert!((value - metrics.auc.value).abs() <= error + 1e-12, "{value} {error} {}", metrics.auc.value);
            assert!(error < 0.001, "{error}");
        }
    }

    #[test]
    fn each_point_is_on_the_exact_curve() {
        let rows = rows(500);
        let mut scores = Scores::default();
        rows.iter().for_each(|(label, probability)| scores.add(*label, true, Some(*probability)));
        let curve = scores.roc().unwrap();
        let rate = |label: bool, least: f64| {
            let of_label = rows.iter().filter(|row| row.0 == label);
            let (all, above) =
                of_label.fold((0.0, 0.0), |(all, above), row| (all + 1.0, above + f64::from(u8::from(row.1 >= least))));
            above / all
        };
        let exact: Vec<_> =
            (0..RANKS).map(|rank| rank as f64 / RANKS as f64).map(|p| (rate(false, p), rate(true, p))).collect();
        for point in curve.false_positive_rates.into_iter().zip(curve.true_positive_rates).skip(1) {
            assert!(exact.contains(&point), "{point:?}");
        }
    }

    #[test]
    fn rows_of_one_label_or_without_probabilities_have_no_curve() {
        let mut scores = Scores::default();
        assert_eq!((scores.roc(), scores.area(), scores.calibration()), (None, None, None));
        scores.add(true, false, None);
        assert_eq!((scores.confusion_matrix().false_negatives, scores.calibration()), (1, None));
        scores.add(true, true, Some(1.0));
        assert_eq!((scores.roc(), scores.area()), (None, None));
        assert_eq!(scores.calibration().unwrap()[9], Bin { rows: 1, mean_probability: 1.0, positives: 1.0 });
    }
}
