//! Metrics against scikit-learn's (`reference/README.md`), and against what AWS's analyzer wrote (`aws/README.md`).

use std::borrow::Cow;

use model_monitor::{
    SAMPLED_FROM,
    analysis::{Analysis, Observation, Settings},
    cloudwatch,
    constraints::Constraints,
    problem::Problem,
    statistics::{Label, Measure, Metric, Statistics},
};
use proptest::{collection::vec, prelude::*};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct Case {
    name: String,
    problem: String,
    truth: Vec<f64>,
    #[serde(default)]
    predicted: Vec<f64>,
    #[serde(default)]
    scores: Vec<f64>,
    threshold: Option<f64>,
    values: Map<String, Value>,
    confusion: Option<Vec<Vec<u64>>>,
    roc: Option<[Vec<f64>; 2]>,
    precision_recall: Option<[Vec<f64>; 2]>,
}

fn settings(problem: Problem, threshold: Option<f64>) -> Settings {
    Settings { problem, threshold, positive_label: None }
}

/// Analyses rows of label, prediction and probability.
pub(crate) fn analyse(settings: &Settings, rows: impl IntoIterator<Item = [Option<String>; 3]>) -> Statistics {
    let mut analysis = Analysis::new(settings);
    for [truth, inference, probability] in rows {
        let row = Observation {
            ground_truth: Cow::from(truth.unwrap()),
            inference: inference.map(Cow::from),
            probability: probability.map(Cow::from),
        };
        analysis.add(&row).unwrap();
    }
    analysis.finish().unwrap()
}

/// Rows of label and predicted label: so many of each pair.
pub(crate) fn labels(counts: &[(&str, &str, usize)]) -> Vec<[Option<String>; 3]> {
    let row = |truth: &str, predicted: &str| [Some(truth.to_owned()), Some(predicted.to_owned()), None];
    counts.iter().flat_map(|&(truth, predicted, count)| std::iter::repeat_n(row(truth, predicted), count)).collect()
}

pub(crate) fn document(statistics: &Statistics) -> Value {
    serde_json::from_str(&statistics.to_json("2021-05-18T01:05:00.000Z")).unwrap()
}

#[track_caller]
fn assert_list(what: &str, found: &Value, expected: impl IntoIterator<Item = f64>) {
    let found: Vec<f64> = found.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    let expected: Vec<f64> = expected.into_iter().collect();
    assert_eq!(found.len(), expected.len(), "{what}");
    assert!(found.iter().zip(&expected).all(|(f, e)| (f - e).abs() <= 1e-9), "{what}: {found:?}, {expected:?}");
}

