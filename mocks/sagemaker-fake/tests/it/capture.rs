//! Data capture: what is in which file when.

use std::time::Duration;

use aws_sdk_sagemaker::types::{CaptureMode, CaptureStatus};
use model_monitor::records::{Capture, Encoding, Mode, Payload, Records};
use sagemaker_fake::Fake;
use sagemaker_fake::clock::{Clock, Timestamp};
use sagemaker_fake::ids::Ids;

use crate::account::patiently;
use crate::hosting::{Stage, capture, row};

const CSV: (&str, &str) = ("content-type", "text/csv");

/// 2026-11-24T09:58:30.250Z
const START: Timestamp = Timestamp(1_795_514_310_250);

const BOTH: [CaptureMode; 2] = [CaptureMode::Input, CaptureMode::Output];

async fn stage(percentage: i32, modes: &[CaptureMode]) -> Stage {
    let stage = Stage::with(Fake::builder().clock(Clock::frozen(START)).ids(Ids::seeded(1))).await;
    stage.endpoint("Sts", "good", Some(capture(percentage, modes))).await;
    stage
}

fn records(stage: &Stage, key: &str) -> Vec<Capture> {
    let text = stage.text(key);
    assert!(text.ends_with('\n'));
    Records::new(text.as_bytes()).map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_request_and_its_answer_are_captured() {
    let stage = stage(100, &BOTH).await;
    let described = stage.client.describe_endpoint().endpoint_name("Sts").send().await.unwrap();
    let summary = described.data_capture_config().unwrap();
    assert_eq!(
        (summary.capture_status(), summary.current_sampling_percentage(), summary.destination_s3_uri()),
        (Some(&CaptureStatus::Started), Some(100), Some("s3://sts-bucket/capture"))
    );
    let headers = [
        ("content-type", "text/csv; charset=utf-8"),
        ("x-amzn-sagemaker-inference-id", "sts_1"),
        ("x-amzn-sagemaker-custom-attributes", "trace=7"),
    ];
    let answer = stage.invoke("Sts", &headers, &row()).await;
    assert_eq!(stage.keys("capture/"), [""; 0], "the file is still open");
    stage.aws.fake().advance(Duration::from_secs(60)).unwrap();
    let keys = stage.keys("capture/");
    assert!(keys[0].starts_with("capture/Sts/AllTraffic/2026/11/24/09/58-30-250-") && keys.len() == 1, "{keys:?}");

    let text = stage.text(&keys[0]);
    let captured = records(&stage, &keys[0]).remove(0);
    let id = &captured.event_metadata.event_id;
    // As AWS writes it, to the byte; the order of the members is that of its real records.
    let expected = format!(
        "{{\"captureData\":{{\"endpointInput\":{{\"observedContentType\":\"text/csv; charset=utf-8\",\"mode\":\"INPUT\",\"data\":\"{}\",\
         \"encoding\":\"CSV\"}},\"endpointOutput\":{{\"observedContentType\":\"text/csv\",\"mode\":\"OUTPUT\",\"data\":\"{}\",\
         \"encoding\":\"CSV\"}}}},\"eventMetadata\":{{\"eventId\":\"{id}\",\"customAttributes\":[\"trace=7\"],\"inferenceId\":\"sts_1\",\
         \"inferenceTime\":\"2026-11-24T09:58:30Z\"}},\"eventVersion\":\"0\"}}\n",
        row(),
        answer.body.replace('\n', "\\n"),
    );
    assert_eq!(text, expected);
}

#[tokio::test]
async fn content_types_decide_on_encodings() {
    let stage = stage(100, &BOTH).await;
    let pairs = "{\"sentence1\": \"a cat\", \"sentence2\": \"a cat\"}";
    let json = ("content-type", "application/jsonlines");
    stage.invoke("Sts", &[json, ("accept", "application/jsonlines")], pairs).await;
    stage.invoke("Sts", &[CSV], &row()).await;
    // It is refused by the model: nothing is captured.
    stage.invoke("Sts", &[("content-type", "text/html")], "x").await;
    stage.aws.fake().advance(Duration::from_secs(60)).unwrap();
    let captured = records(&stage, &stage.keys("capture/")[0]);
    let encodings: Vec<_> = captured
        .iter()
        .map(|record| &record.capture_data)
        .map(|data| (data.endpoint_input.as_ref().unwrap().encoding, data.endpoint_output.as_ref().unwrap().encoding))
        .collect();
    assert_eq!(encodings, [(Encoding::Json, Encoding::Json), (Encoding::Csv, Encoding::Csv)]);
    let id = captured[0].event_metadata.inference_id.as_deref();
    assert_eq!((captured[0].capture_data.endpoint_input.as_ref().unwrap().data.as_str(), id), (pairs, None));
}

#[tokio::test]
async fn options_and_percentage_say_what_is_captured() {
    async fn check(percentage: i32, mode: CaptureMode, count: std::ops::RangeInclusive<usize>, sides: (bool, bool)) {
        let stage = stage(percentage, &[mode]).await;
        for _ in 0..100 {
            stage.invoke("Sts", &[CSV], &row()).await;
        }
        stage.aws.fake().advance(Duration::from_secs(60)).unwrap();
        let captured: Vec<_> = stage.keys("capture/").iter().flat_map(|key| records(&stage, key)).collect();
        assert!(count.contains(&captured.len()), "{percentage} %: {}", captured.len());
        for record in captured {
            let is = |side: &Option<Payload>, mode| side.as_ref().is_some_and(|side| side.mode == Some(mode));
            let data = &record.capture_data;
            assert_eq!((is(&data.endpoint_input, Mode::Input), is(&data.endpoint_output, Mode::Output)), sides);
        }
    }
    check(100, CaptureMode::Input, 100..=100, (true, false)).await;
    check(100, CaptureMode::InputAndOutput, 100..=100, (true, true)).await;
    // Half of 100, and four standard deviations.
    check(50, CaptureMode::Output, 30..=70, (false, true)).await;
    check(0, CaptureMode::InputAndOutput, 0..=0, (false, false)).await;
}

#[tokio::test]
async fn files_are_of_a_minute_each() {
    let stage = stage(100, &BOTH).await;
    let advance = |seconds| stage.aws.fake().advance(Duration::from_secs(seconds)).unwrap();
    let invoke = async |id| {
        stage.invoke("Sts", &[CSV, ("x-amzn-sagemaker-inference-id", id)], &row()).await;
    };
    let files = || {
        let keys = stage.keys("capture/");
        let ids =
            |key: &str| records(&stage, key).into_iter().map(|record| record.event_metadata.inference_id.unwrap());
        let shape = |key: &String| {
            let name = key.strip_prefix("capture/Sts/AllTraffic/2026/11/24/").unwrap();
            (name[..12].to_owned(), ids(key).collect::<Vec<_>>().join(" "))
        };
        keys.iter().map(shape).collect::<Vec<_>>()
    };
    invoke("1").await;
    advance(59);
    invoke("2").await;
    assert_eq!(files(), []);
    advance(1);
    let first = ("09/58-30-250".to_owned(), "1 2".to_owned());
    assert_eq!(files(), std::slice::from_ref(&first), "it is there when its minute is over, without another request");
    invoke("3").await;
    // An hour in one go: what was captured before is there, in the folder of its own hour.
    advance(3600);
    let second = ("09/59-30-250".to_owned(), "3".to_owned());
    assert_eq!(files(), [first.clone(), second.clone()]);
    invoke("4").await;
    stage.client.delete_endpoint().endpoint_name("Sts").send().await.unwrap();
    assert_eq!(stage.settled("Sts").await, None);
    assert_eq!(files(), [first, second, ("10/59-30-250".to_owned(), "4".to_owned())], "a deletion loses nothing");
}

#[tokio::test]
async fn an_update_takes_over_what_is_captured_and_loses_nothing() {
    let stage = stage(100, &BOTH).await;
    stage.invoke("Sts", &[CSV], &row()).await;
    stage.config("silent", &[("AllTraffic", "good", 1.0)], None).await;
    stage.client.update_endpoint().endpoint_name("Sts").endpoint_config_name("silent").send().await.unwrap();
    stage.settled("Sts").await;
    stage.invoke("Sts", &[CSV], &row()).await;
    stage.client.delete_endpoint().endpoint_name("Sts").send().await.unwrap();
    stage.settled("Sts").await;
    stage.aws.fake().advance(Duration::from_secs(60)).unwrap();
    let uploaded = async {
        while stage.keys("capture/").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    patiently(uploaded).await;
    let captured: Vec<_> = stage.keys("capture/").iter().flat_map(|key| records(&stage, key)).collect();
    assert_eq!(captured.len(), 1);
}

#[tokio::test]
async fn closed_or_killed_nothing_is_lost() {
    let state = tempfile::tempdir().unwrap();
    let open = || Stage::with(Fake::builder().state(state.path()).clock(Clock::frozen(START)));
    let stage = open().await;
    stage.endpoint("Sts", "good", Some(capture(100, &BOTH))).await;
    stage.invoke("Sts", &[CSV], &row()).await;
    // What a killed process leaves: the file, and no object.
    let left = state.path().join("capture/sts-bucket/capture/Sts/AllTraffic/2026/11/24/09");
    let copy = tempfile::tempdir().unwrap();
    let name = std::fs::read_dir(&left).unwrap().next().unwrap().unwrap().file_name();
    std::fs::copy(left.join(&name), copy.path().join(&name)).unwrap();
    stage.close().await;
    let key = format!("capture/Sts/AllTraffic/2026/11/24/09/{}", name.to_str().unwrap());
    let stage = open().await;
    assert_eq!(stage.keys("capture/"), std::slice::from_ref(&key));
    let kept = stage.text(&key);

    let other = "59-59-000-other.jsonl";
    stage.close().await;
    std::fs::copy(copy.path().join(&name), left.join(other)).unwrap();
    let stage = open().await;
    assert_eq!(stage.keys("capture/").len(), 2);
    assert_eq!(stage.text(&format!("capture/Sts/AllTraffic/2026/11/24/09/{other}")), kept);
}
