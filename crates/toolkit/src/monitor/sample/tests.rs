//! What is read, against what was written.

use model_monitor::attribute::Attribute;

use super::*;

const THRESHOLD_IN_USE: f64 = 0.4;

fn reading(problem: Problem) -> Reading {
    let attribute = |text| Some(Attribute::new(text));
    Reading {
        attributes: Attributes { inference: attribute("0"), probability: attribute("1"), ground_truth: None },
        side: Side::EndpointOutput,
        settings: Settings { problem, threshold: Some(THRESHOLD_IN_USE), positive_label: None },
    }
}

/// A merged record: the input with its encoding, the answer, the label.
fn line((input, encoding): (&str, &str), answer: &str, label: &str) -> String {
    serde_json::json!({
        "groundTruthData": {"data": label, "encoding": "CSV"},
        "captureData": {
            "endpointInput": {"data": input, "encoding": encoding},
            "endpointOutput": {"data": answer, "encoding": "CSV"},
        },
        "eventMetadata": {"eventId": "1"},
    })
    .to_string()
        + "\n"
}

fn read(problem: Problem, lines: &str) -> Sample {
    let reading = reading(problem);
    let mut reader = Reader::new(&reading);
    reader.read(lines.as_bytes()).unwrap();
    reader.finish()
}

/// To a millionth: means come with the rounding of their way.
fn rounded(mean: Option<f64>) -> f64 {
    (mean.unwrap() * 1e6).round() / 1e6
}

#[test]
fn records_become_counts_and_distributions() {
    let rows = [("1,10", 0.9, 1), ("2,20", 0.3, 1), ("3,", 0.45, 0), ("4,40", 0.1, 0)];
    let lines: String =
        rows.iter().map(|(input, p, label)| line((input, "CSV"), &format!("0,{p}\n"), &label.to_string())).collect();
    let sample = read(Problem::BinaryClassification, &lines);
    assert_eq!((sample.rows, sample.unusable, sample.reason), (4, 0, None));
    let scores = sample.scores.unwrap();
    // The threshold in use decides, not the label that the model gave.
    let matrix = scores.confusion_matrix();
    let counts = [matrix.true_negatives, matrix.false_positives, matrix.false_negatives, matrix.true_positives];
    assert_eq!(counts, [1, 1, 1, 1]);
    // Of the four pairs of a positive and a negative row, one is ranked wrongly.
    let area = scores.area().unwrap();
    assert_eq!((area.value, area.error), (0.75, 0.0));
    let features: Vec<_> = sample.features.iter().map(|f| (f.present, f.missing, rounded(f.mean))).collect();
    assert_eq!(features, [(4, 0, 2.5), (3, 1, 23.333_333)]);
}

#[test]
fn what_cannot_be_used_is_counted_with_the_first_reason() {
    let lines = [
        line(("1", "CSV"), "1,0.9", "1"),
        line(("2", "CSV"), "1,much", "1"),
        line(("3", "CSV"), "1,0.9", "maybe"),
        line(("4", "CSV"), "1,0.9\n1,0.8", "1"),
        // A score is ranked nowhere, but its label counts.
        line(("5", "CSV"), "1,17", "0"),
    ];
    let sample = read(Problem::BinaryClassification, &lines.concat());
    assert_eq!((sample.rows, sample.unusable), (5, 3));
    assert_eq!(sample.reason.as_deref(), Some("the probability_attribute is \"much\", which is no finite number"));
    let scores = sample.scores.unwrap();
    assert_eq!((scores.confusion_matrix().true_positives, scores.confusion_matrix().false_positives), (1, 1));
    assert_eq!(scores.calibration().unwrap().iter().map(|bin| bin.rows).sum::<u64>(), 1);
    assert_eq!(sample.features[0].present, 5);
}

