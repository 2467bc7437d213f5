//! Metrics of predicted numbers.

use crate::{
    samples::{self, Membership, SETS},
    statistics::Measure,
};

/// Sums over the rows of each set.
#[derive(Debug, Default)]
pub(crate) struct Regression {
    sets: [Sums; SETS],
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    rows: f64,
    absolute_errors: f64,
    squared_errors: f64,
    /// Of the true values, and the sum of squared deviations from it (Welford's way, which loses no digits where values
    /// are far from 0).
    mean: f64,
    deviations: f64,
}

impl Regression {
    pub(crate) fn add(&mut self, truth: f64, prediction: f64, membership: Membership) {
        let error = prediction - truth;
        for set in samples::sets(membership) {
            let sums = &mut self.sets[set];
            sums.rows += 1.0;
            sums.absolute_errors += error.abs();
            sums.squared_errors += error * error;
            let from_mean = truth - sums.mean;
            sums.mean += from_mean / sums.rows;
            sums.deviations += from_mean * (truth - sums.mean);
        }
    }

    pub(crate) fn measures(&self, rows: u64) -> Vec<(&'static str, Measure)> {
        let metric = |get: fn(&Sums) -> f64| {
            Measure::Metric(samples::metric(rows, std::array::from_fn(|set| get(&self.sets[set]))))
        };
        vec![
            ("mae", metric(|sums| share(sums.absolute_errors, sums.rows))),
            ("mse", metric(|sums| share(sums.squared_errors, sums.rows))),
            ("rmse", metric(|sums| share(sums.squared_errors, sums.rows).sqrt())),
            ("r2", metric(Sums::r2)),
        ]
    }
}

impl Sums {
    /// The coefficient of determination. Where all true values are the same: 1 if all are predicted, else 0
    /// (scikit-learn's convention; Spark's minus infinity would be no JSON).
    fn r2(&self) -> f64 {
        if self.deviations > 0.0 {
            1.0 - self.squared_errors / self.deviations
        } else if self.squared_errors > 0.0 {
            0.0
        } else {
            1.0
        }
    }
}

/// A share; of nothing, 0.
pub(crate) fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}
