//! Merged records, one at a time, to what the charts of an hour need. Memory is flat: a few megabytes while an hour is
//! read, and a few kilobytes of each that was.

#[cfg(test)]
mod tests;

use std::io::BufRead;

use model_monitor::analysis::{Judged, Labels, Observation, Settings, Unusable};
use model_monitor::dataset::{Attributes, Side};
use model_monitor::distribution::{BUCKETS, Features, Summary};
use model_monitor::problem::Problem;
use model_monitor::records::{Encoding, Merged, RecordError, Records};

use super::scores::Scores;

/// How a job definition says that records are read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Where predictions and labels are.
    pub attributes: Attributes,
    /// Which side of a request has the predictions.
    pub side: Side,
    /// What predictions mean.
    pub settings: Settings,
}

/// Rows that are being read: an hour's, or the baseline's.
#[derive(Debug)]
pub struct Reader<'a> {
    reading: &'a Reading,
    labels: Labels,
    rows: u64,
    unusable: u64,
    reason: Option<String>,
    scores: Scores,
    features: Features,
}

/// Rows that were read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sample {
    /// How many there are.
    pub rows: u64,
    /// How many of them have no usable prediction or label.
    pub unusable: u64,
    /// Why the first of these cannot be used.
    pub reason: Option<String>,
    /// Predictions against labels; of binary classification alone.
    pub scores: Option<Scores>,
    /// How each column of the requests is distributed; off by about one hundredth at most, as [`Summary`] says.
    pub features: Vec<Summary>,
}

/// Rows of an hour, compared with those of a baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// How many there are.
    pub rows: u64,
    /// How many of them have no usable prediction or label.
    pub unusable: u64,
    /// Why the first of these cannot be used.
    pub reason: Option<String>,
    /// Predictions against labels; of binary classification alone.
    pub scores: Option<Scores>,
    /// How many columns the requests have.
    pub columns: usize,
    /// Of each column that the baseline has too.
    pub shifts: Vec<Shift>,
}

/// How differently a feature is distributed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// The mean; none without numbers.
    pub mean: Option<f64>,
    /// The baseline's.
    pub baseline_mean: Option<f64>,
    /// The share of rows without a number.
    pub missing: f64,
    /// The baseline's.
    pub baseline_missing: f64,
    /// [`Summary::distance`].
    pub distance: f64,
    /// [`Summary::robust_distance`].
    pub robust_distance: f64,
    /// The shares of values in buckets over the range of both. None where one has no numbers.
    pub histogram: Option<Buckets>,
}

/// Shares of values in buckets of equal width. A few values are beyond the bounds: they are in the first and the last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Buckets {
    /// The bounds of the buckets, one more than there are.
    pub bounds: [f64; BUCKETS + 1],
    /// The hour's.
    pub shares: [f64; BUCKETS],
    /// The baseline's.
    pub baseline: [f64; BUCKETS],
}

impl<'a> Reader<'a> {
    /// Without rows as yet.
    #[must_use]
    pub fn new(reading: &'a Reading) -> Self {
        Self {
            reading,
            labels: Labels::new(reading.settings.positive_label.as_deref()),
            rows: 0,
            unusable: 0,
            reason: None,
            scores: Scores::default(),
            features: Features::default(),
        }
    }

    /// Takes a file of merged records in.
    ///
    /// # Errors
    /// A line is no such record; what was before it counts.
    pub fn read(&mut self, input: impl BufRead) -> Result<(), RecordError> {
        Records::<_, Merged>::new(input).try_for_each(|record| {
            self.record(&record?);
            Ok(())
        })
    }

    /// Takes a merged record in: what was predicted, and what was asked where that is one row of CSV.
    pub fn record(&mut self, record: &Merged) {
        self.row(self.reading.attributes.in_merged(record, self.reading.side));
        if let Some(input) = record.capture_data.endpoint_input.as_ref().filter(|input| input.encoding == Encoding::Csv)
        {
            let mut lines = input.data.lines().filter(|line| !line.trim().is_empty());
            if let (Some(line), None) = (lines.next(), lines.next()) {
                self.features(line);
            }
        }
    }

