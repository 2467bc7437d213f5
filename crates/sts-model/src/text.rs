//! A sentence as tokens: words, numbers and punctuation.

mod words;

pub(crate) use self::words::{is_closed_class, is_negation, stem};

/// How many tokens of a sentence are looked at. Some features take the product of both lengths in time, and a
/// sentence has 20 tokens, a long one 60.
pub(crate) const MAX_TOKENS: usize = 256;

/// How many characters of a sentence are looked at.
pub(crate) const MAX_CHARS: usize = 2048;

/// A sentence as tokens. Made to be used again for the next one: its memory is kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tokens {
    chars: Vec<char>,
    text: String,
    tokens: Vec<Token>,
}

/// A token of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    start: usize,
    end: usize,
    pub kind: Kind,
    /// Whether it was written with a capital letter. The first word of a sentence nearly always is.
    pub capital: bool,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Word,
    Number,
    Punctuation,
}

/// The first [`MAX_CHARS`] characters of a sentence.
pub(crate) fn clipped(sentence: &str) -> &str {
    // As most are; bytes are at least as many as characters.
    if sentence.len() <= MAX_CHARS {
        return sentence;
    }
    match sentence.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => &sentence[..end],
        None => sentence,
    }
}

impl Tokens {
    /// The first [`MAX_TOKENS`] tokens of a sentence. Clitics are tokens of their own (`Stewart's` is `stewart` and
    /// `'s`, `don't` is `do` and `n't`), so is each punctuation mark; initials stay together (`u.s.`).
    pub(crate) fn read(&mut self, sentence: &str) {
        let Self { chars, text, tokens } = self;
        chars.clear();
        chars.extend(clipped(sentence).chars().map(plain));
        text.clear();
        tokens.clear();
        let mut place = 0;
        while place < chars.len() && tokens.len() < MAX_TOKENS {
            let rest = &chars[place..];
            let (length, kind) = match rest[0] {
                c if c.is_whitespace() || c.is_control() => {
                    place += 1;
                    continue;
                }
                c if c.is_numeric() => (number_length(rest), Kind::Number),
                c if c.is_alphabetic() => (word_length(rest), Kind::Word),
                '\'' if clitic_length(rest) > 0 => (clitic_length(rest), Kind::Word),
                _ => (1, Kind::Punctuation),
            };
            if !text.is_empty() {
                text.push(' ');
            }
            let start = text.len();
            for c in rest[..length].iter().filter(|c| kind != Kind::Number || **c != ',') {
                if c.is_ascii() {
                    text.push(c.to_ascii_lowercase());
                } else {
                    text.extend(c.to_lowercase());
                }
            }
            tokens.push(Token { start, end: text.len(), kind, capital: rest[0].is_uppercase() });
            place += length;
        }
    }

    /// The tokens, each with its text: in lower case; of a number, without the commas between thousands.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Token)> {
        self.tokens.iter().map(|token| (&self.text[token.start..token.end], *token))
    }

    /// The texts of all tokens with a blank between.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// Typographic quotation marks and dashes as the ones on the keyboard.
fn plain(c: char) -> char {
    match c {
        '\u{2018}' | '\u{2019}' | '`' | '\u{b4}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        '\u{2010}'..='\u{2015}' => '-',
        _ => c,
    }
}

/// Digits with commas and points between them, and letters that follow (`1,520.15`, `20th`, `1990s`).
fn number_length(chars: &[char]) -> usize {
    let mut length = 1;
    while length < chars.len() {
        let next_is_digit = chars.get(length + 1).is_some_and(|c| c.is_numeric());
        match chars[length] {
            c if c.is_alphanumeric() => length += 1,
            ',' | '.' if chars[length - 1].is_numeric() && next_is_digit => length += 1,
            _ => break,
        }
    }
    length
}

