//! XML as the query protocol writes it: an element for each member, `<member>` for each item of a list.

use serde_json::Value;

/// Writes a value as an element of this name. Null is left out, as an absent member is.
pub(super) fn element(out: &mut String, name: &str, value: &Value) {
    if value.is_null() {
        return;
    }
    out.push_str(&format!("<{name}>"));
    match value {
        Value::Object(members) => members.iter().for_each(|(member, value)| element(out, member, value)),
        Value::Array(items) => items.iter().for_each(|item| element(out, "member", item)),
        Value::String(text) => escape(out, text),
        other => out.push_str(&other.to_string()),
    }
    out.push_str(&format!("</{name}>"));
}

fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0 has no way to write these; a response with one of them would be unreadable.
            letter if letter.is_control() && !matches!(letter, '\t' | '\n' | '\r') => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_items_and_escapes() {
        let mut out = String::new();
        element(
            &mut out,
            "Role",
            &json!({"Name": "a<b>&\"c\u{1}", "Max": 3600, "Tags": [{"Key": "k"}], "Absent": null}),
        );
        assert_eq!(
            out,
            "<Role><Name>a&lt;b&gt;&amp;&quot;c\u{fffd}</Name><Max>3600</Max><Tags><member><Key>k</Key></member></Tags></Role>"
        );
    }
}
