//! Two sentences as numbers. The same function makes the rows that the model is fitted to and those that it judges.

use crate::{
    text::{self, Token},
    vocabulary::Vocabulary,
};

/// A feature of a pair of sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// A short name, for reports and the model artefact.
    pub name: &'static str,
    /// What it measures, and where the idea comes from.
    pub description: &'static str,
}

/// How many features a pair has.
pub const COUNT: usize = FEATURES.len();

/// The features, in the order of [`extract`].
pub const FEATURES: [Feature; 2] = [
    Feature { name: "word_jaccard", description: "shared words over all words" },
    Feature { name: "length_ratio", description: "tokens of the shorter sentence over those of the longer" },
];

/// The features of two sentences: finite numbers, whatever the text. What is beyond the first 2,048 characters or 256
/// tokens of a sentence is not looked at.
pub fn extract(sentence1: &str, sentence2: &str, _vocabulary: &Vocabulary) -> [f64; COUNT] {
    let (first, second) = (text::tokens(sentence1), text::tokens(sentence2));
    [jaccard(&first, &second), length_ratio(&first, &second)]
}

fn jaccard(first: &[Token], second: &[Token]) -> f64 {
    let words = |tokens: &[Token]| tokens.iter().map(|t| t.text.clone()).collect::<std::collections::BTreeSet<_>>();
    let (first, second) = (words(first), words(second));
    let all = first.union(&second).count();
    if all == 0 { 1.0 } else { first.intersection(&second).count() as f64 / all as f64 }
}

fn length_ratio(first: &[Token], second: &[Token]) -> f64 {
    let (short, long) = (first.len().min(second.len()), first.len().max(second.len()));
    if long == 0 { 1.0 } else { short as f64 / long as f64 }
}