/// Letters and digits; the `n` of `n't` belongs to the clitic.
fn word_length(chars: &[char]) -> usize {
    if let Some(length) = initials_length(chars) {
        return length;
    }
    if clitic_length(chars) == 3 {
        return 3;
    }
    let mut length = 1;
    while chars.get(length).is_some_and(|c| c.is_alphanumeric()) {
        if clitic_length(&chars[length..]) == 3 {
            break;
        }
        length += 1;
    }
    length
}

/// `'s`, `'re`, ... or `n't` at the start of the characters, and the end of the word behind it; else 0.
fn clitic_length(chars: &[char]) -> usize {
    if !matches!(chars, ['\'', ..] | ['n' | 'N', '\'', ..]) {
        return 0;
    }
    let starts = |text: &str| {
        text.chars().enumerate().all(|(place, c)| chars.get(place).is_some_and(|other| other.eq_ignore_ascii_case(&c)))
    };
    ["n't", "'s", "'re", "'ve", "'ll", "'d", "'m", "'t"]
        .iter()
        .find(|clitic| starts(clitic) && !chars.get(clitic.len()).is_some_and(|c| c.is_alphanumeric()))
        .map_or(0, |clitic| clitic.len())
}

/// At least two single letters, each followed by a point: `U.S.`, `p.m.`.
fn initials_length(chars: &[char]) -> Option<usize> {
    let pairs = chars.chunks_exact(2).take_while(|pair| pair[0].is_alphabetic() && pair[1] == '.').count();
    (pairs >= 2).then_some(2 * pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(sentence: &str) -> Tokens {
        let mut tokens = Tokens::default();
        // What was read before leaves no trace.
        tokens.read("Before, 1,000 'twas.");
        tokens.read(sentence);
        tokens
    }

    /// The tokens with a bar between.
    #[track_caller]
    fn check(sentence: &str, expected: &str) {
        let tokens = tokens(sentence);
        let texts: Vec<&str> = tokens.iter().map(|(text, _)| text).collect();
        assert_eq!(texts.join("|"), expected);
        assert_eq!(texts.join(" "), tokens.text());
    }

    #[test]
    fn words_and_punctuation() {
        check("", "");
        check(" \t\u{a0} ", "");
        check("The cat sat.", "the|cat|sat|.");
        check("well-known (or not)", "well|-|known|(|or|not|)");
        check("\u{201c}Yes\u{201d} \u{2013} no", "\"|yes|\"|-|no");
        check("STRASSE \u{130}x \u{1f600}", "strasse|i\u{307}x|\u{1f600}");
    }

    #[test]
    fn clitics() {
        check("Stewart's don\u{2019}t we'll I'm", "stewart|'s|do|n't|we|'ll|i|'m");
        check("O'Brien 'tis rock 'n' roll", "o|'|brien|'|tis|rock|'|n|'|roll");
        check("can't CAN'T n't", "ca|n't|ca|n't|n't");
    }

    #[test]
    fn numbers() {
        check("$1,520.15, 4.4% A$4.56", "$|1520.15|,|4.4|%|a|$|4.56");
        check("the 20th in 1990s, 3, 4.", "the|20th|in|1990s|,|3|,|4|.");
    }

    #[test]
    fn initials() {
        check("the U.S. at 5 p.m. today", "the|u.s.|at|5|p.m.|today");
        check("Mr. A. Smith", "mr|.|a|.|smith");
    }

    #[test]
    fn capitals_and_kinds() {
        let tokens = tokens("In Paris 3 !");
        let found: Vec<_> = tokens.iter().map(|(_, token)| (token.capital, token.kind)).collect();
        let expected = [(true, Kind::Word), (true, Kind::Word), (false, Kind::Number), (false, Kind::Punctuation)];
        assert_eq!(found, expected);
    }

    #[test]
    fn sentences_are_clipped() {
        assert_eq!(tokens(&"a ".repeat(1000)).iter().count(), MAX_TOKENS);
        assert_eq!(tokens(&"\u{e9}".repeat(9000)).text().chars().count(), MAX_CHARS);
    }
}