#[test]
fn agrees_with_scikit_learn() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("reference/metrics.json")).unwrap();
    assert_eq!(cases.len(), 17);
    for case in cases {
        let problem: Problem = case.problem.parse().unwrap();
        let text = |values: &[f64], row: usize| values.get(row).map(f64::to_string);
        let rows = (0..case.truth.len())
            .map(|row| [text(&case.truth, row), text(&case.predicted, row), text(&case.scores, row)]);
        let statistics = analyse(&settings(problem, case.threshold), rows);
        let name = |what: &str| format!("{}: {what}", case.name);
        for (metric, expected) in &case.values {
            let Metric { value, standard_deviation } = statistics.metric(metric).unwrap();
            let expected = expected.as_f64().unwrap();
            // The tolerance is relative: one case has errors of the size of 1 and values of the size of a million.
            assert!(
                (value - expected).abs() <= 1e-9 * expected.abs().max(1.0),
                "{}: {value}, {expected}",
                name(metric)
            );
            let sampled = case.truth.len() as u64 >= SAMPLED_FROM;
            assert_eq!(standard_deviation.is_some(), sampled, "{}", name(metric));
            assert!(standard_deviation.is_none_or(|value| (0.0..0.1).contains(&value)), "{}", name(metric));
        }
        assert_eq!(statistics.metrics().count(), case.values.len(), "{}", case.name);
        let document = document(&statistics);
        let measures = &document[problem.metrics_member()];
        if let Some(confusion) = case.confusion {
            let found = &measures["confusion_matrix"];
            assert_eq!(found.as_object().unwrap().len(), confusion.len(), "{}", case.name);
            for (actual, row) in confusion.iter().enumerate() {
                for (predicted, count) in row.iter().enumerate() {
                    assert_eq!(found[actual.to_string()][predicted.to_string()], *count, "{}", case.name);
                }
            }
        }
        // Spark repeats the end of the ROC curve, and starts the other with the first precision at recall 0.
        if let Some([fpr, tpr]) = case.roc {
            let roc = &measures["receiver_operating_characteristic_curve"];
            assert_list(&name("fpr"), &roc["false_positive_rates"], fpr.into_iter().chain([1.0]));
            assert_list(&name("tpr"), &roc["true_positive_rates"], tpr.into_iter().chain([1.0]));
        }
        if let Some([precisions, recalls]) = case.precision_recall {
            let curve = &measures["precision_recall_curve"];
            assert_list(&name("precisions"), &curve["precisions"], [precisions[0]].into_iter().chain(precisions));
            assert_list(&name("recalls"), &curve["recalls"], [0.0].into_iter().chain(recalls));
        }
    }
}

/// The members of AWS's document in its order, and its values to the last digit where they follow from what it shows of
/// its rows.
#[track_caller]
fn check_document(theirs: &str, statistics: &Statistics, follows: &[&str]) {
    let theirs: Value = serde_json::from_str(theirs).unwrap();
    let ours = document(statistics);
    let member = statistics.problem.metrics_member();
    let names = |value: &Value| value[member].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&theirs));
    for name in follows {
        let (ours, theirs) = (&ours[member][name], &theirs[member][name]);
        match theirs.get("value") {
            Some(value) => assert_eq!(&ours["value"], value, "{name}"),
            None => assert_eq!(ours, theirs, "{name}"),
        }
    }
}

#[test]
fn documented_binary_classification() {
    // Of its time is that AUC and curves take every row for positive, and that the best constant is the rarer label.
    let statistics =
        analyse(&settings(Problem::BinaryClassification, None), labels(&[("0", "0", 1), ("0", "1", 2), ("1", "1", 1)]));
    let follows = [
        "confusion_matrix",
        "recall",
        "precision",
        "accuracy",
        "true_positive_rate",
        "true_negative_rate",
        "false_positive_rate",
        "false_negative_rate",
        "f0_5",
        "f1",
        "f2",
    ];
    check_document(include_str!("aws/statistics_binary.json"), &statistics, &follows);
    let theirs: Value = serde_json::from_str(include_str!("aws/statistics_binary.json")).unwrap();
    assert_eq!(
        document(&statistics)["binary_classification_metrics"]["recall"],
        theirs["binary_classification_metrics"]["recall"]
    );
}

#[test]
fn documented_multiclass_classification() {
    let statistics = analyse(
        &settings(Problem::MulticlassClassification, None),
        labels(&[("0", "0", 1180), ("0", "1", 510), ("1", "0", 268), ("1", "1", 138)]),
    );
    let follows = [
        "confusion_matrix",
        "accuracy",
        "weighted_recall",
        "weighted_precision",
        "weighted_f0_5",
        "weighted_f1",
        "weighted_f2",
    ];
    check_document(include_str!("aws/statistics_multiclass.json"), &statistics, &follows);
    // Documented: 0.0038. Five samples of 80% scatter by sqrt(p (1 - p) / n * 0.2 / 0.8), that is 0.0053.
    let deviation = statistics.metric("accuracy").unwrap().standard_deviation.unwrap();
    assert!((0.001..0.01).contains(&deviation), "{deviation}");
}

