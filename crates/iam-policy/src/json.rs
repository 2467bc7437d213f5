//! JSON that knows where each of its values stands. Reads on behind mistakes that leave no doubt (a comma too many or too
//! few, a comment, a byte order mark), so that all of them are told at once.

use std::ops::Range;

/// Deeper than any policy, and shallow enough for any stack.
const DEEPEST: usize = 64;

/// A value and its place.
#[derive(Debug)]
pub(crate) struct Node {
    /// The bytes of the value.
    pub(crate) span: Range<usize>,
    /// The byte behind the bracket, comma or colon before it.
    pub(crate) after: usize,
    pub(crate) value: Value,
}

#[derive(Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) name_span: Range<usize>,
    pub(crate) value: Node,
}

/// Something that JSON does not have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) suggestion: Option<&'static str>,
}

/// Reads a text. Without a value, the last of the faults is where reading ended.
pub(crate) fn read(text: &str) -> (Option<Node>, Vec<Fault>) {
    let mut reader = Reader { text, at: 0, faults: Vec::new() };
    let value = reader.document().ok();
    (value, reader.faults)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    faults: Vec<Fault>,
}

/// Nothing can be read from here on; the fault is noted.
struct Lost;

impl Reader<'_> {
    fn document(&mut self) -> Result<Node, Lost> {
        if self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
            self.fault(0..self.at, "the text begins with a byte order mark", Some("save it as UTF-8 without BOM"));
        }
        let node = self.value(0)?;
        self.blanks();
        if self.at < self.text.len() {
            return Err(self.lost(format!("{} behind the end of the document", self.found()), None));
        }
        Ok(node)
    }

    fn value(&mut self, depth: usize) -> Result<Node, Lost> {
        let after = self.at;
        self.blanks();
        let start = self.at;
        let value = match self.peek() {
            Some(b'{' | b'[') if depth == DEEPEST => {
                return Err(self.lost(format!("nested deeper than {DEEPEST} levels"), None));
            }
            Some(b'{') => Value::Object(self.object(depth + 1)?),
            Some(b'[') => Value::List(self.list(depth + 1)?),
            Some(b'"') => Value::Text(self.string()?),
            Some(b'\'') => {
                return Err(self.lost("a string in single quotes".to_owned(), Some("JSON takes double quotes")));
            }
            _ => self.word()?,
        };
        Ok(Node { span: start..self.at, after, value })
    }

    fn object(&mut self, depth: usize) -> Result<Vec<Member>, Lost> {
        let mut members = Vec::new();
        while self.next_in(b'}', !members.is_empty())? {
            let start = self.at;
            let name = match self.peek() {
                Some(b'"') => self.string()?,
                _ => return Err(self.lost(format!("{} where a member's name is expected", self.found()), QUOTES)),
            };
            let name_span = start..self.at;
            self.blanks();
            match self.peek() {
                Some(b':') => self.at += 1,
                _ => return Err(self.lost(format!("{} where a colon is expected", self.found()), None)),
            }
            members.push(Member { name, name_span, value: self.value(depth)? });
        }
        Ok(members)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Lost> {
        let mut items = Vec::new();
        while self.next_in(b']', !items.is_empty())? {
            // What stands before an item begins behind the bracket or the comma, not behind the blanks.
            let after = self.behind_delimiter();
            items.push(Node { after, ..self.value(depth)? });
        }
        Ok(items)
    }

    /// Passes the opening bracket, or the comma behind a former item; false: the closing bracket has been passed.
    fn next_in(&mut self, close: u8, former: bool) -> Result<bool, Lost> {
        if !former {
            self.at += 1;
        }
        self.blanks();
        let comma = self.at;
        match self.peek() {
            Some(b) if b == close => {
                self.at += 1;
                return Ok(false);
            }
            None => {
                let bracket = close as char;
                return Err(self.lost(format!("the text ends where a '{bracket}' is expected"), None));
            }
            Some(b',') if former => self.at += 1,
            Some(b'"' | b'{' | b'[') if former => {
                self.fault(comma..comma + 1, "a comma is missing before this", Some("put a comma before it"));
            }
            Some(_) if former => {
                let bracket = close as char;
                return Err(self.lost(format!("{} where a comma or '{bracket}' is expected", self.found()), None));
            }
            Some(_) => {}
        }
        self.blanks();
        if self.at > comma && self.peek() == Some(close) {
            self.fault(comma..comma + 1, "a trailing comma: nothing follows it", Some("remove the comma"));
            self.at += 1;
            return Ok(false);
        }
        Ok(true)
    }

    /// The byte behind the last bracket or comma before here; only blanks and comments lie between.
    fn behind_delimiter(&self) -> usize {
        self.text[..self.at].trim_end_matches([' ', '\t', '\r', '\n']).len()
    }

    fn string(&mut self) -> Result<String, Lost> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.at += 2,
                Some(b'\n' | b'\r') | None => {
                    self.at = start;
                    return Err(self.lost("a string that does not end on its line".to_owned(), None));
                }
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        // An escaped character may have been the last of the text, or longer than a byte.
        let read = self.text.get(start..self.at).map(serde_json::from_str::<String>);
        match read {
            Some(Ok(text)) => Ok(text),
            _ => {
                self.at = start;
                Err(self
                    .lost("a string with an escape or a control character that JSON does not have".to_owned(), None))
            }
        }
    }

    fn word(&mut self) -> Result<Value, Lost> {
        let start = self.at;
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ':' | ']' | '}' | '[' | '{' | '"' | '/');
        let rest = &self.text[start..];
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let value = match word {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ if serde_json::from_str::<serde_json::Number>(word).is_ok() => Value::Number(word.to_owned()),
            _ => return Err(self.lost(format!("{} where a value is expected", self.found()), None)),
        };
        self.at += word.len();
        Ok(value)
    }

    /// Passes blanks and, with a fault, comments.
    fn blanks(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            let rest = &self.text[self.at..];
            let length = if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else {
                return;
            };
            self.fault(self.at..self.at + length, "a comment: JSON has none", Some("remove the comment"));
            self.at += length;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// What stands here, in words.
    fn found(&self) -> String {
        match self.text[self.at..].chars().next() {
            Some(c) => format!("'{}'", c.escape_debug()),
            None => "the end of the text".to_owned(),
        }
    }

    fn fault(&mut self, span: Range<usize>, message: impl Into<String>, suggestion: Option<&'static str>) {
        self.faults.push(Fault { span, message: message.into(), suggestion });
    }

    fn lost(&mut self, message: String, suggestion: Option<&'static str>) -> Lost {
        let length = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        self.fault(self.at..self.at + length, message, suggestion);
        Lost
    }
}

