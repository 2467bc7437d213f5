//! What an analysis measured: `statistics.json`.

mod read;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    json::{self, java_double},
    problem::Problem,
};

pub use self::read::StatisticsError;

/// Metrics, in the monitor's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// What the model predicts.
    pub problem: Problem,
    /// How many rows were analysed.
    pub item_count: u64,
    /// What was measured, with AWS's names.
    pub measures: Vec<(&'static str, Measure)>,
}

/// Something measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Measure {
    /// A number.
    Metric(Metric),
    /// How often which label was predicted for which: `{actual: {predicted: count}}`.
    ConfusionMatrix(#[serde(serialize_with = "matrix")] BTreeMap<Label, BTreeMap<Label, u64>>),
    /// The receiver operating characteristic: (0, 0), points of falling score, (1, 1).
    #[allow(missing_docs, reason = "the names are the monitor's")]
    RocCurve { false_positive_rates: Vec<f64>, true_positive_rates: Vec<f64> },
    /// Precision over recall: recall 0 with the first point's precision, then points of falling score.
    #[allow(missing_docs, reason = "the names are the monitor's")]
    PrecisionRecallCurve { precisions: Vec<f64>, recalls: Vec<f64> },
}

/// A measured number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Metric {
    /// The value over all rows. Only numbers near the largest there is make one that is not finite, written as text.
    #[serde(serialize_with = "number")]
    pub value: f64,
    /// The standard deviation over samples of the rows; `None`, written `"NaN"`, where there are too few rows.
    #[serde(serialize_with = "or_nan")]
    pub standard_deviation: Option<f64>,
}

/// A class: whole numbers stand for themselves however they are written (`1` is `1.0`), everything else is text. Numbers
/// come first, in rising order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// A whole number.
    Number(i64),
    /// Anything else.
    Text(String),
}

impl Label {
    /// The label that a text means; blanks around it do not count.
    #[must_use]
    pub fn of(text: &str) -> Self {
        const LARGEST: f64 = (1_i64 << 53) as f64;
        let text = text.trim();
        match text.parse::<f64>() {
            Ok(number) if number.fract() == 0.0 && number.abs() <= LARGEST => Self::Number(number as i64),
            _ => Self::Text(text.to_owned()),
        }
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl Statistics {
    /// A metric by its name; none of that name, and no curve, is none.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<Metric> {
        self.metrics().find(|(own, _)| *own == name).map(|(_, metric)| metric)
    }

    /// All metrics; neither matrix nor curves.
    pub fn metrics(&self) -> impl Iterator<Item = (&'static str, Metric)> {
        self.measures.iter().filter_map(|(name, measure)| match measure {
            Measure::Metric(metric) => Some((*name, *metric)),
            _ => None,
        })
    }

    /// `statistics.json`. The time is that of the analysis: `2023-03-30T21:08:34.729Z`.
    #[must_use]
    pub fn to_json(&self, evaluation_time: &str) -> String {
        json::document(&Document { statistics: self, evaluation_time })
    }
}

struct Document<'a> {
    statistics: &'a Statistics,
    evaluation_time: &'a str,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Dataset<'a> {
            item_count: u64,
            evaluation_time: &'a str,
        }
        struct Measures<'a>(&'a [(&'static str, Measure)]);
        impl Serialize for Measures<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|(name, measure)| (name, measure)))
            }
        }
        let Statistics { problem, item_count, measures } = self.statistics;
        let mut document = serializer.serialize_map(Some(3))?;
        document.serialize_entry("version", &0.0)?;
        let dataset = Dataset { item_count: *item_count, evaluation_time: self.evaluation_time };
        document.serialize_entry("dataset", &dataset)?;
        document.serialize_entry(problem.metrics_member(), &Measures(measures))?;
        document.end()
    }
}

fn or_nan<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    number(&value.unwrap_or(f64::NAN), serializer)
}

/// As Jackson writes a number: JSON has none that is not finite.
fn number<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    if value.is_finite() { serializer.serialize_f64(*value) } else { serializer.serialize_str(&java_double(*value)) }
}

fn matrix<S: Serializer>(counts: &BTreeMap<Label, BTreeMap<Label, u64>>, serializer: S) -> Result<S::Ok, S::Error> {
    struct Predicted<'a>(&'a BTreeMap<Label, u64>);
    impl Serialize for Predicted<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(label, count)| (label.to_string(), count)))
        }
    }
    serializer.collect_map(counts.iter().map(|(label, predicted)| (label.to_string(), Predicted(predicted))))
}