#[test]
fn documented_regression() {
    let counts = [("1", "0", 268), ("1", "1", 138), ("0", "1", 510), ("0", "0", 1180)];
    let statistics = analyse(&settings(Problem::Regression, None), labels(&counts));
    check_document(include_str!("aws/statistics_regression_documented.json"), &statistics, &["mae", "mse", "rmse"]);
    let r2 = statistics.metric("r2").unwrap().value;
    assert!((r2 - -1.3766111872212665).abs() < 1e-12, "{r2}");
}

#[test]
fn a_real_document_is_written_byte_by_byte() {
    let metric = |value, deviation| Measure::Metric(Metric { value, standard_deviation: Some(deviation) });
    let statistics = Statistics {
        problem: Problem::Regression,
        item_count: 627,
        measures: vec![
            ("mae", metric(1.5915896386811228, 0.019549525493231325)),
            ("mse", metric(5.030463318378965, 0.18989860772026798)),
            ("rmse", metric(2.2428694385494143, 0.04254133766539425)),
            ("r2", metric(0.23671182319828743, 0.02946664105374692)),
        ],
    };
    assert_eq!(statistics.to_json("2023-03-30T21:08:34.729Z"), include_str!("aws/statistics_regression.json"));
}

#[test]
fn documents_read_back() {
    #[track_caller]
    fn check(statistics: &Statistics) {
        let read = Statistics::read(statistics.to_json("2023-03-30T21:08:34.729Z").as_bytes()).unwrap();
        assert_eq!(&read, statistics);
    }
    let text = |values: &[f64], row: usize| values.get(row).map(f64::to_string);
    for case in serde_json::from_str::<Vec<Case>>(include_str!("reference/metrics.json")).unwrap() {
        let rows = (0..case.truth.len())
            .map(|row| [text(&case.truth, row), text(&case.predicted, row), text(&case.scores, row)]);
        check(&analyse(&settings(case.problem.parse().unwrap(), case.threshold), rows));
    }
    check(&analyse(
        &settings(Problem::MulticlassClassification, None),
        labels(&[("cat", "dog", 3), ("7", "cat", 200)]),
    ));
    let theirs = [include_str!("aws/statistics_binary.json"), include_str!("aws/statistics_multiclass.json")];
    let theirs = theirs.map(|text| Statistics::read(text.as_bytes()).unwrap());
    assert_eq!(theirs.each_ref().map(|statistics| statistics.measures.len()), [20, 13]);
    let auc = theirs[0].metric("auc").unwrap();
    assert_eq!((auc.value, auc.standard_deviation, theirs[0].item_count), (1.0, None, 0));
    let Measure::ConfusionMatrix(counts) = &theirs[1].measures[0].1 else { panic!() };
    assert_eq!(counts[&Label::Number(0)][&Label::Number(1)], 510);
}

#[test]
fn what_is_no_document_is_refused() {
    #[track_caller]
    fn check(text: &str, reason: &str) {
        assert_eq!(Statistics::read(text.as_bytes()).unwrap_err().to_string(), reason);
    }
    let missing = "the statistics have no metrics: none of regression_metrics, binary_classification_metrics, multiclass_classification_metrics";
    check("[1]", "the statistics are not JSON");
    check("{\"version\": 0.0, \"features\": []}", missing);
    check("{\"regression_metrics\": 1}", missing);
    check("{\"regression_metrics\": {\"mae\": []}}", "mae of the statistics cannot be read");
    check("{\"regression_metrics\": {\"mae\": {\"value\": {}}}}", "mae of the statistics cannot be read");
}