const QUOTES: Option<&str> = Some("a member's name stands in double quotes");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(node: &Node) -> serde_json::Value {
        match &node.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(b) => (*b).into(),
            Value::Number(n) => serde_json::from_str(n).unwrap(),
            Value::Text(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(plain).collect(),
            Value::Object(members) => {
                serde_json::Value::Object(members.iter().map(|m| (m.name.clone(), plain(&m.value))).collect())
            }
        }
    }

    #[track_caller]
    fn check(text: &str, readable: bool, faults: &[(usize, &str)]) {
        let (value, found) = read(text);
        let found: Vec<_> = found.iter().map(|fault| (fault.span.start, fault.message.as_str())).collect();
        assert_eq!((value.is_some(), found.as_slice()), (readable, faults), "{text}");
    }

    #[test]
    fn mistakes_that_leave_no_doubt_are_read_over() {
        check(r#"{"a": [1, 2,], }"#, true, &[(11, TRAILING), (13, TRAILING)]);
        check(r#"{"a": 1 "b": 2}"#, true, &[(8, "a comma is missing before this")]);
        check("\u{feff}{} // end", true, &[(0, "the text begins with a byte order mark"), (6, COMMENT)]);
        check("[/* [ */ 1]", true, &[(1, COMMENT)]);
    }

    #[test]
    fn other_mistakes_end_the_reading() {
        check("", false, &[(0, "the end of the text where a value is expected")]);
        check("{", false, &[(1, "the text ends where a '}' is expected")]);
        check("[1", false, &[(2, "the text ends where a ']' is expected")]);
        check("[,]", false, &[(1, "',' where a value is expected")]);
        check("{a: 1}", false, &[(1, "'a' where a member's name is expected")]);
        check(r#"{"a" 1}"#, false, &[(5, "'1' where a colon is expected")]);
        check("{'a': 1}", false, &[(1, "''' where a member's name is expected".replace("'''", r"'\''").as_str())]);
        check("['a']", false, &[(1, "a string in single quotes")]);
        check("[\"a\n\"]", false, &[(1, "a string that does not end on its line")]);
        check(r#"["\x"]"#, false, &[(1, "a string with an escape or a control character that JSON does not have")]);
        check("{} é", false, &[(3, "'é' behind the end of the document")]);
        check("[01]", false, &[(1, "'0' where a value is expected")]);
        let deep = "[".repeat(1_000_000);
        check(&deep, false, &[(64, "nested deeper than 64 levels")]);
    }

    const TRAILING: &str = "a trailing comma: nothing follows it";
    const COMMENT: &str = "a comment: JSON has none";

    proptest! {
        #[test]
        fn reads_what_serde_json_reads(text in "[\\[\\]{}:,\"a0-9.eE+ \\\\/*\n-]{0,24}|(\\[|\\{\"a\":|1,|null|\\]|\\}|,|\"x\"| ){0,12}") {
            let expected: Result<serde_json::Value, _> = serde_json::from_str(&text);
            let (value, faults) = read(&text);
            match expected {
                Ok(expected) => {
                    prop_assert!(faults.is_empty(), "{faults:?}");
                    prop_assert_eq!(plain(&value.unwrap()), expected);
                }
                Err(_) => prop_assert!(!faults.is_empty()),
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let (value, faults) = read(&text);
            prop_assert!(value.is_some() || !faults.is_empty());
            for fault in faults {
                prop_assert!(text.get(fault.span).is_some());
            }
        }
    }
}
