//! The two modes of `monitor`, one after the other as in an hour of a monitoring schedule; and all that can be wrong.

use std::process::Output;

use model_monitor::{
    analysis::{Analysis, Settings},
    attribute::Attribute,
    dataset::{Attributes, Side},
    merge::{self, Tally},
    problem::Problem,
    records::{Capture, CaptureData, ContentTypes, EventMetadata, GroundTruth, Merged, Mode, Payload, Records},
};
use serde_json::Value;

use crate::tree::Tree;

const CAPTURED: &str = "processing/input_data/churn/AllTraffic/2021/05/18";
const LABELS: &str = "processing/groundtruth/2021/05/18";

const MERGE: [(&str, &str); 3] = [
    ("dataset_source", "/opt/ml/processing/input_data"),
    ("ground_truth_source", "/opt/ml/processing/groundtruth"),
    ("output_path", "/opt/ml/processing/output"),
];

/// The environment of a real scheduled job; the attributes are ours.
const ANALYZE: [(&str, &str); 14] = [
    ("analysis_type", "MODEL_QUALITY"),
    ("baseline_constraints", "/opt/ml/processing/baseline/constraints/constraints.json"),
    ("dataset_format", "{\"sagemakerMergeJson\":{\"captureIndexNames\":[\"endpointOutput\"]}}"),
    ("dataset_source", "/opt/ml/processing/input_data"),
    ("end_time", "2021-05-18T02:00:00Z"),
    ("inference_attribute", "0"),
    ("metric_time", "2021-05-18T00:00:00Z"),
    ("output_path", "/opt/ml/processing/output"),
    ("probability_attribute", "1"),
    ("problem_type", "BinaryClassification"),
    ("publish_cloudwatch_metrics", "Enabled"),
    ("sagemaker_endpoint_name", "churn"),
    ("sagemaker_monitoring_schedule_name", "hourly"),
    ("start_time", "2021-05-18T00:00:00Z"),
];

const BASELINE: [(&str, &str); 9] = [
    ("analysis_type", "MODEL_QUALITY"),
    ("dataset_format", "{\"csv\": {\"header\": true, \"output_columns_position\": \"START\"}}"),
    ("dataset_source", "/opt/ml/processing/input/baseline_dataset_input"),
    ("ground_truth_attribute", "label"),
    ("inference_attribute", "prediction"),
    ("output_path", "/opt/ml/processing/output"),
    ("probability_attribute", "probability"),
    ("problem_type", "BinaryClassification"),
    ("publish_cloudwatch_metrics", "Disabled"),
];

fn run(tree: &Tree, environment: &[(&str, &str)]) -> Output {
    tree.command("monitor").envs(environment.iter().copied()).output().unwrap()
}

#[track_caller]
fn done(tree: &Tree, environment: &[(&str, &str)]) -> String {
    let output = run(tree, environment);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stderr, b"");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn fails(tree: &Tree, environment: &[(&str, &str)], reason: &str) {
    let output = run(tree, environment);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.starts_with(&format!("error: {reason}")), "expected {reason:?}, found {stderr:?}");
    assert!(stderr[7..].starts_with(&tree.text("output/message")), "{stderr}");
    assert_eq!(tree.files("processing/output"), [""; 0]);
}

fn captures(ids: std::ops::Range<u32>, answer: fn(u32) -> String) -> Vec<u8> {
    let types = ContentTypes { csv: vec!["text/csv".to_owned()], json: vec![] };
    let mut lines = Vec::new();
    for id in ids {
        let side = |mode, body: &str| Some(Payload::capture(mode, Some("text/csv"), body.as_bytes(), &types));
        let sides = CaptureData {
            endpoint_input: side(Mode::Input, "0.5,0.25\n"),
            endpoint_output: side(Mode::Output, &answer(id)),
            batch_transform_output: None,
        };
        let ids = EventMetadata {
            event_id: format!("event-{id}"),
            inference_id: Some(format!("sts_{id}")),
            inference_time: Some("2021-05-18T00:29:02Z".to_owned()),
            ..EventMetadata::default()
        };
        Capture::new(sides, ids).write(&mut lines);
    }
    lines
}

fn labels(ids: std::ops::Range<u32>) -> Vec<u8> {
    let mut lines = Vec::new();
    ids.for_each(|id| GroundTruth::new(&format!("sts_{id}"), &(id % 2).to_string()).write(&mut lines));
    lines
}

/// Right but for every fifth.
fn answer(id: u32) -> String {
    let positive = (id % 2 == 1) != id.is_multiple_of(5);
    format!("{},{}\n", u8::from(positive), if positive { 0.75 } else { 0.25 })
}