#[test]
fn single_classes_have_defined_metrics() {
    #[track_caller]
    fn check(label: &str, expected: [f64; 5]) {
        let row = |score: f64| [Some(label.to_owned()), None, Some(score.to_string())];
        let statistics = analyse(&settings(Problem::BinaryClassification, None), [0.2, 0.7, 0.4, 0.6].map(row));
        let names = ["accuracy", "recall", "precision", "true_negative_rate", "auc"];
        assert_eq!(names.map(|name| statistics.metric(name).unwrap().value), expected, "{label}");
        assert!(!statistics.to_json("").contains("null"));
    }
    check("1", [0.5, 0.5, 1.0, 0.0, 1.0]);
    check("0", [0.5, 0.0, 0.0, 0.5, 0.0]);
}

#[test]
fn the_threshold_turns_probabilities_into_labels() {
    #[track_caller]
    fn check(threshold: Option<f64>, inference: Option<&str>, probability: Option<&str>, expected: &str) {
        let row =
            ["1", ""].map(|_| [Some("1".to_owned()), inference.map(str::to_owned), probability.map(str::to_owned)]);
        let statistics = document(&analyse(&settings(Problem::BinaryClassification, threshold), row));
        let matrix = &statistics["binary_classification_metrics"]["confusion_matrix"];
        assert_eq!(matrix["1"][expected], 2, "{threshold:?} {inference:?} {probability:?}: {matrix}");
    }
    check(None, None, Some("0.51"), "1");
    check(None, None, Some("0.5"), "0");
    check(Some(0.8), None, Some("0.8"), "0");
    check(Some(0.8), None, Some("0.81"), "1");
    // A threshold is given to be used; without one, the endpoint's own label counts.
    check(Some(0.8), Some("1"), Some("0.7"), "0");
    check(None, Some("1"), Some("0.3"), "1");
    check(Some(0.8), Some("1"), None, "1");
    // Where the inference attribute is the probability itself.
    check(Some(0.5), Some("0.7"), Some("0.7"), "1");
}

#[test]
fn rows_that_cannot_be_used_have_a_reason_and_change_nothing() {
    #[track_caller]
    fn check(problem: Problem, row: [Option<&str>; 3], reason: &str) {
        fn observation(row: [Option<&str>; 3]) -> Observation<'_> {
            let [truth, inference, probability] = row.map(|text| text.map(Cow::from));
            Observation { ground_truth: truth.unwrap(), inference, probability }
        }
        let mut analysis = Analysis::new(&settings(problem, None));
        analysis.add(&observation([Some("1"), Some("0"), Some("0.5")])).unwrap();
        let before = format!("{analysis:?}");
        let error = analysis.add(&observation(row)).unwrap_err();
        assert_eq!((error.to_string().as_str(), format!("{analysis:?}")), (reason, before));
    }
    use Problem::{BinaryClassification as Binary, MulticlassClassification as Multiclass, Regression};
    let no_number = |role: &str, value: &str| format!("the {role} is {value:?}, which is no finite number");
    check(Regression, [Some("yes"), Some("1"), None], &no_number("ground_truth_attribute", "yes"));
    check(Regression, [Some("1"), Some("NaN"), None], &no_number("inference_attribute", "NaN"));
    check(Regression, [Some("1"), Some("1e999"), None], &no_number("inference_attribute", "1e999"));
    check(Regression, [Some("1"), None, Some("0.5")], "Regression needs the inference_attribute");
    check(Binary, [Some("1"), None, Some("inf")], &no_number("probability_attribute", "inf"));
    check(Binary, [Some("1"), None, None], "BinaryClassification needs the inference_attribute");
    check(Binary, [Some(" "), Some("1"), None], "the ground_truth_attribute is empty");
    check(
        Binary,
        [Some("2"), Some("1"), None],
        "the ground_truth_attribute is \"2\", which is neither \"0\" nor the positive label \"1\"",
    );
    check(Multiclass, [Some("cat"), None, Some("0.5")], "MulticlassClassification needs the inference_attribute");
    check(Multiclass, [Some(""), Some("cat"), None], "the ground_truth_attribute is empty");
}

