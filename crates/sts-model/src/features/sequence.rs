//! How far the order of words agrees: common subsequences and edit distances.

use super::{Feature, PairView, shares, sorted};

const ROUGE: &str = "Lin and Och: ROUGE-L, ACL 2004, in both directions";
const WER: &str = "Levenshtein: word error rate";
const CDER: &str = "Leusch, Ueffing and Ney: CDER, EACL 2006: as TER, an edit may also move a block";

pub(super) const FEATURES: [Feature; 8] = [
    Feature {
        name: "subsequence_min",
        description: "longest common subsequence of stems over all, the smaller share",
        source: ROUGE,
    },
    Feature { name: "subsequence_max", description: "the larger share", source: ROUGE },
    Feature {
        name: "substring_min",
        description: "longest common run of stems over all, the smaller share",
        source: ROUGE,
    },
    Feature { name: "substring_max", description: "the larger share", source: ROUGE },
    Feature {
        name: "edits",
        description: "edits of tokens that turn one sentence into the other, over the longer's length",
        source: WER,
    },
    Feature {
        name: "block_edits_min",
        description: "the same if moving a block is one edit, the smaller of both directions",
        source: CDER,
    },
    Feature { name: "block_edits_max", description: "the larger of both directions", source: CDER },
    Feature {
        name: "character_edits",
        description: "edits of characters (of the first 512), over the longer's length",
        source: WER,
    },
];

pub(super) fn extract(pair: &PairView) -> [f64; 8] {
    /// Time grows with the product of the lengths.
    const CHARACTERS: usize = 512;
    let (a, b) = (&pair.first.stems, &pair.second.stems);
    let (subsequence, substring) = common(a, b);
    let subsequence = shares(subsequence as f64, a.len() as f64, b.len() as f64);
    let substring = shares(substring as f64, a.len() as f64, b.len() as f64);
    let over_longer = |edits: usize, a: usize, b: usize| edits as f64 / a.max(b).max(1) as f64;
    let block =
        sorted(over_longer(block_edits(a, b), a.len(), b.len()), over_longer(block_edits(b, a), a.len(), b.len()));
    let (x, y) = (&pair.first.ids, &pair.second.ids);
    let (c, d) = (clipped(&pair.first.characters, CHARACTERS), clipped(&pair.second.characters, CHARACTERS));
    [
        subsequence[0],
        subsequence[1],
        substring[0],
        substring[1],
        over_longer(edits(x, y), x.len(), y.len()),
        block[0],
        block[1],
        over_longer(edits(c, d), c.len(), d.len()),
    ]
}

fn clipped<T>(list: &[T], length: usize) -> &[T] {
    &list[..list.len().min(length)]
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
pub(super) fn edits<T: PartialEq>(first: &[T], second: &[T]) -> usize {
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
