//! `preprocess` from start to end, the process included: as many pairs as the Microsoft Research corpus has.

use std::{
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use criterion::{Criterion, Throughput};
use sts_model::sample;

const PAIRS: usize = 5801;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    benches(&mut criterion);
    criterion.final_summary();
}

fn benches(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let input = folder.path().join("processing/input");
    fs::create_dir_all(&input).expect("a folder in it");
    fs::write(input.join("pairs.tsv"), sample::tsv(&sample::pairs(PAIRS))).expect("a file in that");

    let mut group = criterion.benchmark_group("preprocess");
    group.sample_size(20).measurement_time(Duration::from_secs(5)).throughput(Throughput::Elements(PAIRS as u64));
    group.bench_function("5801 pairs", |b| {
        b.iter(|| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_sts-container"));
            command.arg("preprocess").env("STSMM_OPT_ML", folder.path()).stdout(Stdio::null());
            assert!(command.status().expect("the program runs").success());
        });
    });
    group.finish();
}
