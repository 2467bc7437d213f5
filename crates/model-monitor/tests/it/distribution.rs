//! Distributions of features, against scipy's (`reference/README.md`).

use model_monitor::distribution::{Distribution, Features, KEPT, Summary};
use proptest::{collection::vec, prelude::*};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    ours: Vec<f64>,
    theirs: Vec<f64>,
    distance: f64,
    mean: f64,
    std_dev: f64,
    quantiles: [f64; 3],
    histogram: [f64; 10],
}

fn summary(values: impl IntoIterator<Item = f64>) -> Summary {
    let mut distribution = Distribution::default();
    values.into_iter().for_each(|value| distribution.add(&value.to_string()));
    distribution.finish()
}

#[test]
fn agrees_with_scipy() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("reference/distributions.json")).unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let (ours, theirs) = (summary(case.ours.clone()), summary(case.theirs.clone()));
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{}: {found}", case.name);
        close(ours.distance(&theirs), case.distance);
        close(theirs.distance(&ours), case.distance);
        close(ours.mean.unwrap(), case.mean);
        close(ours.std_dev.unwrap(), case.std_dev);
        assert_eq!([0.1, 0.5, 0.9].map(|share| ours.quantile(share).unwrap()), case.quantiles, "{}", case.name);
        let histogram = ours.histogram(&ours.bounds(&theirs).unwrap());
        histogram.iter().zip(case.histogram).for_each(|(found, expected)| close(*found, expected));
        let (n, m) = (case.ours.len() as f64, case.theirs.len() as f64);
        close(ours.robust_distance(&theirs), (case.distance - 1.8 * ((n + m) / (n * m)).sqrt()).max(0.0));
    }
}

#[test]
fn columns_are_told_apart_and_may_be_missing() {
    let mut features = Features::default();
    ["1,a,3\n", "2", "3,NaN,,7\r\n"].iter().for_each(|row| features.add(row));
    let columns = features.finish();
    let found: Vec<_> = columns.iter().map(|column| (column.present, column.missing, column.mean)).collect();
    assert_eq!(found, [(3, 0, Some(2.0)), (0, 3, None), (1, 2, Some(3.0)), (1, 2, Some(7.0))]);
    let (full, empty) = (&columns[0], &columns[1]);
    assert_eq!((empty.quantile(0.5), empty.min, empty.bounds(empty)), (None, None, None));
    assert_eq!((full.distance(empty), full.robust_distance(empty)), (0.0, 0.0));
}

#[test]
fn of_many_values_a_sample_is_kept() {
    let many = 20 * KEPT;
    let all = summary((0..many).map(|n| n as f64));
    assert_eq!((all.present, all.min, all.max), (many as u64, Some(0.0), Some((many - 1) as f64)));
    for share in [0.1, 0.5, 0.9] {
        let found = all.quantile(share).unwrap() / many as f64;
        assert!((found - share).abs() < 0.02, "{found}, expected {share}");
    }
}

proptest! {
    #[test]
    fn distances_keep_to_what_they_mean(ours in vec(-5..5_i8, 1..40), theirs in vec(-5..5_i8, 1..40)) {
        let (one, other) = (summary(ours.iter().map(|v| f64::from(*v))), summary(theirs.iter().map(|v| f64::from(*v))));
        let up_to = |values: &[i8], bound: i8| values.iter().filter(|value| **value <= bound).count() as f64 / values.len() as f64;
        let expected = (-5..5).map(|bound| (up_to(&ours, bound) - up_to(&theirs, bound)).abs()).fold(0.0, f64::max);
        prop_assert!((one.distance(&other) - expected).abs() < 1e-12);
        prop_assert_eq!(one.distance(&one), 0.0);
        prop_assert!(one.robust_distance(&other) <= one.distance(&other));
        let shares: f64 = one.histogram(&one.bounds(&other).unwrap()).iter().sum();
        prop_assert!((shares - 1.0).abs() < 1e-12);
    }

    #[test]
    fn any_text_is_a_row(rows in vec("[-+.0-9einfNa,]{0,12}|.{0,12}", 0..5)) {
        let mut features = Features::default();
        rows.iter().for_each(|row| features.add(row));
        for column in features.finish() {
            prop_assert_eq!(column.present + column.missing, rows.len() as u64);
            prop_assert!(column.mean.is_none_or(|mean| !mean.is_nan()));
        }
    }
}
