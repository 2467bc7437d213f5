//! One hour against the baseline: confusion matrix, ROC curve, calibration, and the features.

use std::collections::BTreeMap;
use std::fmt::Write;

use model_monitor::problem::Problem;
use model_monitor::statistics::{Label, Measure, Statistics};
use sts_model::metrics::ConfusionMatrix;

use super::{features, words};
use crate::charts::shares::{Calibration, Roc};
use crate::html::{count_of, escaped};
use crate::monitor::scores::{Curve, Scores};
use crate::monitor::{Hour, Report};

/// So many hours are drawn in full, the newest; all others are in charts and tables over the hours.
const DETAILED: usize = 12;

/// A matrix of more labels is told as a list of its most frequent confusions.
const LABELS: usize = 12;

/// How often which label was predicted for which: `{actual: {predicted: count}}`.
type Counts = BTreeMap<Label, BTreeMap<Label, u64>>;

/// The newest hours with figures, the newest of them unfolded.
pub fn sections(report: &Report, hours: &[&Hour]) -> String {
    let told: Vec<(usize, &Hour)> = hours
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, hour)| hour.statistics.is_some() || hour.observed.is_some())
        .collect();
    let mut details = String::new();
    for (number, (place, hour)) in told.iter().rev().take(DETAILED).enumerate() {
        let (open, history) = if number == 0 { (" open", &hours[..=*place]) } else { ("", &[][..]) };
        // Writing to a string cannot fail.
        let _ = writeln!(
            details,
            "<details class=\"hour\"{open}>\n<summary>{}: {}</summary>\n{}{}</details>",
            words::window(hour),
            escaped(&hour.status),
            predictions(report, hour, number),
            features::section(report, hour, number, history)
        );
    }
    if details.is_empty() {
        return String::new();
    }
    let left = told.len().saturating_sub(DETAILED);
    let left = if left == 0 {
        String::new()
    } else {
        format!(" {left} earlier hours with figures are in the charts above alone.")
    };
    format!(
        r#"<section aria-labelledby="hours">
<h2 id="hours">Hours in full</h2>
<p class="note">Each against the baseline, the newest first.{left}</p>
{details}</section>
"#
    )
}

fn predictions(report: &Report, hour: &Hour, number: usize) -> String {
    let scores = hour.observed.as_ref().and_then(|observed| observed.scores.as_ref());
    let before = report.baseline.sample.scores.as_ref();
    let charts = [
        roc(report, hour, number, scores),
        scores.map_or_else(String::new, |scores| calibration(report, number, scores, before)),
    ];
    format!("{}<div class=\"columns\">\n{}</div>\n", matrix(report, hour), charts.concat())
}

fn counts_in(statistics: Option<&Statistics>) -> Option<&Counts> {
    statistics?.measures.iter().find_map(|(_, measure)| match measure {
        Measure::ConfusionMatrix(counts) => Some(counts),
        _ => None,
    })
}

fn matrix(report: &Report, hour: &Hour) -> String {
    let scores = hour.observed.as_ref().and_then(|observed| observed.scores.as_ref());
    let counted = scores.map(|scores| counts_of(scores.confusion_matrix(), report));
    let Some(counts) = counts_in(hour.statistics.as_ref()).or(counted.as_ref()) else { return String::new() };
    let before = counts_in(report.baseline.statistics.as_ref());
    let content = if counts.len() > LABELS { confusions(counts) } else { square(counts, before) };
    let again = match (counts_in(hour.statistics.as_ref()), &counted) {
        (Some(theirs), Some(ours)) if theirs == ours => "Counted again from the merged records: the same.",
        (Some(_), Some(_)) => {
            "Counted again from the merged records it is another: they are not those that the monitor analysed, or it read them by another threshold."
        }
        (None, Some(_)) => "Counted from the merged records: the monitor has no figures of this hour.",
        (_, None) => "",
    };
    let beside = if before.is_some() { " In brackets, the share in the baseline." } else { "" };
    format!(
        r#"<h3>Confusion matrix</h3>
{content}<p class="note">Shares are of the records with this label.{beside} {again}</p>
"#
    )
}

/// The counts as the monitor has them.
fn counts_of(matrix: ConfusionMatrix, report: &Report) -> Counts {
    let positive = Label::of(words::positive(&report.settings));
    let monitored =
        report.hours.iter().map(|hour| hour.statistics.as_ref()).chain([report.baseline.statistics.as_ref()]);
    // Only the monitor says what the other label is.
    let labels = monitored.filter_map(counts_in).flat_map(BTreeMap::keys);
    let negative = labels.into_iter().find(|label| **label != positive).cloned().unwrap_or_else(|| Label::of("0"));
    let ConfusionMatrix { true_negatives, false_positives, false_negatives, true_positives } = matrix;
    let row = |negatives, positives| [(negative.clone(), negatives), (positive.clone(), positives)].into();
    [(negative.clone(), row(true_negatives, false_positives)), (positive.clone(), row(false_negatives, true_positives))]
        .into()
}

