//! The join of captured records and labels.

use model_monitor::{
    merge::{Labels, Report, Tally},
    records::{Capture, CaptureData, EventMetadata, GroundTruth, Merged, Records},
};
use proptest::{collection::vec, option, prelude::*};

fn capture(event_id: &str, inference_id: Option<&str>) -> Capture {
    let ids = EventMetadata {
        event_id: event_id.to_owned(),
        inference_id: inference_id.map(str::to_owned),
        ..EventMetadata::default()
    };
    Capture::new(CaptureData::default(), ids)
}

fn join(captures: &[Capture], labels: &[GroundTruth]) -> (Vec<Merged>, Report) {
    let mut kept = Labels::default();
    labels.iter().for_each(|label| kept.add(label));
    let join = kept.join();
    let (mut merged, mut tally) = (Vec::new(), Tally::default());
    // In pieces, as threads do it.
    for piece in captures.chunks(2) {
        let mut of_piece = Tally::default();
        piece.iter().for_each(|capture| join.merge(capture, &mut merged, &mut of_piece));
        tally.append(of_piece);
    }
    (Records::new(merged.as_slice()).collect::<Result<_, _>>().unwrap(), join.report(tally))
}

/// `eventId` of the record and the label, for each merged record in turn.
#[track_caller]
fn check(captures: &[(&str, Option<&str>)], labels: &[(&str, &str)], expected: &[(&str, &str)], report: &str) {
    let captures: Vec<_> = captures.iter().map(|(event_id, id)| capture(event_id, *id)).collect();
    let labels: Vec<_> = labels.iter().map(|(id, label)| GroundTruth::new(id, label)).collect();
    let (merged, found) = join(&captures, &labels);
    let merged: Vec<_> =
        merged.iter().map(|m| (m.event_metadata.event_id.as_str(), m.ground_truth_data.data.as_str())).collect();
    assert_eq!((merged.as_slice(), found.to_string().as_str()), (expected, report));
}

#[test]
fn records_and_labels_are_joined_by_id() {
    check(
        &[("a", Some("1")), ("b", None)],
        &[("b", "0"), ("1", "1")],
        &[("a", "1"), ("b", "0")],
        "2 captured records and 2 labels give 2 merged records",
    );
    // Where the caller gave an id, the endpoint's own is not looked at.
    check(
        &[("a", Some("1"))],
        &[("a", "0")],
        &[],
        "1 captured records and 1 labels give 0 merged records; without label are 1 records, for instance 1; without \
         record are 1 labels, for instance a",
    );
    // A label serves every record of its id: traffic that repeats its ids.
    check(
        &[("a", Some("1")), ("b", Some("1")), ("c", Some("1"))],
        &[("1", "1")],
        &[("a", "1"), ("b", "1"), ("c", "1")],
        "3 captured records and 1 labels give 3 merged records",
    );
    check(
        &[("a", None)],
        &[("a", "0"), ("x", "0"), ("a", "1"), ("a", "0")],
        &[("a", "0"), ("a", "1"), ("a", "0")],
        "1 captured records and 4 labels give 3 merged records; without record are 1 labels, for instance x; 2 labels \
         have the id of another",
    );
    check(&[], &[], &[], "0 captured records and 0 labels give 0 merged records");
    check(
        &[("a", None), ("b", None), ("c", None), ("d", None)],
        &[],
        &[],
        "4 captured records and 0 labels give 0 merged records; without label are 4 records, for instance a, b, c",
    );
}

/// The run behind `aws/violations_2021-05-18.json`: 334 labels, ids that come round again and again, 200 records whose id
/// nobody labelled, 1892 merged records.
#[test]
fn the_join_of_a_real_hour_has_as_many_records() {
    let labels: Vec<_> = (0..334).map(|id| GroundTruth::new(&id.to_string(), "1")).collect();
    let mut captures: Vec<_> = (0..1892).map(|n| capture(&format!("e{n}"), Some(&(n % 334).to_string()))).collect();
    captures.extend((0..200).map(|n| capture(&format!("f{n}"), None)));
    let (merged, report) = join(&captures, &labels);
    assert_eq!((merged.len(), report.merged, report.unmatched_captures), (1892, 1892, 200));
    assert_eq!((report.labels, report.unmatched_labels, report.captures), (334, 0, 2092));
}

proptest! {
    #[test]
    fn the_order_of_records_and_labels_does_not_matter(
        captures in vec((0..9_u8, option::of(0..9_u8)), 0..20),
        labels in vec((0..9_u8, 0..3_u8), 0..20),
        turn in 0..20_usize,
    ) {
        let mut captures: Vec<_> =
            captures.iter().map(|(e, id)| capture(&e.to_string(), id.map(|id| id.to_string()).as_deref())).collect();
        let mut labels: Vec<_> = labels.iter().map(|(id, label)| GroundTruth::new(&id.to_string(), &label.to_string())).collect();
        let sorted = |mut merged: Vec<Merged>| {
            merged.sort_by_cached_key(|merged| format!("{merged:?}"));
            merged
        };
        let (merged, report) = join(&captures, &labels);
        // By the definition of an inner join.
        let expected = captures.iter().flat_map(|c| labels.iter().map(move |l| (c, l)));
        let expected = expected.filter(|(c, l)| c.id() == l.event_metadata.event_id).count() as u64;
        prop_assert_eq!((merged.len() as u64, report.merged), (expected, expected));
        let (turn_captures, turn_labels) = (turn % captures.len().max(1), turn % labels.len().max(1));
        captures.rotate_left(turn_captures);
        captures.reverse();
        labels.rotate_left(turn_labels);
        let (again, report_again) = join(&captures, &labels);
        prop_assert_eq!(sorted(again), sorted(merged));
        prop_assert_eq!(report_again.repeated_labels, report.repeated_labels);
        prop_assert_eq!(report_again.unmatched_labels, report.unmatched_labels);
        prop_assert_eq!(report_again.unmatched_captures, report.unmatched_captures);
    }
}