    /// Takes what was predicted in, such as a row of a baseline.
    pub fn row(&mut self, row: Result<Observation<'_>, Unusable>) {
        self.rows += 1;
        if let Err(reason) = row.and_then(|row| self.judge(&row)) {
            self.unusable += 1;
            self.reason.get_or_insert_with(|| reason.to_string());
        }
    }

    /// Takes the features of a request in: a line of CSV.
    pub fn features(&mut self, line: &str) {
        self.features.add(line);
    }

    /// No rows are to come.
    #[must_use]
    pub fn finish(self) -> Sample {
        let is_binary = self.reading.settings.problem == Problem::BinaryClassification;
        Sample {
            rows: self.rows,
            unusable: self.unusable,
            reason: self.reason,
            scores: (is_binary && self.rows > self.unusable).then_some(self.scores),
            features: self.features.finish(),
        }
    }

    fn judge(&mut self, row: &Observation<'_>) -> Result<(), Unusable> {
        let Settings { problem, threshold, .. } = self.reading.settings;
        if problem == Problem::BinaryClassification {
            let Judged { truth, predicted, score } = self.labels.judge(row, threshold)?;
            self.scores.add(truth, predicted, score);
        }
        Ok(())
    }
}

impl Sample {
    /// Compares the rows of an hour with those of a baseline.
    #[must_use]
    pub fn against(self, baseline: &Self) -> Observed {
        Observed {
            rows: self.rows,
            unusable: self.unusable,
            reason: self.reason,
            scores: self.scores,
            columns: self.features.len(),
            shifts: self.features.iter().zip(&baseline.features).map(|(now, then)| Shift::of(now, then)).collect(),
        }
    }
}

impl Shift {
    fn of(now: &Summary, then: &Summary) -> Self {
        let missing = |summary: &Summary| summary.missing as f64 / (summary.present + summary.missing).max(1) as f64;
        let buckets = |bounds: [f64; BUCKETS + 1]| Buckets {
            bounds,
            shares: now.histogram(&bounds),
            baseline: then.histogram(&bounds),
        };
        Self {
            mean: now.mean,
            baseline_mean: then.mean,
            missing: missing(now),
            baseline_missing: missing(then),
            distance: now.distance(then),
            robust_distance: if now.present > 0 && then.present > 0 { now.robust_distance(then) } else { 0.0 },
            histogram: bounds(now, then).map(buckets),
        }
    }

    /// Whether the feature drifted: by Model Monitor's default for data quality, a robust distance above 0.1; or if numbers
    /// went missing in as large a share of the rows.
    #[must_use]
    pub fn is_drift(&self) -> bool {
        self.robust_distance > DRIFT || self.gone() > DRIFT
    }

    /// How much there is to say of it: what features are sorted by.
    #[must_use]
    pub fn size(&self) -> f64 {
        self.distance.max(self.gone())
    }

    fn gone(&self) -> f64 {
        self.missing - self.baseline_missing
    }
}

/// From the 1st percentile of either to the 99th, so that a single value far away does
/// not leave all others in one bucket.
fn bounds(now: &Summary, then: &Summary) -> Option<[f64; BUCKETS + 1]> {
    let low = now.quantile(0.01)?.min(then.quantile(0.01)?);
    let high = now.quantile(0.99)?.max(then.quantile(0.99)?);
    if low == high {
        return now.bounds(then);
    }
    // Halves, for the width of all numbers is none.
    Some(std::array::from_fn(|at| {
        let share = at as f64 / BUCKETS as f64;
        low * (1.0 - share) + high * share
    }))
}

/// The `comparison_threshold` of data quality constraints, unless they say otherwise.
pub const DRIFT: f64 = 0.1;
