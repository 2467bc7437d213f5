//! Figures with intervals, by hand and against the other implementation of the same figures.

use sts_model::{
    metrics::MetricsError,
    quality::{self, Estimate, Quality},
};

fn measure(labels: &[u8], probabilities: &[f64]) -> Quality {
    let labels: Vec<bool> = labels.iter().map(|label| *label == 1).collect();
    quality::measure(&labels, probabilities, 0.5, 7).unwrap()
}

#[test]
fn figures_by_hand() {
    let quality = measure(&[1, 0, 1, 0], &[0.9, 0.8, 0.35, 0.35]);
    let figures = quality.figures;
    let check =
        |found: Estimate, expected: f64| assert!((found.value - expected).abs() < 1e-12, "{found:?} {expected}");
    check(figures.accuracy, 0.5);
    check(figures.mse, 0.5);
    // One found of two, with one false.
    check(figures.f1, 0.5);
    // Of four pairs of a paraphrase and another, two are ranked well and one is a tie.
    check(figures.auc, 2.5 / 4.0);
    check(figures.brier, (0.1 * 0.1 + 0.8 * 0.8 + 0.65 * 0.65 + 0.35 * 0.35) / 4.0);
    // Bins with 0.9 against 1, 0.8 against 0, and twice 0.35 against a half.
    check(figures.calibration_error, (0.1 + 0.8 + 2.0 * 0.15) / 4.0);
    let rows: Vec<u64> = quality.bins.iter().map(|bin| bin.rows).collect();
    assert_eq!(rows, [0, 0, 0, 2, 0, 0, 0, 0, 1, 1]);
    assert_eq!((quality.bins[3].positives, quality.bins[8].mean_probability), (0.5, 0.8));
}

#[test]
fn a_probability_at_the_end_is_in_the_last_bin() {
    let bins = measure(&[1, 0], &[1.0, 0.0]).bins;
    assert_eq!((bins[0].rows, bins[9].rows), (1, 1));
}

/// Rows whose label is 1 with the probability that is predicted.
fn calibrated(rows: usize) -> (Vec<u8>, Vec<f64>) {
    // Weyl's sequence: evenly spread, and always the same.
    let spread = |place: usize, step: f64| (place as f64 * step).fract();
    (1..=rows)
        .map(|place| {
            let probability = spread(place, 0.618_033_988_749_895);
            (u8::from(spread(place, 0.754_877_666_246_693) < probability), probability)
        })
        .unzip()
}

#[test]
fn figures_agree_with_the_metrics_of_the_pipeline() {
    let (labels, probabilities) = calibrated(500);
    let Quality { figures, evaluation, .. } = measure(&labels, &probabilities);
    let metrics = evaluation.binary_classification_metrics;
    for (found, expected) in [
        (figures.accuracy, metrics.accuracy),
        (figures.f1, metrics.f1),
        (figures.auc, metrics.auc),
        (figures.mse, evaluation.regression_metrics.mse),
    ] {
        assert!((found.value - expected.value).abs() < 1e-12, "{found:?} {expected:?}");
    }
}

#[test]
fn intervals_are_as_wide_as_they_should_be() {
    for rows in [200, 3000] {
        let (labels, probabilities) = calibrated(rows);
        let figures = measure(&labels, &probabilities).figures;
        for (name, Estimate { value, low, high }) in figures.named() {
            assert!(low <= high, "{name}");
            // A calibration error of nearly nothing grows with any noise.
            assert!(name == "calibration error" || (low < value && value < high), "{name}: {low} {value} {high}");
        }
        // The normal approximation, for the share of right labels.
        let Estimate { value, low, high } = figures.accuracy;
        let expected = 2.0 * 1.96 * (value * (1.0 - value) / rows as f64).sqrt();
        assert!(((high - low) / expected - 1.0).abs() < 0.1, "{rows}: {low} to {high}, expected {expected}");
    }
}

#[test]
fn a_seed_decides() {
    let (labels, probabilities) = calibrated(100);
    let labels: Vec<bool> = labels.iter().map(|label| *label == 1).collect();
    let of = |seed| quality::measure(&labels, &probabilities, 0.5, seed).unwrap().figures;
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
    assert_eq!(of(1).auc.value, of(2).auc.value);
}

#[test]
fn what_cannot_be_judged_is_refused() {
    assert_eq!(quality::measure(&[], &[], 0.5, 0).unwrap_err(), MetricsError::Empty);
    let error = quality::measure(&[true], &[1.5], 0.5, 0).unwrap_err();
    assert_eq!(error, MetricsError::Probability { row: 1, value: 1.5 });
}

#[test]
fn one_label_alone_is_judged_too() {
    for label in [0, 1] {
        let figures = measure(&[label; 3], &[0.2, 0.7, 0.7]).figures;
        assert!(
            figures.named().iter().all(|(_, figure)| figure.value.is_finite() && figure.high <= 1.0),
            "{figures:?}"
        );
    }
}
