//! Logistic regression with an L2 penalty, solved to its exact optimum.
//!
//! The objective is scikit-learn's: the sum over all rows of the logistic loss, plus `l2 / 2` times the squared length
//! of the coefficients, the intercept not counted; `l2` is scikit-learn's `1 / C`. It is strictly convex, so there is
//! exactly one minimum, and Newton's method with a line search finds it from anywhere. Features are standardised
//! first (mean 0, standard deviation 1), so that the penalty treats all of them alike; the model keeps means and
//! deviations and takes features as they are.

mod newton;
mod standardise;

use serde::{Deserialize, Serialize};

use crate::rows::Dataset;

/// How to fit, as wished. [`Params::check`] says whether it makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The strength of the penalty; scikit-learn's `1 / C`.
    pub l2: f64,
    /// How many steps the search may take. Some 10 are usual.
    pub max_iterations: u32,
}

impl Default for Params {
    fn default() -> Self {
        Self { l2: 1.0, max_iterations: 100 }
    }
}

/// How to fit, checked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValidParams(Params);

/// Why there is no model.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum FitError {
    /// The penalty is not a positive number.
    #[error("l2 is {0}: it must be a finite number above 0, such as 1")]
    L2(f64),
    /// No step is allowed.
    #[error("max_iterations is 0: it must be at least 1, such as 100")]
    MaxIterations,
    /// There are no rows.
    #[error("there are no rows to fit to")]
    Empty,
    /// All rows have the same label.
    #[error("all {rows} rows have the label {label}: a classifier needs rows of both classes")]
    SingleClass {
        /// How many rows there are.
        rows: usize,
        /// Their label, 0 or 1.
        label: u8,
    },
    /// Features are so large that their deviation is infinite.
    #[error("column {column} of the features is too large to be standardised")]
    Overflow {
        /// The position of the feature, from 1.
        column: usize,
    },
    /// The minimum was not reached.
    #[error(
        "not converged after {iterations} iterations: the gradient's length is {gradient_norm:e}, {tolerance:e} was wanted (a larger l2 or max_iterations helps)"
    )]
    NotConverged {
        /// The steps taken.
        iterations: u32,
        /// The length of the gradient there.
        gradient_norm: f64,
        /// The length at which the search would have ended.
        tolerance: f64,
    },
}

/// A fitted model and how the fit went.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The model.
    pub model: Model,
    /// The objective at the optimum.
    pub objective: f64,
    /// The length of the objective's gradient there.
    pub gradient_norm: f64,
    /// The steps taken.
    pub iterations: u32,
}

/// Logistic regression over features as they are; it standardises them itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The mean of each feature over the training rows.
    pub means: Vec<f64>,
    /// The standard deviation of each feature over the training rows (divisor n); 1 for a constant feature.
    pub deviations: Vec<f64>,
    /// The coefficient of each standardised feature.
    pub coefficients: Vec<f64>,
    /// The log-odds where all standardised features are 0.
    pub intercept: f64,
}

impl Params {
    /// # Errors
    /// A value is out of its range.
    pub fn check(self) -> Result<ValidParams, FitError> {
        if !(self.l2.is_finite() && self.l2 > 0.0) {
            return Err(FitError::L2(self.l2));
        }
        if self.max_iterations == 0 {
            return Err(FitError::MaxIterations);
        }
        Ok(ValidParams(self))
    }
}

impl ValidParams {
    /// The values.
    pub fn get(self) -> Params {
        self.0
    }

    /// Fits a model to the rows.
    ///
    /// # Errors
    /// There are no rows, all have the same label, or the search does not reach the minimum.
    pub fn fit(self, dataset: &Dataset) -> Result<Fit, FitError> {
        let rows = dataset.len();
        let positives = dataset.labels().iter().filter(|label| **label).count();
        if rows == 0 {
            return Err(FitError::Empty);
        }
        if positives == 0 || positives == rows {
            return Err(FitError::SingleClass { rows, label: u8::from(positives > 0) });
        }
        let standardised = standardise::Standardised::of(dataset)?;
        let optimum = newton::minimise(&standardised.features, dataset.labels(), self.0)?;
        Ok(Fit {
            model: Model {
                means: standardised.means,
                deviations: standardised.deviations,
                coefficients: optimum.coefficients,
                intercept: optimum.intercept,
            },
            objective: optimum.objective,
            gradient_norm: optimum.gradient_norm,
            iterations: optimum.iterations,
        })
    }
}

impl Model {
    /// How many features a row has.
    pub fn columns(&self) -> usize {
        self.coefficients.len()
    }

    /// The log-odds that the row's label is 1. `features` must be as many as [`Model::columns`]; others are ignored.
    pub fn log_odds(&self, features: &[f64]) -> f64 {
        self.intercept + self.contributions(features).sum::<f64>()
    }

    /// What each feature adds to the log-odds, compared with its mean over the training rows.
    pub fn contributions(&self, features: &[f64]) -> impl Iterator<Item = f64> {
        let scales = self.means.iter().zip(&self.deviations).zip(&self.coefficients);
        features.iter().zip(scales).map(|(x, ((mean, deviation), w))| w * ((x - mean) / deviation))
    }

    /// The probability that the row's label is 1.
    pub fn probability(&self, features: &[f64]) -> f64 {
        newton::sigmoid(self.log_odds(features))
    }
}
