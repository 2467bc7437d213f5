//! Paths into a JSON value: what stands after `Steps.NAME` in a `Get`, and the `Path` of a `Std:JsonGet`.
//!
//! `A.B['key'].C[0]`: members by dots, keys and names of list items in quotes, positions in brackets. A path holds for
//! exactly one value; the wildcards, filters and slices of JSONPath do not belong to the grammar.

use std::{fmt, str::FromStr};

use serde_json::Value;

/// A parsed path. Prints as SageMaker writes it: `Outputs['train'].S3Output.S3Uri`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(pub Vec<Segment>);

/// One hop of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// `.Name`: a member of an object.
    Member(String),
    /// `['name']`: a key of a map, or the item of a list of named things (`Outputs` by `OutputName`).
    Key(String),
    /// `[0]`: an item of a list.
    Index(usize),
}

/// Why a text is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at character {at} of the path '{path}'")]
pub struct PathError {
    /// The whole text.
    pub path: String,
    /// Where it goes wrong, in characters, from 0.
    pub at: usize,
    /// What is wrong.
    pub reason: &'static str,
}

impl Path {
    /// Follows the path from `root`. Members that list items are named by are known for SageMaker's own lists
    /// (`OutputName`, `MetricName`, ...); in any other list it is the member whose name ends in `Name`.
    ///
    /// # Errors
    /// A sentence that says at which hop the value ends and what is there instead.
    pub fn find<'v>(&self, root: &'v Value) -> Result<&'v Value, String> {
        let mut value = root;
        let mut list_name = "";
        for (hop, segment) in self.0.iter().enumerate() {
            let found = match segment {
                Segment::Member(name) => value.get(name),
                Segment::Key(name) => match value {
                    Value::Array(items) => named_item(items, list_name, name).map_err(|e| self.up_to(hop, &e))?,
                    other => other.get(name),
                },
                Segment::Index(index) => value.get(index),
            };
            value = found.ok_or_else(|| self.up_to(hop, &absence(value, segment)))?;
            if let Segment::Member(name) | Segment::Key(name) = segment {
                list_name = name;
            }
        }
        Ok(value)
    }

    fn up_to(&self, hop: usize, reason: &str) -> String {
        let so_far = Path(self.0[..hop].to_vec());
        if so_far.0.is_empty() { reason.to_owned() } else { format!("'{so_far}' {reason}") }
    }
}

/// By which member the items of SageMaker's lists are told apart.
fn naming_member(list_name: &str) -> Option<&'static str> {
    Some(match list_name {
        "Outputs" | "OutputParameters" => "OutputName",
        "ProcessingInputs" => "InputName",
        "InputDataConfig" => "ChannelName",
        "FinalMetricDataList" => "MetricName",
        "ProductionVariants" => "VariantName",
        _ => return None,
    })
}

fn named_item<'v>(items: &'v [Value], list_name: &str, name: &str) -> Result<Option<&'v Value>, String> {
    let is_named = |item: &Value| match naming_member(list_name) {
        Some(member) if item.get(member).is_some() => item[member] == name,
        _ => item.as_object().is_some_and(|o| o.iter().any(|(key, v)| key.ends_with("Name") && v == name)),
    };
    let mut found = items.iter().filter(|item| is_named(item));
    let first = found.next();
    match found.count() {
        0 => Ok(first),
        more => Err(format!("has {} items named '{name}'", more + 1)),
    }
}

fn absence(value: &Value, segment: &Segment) -> String {
    match (value, segment) {
        (Value::Object(object), Segment::Member(name) | Segment::Key(name)) => {
            let known: Vec<&str> = object.keys().take(8).map(String::as_str).collect();
            let more = if object.len() > known.len() { ", ..." } else { "" };
            format!("has no member '{name}' (it has: {}{more})", known.join(", "))
        }
        (Value::Array(_), Segment::Key(name)) => format!("has no item named '{name}'"),
        (Value::Array(items), Segment::Index(index)) => format!("has {} items, so no [{index}]", items.len()),
        (Value::Array(_), Segment::Member(name)) => {
            format!("is a list: '{name}' must follow an item, [0] or ['name']")
        }
        (Value::Object(_), Segment::Index(index)) => format!("has no item [{index}]: it is an object"),
        (other, _) => format!("is {}, which has nothing inside", kind_of(other)),
    }
}