/// Two hours, the first in two files.
fn two_hours() -> Tree {
    let tree = Tree::new();
    tree.put(&format!("{CAPTURED}/00/28-04-146-a.jsonl"), captures(0..100, answer));
    tree.put(&format!("{CAPTURED}/00/29-04-146-b.jsonl"), captures(100..150, answer));
    tree.put(&format!("{CAPTURED}/01/00-04-146-c.jsonl"), captures(150..310, answer));
    tree.put(&format!("{LABELS}/00/0100.jsonl"), labels(0..200));
    tree.put(&format!("{LABELS}/01/0200.jsonl"), labels(200..320));
    tree
}

fn merged() -> Tree {
    let tree = two_hours();
    done(&tree, &MERGE);
    let analysed = Tree::new();
    for file in tree.files("processing/output") {
        analysed.put(&format!("processing/input_data/{file}"), tree.text(&format!("processing/output/{file}")));
    }
    analysed.put("processing/baseline/constraints/constraints.json", constraints(0.9));
    analysed
}

fn constraints(accuracy: f64) -> String {
    format!(
        r#"{{"version": 0.0, "binary_classification_constraints": {{"accuracy": {{"threshold": {accuracy}, "comparison_operator": "LessThanThreshold"}}}}}}"#
    )
}

#[test]
fn captures_and_labels_are_merged_hour_by_hour() {
    let tree = two_hours();
    let log = done(&tree, &MERGE);
    assert_eq!(
        log,
        "310 captured records and 320 labels give 310 merged records; without record are 10 labels, for instance \
         sts_310, sts_311, sts_312\n"
    );
    let files = tree.files("processing/output");
    let folders: Vec<_> = files.iter().map(|file| file.rsplit_once('/').unwrap().0).collect();
    let hour = |hour: u32| format!("churn/AllTraffic/2021/05/18/{hour:02}");
    assert_eq!(folders, [hour(0), hour(0), hour(1)]);
    for (number, file) in files.iter().enumerate() {
        let name = file.rsplit_once('/').unwrap().1;
        let id = name.strip_prefix(&format!("part-{number:05}-")).unwrap().strip_suffix(".c000.jsonl").unwrap();
        assert_eq!(id.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12], "{name}");
    }
    let first = tree.text(&format!("processing/output/{}", files[0]));
    assert_eq!(
        first.lines().next().unwrap(),
        r#"{"eventVersion":"0","groundTruthData":{"data":"0","encoding":"CSV"},"captureData":{"endpointInput":{"data":"0.5,0.25\n","encoding":"CSV","mode":"INPUT","observedContentType":"text/csv"},"endpointOutput":{"data":"1,0.75\n","encoding":"CSV","mode":"OUTPUT","observedContentType":"text/csv"}},"eventMetadata":{"eventId":"event-0","inferenceId":"sts_0","inferenceTime":"2021-05-18T00:29:02Z"}}"#
    );
    // AWS's merger leaves no message.
    assert_eq!(tree.files("output"), [""; 0]);
    // Whoever runs it again has the same files.
    done(&tree, &MERGE);
    assert_eq!(tree.files("processing/output"), files);
}

#[test]
fn merged_records_are_analysed() {
    let tree = merged();
    let message = "CompletedWithViolations: Job completed successfully with 1 violations.";
    assert_eq!(done(&tree, &ANALYZE), format!("{message}\n"));
    assert_eq!(tree.text("output/message"), message);
    assert_eq!(tree.files("processing/output"), ["constraint_violations.json", "constraints.json", "statistics.json"]);
    let statistics: Value = serde_json::from_str(&tree.text("processing/output/statistics.json")).unwrap();
    assert_eq!(statistics["dataset"]["item_count"], 310);
    let metrics = &statistics["binary_classification_metrics"];
    assert_eq!(metrics["confusion_matrix"], serde_json::json!({"0": {"0": 124, "1": 31}, "1": {"0": 31, "1": 124}}));
    assert_eq!(metrics["accuracy"]["value"], 0.8);
    let deviation = metrics["accuracy"]["standard_deviation"].as_f64().unwrap();
    let violations: Value = serde_json::from_str(&tree.text("processing/output/constraint_violations.json")).unwrap();
    assert_eq!(
        violations["violations"][0]["description"],
        format!("Metric accuracy with 0.8 +/- {deviation} was LessThanThreshold '0.9'")
    );
    let published = tree.text("output/metrics/cloudwatch/cloudwatch_metrics.jsonl");
    assert_eq!(published.lines().count(), 17);
    assert!(published.contains(
        r#"{"MetricName":"accuracy","Timestamp":"2021-05-18T00:00:00Z","Dimensions":[{"Name":"Endpoint","Value":"churn"},{"Name":"MonitoringSchedule","Value":"hourly"}],"Value":0.8}"#
    ));
    // The threshold itself is no violation.
    tree.put("processing/baseline/constraints/constraints.json", constraints(0.8));
    let message = "Completed: Job completed successfully with no violations.";
    assert_eq!(done(&tree, &ANALYZE), format!("{message}\n"));
    assert_eq!(tree.text("processing/output/constraint_violations.json"), "{\n  \"violations\" : [ ]\n}");
}

