//! Lines and columns of a text, told without counting from its beginning each time.

use crate::problem::Position;

/// How many bytes lie between two counts of characters.
const STRIDE: usize = 256;

pub(crate) struct Places<'t> {
    text: &'t str,
    /// The byte at which each line begins.
    lines: Vec<usize>,
    /// How many characters begin before each `STRIDE`th byte.
    chars: Vec<usize>,
}

impl<'t> Places<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let mut chars = vec![0];
        for chunk in text.as_bytes().chunks(STRIDE) {
            chars.push(chars[chars.len() - 1] + beginnings(chunk));
        }
        Self { text, lines: std::iter::once(0).chain(newlines).collect(), chars }
    }

    /// Of a byte; of what lies behind the text, its end.
    pub(crate) fn position(&self, at: usize) -> Position {
        let at = at.min(self.text.len());
        let line = self.lines.partition_point(|start| *start <= at);
        Position { line, column: self.chars_before(at) - self.chars_before(self.lines[line - 1]) + 1 }
    }

    fn chars_before(&self, at: usize) -> usize {
        let stride = at / STRIDE;
        self.chars[stride] + beginnings(&self.text.as_bytes()[stride * STRIDE..at])
    }
}

/// How many characters begin in these bytes of UTF-8.
fn beginnings(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_character_is_where_counting_finds_it(text in "[a\u{e9}\u{1f980}\n]{0,700}") {
            let places = Places::of(&text);
            let (mut line, mut column) = (1, 1);
            for (at, c) in text.char_indices() {
                prop_assert_eq!(places.position(at), Position { line, column });
                (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
            }
            prop_assert_eq!(places.position(text.len()), Position { line, column });
            prop_assert_eq!(places.position(usize::MAX), Position { line, column });
        }
    }
}
