//! The part of JSONPath that SageMaker takes in the filters of a batch transform job: `$`, `.name`, `*`,
//! `['name', 'name']`, `[1, -1]`, `[1:4]`. SageMaker's slices include the end.

use std::str::FromStr;

use serde_json::{Map, Value};

/// A filter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct JsonPath(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// `.name` or `['name']`
    Name(String),
    /// `['name', 'name']`: an object of these members.
    Names(Vec<String>),
    /// `[1]`
    Index(i64),
    /// `[1, 3]`: a list of these items.
    Indexes(Vec<i64>),
    /// `[1:4]`
    Slice(Option<i64>, Option<i64>),
    /// `*`
    All,
}

impl JsonPath {
    /// Whether it takes everything as it is.
    pub(super) fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it can be applied to a row of CSV, which has places and no names.
    pub(super) fn is_of_places(&self) -> bool {
        !self.0.iter().any(|segment| matches!(segment, Segment::Name(_) | Segment::Names(_)))
    }

    /// What it selects. The error is a sentence.
    pub(super) fn select(&self, value: &Value) -> Result<Value, String> {
        let (mut found, mut many) = (vec![value.clone()], false);
        for segment in &self.0 {
            let mut next = Vec::new();
            for value in &found {
                match segment.of(value) {
                    Some(more) => next.extend(more),
                    // Of many, those that have it.
                    None if many => {}
                    None => return Err(format!("{} has no {}", shortened(value), segment.written())),
                }
            }
            found = next;
            many |= matches!(segment, Segment::Indexes(_) | Segment::Slice(..) | Segment::All);
        }
        Ok(if many { Value::Array(found) } else { found.pop().unwrap_or_default() })
    }
}

impl Segment {
    fn of(&self, value: &Value) -> Option<Vec<Value>> {
        let at = |list: &[Value], index: i64| list.get(place(list.len(), index)?).cloned();
        match (self, value) {
            (Self::Name(name), Value::Object(members)) => Some(vec![members.get(name)?.clone()]),
            (Self::Names(names), Value::Object(members)) => {
                let named = names.iter().filter_map(|name| Some((name.clone(), members.get(name)?.clone())));
                Some(vec![Value::Object(named.collect::<Map<_, _>>())])
            }
            (Self::Index(index), Value::Array(list)) => Some(vec![at(list, *index)?]),
            (Self::Indexes(indexes), Value::Array(list)) => {
                Some(indexes.iter().filter_map(|index| at(list, *index)).collect())
            }
            (Self::Slice(start, end), Value::Array(list)) => {
                let start = start.map_or(Some(0), |start| place(list.len(), start))?;
                let end = end.map_or(Some(list.len()), |end| Some(place(list.len(), end)? + 1))?;
                Some(list.iter().take(end).skip(start).cloned().collect())
            }
            (Self::All, Value::Array(list)) => Some(list.clone()),
            (Self::All, Value::Object(members)) => Some(members.values().cloned().collect()),
            _ => None,
        }
    }

    fn written(&self) -> String {
        match self {
            Self::Name(name) => format!("member '{name}'"),
            Self::Names(_) => "members".to_owned(),
            Self::Index(index) => format!("item {index}"),
            Self::Indexes(_) | Self::Slice(..) => "items".to_owned(),
            Self::All => "members or items".to_owned(),
        }
    }
}

/// Where an index is in a list; one below zero counts from the end.
fn place(length: usize, index: i64) -> Option<usize> {
    let index = if index < 0 { index + i64::try_from(length).ok()? } else { index };
    usize::try_from(index).ok()
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    let cut = &text[..text.floor_char_boundary(60)];
    if cut.len() == text.len() { text } else { format!("{cut}...") }
}

