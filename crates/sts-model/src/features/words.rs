//! How many words and sequences of words two sentences share.

use std::cmp::Ordering;

use super::{
    Feature, PairView,
    bag::{Bag, Common},
    share, shares, sorted,
    view::Side,
};
use crate::text::MAX_TOKENS;

const BLEU: &str = "Papineni et al.: BLEU, ACL 2002, in both directions";
const NIST: &str = "Doddington: NIST, HLT 2002: what is rare counts more, in both directions";
const PER: &str = "Tillmann et al.: position-independent error rate, Eurospeech 1997";
const STEM: &str = "Banerjee and Lavie: METEOR, ACL 2005: words match by their stems";
const ROUGE: &str = "Lin and Och: ROUGE-S, ACL 2004, in both directions";

pub(super) const FEATURES: [Feature; 16] = [
    Feature {
        name: "words_1_min",
        description: "share of tokens that the other sentence also has, of the sentence that shares less",
        source: BLEU,
    },
    Feature {
        name: "words_2_min",
        description: "share of common sequences of two tokens, of the sentence that shares less",
        source: BLEU,
    },
    Feature {
        name: "words_3_min",
        description: "share of common sequences of three tokens, of the sentence that shares less",
        source: BLEU,
    },
    Feature {
        name: "words_4_min",
        description: "share of common sequences of four tokens, of the sentence that shares less",
        source: BLEU,
    },
    Feature {
        name: "bleu_min",
        description: "smoothed BLEU-4 with brevity penalty, the smaller of both directions",
        source: BLEU,
    },
    Feature {
        name: "bleu_max",
        description: "smoothed BLEU-4 with brevity penalty, the larger of both directions",
        source: BLEU,
    },
    Feature {
        name: "error_rate",
        description: "share of tokens without a partner, of the longer sentence, whatever their order",
        source: PER,
    },
    Feature {
        name: "weighted_1_min",
        description: "share of common tokens counted by their weights, of the sentence that shares less",
        source: NIST,
    },
    Feature {
        name: "weighted_2_min",
        description: "share of common sequences of two tokens counted by their weights, of the sentence that shares less",
        source: NIST,
    },
    Feature {
        name: "stems_1_min",
        description: "share of common stems, of the sentence that shares less",
        source: STEM,
    },
    Feature {
        name: "stems_1_max",
        description: "share of common stems, of the sentence that shares more",
        source: STEM,
    },
    Feature {
        name: "stems_2_min",
        description: "share of common sequences of two stems, of the sentence that shares less",
        source: STEM,
    },
    Feature {
        name: "stems_2_max",
        description: "share of common sequences of two stems, of the sentence that shares more",
        source: STEM,
    },
    Feature {
        name: "content_min",
        description: "share of common stems of words that carry meaning, of the sentence that shares less",
        source: STEM,
    },
    Feature {
        name: "closed_min",
        description: "share of common closed-class words, of the sentence that shares less",
        source: STEM,
    },
    Feature {
        name: "skip_max",
        description: "share of common ordered pairs of meaningful stems up to four apart, of the sentence that shares more",
        source: ROUGE,
    },
];

pub(super) fn extract(pair: &PairView, bag: &mut Bag) -> [f64; 16] {
    let (first, second) = (&pair.first, &pair.second);
    let tokens = Counts::of(first.ids.iter(), second.ids.iter());
    let pairs = Pairs::of(&first.ids, &second.ids);
    let mut of_ids = |n| bag.common(first.len(), ngrams(&first.ids, n), ngrams(&second.ids, n));
    let grams = [tokens.common(), pairs.common(), of_ids(3), of_ids(4)];
    let [words_1, words_2, words_3, words_4] = grams.map(Common::shares);
    let bleu = sorted(bleu(&grams, first.len(), second.len()), bleu(&grams, second.len(), first.len()));
    let longer = first.len().max(second.len()) as f64;
    let stems_1 = Counts::of(first.stems.iter(), second.stems.iter()).common().shares();
    let stems_2 = bag.common(first.len(), ngrams(&first.stems, 2), ngrams(&second.stems, 2)).shares();
    let content = Counts::of(first.content.iter(), second.content.iter()).common().shares();
    let closed = Counts::of(closed(first), closed(second)).common().shares();
    let skips = bag.common(4 * first.content.len(), skips(&first.content), skips(&second.content)).shares();
    [
        words_1[0],
        words_2[0],
        words_3[0],
        words_4[0],
        bleu[0],
        bleu[1],
        1.0 - share(grams[0].common as f64, longer),
        tokens.weighted_shares(pair)[0],
        pairs.weighted_shares(pair)[0],
        stems_1[0],
        stems_1[1],
        stems_2[0],
        stems_2[1],
        content[0],
        closed[0],
        skips[1],
    ]
}

