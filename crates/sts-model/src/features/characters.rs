//! How much two sentences share letter by letter: what remains of inflection, composition and spelling.

use super::{Feature, PairView, shares, words::common};

const CHRF: &str = "Popovic: chrF, WMT 2015, in both directions";

pub(super) const FEATURES: [Feature; 5] = [
    Feature {
        name: "characters_3_min",
        description: "share of common sequences of three characters, of the sentence that shares less",
        source: CHRF,
    },
    Feature {
        name: "characters_3_max",
        description: "share of common sequences of three characters, of the sentence that shares more",
        source: CHRF,
    },
    Feature {
        name: "characters_4_min",
        description: "share of common sequences of four characters, of the sentence that shares less",
        source: CHRF,
    },
    Feature {
        name: "characters_4_max",
        description: "share of common sequences of four characters, of the sentence that shares more",
        source: CHRF,
    },
    Feature {
        name: "characters_6_min",
        description: "share of common sequences of six characters, of the sentence that shares less",
        source: CHRF,
    },
];

pub(super) fn extract(pair: &PairView) -> [f64; 5] {
    let [three, four, six] = [3, 4, 6].map(|n| {
        let (first, second) = (hashes(&pair.first.characters, n), hashes(&pair.second.characters, n));
        shares(common(&first, &second).count() as f64, first.len() as f64, second.len() as f64)
    });
    [three[0], three[1], four[0], four[1], six[0]]
}

/// A hash of each sequence of `n` characters; sorted. With some hundred sequences, no two collide in practice.
fn hashes(characters: &[char], n: usize) -> Vec<u64> {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let hash = |window: &[char]| {
        let fold = window.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, c| (hash ^ u64::from(*c)).wrapping_mul(PRIME));
        fold ^ (fold >> 29)
    };
    let mut hashes: Vec<u64> = characters.windows(n).map(hash).collect();
    hashes.sort_unstable();
    hashes
}
