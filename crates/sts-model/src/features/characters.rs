//! How much two sentences share letter by letter: what remains of inflection, composition and spelling.

use super::{Feature, PairView, shares, words::overlap};

const CHRF: &str = "Popovic: chrF, WMT 2015, in both directions";

pub(super) const FEATURES: [Feature; 8] = [
    Feature {
        name: "characters_2_min",
        description: "shared sequences of two characters over all, the smaller share",
        source: CHRF,
    },
    Feature { name: "characters_2_max", description: "the larger share", source: CHRF },
    Feature { name: "characters_3_min", description: "the same for three characters, the smaller share", source: CHRF },
    Feature { name: "characters_3_max", description: "the larger share", source: CHRF },
    Feature { name: "characters_4_min", description: "the same for four characters, the smaller share", source: CHRF },
    Feature { name: "characters_4_max", description: "the larger share", source: CHRF },
    Feature { name: "characters_6_min", description: "the same for six characters, the smaller share", source: CHRF },
    Feature { name: "characters_6_max", description: "the larger share", source: CHRF },
];

pub(super) fn extract(pair: &PairView) -> [f64; 8] {
    let (first, second) = (&pair.first.characters, &pair.second.characters);
    let [a, b, c, d] = [2, 3, 4, 6].map(|n| {
        let (first, second) = (hashes(first, n), hashes(second, n));
        shares(overlap(&first, &second) as f64, first.len() as f64, second.len() as f64)
    });
    [a[0], a[1], b[0], b[1], c[0], c[1], d[0], d[1]]
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
