//! For Mermaid, which GitHub and many wikis draw.

use super::{Picture, Why, branch_name};

pub(super) fn draw(picture: &Picture) -> String {
    let mut text = "flowchart TD\n".to_owned();
    for (i, step) in picture.steps.iter().enumerate() {
        let (open, close) = if step.is_condition() { ("{\"", "\"}") } else { ("[\"", "\"]") };
        text.push_str(&format!("    s{i}{open}{}<br/>{}{close}\n", label(&step.name), label(&step.kind)));
    }
    for (from, to, why) in picture.arrows() {
        let arrow = match why {
            Why::Uses => "-->".to_owned(),
            Why::After => "-.->".to_owned(),
            Why::Branch(outcome) => format!("-->|{}|", branch_name(outcome)),
        };
        text.push_str(&format!("    s{from} {arrow} s{to}\n"));
    }
    text
}

/// Mermaid reads entities by number, between `#` and `;`.
fn label(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            c if c.is_alphanumeric() || matches!(c, '-' | '_' | ' ' | '.') => c.to_string(),
            other => format!("#{};", u32::from(other)),
        })
        .collect()
}
