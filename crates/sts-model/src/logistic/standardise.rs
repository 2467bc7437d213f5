//! Features with mean 0 and standard deviation 1.

use super::FitError;
use crate::rows::Dataset;

/// Standardised features, and what was done to them.
#[derive(Debug)]
pub(super) struct Standardised {
    pub means: Vec<f64>,
    pub deviations: Vec<f64>,
    /// Row after row.
    pub features: Vec<f64>,
}

impl Standardised {
    pub(super) fn of(dataset: &Dataset) -> Result<Self, FitError> {
        let columns = dataset.columns();
        let count = dataset.len() as f64;
        let mut means = vec![0.0; columns];
        for row in dataset.features() {
            means.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / count);
        }
        // The second sum is what rounding left of the mean; without it a feature of values near 1e9 loses digits.
        let mut variances = vec![0.0; columns];
        let mut errors = vec![0.0; columns];
        for row in dataset.features() {
            for (column, x) in row.iter().enumerate() {
                let distance = x - means[column];
                variances[column] += distance * distance / count;
                errors[column] += distance / count;
            }
        }
        for column in 0..columns {
            means[column] += errors[column];
            variances[column] -= errors[column] * errors[column];
        }
        if let Some(place) = variances.iter().position(|variance| !variance.is_finite()) {
            return Err(FitError::Overflow { column: place + 1 });
        }
        let deviations: Vec<f64> =
            means.iter().zip(&variances).map(|(mean, variance)| deviation(*mean, *variance, count)).collect();
        let mut features = Vec::with_capacity(dataset.len() * columns);
        for row in dataset.features() {
            features.extend(row.iter().zip(&means).zip(&deviations).map(|((x, mean), scale)| (x - mean) / scale));
        }
        Ok(Self { means, deviations, features })
    }
}

/// The square root of the variance; 1 where the variance is nothing but rounding (scikit-learn's rule), so that a
/// constant feature becomes a column of zeros and its coefficient 0.
fn deviation(mean: f64, variance: f64, count: f64) -> f64 {
    let rounding = count * f64::EPSILON * variance + (count * mean * f64::EPSILON).powi(2);
    if variance <= rounding { 1.0 } else { variance.sqrt() }
}
