//! How the features of an hour's requests are distributed, against the baseline's.

use std::fmt::Write;

use model_monitor::constraints::{Constraint, Operator};

use super::{metrics, words};
use crate::charts::histogram::{Histogram, number as short};
use crate::charts::series::{Point, Series};
use crate::html::escaped;
use crate::monitor::sample::{DRIFT, Shift};
use crate::monitor::{Hour, Report};

/// So many features are drawn, those that shifted most.
const DRAWN: usize = 12;

/// What a column is called.
pub fn name(report: &Report, column: usize) -> String {
    // Columns without a name have the monitor's.
    report.features.get(column).map_or_else(|| format!("_c{column}"), |feature| feature.name.clone())
}

/// The features of an hour, and how the largest shifts came about over the hours up to it.
pub fn section(report: &Report, hour: &Hour, number: usize, history: &[&Hour]) -> String {
    let Some(observed) = &hour.observed else { return String::new() };
    if observed.shifts.is_empty() {
        return "<h3>Features</h3>\n<p class=\"note\">The requests cannot be compared: there is no sample of the baseline's features, or no request was captured as a row of CSV.</p>\n".to_owned();
    }
    let mut order: Vec<usize> = (0..observed.shifts.len()).collect();
    order.sort_by(|one, other| observed.shifts[*other].size().total_cmp(&observed.shifts[*one].size()));
    let mut cards = String::new();
    for column in order.iter().take(DRAWN) {
        cards += &card(report, &observed.shifts[*column], *column, number, history);
    }
    let drifted = observed.shifts.iter().filter(|shift| shift.is_drift()).count();
    let columns = match report.baseline.sample.features.len() {
        then if then == observed.columns => String::new(),
        then => format!(" The requests have {} columns, the baseline {then}.", observed.columns),
    };
    let drawn = if order.len() > DRAWN { format!(" Drawn are the {DRAWN} that shifted most.") } else { String::new() };
    format!(
        r#"<h3>Features</h3>
<p><strong>{drifted} of {} drifted</strong> from the baseline.{columns}{drawn}</p>
<p class="note">Filled columns are the baseline, the outline is this hour; the lowest and the highest of 100 values may be beyond
the ends, and count to the columns there. The distance is Kolmogorov and Smirnov's: the largest difference between the shares of values up
to any number, 0 where nothing changed, 1 where no value is as before. A feature drifted if the distance, less what chance
makes of it, exceeds {DRIFT} (Model Monitor's default for data quality), or if so many more of its values are missing.</p>
<div class="cards">
{cards}</div>
{}"#,
        observed.shifts.len(),
        table(report, &observed.shifts, &order)
    )
}

fn card(report: &Report, shift: &Shift, column: usize, number: usize, history: &[&Hour]) -> String {
    let name = name(report, column);
    let about = report.features.get(column).map_or("", |feature| &feature.about);
    let described = format!(
        "Distance {:.3} from the baseline; the mean is {}, the baseline's {}.",
        shift.distance,
        mean(shift.mean),
        mean(shift.baseline_mean)
    );
    let histogram = shift.histogram.as_ref().map_or_else(
        || "<p class=\"note\">There are no numbers to compare.</p>".to_owned(),
        |buckets| {
            Histogram {
                id: &format!("feature-{number}-{column}"),
                title: &name,
                about: &described,
                bounds: &buckets.bounds,
                shares: &buckets.shares,
                baseline: &buckets.baseline,
            }
            .draw()
        },
    );
    let badge = if shift.is_drift() { "<span class=\"badge violated\">drifted</span>" } else { "" };
    let missing = if shift.missing > 0.0 {
        format!(
            "; missing in {}% (baseline {}%)",
            words::of_hundred(shift.missing),
            words::of_hundred(shift.baseline_missing)
        )
    } else {
        String::new()
    };
    format!(
        "<figure class=\"card\">\n<figcaption><strong>{}</strong> {badge}<br/><span class=\"note\">{}</span></figcaption>\n{histogram}\n<p class=\"note\">distance {:.3}; mean {}, baseline {}{missing}</p>\n{}</figure>\n",
        escaped(&name),
        escaped(about),
        shift.distance,
        mean(shift.mean),
        mean(shift.baseline_mean),
        over_time(column, number, history)
    )
}

/// The distance less chance, hour by hour; nothing where there is but one hour, or never was a drift.
fn over_time(column: usize, number: usize, history: &[&Hour]) -> String {
    let point = |(hour, at): (&&Hour, f64)| {
        let shift = hour.observed.as_ref().and_then(|observed| observed.shifts.get(column));
        let distance = shift.map(|shift| shift.robust_distance);
        let said = distance.map_or_else(|| "not read".to_owned(), |distance| format!("{distance:.3}"));
        Point {
            at,
            value: distance,
            deviation: None,
            is_beyond: shift.is_some_and(Shift::is_drift),
            title: format!("{}: {said}", words::window(hour)),
        }
    };
    let points: Vec<Point> = history.iter().zip(metrics::places(history)).map(point).collect();
    // One that was always as it should be is a line at the bottom, and one hour is no line.
    let read = points.iter().filter(|point| point.value.is_some()).count();
    if read < 2 || points.iter().all(|point| !point.is_beyond) {
        return String::new();
    }
    let chart = Series {
        id: &format!("drift-{number}-{column}"),
        title: "Distance less chance, per hour",
        about: "Distance from the baseline less what chance makes of it, hour by hour.",
        points: &points,
        ends: metrics::ends(history),
        constraint: Some(Constraint { threshold: DRIFT, comparison_operator: Operator::GreaterThanThreshold }),
    };
    format!("<p class=\"note\">Distance less chance, per hour</p>\n{}\n", chart.draw())
}

fn mean(mean: Option<f64>) -> String {
    mean.map_or_else(|| "none".to_owned(), short)
}

fn table(report: &Report, shifts: &[Shift], order: &[usize]) -> String {
    let mut rows = String::new();
    for column in order {
        let shift = &shifts[*column];
        let about = report.features.get(*column).map_or("", |feature| &feature.about);
        // Writing to a string cannot fail.
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\">{}</th><td class=\"number\">{:.3}</td><td>{}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"number\">{}%</td><td>{}</td></tr>",
            escaped(&name(report, *column)),
            shift.distance,
            if shift.is_drift() { "drifted" } else { "" },
            mean(shift.mean),
            mean(shift.baseline_mean),
            words::of_hundred(shift.missing),
            escaped(about)
        );
    }
    format!(
        r#"<details>
<summary>All {} features as a table</summary>
<div class="scroll">
<table>
<thead><tr><th scope="col">Feature</th><th scope="col">Distance</th><th scope="col">Drift</th><th scope="col">Mean</th><th scope="col">Baseline mean</th><th scope="col">Missing</th><th scope="col">What it measures</th></tr></thead>
<tbody>
{rows}</tbody>
</table>
</div>
</details>
"#,
        order.len()
    )
}
