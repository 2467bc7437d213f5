//! Pages of made-up endpoints: what they say, and that any browser can read them.

mod made;

use std::collections::BTreeSet;

use model_monitor::analysis::Settings;
use model_monitor::problem::Problem;
use model_monitor::statistics::{Label, Measure};
use model_monitor::violations::{Violation, Violations};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use self::made::{Made, constraints_of, hour_at, report, statistics_of};
use super::{page, words};
use crate::monitor::sample::Sample;
use crate::monitor::{Hour, Report};

/// A page's text, once it is sure that its elements are nested, its ids its own and its references to them right, its
/// numbers numbers, and nothing is from elsewhere.
#[track_caller]
fn checked(report: &Report) -> String {
    let page = page(report);
    for outside in ["<script", "http", "src=", "@import", "url(", "NaN", "inf "] {
        assert!(!page.contains(outside), "{outside}");
    }
    let head = page.find("<style>").unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page[..head].contains("<meta charset=\"utf-8\">"));
    assert_eq!(page.matches("<title>Monitoring of ").count(), 1);
    // Elements without content have no end in HTML, and attributes need no value.
    let (before, after) = page.split_once("<meta").unwrap();
    let after = after.split_once("<title>").unwrap().1;
    let text = format!("{before}<title>{after}").replace(" open>", " open=\"\">");
    let mut reader = Reader::from_str(&text);
    let (mut ids, mut references, mut path) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    loop {
        let event = reader.read_event().unwrap();
        if let Event::Start(element) | Event::Empty(element) = &event {
            let name = String::from_utf8(element.name().as_ref().to_vec()).unwrap();
            if name == "th" {
                assert!(attribute(element, "scope").is_some(), "{path:?}");
            }
            if name == "svg" {
                assert!(attribute(element, "aria-labelledby").is_some() && attribute(element, "role").is_some());
            }
            if let Some(id) = attribute(element, "id") {
                assert!(ids.insert(id.clone()), "{id}");
            }
            references
                .extend(attribute(element, "aria-labelledby").iter().flat_map(|ids| ids.split(' ')).map(str::to_owned));
            for drawn in ["x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height"] {
                if let Some(number) = attribute(element, drawn) {
                    assert!(number.parse::<f64>().is_ok_and(|number| number >= 0.0), "{drawn}={number}");
                }
            }
            if matches!(event, Event::Start(_)) {
                path.push(name);
            }
        } else if let Event::End(_) = &event {
            path.pop();
        } else if matches!(event, Event::Eof) {
            break;
        }
    }
    assert!(path.is_empty(), "{path:?}");
    assert!(references.is_subset(&ids), "{:?}", references.difference(&ids));
    page
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).unwrap()?;
    Some(String::from_utf8(attribute.value.to_vec()).unwrap())
}

#[track_caller]
fn contains(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "{text:?} is not in the page");
    }
}

#[test]
fn the_numbers_are_those_that_were_fed() {
    let report = report(&[Made::Healthy, Made::Drifted]);
    let page = checked(&report);
    let last = &report.hours[1];
    let statistics = last.statistics.as_ref().unwrap();
    assert!(last.violations.len() > 5, "{:?}", last.violations);
    for (name, constraint) in &report.baseline.constraints.of {
        let value = words::figure(statistics.metric(name).unwrap().value);
        let title = words::title(name);
        let card = format!("<strong>{title}</strong> <span class=\"now\">{value}</span><br/>");
        contains(&page, &[&card, &words::expected(*constraint)]);
    }
    let Measure::ConfusionMatrix(counts) = &statistics.measures[0].1 else { panic!() };
    for row in counts.values() {
        let all: u64 = row.values().sum();
        for count in row.values() {
            let share = 100.0 * *count as f64 / all as f64;
            contains(&page, &[&format!("<strong>{count}</strong> <span class=\"share\">{share:.1}% (")]);
        }
    }
    let auc = |statistics: &model_monitor::statistics::Statistics| statistics.metric("auc").unwrap().value;
    let before = report.baseline.statistics.as_ref().unwrap();
    contains(
        &page,
        &[
            &format!(">AUC {:.4}, baseline {:.4}</text>", auc(statistics), auc(before)),
            "Counted again from the merged records: the same.",
            &format!("<strong>{} constraints violated</strong>", last.violations.len()),
            "New in this hour.",
            "<strong>2 of 5 drifted</strong>",
            "2 of 5 features drifted from the baseline. The largest shift is that of overlap",
        ],
    );
    let shifts = &last.observed.as_ref().unwrap().shifts;
    for shift in shifts {
        contains(&page, &[&format!("distance {:.3}; mean", shift.distance)]);
    }
    let bins = last.observed.as_ref().unwrap().scores.as_ref().unwrap().calibration().unwrap();
    assert_eq!(page.matches("<title id=\"drift-").count(), 2);
    for bin in bins.iter().filter(|bin| bin.rows > 0) {
        contains(&page, &[&format!("{} records: mean probability {:.3}", bin.rows, bin.mean_probability)]);
    }
}

