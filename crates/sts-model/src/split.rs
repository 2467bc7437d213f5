//! Which part of the data a pair belongs to, and which of several instances handles it. Both follow from the pair's
//! two sentences alone: the order of the rows, the number of instances and the other rows do not matter, and a pair
//! that occurs twice never sits in two parts.

use sha2::{Digest, Sha256};

use crate::pairs::Pair;

/// A part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// What is learned is learned from this: 70 of 100 pairs.
    Train,
    /// To look at while training: 15 of 100.
    Validation,
    /// For the evaluation: 15 of 100.
    Test,
}

impl Part {
    /// All parts, in the order of the pipeline.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The part of a pair.
    pub fn of(pair: &Pair) -> Self {
        match hashes(pair).0 % 100 {
            0..70 => Self::Train,
            70..85 => Self::Validation,
            _ => Self::Test,
        }
    }

    /// `train`, `validation` or `test`, as in the names of files and channels.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

/// Which of `instances` handles the pair, from 0. Independent of the part: each instance gets its share of each.
pub fn shard(pair: &Pair, instances: std::num::NonZeroUsize) -> usize {
    // Hashing takes longer than reading the pair.
    if instances.get() == 1 {
        return 0;
    }
    // The remainder is below `instances`, which is a usize.
    (hashes(pair).1 % instances.get() as u64) as usize
}

/// Which of `folds` of a cross-validation the pair is in, from 0. Another seed deals the pairs out anew.
pub fn fold(pair: &Pair, folds: std::num::NonZeroUsize, seed: u64) -> usize {
    // The remainder is below `folds`, which is a usize.
    (number(&digest(pair, Sha256::new().chain_update(format!("fold {seed}\t"))), 0) % folds.get() as u64) as usize
}

/// Two independent numbers from the sentences. The order of the two sentences does not count: a pair and its mirror
/// image are nearly the same row.
fn hashes(pair: &Pair) -> (u64, u64) {
    let digest = digest(pair, Sha256::new());
    (number(&digest, 0), number(&digest, 8))
}

fn digest(pair: &Pair, begun: Sha256) -> impl AsRef<[u8]> {
    let (first, second) = if pair.sentence1 <= pair.sentence2 {
        (&pair.sentence1, &pair.sentence2)
    } else {
        (&pair.sentence2, &pair.sentence1)
    };
    // A tab cannot be part of a sentence, so that no two pairs of sentences are hashed from the same bytes.
    begun.chain_update(first).chain_update(b"\t").chain_update(second).finalize()
}

/// The eight bytes from a place on.
fn number(digest: &impl AsRef<[u8]>, from: usize) -> u64 {
    digest.as_ref()[from..from + 8].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

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

    /// The expected numbers are Python's: `int.from_bytes(hashlib.sha256(b"A\tB").digest()[:8], "big") % 100`, and the
    /// next eight bytes for the shard.
    #[track_caller]
    fn check(sentence1: &str, sentence2: &str, part: Part, shard_of_4: usize) {
        let (pair, mirrored) = (pair(sentence1, sentence2), pair(sentence2, sentence1));
        let four = NonZeroUsize::new(4).unwrap();
        assert_eq!((Part::of(&pair), shard(&pair, four)), (part, shard_of_4));
        assert_eq!((Part::of(&mirrored), shard(&mirrored, four)), (part, shard_of_4));
    }

    #[test]
    fn parts_and_shards_never_change() {
        check("A", "B", Part::Train, 2);
        check("The cat sat.", "A cat sat down.", Part::Validation, 0);
        check("one", "two", Part::Test, 3);
        check("", "x", Part::Train, 2);
        check("caf\u{e9}", "caf\u{e9}", Part::Train, 2);
        check("red", "blue", Part::Validation, 0);
    }

    #[test]
    fn folds_never_change() {
        // `int.from_bytes(hashlib.sha256(b"fold 0\tA\tB").digest()[:8], "big") % 10`, and for the seeds 1, 2 and 3.
        let found = [0, 1, 2, 3].map(|seed| fold(&pair("B", "A"), NonZeroUsize::new(10).unwrap(), seed));
        assert_eq!(found, [6, 5, 2, 7]);
    }

    #[test]
    fn shares_are_as_promised_in_every_shard() {
        let three = NonZeroUsize::new(3).unwrap();
        let pairs = sample::pairs(3000);
        for number in 0..3 {
            let mine: Vec<_> = pairs.iter().filter(|pair| shard(pair, three) == number).collect();
            assert!((900..1100).contains(&mine.len()), "{}", mine.len());
            for (part, share) in [(Part::Train, 0.70), (Part::Validation, 0.15), (Part::Test, 0.15)] {
                let count = mine.iter().filter(|pair| Part::of(pair) == part).count();
                assert!((count as f64 / mine.len() as f64 - share).abs() < 0.04, "{part:?}: {count} of {}", mine.len());
            }
        }
    }
}
