//! How good models are on pairs they were not fitted to: by a test set, or by cross-validation.
//!
//! A model is fitted as the pipeline's steps do it, one after the other: word weights are counted over the very pairs
//! that the model is fitted to, and nothing else.

use std::{
    num::NonZero,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crate::{
    artifact::{Artifact, ArtifactError},
    features::{self, Extractor},
    logistic::{FitError, ValidParams},
    pairs::Pair,
    rows::{Dataset, RowError},
    split,
    vocabulary::Counter,
};

/// What models say of pairs that they were not fitted to.
#[derive(Debug)]
pub struct Validation {
    /// The models: of cross-validation one for each fold, else one.
    pub models: Vec<Artifact>,
    /// What is said of each pair, in their order.
    pub judged: Vec<Judged>,
}

/// What a model says of a pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// The fold that the pair is in, from 0, and so the model that was fitted without it.
    pub fold: usize,
    /// The probability that it is a paraphrase.
    pub probability: f64,
}

/// Why there is no validation.
#[derive(Debug, thiserror::Error)]
pub enum ValidationError {
    /// There is only one fold, or none.
    #[error("{0} folds: cross-validation needs at least 2, such as 10")]
    Folds(usize),
    /// No pair is in a fold.
    #[error("fold {fold} of {folds} has no pairs: {pairs} are too few for so many folds")]
    EmptyFold {
        /// The fold, from 1.
        fold: usize,
        /// How many there are.
        folds: usize,
        /// How many pairs there are.
        pairs: usize,
    },
    /// A pair nobody has judged.
    #[error("pair {0} has no label")]
    NoLabel(usize),
    /// The features cannot be used.
    #[error("the features cannot be used")]
    Rows(#[from] RowError),
    /// A model cannot be fitted.
    #[error("the model cannot be fitted")]
    Fit(#[from] FitError),
    /// A model cannot be used.
    #[error("the fitted model cannot be used")]
    Artifact(#[from] ArtifactError),
}

/// Fits a model to pairs, all with a label, as the pipeline does.
///
/// # Errors
/// A pair has no label, or there is no model ([`ValidParams::fit`]).
pub fn fit<'a>(
    pairs: impl Iterator<Item = &'a Pair> + Clone,
    params: ValidParams,
) -> Result<Artifact, ValidationError> {
    let mut words = Counter::new();
    pairs.clone().for_each(|pair| words.add(pair));
    let vocabulary = words.finish();
    let mut extractor = Extractor::new(&vocabulary);
    let mut dataset = Dataset::new(features::COUNT);
    for (pair, number) in pairs.zip(1..) {
        let label = pair.label.ok_or(ValidationError::NoLabel(number))?;
        dataset.push(label, &extractor.extract(&pair.sentence1, &pair.sentence2))?;
    }
    let fit = params.fit(&dataset)?;
    let positives = dataset.labels().iter().filter(|label| **label).count();
    Ok(Artifact::new(&fit, params.get(), dataset.len() as u64, positives as u64, vocabulary)?)
}

/// Fits a model to some pairs and asks it about others.
///
/// # Errors
/// As [`fit`].
pub fn hold_out(train: &[Pair], test: &[Pair], params: ValidParams) -> Result<Validation, ValidationError> {
    let model = fit(train.iter(), params)?;
    let judged = judge(&model, test.iter(), 0).collect();
    Ok(Validation { models: vec![model], judged })
}

/// Deals the pairs out into folds ([`split::fold`]) and asks about those of each fold a model that was fitted to the
/// others. Uses all cores; the result does not depend on how many there are.
///
/// # Errors
/// There are fewer than two folds, or one is empty; or as [`fit`], for the first fold that fails.
pub fn cross_validate(
    pairs: &[Pair],
    folds: usize,
    seed: u64,
    params: ValidParams,
) -> Result<Validation, ValidationError> {
    let count = NonZero::new(folds).filter(|folds| folds.get() > 1).ok_or(ValidationError::Folds(folds))?;
    let places: Vec<usize> = pairs.iter().map(|pair| split::fold(pair, count, seed)).collect();
    if let Some(empty) = (0..folds).find(|fold| !places.contains(fold)) {
        return Err(ValidationError::EmptyFold { fold: empty + 1, folds, pairs: pairs.len() });
    }
    let of = |is_chosen: fn(usize, usize) -> bool, fold: usize| {
        pairs.iter().zip(&places).filter(move |(_, place)| is_chosen(**place, fold)).map(|(pair, _)| pair)
    };
    let validate = |fold| {
        let model = fit(of(|place, fold| place != fold, fold), params)?;
        let judged: Vec<Judged> = judge(&model, of(|place, fold| place == fold, fold), fold).collect();
        Ok((model, judged.into_iter()))
    };
    let results: Result<Vec<_>, ValidationError> = by_all_cores(folds, validate).into_iter().collect();
    let (models, mut judged): (Vec<_>, Vec<_>) = results?.into_iter().unzip();
    let judged = places.iter().filter_map(|fold| judged[*fold].next()).collect();
    Ok(Validation { models, judged })
}

fn judge<'a>(model: &Artifact, pairs: impl Iterator<Item = &'a Pair>, fold: usize) -> impl Iterator<Item = Judged> {
    let mut extractor = Extractor::new(&model.vocabulary);
    pairs.map(move |pair| {
        let probability = model.predict(&extractor.extract(&pair.sentence1, &pair.sentence2)).probability;
        Judged { fold, probability }
    })
}

/// The results of work on the numbers below `count`, in their order.
fn by_all_cores<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let numbers =
            std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < count));
        numbers.map(|number| (number, work(number))).collect::<Vec<_>>()
    };
    let mut results: Vec<_> = thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let workers: Vec<_> = (1..cores.min(count)).map(|_| scope.spawn(worker)).collect();
        let own = worker();
        let others = workers.into_iter().map(|worker| match worker.join() {
            Ok(results) => results,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        others.chain([own]).flatten().collect()
    });
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}
