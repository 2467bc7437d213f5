//! How many words and sequences of words two sentences share.

use std::cmp::Ordering;

use super::{Feature, PairView, share, shares, sorted, view::Side};

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

pub(super) fn extract(pair: &PairView) -> [f64; 16] {
    let (first, second) = (&pair.first, &pair.second);
    let tokens = [1, 2, 3, 4].map(|n| Common::of(ngrams(&first.ids, n), ngrams(&second.ids, n)));
    let [words_1, words_2, words_3, words_4] = tokens.each_ref().map(Common::shares);
    let bleu = sorted(bleu(&tokens, first.len(), second.len()), bleu(&tokens, second.len(), first.len()));
    let longer = first.len().max(second.len()) as f64;
    let [stems_1, stems_2] = [1, 2].map(|n| Common::of(ngrams(&first.stems, n), ngrams(&second.stems, n)).shares());
    let chosen = |side: &Side, is_chosen: fn(&Side, usize) -> bool| {
        let stems: Vec<u16> = (0..side.len()).filter(|at| is_chosen(side, *at)).map(|at| side.stems[at]).collect();
        ngrams(&stems, 1)
    };
    let content = Common::of(chosen(first, Side::is_content), chosen(second, Side::is_content));
    let closed = Common::of(chosen(first, |side, at| side.closed[at]), chosen(second, |side, at| side.closed[at]));
    [
        words_1[0],
        words_2[0],
        words_3[0],
        words_4[0],
        bleu[0],
        bleu[1],
        1.0 - share(tokens[0].common.len() as f64, longer),
        tokens[0].weighted_shares(pair)[0],
        tokens[1].weighted_shares(pair)[0],
        stems_1[0],
        stems_1[1],
        stems_2[0],
        stems_2[1],
        content.shares()[0],
        closed.shares()[0],
        Common::of(skips(first), skips(second)).shares()[1],
    ]
}

/// Two sorted lists of packed numbers and what they have in common, each as often as it is in both.
struct Common {
    first: Vec<u64>,
    second: Vec<u64>,
    common: Vec<u64>,
}

impl Common {
    fn of(first: Vec<u64>, second: Vec<u64>) -> Self {
        let common = common(&first, &second).collect();
        Self { first, second, common }
    }

    fn shares(&self) -> [f64; 2] {
        shares(self.common.len() as f64, self.first.len() as f64, self.second.len() as f64)
    }

    /// The same where each sequence of tokens counts as the sum of its tokens' weights.
    fn weighted_shares(&self, pair: &PairView) -> [f64; 2] {
        let [common, first, second] = [&self.common, &self.first, &self.second].map(|grams| {
            // The packed numbers of a sequence; those of tokens are one too high, so that 0 is the end.
            let unpacked = |gram: u64| (0..4).map(move |place| (gram >> (16 * place)) as u16).take_while(|id| *id > 0);
            grams.iter().flat_map(|gram| unpacked(*gram)).map(|id| pair.weight(id - 1)).sum()
        });
        shares(common, first, second)
    }
}

/// All sequences of `n` numbers, at most 4, each packed into one, where 0 means none; sorted.
fn ngrams(ids: &[u16], n: usize) -> Vec<u64> {
    let mut grams: Vec<u64> =
        ids.windows(n).map(|gram| gram.iter().fold(0, |packed, id| packed << 16 | (u64::from(*id) + 1))).collect();
    grams.sort_unstable();
    grams
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
fn bleu(tokens: &[Common; 4], length: usize, reference: usize) -> f64 {
    if length == 0 || reference == 0 {
        return f64::from(u8::from(length == reference));
    }
    if tokens[0].common.is_empty() {
        return 0.0;
    }
    let logarithms = tokens.iter().enumerate().map(|(place, tokens)| {
        let (common, all) = (tokens.common.len() as f64, (length - place.min(length)) as f64);
        if place == 0 { (common / all).ln() } else { ((common + 1.0) / (all + 1.0)).ln() }
    });
    let brevity = (1.0 - reference as f64 / length as f64).min(0.0);
    (logarithms.sum::<f64>() / 4.0 + brevity).exp()
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
