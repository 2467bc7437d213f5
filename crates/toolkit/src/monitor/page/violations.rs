//! What was violated: by how much, what that means, since when, and what else was different.

use std::collections::BTreeMap;
use std::fmt::Write;

use model_monitor::constraints::{Constraint, Operator};
use model_monitor::statistics::Measure;
use model_monitor::violations::Violation;

use super::words;
use crate::html::escaped;
use crate::monitor::sample::Shift;
use crate::monitor::{Hour, Report};

/// A metric that was violated in one analysed hour after the other.
struct Run<'a> {
    metric: &'a str,
    /// With the places of the hours among those analysed.
    hours: Vec<(usize, &'a Hour, &'a Violation)>,
}

/// What the monitor compared, as the description of a violation says.
struct Compared {
    value: f64,
    constraint: Constraint,
}

impl Compared {
    /// Of `Metric auc with 0.5 +/- 0.01 was LessThanThreshold '0.9'`; none of other sentences.
    fn read(violation: &Violation) -> Option<Self> {
        let comparison_operator = match violation.constraint_check_type.as_str() {
            "LessThanThreshold" => Operator::LessThanThreshold,
            "GreaterThanThreshold" => Operator::GreaterThanThreshold,
            _ => return None,
        };
        let (before, after) = violation.description.split_once(" +/- ")?;
        let value = before.rsplit_once(' ')?.1.parse().ok()?;
        let threshold = after.split_once('\'')?.1.strip_suffix('\'')?.parse().ok()?;
        Some(Self { value, constraint: Constraint { threshold, comparison_operator } })
    }

    /// How far the value is on the wrong side.
    fn excess(&self) -> f64 {
        (self.value - self.constraint.threshold).abs()
    }
}

/// Violations of the last analysed hour, and those that have ended.
pub fn section(report: &Report, hours: &[&Hour]) -> String {
    let analysed: Vec<&Hour> = hours.iter().copied().filter(|hour| hour.is_analysed()).collect();
    let content = match (analysed.last(), hours.last()) {
        (Some(last), Some(newest)) => {
            let runs = runs(&analysed);
            let is_last = |run: &&Run<'_>| run.hours.last().is_some_and(|(place, ..)| place + 1 == analysed.len());
            let (open, ended): (Vec<&Run<'_>>, Vec<&Run<'_>>) = runs.iter().partition(is_last);
            [newer(newest, last), open_runs(report, last, &open, analysed.len()), ended_runs(&ended)].concat()
        }
        (None, Some(newest)) => format!(
            "<p class=\"verdict\">No hour has been analysed, so nothing can be said of the model. The last execution is {}{}.</p>\n",
            escaped(&newest.status),
            newest.message.as_deref().map_or_else(String::new, |message| format!(": {}", escaped(message)))
        ),
        _ => "<p class=\"verdict\">There is no execution yet: the first comes after the first full hour.</p>\n"
            .to_owned(),
    };
    format!("<section aria-labelledby=\"violations\">\n<h2 id=\"violations\">Violations</h2>\n{content}</section>\n")
}

/// Where the newest execution has no figures: that those are of an earlier one.
fn newer(newest: &Hour, last: &Hour) -> String {
    if std::ptr::eq(newest, last) {
        return String::new();
    }
    let message = newest.message.as_deref().map_or_else(String::new, |message| format!(" ({})", escaped(message)));
    format!(
        "<p class=\"note\">The execution of {} is {}{message}: what follows is of the hour that was analysed last.</p>\n",
        words::window(newest),
        escaped(&newest.status)
    )
}

fn runs<'a>(analysed: &[&'a Hour]) -> Vec<Run<'a>> {
    let mut runs: Vec<Run<'a>> = Vec::new();
    for (place, hour) in analysed.iter().enumerate() {
        for violation in &hour.violations {
            let metric = violation.metric_name.as_str();
            let goes_on = |run: &&mut Run<'_>| {
                run.metric == metric && run.hours.last().is_some_and(|(last, ..)| last + 1 == place)
            };
            match runs.iter_mut().find(goes_on) {
                Some(run) => run.hours.push((place, hour, violation)),
                None => runs.push(Run { metric, hours: vec![(place, hour, violation)] }),
            }
        }
    }
    runs
}

