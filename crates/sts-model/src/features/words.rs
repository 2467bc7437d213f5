//! How many words and sequences of words two sentences share.

use super::{Feature, PairView, shares, sorted, view::Side};

const BLEU: &str = "Papineni et al.: BLEU, ACL 2002, in both directions";
const NIST: &str = "Doddington: NIST, HLT 2002: what is rare counts more, in both directions";
const PER: &str = "Tillmann et al.: position-independent error rate, Eurospeech 1997";
const STEM: &str = "Banerjee and Lavie: METEOR, ACL 2005: words match by their stems";

pub(super) const FEATURES: [Feature; 26] = [
    Feature {
        name: "words_1_min",
        description: "shared tokens over all, of the sentence that shares less",
        source: BLEU,
    },
    Feature { name: "words_1_max", description: "the same of the sentence that shares more", source: BLEU },
    Feature {
        name: "words_2_min",
        description: "the same for sequences of two tokens, the smaller share",
        source: BLEU,
    },
    Feature { name: "words_2_max", description: "the larger share", source: BLEU },
    Feature {
        name: "words_3_min",
        description: "the same for sequences of three tokens, the smaller share",
        source: BLEU,
    },
    Feature { name: "words_3_max", description: "the larger share", source: BLEU },
    Feature {
        name: "words_4_min",
        description: "the same for sequences of four tokens, the smaller share",
        source: BLEU,
    },
    Feature { name: "words_4_max", description: "the larger share", source: BLEU },
    Feature {
        name: "bleu_min",
        description: "smoothed BLEU-4 with brevity penalty, the smaller of both directions",
        source: BLEU,
    },
    Feature { name: "bleu_max", description: "the larger of both directions", source: BLEU },
    Feature { name: "weighted_1_min", description: "as words_1_min, each token counted by its weight", source: NIST },
    Feature { name: "weighted_1_max", description: "as words_1_max, each token counted by its weight", source: NIST },
    Feature {
        name: "weighted_2_min",
        description: "as words_2_min, each pair of tokens counted by their weights",
        source: NIST,
    },
    Feature {
        name: "weighted_2_max",
        description: "as words_2_max, each pair of tokens counted by their weights",
        source: NIST,
    },
    Feature {
        name: "weighted_cosine",
        description: "cosine of the weighted counts of tokens",
        source: "Salton and Buckley: term weighting, 1988",
    },
    Feature { name: "stems_1_min", description: "as words_1_min for stems", source: STEM },
    Feature { name: "stems_1_max", description: "as words_1_max for stems", source: STEM },
    Feature { name: "stems_2_min", description: "as words_2_min for stems", source: STEM },
    Feature { name: "stems_2_max", description: "as words_2_max for stems", source: STEM },
    Feature {
        name: "content_min",
        description: "as stems_1_min, closed-class words and punctuation left out",
        source: STEM,
    },
    Feature {
        name: "content_max",
        description: "as stems_1_max, closed-class words and punctuation left out",
        source: STEM,
    },
    Feature { name: "closed_min", description: "as words_1_min, closed-class words alone", source: BLEU },
    Feature { name: "closed_max", description: "as words_1_max, closed-class words alone", source: BLEU },
    Feature {
        name: "skip_min",
        description: "shared ordered pairs of content stems, up to four tokens apart: the smaller share",
        source: "Lin and Och: ROUGE-S, ACL 2004",
    },
    Feature { name: "skip_max", description: "the larger share", source: "Lin and Och: ROUGE-S, ACL 2004" },
    Feature {
        name: "per",
        description: "tokens of the longer sentence without a partner, over its length",
        source: PER,
    },
];

