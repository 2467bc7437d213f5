//! The fit against scikit-learn's (`reference/README.md`), and what cannot be fitted.

use proptest::prelude::*;
use serde::Deserialize;
use sts_model::{
    logistic::{Fit, FitError, Params},
    rows::Dataset,
};

#[derive(Deserialize)]
struct Case {
    name: String,
    l2: f64,
    features: Vec<Vec<f64>>,
    labels: Vec<u8>,
    coefficients: Vec<f64>,
    intercept: f64,
    means: Vec<f64>,
    deviations: Vec<f64>,
    probabilities: Vec<f64>,
}

fn dataset(features: &[Vec<f64>], labels: &[u8]) -> Dataset {
    let mut dataset = Dataset::new(features.first().map_or(2, Vec::len));
    for (row, label) in features.iter().zip(labels) {
        dataset.push(*label == 1, row).unwrap();
    }
    dataset
}

fn fit(l2: f64, dataset: &Dataset) -> Result<Fit, FitError> {
    Params { l2, ..Params::default() }.check()?.fit(dataset)
}

#[track_caller]
fn assert_close(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        let distance = (found - expected).abs();
        assert!(distance <= 1e-6 * expected.abs().max(1.0), "{what}: {found}, expected {expected}");
    }
}

#[test]
fn agrees_with_scikit_learn() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("reference/logistic.json")).unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let fit = fit(case.l2, &dataset(&case.features, &case.labels)).unwrap();
        let name = &case.name;
        assert!(fit.gradient_norm < 1e-10, "{name}: {:e}", fit.gradient_norm);
        assert_close(&format!("{name}: coefficients"), &fit.model.coefficients, &case.coefficients);
        assert_close(&format!("{name}: intercept"), &[fit.model.intercept], &[case.intercept]);
        assert_close(&format!("{name}: means"), &fit.model.means, &case.means);
        assert_close(&format!("{name}: deviations"), &fit.model.deviations, &case.deviations);
        let probabilities: Vec<f64> = case.features.iter().map(|row| fit.model.probability(row)).collect();
        assert_close(&format!("{name}: probabilities"), &probabilities, &case.probabilities);
    }
}

#[test]
fn a_constant_feature_has_no_say() {
    let rows = [[1.0, 0.1], [2.0, 0.1], [3.0, 0.1]].map(Vec::from);
    let fit = fit(1.0, &dataset(&rows, &[0, 1, 1])).unwrap();
    assert_eq!(fit.model.coefficients[1], 0.0);
    assert_eq!(fit.model.deviations[1], 1.0);
}

#[test]
fn what_cannot_be_fitted_has_a_reason() {
    #[track_caller]
    fn check(params: Params, labels: &[u8], expected: &str) {
        let rows: Vec<Vec<f64>> = (0..labels.len()).map(|row| vec![row as f64, 1.0]).collect();
        let error = params.check().and_then(|params| params.fit(&dataset(&rows, labels))).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let params = Params::default();
    check(params, &[], "there are no rows to fit to");
    check(params, &[1, 1], "all 2 rows have the label 1: a classifier needs rows of both classes");
    check(params, &[0], "all 1 rows have the label 0: a classifier needs rows of both classes");
    for (l2, text) in [(0.0, "0"), (-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        check(
            Params { l2, ..params },
            &[0, 1],
            &format!("l2 is {text}: it must be a finite number above 0, such as 1"),
        );
    }
    check(Params { max_iterations: 0, ..params }, &[0, 1], "max_iterations is 0: it must be at least 1, such as 100");
}

#[test]
fn too_few_iterations_are_an_error() {
    let rows: Vec<Vec<f64>> = (0..20).map(|row| vec![f64::from(row), f64::from(row % 3)]).collect();
    let labels: Vec<u8> = (0..20).map(|row| u8::from(row % 5 > 1)).collect();
    let params = Params { l2: 0.1, max_iterations: 1 }.check().unwrap();
    let error = params.fit(&dataset(&rows, &labels)).unwrap_err();
    assert!(matches!(error, FitError::NotConverged { iterations: 1, gradient_norm, .. } if gradient_norm > 1e-10));
}

#[test]
fn features_beyond_measure_are_an_error() {
    let rows = [[1.0, 1e200], [1.0, -1e200]].map(Vec::from);
    assert_eq!(fit(1.0, &dataset(&rows, &[0, 1])), Err(FitError::Overflow { column: 2 }));
}

#[test]
fn hard_problems_converge() {
    // Perfectly separated by a wide gap with next to no penalty: the optimum is far out.
    let rows: Vec<Vec<f64>> = (0..40).map(|row| vec![f64::from(row) + if row < 20 { -500.0 } else { 500.0 }]).collect();
    let labels: Vec<u8> = (0..40).map(|row| u8::from(row >= 20)).collect();
    let fit = fit(1e-6, &dataset(&rows, &labels)).unwrap();
    assert!(fit.gradient_norm < 1e-10, "{:e}", fit.gradient_norm);
    assert!(fit.model.coefficients[0] > 5.0);
}

proptest! {
    #[test]
    fn any_finite_rows_reach_the_optimum(
        rows in proptest::collection::vec((-1e3..1e3_f64, -1.0..1.0_f64, any::<bool>()), 2..40),
        l2 in 1e-3..1e3_f64,
    ) {
        let features: Vec<Vec<f64>> = rows.iter().map(|(a, b, _)| vec![*a, *b]).collect();
        let labels: Vec<u8> = rows.iter().map(|(_, _, label)| u8::from(*label)).collect();
        match fit(l2, &dataset(&features, &labels)) {
            Ok(fit) => prop_assert!(fit.gradient_norm < 1e-10),
            Err(error) => prop_assert!(matches!(error, FitError::SingleClass { .. }), "{error}"),
        }
    }
}
