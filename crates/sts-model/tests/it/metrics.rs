//! Metrics against scikit-learn's (`reference/README.md`) and against the examples in AWS's documentation.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use sts_model::metrics::{MetricsError, SAMPLED_FROM, evaluate};

#[derive(Deserialize)]
struct Case {
    name: String,
    labels: Vec<u8>,
    probabilities: Vec<f64>,
    confusion: [[u64; 2]; 2],
    binary: BTreeMap<String, f64>,
    regression: BTreeMap<String, f64>,
    roc: [Vec<f64>; 2],
    precision_recall: [Vec<f64>; 2],
}

fn evaluation(labels: &[u8], probabilities: &[f64]) -> Value {
    let labels: Vec<bool> = labels.iter().map(|label| *label == 1).collect();
    serde_json::to_value(evaluate(&labels, probabilities, 0.5).unwrap()).unwrap()
}

#[track_caller]
fn assert_close(what: &str, found: &Value, expected: f64) {
    let found = found.as_f64().unwrap_or_else(|| panic!("{what}: {found} is no number"));
    assert!((found - expected).abs() <= 1e-9, "{what}: {found}, expected {expected}");
}

#[track_caller]
fn assert_list(what: &str, found: &Value, expected: impl IntoIterator<Item = f64>) {
    let expected: Vec<f64> = expected.into_iter().collect();
    let found = found.as_array().unwrap();
    assert_eq!(found.len(), expected.len(), "{what}");
    found.iter().zip(expected).for_each(|(found, expected)| assert_close(what, found, expected));
}

#[test]
fn agrees_with_scikit_learn() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("reference/metrics.json")).unwrap();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let found = evaluation(&case.labels, &case.probabilities);
        let binary = &found["binary_classification_metrics"];
        let name = |what: &str| format!("{}: {what}", case.name);
        for (metrics, expected) in [(binary, &case.binary), (&found["regression_metrics"], &case.regression)] {
            for (metric, expected) in expected {
                assert_close(&name(metric), &metrics[metric]["value"], *expected);
                let deviation = &metrics[metric]["standard_deviation"];
                if case.labels.len() < SAMPLED_FROM {
                    assert_eq!(deviation, "NaN", "{}", name(metric));
                } else {
                    assert!((0.0..0.2).contains(&deviation.as_f64().unwrap()), "{}: {deviation}", name(metric));
                }
            }
        }
        for (actual, row) in case.confusion.iter().enumerate() {
            for (predicted, count) in row.iter().enumerate() {
                let found = &binary["confusion_matrix"][actual.to_string()][predicted.to_string()];
                assert_eq!(found, count, "{}", name("confusion_matrix"));
            }
        }
        // The monitor repeats the end of the ROC curve, and starts the other with the first precision at recall 0.
        let roc = &binary["receiver_operating_characteristic_curve"];
        let [fpr, tpr] = case.roc.map(|list| list.into_iter().chain([1.0]));
        assert_list("false_positive_rates", &roc["false_positive_rates"], fpr);
        assert_list("true_positive_rates", &roc["true_positive_rates"], tpr);
        let curve = &binary["precision_recall_curve"];
        let [precisions, recalls] = case.precision_recall;
        assert_list("precisions", &curve["precisions"], [precisions[0]].into_iter().chain(precisions));
        assert_list("recalls", &curve["recalls"], [0.0].into_iter().chain(recalls));
    }
}

/// The example of "Model quality metrics and Amazon CloudWatch monitoring", binary classification: the confusion
/// matrix and what follows from it. (Its best constant classifier predicts the rarer label, and its AUC is 1 whatever
/// the data; those were an older container's.)
#[test]
fn agrees_with_the_documented_example_of_binary_classification() {
    let found = evaluation(&[0, 0, 0, 1], &[0.1, 0.8, 0.9, 0.7]);
    let binary = &found["binary_classification_metrics"];
    assert_eq!(binary["confusion_matrix"], serde_json::json!({"0": {"0": 1, "1": 2}, "1": {"0": 0, "1": 1}}));
    for (metric, expected) in [
        ("recall", 1.0),
        ("precision", 0.3333333333333333),
        ("accuracy", 0.5),
        ("true_positive_rate", 1.0),
        ("true_negative_rate", 0.33333333333333337),
        ("false_positive_rate", 0.6666666666666666),
        ("false_negative_rate", 0.0),
        ("f0_5", 0.3846153846153846),
        ("f1", 0.5),
        ("f2", 0.7142857142857143),
    ] {
        assert_close(metric, &binary[metric]["value"], expected);
        assert_eq!(binary[metric]["standard_deviation"], "NaN");
    }
}

