//! Two sentences as numbers. The same function makes the rows that the model is fitted to and those that it judges.
//!
//! Most features are the metrics of machine translation, which ask how much of one sentence is in another (Madnani,
//! Tetreault and Chodorow: "Re-examining machine translation metrics for paraphrase identification", NAACL 2012). A
//! paraphrase has no direction, so each is taken in both and enters as the smaller and the larger value. All values are
//! finite for any text. Nothing is learned outside of the train part, and no word list is used beyond closed-class words.

mod alignment;
mod bag;
mod characters;
mod details;
mod differences;
mod lexicon;
mod numbering;
mod sequence;
mod view;
mod words;

use self::{bag::Bag, view::PairView};
use crate::vocabulary::Vocabulary;

/// A feature of a pair of sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// A short name, for reports and the model artefact.
    pub name: &'static str,
    /// What it measures.
    pub description: &'static str,
    /// Where the idea comes from.
    pub source: &'static str,
}

/// How many features a pair has.
pub const COUNT: usize = words::FEATURES.len()
    + characters::FEATURES.len()
    + sequence::FEATURES.len()
    + alignment::FEATURES.len()
    + differences::FEATURES.len()
    + details::FEATURES.len();

/// The features, in the order of [`extract`].
pub const FEATURES: [Feature; COUNT] = {
    let groups: [&[Feature]; 6] = [
        &words::FEATURES,
        &characters::FEATURES,
        &sequence::FEATURES,
        &alignment::FEATURES,
        &differences::FEATURES,
        &details::FEATURES,
    ];
    let mut all = [words::FEATURES[0]; COUNT];
    let (mut group, mut place, mut count) = (0, 0, 0);
    while group < groups.len() {
        while place < groups[group].len() {
            all[count] = groups[group][place];
            (place, count) = (place + 1, count + 1);
        }
        (group, place) = (group + 1, 0);
    }
    all
};

/// The features of two sentences, as [`Extractor::extract`].
pub fn extract(sentence1: &str, sentence2: &str, vocabulary: &Vocabulary) -> [f64; COUNT] {
    Extractor::new(vocabulary).extract(sentence1, sentence2)
}

/// Makes features of many pairs: it remembers what it has worked out about words, within bounds.
#[derive(Debug)]
pub struct Extractor<'v> {
    pair: PairView<'v>,
    bag: Bag,
}

impl<'v> Extractor<'v> {
    /// An extractor that weighs words by this vocabulary.
    pub fn new(vocabulary: &'v Vocabulary) -> Self {
        Self { pair: PairView::new(vocabulary), bag: Bag::default() }
    }

    /// The features of two sentences: finite numbers, whatever the text; those of a pair and of its mirror image are
    /// the same. What is beyond the first 2,048 characters or 256 tokens of a sentence is not looked at.
    pub fn extract(&mut self, sentence1: &str, sentence2: &str) -> [f64; COUNT] {
        // In a fixed order: an alignment may have ties, which would otherwise be broken by who comes first.
        let (first, second) = if sentence1 <= sentence2 { (sentence1, sentence2) } else { (sentence2, sentence1) };
        self.pair.read(first, second);
        let Self { pair, bag } = self;
        let mut all = [0.0; COUNT];
        let mut rest = &mut all[..];
        fill(&mut rest, &words::extract(pair, bag));
        fill(&mut rest, &characters::extract(pair, bag));
        fill(&mut rest, &sequence::extract(pair));
        fill(&mut rest, &alignment::extract(pair));
        fill(&mut rest, &differences::extract(pair));
        fill(&mut rest, &details::extract(pair));
        all
    }
}

fn fill(rest: &mut &mut [f64], values: &[f64]) {
    let (start, end) = std::mem::take(rest).split_at_mut(values.len());
    start.copy_from_slice(values);
    *rest = end;
}

/// Part over whole; of nothing, 1: two empty things agree.
fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 1.0 }
}

/// The smaller and the larger of the shares that a common part has in both sides. Where one side alone is empty, it
/// shares nothing.
fn shares(common: f64, first: f64, second: f64) -> [f64; 2] {
    match (first > 0.0, second > 0.0) {
        (true, true) => sorted(common / first, common / second),
        (false, false) => [1.0; 2],
        _ => [0.0; 2],
    }
}

fn sorted(a: f64, b: f64) -> [f64; 2] {
    [a.min(b), a.max(b)]
}
