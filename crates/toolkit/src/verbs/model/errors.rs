//! The errors worth looking at: where the model was sure, and wrong, and what made it so.

use serde::Serialize;
use sts_model::features::{self, FEATURES};
use sts_model::pairs::Pair;
use sts_model::validation::Validation;

/// How many errors of each kind are shown.
const ERRORS: usize = 10;

/// How many features are named for each.
const REASONS: usize = 4;

/// A pair that the model got wrong.
#[derive(Debug, Serialize)]
pub struct Error<'a> {
    /// Whether it is a paraphrase.
    pub label: u8,
    /// How likely the model thought that.
    pub probability: f64,
    /// The ids of the sentences.
    pub ids: [&'a str; 2],
    /// The sentences.
    pub sentences: [&'a str; 2],
    /// The features that spoke loudest for the wrong label, the loudest first.
    pub reasons: Vec<Reason>,
}

/// What a feature said of a pair.
#[derive(Debug, Serialize)]
pub struct Reason {
    /// The feature's name.
    pub feature: &'static str,
    /// What it measures.
    pub description: &'static str,
    /// Its value.
    pub value: f64,
    /// What it adds to the log-odds of a paraphrase, compared with its mean over the training pairs.
    pub contribution: f64,
}

/// The most confident errors: first those taken for paraphrases, then those not recognised as such; of each kind the
/// worst first.
pub fn most_confident<'a>(pairs: &'a [Pair], validation: &Validation, threshold: f64) -> [Vec<Error<'a>>; 2] {
    [false, true].map(|label| {
        let is_wrong = |place: &usize| {
            pairs[*place].label == Some(label) && (validation.judged[*place].probability > threshold) != label
        };
        let mut wrong: Vec<usize> = (0..pairs.len()).filter(is_wrong).collect();
        // How far on the wrong side. The sort is stable: where it is equally far, by the order of the file.
        let margin = |place: &usize| {
            let probability = validation.judged[*place].probability;
            if label { 1.0 - probability } else { probability }
        };
        wrong.sort_by(|a, b| margin(b).total_cmp(&margin(a)));
        wrong.into_iter().take(ERRORS).map(|place| error(&pairs[place], label, validation, place)).collect()
    })
}

fn error<'a>(pair: &'a Pair, label: bool, validation: &Validation, place: usize) -> Error<'a> {
    let judged = validation.judged[place];
    let model = &validation.models[judged.fold];
    let values = features::extract(&pair.sentence1, &pair.sentence2, &model.vocabulary);
    let mut reasons: Vec<Reason> = FEATURES
        .iter()
        .zip(values)
        .zip(model.model.contributions(&values))
        .map(|((feature, value), contribution)| Reason {
            feature: feature.name,
            description: feature.description,
            value,
            contribution,
        })
        // Only what speaks for the wrong label.
        .filter(|reason| (reason.contribution > 0.0) != label && reason.contribution != 0.0)
        .collect();
    reasons.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
    reasons.truncate(REASONS);
    Error {
        label: u8::from(label),
        probability: judged.probability,
        ids: [&pair.id1, &pair.id2],
        sentences: [&pair.sentence1, &pair.sentence2],
        reasons,
    }
}