#[test]
fn requests_that_are_no_row_of_csv_have_no_features() {
    let inputs = [("{\"a\": 1}", "JSON"), ("MSwy", "BASE64"), ("1,2\n3,4\n", "CSV"), ("7,8\r\n", "CSV"), ("", "CSV")];
    let lines: String = inputs.into_iter().map(|input| line(input, "1,0.9", "1")).collect();
    let sample = read(Problem::BinaryClassification, &lines);
    assert_eq!((sample.rows, sample.features.len(), sample.features[0].mean), (5, 2, Some(7.0)));
}

#[test]
fn other_problems_have_no_scores() {
    let sample = read(Problem::Regression, &line(("1", "CSV"), "2.5,0", "3.5"));
    assert_eq!((sample.rows, sample.unusable, sample.scores), (1, 0, None));
    assert_eq!(read(Problem::BinaryClassification, ""), Sample::default());
}

#[test]
fn a_broken_line_ends_a_file_and_keeps_what_was_before() {
    let reading = reading(Problem::BinaryClassification);
    let mut reader = Reader::new(&reading);
    let lines = line(("1", "CSV"), "1,0.9", "1") + "{\n";
    let error = reader.read(lines.as_bytes()).unwrap_err().to_string();
    assert!(error.starts_with("line 2, column "), "{error}");
    assert_eq!(reader.finish().rows, 1);
}

#[test]
fn shifts_are_those_of_the_values() {
    #[track_caller]
    fn check(now: &[&str], then: &[&str], distance: f64, is_drift: bool) -> Shift {
        let sample = |values: &[&str]| {
            let reading = reading(Problem::BinaryClassification);
            let mut reader = Reader::new(&reading);
            (0..200).for_each(|row| reader.features(values[row % values.len()]));
            reader.finish()
        };
        let observed = sample(now).against(&sample(then));
        let [shift] = observed.shifts.as_slice() else { panic!("{observed:?}") };
        assert!((shift.distance - distance).abs() < 1e-12, "{}", shift.distance);
        assert_eq!(shift.is_drift(), is_drift, "{shift:?}");
        if let Some(buckets) = shift.histogram {
            for shares in [buckets.shares, buckets.baseline] {
                assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{shares:?}");
            }
            assert!(buckets.bounds.is_sorted());
        }
        *shift
    }
    let same = check(&["1", "2", "3", "4"], &["1", "2", "3", "4"], 0.0, false);
    assert_eq!(same.histogram.map(|buckets| buckets.shares), same.histogram.map(|buckets| buckets.baseline));
    // Within what chance makes of 200 values, 1.8 * sqrt(2 / 200) = 0.18, and beyond it.
    check(&["1", "2", "3", "4"], &["1", "2", "3", "3"], 0.25, false);
    let moved = check(&["3", "4"], &["1", "2", "3", "4"], 0.5, true);
    assert_eq!([moved.mean, moved.baseline_mean].map(rounded), [3.5, 2.5]);
    let gone = check(&["", "1"], &["1"], 0.0, true);
    assert_eq!((gone.missing, gone.baseline_missing), (0.5, 0.0));
    assert_eq!(check(&["x"], &["1"], 0.0, true).histogram, None);
    check(&["x"], &["x"], 0.0, false);
    // A value far away leaves the rest where it can be seen.
    let mut far = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"].repeat(20);
    far[7] = "1e9";
    let shares = check(&far, &["0", "9"], 0.4, true).histogram.unwrap().shares;
    assert!(shares.iter().all(|share| *share < 0.2), "{shares:?}");
}

#[test]
fn what_the_baseline_lacks_is_not_compared() {
    let sample = |line: &str| {
        let reading = reading(Problem::BinaryClassification);
        let mut reader = Reader::new(&reading);
        reader.features(line);
        reader.finish()
    };
    let observed = sample("1,2,3").against(&sample("1,2"));
    assert_eq!((observed.columns, observed.shifts.len()), (3, 2));
    assert!(sample("1").against(&Sample::default()).shifts.is_empty());
}