fn open_runs(report: &Report, last: &Hour, open: &[&Run<'_>], analysed: usize) -> String {
    let all = report.baseline.constraints.of.len();
    if open.is_empty() {
        return format!(
            "<p class=\"verdict kept\"><strong>No violations</strong> in the last analysed hour, {}: the monitor found every one of {all} constraints kept.</p>\n{}",
            words::window(last),
            unreported(report, last)
        );
    }
    // As the monitor lists them.
    let place = |run: &&Run<'_>| last.violations.iter().position(|violation| violation.metric_name == run.metric);
    let mut open = open.to_vec();
    open.sort_by_key(place);
    // What is the same of all is said once.
    let since_all = open
        .first()
        .map(|run| since(run, analysed))
        .filter(|first| open.iter().all(|run| since(run, analysed) == *first));
    let mut items = String::new();
    for run in &open {
        let since = if since_all.is_some() { String::new() } else { since(run, analysed) };
        // Writing to a string cannot fail.
        let _ = writeln!(items, "<li>{} <span class=\"since\">{since}</span></li>", in_words(report, run));
    }
    format!(
        "<p class=\"verdict violated\"><strong>{}</strong> in the last analysed hour, {}. {}</p>\n<ul class=\"violations\">\n{items}</ul>\n{}{}",
        counted(open.len(), "constraint violated", "constraints violated"),
        words::window(last),
        since_all.unwrap_or_default(),
        unreported(report, last),
        beside(report, last)
    )
}

/// A violation of the last hour: the metric, the values, how far, and what it means.
fn in_words(report: &Report, run: &Run<'_>) -> String {
    let metric = words::in_documents(run.metric);
    let title = escaped(&words::title(&metric));
    let Some((_, _, violation)) = run.hours.last() else { return title };
    let Some(compared) = Compared::read(violation) else {
        return format!("<strong>{title}</strong>: {}", escaped(&violation.description));
    };
    let Compared { value, constraint } = compared;
    let side = match constraint.comparison_operator {
        Operator::LessThanThreshold => "too low",
        Operator::GreaterThanThreshold => "too high",
    };
    let relative = 100.0 * compared.excess() / constraint.threshold.abs();
    let relative = if relative.is_finite() { format!(" ({relative:.1}%)") } else { String::new() };
    format!(
        "<strong>{title} was {}</strong>; {} is expected: {} {side}{relative}. {}",
        words::figure(value),
        words::expected(constraint),
        words::figure(compared.excess()),
        escaped(&words::meaning(&metric, value, constraint, &report.settings))
    )
}

fn since(run: &Run<'_>, analysed: usize) -> String {
    match run.hours.as_slice() {
        [_] if analysed == 1 => "In the only hour that was analysed.".to_owned(),
        [_] => "New in this hour.".to_owned(),
        [(_, first, _), ..] => {
            format!(
                "Since {} UTC, in {} analysed hours one after the other.",
                words::time(first.start),
                run.hours.len()
            )
        }
        [] => String::new(),
    }
}

/// Metrics on the wrong side of their thresholds of which the monitor says nothing.
fn unreported(report: &Report, last: &Hour) -> String {
    let Some(statistics) = &last.statistics else { return String::new() };
    let is_reported =
        |name: &str| last.violations.iter().any(|violation| words::in_documents(&violation.metric_name) == name);
    let beyond = report.baseline.constraints.of.iter().filter_map(|(name, constraint)| {
        let value = statistics.metric(name)?.value;
        (constraint.is_violated(value) && !is_reported(name)).then(|| {
            format!("{} is {}, {} expected", words::title(name), words::figure(value), words::expected(*constraint))
        })
    });
    let beyond: Vec<_> = beyond.collect();
    if beyond.is_empty() {
        return String::new();
    }
    format!(
        "<p class=\"note\">Beyond its threshold too, though the monitor does not report it: {}.</p>\n",
        escaped(&beyond.join("; "))
    )
}

/// What was different from the baseline in the hour, as hints at the cause.
fn beside(report: &Report, last: &Hour) -> String {
    let mut facts = Vec::new();
    let labels = |statistics: &model_monitor::statistics::Statistics| {
        statistics.measures.iter().find_map(|(_, measure)| match measure {
            Measure::ConfusionMatrix(counts) if counts.len() == 2 => {
                let sums: Vec<u64> = counts.values().map(|predicted| predicted.values().sum()).collect();
                let positive =
                    counts.keys().position(|label| label.to_string() == words::positive(&report.settings))?;
                Some(sums[positive] as f64 / sums.iter().sum::<u64>().max(1) as f64)
            }
            _ => None,
        })
    };
    let (now, then) = (last.statistics.as_ref(), report.baseline.statistics.as_ref());
    if let (Some(now), Some(then)) = (now.and_then(labels), then.and_then(labels)) {
        facts.push(format!(
            "Of 100 records, {} were labelled {}; in the baseline {}.",
            words::of_hundred(now),
            words::positive(&report.settings),
            words::of_hundred(then)
        ));
    }
    let shifts = last.observed.as_ref().map_or(&[][..], |observed| &observed.shifts);
    if !shifts.is_empty() {
        let drifted = shifts.iter().filter(|shift| shift.is_drift()).count();
        let most = shifts.iter().enumerate().max_by(|(_, shift), (_, other)| shift.size().total_cmp(&other.size()));
        let most = most.map_or_else(String::new, |(place, shift)| {
            let Shift { distance, .. } = shift;
            format!(" The largest shift is that of {} (distance {distance:.2}).", super::features::name(report, place))
        });
        facts.push(format!("{drifted} of {} features drifted from the baseline.{most}", shifts.len()));
    }
    if facts.is_empty() {
        return String::new();
    }
    let facts: String = facts.iter().map(|fact| format!("<li>{}</li>\n", escaped(fact))).collect();
    format!("<h3>In the same hour</h3>\n<ul>\n{facts}</ul>\n")
}

/// Those that have ended, the newest first; those of the same hours together.
fn ended_runs(ended: &[&Run<'_>]) -> String {
    let mut periods: BTreeMap<(usize, usize), Vec<&Run<'_>>> = BTreeMap::new();
    for run in ended {
        if let (Some((first, ..)), Some((last, ..))) = (run.hours.first(), run.hours.last()) {
            periods.entry((*last, *first)).or_default().push(run);
        }
    }
    let mut rows = String::new();
    for runs in periods.values().rev() {
        let Some(([(_, first, _), ..], [.., (_, last, _)])) = runs.first().map(|run| (&run.hours[..], &run.hours[..]))
        else {
            continue;
        };
        let metrics: Vec<String> = runs.iter().map(|run| worst(run)).collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td>{}</td></tr>",
            words::span(first, last),
            runs[0].hours.len(),
            escaped(&metrics.join(", "))
        );
    }
    if rows.is_empty() {
        return String::new();
    }
    format!(
        r#"<details>
<summary>{} of violations that ended</summary>
<div class="scroll">
<table>
<thead><tr><th scope="col">Period</th><th scope="col">Analysed hours</th><th scope="col">Metrics at their worst</th></tr></thead>
<tbody>
{rows}</tbody>
</table>
</div>
</details>
"#,
        counted(periods.len(), "period", "periods")
    )
}

/// The metric, with its value when it was farthest from its threshold.
fn worst(run: &Run<'_>) -> String {
    let compared = run.hours.iter().filter_map(|(_, _, violation)| Compared::read(violation));
    let worst = compared.max_by(|one, other| one.excess().total_cmp(&other.excess()));
    let value = worst.map_or_else(String::new, |worst| format!(" {}", words::figure(worst.value)));
    words::title(&words::in_documents(run.metric)) + &value
}

/// `1 hour`, `2 hours`.
fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}