/// What a JSON value is, with its article, for error texts: `a string`, `an object`.
#[must_use]
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |at: usize, reason| PathError { path: text.to_owned(), at: text[..at].chars().count(), reason };
        // JSONPath's root may be written or left out.
        let start = if text == "$" || text.starts_with("$.") || text.starts_with("$[") { 1 } else { 0 };
        let mut rest = &text[start..];
        let mut segments = Vec::new();
        while !rest.is_empty() {
            let at = text.len() - rest.len();
            rest = if let Some(bracket) = rest.strip_prefix('[') {
                let (segment, after) = in_brackets(bracket).map_err(|reason| error(at, reason))?;
                segments.push(segment);
                after
            } else {
                let name = match rest.strip_prefix('.') {
                    Some(after) if !segments.is_empty() || start == 1 => after,
                    Some(_) => return Err(error(at, "a member name is missing")),
                    None if segments.is_empty() => rest,
                    None => return Err(error(at, "a '.' or '[' is missing")),
                };
                let end = name.find(['.', '[', ']']).unwrap_or(name.len());
                match &name[..end] {
                    "" => return Err(error(at, "a member name is missing")),
                    "*" => return Err(error(at, "a wildcard does not name one value")),
                    member => segments.push(Segment::Member(member.to_owned())),
                }
                &name[end..]
            };
        }
        Ok(Path(segments))
    }
}

