//! Words aligned one to one: by text, by stem, by similar spelling.

use super::{Feature, PairView, share, shares, sorted, view::Side, words::common};

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
    let letters = |side: &Side| -> Vec<(u16, &[u64])> {
        let places = (0..side.len()).filter(|place| side.is_content(*place));
        places.map(|place| (side.stems[place], &*pair.word(side.ids[place]).letters)).collect()
    };
    let (first, second) = (letters(&pair.first), letters(&pair.second));
    let mut rest: Vec<_> = second.iter().collect();
    let mut unmatched = Vec::new();
    let mut sum = 0.0;
    for word in &first {
        match rest.iter().position(|other| other.0 == word.0) {
            Some(place) => {
                rest.swap_remove(place);
                sum += 1.0;
            }
            None => unmatched.push(word),
        }
    }
    let mut candidates = Vec::new();
    for (i, word) in unmatched.iter().enumerate() {
        for (j, other) in rest.iter().enumerate() {
            let both = common(word.1, other.1).count() as f64;
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
            sum += dice;
        }
    }
    shares(sum, first.len() as f64, second.len() as f64)
}
