//! Data quality: statistics and constraints of AWS's own making, and what differs from them.

use model_monitor::cloudwatch;
use model_monitor::data_quality::constraints::{Constraints, Method, Overrides, Switch};
use model_monitor::data_quality::metrics::metrics;
use model_monitor::data_quality::profile::{MOST_CATEGORIES, Profile};
use model_monitor::data_quality::rows::{self, Format};
use model_monitor::data_quality::statistics::{Feature, InferredType, Statistics};
use model_monitor::data_quality::violations::Violations;
use serde_json::{Value, json};

fn profile(text: &str, format: Format) -> Statistics {
    let mut profile = Profile::default();
    rows::add(&mut profile, text.as_bytes(), format, &[]).unwrap();
    profile.finish().unwrap()
}

fn csv(text: &str) -> Statistics {
    profile(text, Format::Csv { header: true })
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
    let without = profile("1,\"a,b\"\n2\n", Format::Csv { header: false });
    assert_eq!(names(&without), named(&[("_c0", 1.0), ("_c1", 0.5)]));
    let lines = "{\"a\": 1, \"b\": {\"c\": true}}\n{\"a\": null, \"d\": [1]}\n";
    let nested = profile(lines, Format::JsonLines);
    assert_eq!(names(&nested), named(&[("a", 0.5), ("b.c", 0.5), ("d", 0.5)]));
    assert!(rows::add(&mut Profile::default(), &b"no JSON"[..], Format::JsonLines, &[]).is_err());
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

/// A captured request, by what was asked and what was answered, each with its encoding.
fn capture(input: Option<(&str, &str)>, output: Option<(&str, &str)>) -> String {
    let side = |side: Option<(&str, &str)>| side.map(|(encoding, data)| json!({"encoding": encoding, "data": data}));
    let mut sides = json!({});
    for (name, given) in [("endpointInput", input), ("endpointOutput", output)] {
        if let Some(payload) = side(given) {
            sides[name] = payload;
        }
    }
    json!({"captureData": sides, "eventMetadata": {"eventId": "e"}}).to_string() + "\n"
}

/// Both sides of captured requests, with names for the first columns.
fn captured(lines: &[String], columns: &[&str]) -> (Vec<(String, InferredType, u64)>, rows::LeftOut) {
    let mut profile = Profile::default();
    let format = Format::Captured { input: true, output: true };
    let left_out = rows::add(&mut profile, lines.concat().as_bytes(), format, columns).unwrap();
    let features = profile.finish().map(|statistics| statistics.features).unwrap_or_default();
    let said = |feature: &Feature| (feature.name.clone(), feature.inferred_type, feature.common().num_present);
    (features.iter().map(said).collect(), left_out)
}

#[test]
fn captured_requests_are_rows_of_the_answer_and_what_was_asked() {
    use InferredType::{Fractional, Integral, String as Text};
    let check = |lines: &[String], columns: &[&str], expected: &[(&str, InferredType, u64)]| {
        let (found, left_out) = captured(lines, columns);
        let found: Vec<_> = found.iter().map(|(name, kind, present)| (name.as_str(), *kind, *present)).collect();
        assert_eq!((found.as_slice(), left_out.lines), (expected, 0));
    };
    let csv = capture(Some(("CSV", "41,\"a,b\"\n")), Some(("CSV", "0.5")));
    check(std::slice::from_ref(&csv), &[], &[("_c0", Fractional, 1), ("_c1", Integral, 1), ("_c2", Text, 1)]);
    check(
        std::slice::from_ref(&csv),
        &["label", "age"],
        &[("label", Fractional, 1), ("age", Integral, 1), ("_c2", Text, 1)],
    );
    // Rows of a request go with those of its answer.
    let two = capture(Some(("CSV", "1\n2\n")), Some(("CSV", "0.5\n0.25\n")));
    check(&[two], &[], &[("_c0", Fractional, 2), ("_c1", Integral, 2)]);
    let asked_alone = capture(Some(("CSV", "41,7")), None);
    check(&[asked_alone], &[], &[("_c0", Integral, 1), ("_c1", Integral, 1)]);
    let json = capture(Some(("JSON", "{\"age\": 41, \"of\": {\"kind\": \"a\"}}")), Some(("JSON", "{\"label\": 0.5}")));
    check(&[json], &[], &[("label", Fractional, 1), ("age", Integral, 1), ("of.kind", Text, 1)]);
    let lines =
        capture(Some(("JSON", "{\"age\": 41}\n{\"age\": 42}\n")), Some(("JSON", "{\"label\": 0}\n{\"label\": 1}\n")));
    check(&[lines], &[], &[("label", Integral, 2), ("age", Integral, 2)]);
    // One side alone is looked at where that is what the job says.
    let mut profile = Profile::default();
    rows::add(&mut profile, csv.as_bytes(), Format::Captured { input: false, output: true }, &[]).unwrap();
    assert_eq!(profile.finish().unwrap().features.len(), 1);
}

#[test]
fn captures_without_a_row_are_left_out_and_counted() {
    let right = capture(Some(("JSON", "{\"a\": 1}")), Some(("JSON", "{\"b\": 1}")));
    let check = |wrong: &str, reason: &str| {
        let (found, left_out) = captured(&[right.clone(), wrong.to_owned(), wrong.to_owned()], &[]);
        assert_eq!((found.len(), left_out.lines), (2, 2), "{wrong}");
        let (line, found) = left_out.first.unwrap();
        assert!(line == 2 && found.to_string().contains(reason), "{line} {found}");
    };
    check(&capture(Some(("JSON", "{\"a\": ")), Some(("JSON", "{}"))), "endpointInput is not JSON");
    check(&capture(Some(("JSON", "[1]")), Some(("JSON", "{}"))), "endpointInput is not JSON");
    check(&capture(Some(("BASE64", "AA==")), None), "endpointInput was captured as BASE64");
    check(&capture(None, None), "no endpointInput was captured");

    let mixed = capture(Some(("CSV", "1")), Some(("JSON", "{}")));
    let format = Format::Captured { input: true, output: true };
    let error = rows::add(&mut Profile::default(), mixed.as_bytes(), format, &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Encoding mismatch: Encoding is CSV for endpointInput, but Encoding is JSON for endpointOutput. We currently only \
         support the same type of input and output encoding at the moment. (line 1)"
    );
    // That side is not looked at.
    let format = Format::Captured { input: true, output: false };
    assert!(rows::add(&mut Profile::default(), mixed.as_bytes(), format, &[]).is_ok());
}

#[test]
fn formats_are_those_of_the_contract() {
    let check = |text: &str, expected: Format| assert_eq!(text.parse::<Format>(), Ok(expected), "{text}");
    check(r#"{"csv": {"header": true, "output_columns_position": "START"}}"#, Format::Csv { header: true });
    check(r#"{"json": {"lines": true}}"#, Format::JsonLines);
    let both = Format::Captured { input: true, output: true };
    check(r#"{"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput","endpointOutput"]}}"#, both);
    check(r#"{"sagemakerCaptureJson": {}}"#, both);
    let answers = Format::Captured { input: false, output: true };
    check(r#"{"sagemakerCaptureJson": {"captureIndexNames": ["endpointOutput"]}}"#, answers);
    let refused = |text: &str, reason: &str| {
        let error = text.parse::<Format>().unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    };
    refused(r#"{"sagemakerMergeJson": {}}"#, "labels have no part in data quality");
    refused(r#"{"sagemakerCaptureJson": {"captureIndexNames": []}}"#, "endpointInput and endpointOutput are read");
    refused(r#"{"sagemakerCaptureJson": {"captureIndexNames": ["batchTransformOutput"]}}"#, "are read");
    refused(r#"{"parquet": {}}"#, "parquet is not read");
}

#[test]
fn metrics_are_published_of_columns_that_emit_them() {
    let rows = |start: u32| {
        csv(&format!("n,k,quiet\n{}", (start..start + 100).map(|n| format!("{n},a,1\n")).collect::<String>()))
    };
    let (baseline, now) = (rows(0), rows(50));
    let mut constraints = Constraints::suggest(&baseline);
    constraints.features[2].monitoring_config_overrides =
        Some(Overrides { evaluate_constraints: None, emit_metrics: Some(Switch::Disabled) });
    let data = |constraints: &Constraints, baseline: Option<&Statistics>| {
        let data = cloudwatch::data(metrics(&now, constraints, baseline), "2021-05-18T00:00:00Z", Some("e"), Some("s"));
        cloudwatch::to_json_lines(&data).lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    };
    let lines = data(&constraints, Some(&baseline));
    let names: Vec<_> = lines.iter().map(|line| line["MetricName"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "feature_data_n",
            "feature_non_null_n",
            "feature_baseline_drift_n",
            "feature_non_null_k",
            "feature_baseline_drift_k"
        ]
    );
    assert_eq!(
        lines[0],
        json!({
            "MetricName": "feature_data_n", "Timestamp": "2021-05-18T00:00:00Z",
            "Dimensions": [{"Name": "Endpoint", "Value": "e"}, {"Name": "MonitoringSchedule", "Value": "s"}],
            "StatisticValues": {"SampleCount": 100.0, "Sum": 9950.0, "Minimum": 50.0, "Maximum": 149.0},
        })
    );
    assert_eq!(lines[1]["Value"], 1.0);
    // As in the violation: half, less what chance makes of it.
    let drift = lines[2]["Value"].as_f64().unwrap();
    assert!((drift - (0.5 - 1.8 * 0.02_f64.sqrt())).abs() < 1e-12, "{drift}");
    assert_eq!(data(&constraints, None).len(), 3, "no baseline, no drift");
    constraints.monitoring_config.emit_metrics = Switch::Disabled;
    assert_eq!(data(&constraints, Some(&baseline)), [json!(null); 0]);
}
