//! Models are asked about pairs that they do not know, and nothing else tells them.

use std::num::NonZero;

use sts_model::{
    features::Extractor,
    logistic::{FitError, Params, ValidParams},
    pairs::Pair,
    sample, split,
    validation::{self, ValidationError},
};

const FOLDS: usize = 4;

fn params() -> ValidParams {
    Params::default().check().unwrap()
}

#[test]
fn every_pair_is_judged_by_a_model_of_the_other_folds() {
    let pairs = sample::pairs(300);
    let validation = validation::cross_validate(&pairs, FOLDS, 3, params()).unwrap();
    assert_eq!((validation.models.len(), validation.judged.len()), (FOLDS, pairs.len()));
    for (pair, judged) in pairs.iter().zip(&validation.judged) {
        assert_eq!(judged.fold, split::fold(pair, NonZero::new(FOLDS).unwrap(), 3));
        let model = &validation.models[judged.fold];
        assert_eq!(judged.probability, model.predict_pair(&pair.sentence1, &pair.sentence2).probability);
    }
    for (fold, model) in validation.models.iter().enumerate() {
        let others = pairs.iter().zip(&validation.judged).filter(|(_, judged)| judged.fold != fold);
        let others: Vec<&Pair> = others.map(|(pair, _)| pair).collect();
        assert!(*model == validation::fit(others.iter().copied(), params()).unwrap());
        // Words, too, were counted in these alone.
        assert_eq!(model.vocabulary.sentences(), 2 * others.len() as u64);
        assert_eq!(model.training.rows, others.len() as u64);
    }
}

#[test]
fn the_order_of_the_pairs_does_not_matter() {
    let mut pairs = sample::pairs(200);
    let before = validation::cross_validate(&pairs, FOLDS, 0, params()).unwrap();
    pairs.reverse();
    let after = validation::cross_validate(&pairs, FOLDS, 0, params()).unwrap();
    for (judged, again) in before.judged.iter().zip(after.judged.iter().rev()) {
        assert_eq!(judged.fold, again.fold);
        // Sums in another order round in another way.
        assert!((judged.probability - again.probability).abs() < 1e-9);
    }
}

#[test]
fn a_test_set_is_judged_by_one_model() {
    let pairs = sample::pairs(300);
    let (train, test) = pairs.split_at(200);
    let validation = validation::hold_out(train, test, params()).unwrap();
    let [model] = &validation.models[..] else { panic!("{} models", validation.models.len()) };
    let mut extractor = Extractor::new(&model.vocabulary);
    for (pair, judged) in test.iter().zip(&validation.judged) {
        let expected = model.predict(&extractor.extract(&pair.sentence1, &pair.sentence2)).probability;
        assert_eq!((judged.fold, judged.probability), (0, expected));
    }
}

#[test]
fn what_cannot_be_validated_is_refused() {
    let pairs = sample::pairs(20);
    let validate = |pairs: &[Pair], folds| validation::cross_validate(pairs, folds, 0, params()).unwrap_err();
    for folds in [0, 1] {
        assert!(matches!(validate(&pairs, folds), ValidationError::Folds(count) if count == folds));
    }
    assert!(matches!(validate(&pairs, 1000), ValidationError::EmptyFold { folds: 1000, pairs: 20, .. }));
    let mut same = pairs.clone();
    same.iter_mut().for_each(|pair| pair.label = Some(true));
    assert!(matches!(validate(&same, 2), ValidationError::Fit(FitError::SingleClass { label: 1, .. })));
    let mut unjudged = pairs;
    unjudged[4].label = None;
    let error = validation::hold_out(&unjudged, &same, params()).unwrap_err();
    assert_eq!(error.to_string(), "pair 5 has no label");
}
