//! How many sentences contain each word: counted over the train part alone, so that nothing about the evaluation
//! leaks into the features, and stored in the model, so that serving weighs words as training did.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize, Serializer};

use crate::{
    pairs::Pair,
    text::{Kind, Tokens},
};

/// The version of the format that [`Vocabulary::to_json`] writes.
pub const VERSION: u32 = 1;

/// How many words are kept at most: the most frequent ones.
pub const MAX_WORDS: usize = 50_000;

/// In how many sentences a word must occur to be kept.
pub const MIN_SENTENCES: u32 = 2;

/// The longest word that is counted, in bytes. What is longer is an address or an accident.
const MAX_WORD: usize = 48;

/// Counts words. Counters of parts of the data merge into the counter of all of it, in any order.
#[derive(Debug, Clone, Default)]
pub struct Counter {
    sentences: u64,
    words: HashMap<Box<str>, Count, RandomState>,
    tokens: Tokens,
}

/// How often a word was seen.
#[derive(Debug, Clone, Copy)]
struct Count {
    sentences: u32,
    /// The number of the last sentence with it: a second occurrence there does not count.
    last: u64,
}

impl Counter {
    /// A counter that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts both sentences of a pair. Whether the pair belongs to the train part is the caller's business
    /// ([`crate::split::Part::of`]).
    pub fn add(&mut self, pair: &Pair) {
        for sentence in [&pair.sentence1, &pair.sentence2] {
            self.sentences += 1;
            self.tokens.read(sentence);
            for (text, token) in self.tokens.iter() {
                if token.kind == Kind::Punctuation || text.len() > MAX_WORD {
                    continue;
                }
                match self.words.get_mut(text) {
                    Some(count) if count.last == self.sentences => {}
                    Some(count) => {
                        *count = Count { sentences: count.sentences.saturating_add(1), last: self.sentences };
                    }
                    None => {
                        self.words.insert(text.into(), Count { sentences: 1, last: self.sentences });
                    }
                }
            }
        }
    }

    /// Adds what another counter has seen.
    pub fn merge(&mut self, other: Self) {
        self.sentences += other.sentences;
        for (word, more) in other.words {
            // Sentences that are counted from here on have higher numbers than either has seen.
            let count = self.words.entry(word).or_insert(Count { sentences: 0, last: 0 });
            count.sentences = count.sentences.saturating_add(more.sentences);
        }
    }

    /// The vocabulary: words below [`MIN_SENTENCES`] are dropped, then all but the [`MAX_WORDS`] most frequent (of
    /// equally frequent ones the alphabetically first).
    pub fn finish(self) -> Vocabulary {
        let Self { sentences, words, .. } = self;
        let frequent = words.into_iter().filter(|(_, count)| count.sentences >= MIN_SENTENCES);
        let mut words: Vec<_> = frequent.map(|(word, count)| (word, count.sentences)).collect();
        if words.len() > MAX_WORDS {
            words.select_nth_unstable_by(MAX_WORDS, |(word, count), (other, more)| {
                more.cmp(count).then_with(|| word.cmp(other))
            });
            words.truncate(MAX_WORDS);
        }
        Vocabulary { sentences, words: words.into_iter().collect() }
    }
}

/// In how many of how many sentences each word occurs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written<Words>")]
pub struct Vocabulary {
    sentences: u64,
    words: Words,
}

/// Words, and in how many sentences each is.
type Words = HashMap<Box<str>, u32, RandomState>;

/// Why bytes are no vocabulary.
#[derive(Debug, thiserror::Error)]
pub enum VocabularyError {
    /// No JSON, or not of this shape.
    #[error("the vocabulary cannot be read")]
    Json(#[from] serde_json::Error),
}

/// The vocabulary as it is written: with a version, words in alphabetical order.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<W> {
    version: u32,
    sentences: u64,
    words: W,
}

impl Vocabulary {
    /// How many sentences were counted.
    pub fn sentences(&self) -> u64 {
        self.sentences
    }

    /// How many words are known.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether no word is known.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The weight of a word (in lower case): the logarithm of one over the share of sentences that contain it. A word
    /// that is not known counts as one that was seen once. At least 0; finite also without any sentence.
    pub fn weight(&self, word: &str) -> f64 {
        let seen = f64::from(self.words.get(word).copied().unwrap_or(1));
        ((self.sentences as f64 + 1.0) / seen).ln().max(0.0)
    }

    /// The vocabulary as JSON; the same vocabulary always gives the same bytes.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("strings and integers always serialise") + "\n"
    }

    /// Reads what [`Vocabulary::to_json`] wrote.
    ///
    /// # Errors
    /// The bytes are no JSON, of another shape or version, or hold more words than [`MAX_WORDS`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, VocabularyError> {
        Ok(serde_json::from_slice(bytes)?)
    }
}

