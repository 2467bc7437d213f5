//! Each metric over the hours, against its constraint; as charts, and as a table.

use std::fmt::Write;

use model_monitor::constraints::{Constraint, Operator};

use super::words;
use crate::charts::series::{Point, Series};
use crate::html::escaped;
use crate::monitor::{Hour, Report};

/// How a metric does in an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Kept,
    /// On the wrong side, and in the monitor's violations.
    Violated,
    /// On the wrong side, and the monitor does not say so.
    Beyond,
}

/// Charts of all constrained metrics, and of how many records there were.
pub fn section(report: &Report, hours: &[&Hour]) -> String {
    if hours.iter().all(|hour| hour.statistics.is_none()) {
        return String::new();
    }
    let mut cards = records(hours);
    for (number, (name, constraint)) in report.baseline.constraints.of.iter().enumerate() {
        cards += &card(hours, number, name, *constraint);
    }
    format!(
        r#"<section aria-labelledby="metrics">
<h2 id="metrics">Metrics per hour</h2>
<p class="note">The dashed line is the threshold, the shaded side the wrong one. Crosses are values on that side, dots
values that hold; bars are one standard deviation as the monitor estimates it, from 200 records on. A short stroke on the
axis is an hour without figures.</p>
<div class="cards">
{cards}</div>
{table}</section>
"#,
        table = table(report, hours)
    )
}

fn state(hour: &Hour, name: &str, constraint: Constraint, value: f64) -> State {
    if hour.violations.iter().any(|violation| words::in_documents(&violation.metric_name) == name) {
        State::Violated
    } else if constraint.is_violated(value) {
        State::Beyond
    } else {
        State::Kept
    }
}

fn card(hours: &[&Hour], number: usize, name: &str, constraint: Constraint) -> String {
    let places = places(hours);
    let title = words::title(name);
    let (mut points, mut last, mut wrong) = (Vec::new(), None, 0);
    for (hour, at) in hours.iter().zip(places) {
        let metric = hour.statistics.as_ref().and_then(|statistics| statistics.metric(name));
        let Some(metric) = metric.filter(|metric| metric.value.is_finite()) else {
            points.push(nothing(hour, at));
            continue;
        };
        let state = state(hour, name, constraint, metric.value);
        wrong += usize::from(state != State::Kept);
        last = Some((metric.value, state));
        let deviation = metric.standard_deviation;
        let scatter = deviation.map_or_else(String::new, |deviation| format!(" +/- {}", words::figure(deviation)));
        let said = match state {
            State::Kept => "",
            State::Violated => ", violated",
            State::Beyond => ", on the wrong side",
        };
        points.push(Point {
            at,
            value: Some(metric.value),
            deviation,
            is_beyond: state != State::Kept,
            title: format!("{}: {}{scatter}{said}", words::window(hour), words::figure(metric.value)),
        });
    }
    let Some((value, state)) = last else { return String::new() };
    let measured = points.iter().filter(|point| point.value.is_some()).count();
    let badge = match (state, constraint.comparison_operator) {
        (State::Kept, _) => "<span class=\"badge kept\">holds</span>",
        (State::Violated, _) => "<span class=\"badge violated\">violated</span>",
        (State::Beyond, Operator::LessThanThreshold) => "<span class=\"badge beyond\">below, not reported</span>",
        (State::Beyond, Operator::GreaterThanThreshold) => "<span class=\"badge beyond\">above, not reported</span>",
    };
    let expected = words::expected(constraint);
    let about = format!(
        "{title} should be {expected}. It was on the wrong side in {wrong} of {measured} measured hours; the last value is {}.",
        words::figure(value)
    );
    let chart = Series {
        id: &format!("metric-{number}"),
        title: &title,
        about: &about,
        points: &points,
        ends: ends(hours),
        constraint: Some(constraint),
    };
    figure(&title, &words::figure(value), badge, &expected, &chart)
}

fn records(hours: &[&Hour]) -> String {
    let count = |hour: &Hour| hour.statistics.as_ref().map(|statistics| statistics.item_count);
    let points: Vec<Point> = hours
        .iter()
        .zip(places(hours))
        .map(|(hour, at)| match count(hour) {
            Some(count) => Point {
                at,
                value: Some(count as f64),
                deviation: None,
                is_beyond: false,
                title: format!("{}: {count} records", words::window(hour)),
            },
            None => nothing(hour, at),
        })
        .collect();
    let Some(last) = hours.iter().rev().find_map(|hour| count(hour)) else { return String::new() };
    let about = format!("How many labelled records were analysed; in the last hour {last}.");
    let (id, title) = ("records", "Records analysed");
    let chart = Series { id, title, about: &about, points: &points, ends: ends(hours), constraint: None };
    figure(title, &last.to_string(), "", "captured and labelled", &chart)
}

fn figure(title: &str, value: &str, badge: &str, expected: &str, chart: &Series<'_>) -> String {
    format!(
        "<figure class=\"card\">\n<figcaption><strong>{}</strong> <span class=\"now\">{value}</span><br/><span class=\"note\">{expected}</span> {badge}</figcaption>\n{}\n</figure>\n",
        escaped(title),
        chart.draw()
    )
}

fn nothing(hour: &Hour, at: f64) -> Point {
    let title = format!("{}: no figures, {}", words::window(hour), hour.status);
    Point { at, value: None, deviation: None, is_beyond: false, title }
}

/// Where hours are on the time axis.
pub fn places(hours: &[&Hour]) -> Vec<f64> {
    let (Some(first), Some(last)) = (hours.first(), hours.last()) else { return Vec::new() };
    let width = (last.start - first.start).as_seconds_f64();
    hours
        .iter()
        .map(|hour| if width > 0.0 { (hour.start - first.start).as_seconds_f64() / width } else { 0.5 })
        .collect()
}

/// What the time axis says at its ends.
pub fn ends(hours: &[&Hour]) -> (String, String) {
    let at = |hour: Option<&&Hour>| hour.map_or_else(String::new, |hour| words::short_time(hour.start));
    (at(hours.first()), at(hours.last()))
}

fn table(report: &Report, hours: &[&Hour]) -> String {
    let constraints = &report.baseline.constraints.of;
    let mut head = String::new();
    for (name, constraint) in constraints {
        // Writing to a string cannot fail.
        let _ = write!(
            head,
            "<th scope=\"col\">{} <span class=\"note\">{}</span></th>",
            escaped(&words::title(name)),
            words::expected(*constraint)
        );
    }
    let mut rows = String::new();
    for hour in hours.iter().rev() {
        let Some(statistics) = &hour.statistics else { continue };
        let _ = write!(
            rows,
            "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td>",
            words::time(hour.start),
            statistics.item_count
        );
        for (name, constraint) in constraints {
            let cell = match statistics.metric(name).map(|metric| metric.value) {
                None => "<td></td>".to_owned(),
                Some(value) if state(hour, name, *constraint, value) == State::Kept => {
                    format!("<td class=\"number\">{}</td>", words::figure(value))
                }
                Some(value) => format!("<td class=\"number wrong\"><strong>{} *</strong></td>", words::figure(value)),
            };
            rows += &cell;
        }
        rows += "</tr>\n";
    }
    format!(
        r#"<details>
<summary>The figures as a table</summary>
<div class="scroll">
<table>
<thead><tr><th scope="col">Hour from, UTC</th><th scope="col">Records</th>{head}</tr></thead>
<tbody>
{rows}</tbody>
</table>
</div>
<p class="note">* on the wrong side of its threshold</p>
</details>
"#
    )
}
