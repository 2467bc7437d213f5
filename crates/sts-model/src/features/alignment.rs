//! Words aligned one to one: by text, by stem, by similar spelling.

use super::{Feature, PairView, share, shares, sorted, view::Side, words::common};
use crate::text::MAX_TOKENS;

const METEOR: &str = "Banerjee and Lavie: METEOR, ACL 2005, in both directions";
const MAXSIM: &str = "Chan and Ng: MAXSIM, ACL 2008: words match in part";

pub(super) const FEATURES: [Feature; 3] = [
    Feature {
        name: "meteor_min",
        description: "METEOR by text and stem, the smaller of both directions",
        source: METEOR,
    },
    Feature {
        name: "meteor_max",
        description: "METEOR by text and stem, the larger of both directions",
        source: METEOR,
    },
    Feature {
        name: "similar_max",
        description: "share of meaningful words with a partner, one of similar spelling counting in part, of the sentence that shares more",
        source: MAXSIM,
    },
];

pub(super) fn extract(pair: &PairView) -> [f64; 3] {
    let (first, second) = (pair.first.len() as f64, pair.second.len() as f64);
    let links = links(pair);
    let meteor = sorted(meteor(&links, first, second), meteor(&links, second, first));
    [meteor[0], meteor[1], similar(pair)[1]]
}

/// Which token of the first sentence goes with which of the second, in the order of the first.
fn links(pair: &PairView) -> Vec<(usize, usize)> {
    const NONE: usize = usize::MAX;
    let (first, second) = (&pair.first, &pair.second);
    let mut partner = [NONE; MAX_TOKENS];
    let mut taken = [false; MAX_TOKENS];
    for (x, y) in [(&first.ids, &second.ids), (&first.stems, &second.stems)] {
        let mut last = NONE;
        for (i, wanted) in x.iter().enumerate() {
            if partner[i] == NONE {
                // The token after the predecessor's partner keeps a piece together; else the nearest to it. Without
                // such a partner, the first.
                let expected = last.wrapping_add(1);
                let is_free = |j: &usize| y[*j] == *wanted && !taken[*j];
                let after = (expected..y.len()).find(is_free);
                let before = (0..expected.min(y.len())).rev().find(is_free);
                let nearest = match (before, after) {
                    (Some(before), Some(after)) if expected - before <= after - expected => Some(before),
                    (before, after) => after.or(before),
                };
                if let Some(j) = nearest {
                    (partner[i], taken[j]) = (j, true);
                }
            }
            last = partner[i];
        }
    }
    let is_linked = |(i, j): (usize, usize)| (j != NONE).then_some((i, j));
    partner[..first.len()].iter().copied().enumerate().filter_map(is_linked).collect()
}

/// METEOR: the mean of precision and recall, recall counting nine times as much, less for each piece of the alignment.
fn meteor(links: &[(usize, usize)], candidate: f64, reference: f64) -> f64 {
    let matched = links.len() as f64;
    if matched == 0.0 {
        return f64::from(u8::from(candidate == 0.0 && reference == 0.0));
    }
    let breaks = links.windows(2).filter(|pair| (pair[0].0 + 1, pair[0].1 + 1) != pair[1]).count();
    let (precision, recall) = (matched / candidate, matched / reference);
    let mean = 10.0 * precision * recall / (recall + 9.0 * precision);
    mean * (1.0 - 0.5 * ((breaks + 1) as f64 / matched).powi(3))
}

/// Content words aligned greedily by the share of letter pairs that they have in common (Dice).
fn similar(pair: &PairView) -> [f64; 2] {
    let words = |side: &Side| {
        let places = (0..side.len()).filter(|place| side.is_content(*place));
        places.map(|place| (side.stems[place], side.ids[place])).collect::<Vec<_>>()
    };
    let (mut unmatched, mut rest) = (words(&pair.first), words(&pair.second));
    let mut sum = 0.0;
    unmatched.retain(|word| {
        let partner = rest.iter().position(|other| other.0 == word.0);
        if let Some(place) = partner {
            rest.swap_remove(place);
            sum += 1.0;
        }
        partner.is_none()
    });
    let letters = |word: &(u16, u16)| &*pair.word(word.1).letters;
    let mut candidates = Vec::new();
    for (i, word) in unmatched.iter().enumerate() {
        for (j, other) in rest.iter().enumerate() {
            let (word, other) = (letters(word), letters(other));
            let both = common(word, other).count() as f64;
            let dice = share(2.0 * both, (word.len() + other.len()) as f64);
            if dice >= 0.4 {
                candidates.push((dice, i, j));
            }
        }
    }
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut used, mut taken) = ([false; MAX_TOKENS], [false; MAX_TOKENS]);
    for (dice, i, j) in candidates {
        if !used[i] && !taken[j] {
            (used[i], taken[j]) = (true, true);
            sum += dice;
        }
    }
    shares(sum, pair.first.content.len() as f64, pair.second.content.len() as f64)
}
