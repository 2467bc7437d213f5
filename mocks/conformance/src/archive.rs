//! A model that an endpoint can serve: the real one, fitted to a sample.

use std::io::Write;

use anyhow::Context;
use sts_model::artifact::{self, Artifact};
use sts_model::logistic::Params;
use sts_model::rows::Dataset;
use sts_model::vocabulary::Counter;
use sts_model::{features, sample};

/// A `model.tar.gz`.
pub(crate) fn model() -> anyhow::Result<Vec<u8>> {
    let pairs = sample::pairs(200);
    let mut words = Counter::new();
    pairs.iter().for_each(|pair| words.add(pair));
    let vocabulary = words.finish();
    let mut dataset = Dataset::new(features::COUNT);
    for pair in &pairs {
        let features = features::extract(&pair.sentence1, &pair.sentence2, &vocabulary);
        dataset.push(pair.label.context("the sample is labelled")?, &features)?;
    }
    let params = Params::default();
    let fit = params.check()?.fit(&dataset)?;
    let positives = dataset.labels().iter().filter(|label| **label).count() as u64;
    let fitted = Artifact::new(&fit, params, dataset.len() as u64, positives, vocabulary)?;
    packed(artifact::FILE_NAME, fitted.to_json().as_bytes())
}

/// A row of features, as the model takes them.
pub(crate) fn row() -> String {
    let features = features::extract("the cat sat on the mat", "a cat sat on a mat", &Counter::new().finish());
    features.iter().map(f64::to_string).collect::<Vec<_>>().join(",")
}

fn packed(name: &str, content: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, name, content)?;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&tar.into_inner()?)?;
    Ok(gzip.finish()?)
}
