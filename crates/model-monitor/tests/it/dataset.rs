//! Files of all formats, read to rows.

use model_monitor::{
    analysis::{Observation, Unusable},
    attribute::Attribute,
    dataset::{Attributes, Chunks, DatasetError, DatasetFormat, FormatError},
};
use proptest::{collection::vec, prelude::*};

/// Reads a file; a row as `line: label|prediction|probability`, or its line and why it cannot be used.
fn rows_in_chunks(text: &[u8], format: &str, attributes: [&str; 3], size: usize) -> Result<Vec<String>, String> {
    let format: DatasetFormat = format.parse().map_err(|error: FormatError| error.to_string())?;
    let [inference, probability, ground_truth] =
        attributes.map(|text| (!text.is_empty()).then(|| Attribute::new(text)));
    let attributes = Attributes { inference, probability, ground_truth };
    let mut rows = Vec::new();
    let mut each = |line, row: Result<Observation<'_>, Unusable>| {
        rows.push(match row {
            Ok(row) => format!(
                "{line}: {}|{}|{}",
                row.ground_truth,
                row.inference.as_deref().unwrap_or("-"),
                row.probability.as_deref().unwrap_or("-")
            ),
            Err(reason) => format!("{line}: {reason}"),
        });
    };
    let read = Chunks::new(text, format, &attributes, size)
        .and_then(|mut chunks| chunks.try_for_each(|chunk| chunk?.rows(&attributes, &mut each)));
    read.map(|()| rows).map_err(|error: DatasetError| error.to_string())
}

fn rows(text: &[u8], format: &str, attributes: [&str; 3]) -> Result<Vec<String>, String> {
    rows_in_chunks(text, format, attributes, 1 << 20)
}

#[track_caller]
fn check(text: &str, format: &str, attributes: [&str; 3], expected: &[&str]) {
    assert_eq!(rows(text.as_bytes(), format, attributes).unwrap(), expected);
}

const HEADER: &str = r#"{"csv": {"header": true, "output_columns_position": "START"}}"#;
const NO_HEADER: &str = r#"{"csv": {"header": false}}"#;
const LINES: &str = r#"{"json": {"lines": true}}"#;
const MERGED: &str = r#"{"sagemakerMergeJson":{"captureIndexNames":["endpointOutput"]}}"#;

#[test]
fn csv() {
    let text = "prediction,probability,label\n1,0.9,0\r\n\"a,b\",0.1,1\n0,0.5\n";
    let missing = "4: there is no ground_truth_attribute \"label\"";
    check(text, HEADER, ["prediction", "probability", "label"], &["2: 0|1|0.9", "3: 1|a,b|0.1", missing]);
    check("1,0.9,0\n", NO_HEADER, ["_c0", "1", "_c2"], &["1: 0|1|0.9"]);
    check("1,0.9,0\n", NO_HEADER, ["_c0", "", "_c3"], &["1: there is no ground_truth_attribute \"_c3\""]);
    check("", HEADER, ["", "", ""], &[]);
    let error = rows(text.as_bytes(), HEADER, ["predicted", "", "label"]).unwrap_err();
    assert_eq!(error, "the header has no inference_attribute \"predicted\": it has prediction, probability, label");
}

#[test]
fn json_lines() {
    let text = "{\"out\": {\"p\": 0.5}, \"label\": \"yes\"}\n\n{\"label\": null}\n";
    check(text, LINES, ["out.p", "", "label"], &["1: yes|0.5|-", "3: there is no inference_attribute \"out.p\""]);
    assert_eq!(
        rows(b"[1", LINES, ["", "", ""]).unwrap_err(),
        "line 1, column 2: is not JSON: EOF while parsing a list"
    );
}

/// A merged record with this label and output.
fn merged(label: &str, label_encoding: &str, output: &str, encoding: &str) -> String {
    let (label, output) = (serde_json::to_string(label).unwrap(), serde_json::to_string(output).unwrap());
    format!(
        r#"{{"eventVersion":"0","groundTruthData":{{"data":{label},"encoding":"{label_encoding}"}},"captureData":{{"endpointOutput":{{"data":{output},"encoding":"{encoding}"}}}},"eventMetadata":{{"eventId":"a"}}}}"#
    )
}

