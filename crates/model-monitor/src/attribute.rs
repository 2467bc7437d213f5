//! Where in a row a value is: what a job calls `inference_attribute`, `probability_attribute`, `ground_truth_attribute`.

use std::borrow::Cow;

use serde_json::Value;

/// A column of CSV, by its number from 0 (`0`, `_c0`) or its name; or a member of JSON, by its name or path (`score`,
/// `$.predictions[0].score`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    text: String,
    column: Option<usize>,
    /// The path, as a JSON pointer.
    pointer: String,
}

impl Attribute {
    /// What a text means depends on the row.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let column = text.strip_prefix("_c").unwrap_or(text);
        let column = column.bytes().all(|byte| byte.is_ascii_digit()).then(|| column.parse().ok()).flatten();
        Self { text: text.to_owned(), column, pointer: pointer(text) }
    }

    /// As the job has it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The number of its column in rows without header.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        self.column
    }

    /// The number of its column in rows with this header. A name comes before a number.
    pub fn column_in<'a>(&self, header: impl IntoIterator<Item = &'a str>) -> Option<usize> {
        let named = header.into_iter().position(|name| name.trim() == self.text);
        named.or(self.column)
    }

    /// The value in a JSON document: a text, a number or a truth value, as text. A member that is named like a path
    /// comes before the path.
    #[must_use]
    pub fn find<'a>(&self, document: &'a Value) -> Option<Cow<'a, str>> {
        scalar(document.get(&self.text).or_else(|| document.pointer(&self.pointer))?)
    }
}

/// A value that has nothing inside, as text.
pub(crate) fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::from(text.as_str())),
        Value::Number(_) | Value::Bool(_) => Some(Cow::from(value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// `$.a.b[0]['c']` as `/a/b/0/c`.
fn pointer(path: &str) -> String {
    let rooted = path.strip_prefix('$').filter(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
    let mut rest = rooted.unwrap_or(path);
    let mut pointer = String::new();
    while !rest.is_empty() {
        let segment;
        (segment, rest) = match rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((inside, after)) => (inside.trim_matches(['\'', '"']), after),
            None => {
                let name = rest.strip_prefix('.').unwrap_or(rest);
                // A bracket that opens nothing belongs to the name.
                let end = name.char_indices().skip(1).find(|(_, c)| matches!(c, '.' | '['));
                name.split_at(end.map_or(name.len(), |(at, _)| at))
            }
        };
        pointer.push('/');
        pointer.push_str(&segment.replace('~', "~0").replace('/', "~1"));
    }
    pointer
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_go_by_number_or_name() {
        #[track_caller]
        fn check(text: &str, column: Option<usize>, in_header: Option<usize>) {
            let attribute = Attribute::new(text);
            assert_eq!((attribute.column(), attribute.column_in(["a", "1", " b"])), (column, in_header), "{text}");
        }
        check("0", Some(0), Some(0));
        check("_c12", Some(12), Some(12));
        check("b", None, Some(2));
        check("1", Some(1), Some(1));
        check("c", None, None);
        check("-1", None, None);
        check("", None, None);
        check("99999999999999999999", None, None);
    }

    #[test]
    fn members_go_by_name_or_path() {
        #[track_caller]
        fn check(text: &str, expected: Option<&str>) {
            let document = json!({"label": 1, "a": {"b": [0.5, {"c": "x"}], "~/": true}, "a.d": "dotted", "n": null});
            assert_eq!(Attribute::new(text).find(&document).as_deref(), expected, "{text}");
        }
        check("label", Some("1"));
        check("$.label", Some("1"));
        check("a.b[0]", Some("0.5"));
        check("$.a['b'][1].c", Some("x"));
        check("$['a'][\"~/\"]", Some("true"));
        check("a.d", Some("dotted"));
        check("a", None);
        check("n", None);
        check("a.z", None);
        check("", None);
        assert_eq!(Attribute::new("1").find(&json!([1, 0.25])).as_deref(), Some("0.25"));
    }

    proptest! {
        #[test]
        fn any_text_is_an_attribute(text in "[$.a]{0,5}|[$.'\"\\[\\]a0ä]{0,24}|.{0,24}") {
            let _ = Attribute::new(&text).find(&json!({"a": [{"a": 0}]}));
        }
    }
}