#[test]
fn violations_are_told_in_words() {
    let mut report = report(&[Made::Healthy]);
    let recall = |value: &str| Violation {
        constraint_check_type: "LessThanThreshold".to_owned(),
        description: format!("Metric recall with {value} +/- 0.01 was LessThanThreshold '0.75'"),
        metric_name: "recall".to_owned(),
    };
    report.hours[0].violations = vec![recall("0.6")];
    contains(
        &checked(&report),
        &[
            "<strong>1 constraint violated</strong> in the last analysed hour, 2026-11-26 08:00 to 09:00 UTC. In the only hour that was analysed.",
            "<strong>Recall was 0.6000</strong>; at least 0.7500 is expected: 0.1500 too low (20.0%). Of 100 records labelled 1, 60.0 were recognised; at least 75.0 should be.",
        ],
    );
    // Without figures in between, it is the same violation; and a healthy hour ends it.
    report.hours.extend([hour_at(1, Made::Failed), hour_at(2, Made::Healthy), hour_at(3, Made::Failed)]);
    report.hours[2].violations = vec![recall("0.5")];
    contains(
        &checked(&report),
        &[
            "Since 2026-11-26 08:00 UTC, in 2 analysed hours one after the other.",
            "The execution of 2026-11-26 11:00 to 12:00 UTC is Failed (Job inputs had no data)",
        ],
    );
    report.hours.push(hour_at(4, Made::Healthy));
    let page = checked(&report);
    contains(
        &page,
        &[
            "<strong>No violations</strong> in the last analysed hour, 2026-11-26 12:00",
            "1 period of violations that ended",
        ],
    );
    contains(
        &page,
        &["<th scope=\"row\">2026-11-26 08:00 to 11:00 UTC</th><td class=\"number\">2</td><td>Recall 0.5000</td>"],
    );
    // What is no comparison of a metric is told as it is.
    report.hours[4].violations = vec![Violation { description: "Values > 1".to_owned(), ..recall("") }];
    contains(&checked(&report), &["<strong>Recall</strong>: Values &gt; 1"]);
}

#[test]
fn what_the_monitor_does_not_report_is_told_too() {
    let mut report = report(&[Made::Drifted]);
    // Its own list lacks this metric, always.
    assert!(report.hours[0].violations.iter().all(|violation| violation.metric_name != "f05"));
    let page = checked(&report);
    contains(
        &page,
        &["Beyond its threshold too, though the monitor does not report it: F0.5 is ", "below, not reported"],
    );
    report.hours[0].violations.clear();
    "Completed".clone_into(&mut report.hours[0].status);
    contains(&checked(&report), &["No violations</strong>", "though the monitor does not report it: Recall is "]);
}

#[test]
fn text_stays_text() {
    const EVIL: &str = "</style><script>alert('R&D')</script>\u{1}";
    let mut report = report(&[Made::Drifted]);
    for text in [&mut report.endpoint, &mut report.schedule, &mut report.hours[0].status] {
        EVIL.clone_into(text);
    }
    report.settings.positive_label = Some(EVIL.to_owned());
    report.hours[0].message = Some(EVIL.to_owned());
    report.hours[0].observed.as_mut().unwrap().reason = Some(EVIL.to_owned());
    report.hours[0].observed.as_mut().unwrap().unusable = 1;
    for feature in &mut report.features {
        EVIL.clone_into(&mut feature.name);
        EVIL.clone_into(&mut feature.about);
    }
    for violation in &mut report.hours[0].violations {
        EVIL.clone_into(&mut violation.metric_name);
        EVIL.clone_into(&mut violation.description);
    }
    EVIL.clone_into(&mut report.baseline.constraints.of[0].0);
    contains(&checked(&report), &["&lt;/style&gt;&lt;script&gt;alert(&#39;R&amp;D&#39;)&lt;/script&gt;\u{fffd}"]);
}