/// Two hours of so many records that they go through many hands, in files of different sizes; among them some without
/// label, with two, and with an answer that is none.
fn busy_hours() -> Tree {
    let answer = |id: u32| if id % 97 == 5 { "none\n".to_owned() } else { answer(id) };
    let tree = Tree::new();
    tree.put(&format!("{CAPTURED}/00/00-04-146-a.jsonl"), captures(0..3000, answer));
    tree.put(&format!("{CAPTURED}/00/01-04-146-b.jsonl"), captures(3000..3001, answer));
    tree.put(&format!("{CAPTURED}/00/02-04-146-c.jsonl"), "");
    tree.put(&format!("{CAPTURED}/01/00-04-146-d.jsonl"), captures(3001..9000, answer));
    tree.put(&format!("{LABELS}/00/0100.jsonl"), [labels(20..5000), labels(4000..8990)].concat());
    tree
}

#[test]
fn many_threads_write_what_one_would() {
    let tree = busy_hours();
    let log = done(&tree, &MERGE);
    let mut kept = merge::Labels::default();
    let labelled = tree.text(&format!("{LABELS}/00/0100.jsonl"));
    Records::<_, GroundTruth>::new(labelled.as_bytes()).for_each(|label| kept.add(&label.unwrap()));
    let (join, mut tally, mut parts) = (kept.join(), Tally::default(), Vec::new());
    for file in tree.files(CAPTURED) {
        let (captured, mut part) = (tree.text(&format!("{CAPTURED}/{file}")), Vec::new());
        Records::<_, Capture>::new(captured.as_bytes()).for_each(|c| join.merge(&c.unwrap(), &mut part, &mut tally));
        parts.push(part);
    }
    assert_eq!(log, format!("{}\n", join.report(tally)));
    parts.retain(|part| !part.is_empty());
    let written = tree.files("processing/output");
    let written: Vec<_> = written.iter().map(|file| tree.text(&format!("processing/output/{file}"))).collect();
    assert!(written.iter().map(String::as_bytes).eq(parts.iter().map(Vec::as_slice)));

    let analysed = Tree::new();
    written.iter().enumerate().for_each(|(n, part)| analysed.put(&format!("processing/input_data/{n}.jsonl"), part));
    let environment = ANALYZE.map(|(name, value)| (name, if name == "baseline_constraints" { "" } else { value }));
    let log = done(&analysed, &environment);
    let settings = Settings { problem: Problem::BinaryClassification, threshold: None, positive_label: None };
    let attribute = |column| Some(Attribute::new(column));
    let attributes = Attributes { inference: attribute("0"), probability: attribute("1"), ground_truth: None };
    let (mut analysis, mut unusable) = (Analysis::new(&settings), 0);
    for record in Records::<_, Merged>::new(parts.concat().as_slice()) {
        let record = record.unwrap();
        let row = attributes.in_merged(&record, Side::EndpointOutput);
        unusable += u32::from(row.and_then(|row| analysis.add(&row)).is_err());
    }
    assert!(log.starts_with(&format!("{unusable} of ")) && unusable > 90, "{log}");
    let found = analysed.text("processing/output/statistics.json");
    let time = found.split_once("\"evaluation_time\" : \"").unwrap().1.split_once('"').unwrap().0;
    assert_eq!(found, analysis.finish().unwrap().to_json(time));
}

#[test]
fn of_several_broken_lines_the_first_is_told() {
    let tree = busy_hours();
    for (file, line) in [("01/00-04-146-d.jsonl", 5001), ("01/00-04-146-d.jsonl", 4001), ("00/00-04-146-a.jsonl", 2991)]
    {
        let path = format!("{CAPTURED}/{file}");
        let lines = tree.text(&path);
        let start: usize = lines.split_inclusive('\n').take(line - 1).map(str::len).sum();
        tree.put(&path, [&lines[..start], "{}\n", &lines[start..]].concat());
        fails(&tree, &MERGE, &format!("/opt/ml/{path}: line {line}, column 2: is not such a record"));
    }
}

