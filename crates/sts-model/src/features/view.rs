//! A pair of sentences, prepared: each distinct token, stem and character is a small number, so that all comparisons
//! are of numbers.

use super::{
    lexicon::{Lexicon, Word},
    numbering::Numbering,
};
use crate::{
    text::{Kind, Tokens},
    vocabulary::Vocabulary,
};

/// Both sentences. Made to be used again for the next pair: its memory is kept.
#[derive(Debug)]
pub(super) struct PairView<'v> {
    pub first: Side,
    pub second: Side,
    lexicon: Lexicon<'v>,
    tokens: Tokens,
    ids: Numbering,
    stems: Numbering,
    characters: Numbering,
    /// The weight of each distinct token ([`Vocabulary::weight`]; punctuation has 0), by its number.
    weights: Vec<f64>,
}

/// One sentence.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// The numbers of the tokens, in the order of the sentence.
    pub ids: Vec<u16>,
    /// The numbers of the tokens' stems.
    pub stems: Vec<u16>,
    /// Those of the tokens that carry meaning of their own.
    pub content: Vec<u16>,
    pub kinds: Vec<Kind>,
    /// Whether a token is a closed-class word.
    pub closed: Vec<bool>,
    pub capital: Vec<bool>,
    /// The numbers of the characters of the tokens with a blank between, in lower case.
    pub characters: Vec<u16>,
}

impl<'v> PairView<'v> {
    pub(super) fn new(vocabulary: &'v Vocabulary) -> Self {
        Self {
            first: Side::default(),
            second: Side::default(),
            lexicon: Lexicon::new(vocabulary),
            tokens: Tokens::default(),
            ids: Numbering::default(),
            stems: Numbering::default(),
            characters: Numbering::default(),
            weights: Vec::new(),
        }
    }

    /// Looks at a pair.
    pub(super) fn read(&mut self, sentence1: &str, sentence2: &str) {
        let Self { first, second, lexicon, tokens, ids, stems, characters, weights } = self;
        lexicon.forget_if_full();
        [&mut *ids, stems, characters].into_iter().for_each(Numbering::restart);
        weights.clear();
        for (side, sentence) in [(first, sentence1), (second, sentence2)] {
            side.clear();
            tokens.read(sentence);
            for (text, token) in tokens.iter() {
                let number = lexicon.number(text);
                let word = lexicon.word(number);
                let id = ids.of(number);
                if usize::from(id) == weights.len() {
                    weights.push(0.0);
                }
                if token.kind != Kind::Punctuation {
                    weights[usize::from(id)] = word.weight;
                }
                side.ids.push(id);
                let stem = stems.of(word.stem);
                side.stems.push(stem);
                if token.kind != Kind::Punctuation && !word.is_closed_class {
                    side.content.push(stem);
                }
                side.closed.push(word.is_closed_class);
                side.kinds.push(token.kind);
                side.capital.push(token.capital);
            }
            side.characters.extend(tokens.text().chars().map(|c| characters.of(c.into())));
        }
    }

    /// The weight of a token.
    pub(super) fn weight(&self, id: u16) -> f64 {
        self.weights[usize::from(id)]
    }

    /// What is known of a token.
    pub(super) fn word(&self, id: u16) -> &Word {
        self.lexicon.word(self.ids.things[usize::from(id)])
    }

    /// How many distinct tokens there are; their numbers are below.
    pub(super) fn id_count(&self) -> usize {
        self.ids.things.len()
    }

    /// How many distinct characters there are; their numbers are below.
    pub(super) fn character_count(&self) -> usize {
        self.characters.things.len()
    }
}

impl Side {
    fn clear(&mut self) {
        let Self { ids, stems, content, kinds, closed, capital, characters } = self;
        ids.clear();
        stems.clear();
        content.clear();
        kinds.clear();
        closed.clear();
        capital.clear();
        characters.clear();
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
