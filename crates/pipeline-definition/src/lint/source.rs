//! Where the values of a JSON text stand in it.

use std::{collections::HashMap, ops::Range};

/// The places of all values of a JSON text.
#[derive(Debug)]
pub(super) struct Source {
    root: Node,
    /// Members that stand more than once in one object: pointer to the last, which is the one that counts, and how
    /// often.
    pub(super) repeated: Vec<(String, usize)>,
}

#[derive(Debug)]
struct Node {
    span: Range<usize>,
    inside: Inside,
}

#[derive(Debug)]
enum Inside {
    Nothing,
    Items(Vec<Node>),
    // By name: where the name stands, and the value.
    Members(HashMap<String, (Range<usize>, Node)>),
}

impl Source {
    /// Of a text that serde_json has read: it is not looked at whether it is JSON, nor how deep it is nested.
    pub(super) fn of(text: &str) -> Self {
        let mut scanner = Scanner { text, at: 0, repeated: Vec::new() };
        let root = scanner.value(&mut String::new());
        Self { root, repeated: scanner.repeated }
    }

    /// The bytes of the value that the pointer names; those of the nearest value around it if there is none.
    pub(super) fn value(&self, pointer: &str) -> Range<usize> {
        self.find(pointer).1.span.clone()
    }

    /// The bytes of the name of the member that the pointer names; those of the value if it is no member.
    pub(super) fn name(&self, pointer: &str) -> Range<usize> {
        let (name, node) = self.find(pointer);
        name.unwrap_or(&node.span).clone()
    }

    fn find(&self, pointer: &str) -> (Option<&Range<usize>>, &Node) {
        let (mut name, mut node) = (None, &self.root);
        for token in pointer.split('/').skip(1) {
            let found = match &node.inside {
                Inside::Nothing => None,
                Inside::Items(items) => token.parse::<usize>().ok().and_then(|i| items.get(i)).map(|item| (None, item)),
                Inside::Members(members) => {
                    members.get(&token.replace("~1", "/").replace("~0", "~")).map(|(name, node)| (Some(name), node))
                }
            };
            let Some(found) = found else { break };
            (name, node) = found;
        }
        (name, node)
    }
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    repeated: Vec<(String, usize)>,
}

impl Scanner<'_> {
    /// `pointer` is where the value stands; it comes back as it was.
    fn value(&mut self, pointer: &mut String) -> Node {
        self.blanks();
        let start = self.at;
        let inside = match self.peek() {
            Some(b'{') => self.object(pointer),
            Some(b'[') => self.list(pointer),
            Some(b'"') => {
                self.string();
                Inside::Nothing
            }
            _ => {
                self.skip(|b| !matches!(b, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n'));
                Inside::Nothing
            }
        };
        Node { span: start..self.at, inside }
    }

    fn object(&mut self, pointer: &mut String) -> Inside {
        let mut members = HashMap::new();
        let mut times: HashMap<String, usize> = HashMap::new();
        while self.more(b'}') {
            let start = self.at;
            self.string();
            let span = start..self.at;
            let name: String = serde_json::from_str(&self.text[span.clone()]).unwrap_or_default();
            self.blanks();
            self.at += 1;
            let length = pointer.len();
            pointer.push('/');
            pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
            let value = self.value(pointer);
            if members.insert(name.clone(), (span, value)).is_some() {
                *times.entry(pointer.clone()).or_insert(1) += 1;
            }
            pointer.truncate(length);
        }
        self.repeated.extend(times);
        Inside::Members(members)
    }

    fn list(&mut self, pointer: &mut String) -> Inside {
        let mut items = Vec::new();
        while self.more(b']') {
            let length = pointer.len();
            pointer.push_str(&format!("/{}", items.len()));
            items.push(self.value(pointer));
            pointer.truncate(length);
        }
        Inside::Items(items)
    }

    /// Passes the opening bracket or the comma; false: it was the closing bracket.
    fn more(&mut self, close: u8) -> bool {
        self.blanks();
        let empty_or_last = |b: Option<u8>| b == Some(close) || b.is_none();
        if !empty_or_last(self.peek()) {
            self.at += 1;
            self.blanks();
        }
        if empty_or_last(self.peek()) {
            self.at = (self.at + 1).min(self.text.len());
            return false;
        }
        true
    }

    fn string(&mut self) {
        self.at += 1;
        loop {
            self.skip(|b| !matches!(b, b'"' | b'\\'));
            match self.peek() {
                Some(b'\\') => self.at += 2,
                _ => break,
            }
        }
        self.at = (self.at + 1).min(self.text.len());
    }

    fn blanks(&mut self) {
        self.skip(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
    }

    fn skip(&mut self, unwanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&unwanted) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;

    #[test]
    fn names_values_and_repetitions_are_found() {
        let text =
            "{\n  \"a\": [1, {\"b/~\\u0041\": \"x\"}],\n  \"a\": [ ],\n  \"é\": {\"a\": null, \"a\": 2, \"a\" : 3}\n}";
        let source = Source::of(text);
        let mut repeated = source.repeated.clone();
        repeated.sort();
        assert_eq!(repeated, [("/a".to_owned(), 2), ("/é/a".to_owned(), 3)]);
        for (pointer, name, value) in
            [("/a", "\"a\"", "[ ]"), ("/é/a", "\"a\"", "3"), ("/a/7", "\"a\"", "[ ]"), ("", text, text)]
        {
            assert_eq!((&text[source.name(pointer)], &text[source.value(pointer)]), (name, value), "{pointer}");
        }
        let text = r#"{"x": [1, {"b/~\u0041": "y"}]}"#;
        let source = Source::of(text);
        assert_eq!(&text[source.value("/x/1/b~1~0A")], "\"y\"");
        assert_eq!(&text[source.name("/x/1/b~1~0A")], r#""b/~\u0041""#);
    }

    fn value() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a\"\\\\/~{}\\[\\],: é\n]{0,6}".prop_map(Value::from),
        ];
        scalar.prop_recursive(5, 48, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec(("[a\"\\\\/~{}\\[\\],: é\n]{0,4}", inner), 0..5)
                    .prop_map(|m| Value::Object(Map::from_iter(m))),
            ]
        })
    }

    /// Every value, cut out of the text at its place, reads as that value.
    fn agrees(text: &str, source: &Source, value: &Value, pointer: &str) {
        let cut = &text[source.value(pointer)];
        assert_eq!(&serde_json::from_str::<Value>(cut).unwrap(), value, "{pointer} in {text}");
        match value {
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(i, v)| agrees(text, source, v, &format!("{pointer}/{i}")));
            }
            Value::Object(members) => {
                for (name, value) in members {
                    let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                    let cut = &text[source.name(&pointer)];
                    assert_eq!(&serde_json::from_str::<String>(cut).unwrap(), name);
                    agrees(text, source, value, &pointer);
                }
            }
            _ => (),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn agrees_with_serde_json(value in value(), pretty in any::<bool>()) {
            let text = if pretty { format!("{value:#}\n") } else { value.to_string() };
            let source = Source::of(&text);
            prop_assert!(source.repeated.is_empty());
            agrees(&text, &source, &value, "");
        }
    }
}
