//! XML as the query protocol writes it: an element for each member, `<member>` for each item of a list, `<entry>` with
//! `<key>` and `<value>` for each of a map.

use serde_json::Value;

use crate::validation::{Api, Kind};

/// Writes a value of a shape as an element of this name. Null is left out, as an absent member is.
pub(super) fn element(out: &mut String, api: &Api, shape: &str, name: &str, value: &Value) {
    if value.is_null() {
        return;
    }
    let shape = api.shape(shape);
    out.push_str(&format!("<{name}>"));
    match value {
        Value::Object(entries) if shape.kind == Kind::Map => entries.iter().for_each(|(key, value)| {
            out.push_str("<entry>");
            text(out, "key", key);
            element(out, api, shape.value(), "value", value);
            out.push_str("</entry>");
        }),
        Value::Object(members) => members.iter().for_each(|(member, value)| {
            let of_member = shape.members().find(|(known, _)| known == member).map_or("", |(_, shape)| shape);
            element(out, api, of_member, member, value);
        }),
        Value::Array(items) => items.iter().for_each(|item| element(out, api, shape.member(), "member", item)),
        Value::String(text) => escape(out, text),
        other => out.push_str(&other.to_string()),
    }
    out.push_str(&format!("</{name}>"));
}

/// Writes a text as an element of this name.
pub(super) fn text(out: &mut String, name: &str, text: &str) {
    out.push_str(&format!("<{name}>"));
    escape(out, text);
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
    use crate::protocol::Service;

    #[test]
    fn members_items_and_escapes() {
        let mut out = String::new();
        let role = json!({"Name": "a<b>&\"c\u{1}", "Max": 3600, "Tags": [{"Key": "k"}], "Absent": null});
        element(&mut out, Service::Iam.api(), "no shape", "Role", &role);
        assert_eq!(
            out,
            "<Role><Name>a&lt;b&gt;&amp;&quot;c\u{fffd}</Name><Max>3600</Max><Tags><member><Key>k</Key></member></Tags></Role>"
        );
    }

    #[test]
    fn maps_have_entries() {
        let mut out = String::new();
        let (api, shape) = (Service::Iam.api(), "EvalDecisionDetailsType");
        element(&mut out, api, shape, "Details", &json!({"IAM Policy": "allowed", "Resource Policy": "implicitDeny"}));
        assert_eq!(
            out,
            "<Details><entry><key>IAM Policy</key><value>allowed</value></entry>\
             <entry><key>Resource Policy</key><value>implicitDeny</value></entry></Details>"
        );
    }
}
