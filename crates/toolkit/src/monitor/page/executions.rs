//! The executions as a table, the newest first.

use std::fmt::Write;

use super::words;
use crate::html::escaped;
use crate::monitor::Hour;

/// So many are seen at first: a day.
const SHOWN: usize = 24;

/// The table of the executions.
pub fn section(hours: &[&Hour]) -> String {
    if hours.is_empty() {
        return String::new();
    }
    let newest: Vec<&Hour> = hours.iter().rev().copied().collect();
    let (shown, rest) = newest.split_at(newest.len().min(SHOWN));
    let older = if rest.is_empty() {
        String::new()
    } else {
        format!("<details>\n<summary>{} earlier executions</summary>\n{}</details>\n", rest.len(), table(rest))
    };
    format!(
        "<section aria-labelledby=\"executions\">\n<h2 id=\"executions\">Executions</h2>\n{}{older}</section>\n",
        table(shown)
    )
}

/// What was said of it; nothing where that only repeats the status and the number of violations, as the exit message of a
/// job that came to its end does.
fn message(hour: &Hour) -> &str {
    let message = hour.message.as_deref().unwrap_or_default();
    let repeats =
        message.strip_prefix(&hour.status).is_some_and(|rest| rest.starts_with(": Job completed successfully with "));
    if repeats { "" } else { message }
}

fn table(hours: &[&Hour]) -> String {
    let mut rows = String::new();
    for hour in hours {
        let metrics: Vec<_> = hour
            .violations
            .iter()
            .map(|violation| words::title(&words::in_documents(&violation.metric_name)))
            .collect();
        let class = match hour.status.as_str() {
            "Completed" => "kept",
            "CompletedWithViolations" | "Failed" => "violated",
            _ => "beyond",
        };
        let unusable = hour.observed.as_ref().filter(|observed| observed.unusable > 0).map(|observed| {
            let reason = observed.reason.as_deref().unwrap_or_default();
            format!(
                " <span class=\"note\">{} of {} unusable: {}</span>",
                observed.unusable,
                observed.rows,
                escaped(reason)
            )
        });
        // Writing to a string cannot fail.
        let _ = writeln!(
            rows,
            "<tr><th scope=\"row\">{}</th><td><span class=\"badge {class}\">{}</span></td><td class=\"number\">{}</td><td class=\"number\">{}</td><td>{}</td><td>{}{}</td></tr>",
            words::time(hour.start),
            escaped(&hour.status),
            hour.statistics.as_ref().map_or_else(String::new, |statistics| statistics.item_count.to_string()),
            if hour.is_analysed() { hour.violations.len().to_string() } else { String::new() },
            escaped(&metrics.join(", ")),
            escaped(message(hour)),
            unusable.unwrap_or_default()
        );
    }
    format!(
        r#"<div class="scroll">
<table class="executions">
<thead><tr><th scope="col">Hour from, UTC</th><th scope="col">Status</th><th scope="col">Records</th><th scope="col">Violations</th><th scope="col">Violated metrics</th><th scope="col">Message</th></tr></thead>
<tbody>
{rows}</tbody>
</table>
</div>
"#
    )
}
