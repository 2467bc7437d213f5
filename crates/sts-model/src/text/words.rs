//! What is known of English words: their endings, the closed classes, denial.

use std::{collections::HashSet, sync::LazyLock};

/// A word without its inflection, roughly: enough to bring `acquires`, `acquired` and `acquiring` together. After
/// Porter: "An algorithm for suffix stripping", Program 14(3), 1980; only its first steps.
pub(crate) fn stem(word: &str) -> String {
    const ENDINGS: [&str; 9] = ["ations", "ation", "ingly", "edly", "ing", "ers", "ed", "er", "ly"];
    if word.len() < 4 || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return word.to_owned();
    }
    let singular = match word {
        w if w.ends_with("ies") => format!("{}y", &w[..w.len() - 3]),
        w if w.ends_with("sses") => w[..w.len() - 2].to_owned(),
        w if w.ends_with('s') && !w.ends_with("ss") && !w.ends_with("us") => w[..w.len() - 1].to_owned(),
        w => w.to_owned(),
    };
    let mut stem = singular.as_str();
    if let Some(shorter) = ENDINGS.iter().find_map(|ending| stem.strip_suffix(ending)) {
        let has_vowel = shorter.bytes().any(|byte| b"aeiouy".contains(&byte));
        if shorter.len() >= 3 && has_vowel {
            stem = shorter;
            let bytes = stem.as_bytes();
            let doubled = bytes[bytes.len() - 1] == bytes[bytes.len() - 2];
            if doubled && !b"lsz".contains(&bytes[bytes.len() - 1]) {
                stem = &stem[..stem.len() - 1];
            }
        }
    }
    let stem = stem.strip_suffix('e').filter(|shorter| shorter.len() >= 3).unwrap_or(stem);
    match stem.strip_suffix('y') {
        Some(shorter) => format!("{shorter}i"),
        None => stem.to_owned(),
    }
}

/// Whether a word is one of English's closed classes: articles, pronouns, prepositions, conjunctions, auxiliaries,
/// particles and clitics.
pub(crate) fn is_closed_class(word: &str) -> bool {
    CLOSED_CLASS.contains(word)
}

static CLOSED_CLASS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "
    'd 'll 'm 're 's 't 've a about above across after again against all along also although am among an and any are
    around as at away be because been before behind being below beneath beside between beyond both but by can cannot
    could did do does doing down during each either else every few for from had has have having he her here hers
    herself him himself his how i if in inside into is it its itself just may me might more most much must my n't
    near neither never no none nor not of off on once one only onto or other our ours out outside over own per
    rather same shall she should since so some such than that the their theirs them themselves then there these they
    this those through throughout till to too toward towards under until unto up upon us very was we were what when
    where whether which while who whom whose why will with within without would yet you your
    "
    .split_whitespace()
    .collect()
});

/// Whether a word denies.
pub(crate) fn is_negation(word: &str) -> bool {
    matches!(
        word,
        "not" | "no" | "n't" | "never" | "nor" | "none" | "neither" | "without" | "cannot" | "nobody" | "nothing"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems() {
        for words in [
            "acquire acquires acquired acquiring",
            "company companies",
            "stop stops stopped stopping",
            "share shares shared sharing",
            "class classes",
            "report reported reporter reporters",
            "fall falls falling",
            "quick quickly",
        ] {
            let stems: Vec<String> = words.split(' ').map(stem).collect();
            assert!(stems.iter().all(|other| *other == stems[0]), "{words}: {stems:?}");
        }
        for word in ["is", "bus", "caf\u{e9}s", "1990s", "'s", "ring", "red", "u.s."] {
            assert_eq!(stem(word), word);
        }
    }

    #[test]
    fn closed_class() {
        assert!(["the", "n't", "'s", "without"].iter().all(|word| is_closed_class(word)));
        assert!(!is_closed_class("company") && !is_closed_class(""));
    }
}