/// Reads what follows a `[`: the segment, and the text after the closing bracket.
fn in_brackets(text: &str) -> Result<(Segment, &str), &'static str> {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
        let (digits, after) = text.split_once(']').ok_or("a ']' is missing")?;
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err("between brackets must stand a position like [0] or a name in quotes");
        }
        return Ok((Segment::Index(digits.parse().map_err(|_| "a position is too large")?), after));
    };
    // The SDK writes names between quotes as they are, quotes inside too, so a name ends where `']` stands.
    let end = if quote == '\'' { "']" } else { "\"]" };
    let (name, after) = text[1..].split_once(end).ok_or("the closing quote and bracket are missing")?;
    Ok((Segment::Key(name.to_owned()), after))
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            match segment {
                // A member of that name at the beginning would be read as the root.
                Segment::Member(name) if i == 0 && name == "$" => f.write_str("$.$")?,
                Segment::Member(name) if i == 0 => write!(f, "{name}")?,
                Segment::Member(name) => write!(f, ".{name}")?,
                Segment::Key(name) => write!(f, "['{name}']")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_read_and_printed() {
        fn check(text: &str, segments: &[Segment], printed: &str) {
            let path: Path = text.parse().unwrap();
            assert_eq!((path.0.as_slice(), path.to_string().as_str()), (segments, printed), "{text}");
        }
        let member = |name: &str| Segment::Member(name.to_owned());
        let key = |name: &str| Segment::Key(name.to_owned());
        check("", &[], "");
        check("$", &[], "");
        check("a", &[member("a")], "a");
        check("$.a.b", &[member("a"), member("b")], "a.b");
        check("$[0]", &[Segment::Index(0)], "[0]");
        check("$x", &[member("$x")], "$x");
        check("$.$[0]", &[member("$"), Segment::Index(0)], "$.$[0]");
        check("a.0", &[member("a"), member("0")], "a.0");
        check("A['train'].B", &[member("A"), key("train"), member("B")], "A['train'].B");
        check("['a'][\"b\"][12]", &[key("a"), key("b"), Segment::Index(12)], "['a']['b'][12]");
        // As Data Wrangler names its outputs, and as the SDK writes a quote: as it is.
        check("O['68ca-e.default']", &[member("O"), key("68ca-e.default")], "O['68ca-e.default']");
        check("M['it's']", &[member("M"), key("it's")], "M['it's']");
        check("M['a]b']", &[member("M"), key("a]b")], "M['a]b']");
    }

    #[test]
    fn texts_that_are_no_path_are_refused_where_they_go_wrong() {
        fn check(text: &str, at: usize, reason: &str) {
            let error = text.parse::<Path>().unwrap_err();
            assert_eq!((error.at, error.reason), (at, reason), "{text}");
        }
        check(".", 0, "a member name is missing");
        check("a.", 1, "a member name is missing");
        check("ä..b", 1, "a member name is missing");
        check("$..b", 1, "a member name is missing");
        check("a.*", 1, "a wildcard does not name one value");
        check("a]", 1, "a '.' or '[' is missing");
        check("a['b']c", 6, "a '.' or '[' is missing");
        check("a[0", 1, "a ']' is missing");
        check("a['b", 1, "the closing quote and bracket are missing");
        check("a[\"b']", 1, "the closing quote and bracket are missing");
        check("a[99999999999999999999]", 1, "a position is too large");
        for text in ["a[]", "a[*]", "a[-1]", "a[1:2]", "a[b]", "a[?(@.x)]"] {
            check(text, 1, "between brackets must stand a position like [0] or a name in quotes");
        }
    }

    #[test]
    fn values_are_found() {
        fn check(path: &str, expected: &Value) {
            let response = json!({
                "ProcessingOutputConfig": {"Outputs": [
                    {"OutputName": "train", "S3Output": {"S3Uri": "s3://b/train"}},
                    {"OutputName": "test", "S3Output": {"S3Uri": "s3://b/test"}},
                ]},
                "FinalMetricDataList": [{"MetricName": "mse", "Value": 0.25}],
                "HyperParameters": {"l2": "1.0", "a.b": "dotted"},
                "TrainingJobSummaries": [{"TrainingJobName": "one"}, {"TrainingJobName": "two"}],
                "Things": [{"Kind": "x"}, {"ThingName": "that", "Size": 3}],
                "Nothing": null,
            });
            assert_eq!(path.parse::<Path>().unwrap().find(&response), Ok(expected), "{path}");
        }
        check("ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri", &json!("s3://b/test"));
        check("ProcessingOutputConfig.Outputs[0].OutputName", &json!("train"));
        check("FinalMetricDataList['mse'].Value", &json!(0.25));
        check("HyperParameters.l2", &json!("1.0"));
        check("HyperParameters['a.b']", &json!("dotted"));
        check("TrainingJobSummaries[1].TrainingJobName", &json!("two"));
        check("Things['that'].Size", &json!(3));
        check("Nothing", &Value::Null);
    }

    #[test]
    fn what_is_not_there_is_explained() {
        fn check(path: &str, reason: &str) {
            let value = json!({
                "A": {"B": [{"OutputName": "x"}], "C": 1},
                "Outputs": [{"OutputName": "twin"}, {"OutputName": "twin"}, {"OutputName": "y", "OtherName": "z"}],
            });
            assert_eq!(path.parse::<Path>().unwrap().find(&value), Err(reason.to_owned()), "{path}");
        }
        check("Z", "has no member 'Z' (it has: A, Outputs)");
        check("A.Z", "'A' has no member 'Z' (it has: B, C)");
        check("A.B.OutputName", "'A.B' is a list: 'OutputName' must follow an item, [0] or ['name']");
        check("A.B['y']", "'A.B' has no item named 'y'");
        check("A.B[1]", "'A.B' has 1 items, so no [1]");
        check("A.C.D", "'A.C' is a number, which has nothing inside");
        check("A[0]", "'A' has no item [0]: it is an object");
        check("Outputs['twin']", "'Outputs' has 2 items named 'twin'");
        // An output goes by its OutputName alone.
        check("Outputs['z']", "'Outputs' has no item named 'z'");
    }

    fn segment() -> impl Strategy<Value = Segment> {
        prop_oneof![
            "[A-Za-z0-9_ -]{1,8}".prop_map(Segment::Member),
            ".{0,8}".prop_filter("ends early", |key| !key.contains("']")).prop_map(Segment::Key),
            any::<usize>().prop_map(Segment::Index),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn no_text_makes_the_parser_panic(text in "[$.a]{0,5}|[$.'\"\\[\\]a0*ä]{0,24}|.{0,24}") {
            if let Ok(path) = text.parse::<Path>() {
                prop_assert_eq!(path.to_string().parse::<Path>(), Ok(path));
            }
        }

        #[test]
        fn what_is_printed_is_read_back(segments in prop::collection::vec(segment(), 0..6)) {
            let path = Path(segments);
            prop_assert_eq!(path.to_string().parse::<Path>(), Ok(path));
        }
    }
}
