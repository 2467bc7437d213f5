//! What the columns of a data set look like: `statistics.json`.

use serde::{Deserialize, Serialize};

use super::sketch::Sketch;
use crate::json;

/// The document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Of the format.
    #[serde(default)]
    pub version: f64,
    /// The data set as a whole.
    pub dataset: Dataset,
    /// Its columns, in their order.
    pub features: Vec<Feature>,
}

/// A data set as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// How many rows it has.
    pub item_count: u64,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Its name; `_c0`, `_c1` where there is no header.
    pub name: String,
    /// What its values are.
    pub inferred_type: InferredType,
    /// Of a column of numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numerical_statistics: Option<Numerical>,
    /// Of any other column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_statistics: Option<Textual>,
    /// How many values are of each type; not part of the document.
    #[serde(skip)]
    pub types: Types,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum InferredType {
    /// Whole numbers.
    Integral,
    /// Numbers.
    Fractional,
    /// Text.
    String,
    /// There are no values.
    Unknown,
}

/// How many values of a column are of each type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Types {
    /// Whole numbers.
    pub integral: u64,
    /// Other numbers.
    pub fractional: u64,
    /// Everything else.
    pub text: u64,
}

/// What can be said of any column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Common {
    /// How many rows have a value.
    pub num_present: u64,
    /// How many have none.
    pub num_missing: u64,
}

/// What can be said of numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Numerical {
    /// How many there are.
    pub common: Common,
    /// The mean.
    pub mean: f64,
    /// The sum.
    pub sum: f64,
    /// The standard deviation (divisor n).
    pub std_dev: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// How they are distributed.
    #[serde(default)]
    pub distribution: Option<NumericalDistribution>,
}

/// How numbers are distributed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumericalDistribution {
    /// As deequ's KLL sketch has it.
    pub kll: Kll,
}

/// A sketch, and what it says of ten buckets of equal width.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kll {
    /// From the smallest number to the largest.
    pub buckets: Vec<Bucket>,
    /// The sketch itself.
    pub sketch: Sketch,
}

/// How many numbers are from the lower bound to below the upper, which belongs to the last bucket alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the monitor's")]
pub struct Bucket {
    pub lower_bound: f64,
    pub upper_bound: f64,
    pub count: f64,
}

/// What can be said of text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Textual {
    /// How many there are.
    pub common: Common,
    /// How many different ones there are, to [`super::profile::MOST_DISTINCT`].
    pub distinct_count: f64,
    /// How often each occurs, where there are few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distribution: Option<TextualDistribution>,
}

/// How text is distributed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextualDistribution {
    /// By value.
    pub categorical: Categorical,
}

/// How often each value occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Categorical {
    /// The values, in their order.
    pub buckets: Vec<Category>,
}

/// A value, and how often it occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the monitor's")]
pub struct Category {
    pub value: String,
    pub count: u64,
}

impl Statistics {
    /// `statistics.json`.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::document(self)
    }

    /// Reads `statistics.json`.
    ///
    /// # Errors
    /// It is no such document.
    pub fn read(text: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text)
    }

    /// The column of this name.
    #[must_use]
    pub fn feature(&self, name: &str) -> Option<&Feature> {
        self.features.iter().find(|feature| feature.name == name)
    }
}

impl Feature {
    /// How many rows have a value in it.
    #[must_use]
    pub fn common(&self) -> Common {
        let numerical = self.numerical_statistics.as_ref().map(|numerical| numerical.common);
        numerical.or(self.string_statistics.as_ref().map(|textual| textual.common)).unwrap_or_default()
    }

    /// The share of rows that have a value; 1 where there are no rows.
    #[must_use]
    pub fn completeness(&self) -> f64 {
        let Common { num_present, num_missing } = self.common();
        if num_missing == 0 { 1.0 } else { num_present as f64 / (num_present + num_missing) as f64 }
    }

    /// How often each value occurs, if it is text of which there are few kinds.
    #[must_use]
    pub fn categories(&self) -> Option<&[Category]> {
        Some(&self.string_statistics.as_ref()?.distribution.as_ref()?.categorical.buckets)
    }

    /// The sketch of its numbers.
    #[must_use]
    pub fn sketch(&self) -> Option<&Sketch> {
        Some(&self.numerical_statistics.as_ref()?.distribution.as_ref()?.kll.sketch)
    }
}

impl Types {
    /// What a column with such values is.
    #[must_use]
    pub fn inferred(self) -> InferredType {
        match self {
            Self { text: 1.., .. } => InferredType::String,
            Self { fractional: 1.., .. } => InferredType::Fractional,
            Self { integral: 1.., .. } => InferredType::Integral,
            Self { .. } => InferredType::Unknown,
        }
    }

    /// The share of values that are of a type; a whole number is a number, and anything is text. 1 where there are no
    /// values.
    #[must_use]
    pub fn share(self, expected: InferredType) -> f64 {
        let all = self.integral + self.fractional + self.text;
        let fits = match expected {
            InferredType::Integral => self.integral,
            InferredType::Fractional => self.integral + self.fractional,
            InferredType::String | InferredType::Unknown => all,
        };
        if all == 0 { 1.0 } else { fits as f64 / all as f64 }
    }
}

impl InferredType {
    /// Its name in the document.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Integral => "Integral",
            Self::Fractional => "Fractional",
            Self::String => "String",
            Self::Unknown => "Unknown",
        }
    }
}