#[test]
fn merged_records() {
    #[track_caller]
    fn one(record: &str, attributes: [&str; 3], expected: &str) {
        check(record, MERGED, attributes, &[&format!("1: {expected}")]);
    }
    one(&merged("1\n", "CSV", "0,0.25\n", "CSV"), ["0", "1", ""], "1|0|0.25");
    one(&merged("1", "CSV", "\"a \"\"b\"\"\",0.25", "CSV"), ["0", "1", ""], "1|a \"b\"|0.25");
    one(&merged("x,1", "CSV", "0", "CSV"), ["0", "", "1"], "1|0|-");
    one(&merged("1", "CSV", "0", "CSV"), ["1", "", ""], "there is no inference_attribute \"1\"");
    one(&merged("1", "CSV", "0", "CSV"), ["prediction", "", ""], "there is no inference_attribute \"prediction\"");
    one(&merged("1", "CSV", "0\n1\n", "CSV"), ["0", "", ""], "the endpointOutput has 2 rows: a label belongs to one");
    one(&merged("1", "CSV", "", "CSV"), ["0", "", ""], "the endpointOutput has 0 rows: a label belongs to one");
    one(&merged("1", "CSV", "\"a\"\nb", "CSV"), ["0", "", ""], "the endpointOutput has 2 rows: a label belongs to one");
    let answer = "{\"predicted_label\":1,\"score\":0.9}\n";
    one(&merged("{\"label\": 0}", "JSON", answer, "JSON"), ["predicted_label", "score", "label"], "0|1|0.9");
    one(&merged("{\"label\": 0}", "JSON", answer, "JSON"), ["predicted_label", "$.score", ""], "0|1|0.9");
    one(&merged("0", "JSON", answer, "JSON"), ["predicted_label", "", ""], "0|1|-");
    one(
        &merged("{\"a\": 0, \"b\": 1}", "JSON", answer, "JSON"),
        ["score", "", ""],
        "the ground_truth_attribute is empty",
    );
    one(
        &merged("1", "CSV", &answer.repeat(2), "JSON"),
        ["score", "", ""],
        "the endpointOutput has 2 rows: a label belongs to one",
    );
    one(
        &merged("1", "CSV", "{", "JSON"),
        ["score", "", ""],
        "the endpointOutput is not JSON: EOF while parsing an object at line 1 column 1",
    );
    one(
        &merged("1", "CSV", "MQ==", "BASE64"),
        ["0", "", ""],
        "the endpointOutput was captured as BASE64: list its content type in the endpoint's CaptureContentTypeHeader",
    );
    one(&merged("1", "CSV", "1", "CSV").replace("Output", "Input"), ["0", "", ""], "no endpointOutput was captured");
}

#[test]
fn formats_that_cannot_be_read_are_refused_by_name() {
    #[track_caller]
    fn refused(format: &str, reason: &str) {
        let error = format.parse::<DatasetFormat>().unwrap_err().to_string();
        assert!(error.contains(reason) && error.starts_with("dataset_format is "), "{error}");
    }
    refused(r#"{"parquet": {}}"#, "parquet is not read");
    refused(r#"{"json": {"lines": false}}"#, "set lines to true");
    refused(r#"{"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput"]}}"#, "when their labels are merged");
    refused(r#"{"sagemakerMergeJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}"#, "one side");
    refused(r#"{"sagemakerMergeJson": {"captureIndexNames": ["endpoint"]}}"#, "unknown variant `endpoint`");
    refused(r#"{"xml": {}}"#, "unknown variant `xml`");
    refused("csv", "expected value");
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused(
        lines in vec("[-a0,.\"{}:\\\\ ]{0,12}|.{0,12}|\\{\"[01a]\": 1\\}", 0..6),
        format in 0..4_usize,
        size in 0..40_usize,
    ) {
        let format = [HEADER, NO_HEADER, LINES, MERGED][format];
        let text = lines.join("\n");
        let whole = rows(text.as_bytes(), format, ["0", "a", "1"]);
        // In how many chunks does not matter.
        prop_assert_eq!(rows_in_chunks(text.as_bytes(), format, ["0", "a", "1"], size), whole);
    }

    #[test]
    fn any_payload_is_read_or_refused(output in ".{0,20}|[-0-9,\"\n{}\\[\\]:]{0,20}", label in ".{0,9}", json: bool, label_json: bool) {
        let name = |json| if json { "JSON" } else { "CSV" };
        let record = merged(&label, name(label_json), &output, name(json));
        prop_assert_eq!(rows(record.as_bytes(), MERGED, ["0", "", ""]).unwrap().len(), 1);
    }
}