/// The stems of closed-class words.
fn closed(side: &Side) -> impl Iterator<Item = &u16> {
    side.stems.iter().zip(&side.closed).filter(|(_, is_closed)| **is_closed).map(|(stem, _)| stem)
}

/// How often each number, of which a pair has at most twice [`MAX_TOKENS`], is in two lists.
struct Counts([[u16; 2]; 2 * MAX_TOKENS]);

impl Counts {
    fn of<'a>(first: impl Iterator<Item = &'a u16>, second: impl Iterator<Item = &'a u16>) -> Self {
        let mut counts = [[0; 2]; 2 * MAX_TOKENS];
        first.for_each(|number| counts[usize::from(*number)][0] += 1);
        second.for_each(|number| counts[usize::from(*number)][1] += 1);
        Self(counts)
    }

    fn common(&self) -> Common {
        let sum = |get: fn(&[u16; 2]) -> u16| usize::from(self.0.iter().map(get).sum::<u16>());
        Common { common: sum(|[a, b]| *a.min(b)), first: sum(|[a, _]| *a), second: sum(|[_, b]| *b) }
    }

    /// The shares of what is common where each token counts as its weight.
    fn weighted_shares(&self, pair: &PairView) -> [f64; 2] {
        let sum = |get: fn(&[u16; 2]) -> u16| {
            let repeated = |(id, counts)| std::iter::repeat_n(pair.weight(id), usize::from(get(counts)));
            (0..).zip(&self.0[..pair.id_count()]).flat_map(repeated).sum()
        };
        shares(sum(|[a, b]| *a.min(b)), sum(|[a, _]| *a), sum(|[_, b]| *b))
    }
}

/// Sequences of two tokens of both sentences, and what they have in common; sorted.
struct Pairs {
    first: Vec<u64>,
    second: Vec<u64>,
    common: Vec<u64>,
}

impl Pairs {
    fn of(first: &[u16], second: &[u16]) -> Self {
        let [first, second] = [first, second].map(|ids| {
            let mut pairs: Vec<u64> = ngrams(ids, 2).collect();
            pairs.sort_unstable();
            pairs
        });
        let common = common(&first, &second).collect();
        Self { first, second, common }
    }

    fn common(&self) -> Common {
        Common { common: self.common.len(), first: self.first.len(), second: self.second.len() }
    }

    /// The shares of what is common where each pair counts as the sum of its tokens' weights.
    fn weighted_shares(&self, pair: &PairView) -> [f64; 2] {
        let [common, first, second] = [&self.common, &self.first, &self.second].map(|grams| {
            // The later token first.
            grams.iter().flat_map(|gram| [*gram as u16, (*gram >> 16) as u16]).map(|id| pair.weight(id - 1)).sum()
        });
        shares(common, first, second)
    }
}

/// All sequences of `n` numbers, at most 4, each packed into one, where 0 means none.
fn ngrams(ids: &[u16], n: usize) -> impl Iterator<Item = u64> {
    ids.windows(n).map(|gram| gram.iter().fold(0, |packed, id| packed << 16 | (u64::from(*id) + 1)))
}

/// What two sorted lists have in common, each element as often as it is in both.
pub(super) fn common<'a>(first: &'a [u64], second: &'a [u64]) -> impl Iterator<Item = u64> + 'a {
    let (mut i, mut j) = (0, 0);
    std::iter::from_fn(move || {
        while i < first.len() && j < second.len() {
            match first[i].cmp(&second[j]) {
                Ordering::Less => i += 1,
                Ordering::Greater => j += 1,
                Ordering::Equal => {
                    (i, j) = (i + 1, j + 1);
                    return Some(first[i - 1]);
                }
            }
        }
        None
    })
}

/// BLEU-4 of a candidate of `length` tokens; beyond single tokens, counts are smoothed by one (Lin and Och, 2004).
fn bleu(grams: &[Common; 4], length: usize, reference: usize) -> f64 {
    if length == 0 || reference == 0 {
        return f64::from(u8::from(length == reference));
    }
    if grams[0].common == 0 {
        return 0.0;
    }
    let logarithms = grams.iter().enumerate().map(|(place, grams)| {
        let (common, all) = (grams.common as f64, (length - place.min(length)) as f64);
        if place == 0 { (common / all).ln() } else { ((common + 1.0) / (all + 1.0)).ln() }
    });
    let brevity = (1.0 - reference as f64 / length as f64).min(0.0);
    (logarithms.sum::<f64>() / 4.0 + brevity).exp()
}

/// Ordered pairs of stems, up to four apart.
fn skips(stems: &[u16]) -> impl Iterator<Item = u64> {
    let with_next = |(place, stem): (usize, &u16)| {
        let (stem, next) = (u64::from(*stem) << 16, stems[place + 1..].iter().take(4));
        next.map(move |other| stem | u64::from(*other))
    };
    stems.iter().enumerate().flat_map(with_next)
}
