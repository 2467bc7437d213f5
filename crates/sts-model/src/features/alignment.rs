//! Words aligned one to one, first by text, then by stem, last by similar spelling, and in how many pieces.

use super::{Feature, PairView, share, shares, sorted};

const METEOR: &str = "Banerjee and Lavie: METEOR, ACL 2005, in both directions";
const MAXSIM: &str = "Chan and Ng: MAXSIM, ACL 2008: words match in part";

pub(super) const FEATURES: [Feature; 6] = [
    Feature {
        name: "meteor_min",
        description: "METEOR by text and stem, the smaller of both directions",
        source: METEOR,
    },
    Feature { name: "meteor_max", description: "the larger of both directions", source: METEOR },
    Feature {
        name: "chunks",
        description: "pieces in which the aligned words come, over the aligned words",
        source: METEOR,
    },
    Feature {
        name: "crossing",
        description: "aligned words that are out of order with their predecessor, over the aligned words",
        source: METEOR,
    },
    Feature {
        name: "similar_min",
        description: "aligned content words, similar spelling counting in part, over all: the smaller share",
        source: MAXSIM,
    },
    Feature { name: "similar_max", description: "the larger share", source: MAXSIM },
];

pub(super) fn extract(pair: &PairView) -> [f64; 6] {
    let (a, b) = (pair.first.len() as f64, pair.second.len() as f64);
    let links = links(pair);
    let matched = links.len() as f64;
    let chunks = pieces(&links, |last, next| next.0 == last.0 + 1 && next.1 == last.1 + 1) as f64;
    let crossing = pieces(&links, |last, next| next.1 > last.1).saturating_sub(1) as f64;
    let meteor = sorted(meteor(matched, chunks, a, b), meteor(matched, chunks, b, a));
    let similar = similar(pair);
    [
        meteor[0],
        meteor[1],
        if matched > 0.0 { chunks / matched } else { 1.0 },
        if matched > 0.0 { crossing / matched } else { 0.0 },
        similar[0],
        similar[1],
    ]
}

/// Which token of the first sentence goes with which of the second, in the order of the first.
fn links(pair: &PairView) -> Vec<(usize, usize)> {
    let (first, second) = (&pair.first, &pair.second);
    let mut partner = vec![None; first.len()];
    let mut taken = vec![false; second.len()];
    for (x, y) in [(&first.ids, &second.ids), (&first.stems, &second.stems)] {
        for i in 0..x.len() {
            if partner[i].is_some() {
                continue;
            }
            // The token after the predecessor's partner keeps a piece together; else the nearest to it.
            let expected = i.checked_sub(1).and_then(|last| partner[last]).map_or(0, |last: usize| last + 1);
            let free = (0..y.len()).filter(|j| !taken[*j] && y[*j] == x[i]);
            partner[i] = free.min_by_key(|j| j.abs_diff(expected));
            if let Some(j) = partner[i] {
                taken[j] = true;
            }
        }
    }
    partner.iter().enumerate().filter_map(|(i, j)| j.map(|j| (i, j))).collect()
}

/// Into how many pieces links fall that hold together where `joined` says so.
fn pieces(links: &[(usize, usize)], joined: impl Fn((usize, usize), (usize, usize)) -> bool) -> usize {
    let breaks = links.windows(2).filter(|pair| !joined(pair[0], pair[1])).count();
    if links.is_empty() { 0 } else { breaks + 1 }
}

fn meteor(matched: f64, chunks: f64, candidate: f64, reference: f64) -> f64 {
    if matched == 0.0 {
        return f64::from(u8::from(candidate == reference && candidate == 0.0));
    }
    let (precision, recall) = (matched / candidate, matched / reference);
    let mean = 10.0 * precision * recall / (recall + 9.0 * precision);
    mean * (1.0 - 0.5 * (chunks / matched).powi(3))
}

/// Content words aligned greedily by the share of letter pairs that they have in common (Dice).
fn similar(pair: &PairView) -> [f64; 2] {
    let letters = |side: &super::view::Side| -> Vec<(u16, Vec<u64>)> {
        let places = (0..side.len()).filter(|place| side.is_content(*place));
        places.map(|place| (side.stems[place], bigrams(&pair.texts[usize::from(side.ids[place])]))).collect()
    };
    let (first, second) = (letters(&pair.first), letters(&pair.second));
    let mut rest: Vec<_> = second.iter().collect();
    let mut unmatched = Vec::new();
    let mut common = 0.0;
    for word in &first {
        match rest.iter().position(|other| other.0 == word.0) {
            Some(place) => {
                rest.swap_remove(place);
                common += 1.0;
            }
            None => unmatched.push(word),
        }
    }
    let mut candidates = Vec::new();
    for (i, word) in unmatched.iter().enumerate() {
        for (j, other) in rest.iter().enumerate() {
            let both = super::words::overlap(&word.1, &other.1) as f64;
            let dice = share(2.0 * both, (word.1.len() + other.1.len()) as f64);
            if dice >= 0.4 {
                candidates.push((dice, i, j));
            }
        }
    }
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut used, mut taken) = (vec![false; unmatched.len()], vec![false; rest.len()]);
    for (dice, i, j) in candidates {
        if !used[i] && !taken[j] {
            (used[i], taken[j]) = (true, true);
            common += dice;
        }
    }
    shares(common, first.len() as f64, second.len() as f64)
}

/// Pairs of neighbouring letters, with a mark at the start; sorted.
fn bigrams(word: &str) -> Vec<u64> {
    let mut last = 0_u64;
    let mut pairs: Vec<u64> = word
        .chars()
        .map(|c| {
            let pair = last << 32 | u64::from(c);
            last = u64::from(c);
            pair
        })
        .collect();
    pairs.sort_unstable();
    pairs
}
