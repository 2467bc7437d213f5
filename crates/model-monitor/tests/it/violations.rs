//! Constraints, violations and published metrics, against those of real jobs.

use model_monitor::{
    analysis::Settings,
    cloudwatch,
    constraints::Constraints,
    problem::Problem,
    statistics::{Measure, Metric, Statistics},
    violations::Violations,
};
use serde_json::{Value, json};

use crate::statistics::{analyse, labels};

/// The baseline behind all three real jobs: 201 rows, 28 of them positive, 16 of these found, nothing else taken for
/// positive. Its AUC follows from scores that nobody published.
fn baseline() -> Constraints {
    let settings = Settings { problem: Problem::BinaryClassification, threshold: None, positive_label: None };
    let statistics = analyse(&settings, labels(&[("0", "0", 173), ("1", "0", 12), ("1", "1", 16)]));
    Constraints::suggest(&statistics)
}

/// What a real job reported. `counts` are those of `(label, prediction)` that its values follow from; deviations are of
/// AWS's own samples, and taken over with the AUC.
#[track_caller]
fn check(theirs: &str, counts: &[(&str, &str, usize)], auc: [f64; 2]) {
    let theirs: Value = serde_json::from_str(theirs).unwrap();
    let settings = Settings { problem: Problem::BinaryClassification, threshold: None, positive_label: None };
    let mut statistics = analyse(&settings, labels(counts));
    let deviation = |name: &str| {
        let list = theirs["violations"].as_array().unwrap();
        let of_metric = list.iter().find(|violation| violation["metric_name"] == name)?;
        let (_, rest) = of_metric["description"].as_str()?.split_once("+/- ")?;
        rest.split_once(' ')?.0.parse::<f64>().ok()
    };
    for (name, measure) in &mut statistics.measures {
        let Measure::Metric(Metric { value, standard_deviation }) = measure else { continue };
        let camel: String = name
            .split('_')
            .enumerate()
            .map(|(at, word)| if at == 0 { word.to_owned() } else { word[..1].to_uppercase() + &word[1..] })
            .collect();
        *standard_deviation = deviation(&camel);
        if *name == "auc" {
            *value = auc[0];
        }
    }
    let mut constraints = baseline();
    constraints.of.iter_mut().filter(|(name, _)| name == "auc").for_each(|(_, auc_of)| auc_of.threshold = auc[1]);
    let found = Violations::find(&statistics, &constraints);
    assert_eq!(serde_json::to_value(&found).unwrap(), theirs);
    let count = theirs["violations"].as_array().unwrap().len();
    let message = format!("CompletedWithViolations: Job completed successfully with {count} violations.");
    assert_eq!(found.exit_message(), message);
}

#[test]
fn real_violations_come_out_to_the_last_digit() {
    check(
        include_str!("aws/violations_2021-05-18.json"),
        &[("1", "1", 156), ("0", "1", 69), ("1", "0", 1218), ("0", "0", 449)],
        [0.5127590160341251, 0.9395127993393898],
    );
    check(
        include_str!("aws/violations_2021-05-26.json"),
        &[("1", "1", 151), ("0", "1", 65), ("1", "0", 1167), ("0", "0", 434)],
        [0.515363047795135, 0.9395127993393898],
    );
    // An older container, whose AUC was always 1: a metric at its threshold is no violation.
    check(
        include_str!("aws/violations_2021-02-05.json"),
        &[("1", "1", 228), ("0", "1", 97), ("1", "0", 1749), ("0", "0", 649)],
        [1.0, 1.0],
    );
}

fn regression(mae: f64, standard_deviation: Option<f64>) -> Statistics {
    let metric = |value| Measure::Metric(Metric { value, standard_deviation });
    let measures = vec![("mae", metric(mae)), ("mse", metric(1.0)), ("rmse", metric(1.0)), ("r2", metric(-0.5))];
    Statistics { problem: Problem::Regression, item_count: 3, measures }
}

#[test]
fn documents_are_written_as_the_monitor_does() {
    let constraints = Constraints::suggest(&regression(0.0005, None));
    let expected = r#"{
  "version" : 0.0,
  "regression_constraints" : {
    "mae" : {
      "threshold" : 5.0E-4,
      "comparison_operator" : "GreaterThanThreshold"
    },
    "mse" : {
      "threshold" : 1.0,
      "comparison_operator" : "GreaterThanThreshold"
    },
    "rmse" : {
      "threshold" : 1.0,
      "comparison_operator" : "GreaterThanThreshold"
    },
    "r2" : {
      "threshold" : -0.5,
      "comparison_operator" : "LessThanThreshold"
    }
  }
}"#;
    assert_eq!(constraints.to_json(), expected);
    assert_eq!(Constraints::read(expected.as_bytes(), Problem::Regression).unwrap(), constraints);
    let found = Violations::find(&regression(2.0, None), &constraints);
    let expected = r#"{
  "violations" : [ {
    "constraint_check_type" : "GreaterThanThreshold",
    "description" : "Metric mae with 2.0 +/- NaN was GreaterThanThreshold '5.0E-4'",
    "metric_name" : "mae"
  } ]
}"#;
    assert_eq!(found.to_json(), expected);
    let none = Violations::find(&regression(0.0005, None), &constraints);
    assert_eq!(none.to_json(), "{\n  \"violations\" : [ ]\n}");
    assert_eq!(none.exit_message(), "Completed: Job completed successfully with no violations.");
}

