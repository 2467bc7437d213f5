//! How far the order of words agrees: common subsequences and edit distances.

use super::{Feature, PairView, shares};

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

pub(super) fn extract(pair: &PairView) -> [f64; 6] {
    /// Time grows with the product of the lengths.
    const CHARACTERS: usize = 512;
    let (first, second) = (&pair.first.stems, &pair.second.stems);
    let (subsequence, run) = common(first, second);
    let subsequence = shares(subsequence as f64, first.len() as f64, second.len() as f64);
    let run = shares(run as f64, first.len() as f64, second.len() as f64);
    let block_edits = block_edits(first, second).min(block_edits(second, first)) as f64;
    let [c, d] = [&pair.first, &pair.second].map(|side| &side.characters[..side.characters.len().min(CHARACTERS)]);
    [
        subsequence[0],
        subsequence[1],
        run[0],
        run[1],
        block_edits / first.len().max(second.len()).max(1) as f64,
        edits(c, d) as f64 / c.len().max(d.len()).max(1) as f64,
    ]
}

/// The lengths of the longest common subsequence and of the longest common run.
fn common(first: &[u16], second: &[u16]) -> (usize, usize) {
    let mut subsequence = vec![0_usize; second.len() + 1];
    let mut run = vec![0_usize; second.len() + 1];
    let mut longest = 0;
    for x in first {
        let (mut diagonal, mut diagonal_run) = (0, 0);
        for (j, y) in second.iter().enumerate() {
            let above = subsequence[j + 1];
            let above_run = run[j + 1];
            subsequence[j + 1] = if x == y { diagonal + 1 } else { above.max(subsequence[j]) };
            run[j + 1] = if x == y { diagonal_run + 1 } else { 0 };
            longest = longest.max(run[j + 1]);
            (diagonal, diagonal_run) = (above, above_run);
        }
    }
    (subsequence[second.len()], longest)
}

/// Levenshtein's distance.
fn edits(first: &[char], second: &[char]) -> usize {
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

/// Edits that turn the candidate into the reference where a jump to any place of the candidate costs one.
fn block_edits(candidate: &[u16], reference: &[u16]) -> usize {
    let mut row: Vec<usize> = (0..=candidate.len()).map(|place| place.min(1)).collect();
    for x in reference {
        let mut diagonal = row[0];
        row[0] += 1;
        for (j, y) in candidate.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
        let jump = row.iter().min().map_or(1, |least| least + 1);
        row.iter_mut().for_each(|cost| *cost = (*cost).min(jump));
    }
    row[candidate.len()]
}
