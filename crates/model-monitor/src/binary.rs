//! Metrics of one of two labels, and of scores that rank rows by how likely the positive label is.

mod curves;

use std::collections::BTreeMap;

use self::curves::Row;
use crate::{
    analysis::{self, GROUND_TRUTH, INFERENCE, Observation, PROBABILITY, THRESHOLD, Unusable},
    problem::Problem,
    regression::share,
    samples::{self, Membership, SETS},
    statistics::{Label, Measure},
};

/// Counts over the rows of each set, and every row's score: 16 bytes a row, sorted at the end, for the area under the
/// curve is exact.
#[derive(Debug)]
pub(crate) struct Binary {
    pub(crate) labels: Labels,
    sets: [Counts; SETS],
    rows: Vec<Row>,
}

/// The two labels of binary classification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    positive: Label,
    /// Known from the start where the positive label is 1; else the first other label.
    negative: Option<Label>,
}

/// A row, understood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// Whether it is positive.
    pub truth: bool,
    /// Whether it was predicted to be.
    pub predicted: bool,
    /// How likely that was said to be, where it was said.
    pub score: Option<f64>,
}

/// How often which label was predicted for which.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    true_negatives: u64,
    false_positives: u64,
    false_negatives: u64,
    true_positives: u64,
}

impl Binary {
    pub(crate) fn new(labels: Labels) -> Self {
        Self { labels, sets: [Counts::default(); SETS], rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, truth: bool, predicted: bool, score: f64, membership: Membership) {
        for set in samples::sets(membership) {
            let counts = &mut self.sets[set];
            *match (truth, predicted) {
                (false, false) => &mut counts.true_negatives,
                (false, true) => &mut counts.false_positives,
                (true, false) => &mut counts.false_negatives,
                (true, true) => &mut counts.true_positives,
            } += 1;
        }
        self.rows.push(Row::new(score, truth, membership));
    }

    pub(crate) fn measures(mut self, rows: u64) -> Vec<(&'static str, Measure)> {
        curves::sort(&mut self.rows);
        let points = curves::points(&self.rows);
        let whole = self.sets[0];
        // Majority vote; the rarer label would be no classifier to compare with.
        let constant = whole.positives() >= whole.negatives();
        let metric = |values| Measure::Metric(samples::metric(rows, values));
        let of_model = |get: fn(Counts) -> f64| metric(self.sets.map(get));
        let of_constant = |get: fn(Counts) -> f64| metric(self.sets.map(|counts| get(counts.of_constant(constant))));
        vec![
            ("confusion_matrix", self.confusion_matrix()),
            ("recall", of_model(Counts::recall)),
            ("precision", of_model(Counts::precision)),
            ("accuracy", of_model(Counts::accuracy)),
            ("recall_best_constant_classifier", of_constant(Counts::recall)),
            ("precision_best_constant_classifier", of_constant(Counts::precision)),
            ("accuracy_best_constant_classifier", of_constant(Counts::accuracy)),
            ("true_positive_rate", of_model(Counts::recall)),
            ("true_negative_rate", of_model(Counts::true_negative_rate)),
            ("false_positive_rate", of_model(Counts::false_positive_rate)),
            ("false_negative_rate", of_model(Counts::false_negative_rate)),
            ("receiver_operating_characteristic_curve", curves::roc(&points)),
            ("precision_recall_curve", curves::precision_recall(&points)),
            ("auc", metric(curves::areas(&self.rows))),
            ("f0_5", of_model(Counts::f::<50>)),
            ("f1", of_model(Counts::f::<100>)),
            ("f2", of_model(Counts::f::<200>)),
            ("f0_5_best_constant_classifier", of_constant(Counts::f::<50>)),
            ("f1_best_constant_classifier", of_constant(Counts::f::<100>)),
            ("f2_best_constant_classifier", of_constant(Counts::f::<200>)),
        ]
    }

    fn confusion_matrix(&self) -> Measure {
        let counts = self.sets[0];
        let Labels { positive, negative } = &self.labels;
        let row = |negatives, positives| {
            let negative = negative.clone().map(|label| (label, negatives));
            negative.into_iter().chain([(positive.clone(), positives)]).collect::<BTreeMap<_, _>>()
        };
        let negative = negative.clone().map(|label| (label, row(counts.true_negatives, counts.false_positives)));
        let positive = (positive.clone(), row(counts.false_negatives, counts.true_positives));
        Measure::ConfusionMatrix(negative.into_iter().chain([positive]).collect())
    }
}

impl Labels {
    /// The positive label is a job's `positive_label`; by default 1, and then the other is 0.
    #[must_use]
    pub fn new(positive_label: Option<&str>) -> Self {
        let positive = positive_label.map_or(Label::Number(1), Label::of);
        Self { negative: (positive == Label::Number(1)).then_some(Label::Number(0)), positive }
    }