#[test]
fn any_number_and_kind_of_hours_makes_a_page() {
    contains(&checked(&report(&[])), &["No execution yet", "There is no execution yet"]);
    let page = checked(&report(&[Made::Failed; 3]));
    contains(&page, &["3 failed", "No hour has been analysed", "Failed: Job inputs had no data"]);
    assert!(!page.contains("<svg"));
    let kinds = [Made::Healthy, Made::Failed, Made::Drifted, Made::Unread, Made::Pending];
    contains(
        &checked(&report(&kinds)),
        &["1 without violations, 2 with violations, 1 failed, 1 stopped or not ended yet"],
    );
    contains(&checked(&report(&[Made::Unread])), &["<strong>Recall</strong>"]);
    let few = report(&kinds);
    let many = (0..200_i32).zip(few.hours.iter().cycle()).map(|(place, hour)| {
        let later = time::Duration::HOUR * (place / 5 * 5);
        Hour { start: hour.start + later, end: hour.end + later, ..hour.clone() }
    });
    let page = checked(&Report { hours: many.collect(), ..few });
    contains(&page, &["176 earlier executions", "108 earlier hours with figures are in the charts above alone."]);
    assert!(page.len() < 2 << 20, "{}", page.len());
}

#[test]
fn hours_come_in_any_order() {
    let made = [Made::Healthy, Made::Drifted, Made::Failed];
    let (forth, mut back) = (report(&made), report(&made));
    back.hours.reverse();
    assert_eq!(page(&forth), page(&back));
}

#[test]
fn a_baseline_may_lack_everything_but_constraints() {
    let mut report = report(&[Made::Healthy]);
    report.baseline.statistics = None;
    report.baseline.sample = Sample::default();
    report.features.clear();
    report.hours[0].observed.as_mut().unwrap().shifts.clear();
    contains(&checked(&report), &["The requests cannot be compared"]);
    report.baseline.constraints.of.clear();
    checked(&report);
}

#[test]
fn records_that_the_monitor_did_not_analyse_are_shown_all_the_same() {
    let mut report = report(&[Made::Healthy]);
    let hour = &mut report.hours[0];
    hour.statistics = None;
    "Failed".clone_into(&mut hour.status);
    let area = hour.observed.as_ref().unwrap().scores.as_ref().unwrap().area().unwrap().value;
    contains(
        &checked(&report),
        &["Counted from the merged records: the monitor has no figures", &format!("AUC {area:.4}")],
    );
}

#[test]
fn other_problems_have_their_own_metrics() {
    #[track_caller]
    fn check(problem: Problem, rows: impl Fn(u32) -> [String; 2], texts: &[&str]) {
        let mut report = report(&[]);
        report.settings = Settings { problem, threshold: None, positive_label: None };
        let statistics = statistics_of(&report.settings, (0..400).map(rows));
        report.baseline.constraints = constraints_of(&statistics);
        report.baseline.statistics = None;
        let worse = statistics_of(&report.settings, (0..400).map(|n| [n.to_string(), ((n + 7) % 400).to_string()]));
        let violations = Violations::find(&worse, &report.baseline.constraints).violations;
        let hour = hour_at(0, Made::Failed);
        report.hours.push(Hour { statistics: Some(worse), violations, observed: None, ..hour });
        contains(&checked(&report), texts);
    }
    let texts = ["<strong>MAE was ", "<strong>R\u{b2} was ", "too high"];
    check(Problem::Regression, |n| [n.to_string(), (n + 1).to_string()], &texts);
    let texts = ["<strong>Weighted F2 was 0.0000</strong>", "The most frequent confusions of 400 labels"];
    check(Problem::MulticlassClassification, |n| [n.to_string(), n.to_string()], &texts);
}

#[test]
fn a_matrix_counts_what_it_is_fed() {
    let mut report = report(&[Made::Healthy]);
    let Some((_, Measure::ConfusionMatrix(counts))) =
        report.hours[0].statistics.as_mut().and_then(|statistics| statistics.measures.first_mut())
    else {
        panic!()
    };
    *counts.get_mut(&Label::Number(1)).unwrap().get_mut(&Label::Number(0)).unwrap() += 7_000_000;
    contains(&checked(&report), &["Counted again from the merged records it is another"]);
}