impl FromStr for JsonPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            format!(
                "'{text}' is not a JSONPath that SageMaker supports: $, .name, *, ['name', 'name'], [1, -1] and [1:4] are"
            )
        };
        let mut rest = text.trim().strip_prefix('$').ok_or_else(wrong)?;
        let mut segments = Vec::new();
        while !rest.is_empty() {
            // Both `$.a['b']` and `$.a.['b']` are written.
            let dotted = rest.strip_prefix('.');
            let after = dotted.unwrap_or(rest);
            if let Some(bracket) = after.strip_prefix('[') {
                let end = closing(bracket).ok_or_else(wrong)?;
                segments.push(in_brackets(&bracket[..end]).ok_or_else(wrong)?);
                rest = &bracket[end + 1..];
            } else if dotted.is_some() {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                match &after[..end] {
                    "*" => segments.push(Segment::All),
                    "" => return Err(wrong()),
                    name if name.contains(['*', ']', '(', '?', '@', '\'', ' ']) => return Err(wrong()),
                    name => segments.push(Segment::Name(name.to_owned())),
                }
                rest = &after[end..];
            } else {
                return Err(wrong());
            }
        }
        Ok(Self(segments))
    }
}

/// Where the bracket closes: not within quotes.
fn closing(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, letter)| {
        quoted ^= letter == '\'';
        (letter == ']' && !quoted).then_some(at)
    })
}

fn in_brackets(text: &str) -> Option<Segment> {
    let text = text.trim();
    if text == "*" {
        return Some(Segment::All);
    }
    if text.starts_with('\'') {
        let name = |part: &str| part.trim().strip_prefix('\'')?.strip_suffix('\'').map(str::to_owned);
        let mut names = text.split(',').map(name).collect::<Option<Vec<_>>>()?;
        return Some(if names.len() == 1 { Segment::Name(names.remove(0)) } else { Segment::Names(names) });
    }
    if let Some((start, end)) = text.split_once(':') {
        let bound = |text: &str| match text.trim() {
            "" => Some(None),
            number => number.parse().ok().map(Some),
        };
        return Some(Segment::Slice(bound(start)?, bound(end)?));
    }
    let mut indexes = text.split(',').map(|part| part.trim().parse().ok()).collect::<Option<Vec<_>>>()?;
    Some(if indexes.len() == 1 { Segment::Index(indexes.remove(0)) } else { Segment::Indexes(indexes) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The examples of AWS's documentation, and what follows from its table of operators.
    #[test]
    fn selects_what_sagemaker_does() {
        fn check(path: &str, value: &Value, expected: Value) {
            let selected = path.parse::<JsonPath>().and_then(|path| path.select(value));
            assert_eq!(selected, Ok(expected), "{path}");
        }
        let row = json!(["id", 1, 2, 3, 4, 5]);
        check("$", &row, row.clone());
        check("$[1:]", &row, json!([1, 2, 3, 4, 5]));
        check("$[1:4]", &row, json!([1, 2, 3, 4]));
        check("$[:5]", &row, row.clone());
        check("$[-2:]", &row, json!([4, 5]));
        check("$[0]", &row, json!("id"));
        check("$[-1]", &row, json!(5));
        check("$[0, -1,9]", &row, json!(["id", 5]));
        check("$[*]", &row, row.clone());
        let object = json!({"id": 7, "features": [1, 2], "SageMakerOutput": {"label": 1}, "a b": {"c": 3}});
        check("$.features", &object, json!([1, 2]));
        check("$.features[1]", &object, json!(2));
        check("$['id','SageMakerOutput']", &object, json!({"id": 7, "SageMakerOutput": {"label": 1}}));
        check("$['a b'].c", &object, json!(3));
        check("$.['a b']['c']", &object, json!(3));
        check("$.SageMakerOutput.*", &object, json!([1]));
        check("$['id','nothing']", &object, json!({"id": 7}));
    }

    #[test]
    fn what_it_does_not_support_is_refused() {
        for path in ["", "id", "$id", "$.", "$..id", "$[?(@.a)]", "$.length()", "$['a", "$[1", "$[a]", "$[1:2:3]"] {
            assert!(path.parse::<JsonPath>().is_err(), "{path}");
        }
        let none = "$.nothing".parse::<JsonPath>().unwrap().select(&json!({"id": 7}));
        assert_eq!(none, Err("{\"id\":7} has no member 'nothing'".to_owned()));
    }
}