#[test]
fn a_baseline_suggests_constraints_that_a_like_hour_holds_to() {
    let rows: String = (0..310).map(|id| format!("{},{}\n", answer(id).trim(), id % 2)).collect();
    let tree = Tree::new();
    tree.put("processing/input/baseline_dataset_input/baseline.csv", format!("prediction,probability,label\n{rows}"));
    assert_eq!(done(&tree, &BASELINE), "Completed: Job completed successfully with no violations.\n");
    assert_eq!(tree.files("processing/output"), ["constraints.json", "statistics.json"]);
    assert_eq!(tree.files("output"), ["message"]);
    let hour = merged();
    hour.put("processing/baseline/constraints/constraints.json", tree.text("processing/output/constraints.json"));
    assert_eq!(done(&hour, &ANALYZE), "Completed: Job completed successfully with no violations.\n");
}

#[test]
fn rows_that_cannot_be_used_are_left_out_and_told() {
    let tree = merged();
    let file = tree.files("processing/input_data").remove(0);
    let path = format!("processing/input_data/{file}");
    tree.put(&path, tree.text(&path).replacen("1,0.75", "1,NaN", 1).replacen("\"data\":\"1\"", "\"data\":\"?\"", 1));
    let log = done(&tree, &ANALYZE);
    let expected = format!(
        "2 of 310 rows cannot be used, the first is /opt/ml/{path}, line 1: the probability_attribute is \"NaN\", which is no finite number\n"
    );
    assert!(log.starts_with(&expected), "{log}");
}

#[test]
fn what_is_wrong_with_a_merge() {
    let with = |relative: &str, content: &[u8]| {
        let tree = two_hours();
        tree.put(relative, content);
        tree
    };
    let empty = Tree::new();
    std::fs::create_dir_all(empty.path("processing/input_data/churn")).unwrap();
    std::fs::create_dir_all(empty.path("processing/groundtruth")).unwrap();
    fails(&empty, &MERGE, "Job inputs had no data: /opt/ml/processing/input_data has no file");
    empty.put(&format!("{CAPTURED}/00/a.jsonl"), captures(0..3, answer));
    fails(&empty, &MERGE, "Job inputs had no data: /opt/ml/processing/groundtruth has no file");
    empty.put(&format!("{LABELS}/00/a.jsonl"), labels(7..9));
    fails(
        &empty,
        &MERGE,
        "Job inputs had no data: no captured record has a label: 3 captured records and 2 labels give 0 merged records; \
         without label are 3 records, for instance sts_0, sts_1, sts_2; without record are 2 labels, for instance sts_7, sts_8",
    );
    fails(
        &with(&format!("{LABELS}/00/b.jsonl"), b"1,0\n"),
        &MERGE,
        "/opt/ml/processing/groundtruth/2021/05/18/00/b.jsonl: line 1, column 1: is not such a record: invalid type: integer",
    );
    let tree = with(&format!("{CAPTURED}/00/00.jsonl"), b"{}\n");
    fails(
        &tree,
        &MERGE,
        &format!("/opt/ml/{CAPTURED}/00/00.jsonl: line 1, column 2: is not such a record: missing field"),
    );
    // Parts that were done before are not left behind.
    let tree = with(&format!("{CAPTURED}/01/99.jsonl"), b"{}\n");
    fails(&tree, &MERGE, &format!("/opt/ml/{CAPTURED}/01/99.jsonl: line 1"));
    fails(&two_hours(), &MERGE[..2], "the environment has no output_path");
    fails(
        &two_hours(),
        &[&MERGE[..2], &[("output_path", "/tmp")]].concat(),
        "output_path is \"/tmp\": it must be a path below",
    );
}

