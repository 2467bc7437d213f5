//! How good predictions are and how sure that is: each figure with a confidence interval, and how far probabilities can
//! be taken at their word.
//!
//! Intervals are the 2.5th and the 97.5th percentile over [`SAMPLES`] bootstrap samples of the rows (Efron and
//! Tibshirani: An introduction to the bootstrap, 1993, chapter 13), drawn with a seed. The model is held fixed: they say how
//! far the figure depends on which rows happened to be in the test, not on which were in the training.

use serde::Serialize;

use crate::{
    metrics::{self, Evaluation, MetricsError},
    random::SplitMix64,
};

/// How many bootstrap samples there are.
pub const SAMPLES: usize = 2000;

/// How many bins of equal width the probabilities are put into.
pub const BINS: usize = 10;

/// How good predictions are.
#[derive(Debug, Clone, PartialEq)]
pub struct Quality {
    /// Figures with their intervals.
    pub figures: Figures<Estimate>,
    /// What is in each bin of probabilities, in rising order.
    pub bins: [Bin; BINS],
    /// Everything else, without intervals.
    pub evaluation: Evaluation,
}

/// The figures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures<T> {
    /// The share of right labels.
    pub accuracy: T,
    /// The harmonic mean of precision and recall.
    pub f1: T,
    /// The area under the ROC curve.
    pub auc: T,
    /// The mean squared error of the predicted labels, which is the share of wrong ones: what the pipeline's condition
    /// looks at.
    pub mse: T,
    /// The mean squared error of the probabilities (Brier, 1950).
    pub brier: T,
    /// The expected calibration error: how far probability and share of paraphrases are apart in a bin, on average over
    /// the rows (Naeini, Cooper and Hauskrecht, AAAI 2015). Chance alone keeps it above 0, and its interval too high.
    pub calibration_error: T,
}

/// A figure and its 95% confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
}

/// The rows whose probability is in a range.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Bin {
    /// How many rows there are.
    pub rows: u64,
    /// Their mean probability; 0 without rows.
    pub mean_probability: f64,
    /// The share of paraphrases among them; 0 without rows.
    pub positives: f64,
}

/// Measures predictions: for each row its true label and the predicted probability of label 1.
///
/// # Errors
/// As [`metrics::evaluate`].
pub fn measure(labels: &[bool], probabilities: &[f64], threshold: f64, seed: u64) -> Result<Quality, MetricsError> {
    let evaluation = metrics::evaluate(labels, probabilities, threshold)?;
    let mut rows: Vec<Row> = labels.iter().zip(probabilities).map(|(l, p)| Row::new(*l, *p, threshold)).collect();
    rows.sort_by(|row, other| other.probability.total_cmp(&row.probability));
    let once = vec![1; rows.len()];
    let value = Sums::of(&rows, &once).figures();
    let mut random = SplitMix64::new(seed);
    let samples: Vec<Figures<f64>> = (0..SAMPLES)
        .map(|_| {
            let mut times = vec![0_u32; rows.len()];
            (0..rows.len()).for_each(|_| times[random.below(rows.len())] += 1);
            Sums::of(&rows, &times).figures()
        })
        .collect();
    let estimate = |get: fn(&Figures<f64>) -> f64| {
        let mut values: Vec<f64> = samples.iter().map(get).collect();
        values.sort_by(f64::total_cmp);
        Estimate { value: get(&value), low: percentile(&values, 0.025), high: percentile(&values, 0.975) }
    };
    Ok(Quality {
        figures: Figures {
            accuracy: estimate(|figures| figures.accuracy),
            f1: estimate(|figures| figures.f1),
            auc: estimate(|figures| figures.auc),
            mse: estimate(|figures| figures.mse),
            brier: estimate(|figures| figures.brier),
            calibration_error: estimate(|figures| figures.calibration_error),
        },
        bins: Sums::of(&rows, &once).bins.map(BinSums::bin),
        evaluation,
    })
}

