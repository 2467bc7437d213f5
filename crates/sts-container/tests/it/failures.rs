//! What is wrong is said where SageMaker looks for it, and nothing half done is left behind.

use std::fs;

use sts_model::{features, sample};

use crate::tree::Tree;

/// A way to break what a verb needs.
type Break<'a> = &'a dyn Fn(&Tree);

/// A verb on a tree that is fine but for one thing. `results` are the folders in which the verb must not leave anything.
fn check(good: &Tree, verb: &str, results: &[&str], reason_file: Option<&str>, wrong: Break, reason: &str) {
    let tree = good.clone_all();
    for stale in ["output"].iter().chain(results) {
        let _ = fs::remove_dir_all(tree.path(stale));
    }
    wrong(&tree);
    let output = tree.run(verb);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{verb}, {reason}: {stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    let told = stderr.trim_end().strip_prefix("error: ").unwrap();
    assert!(told.contains(reason), "{verb}: expected {reason:?}, found {told:?}");
    if let Some(file) = reason_file {
        let written = tree.text(file);
        assert!(written.len() <= 1024 && told.starts_with(&written), "{written}");
    }
    let left = tree.files("output");
    assert!(left.iter().all(|file| reason_file == Some(&format!("output/{file}"))), "{verb}, {reason}: {left:?}");
    for folder in results {
        assert_eq!(tree.files(folder), [""; 0], "{verb}, {reason}");
    }
}

/// A row of zeros with a label, but for one column, counted from 1.
fn row(label: &str, column: usize, value: &str) -> String {
    let features = (1..=features::COUNT).map(|own| if own == column { value } else { "0" });
    format!("{label},{}\n", features.collect::<Vec<_>>().join(","))
}

#[test]
fn preprocess() {
    let good = Tree::new();
    good.put("processing/input/pairs.tsv", sample::tsv(&sample::pairs(300)));
    let results = ["processing/train", "processing/validation", "processing/test", "processing/vocabulary"];
    let check =
        |wrong: Break, reason: &str| check(&good, "preprocess", &results, Some("output/message"), wrong, reason);
    let header = &b"Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n"[..];
    for (content, reason) in [
        (Vec::new(), "the file is empty"),
        (header.to_vec(), "the file has a header but no pair"),
        (b"Quality\tText\n".to_vec(), "line 1: the header has no column \"#1 ID\""),
        ([header, b"1\t1\t2\ta\n"].concat(), "line 2: 4 tab-separated columns"),
        ([header, b"1\t1\t2\ta\tb\n2\t1\t2\ta\tb\n"].concat(), "line 3, column 1 (Quality): \"2\" is not a label"),
        ([header, b"1\t1\t2\ta\t\xff\n"].concat(), "line 2, column 5: byte 9 of the line is not UTF-8"),
    ] {
        let write = |tree: &Tree| tree.put("processing/input/pairs.tsv", &content);
        check(&write, &format!("/opt/ml/processing/input/pairs.tsv: {reason}"));
    }
    // One bad line in the last of several files.
    check(
        &|tree: &Tree| tree.put("processing/input/z/last.tsv", sample::tsv(&sample::pairs(50)) + "1\tx\n"),
        "/opt/ml/processing/input/z/last.tsv: line 52: 2 tab-separated columns",
    );
    check(
        &|tree: &Tree| tree.put("processing/input/pairs.tsv", sample::tsv(&sample::pairs(3))),
        "part would be empty: 3 pairs are too few",
    );
    let single = |label: bool| {
        let pairs: Vec<_> = sample::pairs(300).into_iter().filter(|pair| pair.label == Some(label)).collect();
        sample::tsv(&pairs)
    };
    check(
        &|tree: &Tree| tree.put("processing/input/pairs.tsv", single(true)),
        "pairs of the train part have the label 1",
    );
    check(
        &|tree: &Tree| tree.put("processing/input/pairs.tsv", single(false)),
        "pairs of the train part have the label 0",
    );
    check(
        &|tree: &Tree| fs::remove_dir_all(tree.path("processing/input")).unwrap(),
        "/opt/ml/processing/input cannot be read: No such file",
    );
    check(
        &|tree: &Tree| fs::remove_file(tree.path("processing/input/pairs.tsv")).unwrap(),
        "/opt/ml/processing/input has no file",
    );
    check(
        &|tree: &Tree| tree.put("config/processingjobconfig.json", "{\"ProcessingInputs\": 1}"),
        "/opt/ml/config/processingjobconfig.json is not the JSON that SageMaker puts there: ",
    );
    check(
        &|tree: &Tree| tree.put("config/processingjobconfig.json", "{}"),
        "the job has no input \"input\": give it one of that name",
    );
    check(
        &|tree: &Tree| tree.put("config/resourceconfig.json", r#"{"current_host": "algo-9", "hosts": ["algo-1"]}"#),
        "resourceconfig.json names the hosts algo-1",
    );
    check(
        &|tree: &Tree| tree.put("processing/train", "a file"),
        "/opt/ml/processing/train/train.csv cannot be written: File exists",
    );
}

#[test]
fn train() {
    let good = Tree::of_pipeline(300);
    let check = |wrong: Break, reason: &str| check(&good, "train", &["model"], Some("output/failure"), wrong, reason);
    for (hyperparameters, reason) in [
        (r#"{"l2": "much"}"#, "hyperparameter l2 is \"much\": it must be a number above 0, such as 1.0"),
        (r#"{"l2": "0"}"#, "hyperparameter l2 is \"0\""),
        (r#"{"l2": "inf"}"#, "hyperparameter l2 is \"inf\""),
        (r#"{"threshold": "1"}"#, "hyperparameter threshold is \"1\": it must be a number from 0 to below 1"),
        (r#"{"max_iterations": "2.5"}"#, "hyperparameter max_iterations is \"2.5\""),
        (r#"{"max_iterations": "1"}"#, "the model cannot be fitted: not converged after 1 iterations"),
        (r#"{"epochs": "3"}"#, "unknown hyperparameter \"epochs\": known are l2, max_iterations, threshold"),
        (r#"{"l2": 1}"#, "hyperparameters.json is not the JSON that SageMaker puts there: invalid type: integer `1`"),
        ("l2=1", "/opt/ml/input/config/hyperparameters.json is not the JSON"),
    ] {
        check(&|tree: &Tree| tree.put("input/config/hyperparameters.json", hyperparameters), reason);
    }
    check(
        &|tree: &Tree| fs::remove_dir_all(tree.path("input/data/train")).unwrap(),
        "there is no channel \"train\": /opt/ml/input/data/train does not exist",
    );
    check(
        &|tree: &Tree| {
            tree.put("input/config/inputdataconfig.json", r#"{"validation": {"TrainingInputMode": "File"}}"#);
            fs::remove_dir_all(tree.path("input/data/validation")).unwrap();
        },
        "there is no channel \"validation\"",
    );
    check(
        &|tree: &Tree| tree.put("input/config/inputdataconfig.json", r#"{"train": {"TrainingInputMode": "Pipe"}}"#),
        "the channel \"train\" comes in Pipe mode",
    );
    let (zero, one) = (row("0", 1, "1"), row("1", 1, "2"));
    let file = "/opt/ml/input/data/train/train.csv: ";
    for (rows, reason) in [
        (String::new(), "there are no rows".to_owned()),
        (format!("{zero}\n{one}"), "row 2: is blank".to_owned()),
        (format!("{zero}1,2\n"), format!("row 2: 2 columns, expected {}", features::COUNT + 1)),
        (row("0", 3, "x"), "row 1, column 4: \"x\" is not a number".to_owned()),
        (row("0", 3, "NaN"), "row 1, column 4: NaN is not finite".to_owned()),
        (row("yes", 3, "0"), "row 1, column 1: \"yes\" is not a label".to_owned()),
    ] {
        let write = |tree: &Tree| tree.put("input/data/train/train.csv", &rows);
        check(&write, &format!("{file}{reason}"));
    }
    for (rows, label) in [(&zero, 0), (&one, 1)] {
        let write = |tree: &Tree| tree.put("input/data/train/train.csv", rows.repeat(3));
        check(&write, &format!("the model cannot be fitted: all 3 rows have the label {label}"));
    }
    check(
        &|tree: &Tree| tree.put("input/data/validation/validation.csv", "0,1\n"),
        "/opt/ml/input/data/validation/validation.csv: row 1: 2 columns",
    );
    let vocabulary = "input/data/vocabulary/vocabulary.json";
    check(
        &|tree: &Tree| tree.put(vocabulary, &tree.text(vocabulary)[..100]),
        "/opt/ml/input/data/vocabulary/vocabulary.json: the vocabulary cannot be read: EOF",
    );
    check(
        &|tree: &Tree| tree.put("input/data/vocabulary/other.json", tree.text(vocabulary)),
        "/opt/ml/input/data/vocabulary has 2 files, expected one",
    );
    check(
        &|tree: &Tree| {
            tree.put(
                "input/config/resourceconfig.json",
                r#"{"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]}"#,
            );
        },
        "this step runs on one instance, but got 2",
    );
}

#[test]
fn evaluate_and_baseline() {
    let good = Tree::of_pipeline(300);
    for (verb, results, part) in
        [("evaluate", "processing/evaluation", "test"), ("baseline", "processing/validate", "validation")]
    {
        let check = |wrong: Break, reason: &str| check(&good, verb, &[results], Some("output/message"), wrong, reason);
        const MODEL: &str = "processing/model/model.tar.gz";
        check(
            &|tree: &Tree| fs::remove_file(tree.path(MODEL)).unwrap(),
            "/opt/ml/processing/model/model.tar.gz cannot be read: No such file",
        );
        let file = "/opt/ml/processing/model/model.tar.gz: ";
        check(&|tree: &Tree| tree.put(MODEL, "no archive"), &format!("{file}the model archive cannot be read: "));
        let cut = |tree: &Tree| {
            let whole = fs::read(tree.path(MODEL)).unwrap();
            tree.put(MODEL, &whole[..whole.len() / 2]);
        };
        check(&cut, &format!("{file}the model archive cannot be read: it is not a complete gzip file"));
        let without_model = |tree: &Tree| {
            fs::rename(tree.path("model/model.json"), tree.path("model/other.json")).unwrap();
            tree.pack_model();
        };
        check(&without_model, "it contains no model.json");
        let foreign = |tree: &Tree| {
            tree.put("model/model.json", r#"{"format": "other", "version": 1}"#);
            tree.pack_model();
        };
        check(&foreign, "the document's format is \"other\"");
        let rows = format!("processing/{part}/{part}.csv");
        check(
            &|tree: &Tree| fs::remove_file(tree.path(&rows)).unwrap(),
            &format!("/opt/ml/processing/{part} has no *.csv"),
        );
        check(&|tree: &Tree| tree.put(&rows, ""), &format!("/opt/ml/{rows}: there are no rows"));
        check(
            &|tree: &Tree| tree.put(&rows, row("0", 2, "NaN")),
            &format!("/opt/ml/{rows}: row 1, column 3: NaN is not finite"),
        );
        let huge = (1..=features::COUNT).map(|column| if column % 2 == 0 { ",1e308" } else { ",-1e308" });
        let huge = format!("{}0{}\n", row("1", 1, "0"), huge.collect::<String>());
        check(&|tree: &Tree| tree.put(&rows, &huge), "row 2: the features are so large");
        check(
            &|tree: &Tree| tree.put("config/resourceconfig.json", r#"{"current_host": "a", "hosts": ["a", "b"]}"#),
            "this step runs on one instance, but got 2",
        );
    }
}

#[test]
fn serve() {
    fn check(wrong: Break, arguments: &[&str], reason: &str) {
        let tree = Tree::new();
        wrong(&tree);
        let output = tree.command("serve").args(arguments).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.starts_with(&format!("error: {reason}")), "{stderr}");
    }
    let here = ["--listen", "127.0.0.1:0"];
    check(&|_: &Tree| {}, &here, "/opt/ml/model/model.json cannot be read: No such file");
    check(
        &|tree: &Tree| tree.put("model/model.json", "{"),
        &here,
        "/opt/ml/model/model.json: the model document cannot be read: ",
    );
    check(
        &|tree: &Tree| {
            tree.put("model/model.json", r#"{"format": "stsmodelmonitor/paraphrase-classifier", "version": 99}"#);
        },
        &here,
        "/opt/ml/model/model.json: the model has version 99",
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    check(&|_: &Tree| {}, &["--listen", &address], &format!("cannot listen on {address}: "));
}

#[test]
fn usage() {
    fn check(arguments: &[&str], code: i32, expected: &str) {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_sts-container"));
        let output = command.args(arguments).assert().code(code).get_output().clone();
        let text = if code == 0 { output.stdout } else { output.stderr };
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(expected), "{arguments:?}: {text}");
    }
    check(&["--help"], 0, "preprocess");
    check(&[], 2, "Usage: sts-container");
    check(&["tune"], 2, "unrecognized subcommand 'tune'");
    check(&["serve", "--listen", "8080"], 2, "invalid value '8080'");
}
