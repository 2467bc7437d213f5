//! Features of a pair, and the counting of words: what preprocessing spends its time on.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use sts_model::{
    features::{self, COUNT, Extractor},
    rows, sample,
    vocabulary::Counter,
};

const PAIRS: usize = 1000;

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

    let mut group = criterion.benchmark_group("features");
    group.throughput(Throughput::Elements(PAIRS as u64));
    group.bench_function("count words", |b| {
        b.iter(|| {
            let mut counter = Counter::new();
            pairs.iter().for_each(|pair| counter.add(black_box(pair)));
            counter
        });
    });
    group.bench_function("extract", |b| {
        let mut extractor = Extractor::new(&vocabulary);
        b.iter(|| pairs.iter().map(|pair| extractor.extract(&pair.sentence1, &pair.sentence2)[COUNT - 1]).sum::<f64>());
    });
    group.bench_function("write rows", |b| {
        let all: Vec<_> =
            pairs.iter().map(|pair| features::extract(&pair.sentence1, &pair.sentence2, &vocabulary)).collect();
        let mut text = String::new();
        b.iter(|| {
            text.clear();
            all.iter().for_each(|features| rows::write_labelled(&mut text, true, features));
            text.len()
        });
    });
    group.finish();
}
