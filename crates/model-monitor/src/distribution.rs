//! How the values of a feature are distributed, and how far from a baseline: what requests look like now, and what they
//! looked like then. Memory is flat, however many rows there are.

use crate::samples::SplitMix64;

/// So many values of a feature are kept: all of them at first, then a random sample (Vitter's algorithm R). What is said
/// of quantiles and shares is exact until then, and off by about one hundredth at most beyond.
pub const KEPT: usize = 10_000;

/// How many buckets of equal width a histogram has.
pub const BUCKETS: usize = 10;

const SEED: u64 = 7;

/// The values of one feature.
#[derive(Debug)]
pub struct Distribution {
    present: u64,
    missing: u64,
    mean: f64,
    /// The sum of squared deviations from the mean (Welford's way).
    deviations: f64,
    min: f64,
    max: f64,
    kept: Vec<f64>,
    random: SplitMix64,
}

impl Default for Distribution {
    fn default() -> Self {
        Self {
            present: 0,
            missing: 0,
            mean: 0.0,
            deviations: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            kept: Vec::new(),
            random: SplitMix64(SEED),
        }
    }
}

/// The features of rows, column by column.
#[derive(Debug, Default)]
pub struct Features {
    columns: Vec<Distribution>,
    rows: u64,
}

impl Features {
    /// Takes a row of CSV in, such as a captured request has. A column that earlier rows did not have was missing in
    /// them; one that this row does not have is missing in it.
    pub fn add(&mut self, row: &str) {
        let mut fields = row.trim_end_matches(['\r', '\n']).split(',');
        for column in &mut self.columns {
            column.add(fields.next().unwrap_or_default());
        }
        for field in fields {
            let mut column = Distribution { missing: self.rows, ..Distribution::default() };
            column.add(field);
            self.columns.push(column);
        }
        self.rows += 1;
    }

    /// In the order of the columns.
    #[must_use]
    pub fn finish(self) -> Vec<Summary> {
        self.columns.into_iter().map(Distribution::finish).collect()
    }
}

impl Distribution {
    /// Takes a value in; a text that is no finite number is a missing one.
    pub fn add(&mut self, text: &str) {
        let Some(value) = text.trim().parse().ok().filter(|value: &f64| value.is_finite()) else {
            self.missing += 1;
            return;
        };
        self.present += 1;
        let from_mean = value - self.mean;
        self.mean += from_mean / self.present as f64;
        self.deviations += from_mean * (value - self.mean);
        (self.min, self.max) = (self.min.min(value), self.max.max(value));
        if self.kept.len() < KEPT {
            self.kept.push(value);
        } else if let Some(place) = self.kept.get_mut((self.random.next() % self.present) as usize) {
            *place = value;
        }
    }

    /// No values are to come.
    #[must_use]
    pub fn finish(mut self) -> Summary {
        self.kept.sort_unstable_by(f64::total_cmp);
        let some = |value| (self.present > 0).then_some(value);
        Summary {
            present: self.present,
            missing: self.missing,
            mean: some(self.mean),
            std_dev: some((self.deviations / self.present as f64).sqrt()),
            min: some(self.min),
            max: some(self.max),
            sorted: self.kept,
        }
    }
}

/// What there is to say of a feature. Numbers are missing where it has no values.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// How many rows have a number.
    pub present: u64,
    /// How many have none.
    pub missing: u64,
    /// The mean.
    pub mean: Option<f64>,
    /// The standard deviation (divisor n, as the monitor's).
    pub std_dev: Option<f64>,
    /// The smallest value.
    pub min: Option<f64>,
    /// The largest value.
    pub max: Option<f64>,
    /// The values that were kept, in rising order.
    sorted: Vec<f64>,
}

impl Summary {
    /// The value that a share of all values, from 0 to 1, does not exceed.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let place = (share * self.sorted.len() as f64).ceil() as usize;
        self.sorted.get(place.saturating_sub(1)).or(self.sorted.last()).copied()
    }

    /// The bounds of [`BUCKETS`] buckets of equal width over all values of two distributions: one more than buckets.
    /// None where neither has values.
    #[must_use]
    pub fn bounds(&self, other: &Self) -> Option<[f64; BUCKETS + 1]> {
        let least = self.min.into_iter().chain(other.min).reduce(f64::min)?;
        let most = self.max.into_iter().chain(other.max).reduce(f64::max)?;
        // Halves, for the width of all numbers is none.
        let bound = |at: usize| {
            let share = at as f64 / BUCKETS as f64;
            least * (1.0 - share) + most * share
        };
        Some(std::array::from_fn(bound))
    }

    /// The share of values in each bucket: from its lower bound to below its upper, which belongs to the last alone.
    #[must_use]
    pub fn histogram(&self, bounds: &[f64; BUCKETS + 1]) -> [f64; BUCKETS] {
        let below = |bound: f64| self.sorted.partition_point(|value| *value < bound);
        let count = self.sorted.len().max(1) as f64;
        std::array::from_fn(|bucket| {
            let end = if bucket + 1 == BUCKETS { self.sorted.len() } else { below(bounds[bucket + 1]) };
            let start = if bucket == 0 { 0 } else { below(bounds[bucket]) };
            end.saturating_sub(start) as f64 / count
        })
    }

    /// The largest difference between the shares of values up to any number (Kolmogorov and Smirnov's distance; the
    /// monitor's `Simple`). 0 where one has no values.
    #[must_use]
    pub fn distance(&self, baseline: &Self) -> f64 {
        let (ours, theirs) = (&self.sorted, &baseline.sorted);
        if ours.is_empty() || theirs.is_empty() {
            return 0.0;
        }
        let (mut at, mut their_at, mut largest) = (0, 0, 0.0_f64);
        while let (Some(value), Some(their_value)) = (ours.get(at), theirs.get(their_at)) {
            let next = value.min(*their_value);
            at += ours[at..].iter().take_while(|value| **value <= next).count();
            their_at += theirs[their_at..].iter().take_while(|value| **value <= next).count();
            largest = largest.max((at as f64 / ours.len() as f64 - their_at as f64 / theirs.len() as f64).abs());
        }
        largest
    }

    /// The distance less what chance alone makes of it, as deequ computes it (the monitor's `Robust`).
    #[must_use]
    pub fn robust_distance(&self, baseline: &Self) -> f64 {
        let (n, m) = (self.sorted.len() as f64, baseline.sorted.len() as f64);
        let by_chance = 1.8 * ((n + m) / (n * m)).sqrt();
        (self.distance(baseline) - by_chance).max(0.0)
    }
}
