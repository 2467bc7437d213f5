//! Rows to statistics, one row at a time, in flat memory.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::sketch::Sketch;
use super::statistics::{
    Categorical, Category, Common, Dataset, Feature, InferredType, Kll, Numerical, NumericalDistribution, Statistics,
    Textual, TextualDistribution, Types,
};

/// Text of more kinds than this has no distribution and no domain. (The monitor's own limit is not documented; this is
/// the one that deequ, which it is made with, has.)
pub const MOST_CATEGORIES: usize = 120;

/// Different values are counted up to here.
pub const MOST_DISTINCT: usize = 100_000;

/// The columns of a data set, under way.
#[derive(Debug, Default)]
pub struct Profile {
    rows: u64,
    columns: Vec<(String, Column)>,
}

#[derive(Debug)]
struct Column {
    missing: u64,
    types: Types,
    sum: f64,
    mean: f64,
    /// The sum of squared deviations from the mean (Welford's way).
    deviations: f64,
    min: f64,
    max: f64,
    sketch: Sketch,
    /// As long as there are few.
    categories: BTreeMap<String, u64>,
    /// Hashes of the values.
    distinct: HashSet<u64>,
}

impl Column {
    fn new(missing: u64) -> Self {
        Self {
            missing,
            types: Types::default(),
            sum: 0.0,
            mean: 0.0,
            deviations: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            sketch: Sketch::default(),
            categories: BTreeMap::new(),
            distinct: HashSet::new(),
        }
    }

    fn add(&mut self, text: &str) {
        let trimmed = text.trim();
        match trimmed.parse::<f64>().ok().filter(|number| number.is_finite()) {
            Some(number) => {
                if is_whole(trimmed) {
                    self.types.integral += 1;
                } else {
                    self.types.fractional += 1;
                }
                let count = (self.types.integral + self.types.fractional) as f64;
                let from_mean = number - self.mean;
                self.sum += number;
                self.mean += from_mean / count;
                self.deviations += from_mean * (number - self.mean);
                (self.min, self.max) = (self.min.min(number), self.max.max(number));
                self.sketch.add(number);
            }
            None => self.types.text += 1,
        }
        if self.distinct.len() < MOST_DISTINCT {
            self.distinct.insert(BuildHasherDefault::<DefaultHasher>::default().hash_one(text));
        }
        // One too many says that there are too many.
        let room = self.categories.len() <= MOST_CATEGORIES;
        match self.categories.get_mut(text) {
            Some(count) => *count += 1,
            None if room => drop(self.categories.insert(text.to_owned(), 1)),
            None => {}
        }
    }

    fn finish(self, name: String) -> Feature {
        let types = self.types;
        let inferred_type = types.inferred();
        let common = Common { num_present: types.integral + types.fractional + types.text, num_missing: self.missing };
        let mut feature = Feature { name, inferred_type, numerical_statistics: None, string_statistics: None, types };
        match inferred_type {
            InferredType::Integral | InferredType::Fractional => {
                let buckets = self.sketch.buckets(self.min, self.max);
                feature.numerical_statistics = Some(Numerical {
                    common,
                    mean: self.sum / common.num_present as f64,
                    sum: self.sum,
                    std_dev: (self.deviations / common.num_present as f64).sqrt(),
                    min: self.min,
                    max: self.max,
                    distribution: Some(NumericalDistribution { kll: Kll { buckets, sketch: self.sketch } }),
                });
            }
            InferredType::String | InferredType::Unknown => {
                let few = (1..=MOST_CATEGORIES).contains(&self.categories.len());
                let category = |(value, count)| Category { value, count };
                let distribution = few.then(|| TextualDistribution {
                    categorical: Categorical { buckets: self.categories.into_iter().map(category).collect() },
                });
                let distinct_count = self.distinct.len() as f64;
                feature.string_statistics = Some(Textual { common, distinct_count, distribution });
            }
        }
        feature
    }
}

/// Whether a number is written as a whole one.
fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

impl Profile {
    /// Takes a row in. A column that earlier rows did not have was missing in them; one that this row does not have, or
    /// has without a value, is missing in it.
    pub fn add<'a>(&mut self, row: impl IntoIterator<Item = (&'a str, Option<Cow<'a, str>>)>) {
        let mut next = 0;
        let mut seen = vec![false; self.columns.len()];
        for (name, value) in row {
            // Rows mostly have the columns in one order.
            let place = match self.columns.get(next) {
                Some((own, _)) if own == name => next,
                _ => self.columns.iter().position(|(own, _)| own == name).unwrap_or(self.columns.len()),
            };
            if place == self.columns.len() {
                self.columns.push((name.to_owned(), Column::new(self.rows)));
                seen.push(false);
            }
            next = place + 1;
            if std::mem::replace(&mut seen[place], true) {
                continue;
            }
            let column = &mut self.columns[place].1;
            match value.filter(|value| !value.trim().is_empty()) {
                Some(value) => column.add(&value),
                None => column.missing += 1,
            }
        }
        for ((_, column), seen) in self.columns.iter_mut().zip(seen) {
            column.missing += u64::from(!seen);
        }
        self.rows += 1;
    }

    /// No rows are to come; none without any.
    #[must_use]
    pub fn finish(self) -> Option<Statistics> {
        let features = self.columns.into_iter().map(|(name, column)| column.finish(name)).collect();
        (self.rows > 0).then_some(Statistics { version: 0.0, dataset: Dataset { item_count: self.rows }, features })
    }
}
