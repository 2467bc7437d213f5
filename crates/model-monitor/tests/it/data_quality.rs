//! Data quality: statistics and constraints of AWS's own making, and what differs from them.

use model_monitor::data_quality::constraints::{Constraints, Method, Switch};
use model_monitor::data_quality::profile::{MOST_CATEGORIES, Profile};
use model_monitor::data_quality::rows;
use model_monitor::data_quality::statistics::{InferredType, Statistics};
use model_monitor::data_quality::violations::Violations;
use model_monitor::dataset::DatasetFormat;
use serde_json::{Value, json};

fn profile(text: &str, format: DatasetFormat) -> Statistics {
    let mut profile = Profile::default();
    rows::add(&mut profile, text.as_bytes(), format).unwrap();
    profile.finish().unwrap()
}

fn csv(text: &str) -> Statistics {
    profile(text, DatasetFormat::Csv { header: true })
}

/// What the analyzer said of two columns of 2333 rows in 2022.
fn real() -> Statistics {
    Statistics::read(include_bytes!("aws/data_quality_statistics.json")).unwrap()
}

#[test]
fn the_buckets_of_real_sketches_come_out_to_the_last_digit() {
    for feature in real().features {
        let numerical = feature.numerical_statistics.unwrap();
        let kll = numerical.distribution.unwrap().kll;
        assert_eq!(kll.sketch.buckets(numerical.min, numerical.max), kll.buckets, "{}", feature.name);
    }
}

#[test]
fn real_statistics_and_constraints_are_read_suggested_and_written() {
    let real = real();
    let suggested = Constraints::suggest(&real);
    let theirs = Constraints::read(include_bytes!("aws/data_quality_constraints.json")).unwrap();
    assert_eq!(suggested.features, theirs.features);
    let distribution = &theirs.monitoring_config.distribution_constraints;
    assert_eq!((distribution.comparison_method, distribution.comparison_threshold), (Method::Robust, 0.1));
    let same: Value = serde_json::from_str(&theirs.to_json()).unwrap();
    let written: Value = serde_json::from_str(include_str!("aws/data_quality_constraints.json")).unwrap();
    // What older containers do not say is what newer ones say by themselves.
    assert_eq!(same["features"], written["features"]);
    let read: Value = serde_json::from_str(&real.to_json()).unwrap();
    let written: Value = serde_json::from_str(include_str!("aws/data_quality_statistics.json")).unwrap();
    assert_eq!(read, written);
}

#[test]
fn columns_are_described() {
    let statistics = csv("n,x,kind,none\n1,0.5,a,\n2,1,b,\n3,,a,\n-4,2.5,,\n");
    let summary: Vec<_> = statistics
        .features
        .iter()
        .map(|feature| (feature.name.as_str(), feature.inferred_type, feature.completeness()))
        .collect();
    assert_eq!(
        summary,
        [
            ("n", InferredType::Integral, 1.0),
            ("x", InferredType::Fractional, 0.75),
            ("kind", InferredType::String, 0.75),
            ("none", InferredType::Unknown, 0.0),
        ]
    );
    let n = statistics.features[0].numerical_statistics.as_ref().unwrap();
    assert_eq!((n.mean, n.sum, n.min, n.max), (0.5, 2.0, -4.0, 3.0));
    // numpy.std([1, 2, 3, -4]), whose divisor is n too.
    assert!((n.std_dev - 2.692_582_403_567_252).abs() < 1e-12);
    let kind = statistics.features[2].string_statistics.as_ref().unwrap();
    assert_eq!(kind.distinct_count, 2.0);
    let constraints: Value = serde_json::from_str(&Constraints::suggest(&statistics).to_json()).unwrap();
    assert_eq!(
        constraints["features"],
        json!([
            {"name": "n", "inferred_type": "Integral", "completeness": 1.0, "num_constraints": {"is_non_negative": false}},
            {"name": "x", "inferred_type": "Fractional", "completeness": 0.75, "num_constraints": {"is_non_negative": true}},
            {"name": "kind", "inferred_type": "String", "completeness": 0.75, "string_constraints": {"domains": ["a", "b"]}},
            {"name": "none", "inferred_type": "Unknown", "completeness": 0.0},
        ])
    );

    let many: String = (0..=MOST_CATEGORIES).map(|value| format!("v{value}\n")).collect();
    let constraints = Constraints::suggest(&csv(&format!("id\n{many}")));
    assert_eq!(constraints.features[0].string_constraints.as_ref().unwrap().domains, [""; 0]);
}

#[test]
fn rows_come_from_csv_and_json() {
    let names = |statistics: &Statistics| {
        statistics.features.iter().map(|feature| (feature.name.clone(), feature.completeness())).collect::<Vec<_>>()
    };
    let named =
        |names: &[(&str, f64)]| names.iter().map(|(name, share)| ((*name).to_owned(), *share)).collect::<Vec<_>>();
    let without = profile("1,\"a,b\"\n2\n", DatasetFormat::Csv { header: false });
    assert_eq!(names(&without), named(&[("_c0", 1.0), ("_c1", 0.5)]));
    let lines = "{\"a\": 1, \"b\": {\"c\": true}}\n{\"a\": null, \"d\": [1]}\n";
    let nested = profile(lines, DatasetFormat::JsonLines);
    assert_eq!(names(&nested), named(&[("a", 0.5), ("b.c", 0.5), ("d", 0.5)]));
    assert!(rows::add(&mut Profile::default(), &b"no JSON"[..], DatasetFormat::JsonLines).is_err());
    assert_eq!(Profile::default().finish(), None);
}

