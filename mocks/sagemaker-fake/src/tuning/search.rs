//! The hyperparameters of the next trial: the same every time for the same seed and the same measurements.
//!
//! `Grid` and `Random` are what they are called. `Bayesian` is simulated: SageMaker fits a model of the objective, here half
//! of the trials are drawn from around the best one so far, the other half from anywhere.

use std::collections::BTreeMap;

use super::range::{Range, Ranges};
use super::request::Strategy;

/// So many trials are drawn from anywhere before one is drawn from around the best.
const EXPLORED: usize = 2;

/// How far from the best one a trial is drawn, at most.
const NEAR: f64 = 0.1;

/// The hyperparameters of the trial of this number, from 0. `best` are those of the best trial that may be known by then.
pub(super) fn propose(
    strategy: Strategy,
    ranges: &Ranges,
    seed: u64,
    number: usize,
    best: Option<&BTreeMap<String, String>>,
) -> BTreeMap<String, String> {
    // Each trial draws from a source of its own: it does not matter who has drawn before.
    let mut random = fastrand::Rng::with_seed(seed.wrapping_add((number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let near = best.filter(|_| strategy == Strategy::Bayesian && number >= EXPLORED && number.is_multiple_of(2));
    let mut combination = number;
    let value = |(name, range): &(String, Range)| {
        let value = match (strategy, range, near) {
            (Strategy::Grid, Range::Categorical(values), _) => {
                let index = combination % values.len().max(1);
                combination /= values.len().max(1);
                values.get(index).cloned().unwrap_or_default()
            }
            (_, Range::Categorical(_), Some(best)) if random.f64() < 0.75 => {
                best.get(name).cloned().unwrap_or_default()
            }
            (_, Range::Integer(..) | Range::Continuous(..), Some(best)) => {
                let position = best.get(name).map_or(0.5, |value| range.position(value));
                range.at((position + NEAR * (2.0 * random.f64() - 1.0)).clamp(0.0, 1.0))
            }
            _ => range.at(random.f64()),
        };
        (name.clone(), value)
    };
    ranges.iter().map(value).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ranges() -> Ranges {
        Ranges::read(&json!({
            "ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "10"}],
            "CategoricalParameterRanges": [{"Name": "c", "Values": ["a", "b"]}],
        }))
        .unwrap()
    }

    #[test]
    fn a_grid_has_every_combination_once() {
        let grid = Ranges::read(&json!({"CategoricalParameterRanges": [
            {"Name": "a", "Values": ["1", "2", "3"]}, {"Name": "b", "Values": ["x", "y"]},
        ]}))
        .unwrap();
        assert_eq!(grid.combinations(), Some(6));
        let tried: std::collections::BTreeSet<_> =
            (0..6).map(|number| propose(Strategy::Grid, &grid, 1, number, None)).collect();
        assert_eq!(tried.len(), 6);
        assert_eq!(ranges().combinations(), None);
    }

    #[test]
    fn a_seed_gives_the_same_trials() {
        let draw =
            |seed| (0..8).map(|number| propose(Strategy::Random, &ranges(), seed, number, None)).collect::<Vec<_>>();
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn half_of_a_bayesian_search_is_near_the_best() {
        let best = BTreeMap::from([("x".to_owned(), "5".to_owned()), ("c".to_owned(), "b".to_owned())]);
        for number in 0..40 {
            let tuned = propose(Strategy::Bayesian, &ranges(), 3, number, Some(&best));
            let x: f64 = tuned["x"].parse().unwrap();
            assert!((0.0..=10.0).contains(&x));
            if number >= EXPLORED && number.is_multiple_of(2) {
                assert!((4.0..=6.0).contains(&x), "{number}: {x}");
            }
        }
    }
}