    /// What a row says. A probability above the threshold is the positive label; without a threshold the predicted label
    /// decides, where there is one.
    ///
    /// # Errors
    /// The row cannot be used.
    pub fn judge(&mut self, row: &Observation<'_>, threshold: Option<f64>) -> Result<Judged, Unusable> {
        let truth = self.is_positive(GROUND_TRUTH, &row.ground_truth)?;
        let score = row.probability.as_deref().map(|text| analysis::number(PROBABILITY, text)).transpose()?;
        let predicted = match (score, threshold, &row.inference) {
            (Some(score), Some(threshold), _) => score > threshold,
            (_, _, Some(text)) => self.is_positive(INFERENCE, text)?,
            (Some(score), None, None) => score > THRESHOLD,
            (None, _, None) => {
                return Err(Unusable::NotGiven { problem: Problem::BinaryClassification, role: INFERENCE });
            }
        };
        Ok(Judged { truth, predicted, score })
    }

    fn is_positive(&mut self, role: &'static str, text: &str) -> Result<bool, Unusable> {
        let label = analysis::label(role, text)?;
        if label == self.positive {
            return Ok(true);
        }
        let negative = self.negative.get_or_insert_with(|| label.clone());
        if label == *negative {
            return Ok(false);
        }
        let (negative, positive) = (negative.to_string(), self.positive.to_string());
        Err(Unusable::ThirdLabel { role, value: analysis::shortened(text), negative, positive })
    }
}

/// Metrics of the counts; those over nothing are 0. The order of the operations is AWS's: its numbers come out to the
/// last digit.
impl Counts {
    fn negatives(self) -> u64 {
        self.true_negatives + self.false_positives
    }

    fn positives(self) -> u64 {
        self.false_negatives + self.true_positives
    }

    fn of_constant(self, label: bool) -> Self {
        let (negatives, positives) = (self.negatives(), self.positives());
        if label {
            Self { false_positives: negatives, true_positives: positives, ..Self::default() }
        } else {
            Self { true_negatives: negatives, false_negatives: positives, ..Self::default() }
        }
    }

    fn recall(self) -> f64 {
        share(self.true_positives as f64, self.positives() as f64)
    }

    fn precision(self) -> f64 {
        share(self.true_positives as f64, (self.true_positives + self.false_positives) as f64)
    }

    fn accuracy(self) -> f64 {
        share((self.true_positives + self.true_negatives) as f64, (self.negatives() + self.positives()) as f64)
    }

    fn false_positive_rate(self) -> f64 {
        share(self.false_positives as f64, self.negatives() as f64)
    }

    fn true_negative_rate(self) -> f64 {
        if self.negatives() == 0 { 0.0 } else { 1.0 - self.false_positive_rate() }
    }

    fn false_negative_rate(self) -> f64 {
        if self.positives() == 0 { 0.0 } else { 1.0 - self.recall() }
    }

    /// The F score in which recall counts `BETA` hundredths as much as precision.
    fn f<const BETA: u32>(self) -> f64 {
        f_score(self.precision(), self.recall(), f64::from(BETA) / 100.0)
    }
}

/// The weighted harmonic mean of precision and recall; recall counts `beta` times as much.
pub(crate) fn f_score(precision: f64, recall: f64, beta: f64) -> f64 {
    let weight = beta * beta;
    share((1.0 + weight) * precision * recall, weight * precision + recall)
}
