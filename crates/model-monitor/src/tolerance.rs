//! Constraints with a margin. AWS suggests the baseline's own values, and then chance alone violates one of eleven in
//! four healthy hours of five.
//!
//! How much a metric differs by chance from one hour to the next is found by drawing the baseline's rows again and again,
//! with replacement (Efron: "Bootstrap Methods: Another Look at the Jackknife", 1979). The monitor's own standard
//! deviations are no help: five samples of 80 % of the rows each tell half of it, and that badly.
//!
//! Shares (all metrics but those of regression) are compared as log-odds. A baseline that was lucky has a value near 1,
//! where shares hardly vary: on their own scale its threshold would be closest where it should be farthest.

use crate::{
    analysis::{Analysis, Observation, Settings},
    constraints::{Constraint, Constraints, Operator},
    problem::Problem,
    samples::SplitMix64,
};

/// How often the rows are drawn. The deviations are then known to about 5 %.
const DRAWS: usize = 200;

/// What the draws follow from: the same baseline has the same tolerance.
const SEED: u64 = 11;

/// By how much metrics differ between two sets of rows as large as the baseline and like it: the standard deviation of
/// the difference, by metric, in the order of the constraints; of log-odds, where the metrics are shares.
#[derive(Debug, Clone, PartialEq)]
pub struct Deviations {
    of: Vec<(String, f64)>,
    rows: usize,
}

impl Deviations {
    /// Measures the rows of a baseline. Rows that cannot be used are left out, as they are by a job.
    #[must_use]
    pub fn of(rows: &[Observation<'_>], settings: &Settings, constraints: &Constraints) -> Self {
        let mut random = SplitMix64(SEED);
        let mut values: Vec<Vec<f64>> = vec![Vec::with_capacity(DRAWS); constraints.of.len()];
        for _ in 0..DRAWS {
            let mut analysis = Analysis::new(settings);
            for _ in 0..rows.len() {
                let at = (random.unit() * rows.len() as f64) as usize;
                if let Some(row) = rows.get(at) {
                    // What a row lacks it lacks in every draw.
                    let _ = analysis.add(row);
                }
            }
            let Some(drawn) = analysis.finish() else { continue };
            for ((metric, _), values) in constraints.of.iter().zip(&mut values) {
                let value = drawn.metric(metric).map(|metric| metric.value).filter(|value| value.is_finite());
                values.extend(value.map(|value| scaled(constraints.problem, value, rows.len())));
            }
        }
        let named = constraints.of.iter().zip(values);
        let of = named.map(|((metric, _), values)| (metric.clone(), deviation(&values) * 2_f64.sqrt())).collect();
        Self { of, rows: rows.len() }
    }

    /// That of a metric.
    #[must_use]
    pub fn get(&self, metric: &str) -> Option<f64> {
        self.of.iter().find(|(name, _)| name == metric).map(|(_, deviation)| *deviation)
    }
}

impl Constraints {
    /// The same with each threshold moved by so many deviations to where fewer values violate it.
    #[must_use]
    pub fn loosened(&self, deviations: &Deviations, tolerance: f64) -> Self {
        let loosen = |(metric, constraint): &(String, Constraint)| {
            let margin = tolerance * deviations.get(metric).unwrap_or_default();
            let margin = match constraint.comparison_operator {
                Operator::LessThanThreshold => -margin,
                Operator::GreaterThanThreshold => margin,
            };
            // Without leeway it is AWS's suggestion, to the last digit.
            let threshold = match margin == 0.0 {
                true => constraint.threshold,
                false => unscaled(self.problem, scaled(self.problem, constraint.threshold, deviations.rows) + margin),
            };
            (metric.clone(), Constraint { threshold, ..*constraint })
        };
        Self { problem: self.problem, of: self.of.iter().map(loosen).collect() }
    }
}

/// A metric as it is compared. A share of none or of all rows has no odds: half a row is added to either side.
fn scaled(problem: Problem, value: f64, rows: usize) -> f64 {
    if problem == Problem::Regression {
        return value;
    }
    let rows = rows as f64;
    ((value * rows + 0.5) / ((1.0 - value) * rows + 0.5)).ln()
}

fn unscaled(problem: Problem, value: f64) -> f64 {
    if problem == Problem::Regression { value } else { 1.0 / (1.0 + (-value).exp()) }
}

/// The standard deviation of a sample.
fn deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64;
    variance.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize) -> Vec<Observation<'static>> {
        // Three of four predictions are right, of either label.
        let row = |at: usize| {
            let truth = at.is_multiple_of(2);
            let predicted = truth != (at % 8 < 2);
            let text = |label: bool| if label { "1" } else { "0" };
            let probability = if predicted { "0.9" } else { "0.1" };
            Observation {
                ground_truth: text(truth).into(),
                inference: Some(text(predicted).into()),
                probability: Some(probability.into()),
            }
        };
        (0..count).map(row).collect()
    }

    fn settings() -> Settings {
        Settings { problem: Problem::BinaryClassification, threshold: None, positive_label: None }
    }

    fn suggested(rows: &[Observation<'_>]) -> Constraints {
        let mut analysis = Analysis::new(&settings());
        rows.iter().for_each(|row| analysis.add(row).unwrap());
        Constraints::suggest(&analysis.finish().unwrap())
    }

    #[test]
    fn the_deviation_of_a_share_is_that_of_the_log_odds_of_the_binomial_distribution() {
        let rows = rows(800);
        let constraints = suggested(&rows);
        let deviations = Deviations::of(&rows, &settings(), &constraints);
        // 1 / sqrt(n p (1 - p)), for the difference of two; recall is of half the rows.
        for (metric, n) in [("accuracy", 800.0), ("recall", 400.0)] {
            let expected = (2.0 / (n * 0.75 * 0.25_f64)).sqrt();
            let found = deviations.get(metric).unwrap();
            assert!((found / expected - 1.0).abs() < 0.15, "{metric}: {found}, not {expected}");
        }
        assert_eq!(deviations, Deviations::of(&rows, &settings(), &constraints), "the same rows tell the same");
    }

    #[test]
    fn thresholds_move_to_where_less_violates_them() {
        let rows = rows(400);
        let constraints = suggested(&rows);
        let deviations = Deviations::of(&rows, &settings(), &constraints);
        let loosened = constraints.loosened(&deviations, 3.0);
        let odds = |share: f64| share / (1.0 - share);
        for (metric, constraint) in &constraints.of {
            let (moved, margin) = (loosened.get(metric).unwrap(), 3.0 * deviations.get(metric).unwrap());
            assert!(margin > 0.0, "{metric}");
            assert_eq!(moved.comparison_operator, constraint.comparison_operator);
            let by = (odds(moved.threshold) / odds(constraint.threshold)).ln().abs();
            assert!((by - margin).abs() < 0.01, "{metric}: {by}, not {margin}");
            assert!(!moved.is_violated(constraint.threshold), "{metric}");
        }
        assert_eq!(constraints.loosened(&deviations, 0.0), constraints);
    }
}
