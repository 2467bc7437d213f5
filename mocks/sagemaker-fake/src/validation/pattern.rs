//! AWS's patterns. They are written for Java's engine and must match the whole value.

use std::sync::OnceLock;

use serde::Deserialize;

/// A pattern, compiled when it is first used: most of them never are.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
pub struct Pattern {
    text: String,
    compiled: OnceLock<Option<fancy_regex::Regex>>,
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self { text, compiled: OnceLock::new() }
    }
}

impl Pattern {
    /// As AWS writes it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the whole of `value` matches. A pattern that cannot be compiled constrains nothing; a test makes sure
    /// that there is none.
    pub(super) fn matches(&self, value: &str) -> bool {
        // Running into the limit on backtracking is no match; only the few patterns that look around can.
        self.regex().is_none_or(|regex| regex.is_match(value).unwrap_or(false))
    }

    #[cfg(test)]
    pub(super) fn compiles(&self) -> bool {
        self.regex().is_some()
    }

    fn regex(&self) -> Option<&fancy_regex::Regex> {
        self.compiled
            .get_or_init(|| fancy_regex::Regex::new(&format!(r"\A(?:{})\z", translate(&self.text))).ok())
            .as_ref()
    }
}

/// What Java and Rust write differently.
fn translate(pattern: &str) -> String {
    let pattern = pattern
        // Java's strings are UTF-16, and some patterns spell out its surrogates.
        .replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\x{10000}-\x{10FFFF}")
        .replace(r"\p{Alnum}", "[:alnum:]")
        // A slip in AWS's model: the quantifier was meant for what stands before the dollar sign.
        .replace("${1,128}", "")
        // The shapes of these have the same bound as a length, and this many of a Unicode class is a machine of megabytes.
        .replace("]{0,1024}", "]*")
        .replace("${1,256}", "");
    let mut out = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    let mut in_class = 0;
    while let Some(letter) = letters.next() {
        match letter {
            // `\d`, `\w` are ASCII in Java, Unicode in Rust.
            '\\' => match (letters.next(), in_class > 0) {
                (Some('d'), true) => out.push_str("0-9"),
                (Some('d'), false) => out.push_str("[0-9]"),
                (Some('w'), true) => out.push_str("A-Za-z0-9_"),
                (Some('w'), false) => out.push_str("[A-Za-z0-9_]"),
                (Some(other), _) => out.extend(['\\', other]),
                (None, _) => out.push('\\'),
            },
            '[' => {
                in_class += 1;
                out.push(letter);
            }
            ']' => {
                in_class -= 1;
                out.push(letter);
            }
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_whole_value_as_java_does() {
        let check = |pattern: &str, value: &str, expected: bool| {
            assert_eq!(Pattern::from(pattern.to_owned()).matches(value), expected, "{pattern} on {value}");
        };
        check("[a-z]+", "abc", true);
        check("[a-z]+", "abc1", false);
        check("a|bc", "abc", false);
        check(r"\d{2}", "٣٣", false);
        check(r"[\w+=,.@-]*", "a.b@c", true);
        check(r"[\w+=,.@-]*", "a b", false);
        check(r"([a-zA-Z0-9]([a-zA-Z0-9-]){0,62})(?<!-)", "group-", false);
        check(r"([a-zA-Z0-9]([a-zA-Z0-9-]){0,62})(?<!-)", "group-1", true);
        check(r".*(?:[ \r\n\t].*)*", "{\n \"a\": 1\n}", true);
    }
}