/// The regression example of the same page is of labels, too: 2096 rows, 406 of them ones, 778 predicted wrongly.
#[test]
fn agrees_with_the_documented_example_of_regression() {
    let labels: Vec<u8> = (0..2096).map(|row| u8::from(row < 406)).collect();
    let probabilities: Vec<f64> = (0..2096).map(|row| f64::from((row < 406) != (row % 2 == 0 && row < 1556))).collect();
    let found = evaluation(&labels, &probabilities);
    for (metric, expected) in [
        ("mae", 0.3711832061068702),
        ("mse", 0.3711832061068702),
        ("rmse", 0.609248066149471),
        ("r2", -1.3766111872212665),
    ] {
        assert_close(metric, &found["regression_metrics"][metric]["value"], expected);
    }
    // Documented: 0.0038. Five samples of 80% scatter by sqrt(p (1 - p) / n * 0.2 / 0.8), that is 0.0053.
    let deviation = found["regression_metrics"]["mse"]["standard_deviation"].as_f64().unwrap();
    assert!((0.001..0.01).contains(&deviation), "{deviation}");
}

#[test]
fn members_are_in_the_monitors_order() {
    let labels = [false, true, true];
    let evaluation = evaluate(&labels, &[0.2, 0.7, 0.4], 0.5).unwrap();
    let text = serde_json::to_string(&evaluation).unwrap();
    let places: Vec<usize> = [
        "regression_metrics",
        "mae",
        "mse",
        "rmse",
        "r2",
        "mse_best_constant_classifier",
        "binary_classification_metrics",
        "confusion_matrix",
        "recall",
        "precision",
        "accuracy",
        "recall_best_constant_classifier",
        "precision_best_constant_classifier",
        "accuracy_best_constant_classifier",
        "true_positive_rate",
        "true_negative_rate",
        "false_positive_rate",
        "false_negative_rate",
        "receiver_operating_characteristic_curve",
        "false_positive_rates",
        "true_positive_rates",
        "precision_recall_curve",
        "precisions",
        "recalls",
        "auc",
        "f0_5",
        "f1",
        "f2",
        "f0_5_best_constant_classifier",
        "f1_best_constant_classifier",
        "f2_best_constant_classifier",
    ]
    .iter()
    .map(|member| text.find(&format!("\"{member}\":")).unwrap_or_else(|| panic!("{member} is missing")))
    .collect();
    assert!(places.is_sorted(), "{text}");
    assert!(
        text.starts_with(r#"{"regression_metrics":{"mae":{"value":0.3333333333333333,"standard_deviation":"NaN"}"#)
    );
}

#[test]
fn the_threshold_itself_is_not_positive() {
    let found = evaluate(&[true, true], &[0.5, 0.6], 0.5).unwrap().binary_classification_metrics.confusion_matrix;
    assert_eq!((found.false_negatives, found.true_positives), (1, 1));
}

#[test]
fn a_majority_vote_is_never_better_than_the_best_constant() {
    for positives in 0..=10 {
        let labels: Vec<bool> = (0..10).map(|row| row < positives).collect();
        let vote = if positives >= 5 { 0.9 } else { 0.1 };
        let regression = evaluate(&labels, &[vote; 10], 0.5).unwrap().regression_metrics;
        assert_eq!(regression.mse.value, regression.mse_best_constant_classifier.value);
    }
}

#[test]
fn a_single_class_has_finite_metrics() {
    for label in [0, 1] {
        let found = evaluation(&[label; 3], &[0.2, 0.7, 0.4]).to_string();
        assert!(!found.contains("null"), "{found}");
    }
}

#[test]
fn the_same_predictions_always_give_the_same_document() {
    let labels: Vec<u8> = (0..300).map(|row| u8::from(row % 3 == 0)).collect();
    let probabilities: Vec<f64> = (0..300).map(|row| f64::from(row * 7 % 100) / 100.0).collect();
    assert_eq!(evaluation(&labels, &probabilities), evaluation(&labels, &probabilities));
}

#[test]
fn what_cannot_be_evaluated_has_a_reason() {
    assert_eq!(evaluate(&[], &[], 0.5), Err(MetricsError::Empty));
    assert_eq!(evaluate(&[true], &[], 0.5), Err(MetricsError::Length { labels: 1, probabilities: 0 }));
    assert_eq!(evaluate(&[true], &[1.5], 0.5), Err(MetricsError::Probability { row: 1, value: 1.5 }));
    let error = evaluate(&[true, true], &[0.5, f64::NAN], 0.5).unwrap_err();
    assert_eq!(error.to_string(), "prediction 2: NaN is not a probability between 0 and 1");
}
