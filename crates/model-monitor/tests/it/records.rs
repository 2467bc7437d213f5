//! Records as AWS writes them, and whatever else may stand in a line.

use std::io::{self, BufReader, Read, repeat};

use model_monitor::records::{
    Capture, CaptureData, Chunks, ContentTypes, Encoding, EventMetadata, GroundTruth, Label, MAX_RECORD, Merged, Mode,
    Payload, RecordError, Records,
};
use proptest::{collection::vec, option, prelude::*};
use serde::de::DeserializeOwned;

const CAPTURED: &str = include_str!("aws/capture_records.jsonl");

fn read<T: DeserializeOwned>(text: &[u8]) -> Result<Vec<T>, RecordError> {
    Records::new(text).collect()
}

#[test]
fn real_captures_are_read_and_written_byte_by_byte() {
    let records: Vec<Capture> = read(CAPTURED.as_bytes()).unwrap();
    assert_eq!(records.len(), 36);
    let mut written = Vec::new();
    records.iter().for_each(|record| record.write(&mut written));
    assert_eq!(String::from_utf8(written).unwrap(), CAPTURED);
}

#[test]
fn the_callers_id_comes_before_the_endpoints() {
    let records: Vec<Capture> = read(CAPTURED.as_bytes()).unwrap();
    let with_id = records.iter().filter(|record| record.event_metadata.inference_id.is_some()).count();
    assert_eq!(with_id, 6);
    for record in records {
        let ids = &record.event_metadata;
        assert_eq!(record.id(), ids.inference_id.as_deref().unwrap_or(&ids.event_id));
    }
}

/// The endpoint's sample is written in its order; that of batch jobs is another, and read alone.
#[test]
fn real_merged_records_are_read() {
    let compact = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap().to_string();
    let endpoint = compact(include_str!("aws/merged_record_endpoint_json.json"));
    let merged: Merged = read(endpoint.as_bytes()).unwrap().remove(0);
    let mut written = Vec::new();
    let capture = Capture::new(merged.capture_data, merged.event_metadata);
    Merged::write(&mut written, &capture, &merged.ground_truth_data.data, merged.ground_truth_data.encoding);
    assert_eq!(String::from_utf8(written).unwrap(), endpoint + "\n");

    for (text, label, ending) in [
        (include_str!("aws/merged_record_batch_csv.json"), "1", ",0.01584203727543354"),
        (include_str!("aws/merged_record_batch_json.json"), "{\"label\": 1}", "55,37]}"),
    ] {
        let merged: Merged = read(compact(text).as_bytes()).unwrap().remove(0);
        assert_eq!(merged.ground_truth_data.data, label);
        let output = merged.capture_data.batch_transform_output.unwrap();
        assert!(output.mode.is_none() && output.data.contains(ending), "{}", output.data);
    }
}

#[test]
fn a_captured_request_is_written_as_sagemaker_does() {
    let types = ContentTypes { csv: vec!["text/csv".to_owned()], json: vec![] };
    let side = |mode, body: &str| Some(Payload::capture(mode, Some("text/csv"), body.as_bytes(), &types));
    let record = Capture::new(
        CaptureData {
            endpoint_input: side(Mode::Input, "1,\"a\"\n"),
            endpoint_output: side(Mode::Output, "1,0.9"),
            batch_transform_output: None,
        },
        EventMetadata {
            event_id: "e".to_owned(),
            inference_id: Some("sts_1".to_owned()),
            inference_time: Some("2021-05-18T00:29:02Z".to_owned()),
            ..EventMetadata::default()
        },
    );
    let mut written = Vec::new();
    record.write(&mut written);
    GroundTruth::new("sts_1", "0").write(&mut written);
    assert_eq!(
        String::from_utf8(written).unwrap(),
        concat!(
            r#"{"captureData":{"endpointInput":{"observedContentType":"text/csv","mode":"INPUT","data":"1,\"a\"\n","encoding":"CSV"},"#,
            r#""endpointOutput":{"observedContentType":"text/csv","mode":"OUTPUT","data":"1,0.9","encoding":"CSV"}},"#,
            r#""eventMetadata":{"eventId":"e","inferenceId":"sts_1","inferenceTime":"2021-05-18T00:29:02Z"},"eventVersion":"0"}"#,
            "\n",
            r#"{"groundTruthData":{"data":"0","encoding":"CSV"},"eventMetadata":{"eventId":"sts_1"},"eventVersion":"0"}"#,
            "\n",
        )
    );
}

#[test]
fn what_is_not_known_does_not_matter() {
    let line = r#"{"new": [1], "eventMetadata": {"inferenceTime": "{%s}", "eventId": "a", "x": {}}, "groundTruthData":
        {"encoding": "CSV", "data": " 1\n", "y": null}}"#
        .replace('\n', " ");
    let label: GroundTruth = read(format!("\n  \r\n{line}\r\n\n").as_bytes()).unwrap().remove(0);
    assert_eq!(label.ground_truth_data, Label { data: " 1\n".to_owned(), encoding: Encoding::Csv });
    assert_eq!(label.event_version, "0");
}

