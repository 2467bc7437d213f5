//! How far the order of words agrees: common subsequences and edit distances.

use super::{Feature, PairView, shares};
use crate::text::MAX_TOKENS;

const ROUGE: &str = "Lin and Och: ROUGE-L, ACL 2004, in both directions";
const EDITS: &str = "Levenshtein: Binary codes capable of correcting deletions, insertions, and reversals, 1966";
const CDER: &str = "Leusch, Ueffing and Ney: CDER, EACL 2006: as TER, an edit may also move a block";

pub(super) const FEATURES: [Feature; 6] = [
    Feature {
        name: "subsequence_min",
        description: "share of the longest common subsequence of stems, of the longer sentence",
        source: ROUGE,
    },
    Feature {
        name: "subsequence_max",
        description: "share of the longest common subsequence of stems, of the shorter sentence",
        source: ROUGE,
    },
    Feature {
        name: "substring_min",
        description: "share of the longest common run of stems, of the longer sentence",
        source: ROUGE,
    },
    Feature {
        name: "substring_max",
        description: "share of the longest common run of stems, of the shorter sentence",
        source: ROUGE,
    },
    Feature {
        name: "block_edits",
        description: "edits of stems, moving a block being one, over the longer's length, the smaller of both directions",
        source: CDER,
    },
    Feature {
        name: "character_edits",
        description: "edits of characters, of the first 512, over the longer's length",
        source: EDITS,
    },
];

/// How many characters of a sentence are compared by edits: time grows with the product of the lengths.
const CHARACTERS: usize = 512;

pub(super) fn extract(pair: &PairView) -> [f64; 6] {
    let (first, second) = (&pair.first.stems, &pair.second.stems);
    let (subsequence, run) = common(first, second);
    let subsequence = shares(f64::from(subsequence), first.len() as f64, second.len() as f64);
    let run = shares(f64::from(run), first.len() as f64, second.len() as f64);
    let block_edits = f64::from(block_edits(first, second).min(block_edits(second, first)));
    let [c, d] = [&pair.first, &pair.second].map(|side| &side.characters[..side.characters.len().min(CHARACTERS)]);
    [
        subsequence[0],
        subsequence[1],
        run[0],
        run[1],
        block_edits / first.len().max(second.len()).max(1) as f64,
        edits(c, d, pair.character_count()) as f64 / c.len().max(d.len()).max(1) as f64,
    ]
}

/// The lengths of the longest common subsequence and of the longest common run.
fn common(first: &[u16], second: &[u16]) -> (u16, u16) {
    // Of both, for each start of the second list.
    let mut row = [(0, 0); MAX_TOKENS + 1];
    let row = &mut row[..=second.len()];
    let mut longest = 0;
    for x in first {
        let (mut diagonal, mut left) = ((0, 0), 0);
        for (y, cell) in second.iter().zip(&mut row[1..]) {
            let above = *cell;
            let is_same = u16::from(x == y);
            left = above.0.max(left).max(diagonal.0 + is_same);
            *cell = (left, (diagonal.1 + 1) * is_same);
            longest = longest.max(cell.1);
            diagonal = above;
        }
    }
    (row[second.len()].0, longest)
}

/// Levenshtein's distance of lists of at most [`CHARACTERS`] numbers, all below `count`. A column of the table of distances is kept as bits,
/// 64 rows in a word: where a row is one more, or one less, than the row above it (Myers: "A fast bit-vector algorithm
/// for approximate string matching based on dynamic programming", J. ACM 46(3), 1999, in blocks as by Hyyro, 2003).
fn edits(first: &[u16], second: &[u16], count: usize) -> usize {
    if first.is_empty() {
        return second.len();
    }
    let blocks = first.len().div_ceil(64);
    // Which rows have which number.
    let mut rows = vec![0_u64; count * blocks];
    for (row, number) in first.iter().enumerate() {
        rows[usize::from(*number) * blocks + row / 64] |= 1 << (row % 64);
    }
    let mut more = [u64::MAX; CHARACTERS / 64];
    let mut less = [0_u64; CHARACTERS / 64];
    let mut distance = first.len();
    let last = 1_u64 << ((first.len() - 1) % 64);
    for number in second {
        let equal = &rows[usize::from(*number) * blocks..][..blocks];
        // Above the first row, the distance grows by one from column to column.
        let (mut grows, mut shrinks) = (1_u64, 0_u64);
        for block in 0..blocks {
            let (plus, minus) = (more[block], less[block]);
            let vertical = equal[block] | minus;
            let matched = equal[block] | shrinks;
            let horizontal = (((matched & plus).wrapping_add(plus)) ^ plus) | matched;
            let mut up = minus | !(horizontal | plus);
            let mut down = plus & horizontal;
            if block + 1 == blocks {
                distance += usize::from(up & last != 0);
                distance -= usize::from(down & last != 0);
            }
            let (next_grows, next_shrinks) = (up >> 63, down >> 63);
            up = up << 1 | grows;
            down = down << 1 | shrinks;
            more[block] = down | !(vertical | up);
            less[block] = up & vertical;
            (grows, shrinks) = (next_grows, next_shrinks);
        }
    }
    distance
}

/// Edits that turn the candidate into the reference where a jump to any place of the candidate costs one.
fn block_edits(candidate: &[u16], reference: &[u16]) -> u16 {
    let mut row = [1; MAX_TOKENS + 1];
    let row = &mut row[..=candidate.len()];
    row[0] = 0;
    for x in reference {
        let mut diagonal = row[0];
        let mut left = diagonal + 1;
        row[0] = left;
        let mut least = left;
        for (y, cell) in candidate.iter().zip(&mut row[1..]) {
            let substituted = diagonal + u16::from(x != y);
            diagonal = *cell;
            left = substituted.min(diagonal + 1).min(left + 1);
            *cell = left;
            least = least.min(left);
        }
        row.iter_mut().for_each(|cost| *cost = (*cost).min(least + 1));
    }
    row[candidate.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::edits;

    /// The definition: the table of distances, row by row.
    fn by_definition(first: &[u16], second: &[u16]) -> usize {
        let mut row: Vec<usize> = (0..=second.len()).collect();
        for (i, x) in first.iter().enumerate() {
            let mut diagonal = row[0];
            row[0] = i + 1;
            for (j, y) in second.iter().enumerate() {
                let substituted = diagonal + usize::from(x != y);
                diagonal = row[j + 1];
                row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
            }
        }
        row[second.len()]
    }

    #[test]
    fn edits_around_the_ends_of_blocks() {
        for first in [0, 1, 63, 64, 65, 127, 128, 129, 512] {
            for second in [0, 1, 64, 65, 130, 512] {
                let numbers = |length: u16, step: u16| (0..length).map(|n| n * step % 7).collect::<Vec<_>>();
                let (first, second) = (numbers(first, 3), numbers(second, 5));
                assert_eq!(edits(&first, &second, 7), by_definition(&first, &second));
            }
        }
    }

    proptest! {
        #[test]
        fn edits_are_those_of_the_definition(
            first in prop::collection::vec(0_u16..5, 0..200),
            second in prop::collection::vec(0_u16..5, 0..200),
        ) {
            prop_assert_eq!(edits(&first, &second, 5), by_definition(&first, &second));
        }
    }
}