/// A list of violations, printed by the monitor itself.
#[test]
fn the_printed_form_is_jacksons() {
    let theirs = include_str!("aws/data_quality_violations.json");
    let value: Value = serde_json::from_str(theirs).unwrap();
    let violations = value["violations"].as_array().unwrap();
    assert_eq!(violations.len(), 7);
    let mut ours = Violations::default();
    for violation in violations {
        let text = |name: &str| violation[name].as_str().unwrap().to_owned();
        ours.violations.push(model_monitor::violations::Violation {
            constraint_check_type: text("constraint_check_type"),
            description: text("description"),
            metric_name: text("feature_name"),
        });
    }
    // The same shape under other names and in another order.
    let lines = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(|line| line.replace("feature_name", "metric_name")).collect();
        lines.iter_mut().for_each(|line| *line = line.trim_end_matches(',').to_owned());
        lines.sort();
        lines
    };
    assert_eq!(lines(&ours.to_json()), lines(theirs));
}

#[test]
fn suggested_constraints_are_the_monitors() {
    #[track_caller]
    fn check(problem: Problem, expected: Value) {
        let settings = Settings { problem, threshold: None, positive_label: None };
        let suggested =
            Constraints::suggest(&analyse(&settings, labels(&[("0", "0", 3), ("1", "1", 2), ("0", "1", 1)])));
        let found: Value = serde_json::from_str(&suggested.to_json()).unwrap();
        let operators: Vec<_> = found[problem.constraints_member()]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, constraint)| json!([name, constraint["comparison_operator"].as_str().unwrap().chars().next()]))
            .collect();
        assert_eq!(Value::from(operators), expected);
    }
    check(
        Problem::BinaryClassification,
        json!([
            ["recall", "L"],
            ["precision", "L"],
            ["accuracy", "L"],
            ["true_positive_rate", "L"],
            ["true_negative_rate", "L"],
            ["false_positive_rate", "G"],
            ["false_negative_rate", "G"],
            ["auc", "L"],
            ["f0_5", "L"],
            ["f1", "L"],
            ["f2", "L"]
        ]),
    );
    check(
        Problem::MulticlassClassification,
        json!([
            ["accuracy", "L"],
            ["weighted_recall", "L"],
            ["weighted_precision", "L"],
            ["weighted_f0_5", "L"],
            ["weighted_f1", "L"],
            ["weighted_f2", "L"]
        ]),
    );
    check(Problem::Regression, json!([["mae", "G"], ["mse", "G"], ["rmse", "G"], ["r2", "L"]]));
}

#[test]
fn constraints_that_cannot_be_used_have_a_reason() {
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let error = Constraints::read(text.as_bytes(), Problem::Regression).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    check("", "the constraints are not JSON");
    check("[]", "the constraints are not JSON");
    check(
        "{\"binary_classification_constraints\": {}}",
        "have no regression_constraints: the monitor's problem type is",
    );
    check("{\"regression_constraints\": []}", "have no regression_constraints");
    let with = |constraint: &str| format!("{{\"regression_constraints\": {{{constraint}}}}}");
    check(&with(r#""mae": {"threshold": "NaN", "comparison_operator": "LessThanThreshold"}"#), "the constraint of mae");
    check(&with(r#""mae": {"threshold": 1, "comparison_operator": "Below"}"#), "the constraint of mae cannot be read");
    check(
        &with(r#""mea": {"threshold": 1}"#),
        "\"mea\", which is no metric of Regression: known are mae, mse, rmse, r2",
    );
    // A metric may be left out, a member added; numbers may be whole.
    let fewer =
        with(r#""r2": {"threshold": 1, "comparison_operator": "LessThanThreshold", "additional_properties": null}"#);
    let constraints = Constraints::read(fewer.as_bytes(), Problem::Regression).unwrap();
    assert_eq!(Violations::find(&regression(9.0, Some(0.1)), &constraints).violations.len(), 1);
}

#[test]
fn published_metrics() {
    let statistics = regression(0.25, None);
    let lines = |endpoint, schedule| {
        cloudwatch::to_json_lines(&cloudwatch::data(
            cloudwatch::metrics(&statistics),
            "2021-05-18T00:00:00Z",
            endpoint,
            schedule,
        ))
    };
    let endpoint = lines(Some("e"), Some("s"));
    assert_eq!(
        endpoint.lines().next().unwrap(),
        r#"{"MetricName":"mae","Timestamp":"2021-05-18T00:00:00Z","Dimensions":[{"Name":"Endpoint","Value":"e"},{"Name":"MonitoringSchedule","Value":"s"}],"Value":0.25}"#
    );
    assert_eq!(endpoint.lines().count(), 4);
    assert!(lines(None, Some("s")).contains(r#""Dimensions":[{"Name":"MonitoringSchedule","Value":"s"}]"#));
    // The names that two real accounts list.
    let settings = Settings { problem: Problem::BinaryClassification, threshold: None, positive_label: None };
    let binary = analyse(&settings, labels(&[("0", "0", 1), ("1", "1", 1)]));
    let mut names: Vec<_> = cloudwatch::metrics(&binary).into_iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    let expected = "accuracy accuracy_best_constant_classifier auc f0_5 f0_5_best_constant_classifier f1 \
        f1_best_constant_classifier f2 f2_best_constant_classifier false_negative_rate false_positive_rate precision \
        precision_best_constant_classifier recall recall_best_constant_classifier true_negative_rate true_positive_rate";
    assert_eq!(names.join(" "), expected);
}