/// `feature: check: description`, a line each.
fn found(baseline: &Statistics, now: &Statistics, change: impl Fn(&mut Constraints)) -> Vec<String> {
    let mut constraints = Constraints::suggest(baseline);
    change(&mut constraints);
    let violations = Violations::find(now, &constraints, Some(baseline)).violations;
    let line = |violation: model_monitor::data_quality::violations::Violation| {
        format!("{}: {}: {}", violation.feature_name, violation.constraint_check_type, violation.description)
    };
    violations.into_iter().map(line).collect()
}

#[test]
fn what_differs_is_found() {
    let column = |name: &str, values: &[&str]| csv(&format!("{name}\n{}\n", values.join("\n")));
    let ten = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
    let baseline = column("n", &ten);
    let nothing = |_: &mut Constraints| {};
    assert_eq!(found(&baseline, &baseline, nothing), [""; 0]);

    let odd = column("n", &["1", "2.5", "3", "4"]);
    assert_eq!(
        found(&baseline, &odd, nothing),
        [
            "n: data_type_check: Data type match requirement is not met. Expected data type: Integral, Expected match: 100.0%. \
          Observed: Only 75.0% of data is Integral."
        ]
    );
    let half = csv("n,x\n1,\n,2\n");
    assert_eq!(
        found(&csv("n,x\n1,\n2,2\n"), &half, nothing),
        [
            "n: completeness_check: Data completeness requirement is not met. Expected completeness: 1.0. Observed completeness: 0.5"
        ]
    );
    let kinds = column("k", &["a", "b", "a", "b"]);
    assert_eq!(
        found(&kinds, &column("k", &["a", "b", "c", "b"]), nothing),
        [
            "k: categorical_values_check: Categorical values requirement is not met. Expected match: 100.0%. Observed: Only 75.0% of \
          values are in the domain."
        ]
    );
    assert_eq!(
        found(&csv("a,b\n1,1\n"), &csv("a,c,d\n1,1,1\n"), nothing),
        [
            "Missing columns: missing_column_check: There are missing columns in current dataset. Number of columns in current \
             dataset: 3, Number of columns in baseline constraints: 2",
            "Extra columns: extra_column_check: There are extra columns in current dataset. Number of columns in current dataset: \
             3, Number of columns in baseline constraints: 2",
        ]
    );
}

#[test]
fn drift_is_what_chance_does_not_explain() {
    let from = |start: u32| csv(&format!("n\n{}", (start..start + 200).map(|n| format!("{n}\n")).collect::<String>()));
    let (baseline, later) = (from(0), from(100));
    // Half of the numbers, less 1.8 times the square root of 2 / 200.
    let robust = ["n: baseline_drift_check: Baseline drift distance: 0.31999999999999995 exceeds threshold: 0.1"];
    assert_eq!(found(&baseline, &later, |_| ()), robust);
    let simple = found(&baseline, &later, |constraints| {
        constraints.monitoring_config.distribution_constraints.comparison_method = Method::Simple;
    });
    assert_eq!(simple, ["n: baseline_drift_check: Baseline drift distance: 0.5 exceeds threshold: 0.1"]);
    let off = found(&baseline, &later, |constraints| {
        constraints.monitoring_config.distribution_constraints.perform_comparison = Switch::Disabled;
    });
    assert_eq!(off, [""; 0]);

    let kinds = |a: usize| csv(&format!("k\n{}{}", "a\n".repeat(a), "b\n".repeat(1000 - a)));
    let drifted = found(&kinds(500), &kinds(900), |_| ());
    assert_eq!(drifted.len(), 1, "{drifted:?}");
    assert!(drifted[0].starts_with("k: baseline_drift_check: Baseline drift distance: 0.31"), "{drifted:?}");
}

#[test]
fn columns_can_be_left_out_of_the_checks() {
    let written = json!({"features": [
        {"name": "k", "inferred_type": "Integral", "completeness": 1.0,
         "string_constraints": {"monitoring_config_overrides": {"evaluate_constraints": "Disabled"}}},
        {"name": "l", "inferred_type": "Integral", "completeness": 1.0,
         "monitoring_config_overrides": {"evaluate_constraints": "Disabled"}},
        {"name": "m", "inferred_type": "Integral", "completeness": 1.0},
    ]});
    let constraints = Constraints::read(written.to_string().as_bytes()).unwrap();
    let violations = Violations::find(&csv("k,l,m\na,a,a\n"), &constraints, None);
    let named: Vec<_> = violations.violations.iter().map(|violation| violation.feature_name.as_str()).collect();
    assert_eq!(named, ["m"]);
    assert_eq!(violations.exit_message(), "CompletedWithViolations: Job completed successfully with 1 violations.");
    let document: Value = serde_json::from_str(&violations.to_json()).unwrap();
    assert_eq!(document["violations"][0]["constraint_check_type"], "data_type_check");
}