impl<T> Figures<T> {
    /// Each figure with a short name.
    pub fn named(&self) -> [(&'static str, &T); 6] {
        let Self { accuracy, f1, auc, mse, brier, calibration_error } = self;
        [
            ("accuracy", accuracy),
            ("f1", f1),
            ("auc", auc),
            ("mse", mse),
            ("brier", brier),
            ("calibration error", calibration_error),
        ]
    }
}

/// Between the two nearest of sorted values, as numpy's default does it.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

#[derive(Debug, Clone, Copy)]
struct Row {
    label: bool,
    is_predicted: bool,
    probability: f64,
    bin: usize,
}

impl Row {
    fn new(label: bool, probability: f64, threshold: f64) -> Self {
        // A probability of 1 belongs to the last bin.
        let bin = ((probability * BINS as f64) as usize).min(BINS - 1);
        Self { label, is_predicted: probability > threshold, probability, bin }
    }
}

/// What all figures of some rows follow from.
#[derive(Debug, Default)]
struct Sums {
    /// By label and prediction.
    counts: [[u64; 2]; 2],
    squares: f64,
    /// Twice the number of pairs of rows in which the one of label 1 is ranked above the one of label 0.
    twice_ranked: u128,
    bins: [BinSums; BINS],
}

#[derive(Debug, Default, Clone, Copy)]
struct BinSums {
    rows: u64,
    positives: u64,
    probability: f64,
}

impl Sums {
    /// Of rows sorted by falling probability, each so many times.
    fn of(rows: &[Row], times: &[u32]) -> Self {
        let mut sums = Self::default();
        // Rows of label 1 with a higher probability, and rows with this very probability by label.
        let (mut above, mut tied, mut last) = (0, [0, 0], f64::NAN);
        for (row, times) in rows.iter().zip(times) {
            let times = u64::from(*times);
            sums.counts[usize::from(row.label)][usize::from(row.is_predicted)] += times;
            sums.squares += times as f64 * (row.probability - f64::from(u8::from(row.label))).powi(2);
            let bin = &mut sums.bins[row.bin];
            bin.rows += times;
            bin.positives += times * u64::from(row.label);
            bin.probability += times as f64 * row.probability;
            if row.probability != last {
                sums.twice_ranked += ranked(tied, above);
                (above, tied, last) = (above + tied[1], [0, 0], row.probability);
            }
            tied[usize::from(row.label)] += times;
        }
        sums.twice_ranked += ranked(tied, above);
        sums
    }

    fn figures(&self) -> Figures<f64> {
        let [[true_negatives, false_positives], [false_negatives, true_positives]] = self.counts;
        let (negatives, positives) = (true_negatives + false_positives, false_negatives + true_positives);
        let rows = (negatives + positives) as f64;
        let errors = false_positives + false_negatives;
        let found = (2 * true_positives + errors) as f64;
        let pairs = negatives as f64 * positives as f64;
        Figures {
            accuracy: 1.0 - errors as f64 / rows,
            f1: if found > 0.0 { 2.0 * true_positives as f64 / found } else { 0.0 },
            auc: match (negatives, positives) {
                // As the monitor has it.
                (0, _) => 1.0,
                (_, 0) => 0.5,
                _ => self.twice_ranked as f64 / 2.0 / pairs,
            },
            mse: errors as f64 / rows,
            brier: self.squares / rows,
            calibration_error: self.bins.iter().map(|bin| (bin.probability - bin.positives as f64).abs()).sum::<f64>()
                / rows,
        }
    }
}

/// Of a group of rows with the same probability, by label.
fn ranked([negatives, positives]: [u64; 2], above: u64) -> u128 {
    u128::from(negatives) * u128::from(2 * above + positives)
}

impl BinSums {
    fn bin(self) -> Bin {
        let rows = self.rows.max(1) as f64;
        Bin { rows: self.rows, mean_probability: self.probability / rows, positives: self.positives as f64 / rows }
    }
}