fn square(counts: &Counts, before: Option<&Counts>) -> String {
    let share = |counts: &Counts, actual: &Label, predicted: &Label| {
        let row = counts.get(actual)?;
        let all = row.values().sum::<u64>();
        (all > 0).then(|| row.get(predicted).copied().unwrap_or(0) as f64 / all as f64)
    };
    let head: String = counts
        .keys()
        .map(|label| format!("<th scope=\"col\">Predicted {}</th>", escaped(&label.to_string())))
        .collect();
    let mut rows = String::new();
    for (actual, row) in counts {
        let all = row.values().sum();
        // Writing to a string cannot fail.
        let _ = write!(rows, "<tr><th scope=\"row\">Labelled {}</th>", escaped(&actual.to_string()));
        for predicted in counts.keys() {
            let count = row.get(predicted).copied().unwrap_or(0);
            let before = before.and_then(|before| share(before, actual, predicted));
            rows += &count_of(count, all, actual == predicted, before);
        }
        rows += "</tr>\n";
    }
    format!(
        r#"<div class="scroll">
<table class="matrix">
<thead><tr><td></td>{head}</tr></thead>
<tbody>
{rows}</tbody>
</table>
</div>
"#
    )
}

/// The most frequent confusions of a matrix that is too large to be seen.
fn confusions(counts: &Counts) -> String {
    let wrong = |(actual, row): (&Label, &BTreeMap<Label, u64>)| {
        let all: u64 = row.values().sum();
        let actual = actual.clone();
        let cells = row.clone().into_iter().filter(move |(predicted, count)| *predicted != actual && *count > 0);
        cells.map(move |(predicted, count)| (predicted, count, all)).collect::<Vec<_>>()
    };
    let mut cells: Vec<_> = counts
        .iter()
        .flat_map(|row| wrong(row).into_iter().map(move |(p, count, all)| (row.0, p, count, all)))
        .collect();
    cells.sort_by_key(|(_, _, count, _)| std::cmp::Reverse(*count));
    let mut rows = String::new();
    for (actual, predicted, count, all) in cells.into_iter().take(LABELS) {
        // Writing to a string cannot fail.
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td>{}</td>{}</tr>",
            escaped(&actual.to_string()),
            escaped(&predicted.to_string()),
            count_of(count, all, false, None)
        );
    }
    format!(
        r#"<div class="scroll">
<table>
<caption>The most frequent confusions of {} labels</caption>
<thead><tr><th scope="col">Labelled</th><th scope="col">Predicted</th><th scope="col">Records</th></tr></thead>
<tbody>
{rows}</tbody>
</table>
</div>
"#,
        counts.len()
    )
}

/// The monitor's curve.
fn curve_in(statistics: Option<&Statistics>) -> Option<Curve> {
    statistics?.measures.iter().find_map(|(_, measure)| match measure {
        Measure::RocCurve { false_positive_rates, true_positive_rates } => Some(Curve {
            false_positive_rates: false_positive_rates.clone(),
            true_positive_rates: true_positive_rates.clone(),
        }),
        _ => None,
    })
}

fn roc(report: &Report, hour: &Hour, number: usize, scores: Option<&Scores>) -> String {
    if report.settings.problem != Problem::BinaryClassification {
        return String::new();
    }
    let theirs = curve_in(hour.statistics.as_ref());
    let Some(curve) = theirs.clone().or_else(|| scores?.roc()) else { return String::new() };
    let baseline = report.baseline.statistics.as_ref();
    let before = curve_in(baseline).or_else(|| report.baseline.sample.scores.as_ref()?.roc());
    let metric = |statistics: Option<&Statistics>, name| Some(statistics?.metric(name)?.value);
    let area = metric(hour.statistics.as_ref(), "auc").or_else(|| Some(scores?.area()?.value));
    let area = area.map_or_else(String::new, |area| format!("AUC {area:.4}"));
    let area_before = metric(baseline, "auc").map_or_else(String::new, |area| format!(", baseline {area:.4}"));
    let statistics = hour.statistics.as_ref();
    let used = metric(statistics, "false_positive_rate").zip(metric(statistics, "true_positive_rate"));
    fn rates(curve: &Curve) -> (&[f64], &[f64]) {
        (&curve.false_positive_rates, &curve.true_positive_rates)
    }
    let chart = Roc {
        id: &format!("roc-{number}"),
        curve: rates(&curve),
        beside: before.as_ref().map(rates),
        area: &format!("{area}{area_before}"),
        about: &format!("Receiver operating characteristic of {}. {area}{area_before}.", words::window(hour)),
        used,
    };
    let ring = if used.is_some() { " The ring is the threshold in use." } else { "" };
    let dashed = if before.is_some() { " Dashed, the baseline's." } else { "" };
    format!(
        "<div>\n<h3>ROC</h3>\n{}\n<p class=\"note\">The dotted diagonal is chance.{dashed}{ring}</p>\n</div>\n",
        chart.draw()
    )
}

fn calibration(report: &Report, number: usize, scores: &Scores, before: Option<&Scores>) -> String {
    let Some(bins) = scores.calibration() else { return String::new() };
    let before = before.and_then(Scores::calibration);
    let label = words::positive(&report.settings);
    let chart = Calibration {
        id: &format!("calibration-{number}"),
        bins: &bins,
        beside: before.as_ref(),
        rows: "records",
        positives: &format!("label {}", escaped(label)),
    };
    let dashed = if before.is_some() { " Dashed, the baseline." } else { "" };
    format!(
        r#"<div>
<h3>Calibration</h3>
{}
<p class="note">Among records of about one probability, as large a share should have the label {}: the dotted diagonal.
Bars are 95% Wilson intervals; the columns below say how many records there are.{dashed}</p>
</div>
"#,
        chart.draw(),
        escaped(label)
    )
}
