//! Details that change the meaning of a sentence of otherwise the same words: numbers, names, negation, quotation.

use super::{Feature, PairView, lexicon::Word, shares, sorted, view::Side, words::common};
use crate::text::Kind;

const NUMBERS: &str =
    "Socher et al.: dynamic pooling and unfolding recursive autoencoders, NIPS 2011: the three number features";
const NAMES: &str = "Zhang and Patrick, ALTA 2005";
const NEGATION: &str = "Madnani et al., NAACL 2012, on what their metrics miss";

pub(super) const FEATURES: [Feature; 10] = [
    Feature {
        name: "numbers_same",
        description: "1 if both sentences have the same numbers, and at least one",
        source: NUMBERS,
    },
    Feature {
        name: "numbers_conflict",
        description: "1 if each sentence has a number that the other lacks",
        source: NUMBERS,
    },
    Feature {
        name: "numbers_unshared",
        description: "numbers that only one of both sentences has, logarithm",
        source: NUMBERS,
    },
    Feature { name: "money", description: "difference of the numbers of currency and percent signs", source: NUMBERS },
    Feature {
        name: "names_min",
        description: "share of common names (capitalised words within the sentence), of the sentence that shares less",
        source: NAMES,
    },
    Feature {
        name: "names_max",
        description: "share of common names, of the sentence that shares more",
        source: NAMES,
    },
    Feature {
        name: "names_conflict",
        description: "1 if each sentence has a name that the other lacks",
        source: NAMES,
    },
    Feature { name: "negation", description: "difference of the numbers of negations", source: NEGATION },
    Feature { name: "quotation", description: "1 if one sentence alone quotes", source: NAMES },
    Feature { name: "same_end", description: "1 if the last words have the same stem", source: NAMES },
];

pub(super) fn extract(pair: &PairView) -> [f64; 10] {
    let (first, second) = (&pair.first, &pair.second);
    let numbers = Sets::of(first, second, |side, place| side.kinds[place] == Kind::Number);
    let names = Sets::of(first, second, |side, place| {
        place > 0 && side.capital[place] && side.kinds[place] == Kind::Word && !side.closed[place]
    });
    let [few, many] = sorted(numbers.only_first, numbers.only_second);
    let names_shares = shares(names.both, names.both + names.only_first, names.both + names.only_second);
    let difference = |is: fn(&Word) -> bool| {
        let count = |side: &Side| side.ids.iter().filter(|id| is(pair.word(**id))).count();
        count(first).abs_diff(count(second)) as f64
    };
    let quotes = |side: &Side| side.ids.iter().any(|id| pair.word(*id).is_quotation_mark);
    [
        flag(many == 0.0 && numbers.both > 0.0),
        flag(few > 0.0),
        (few + many).ln_1p(),
        difference(|word| word.is_money),
        names_shares[0],
        names_shares[1],
        flag(names.only_first > 0.0 && names.only_second > 0.0),
        difference(|word| word.is_negation),
        flag(quotes(first) != quotes(second)),
        flag(last_word(first) == last_word(second)),
    ]
}

fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}

fn last_word(side: &Side) -> Option<u16> {
    (0..side.len()).rev().find(|place| side.kinds[*place] != Kind::Punctuation).map(|place| side.stems[place])
}

/// How many distinct tokens of a sort are in both sentences or in one alone.
struct Sets {
    both: f64,
    only_first: f64,
    only_second: f64,
}

impl Sets {
    fn of(first: &Side, second: &Side, chosen: impl Fn(&Side, usize) -> bool) -> Self {
        let ids = |side: &Side| {
            let mut ids: Vec<u64> =
                (0..side.len()).filter(|place| chosen(side, *place)).map(|place| u64::from(side.ids[place])).collect();
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        let (first, second) = (ids(first), ids(second));
        let both = common(&first, &second).count();
        Self { both: both as f64, only_first: (first.len() - both) as f64, only_second: (second.len() - both) as f64 }
    }
}
