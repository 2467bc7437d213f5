//! Pages: one file each, without scripts or anything from elsewhere, for screens light and dark and for paper.

const STYLE: &str = include_str!("style.css");

/// A page: its title, what it adds to the style of all pages, and what is in its `<main>`.
pub fn document(title: &str, style: &str, main: &str) -> String {
    format!(
        r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{STYLE}{style}</style>
</head>
<body>
<main>
{main}</main>
</body>
</html>
"#,
        title = escaped(title)
    )
}

/// Text that means nothing to a browser.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // No page may have other control characters.
            c if c.is_control() && !c.is_whitespace() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// A cell of a confusion matrix: the count, its share of all with this label, and the share before, from 0 to 1.
pub fn count_of(count: u64, all: u64, is_right: bool, before: Option<f64>) -> String {
    let share = 100.0 * count as f64 / all.max(1) as f64;
    let before = before.map_or_else(String::new, |before| format!(" ({:.1}%)", 100.0 * before));
    let class = if is_right { "right" } else { "wrong" };
    format!(
        r#"<td class="number {class}"><strong>{count}</strong> <span class="share">{share:.1}%{before}</span></td>"#
    )
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn sentences_stay_text() {
        assert_eq!(
            escaped("<b title=\"x\">R&D's\u{1}</b>"),
            "&lt;b title=&quot;x&quot;&gt;R&amp;D&#39;s\u{fffd}&lt;/b&gt;"
        );
    }
}