impl Serialize for Vocabulary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let words: BTreeMap<_, _> = self.words.iter().collect();
        Written { version: VERSION, sentences: self.sentences, words }.serialize(serializer)
    }
}

impl TryFrom<Written<Words>> for Vocabulary {
    type Error = String;

    fn try_from(written: Written<Words>) -> Result<Self, String> {
        let Written { version, sentences, words } = written;
        if version != VERSION {
            return Err(format!("it has version {version}, this program reads version {VERSION}"));
        }
        if words.len() > MAX_WORDS {
            return Err(format!("it has {} words, more than the {MAX_WORDS} that are ever kept", words.len()));
        }
        if let Some((word, count)) = words.iter().find(|(_, count)| u64::from(**count) > sentences || **count == 0) {
            return Err(format!("it has the word {word:?} in {count} of {sentences} sentences"));
        }
        Ok(Self { sentences, words })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn pair(sentence1: &str, sentence2: &str) -> Pair {
        Pair {
            label: None,
            id1: String::new(),
            id2: String::new(),
            sentence1: sentence1.into(),
            sentence2: sentence2.into(),
        }
    }

    fn count(pairs: &[Pair]) -> Counter {
        let mut counter = Counter::new();
        pairs.iter().for_each(|pair| counter.add(pair));
        counter
    }

    #[test]
    fn counts_sentences_and_not_occurrences() {
        let vocabulary = count(&[pair("The cat, the dog.", "A cat."), pair("the end", "1,000 cats 1000")]).finish();
        let expected = r#"{
  "version": 1,
  "sentences": 4,
  "words": {
    "cat": 2,
    "the": 2
  }
}
"#;
        assert_eq!(vocabulary.to_json(), expected);
    }

    #[test]
    fn rare_words_weigh_more() {
        let vocabulary = count(&[pair("the cat", "the dog"), pair("the cat", "the end")]).finish();
        let [the, cat, dog, unknown] = ["the", "cat", "dog", "unknown"].map(|word| vocabulary.weight(word));
        assert_eq!((the, cat, dog), ((5.0_f64 / 4.0).ln(), (5.0_f64 / 2.0).ln(), 5.0_f64.ln()));
        assert_eq!(unknown, dog);
        assert_eq!(Vocabulary::default().weight("any"), 0.0);
    }

    #[test]
    fn order_and_instances_do_not_matter() {
        let pairs = sample::pairs(300);
        let whole = count(&pairs).finish();
        let mut reversed = count(&pairs[200..]);
        reversed.merge(count(&pairs[..50]));
        reversed.merge(count(&pairs[50..200]));
        assert_eq!(reversed.finish().to_json(), whole.to_json());
    }

    #[test]
    fn the_most_frequent_words_are_kept() {
        let mut counter = Counter { sentences: 10, ..Counter::new() };
        let mut insert = |word: String, sentences| counter.words.insert(word.into(), Count { sentences, last: 0 });
        for number in 0..MAX_WORDS {
            insert(format!("w{number:06}"), 2);
        }
        insert("often".into(), 9);
        insert("once".into(), 1);
        let vocabulary = counter.finish();
        assert_eq!(vocabulary.len(), MAX_WORDS);
        assert!(vocabulary.words.contains_key("often") && !vocabulary.words.contains_key("once"));
        assert!(vocabulary.words.contains_key("w000000") && !vocabulary.words.contains_key("w049999"));
    }

    #[test]
    fn reads_what_it_wrote() {
        let vocabulary = count(&sample::pairs(50)).finish();
        assert_eq!(Vocabulary::from_json(vocabulary.to_json().as_bytes()).unwrap(), vocabulary);
    }

    #[test]
    fn other_documents_are_refused() {
        #[track_caller]
        fn check(json: &str, expected: &str) {
            let VocabularyError::Json(cause) = Vocabulary::from_json(json.as_bytes()).unwrap_err();
            assert!(cause.to_string().contains(expected), "{cause}");
        }
        check("", "EOF");
        check("{}", "missing field");
        check(r#"{"version": 2, "sentences": 1, "words": {}}"#, "it has version 2, this program reads version 1");
        check(r#"{"version": 1, "sentences": 1, "words": {"a": 2}}"#, "the word \"a\" in 2 of 1 sentences");
        check(r#"{"version": 1, "sentences": 1, "words": {"a": 0}}"#, "the word \"a\" in 0 of 1 sentences");
        check(r#"{"version": 1, "sentences": 1, "words": {}, "more": 1}"#, "unknown field");
    }
}
