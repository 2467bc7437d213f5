//! What the features measure, and that they are finite, symmetric and quick for any text.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use sts_model::{
    features::{self, Extractor},
    pairs::Pair,
    rows::Dataset,
    sample,
    split::Part,
    vocabulary::{Counter, Vocabulary},
};

fn vocabulary() -> Vocabulary {
    let mut counter = Counter::new();
    for pair in sts_model::sample::pairs(100) {
        counter.add(&pair);
    }
    counter.finish()
}

/// The value of the feature, and that it is the same for the mirrored pair.
#[track_caller]
fn value(name: &str, sentence1: &str, sentence2: &str, vocabulary: &Vocabulary) -> f64 {
    let place = features::FEATURES.iter().position(|feature| feature.name == name).expect("no such feature");
    let features = features::extract(sentence1, sentence2, vocabulary);
    assert_eq!(features, features::extract(sentence2, sentence1, vocabulary));
    features[place]
}

/// Values that follow from the definition by hand.
#[track_caller]
fn check(sentence1: &str, sentence2: &str, expected: &[(&str, f64)]) {
    for (name, expected) in expected {
        let found = value(name, sentence1, sentence2, &Vocabulary::default());
        assert!((found - expected).abs() < 1e-12, "{name}: {found}, expected {expected}");
    }
}

#[test]
fn names_are_distinct_and_described() {
    assert!((30..=60).contains(&features::COUNT));
    for (place, feature) in features::FEATURES.iter().enumerate() {
        assert!(features::FEATURES[..place].iter().all(|other| other.name != feature.name), "{}", feature.name);
        assert!(feature.description.len() > 10 && feature.source.len() > 10, "{}", feature.name);
    }
}

#[test]
fn words_in_common() {
    // Three of four tokens, two of three pairs, one of two triples; six tokens against four.
    check(
        "red cat saw dogs",
        "red cat saw birds today again",
        &[
            ("words_1_min", 3.0 / 6.0),
            ("words_2_min", 2.0 / 5.0),
            ("words_3_min", 1.0 / 4.0),
            ("words_4_min", 0.0),
            ("error_rate", 0.5),
            ("stems_1_min", 3.0 / 6.0),
            ("stems_1_max", 3.0 / 4.0),
            ("stems_2_min", 2.0 / 5.0),
            ("stems_2_max", 2.0 / 3.0),
            // "again" is of a closed class.
            ("content_min", 3.0 / 5.0),
            ("closed_min", 0.0),
            // red-cat, red-saw, cat-saw of the six pairs of "red cat saw dogs".
            ("skip_max", 3.0 / 6.0),
            ("length_min", 5.0_f64.ln()),
            ("length_difference", 2.0),
            ("length_ratio", 4.0 / 6.0),
            ("shared", 4.0_f64.ln()),
            ("unshared_min", 2.0_f64.ln()),
            ("unshared_run", 4.0_f64.ln()),
        ],
    );
}

#[test]
fn bleu_by_hand() {
    // Candidate of 4 against 5: precisions 3/4, (2+1)/(3+1), (1+1)/(2+1), (0+1)/(1+1), brevity e^(1 - 5/4). Candidate
    // of 5 against 4: 3/5, (2+1)/(4+1), (1+1)/(3+1), (0+1)/(2+1).
    let short = (0.75_f64 * 0.75 * (2.0 / 3.0) * 0.5).powf(0.25) * (-0.25_f64).exp();
    let long = (0.6_f64 * 0.6 * 0.5 / 3.0).powf(0.25);
    check("a b c d", "a b c e f", &[("bleu_min", short.min(long)), ("bleu_max", short.max(long))]);
}

#[test]
fn order_of_words() {
    // The block "saw it" at the end moved to the front: one jump there and one back at the end of the sentence.
    check(
        "one two three saw it",
        "saw it one two three",
        &[
            ("words_1_min", 1.0),
            ("subsequence_min", 3.0 / 5.0),
            ("substring_max", 3.0 / 5.0),
            ("block_edits", 3.0 / 5.0),
            ("error_rate", 0.0),
        ],
    );
    check("abcd", "abxd", &[("character_edits", 1.0 / 4.0), ("characters_3_min", 0.0)]);
    // abc bcd cde | abc bcd cdx dxy
    check("abcde", "abcdxy", &[("characters_3_min", 2.0 / 4.0), ("characters_3_max", 2.0 / 3.0)]);
}

#[test]
fn alignment_by_hand() {
    // All four match by stem in one piece: precision and recall 1, penalty 0.5 (1/4)^3.
    check("cats chased dogs yesterday", "cat chasing dog yesterday", &[("meteor_min", 1.0 - 0.5 / 64.0)]);
    // Two pieces of two.
    check("red cat blue dog", "blue dog red cat", &[("meteor_max", 1.0 - 0.5 / 8.0)]);
    // "colour" and "color" share 4 pairs of letters (^c co ol lo) of 6 and 5.
    check("colour", "color", &[("similar_max", 8.0 / 11.0)]);
}

#[test]
fn details() {
    check(
        "Profit rose 5 percent to $20",
        "Profit rose 6 percent to $20",
        &[("numbers_same", 0.0), ("numbers_conflict", 1.0), ("numbers_unshared", 3.0_f64.ln()), ("money", 0.0)],
    );
    check(
        "It cost 1,000 dollars",
        "It cost 1000 $",
        &[("numbers_same", 1.0), ("numbers_conflict", 0.0), ("money", 1.0)],
    );
    check("no numbers", "none", &[("numbers_same", 0.0), ("numbers_conflict", 0.0)]);
    check(
        "The mayor of Linden met Ruth Voss",
        "The mayor of Linden met Ruth Wray Friday",
        &[("names_min", 2.0 / 4.0), ("names_max", 2.0 / 3.0), ("names_conflict", 1.0), ("same_end", 0.0)],
    );
    check("He did not say \"yes\".", "He did say yes!", &[("negation", 1.0), ("quotation", 1.0), ("same_end", 1.0)]);
}

