//! What is in one sentence and not in the other.

use super::{Feature, PairView, share, sorted, view::Side};
use crate::text::MAX_TOKENS;

const OWN: &str =
    "Zhang and Patrick: paraphrase identification by text canonicalization, ALTA 2005: what differs decides";
const WAN: &str = "Wan et al.: Using dependency-based features to take the para-farce out of paraphrase, ALTA 2006";

pub(super) const FEATURES: [Feature; 11] = [
    Feature {
        name: "unshared_min",
        description: "meaningful words without a partner, logarithm, of the sentence with fewer",
        source: OWN,
    },
    Feature {
        name: "unshared_weight_min",
        description: "sum of the weights of meaningful words without a partner, logarithm, the smaller",
        source: OWN,
    },
    Feature {
        name: "unshared_weight_max",
        description: "sum of the weights of meaningful words without a partner, logarithm, the larger",
        source: OWN,
    },
    Feature {
        name: "unshared_heaviest_min",
        description: "heaviest word without a partner, the smaller of both sentences",
        source: OWN,
    },
    Feature {
        name: "unshared_heaviest_max",
        description: "heaviest word without a partner, the larger of both sentences",
        source: OWN,
    },
    Feature {
        name: "unshared_run",
        description: "longest run of tokens without a partner in either sentence, logarithm",
        source: OWN,
    },
    Feature { name: "shared", description: "meaningful words with a partner, logarithm", source: OWN },
    Feature {
        name: "shared_weight",
        description: "sum of the weights of meaningful words with a partner, logarithm",
        source: OWN,
    },
    Feature { name: "length_min", description: "tokens of the shorter sentence, logarithm", source: WAN },
    Feature { name: "length_difference", description: "difference of the numbers of tokens", source: WAN },
    Feature { name: "length_ratio", description: "tokens of the shorter sentence over the longer's", source: WAN },
];

pub(super) fn extract(pair: &PairView) -> [f64; 11] {
    let (a, b) = (Unshared::of(&pair.first, &pair.second, pair), Unshared::of(&pair.second, &pair.first, pair));
    let [shorter, longer] = sorted(pair.first.len() as f64, pair.second.len() as f64);
    let weight = sorted(a.weight, b.weight);
    let heaviest = sorted(a.heaviest, b.heaviest);
    [
        a.count.min(b.count).ln_1p(),
        weight[0].ln_1p(),
        weight[1].ln_1p(),
        heaviest[0],
        heaviest[1],
        a.longest_run.max(b.longest_run).ln_1p(),
        a.shared.min(b.shared).ln_1p(),
        a.shared_weight.min(b.shared_weight).ln_1p(),
        shorter.ln_1p(),
        longer - shorter,
        share(shorter, longer),
    ]
}

/// The content words of one sentence that have no partner of the same stem in the other, and those that have one.
#[derive(Default)]
struct Unshared {
    count: f64,
    weight: f64,
    heaviest: f64,
    shared: f64,
    shared_weight: f64,
    longest_run: f64,
}

impl Unshared {
    fn of(side: &Side, other: &Side, pair: &PairView) -> Self {
        let mut left = [0_u16; 2 * MAX_TOKENS];
        other.stems.iter().for_each(|stem| left[usize::from(*stem)] += 1);
        let mut unshared = Self::default();
        let mut run = 0.0;
        for place in 0..side.len() {
            let stem = usize::from(side.stems[place]);
            let has_partner = left[stem] > 0;
            left[stem] = left[stem].saturating_sub(1);
            if has_partner {
                run = 0.0;
            } else {
                run += 1.0;
                unshared.longest_run = unshared.longest_run.max(run);
            }
            if side.is_content(place) {
                let weight = pair.weight(side.ids[place]);
                if has_partner {
                    unshared.shared += 1.0;
                    unshared.shared_weight += weight;
                } else {
                    unshared.count += 1.0;
                    unshared.weight += weight;
                    unshared.heaviest = unshared.heaviest.max(weight);
                }
            }
        }
        unshared
    }
}
