//! Newton's method with a line search.

use super::{FitError, Params};

/// The gradient's length at which the search ends, for up to [`ROWS`] rows.
const TOLERANCE: f64 = 1e-10;

/// The gradient is a sum over the rows: its rounding errors, and with them the tolerance, grow beyond this many.
const ROWS: f64 = 100_000.0;

/// Where the objective is least.
#[derive(Debug)]
pub(super) struct Optimum {
    pub coefficients: Vec<f64>,
    pub intercept: f64,
    pub objective: f64,
    pub gradient_norm: f64,
    pub iterations: u32,
}

/// Minimises the objective over standardised features, row after row. There is at least one row.
pub(super) fn minimise(features: &[f64], labels: &[bool], params: Params) -> Result<Optimum, FitError> {
    let columns = features.len() / labels.len();
    let problem = Problem { features, labels, columns, l2: params.l2 };
    let tolerance = TOLERANCE * (labels.len() as f64 / ROWS).max(1.0);
    // The last weight is the intercept's; at this start the gradient of the intercept is 0 already.
    let mut weights = vec![0.0; columns + 1];
    let positives = labels.iter().filter(|label| **label).count() as f64;
    weights[columns] = (positives / (labels.len() as f64 - positives)).ln();

    let mut point = problem.at(&weights);
    let mut iterations = 0;
    while point.gradient_norm() > tolerance {
        if iterations == params.max_iterations {
            return Err(FitError::NotConverged { iterations, gradient_norm: point.gradient_norm(), tolerance });
        }
        iterations += 1;
        let Some((next_weights, next)) = problem.step(&weights, &point) else {
            return Err(FitError::NotConverged { iterations, gradient_norm: point.gradient_norm(), tolerance });
        };
        (weights, point) = (next_weights, next);
    }
    let gradient_norm = point.gradient_norm();
    let intercept = weights[columns];
    weights.truncate(columns);
    Ok(Optimum { coefficients: weights, intercept, objective: point.objective, gradient_norm, iterations })
}

/// One over one plus e to the minus `x`, without overflow.
pub(super) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

struct Problem<'a> {
    features: &'a [f64],
    labels: &'a [bool],
    columns: usize,
    l2: f64,
}

/// The objective and its derivatives at some weights.
struct Point {
    objective: f64,
    gradient: Vec<f64>,
    /// The lower triangle, row after row of full length.
    hessian: Vec<f64>,
}

impl Point {
    fn gradient_norm(&self) -> f64 {
        self.gradient.iter().map(|g| g * g).sum::<f64>().sqrt()
    }
}

impl Problem<'_> {
    fn at(&self, weights: &[f64]) -> Point {
        let size = self.columns + 1;
        let (coefficients, intercept) = (&weights[..self.columns], weights[self.columns]);
        let mut objective = 0.5 * self.l2 * coefficients.iter().map(|w| w * w).sum::<f64>();
        let mut gradient: Vec<f64> = coefficients.iter().map(|w| self.l2 * w).chain([0.0]).collect();
        let mut hessian = vec![0.0; size * size];
        for column in 0..self.columns {
            hessian[column * size + column] = self.l2;
        }
        let mut row = vec![1.0; size];
        for (index, label) in self.labels.iter().enumerate() {
            row[..self.columns].copy_from_slice(&self.features[index * self.columns..(index + 1) * self.columns]);
            let log_odds = intercept + row.iter().zip(coefficients).map(|(x, w)| x * w).sum::<f64>();
            // For the label 1 the loss is ln(1 + e^-z), for 0 it is ln(1 + e^z).
            let against = if *label { -log_odds } else { log_odds };
            objective += against.max(0.0) + (-against.abs()).exp().ln_1p();
            let wrong = sigmoid(against);
            let residual = if *label { -wrong } else { wrong };
            let weight = wrong * sigmoid(-against);
            for (i, x) in row.iter().enumerate() {
                gradient[i] += residual * x;
                let scaled = weight * x;
                for (h, other) in hessian[i * size..=i * size + i].iter_mut().zip(&row) {
                    *h += scaled * other;
                }
            }
        }
        Point { objective, gradient, hessian }
    }

    /// The next weights on the way down; `None` if there is no way down that rounding lets us see.
    fn step(&self, weights: &[f64], point: &Point) -> Option<(Vec<f64>, Point)> {
        let direction = direction(&point.hessian, &point.gradient)?;
        let slope: f64 = direction.iter().zip(&point.gradient).map(|(d, g)| d * g).sum();
        let mut length = 1.0;
        // Far from the optimum the objective must fall by a share of what its slope promises (Armijo). Near it the
        // objective no longer changes in its last digit, and the gradient tells better.
        while length > 1e-12 {
            let next: Vec<f64> = weights.iter().zip(&direction).map(|(w, d)| w + length * d).collect();
            let candidate = self.at(&next);
            let allowed = point.objective + 1e-4 * length * slope;
            let flat = 1e-13 * point.objective.abs();
            let falls = candidate.objective <= allowed;
            let shrinks =
                candidate.objective <= point.objective + flat && candidate.gradient_norm() < point.gradient_norm();
            if falls && candidate.objective < point.objective - flat || shrinks {
                return Some((next, candidate));
            }
            length *= 0.5;
        }
        None
    }
}

/// Newton's direction: the solution of `hessian * direction = -gradient`. Where rounding leaves the Hessian not
/// positive definite (saturated probabilities), its diagonal is raised until it is.
fn direction(hessian: &[f64], gradient: &[f64]) -> Option<Vec<f64>> {
    let size = gradient.len();
    let largest = (0..size).map(|i| hessian[i * size + i]).fold(0.0, f64::max);
    let mut raised = 0.0;
    for _ in 0..16 {
        let mut factor = hessian.to_vec();
        for i in 0..size {
            factor[i * size + i] += raised;
        }
        if cholesky(&mut factor, size) {
            return Some(solve(&factor, gradient));
        }
        raised = if raised == 0.0 { largest * 1e-14 } else { raised * 10.0 };
    }
    None
}

/// Replaces the lower triangle of a symmetric matrix by its Cholesky factor; `false` if it is not positive definite.
fn cholesky(matrix: &mut [f64], size: usize) -> bool {
    for i in 0..size {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| matrix[i * size + k] * matrix[j * size + k]).sum();
            let left = matrix[i * size + j] - known;
            if i != j {
                matrix[i * size + j] = left / matrix[j * size + j];
            } else if left > 0.0 && left.is_finite() {
                matrix[i * size + i] = left.sqrt();
            } else {
                return false;
            }
        }
    }
    true
}

/// Solves `factor * factor' * x = -gradient`.
fn solve(factor: &[f64], gradient: &[f64]) -> Vec<f64> {
    let size = gradient.len();
    let mut x: Vec<f64> = gradient.iter().map(|g| -g).collect();
    for i in 0..size {
        let known: f64 = (0..i).map(|k| factor[i * size + k] * x[k]).sum();
        x[i] = (x[i] - known) / factor[i * size + i];
    }
    for i in (0..size).rev() {
        let known: f64 = (i + 1..size).map(|k| factor[k * size + i] * x[k]).sum();
        x[i] = (x[i] - known) / factor[i * size + i];
    }
    x
}
