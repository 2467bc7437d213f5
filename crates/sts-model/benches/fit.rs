//! A fit to 4,000 pairs, and a prediction.

use criterion::Criterion;
use sts_model::{
    features::{self, Extractor},
    logistic::Params,
    rows::Dataset,
    sample,
    vocabulary::Counter,
};

const PAIRS: usize = 4000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    benches(&mut criterion);
    criterion.final_summary();
}

fn benches(criterion: &mut Criterion) {
    let pairs = sample::pairs(PAIRS);
    let mut counter = Counter::new();
    pairs.iter().for_each(|pair| counter.add(pair));
    let vocabulary = counter.finish();
    let mut extractor = Extractor::new(&vocabulary);
    let mut dataset = Dataset::new(features::COUNT);
    for pair in &pairs {
        let features = extractor.extract(&pair.sentence1, &pair.sentence2);
        dataset.push(pair.label == Some(true), &features).expect("features are finite");
    }
    let params = Params::default().check().expect("the defaults can be used");
    let model = params.fit(&dataset).expect("the sample has both labels").model;

    let mut group = criterion.benchmark_group("fit");
    group.sample_size(10);
    group.bench_function("4000 rows", |b| b.iter(|| params.fit(&dataset)));
    group.bench_function("predict a row", |b| {
        let row = dataset.features().next().expect("there are rows");
        b.iter(|| model.probability(std::hint::black_box(row)));
    });
    group.finish();
}