proptest! {
    #[test]
    fn metrics_keep_to_what_they_mean(rows in vec((any::<bool>(), 0..20_u8), 1..300)) {
        let rows: Vec<_> = rows.iter().map(|(truth, score)| (*truth, f64::from(*score) / 20.0)).collect();
        let texts = |rows: &[(bool, f64)]| rows.iter().map(|(truth, score)| [Some(u8::from(*truth).to_string()), None, Some(score.to_string())]).collect::<Vec<_>>();
        let statistics = analyse(&settings(Problem::BinaryClassification, None), texts(&rows));
        for (name, metric) in statistics.metrics() {
            prop_assert!((0.0..=1.0).contains(&metric.value), "{} {}", name, metric.value);
        }
        let value = |name| statistics.metric(name).unwrap().value;
        let has = |label| rows.iter().any(|row| row.0 == label);
        if has(true) && has(false) {
            prop_assert!((value("true_positive_rate") + value("false_negative_rate") - 1.0).abs() < 1e-12);
            prop_assert!((value("true_negative_rate") + value("false_positive_rate") - 1.0).abs() < 1e-12);
            // By the definition of the area: pairs of a positive and a negative row.
            let (mut pairs, mut right) = (0.0, 0.0);
            for (_, positive) in rows.iter().filter(|row| row.0) {
                for (_, negative) in rows.iter().filter(|row| !row.0) {
                    pairs += 1.0;
                    right += if positive > negative { 1.0 } else if positive == negative { 0.5 } else { 0.0 };
                }
            }
            prop_assert!((value("auc") - right / pairs).abs() < 1e-12);
        }
        prop_assert!(value("accuracy_best_constant_classifier") >= 0.5);
        // The order of the rows changes the samples alone.
        let mut turned = rows.clone();
        turned.reverse();
        let again = analyse(&settings(Problem::BinaryClassification, None), texts(&turned));
        for ((name, metric), (_, again)) in statistics.metrics().zip(again.metrics()) {
            prop_assert_eq!(metric.value, again.value, "{}", name);
        }
    }

    #[test]
    fn any_text_is_used_or_refused(truth in ".{0,5}", inference in "[-+.0-9eEinfNa ]{0,5}", probability in "[-+.0-9eEinfNa ]{0,5}") {
        for problem in [Problem::Regression, Problem::BinaryClassification, Problem::MulticlassClassification] {
            let mut analysis = Analysis::new(&settings(problem, None));
            let row = Observation { ground_truth: truth.as_str().into(), inference: Some(inference.as_str().into()), probability: Some(probability.as_str().into()) };
            let used = analysis.add(&row).is_ok();
            prop_assert_eq!(analysis.finish().map(|statistics| statistics.item_count), used.then_some(1));
        }
    }
}

#[test]
fn errors_beyond_all_numbers_are_written_as_jackson_does() {
    let statistics = analyse(&settings(Problem::Regression, None), labels(&[("1e308", "-1e308", 3)]));
    let document = document(&statistics);
    assert_eq!(document["regression_metrics"]["mse"], json!({"value": "Infinity", "standard_deviation": "NaN"}));
    assert_eq!(Constraints::suggest(&statistics).of.len(), 1);
    assert_eq!(cloudwatch::data(cloudwatch::metrics(&statistics), "", None, None).len(), 1);
}

#[test]
fn curves_of_many_scores_are_thinned_out() {
    let row = |n: u32| [Some((n % 2).to_string()), None, Some((f64::from(n) / 5000.0).to_string())];
    let statistics = analyse(&settings(Problem::BinaryClassification, None), (0..5000).map(row));
    let document = document(&statistics);
    let measures = &document["binary_classification_metrics"];
    let rates = measures["receiver_operating_characteristic_curve"]["true_positive_rates"].as_array().unwrap();
    assert_eq!((rates.len(), &rates[0], &rates[1000], &rates[1001]), (1002, &json!(0.0), &json!(1.0), &json!(1.0)));
}
