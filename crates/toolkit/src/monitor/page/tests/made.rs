//! Endpoints that are made up: records by a fixed rule, and everything else computed of them as the monitor does.

use std::fmt::Write;

use model_monitor::analysis::{Analysis, Observation, Settings};
use model_monitor::attribute::Attribute;
use model_monitor::constraints::Constraints;
use model_monitor::dataset::{Attributes, Side};
use model_monitor::problem::Problem;
use model_monitor::records::{
    Capture, CaptureData, ContentTypes, Encoding, EventMetadata, Merged, Mode, Payload, Records,
};
use model_monitor::statistics::Statistics;
use model_monitor::violations::Violations;
use time::{Duration, macros::datetime};

use crate::monitor::sample::{Reader, Reading, Sample};
use crate::monitor::{Baseline, Feature, Hour, Report};

/// What kind of hour it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// As the baseline.
    Healthy,
    /// With other requests, and worse predictions.
    Drifted,
    /// Drifted, but nobody read its records.
    Unread,
    /// Without data.
    Failed,
    /// Not ended yet.
    Pending,
}

/// Numbers in 0..1 by a fixed rule (Knuth's MMIX generator).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn settings() -> Settings {
    Settings { problem: Problem::BinaryClassification, threshold: None, positive_label: None }
}

fn reading() -> Reading {
    let attribute = |text| Some(Attribute::new(text));
    let attributes = Attributes { inference: attribute("0"), probability: attribute("1"), ground_truth: None };
    Reading { attributes, side: Side::EndpointOutput, settings: settings() }
}

/// Merged records: five features, the last of them sometimes missing; the first two drift.
pub fn merged(rows: u32, seed: u64, drift: f64) -> Vec<u8> {
    let mut numbers = Numbers(seed);
    let types = ContentTypes { csv: vec!["text/csv".to_owned()], json: vec![] };
    let mut lines = Vec::new();
    for row in 0..rows {
        let label = numbers.next() < 0.65;
        let signal = if label { 1.0 } else { -1.0 };
        let noise = (0..4).map(|_| numbers.next() - 0.5).sum::<f64>();
        let logit = (1.6 - 1.4 * drift) * signal + 2.0 * noise;
        let probability = 1.0 / (1.0 + (-logit).exp());
        let mut features =
            format!("{:.4},{:.4}", numbers.next() + drift, (10.0 * numbers.next() * (1.0 + drift)).round());
        // Writing to a string cannot fail.
        let _ = write!(features, ",{:.4},{}", numbers.next() * numbers.next(), u8::from(numbers.next() < 0.1));
        features += &if numbers.next() < 0.05 { ",".to_owned() } else { format!(",{:.3}", 100.0 * numbers.next()) };
        let answer = format!("{},{probability:.6}", u8::from(probability > 0.5));
        let side = |mode, text: &str| Some(Payload::capture(mode, Some("text/csv"), text.as_bytes(), &types));
        let data = CaptureData {
            endpoint_input: side(Mode::Input, &features),
            endpoint_output: side(Mode::Output, &answer),
            batch_transform_output: None,
        };
        let ids = EventMetadata { event_id: row.to_string(), ..EventMetadata::default() };
        Merged::write(&mut lines, &Capture::new(data, ids), &u8::from(label).to_string(), Encoding::Csv);
    }
    lines
}

fn sample(lines: &[u8]) -> Sample {
    let reading = reading();
    let mut reader = Reader::new(&reading);
    reader.read(lines).unwrap();
    reader.finish()
}

fn statistics(lines: &[u8]) -> Statistics {
    let reading = reading();
    let mut analysis = Analysis::new(&reading.settings);
    for record in Records::<_, Merged>::new(lines) {
        let record = record.unwrap();
        analysis.add(&reading.attributes.in_merged(&record, reading.side).unwrap()).unwrap();
    }
    analysis.finish().unwrap()
}

/// Statistics of rows of label and prediction.
pub fn statistics_of(settings: &Settings, rows: impl Iterator<Item = [String; 2]>) -> Statistics {
    let mut analysis = Analysis::new(settings);
    for [truth, predicted] in rows {
        let row = Observation { ground_truth: truth.into(), inference: Some(predicted.into()), probability: None };
        analysis.add(&row).unwrap();
    }
    analysis.finish().unwrap()
}

/// The suggested constraints, with some room.
pub fn constraints_of(baseline: &Statistics) -> Constraints {
    let mut constraints = Constraints::suggest(baseline);
    for (name, constraint) in &mut constraints.of {
        let room = 3.0 * baseline.metric(name).unwrap().standard_deviation.unwrap_or(0.0) + 0.02;
        match constraint.comparison_operator.name() {
            "LessThanThreshold" => constraint.threshold -= room,
            _ => constraint.threshold += room,
        }
    }
    constraints
}

fn baseline() -> Baseline {
    let lines = merged(612, 1, 0.0);
    let statistics = statistics(&lines);
    Baseline { constraints: constraints_of(&statistics), statistics: Some(statistics), sample: sample(&lines) }
}

/// The hour so many hours after the first.
pub fn hour_at(place: i64, made: Made) -> Hour {
    hour(place, made, &baseline())
}

fn hour(place: i64, made: Made, baseline: &Baseline) -> Hour {
    let start = datetime!(2026-11-26 08:00 UTC) + Duration::hours(place);
    let empty = Hour {
        start,
        end: start + Duration::hours(1),
        status: "Failed".to_owned(),
        message: Some("Job inputs had no data".to_owned()),
        statistics: None,
        violations: Vec::new(),
        observed: None,
    };
    let drift = match made {
        Made::Failed => return empty,
        Made::Pending => return Hour { status: "Pending".to_owned(), message: None, ..empty },
        Made::Healthy => 0.0,
        Made::Drifted | Made::Unread => 0.6,
    };
    let lines = merged(580, 10 + place.unsigned_abs(), drift);
    let statistics = statistics(&lines);
    let found = Violations::find(&statistics, &baseline.constraints);
    let status = if found.violations.is_empty() { "Completed" } else { "CompletedWithViolations" };
    Hour {
        status: status.to_owned(),
        message: Some(found.exit_message()),
        statistics: Some(statistics),
        violations: found.violations,
        observed: (made != Made::Unread).then(|| sample(&lines).against(&baseline.sample)),
        ..empty
    }
}

/// A report of such hours, one after the other.
pub fn report(made: &[Made]) -> Report {
    let features = [
        ("overlap", "share of words in both sentences"),
        ("length", "tokens of the shorter sentence"),
        ("edits", "edits between the two"),
        ("negation", "1 if one sentence alone denies"),
        ("weight", ""),
    ];
    let baseline = baseline();
    Report {
        endpoint: "sts-endpoint".to_owned(),
        schedule: "sts-model-quality".to_owned(),
        made: datetime!(2026-11-27 09:30 UTC),
        settings: settings(),
        features: features.map(|(name, about)| Feature { name: name.to_owned(), about: about.to_owned() }).into(),
        hours: (0..).zip(made).map(|(place, made)| hour(place, *made, &baseline)).collect(),
        baseline,
    }
}
