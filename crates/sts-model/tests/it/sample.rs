//! The generated sample: it is what is committed, and as hard as it should be.

use std::collections::HashSet;

use sts_model::{
    features, logistic, metrics,
    pairs::{Labels, Pair, Reader},
    rows::Dataset,
    sample,
    split::Part,
    vocabulary::Counter,
};

const COMMITTED: &str = include_str!("../../../../mocks/data/pairs.tsv");

#[test]
fn the_committed_sample_is_the_generated_one() {
    // To write it anew after a change of the generator: print `sample::tsv(&sample::pairs(sample::SIZE))`.
    assert!(sample::tsv(&sample::pairs(sample::SIZE)) == COMMITTED, "mocks/data/pairs.tsv is not the generated sample");
}

#[test]
fn reads_back() {
    let read: Vec<Pair> = Reader::new(COMMITTED.as_bytes(), Labels::Required).unwrap().map(Result::unwrap).collect();
    assert!(read == sample::pairs(sample::SIZE));
}

#[test]
fn fewer_pairs_are_the_first_ones() {
    assert_eq!(sample::pairs(20), sample::pairs(50)[..20]);
}

#[test]
fn no_pair_occurs_twice_or_is_twice_the_same_sentence() {
    let pairs = sample::pairs(sample::SIZE);
    let distinct: HashSet<_> = pairs.iter().map(|pair| (&pair.sentence1, &pair.sentence2)).collect();
    assert_eq!(distinct.len(), pairs.len());
    for pair in &pairs {
        assert_ne!(pair.sentence1, pair.sentence2);
        assert!(!pair.sentence1.contains(['{', '[', '<', '|']), "{}", pair.sentence1);
        assert!(!pair.sentence1.starts_with(char::is_lowercase) && pair.sentence1.ends_with('.'), "{}", pair.sentence1);
    }
}

#[test]
fn a_model_is_better_than_the_majority_and_not_perfect() {
    let pairs = sample::pairs(sample::SIZE);
    let part = |wanted| pairs.iter().filter(move |pair| Part::of(pair) == wanted);
    let mut counter = Counter::new();
    part(Part::Train).for_each(|pair| counter.add(pair));
    let vocabulary = counter.finish();
    let row = |pair: &Pair| (pair.label.unwrap(), features::extract(&pair.sentence1, &pair.sentence2, &vocabulary));
    let mut train = Dataset::new(features::COUNT);
    for (label, features) in part(Part::Train).map(row) {
        train.push(label, &features).unwrap();
    }
    let fit = logistic::Params::default().check().unwrap().fit(&train).unwrap();
    assert!(fit.gradient_norm < 1e-10);
    let (labels, probabilities): (Vec<bool>, Vec<f64>) =
        part(Part::Test).map(row).map(|(label, features)| (label, fit.model.probability(&features))).unzip();
    let evaluation = metrics::evaluate(&labels, &probabilities, 0.5).unwrap();
    let majority = evaluation.binary_classification_metrics.accuracy_best_constant_classifier.value;
    let accuracy = evaluation.binary_classification_metrics.accuracy.value;
    assert!((0.55..0.65).contains(&majority), "{majority}");
    assert!((0.80..0.92).contains(&accuracy), "{accuracy}");
}
