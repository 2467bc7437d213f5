//! A pair of sentences, prepared: each distinct token and stem is a small number, so that all comparisons are of
//! numbers.

use std::collections::HashMap;

use crate::{
    text::{self, Kind},
    vocabulary::Vocabulary,
};

/// Both sentences.
#[derive(Debug)]
pub(super) struct PairView {
    pub first: Side,
    pub second: Side,
    /// The weight of each distinct token ([`Vocabulary::weight`]; punctuation has 0), by its number.
    pub weights: Vec<f64>,
    /// The text of each distinct token, by its number.
    pub texts: Vec<String>,
    /// How many distinct stems there are; their numbers are below.
    pub stem_count: usize,
}

/// One sentence.
#[derive(Debug)]
pub(super) struct Side {
    /// The numbers of the tokens, in the order of the sentence.
    pub ids: Vec<u16>,
    /// The numbers of the tokens' stems.
    pub stems: Vec<u16>,
    pub kinds: Vec<Kind>,
    /// Whether a token is a closed-class word.
    pub closed: Vec<bool>,
    pub capital: Vec<bool>,
    /// The tokens with a blank between, in lower case.
    pub characters: Vec<char>,
}

impl PairView {
    pub(super) fn new(sentence1: &str, sentence2: &str, vocabulary: &Vocabulary) -> Self {
        let (mut ids, mut stems) = (Numbers::default(), Numbers::default());
        let first = Side::new(sentence1, &mut ids, &mut stems);
        let second = Side::new(sentence2, &mut ids, &mut stems);
        let mut texts = vec![String::new(); ids.0.len()];
        for (text, id) in ids.0 {
            texts[usize::from(id)] = text;
        }
        let mut weights = vec![0.0; texts.len()];
        for side in [&first, &second] {
            for (id, kind) in side.ids.iter().zip(&side.kinds) {
                if *kind != Kind::Punctuation {
                    weights[usize::from(*id)] = vocabulary.weight(&texts[usize::from(*id)]);
                }
            }
        }
        Self { first, second, weights, texts, stem_count: stems.0.len() }
    }

    /// The weight of a token.
    pub(super) fn weight(&self, id: u16) -> f64 {
        self.weights[usize::from(id)]
    }
}

impl Side {
    fn new(sentence: &str, ids: &mut Numbers, stems: &mut Numbers) -> Self {
        let tokens = text::tokens(sentence);
        let mut side = Self {
            ids: Vec::with_capacity(tokens.len()),
            stems: Vec::with_capacity(tokens.len()),
            kinds: Vec::with_capacity(tokens.len()),
            closed: Vec::with_capacity(tokens.len()),
            capital: Vec::with_capacity(tokens.len()),
            characters: Vec::with_capacity(sentence.len()),
        };
        for token in tokens {
            if !side.characters.is_empty() {
                side.characters.push(' ');
            }
            side.characters.extend(token.text.chars());
            side.ids.push(ids.of(&token.text));
            side.stems.push(stems.of(&text::stem(&token.text)));
            side.closed.push(text::is_closed_class(&token.text));
            side.kinds.push(token.kind);
            side.capital.push(token.capital);
        }
        side
    }

    /// How many tokens the sentence has.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether a token is a word or number that carries meaning of its own.
    pub(super) fn is_content(&self, place: usize) -> bool {
        self.kinds[place] != Kind::Punctuation && !self.closed[place]
    }
}

/// Texts by the order of their first occurrence. Two sentences have at most 512 tokens.
#[derive(Default)]
struct Numbers(HashMap<String, u16>);

impl Numbers {
    fn of(&mut self, text: &str) -> u16 {
        if let Some(number) = self.0.get(text) {
            return *number;
        }
        let number = self.0.len() as u16;
        self.0.insert(text.to_owned(), number);
        number
    }
}
