//! A busy hour: a million captured records, merged with their labels and analysed. In memory: the disk is not measured.

use std::{fmt::Write, time::Duration};

use criterion::{Criterion, Throughput};
use model_monitor::{
    analysis::{Analysis, Settings},
    attribute::Attribute,
    dataset::{Attributes, Chunks, DatasetFormat, Side},
    merge::{Labels, Tally},
    problem::Problem,
    records::{Capture, CaptureData, ContentTypes, EventMetadata, GroundTruth, Mode, Payload, Records},
    statistics::Statistics,
};

const RECORDS: u64 = 1_000_000;

/// As many features as the toolkit's own model has, of numbers as long as they are there.
const FEATURES: usize = 30;

/// As the container reads them.
const CHUNK: usize = 64 * 1024;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    benches(&mut criterion);
    criterion.final_summary();
}

fn benches(criterion: &mut Criterion) {
    let captures = captures();
    let mut labels = Vec::new();
    (0..RECORDS).for_each(|n| GroundTruth::new(&format!("sts_{n}"), &(n % 2).to_string()).write(&mut labels));
    let merged = merge(&captures, &labels);

    let mut group = criterion.benchmark_group("hour");
    group.sample_size(10).measurement_time(Duration::from_secs(5)).throughput(Throughput::Elements(RECORDS));
    group.bench_function("merge", |b| b.iter(|| merge(&captures, &labels).len()));
    group.bench_function("analyse", |b| b.iter(|| analyse(&merged)));
    group.finish();
}

fn captures() -> Vec<u8> {
    let types = ContentTypes { csv: vec!["text/csv".to_owned()], json: vec![] };
    let mut lines = Vec::new();
    for n in 0..RECORDS {
        // Every probability another, in no order: the worst for sorting.
        let probability = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / (1_u64 << 53) as f64;
        let mut input = String::new();
        for feature in 0..FEATURES {
            let comma = if feature == 0 { "" } else { "," };
            let _ = write!(input, "{comma}{:.4}", probability * feature as f64);
        }
        let side = |mode, body: &str| Some(Payload::capture(mode, Some("text/csv"), body.as_bytes(), &types));
        let sides = CaptureData {
            endpoint_input: side(Mode::Input, &input),
            endpoint_output: side(Mode::Output, &format!("{},{probability}\n", u8::from(probability > 0.5))),
            batch_transform_output: None,
        };
        let ids = EventMetadata {
            event_id: format!("{:08x}-6cd4-4d3a-9b9e-{:012x}", n as u32, n),
            inference_id: Some(format!("sts_{n}")),
            inference_time: Some("2021-05-18T00:29:02Z".to_owned()),
            ..EventMetadata::default()
        };
        Capture::new(sides, ids).write(&mut lines);
    }
    lines
}

fn merge(captures: &[u8], labels: &[u8]) -> Vec<u8> {
    let mut kept = Labels::default();
    for label in Records::<_, GroundTruth>::new(labels) {
        kept.add(&label.expect("a label"));
    }
    let join = kept.join();
    let mut tally = Tally::default();
    let mut merged = Vec::with_capacity(captures.len() * 2);
    for capture in Records::<_, Capture>::new(captures) {
        join.merge(&capture.expect("a record"), &mut merged, &mut tally);
    }
    merged
}

fn analyse(merged: &[u8]) -> Option<Statistics> {
    let settings = Settings { problem: Problem::BinaryClassification, threshold: None, positive_label: None };
    let attributes =
        Attributes { inference: Some(Attribute::new("0")), probability: Some(Attribute::new("1")), ground_truth: None };
    let mut analysis = Analysis::new(&settings);
    let format = DatasetFormat::Merged { side: Side::EndpointOutput };
    for chunk in Chunks::new(merged, format, &attributes, CHUNK).expect("a format without header") {
        let rows = chunk.expect("memory can be read").rows(&attributes, |_, row| {
            let _ = row.and_then(|row| analysis.add(&row));
        });
        rows.expect("merged records");
    }
    analysis.finish()
}