#[test]
fn what_is_no_record_has_a_place_and_a_reason() {
    #[track_caller]
    fn check(text: &[u8], expected: &str) {
        assert_eq!(read::<GroundTruth>(text).unwrap_err().to_string(), expected);
    }
    let good = r#"{"groundTruthData":{"data":"0","encoding":"CSV"},"eventMetadata":{"eventId":"a"}}"#;
    check(format!("{good}\n{}", &good[..40]).as_bytes(), "line 2, column 40: is not JSON: EOF while parsing a string");
    check(
        b"\n1,0.5\n",
        "line 2, column 1: is not such a record: invalid type: integer `1`, expected struct GroundTruth",
    );
    check(b"id;label", "line 1, column 1: is not JSON: expected value");
    check(b"{}", "line 1, column 2: is not such a record: missing field `groundTruthData`");
    check(
        good.replace("CSV", "XML").as_bytes(),
        "line 1, column 47: is not such a record: unknown variant `XML`, expected one of `CSV`, `JSON`, `BASE64`",
    );
    check(
        good.replace("\"0\"", "0").as_bytes(),
        "line 1, column 28: is not such a record: invalid type: integer `0`, expected a string",
    );
    check(b"{\"eventVersion\":\"\xff\"}", "line 1, column 18: is not JSON: invalid unicode code point");
    let long = repeat(b' ').take(MAX_RECORD as u64).chain(&b" \n"[..]);
    let mut long = Records::<_, GroundTruth>::new(BufReader::new(long));
    assert!(matches!(long.next(), Some(Err(RecordError::TooLong { line: 1 }))) && long.next().is_none());
}

/// What a source has, read in chunks: ids, and in the end why it is not read on.
fn in_chunks(source: impl Read, size: usize) -> (Vec<String>, Option<RecordError>) {
    let mut ids = Vec::new();
    let read = Chunks::new(BufReader::new(source), size).try_for_each(|chunk| {
        chunk?.records::<GroundTruth>().try_for_each(|label| {
            ids.push(label?.event_metadata.event_id);
            Ok(())
        })
    });
    (ids, read.err())
}

/// Fails once it is asked.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("torn"))
    }
}

#[test]
fn chunks_tell_what_a_source_lacks_after_what_it_has() {
    let mut lines = Vec::new();
    (0..5).for_each(|id: u32| GroundTruth::new(&id.to_string(), "1").write(&mut lines));
    let ids = ["0", "1", "2", "3", "4"];
    for size in [1, 100, 250, 1 << 20] {
        let (found, error) = in_chunks(lines.chain(&b"{\"groundTruthData"[..]).chain(Broken), size);
        assert_eq!(found, ids, "{size}");
        assert!(matches!(error, Some(RecordError::Read { line: 6, .. })), "{size}: {error:?}");
    }
    let (found, error) = in_chunks(lines.chain(repeat(b' ').take(MAX_RECORD as u64 + 1)), 1 << 20);
    assert_eq!(found, ids);
    assert!(matches!(error, Some(RecordError::TooLong { line: 6 })), "{error:?}");
}

fn payload(mode: Mode) -> impl Strategy<Value = Payload> {
    let encoding = prop_oneof![Just(Encoding::Csv), Just(Encoding::Json), Just(Encoding::Base64)];
    (option::of(".*"), ".*", encoding).prop_map(move |(observed_content_type, data, encoding)| Payload {
        observed_content_type,
        mode: Some(mode),
        data,
        encoding,
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(lines in vec(vec(any::<u8>(), 0..60), 0..4)) {
        let text = lines.join(&b'\n');
        let _ = (read::<Capture>(&text), read::<GroundTruth>(&text), read::<Merged>(&text));
    }

    #[test]
    fn in_how_many_chunks_does_not_matter(
        lines in vec(prop_oneof!["[ab]{1,9}".prop_map(|id| {
            let mut line = Vec::new();
            GroundTruth::new(&id, "1").write(&mut line);
            line
        }), vec(any::<u8>(), 0..3), Just(b"\r\n".to_vec())], 0..9),
        size in 0..300_usize,
    ) {
        let text = lines.concat();
        let (ids, error) = in_chunks(text.as_slice(), 1 << 20);
        let (in_pieces, error_in_pieces) = in_chunks(text.as_slice(), size);
        prop_assert_eq!((in_pieces, format!("{error_in_pieces:?}")), (ids.clone(), format!("{error:?}")));
        let whole: Vec<Result<GroundTruth, _>> = Records::new(text.as_slice()).collect();
        prop_assert_eq!(whole.len(), ids.len() + usize::from(error.is_some()));
        prop_assert_eq!(format!("{:?}", whole.into_iter().find_map(Result::err)), format!("{error:?}"));
    }

    #[test]
    fn any_damage_to_a_record_is_read_or_refused(at in 0..420_usize, byte: u8) {
        let mut line = CAPTURED.lines().last().unwrap().as_bytes().to_vec();
        let at = at % line.len();
        line[at] = byte;
        if let Ok(records) = read::<Capture>(&line) {
            prop_assert!(records.len() <= 2);
        }
    }

    #[test]
    fn records_read_back(input in option::of(payload(Mode::Input)), output in option::of(payload(Mode::Output)), event_id in ".*", inference_id in option::of(".*"), label in ".*") {
        let capture = Capture::new(
            CaptureData { endpoint_input: input, endpoint_output: output, batch_transform_output: None },
            EventMetadata { event_id, inference_id, ..EventMetadata::default() },
        );
        let mut text = Vec::new();
        capture.write(&mut text);
        prop_assert_eq!(read::<Capture>(&text).unwrap(), std::slice::from_ref(&capture));
        text.clear();
        Merged::write(&mut text, &capture, &label, Encoding::Json);
        prop_assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 1);
        let merged = read::<Merged>(&text).unwrap().remove(0);
        prop_assert_eq!(merged.capture_data, capture.capture_data);
        prop_assert_eq!(merged.event_metadata, capture.event_metadata);
        prop_assert_eq!(merged.ground_truth_data, Label { data: label, encoding: Encoding::Json });
    }
}
