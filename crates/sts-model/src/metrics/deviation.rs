//! Standard deviations as the monitor reports them: "randomly sampling 80% of the data 5 times, computing the metric,
//! and taking the standard deviation". Each row is in a sample with probability 0.8, as Spark's `sample` does it; the
//! monitor's samples differ from run to run, ours are always the same.

use super::{Row, SAMPLED_FROM};
use crate::random::SplitMix64;

const SAMPLES: usize = 5;
const SHARE: f64 = 0.8;
const SEED: u64 = 5;

/// What `measure` gives for each sample; `None` if there are too few rows.
pub(super) fn samples<T>(rows: &[Row], measure: impl Fn(&mut [Row]) -> T) -> Option<Vec<T>> {
    let mut random = SplitMix64::new(SEED);
    let mut sample = || rows.iter().copied().filter(|_| random.unit() < SHARE).collect::<Vec<_>>();
    (rows.len() >= SAMPLED_FROM).then(|| (0..SAMPLES).map(|_| measure(&mut sample())).collect())
}

/// The standard deviation of the samples' values (divisor n).
pub(super) fn standard_deviation(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let mean = values.clone().sum::<f64>() / SAMPLES as f64;
    (values.map(|value| (value - mean).powi(2)).sum::<f64>() / SAMPLES as f64).sqrt()
}
