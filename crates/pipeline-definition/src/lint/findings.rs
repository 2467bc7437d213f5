//! Collects what the rules find, and finds its place in the text.

use std::{cell::Cell, fmt::Display, ops::Range};

use super::{Finding, Rule, source::Source};
use crate::nearest::nearest;

/// What was found so far.
#[derive(Default)]
pub(super) struct Findings {
    found: Vec<Found>,
    compared: Cell<usize>,
}

/// A finding without its place in the text.
pub(super) struct Found {
    rule: Rule,
    pointer: String,
    message: String,
    suggestion: Option<String>,
    at_name: bool,
}

impl Findings {
    /// Adds one.
    pub(super) fn add(&mut self, rule: Rule, pointer: impl Display, message: impl Into<String>) -> &mut Found {
        let found =
            Found { rule, pointer: pointer.to_string(), message: message.into(), suggestion: None, at_name: false };
        self.found.push(found);
        self.found.last_mut().expect("one was just added")
    }

    /// What was probably meant: the candidate that differs least from what was written, if it differs little.
    pub(super) fn nearest<'c>(&self, written: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
        // A suggestion is a courtesy: a definition full of mistakes must not cost the square of its size.
        const MOST_COMPARISONS: usize = 200_000;
        let affordable = candidates.into_iter().take_while(|_| {
            self.compared.set(self.compared.get() + 1);
            self.compared.get() <= MOST_COMPARISONS
        });
        nearest(written, affordable)
    }

    /// The findings in the order of the text.
    pub(super) fn placed(self, text: &str, source: &Source) -> Vec<Finding> {
        let span = |found: &Found| match found.at_name {
            true => source.name(&found.pointer),
            false => source.value(&found.pointer),
        };
        let mut spans: Vec<_> = self.found.into_iter().map(|found| (span(&found), found)).collect();
        // What belongs to an object stands before what belongs to its members; otherwise the order of the rules holds.
        spans.sort_by_key(|(span, _)| span.start);
        let mut cursor = Cursor::default();
        spans.into_iter().map(|(span, found)| finding(text, &mut cursor, span, found)).collect()
    }
}

impl Found {
    /// Says what was probably meant.
    pub(super) fn did_you_mean(&mut self, what: Option<impl Display>) -> &mut Self {
        match what {
            Some(what) => self.suggest(format!("did you mean '{what}'?")),
            None => self,
        }
    }

    /// Says what to do.
    pub(super) fn suggest(&mut self, what: impl Into<String>) -> &mut Self {
        self.suggestion = Some(what.into());
        self
    }

    /// It is the member's name that is wrong, not its value.
    pub(super) fn at_name(&mut self) -> &mut Self {
        self.at_name = true;
        self
    }
}

/// The finding about a text that is no JSON.
pub(super) fn syntax(text: &str, error: &serde_json::Error) -> Finding {
    let full = error.to_string();
    let message = full.split(" at line ").next().unwrap_or_default().to_owned();
    // serde_json counts bytes in a line, and says 0 at its beginning.
    let start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut at = (start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let end = text[at..].chars().next().filter(|c| *c != '\n').map_or(at, |c| at + c.len_utf8());
    let mut found = Found { rule: Rule::Syntax, pointer: String::new(), message, suggestion: None, at_name: false };
    if text.starts_with('\u{feff}') {
        found.suggest("remove the byte-order mark at the start of the text");
    }
    finding(text, &mut Cursor::default(), at..end, found)
}

fn finding(text: &str, cursor: &mut Cursor, span: Range<usize>, found: Found) -> Finding {
    let (line, column) = cursor.go(text, span.start);
    let Found { rule, pointer, message, suggestion, .. } = found;
    Finding { rule, severity: rule.severity(), pointer, line, column, message, suggestion, span }
}

/// Counts lines and characters on one way through the text.
#[derive(Default)]
struct Cursor {
    at: usize,
    line: usize,
    column: usize,
}

impl Cursor {
    /// Line and column, from 1, of a byte that is not before the last one asked for.
    fn go(&mut self, text: &str, to: usize) -> (usize, usize) {
        for c in text[self.at..to].chars() {
            (self.line, self.column) = if c == '\n' { (self.line + 1, 0) } else { (self.line, self.column + 1) };
        }
        self.at = to;
        (self.line + 1, self.column + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_suggested() {
        fn check(written: &str, expected: Option<&str>) {
            let names = ["Train", "Evaluate", "ProcessingInstanceType", "a"];
            assert_eq!(Findings::default().nearest(written, names), expected, "{written}");
        }
        check("Trian", Some("Train"));
        check("train", Some("Train"));
        check("EVALUATE", Some("Evaluate"));
        check("ProcesingInstancesType", Some("ProcessingInstanceType"));
        check("Register", None);
        check("b", None);
        check("A", Some("a"));
        check("", None);
        check(&"x".repeat(1000), None);
    }

    #[test]
    fn places_are_lines_and_characters() {
        let text = "ab\nä\u{1f600}x\n\ny";
        let mut cursor = Cursor::default();
        let places: Vec<_> = [0, 2, 3, 5, 9, 11, 12].map(|at| cursor.go(text, at)).into();
        assert_eq!(places, [(1, 1), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1), (4, 1)]);
    }
}
