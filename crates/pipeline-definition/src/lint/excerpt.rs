//! The line of a finding, with a caret.

use super::Finding;

/// The line of the text in which the finding stands, and below it carets under what is meant. A long line (tools write
/// whole definitions as one) is cut on both sides.
#[must_use]
pub fn excerpt(text: &str, finding: &Finding) -> String {
    const BEFORE: usize = 40;
    const LONGEST: usize = 100;
    let start = finding.span.start.min(text.len());
    // Backwards from what is meant, and forwards; neither looks further than could be shown.
    let before: Vec<char> = text[..start].chars().rev().take_while(|c| *c != '\n').take(LONGEST + 1).collect();
    let after: Vec<char> = text[start..].chars().take_while(|c| !matches!(c, '\n' | '\r')).take(LONGEST + 1).collect();
    let fits = before.len() + after.len() <= LONGEST;
    let shown = if fits { before.len() } else { before.len().min(BEFORE) };
    let mut line = if shown < before.len() { "…".to_owned() } else { String::new() };
    line.extend(before[..shown].iter().rev());
    let indent = line.chars().count();
    let room = LONGEST - indent;
    line.extend(after.iter().take(room));
    if after.len() > room {
        line.push('…');
    }
    // A tab has the width of one character here, as has the blank above the caret; other controls do no harm.
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let meant = text.get(finding.span.clone()).unwrap_or_default();
    let marked = match meant.chars().next() {
        Some('{' | '[') | None => 1,
        _ => meant.chars().take(room).take_while(|c| *c != '\n').count().max(1),
    };
    let number = finding.line.to_string();
    let gutter = " ".repeat(number.len());
    format!("{number} | {line}\n{gutter} | {}{}", " ".repeat(indent), "^".repeat(marked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{Rule, lint};

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let findings = lint(text);
        assert_eq!(excerpt(text, &findings[0]), expected, "{findings:?}");
    }

    #[test]
    fn the_caret_stands_under_what_is_meant() {
        check("{\n\t\"Version\": \"2021\",\n\t\"Steps\": []\n}", "2 |  \"Version\": \"2021\",\n  |             ^^^^^^");
        check("{\n  \"Steps\": [,]\n}", "2 |   \"Steps\": [,]\n  |             ^");
        check("{\"Steps\": [1,\r\n\r\n", "3 | \n  | ^");
        check("", "1 | \n  | ^");
        check("{\"é\": ä}", "1 | {\"é\": ä}\n  |       ^");
        check("[]", "1 | []\n  | ^");
    }

    #[test]
    fn long_lines_are_cut() {
        let text = format!(r#"{{"Metadata": "{}", "Version": "x{}", "Steps": []}}"#, "m".repeat(500), "y".repeat(500));
        let finding = lint(&text).remove(0);
        assert_eq!((finding.rule, finding.line, finding.column), (Rule::Version, 1, 529));
        let expected = format!(
            "1 | …{}\", \"Version\": \"x{}…\n  | {}{}",
            "m".repeat(26),
            "y".repeat(57),
            " ".repeat(41),
            "^".repeat(59)
        );
        assert_eq!(excerpt(&text, &finding), expected);
    }
}