pub(super) fn extract(pair: &PairView) -> [f64; 26] {
    let (first, second) = (&pair.first, &pair.second);
    let (a, b) = (first.len(), second.len());
    let common: [f64; 4] = [1, 2, 3, 4].map(|n| overlap(&ngrams(&first.ids, n), &ngrams(&second.ids, n)) as f64);
    let grams = |length: usize, n: usize| (length + 1).saturating_sub(n) as f64;
    let [w1, w2, w3, w4] = [1, 2, 3, 4].map(|n| shares(common[n - 1], grams(a, n), grams(b, n)));
    let bleu = sorted(bleu(common, a, b), bleu(common, b, a));

    let count = pair.weights.len();
    let (counts1, counts2) = (counts(first.ids.iter(), count), counts(second.ids.iter(), count));
    let mut weighted = [0.0; 3];
    let mut products = [0.0; 3];
    for id in 0..count {
        let (w, x, y) = (pair.weights[id], f64::from(counts1[id]), f64::from(counts2[id]));
        weighted = [weighted[0] + w * x.min(y), weighted[1] + w * x, weighted[2] + w * y];
        products = [products[0] + w * w * x * y, products[1] + w * w * x * x, products[2] + w * w * y * y];
    }
    let weighted_1 = shares(weighted[0], weighted[1], weighted[2]);
    let cosine = if products[1] > 0.0 && products[2] > 0.0 {
        products[0] / (products[1] * products[2]).sqrt()
    } else {
        f64::from(u8::from(products[1] == products[2]))
    };
    let weighted_2 = weighted_bigrams(pair);

    let stems_1 = overlap(&ngrams(&first.stems, 1), &ngrams(&second.stems, 1)) as f64;
    let stems_2 = overlap(&ngrams(&first.stems, 2), &ngrams(&second.stems, 2)) as f64;
    let stems_1 = shares(stems_1, grams(a, 1), grams(b, 1));
    let stems_2 = shares(stems_2, grams(a, 2), grams(b, 2));
    let chosen = |side: &Side, choose: fn(&Side, usize) -> bool| {
        let places = (0..side.len()).filter(|place| choose(side, *place));
        places.map(|place| side.stems[place]).collect::<Vec<_>>()
    };
    let [content, closed] =
        [Side::is_content as fn(&Side, usize) -> bool, |side, place| side.closed[place]].map(|choose| {
            let (x, y) = (chosen(first, choose), chosen(second, choose));
            shares(overlap(&ngrams(&x, 1), &ngrams(&y, 1)) as f64, x.len() as f64, y.len() as f64)
        });
    let (skips1, skips2) = (skips(first), skips(second));
    let skip = shares(overlap(&skips1, &skips2) as f64, skips1.len() as f64, skips2.len() as f64);
    let longer = a.max(b) as f64;
    let per = if longer > 0.0 { 1.0 - common[0] / longer } else { 0.0 };
    [
        w1[0],
        w1[1],
        w2[0],
        w2[1],
        w3[0],
        w3[1],
        w4[0],
        w4[1],
        bleu[0],
        bleu[1],
        weighted_1[0],
        weighted_1[1],
        weighted_2[0],
        weighted_2[1],
        cosine,
        stems_1[0],
        stems_1[1],
        stems_2[0],
        stems_2[1],
        content[0],
        content[1],
        closed[0],
        closed[1],
        skip[0],
        skip[1],
        per,
    ]
}

/// All sequences of `n` numbers, at most 4, each packed into one; sorted.
fn ngrams(ids: &[u16], n: usize) -> Vec<u64> {
    let mut grams: Vec<u64> =
        ids.windows(n).map(|gram| gram.iter().fold(0, |packed, id| packed << 16 | u64::from(*id))).collect();
    grams.sort_unstable();
    grams
}

/// How many elements two sorted lists share, each counted as often as it is in both.
pub(super) fn overlap(first: &[u64], second: &[u64]) -> usize {
    let (mut i, mut j, mut common) = (0, 0, 0);
    while i < first.len() && j < second.len() {
        match first[i].cmp(&second[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => (i, j, common) = (i + 1, j + 1, common + 1),
        }
    }
    common
}

/// How often each number below `count` occurs.
fn counts<'a>(ids: impl Iterator<Item = &'a u16>, count: usize) -> Vec<u16> {
    let mut counts = vec![0; count];
    ids.for_each(|id| counts[usize::from(*id)] += 1);
    counts
}

/// BLEU-4 of a candidate of `length` tokens; beyond single tokens, counts are smoothed by one (Lin and Och, 2004).
fn bleu(common: [f64; 4], length: usize, reference: usize) -> f64 {
    if length == 0 || reference == 0 {
        return f64::from(u8::from(length == reference));
    }
    if common[0] == 0.0 {
        return 0.0;
    }
    let logarithms = common.iter().enumerate().map(|(place, common)| {
        let all = (length - place.min(length)) as f64;
        if place == 0 { (common / all).ln() } else { ((common + 1.0) / (all + 1.0)).ln() }
    });
    let brevity = (1.0 - reference as f64 / length as f64).min(0.0);
    (logarithms.sum::<f64>() / 4.0 + brevity).exp()
}

fn weighted_bigrams(pair: &PairView) -> [f64; 2] {
    let weight = |packed: u64| pair.weight((packed >> 16) as u16) + pair.weight(packed as u16);
    let (first, second) = (ngrams(&pair.first.ids, 2), ngrams(&pair.second.ids, 2));
    let sum = |grams: &[u64]| grams.iter().map(|gram| weight(*gram)).sum::<f64>();
    let (mut i, mut j, mut common) = (0, 0, 0.0);
    while i < first.len() && j < second.len() {
        match first[i].cmp(&second[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => (i, j, common) = (i + 1, j + 1, common + weight(first[i])),
        }
    }
    shares(common, sum(&first), sum(&second))
}

/// Ordered pairs of content stems, up to four apart; sorted.
fn skips(side: &Side) -> Vec<u64> {
    let stems: Vec<u16> =
        (0..side.len()).filter(|place| side.is_content(*place)).map(|place| side.stems[place]).collect();
    let mut pairs = Vec::with_capacity(4 * stems.len());
    for (place, stem) in stems.iter().enumerate() {
        pairs.extend(stems[place + 1..].iter().take(4).map(|other| u64::from(*stem) << 16 | u64::from(*other)));
    }
    pairs.sort_unstable();
    pairs
}
