//! The report as a page.

mod executions;
mod features;
mod hour;
mod metrics;
mod violations;
mod words;

#[cfg(test)]
mod tests;

use super::{Hour, Report};
use crate::html::{document, escaped};

const STYLE: &str = include_str!("page/style.css");

/// The page of a report.
#[must_use]
pub fn page(report: &Report) -> String {
    let mut hours: Vec<&Hour> = report.hours.iter().collect();
    hours.sort_by_key(|hour| (hour.start, hour.end));
    let main = [
        header(report, &hours),
        violations::section(report, &hours),
        metrics::section(report, &hours),
        executions::section(&hours),
        hour::sections(report, &hours),
    ];
    document(&format!("Monitoring of {}", report.endpoint), STYLE, &main.concat())
}

fn header(report: &Report, hours: &[&Hour]) -> String {
    let count = |status: &dyn Fn(&str) -> bool| hours.iter().filter(|hour| status(&hour.status)).count();
    let counts = [
        (count(&|status| status == "Completed"), "without violations"),
        (count(&|status| status == "CompletedWithViolations"), "with violations"),
        (count(&|status| status == "Failed"), "failed"),
        (
            count(&|status| !matches!(status, "Completed" | "CompletedWithViolations" | "Failed")),
            "stopped or not ended yet",
        ),
    ];
    let counts: Vec<_> =
        counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    let executions = match hours {
        [] => "No execution yet".to_owned(),
        [one] => format!("One execution, {}: {}", words::window(one), counts.join(", ")),
        [first, .., last] => format!("{} executions, {}: {}", hours.len(), words::span(first, last), counts.join(", ")),
    };
    format!(
        r#"<header>
<h1>Monitoring of {}</h1>
<p>{executions}.</p>
<p class="note">Schedule {}, {}. Report made {} UTC; all times are UTC.</p>
</header>
"#,
        escaped(&report.endpoint),
        escaped(&report.schedule),
        report.settings.problem,
        words::time(report.made)
    )
}
