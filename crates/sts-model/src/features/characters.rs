//! How much two sentences share letter by letter: what remains of inflection, composition and spelling.

use super::{Feature, PairView, bag::Bag};

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

pub(super) fn extract(pair: &PairView, bag: &mut Bag) -> [f64; 5] {
    let [three, four, six] = [3, 4, 6].map(|n| {
        let [first, second] = [&pair.first, &pair.second].map(|side| &side.characters);
        bag.common(first.len(), sequences(first, n), sequences(second, n)).shares()
    });
    [three[0], three[1], four[0], four[1], six[0]]
}

/// Each sequence of `n` characters, at most 6, as one number. It is exact for pairs with up to 1,024 different
/// characters, which is all but the strangest.
fn sequences(characters: &[u16], n: usize) -> impl Iterator<Item = u64> {
    const BITS: u32 = 10;
    let mask = (1 << (BITS * n as u32)) - 1;
    let start = characters.len().min(n - 1);
    let pushed = move |packed: u64, c: u16| (packed << BITS ^ u64::from(c)) & mask;
    let mut packed = characters[..start].iter().fold(0, |packed, c| pushed(packed, *c));
    characters[start..].iter().map(move |c| {
        packed = pushed(packed, *c);
        packed
    })
}
