//! `model`: on this machine alone, with no account, no settings and no state.

use serde_json::Value;
use sts_model::pairs::Pair;
use sts_model::sample;

use crate::user::User;

/// A user with these pairs in a file.
fn with_pairs(pairs: &[Pair]) -> User {
    let user = User::new();
    std::fs::write(user.folder().join("pairs.tsv"), sample::tsv(pairs)).unwrap();
    user
}

#[track_caller]
fn done(user: &User, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = user.run(&[], &[&["model"], arguments].concat());
    assert_eq!(code, 0, "{stderr}");
    stdout
}

fn document(user: &User, arguments: &[&str]) -> Value {
    serde_json::from_str(&done(user, &[arguments, &["--output", "json"]].concat())).unwrap()
}

#[test]
fn cross_validation_says_how_good_the_model_is() {
    let user = with_pairs(&sample::pairs(600));
    let arguments = ["evaluate", "--train", "pairs.tsv", "--folds", "4"];
    let report = document(&user, &arguments);
    assert_eq!(report["method"]["cross_validation"]["folds"], 4);
    assert_eq!((&report["pairs"], report["accuracy_by_fold"].as_array().unwrap().len()), (&Value::from(600), 4));
    let figure = |name: &str, member: &str| report["figures"][name][member].as_f64().unwrap();
    assert!(figure("accuracy", "low") > report["accuracy_of_best_constant"].as_f64().unwrap());
    for name in ["accuracy", "f1", "auc", "mse", "brier"] {
        assert!(figure(name, "low") < figure(name, "value") && figure(name, "value") < figure(name, "high"), "{name}");
    }
    assert!((figure("accuracy", "value") + figure("mse", "value") - 1.0).abs() < 1e-12);
    let matrix = &report["confusion_matrix"];
    let wrong = matrix["0"]["1"].as_u64().unwrap() + matrix["1"]["0"].as_u64().unwrap();
    assert!((wrong as f64 / 600.0 - figure("mse", "value")).abs() < 1e-12);
    let bins = report["calibration"].as_array().unwrap();
    assert_eq!(bins.iter().map(|bin| bin["rows"].as_u64().unwrap()).sum::<u64>(), 600);

    // The most confident error first, each with what spoke for the wrong label.
    for (name, label, sign) in [("false_positives", 0, 1.0), ("false_negatives", 1, -1.0)] {
        let errors = report[name].as_array().unwrap();
        assert!(!errors.is_empty() && errors.len() <= 10, "{name}");
        let margins = errors.iter().map(|error| sign * error["probability"].as_f64().unwrap());
        assert!(margins.is_sorted_by(|a, b| a >= b), "{name}");
        for error in errors {
            assert_eq!(error["label"], label);
            let reasons = error["reasons"].as_array().unwrap();
            let contributions = reasons.iter().map(|reason| sign * reason["contribution"].as_f64().unwrap());
            assert!(!reasons.is_empty() && contributions.clone().all(|c| c > 0.0));
            assert!(contributions.is_sorted_by(|a, b| a >= b));
        }
    }

    // Again the same; with another seed, other folds.
    assert_eq!(document(&user, &arguments), report);
    let other = document(&user, &[&arguments[..], &["--seed", "1"]].concat());
    assert_ne!(other["figures"]["accuracy"], report["figures"]["accuracy"]);
    // Nothing is left behind.
    let left: Vec<_> = std::fs::read_dir(user.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_test_set_of_its_own() {
    let pairs = sample::pairs(500);
    let user = with_pairs(&pairs[..400]);
    std::fs::write(user.folder().join("test.tsv"), sample::tsv(&pairs[400..])).unwrap();
    let arguments = ["evaluate", "--train", "pairs.tsv", "--test", "test.tsv", "--threshold", "0.6"];
    let report = document(&user, &arguments);
    assert_eq!(report["method"]["test_set"]["train_pairs"], 400);
    assert_eq!((&report["pairs"], &report["threshold"]), (&Value::from(100), &Value::from(0.6)));
    let text = done(&user, &arguments);
    assert!(text.starts_with("100 pairs ("), "{text}");
    assert!(text.contains("model of 400 other pairs; 51 features, l2 1, threshold 0.6, seed 0\n"), "{text}");
    let accuracy = format!("accuracy            {:>8.4}   ", report["figures"]["accuracy"]["value"].as_f64().unwrap());
    assert!(text.contains(&accuracy), "{text}");
}

#[test]
fn a_page_needs_nothing_from_elsewhere() {
    let mut pairs = sample::pairs(300);
    pairs.iter_mut().for_each(|pair| pair.sentence1 += " <script>alert('R&D')</script>");
    let user = with_pairs(&pairs);
    done(&user, &["evaluate", "--train", "pairs.tsv", "--folds", "3", "--html", "page.html"]);
    let page = std::fs::read_to_string(user.folder().join("page.html")).unwrap();
    for outside in ["<script", "http", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("&lt;script&gt;alert(&#39;R&amp;D&#39;)&lt;/script&gt;"));
    assert_eq!(page.matches("<svg").count(), 2);
    for tag in ["section", "table", "svg", "ol", "ul", "li", "p", "tr", "td", "th", "g", "title"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn exported_rows_are_those_behind_the_predictions() {
    let user = with_pairs(&sample::pairs(300));
    done(&user, &["evaluate", "--train", "pairs.tsv", "--folds", "3", "--export", "out/rows"]);
    let read = |name: &str| std::fs::read_to_string(user.folder().join("out/rows").join(name)).unwrap();
    let predictions = read("predictions.csv");
    let predictions: Vec<Vec<f64>> =
        predictions.lines().skip(1).map(|line| line.split(',').map(|field| field.parse().unwrap()).collect()).collect();
    assert_eq!(predictions.len(), 300);
    for fold in 1..=3_u8 {
        let dataset = |part: &str| {
            let text = read(&format!("fold-{fold:02}-{part}.csv"));
            sts_model::rows::Dataset::read(text.as_bytes(), sts_model::features::COUNT).unwrap()
        };
        let (train, test) = (dataset("train"), dataset("test"));
        assert_eq!(train.len() + test.len(), 300);
        let fit = sts_model::logistic::Params::default().check().unwrap().fit(&train).unwrap();
        let of_fold = predictions.iter().filter(|row| row[0] == f64::from(fold));
        for ((row, label), features) in of_fold.zip(test.labels()).zip(test.features()) {
            assert_eq!((row[1], row[2]), (f64::from(u8::from(*label)), fit.model.probability(features)));
        }
    }
    assert_eq!(read("features.txt").lines().count(), sts_model::features::COUNT);
}

#[test]
fn features_are_listed() {
    let user = User::new();
    let features: Vec<Value> = serde_json::from_str(&done(&user, &["features", "--output", "json"])).unwrap();
    assert_eq!(features.len(), sts_model::features::COUNT);
    let text = done(&user, &["features"]);
    for feature in features {
        assert!(text.contains(feature["name"].as_str().unwrap()), "{feature}");
    }
}

#[test]
fn what_cannot_be_evaluated_is_refused() {
    let user = with_pairs(&sample::pairs(50));
    std::fs::write(user.folder().join("other.tsv"), "a\tb\n").unwrap();
    let check = |arguments: &[&str], code: i32, reason: &str| {
        let (found, stdout, stderr) = user.run(&[], &[&["model", "evaluate"], arguments].concat());
        assert_eq!((found, stdout.as_str()), (code, ""), "{stderr}");
        assert!(stderr.contains(reason), "{stderr}");
    };
    check(&["--train", "missing.tsv"], 2, "error: missing.tsv cannot be used: No such file");
    check(&["--train", "other.tsv"], 2, "other.tsv cannot be used: line 1: the header has no column \"Quality\"");
    check(
        &["--train", "pairs.tsv", "--folds", "1"],
        1,
        "the evaluation failed: 1 folds: cross-validation needs at least 2",
    );
    check(&["--train", "pairs.tsv", "--folds", "500"], 1, "50 are too few for so many folds");
    check(&["--train", "pairs.tsv", "--l2", "0"], 2, "--l2 cannot be used: l2 is 0");
    check(&["--train", "pairs.tsv", "--threshold", "1"], 2, "write a number from 0 to below 1");
    check(&["--train", "pairs.tsv", "--test", "pairs.tsv", "--folds", "3"], 2, "cannot be used with");
    check(&["--train", "pairs.tsv", "--html", "no/where.html"], 1, "no/where.html cannot be written");
    check(&[], 2, "--train");
}
