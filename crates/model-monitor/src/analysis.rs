//! Rows of predictions and labels to [`Statistics`], one row at a time.
//!
//! A row that cannot be used has a [`Unusable`] reason and changes nothing: one bad record must not blind the monitor to
//! the thousands beside it, and whoever calls decides how many are too many.

use std::borrow::Cow;

use crate::{
    binary::Binary,
    multiclass::{MAX_CLASSES, Multiclass},
    problem::Problem,
    regression::Regression,
    samples::Sampler,
    statistics::{Label, Statistics},
};

pub use crate::binary::{Judged, Labels};

/// The probability above which the positive label is predicted, unless a job says otherwise.
pub const THRESHOLD: f64 = 0.5;

/// A row, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation<'a> {
    /// What would have been right.
    pub ground_truth: Cow<'a, str>,
    /// What was predicted: a number, or a label.
    pub inference: Option<Cow<'a, str>>,
    /// How likely the positive label was said to be.
    pub probability: Option<Cow<'a, str>>,
}

impl Observation<'_> {
    /// On its own, without what it was read from.
    #[must_use]
    pub fn into_owned(self) -> Observation<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        Observation {
            ground_truth: own(self.ground_truth),
            inference: self.inference.map(own),
            probability: self.probability.map(own),
        }
    }
}

/// What a job says of its rows beyond where they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `problem_type`.
    pub problem: Problem,
    /// `probability_threshold_attribute`: rows with a probability above it are predicted positive. Without it the
    /// predicted label decides, where there is one.
    pub threshold: Option<f64>,
    /// `positive_label`; by default 1.
    pub positive_label: Option<String>,
}

/// Why a row cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// An attribute is not in the row.
    #[error("there is no {role} {attribute:?}")]
    Missing {
        /// The job's name of it: `inference_attribute`.
        role: &'static str,
        /// Where it should be.
        attribute: String,
    },
    /// Nobody said where it is.
    #[error("{problem} needs the {role}")]
    NotGiven {
        /// What the model predicts.
        problem: Problem,
        /// The job's name of it.
        role: &'static str,
    },
    /// Text where a number should be, or NaN, or infinity.
    #[error("the {role} is {value:?}, which is no finite number")]
    NotANumber {
        /// The job's name of it.
        role: &'static str,
        /// What is there.
        value: String,
    },
    /// A third label in binary classification.
    #[error("the {role} is {value:?}, which is neither {negative:?} nor the positive label {positive:?}")]
    ThirdLabel {
        /// The job's name of it.
        role: &'static str,
        /// What is there.
        value: String,
        /// The negative label.
        negative: String,
        /// The positive label.
        positive: String,
    },
    /// No label at all.
    #[error("the {role} is empty")]
    Empty {
        /// The job's name of it.
        role: &'static str,
    },
    /// More classes than are kept apart.
    #[error("the {role} is {value:?}, and there are {MAX_CLASSES} other labels already: is it a number to predict?")]
    TooManyClasses {
        /// The job's name of it.
        role: &'static str,
        /// What is there.
        value: String,
    },
    /// The side of the request that the job names was not captured.
    #[error("no {side} was captured")]
    NotCaptured {
        /// `endpointOutput`.
        side: &'static str,
    },
    /// The endpoint did not know it for text.
    #[error("the {side} was captured as BASE64: list its content type in the endpoint's CaptureContentTypeHeader")]
    Base64 {
        /// `endpointOutput`.
        side: &'static str,
    },
    /// A request of several rows has one label.
    #[error("the {side} has {rows} rows: a label belongs to one")]
    Rows {
        /// `endpointOutput`.
        side: &'static str,
        /// How many.
        rows: usize,
    },
    /// Text that is said to be JSON.
    #[error("the {side} is not JSON: {reason}")]
    NotJson {
        /// `endpointOutput`.
        side: &'static str,
        /// What the reader says.
        reason: String,
    },
}

pub(crate) const INFERENCE: &str = "inference_attribute";
pub(crate) const PROBABILITY: &str = "probability_attribute";
pub(crate) const GROUND_TRUTH: &str = "ground_truth_attribute";

/// An analysis under way.
#[derive(Debug)]
pub struct Analysis {
    problem: Problem,
    threshold: Option<f64>,
    rows: u64,
    sampler: Sampler,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Regression(Regression),
    Binary(Binary),
    Multiclass(Multiclass),
}

impl Analysis {
    /// Without rows as yet.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        Self {
            problem: settings.problem,
            threshold: settings.threshold,
            rows: 0,
            sampler: Sampler::new(),
            kind: match settings.problem {
                Problem::Regression => Kind::Regression(Regression::default()),
                Problem::BinaryClassification => {
                    Kind::Binary(Binary::new(Labels::new(settings.positive_label.as_deref())))
                }
                Problem::MulticlassClassification => Kind::Multiclass(Multiclass::default()),
            },
        }
    }

    /// Takes a row in.
    ///
    /// # Errors
    /// The row cannot be used.
    pub fn add(&mut self, row: &Observation<'_>) -> Result<(), Unusable> {
        let (problem, sampler) = (self.problem, &mut self.sampler);
        let not_given = |role| Unusable::NotGiven { problem, role };
        let inference = || row.inference.as_deref().ok_or(not_given(INFERENCE));
        match &mut self.kind {
            Kind::Regression(regression) => {
                let truth = number(GROUND_TRUTH, &row.ground_truth)?;
                let prediction = number(INFERENCE, inference()?)?;
                regression.add(truth, prediction, sampler.next());
            }
            Kind::Binary(binary) => {
                let Judged { truth, predicted, score } = binary.labels.judge(row, self.threshold)?;
                // Without a probability, rows are ranked by their label.
                let score = score.unwrap_or(if predicted { 1.0 } else { 0.0 });
                binary.add(truth, predicted, score, sampler.next());
            }
            Kind::Multiclass(multiclass) => {
                let mut class = |role, text: &str| {
                    let full = || Unusable::TooManyClasses { role, value: shortened(text) };
                    multiclass.class(label(role, text)?).ok_or_else(full)
                };
                let inference = inference()?;
                let truth = class(GROUND_TRUTH, &row.ground_truth)?;
                let predicted = class(INFERENCE, inference)?;
                multiclass.add(truth, predicted, sampler.next());
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// What was measured; none without rows.
    #[must_use]
    pub fn finish(self) -> Option<Statistics> {
        let measures = match self.kind {
            _ if self.rows == 0 => return None,
            Kind::Regression(regression) => regression.measures(self.rows),
            Kind::Binary(binary) => binary.measures(self.rows),
            Kind::Multiclass(multiclass) => multiclass.measures(self.rows),
        };
        Some(Statistics { problem: self.problem, item_count: self.rows, measures })
    }
}

pub(crate) fn number(role: &'static str, text: &str) -> Result<f64, Unusable> {
    let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| Unusable::NotANumber { role, value: shortened(text) })
}

pub(crate) fn label(role: &'static str, text: &str) -> Result<Label, Unusable> {
    match Label::of(text) {
        Label::Text(text) if text.is_empty() => Err(Unusable::Empty { role }),
        label => Ok(label),
    }
}

/// Enough of a text to recognise it.
pub(crate) fn shortened(text: &str) -> String {
    const LIMIT: usize = 40;
    let cut = &text[..text.floor_char_boundary(LIMIT)];
    if cut.len() == text.len() { cut.to_owned() } else { format!("{cut}...") }
}