#[test]
fn what_is_wrong_with_an_analysis() {
    #[track_caller]
    fn check(name: &str, value: &str, reason: &str) {
        let environment = ANALYZE.map(|(own, usual)| (own, if own == name { value } else { usual }));
        fails(&merged(), &environment, reason);
    }
    check(
        "analysis_type",
        "DATA_BIAS",
        "analysis_type is \"DATA_BIAS\": this program analyses MODEL_QUALITY, and DATA_QUALITY",
    );
    check("analysis_type", "", "dataset_format is {\"sagemakerMergeJson\"");
    check("problem_type", "Clustering", "\"Clustering\" is no problem type");
    check(
        "problem_type",
        "Regression",
        "/opt/ml/processing/baseline/constraints/constraints.json: the constraints have no regression_constraints",
    );
    check("dataset_format", "{\"parquet\":{}}", "dataset_format is {\"parquet\":{}}: parquet is not read");
    check("dataset_format", "{\"csv\":{}}", "the environment has no ground_truth_attribute");
    check("baseline_constraints", "/opt/ml/nowhere.json", "/opt/ml/nowhere.json cannot be read");
    check("publish_cloudwatch_metrics", "yes", "publish_cloudwatch_metrics is \"yes\": it must be Enabled or Disabled");
    check("dataset_source", "/opt/ml/processing/nowhere", "/opt/ml/processing/nowhere cannot be read");
    check(
        "probability_attribute",
        "7",
        "Job inputs had no data that can be used: all 310 rows are like /opt/ml/processing/input_data/churn/",
    );
    let of_job = |more: &[(&'static str, &'static str)]| [&ANALYZE[..], more].concat();
    fails(
        &merged(),
        &of_job(&[("record_preprocessor_script", "/opt/ml/x.py")]),
        "record_preprocessor_script is set, but",
    );
    fails(
        &merged(),
        &of_job(&[("probability_threshold_attribute", "half")]),
        "probability_threshold_attribute is \"half\"",
    );
    let attributes = ANALYZE.iter().filter(|(name, _)| !name.ends_with("_attribute")).copied().collect::<Vec<_>>();
    fails(&merged(), &attributes, "the environment has no inference_attribute");
    let tree = Tree::new();
    tree.put("processing/input/baseline_dataset_input/baseline.csv", "prediction,label\n");
    fails(
        &tree,
        &BASELINE,
        "/opt/ml/processing/input/baseline_dataset_input/baseline.csv: the header has no probability_attribute \"probability\": it has prediction, label",
    );
    tree.put("processing/input/baseline_dataset_input/baseline.csv", "prediction,probability,label\n");
    fails(&tree, &BASELINE, "Job inputs had no data: /opt/ml/processing/input/baseline_dataset_input has no rows");
    tree.put("config/resourceconfig.json", r#"{"current_host": "a", "hosts": ["a", "b"]}"#);
    fails(&tree, &BASELINE, "this step runs on one instance, but got 2");
}

const DATA_QUALITY: [(&str, &str); 4] = [
    ("dataset_format", "{\"csv\": {\"header\": true, \"output_columns_position\": \"START\"}}"),
    ("dataset_source", "/opt/ml/processing/input/baseline_dataset_input"),
    ("output_path", "/opt/ml/processing/output"),
    ("publish_cloudwatch_metrics", "Disabled"),
];

#[test]
fn data_quality_is_what_is_analysed_without_a_type() {
    let rows = |shift: u32| {
        (0..200).map(|row| format!("{},{}\n", row + shift, ["a", "b"][row as usize % 2])).collect::<String>()
    };
    let tree = Tree::new();
    tree.put("processing/input/baseline_dataset_input/data.csv", format!("size,kind\n{}", rows(0)));
    done(&tree, &DATA_QUALITY);
    assert_eq!(tree.files("processing/output"), ["constraints.json", "statistics.json"]);
    assert_eq!(tree.text("output/message"), "Completed: Job completed successfully with no violations.");

    let later = Tree::new();
    later.put("processing/input/baseline_dataset_input/data.csv", format!("size,kind\n{}", rows(100)));
    for name in ["constraints", "statistics"] {
        later.put(&format!("processing/baseline/{name}.json"), tree.text(&format!("processing/output/{name}.json")));
    }
    let baseline = [
        ("baseline_constraints", "/opt/ml/processing/baseline/constraints.json"),
        ("baseline_statistics", "/opt/ml/processing/baseline/statistics.json"),
    ];
    done(&later, &[&DATA_QUALITY[..], &baseline].concat());
    assert_eq!(later.files("processing/output"), ["constraint_violations.json", "constraints.json", "statistics.json"]);
    assert_eq!(later.text("output/message"), "CompletedWithViolations: Job completed successfully with 1 violations.");
    let violations: Value = serde_json::from_str(&later.text("processing/output/constraint_violations.json")).unwrap();
    assert_eq!(violations["violations"][0]["constraint_check_type"], "baseline_drift_check");

    later.put("processing/baseline/constraints.json", "{}");
    let output = run(&later, &[&DATA_QUALITY[..], &baseline].concat());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.starts_with("error: /opt/ml/processing/baseline/constraints.json is not what the monitor writes"),
        "{said}"
    );
}
