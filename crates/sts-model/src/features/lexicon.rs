//! What is known of words, whatever sentence they are in: worked out once for each word, and looked up from then on.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::{
    text::{is_closed_class, is_negation, stem},
    vocabulary::Vocabulary,
};

/// How many words are remembered before all are forgotten: memory must not grow with the number of pairs.
const MAX_WORDS: usize = 32_768;

/// The words seen so far.
#[derive(Debug)]
pub(super) struct Lexicon<'v> {
    vocabulary: &'v Vocabulary,
    numbers: HashMap<Box<str>, u32, RandomState>,
    stems: HashMap<Box<str>, u32, RandomState>,
    words: Vec<Word>,
}

/// What is known of a word, or of another token.
#[derive(Debug)]
pub(super) struct Word {
    /// The number of its stem: words of one stem have the same.
    pub stem: u32,
    /// [`Vocabulary::weight`].
    pub weight: f64,
    pub is_closed_class: bool,
    pub is_negation: bool,
    /// Whether it is a sign of currency, or percent.
    pub is_money: bool,
    pub is_quotation_mark: bool,
    /// Pairs of neighbouring letters, with a mark at the start; sorted.
    pub letters: Box<[u64]>,
}

impl<'v> Lexicon<'v> {
    pub(super) fn new(vocabulary: &'v Vocabulary) -> Self {
        Self { vocabulary, numbers: HashMap::default(), stems: HashMap::default(), words: Vec::new() }
    }

    /// Forgets all words, if they have become too many. Their numbers are others afterwards.
    pub(super) fn forget_if_full(&mut self) -> bool {
        let is_full = self.words.len() >= MAX_WORDS;
        if is_full {
            *self = Self::new(self.vocabulary);
        }
        is_full
    }

    /// The number of a word, in lower case.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let stem = stem(text);
        let stem = match self.stems.get(stem.as_str()) {
            Some(number) => *number,
            None => {
                let number = self.stems.len() as u32;
                self.stems.insert(stem.into(), number);
                number
            }
        };
        let number = self.words.len() as u32;
        self.numbers.insert(text.into(), number);
        self.words.push(Word {
            stem,
            weight: self.vocabulary.weight(text),
            is_closed_class: is_closed_class(text),
            is_negation: is_negation(text),
            is_money: matches!(text, "$" | "%" | "percent" | "\u{20ac}" | "\u{a3}"),
            is_quotation_mark: text == "\"",
            letters: letters(text),
        });
        number
    }

    /// The word of a number.
    pub(super) fn word(&self, number: u32) -> &Word {
        &self.words[number as usize]
    }
}

fn letters(word: &str) -> Box<[u64]> {
    let mut last = 0_u64;
    let mut pairs: Box<[u64]> = word
        .chars()
        .map(|c| {
            let pair = last << 32 | u64::from(c);
            last = u64::from(c);
            pair
        })
        .collect();
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_numbers_until_they_are_forgotten() {
        let vocabulary = Vocabulary::default();
        let mut lexicon = Lexicon::new(&vocabulary);
        let [cat, cats, dog, again] = ["cat", "cats", "dog", "cat"].map(|text| lexicon.number(text));
        assert_eq!((cat, cats, dog, again), (0, 1, 2, 0));
        assert_eq!(lexicon.word(cat).stem, lexicon.word(cats).stem);
        assert_ne!(lexicon.word(cat).stem, lexicon.word(dog).stem);
        assert!(!lexicon.forget_if_full());
        for number in 0..MAX_WORDS {
            lexicon.number(&format!("w{number}"));
        }
        assert!(lexicon.forget_if_full());
        assert_eq!(lexicon.number("dog"), 0);
    }
}