/// The values of the first test pairs of the sample, which `reference/README.md` says how they were made.
#[test]
fn values_do_not_change() {
    let pairs = sample::pairs(sample::SIZE);
    let mut counter = Counter::new();
    pairs.iter().filter(|pair| Part::of(pair) == Part::Train).for_each(|pair| counter.add(pair));
    let vocabulary = counter.finish();
    let mut extractor = Extractor::new(&vocabulary);
    let expected = Dataset::read(&include_bytes!("reference/features.csv")[..], features::COUNT).unwrap();
    assert_eq!(expected.len(), 12);
    let test = pairs.iter().filter(|pair| Part::of(pair) == Part::Test);
    for ((pair, label), expected) in test.zip(expected.labels()).zip(expected.features()) {
        assert_eq!(pair.label, Some(*label));
        let found = extractor.extract(&pair.sentence1, &pair.sentence2);
        // What an extractor has seen before does not matter.
        assert_eq!(found, features::extract(&pair.sentence1, &pair.sentence2, &vocabulary));
        for ((feature, found), expected) in features::FEATURES.iter().zip(found).zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{}: {found}, expected {expected}: {pair:?}", feature.name);
        }
    }
}

#[test]
fn weights_come_from_the_vocabulary() {
    let pair = |sentence1: &str, sentence2: &str| Pair {
        label: None,
        id1: String::new(),
        id2: String::new(),
        sentence1: sentence1.into(),
        sentence2: sentence2.into(),
    };
    let mut counter = Counter::new();
    counter.add(&pair("the cat", "the dog"));
    counter.add(&pair("the cat", "a bird"));
    let vocabulary = counter.finish();
    // Of five: "the" is in 3, "cat" in 2, others count as in 1.
    let [the, cat, other] = [3.0_f64, 2.0, 1.0].map(|seen| (5.0 / seen).ln());
    let found = value("weighted_1_min", "the cat", "the fish", &vocabulary);
    assert!((found - the / (the + other)).abs() < 1e-12, "{found}");
    let found = value("unshared_heaviest_min", "the cat", "the fish", &vocabulary);
    assert!((found - cat).abs() < 1e-12, "{found}");
    let found = value("weighted_2_min", "the cat ran", "the cat sat", &vocabulary);
    assert!((found - (the + cat) / (the + cat + cat + other)).abs() < 1e-12, "{found}");
}

#[test]
fn equal_empty_and_disjoint_sentences() {
    let same =
        [("words_4_min", 1.0), ("bleu_min", 1.0), ("error_rate", 0.0), ("block_edits", 0.0), ("character_edits", 0.0)];
    check("One, two and three.", "One, two and three.", &same);
    check("", "", &same);
    let apart =
        [("words_1_min", 0.0), ("bleu_max", 0.0), ("error_rate", 1.0), ("character_edits", 1.0), ("meteor_max", 0.0)];
    check("", "abc", &apart);
    check("xyz", "abc", &apart);
}

#[test]
fn long_sentences_are_clipped_and_quick() {
    let vocabulary = vocabulary();
    let texts = ["word ".repeat(200_000), "x".repeat(1_000_000), "a1.".repeat(300_000), "\u{1f600}'s ".repeat(100_000)];
    let start = Instant::now();
    for text in &texts {
        let reversed: String = text.chars().rev().collect();
        assert!(features::extract(text, &reversed, &vocabulary).iter().all(|value| value.is_finite()));
    }
    // Some 10 ms each; without the limits it would be hours.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

proptest! {
    #[test]
    fn finite_symmetric_and_repeatable_for_any_text(first in "\\PC{0,80}", second in "\\PC{0,80}", shared in "[ a-zA-Z0-9.,'$\u{e9}\u{4e00}]{0,60}") {
        let vocabulary = vocabulary();
        let (one, two) = (format!("{first}{shared}"), format!("{shared} {second}"));
        let features = features::extract(&one, &two, &vocabulary);
        prop_assert!(features.iter().all(|value| value.is_finite()), "{features:?}");
        prop_assert_eq!(features, features::extract(&two, &one, &vocabulary));
    }

    #[test]
    fn an_extractor_keeps_nothing_of_a_pair(texts in proptest::collection::vec("\\PC{0,40}|[a-c .\u{e9}'n]{0,300}", 2..8)) {
        let vocabulary = vocabulary();
        let mut extractor = Extractor::new(&vocabulary);
        for pair in texts.windows(2) {
            let found = extractor.extract(&pair[0], &pair[1]);
            prop_assert_eq!(found, features::extract(&pair[0], &pair[1], &vocabulary));
        }
    }

    #[test]
    fn shares_are_between_0_and_1(first in "[a-d .]{0,40}", second in "[a-d .]{0,40}") {
        let vocabulary = vocabulary();
        let features = features::extract(&first, &second, &vocabulary);
        for (feature, value) in features::FEATURES.iter().zip(features) {
            if feature.description.starts_with("share of") || feature.name.starts_with("bleu") || feature.name.starts_with("meteor") {
                prop_assert!((0.0..=1.0 + 1e-12).contains(&value), "{} is {value}", feature.name);
            }
        }
    }
}
