//! A model that an endpoint can serve: the real one, fitted to a sample.

use sts_model::vocabulary::Counter;
use sts_model::{features, sample};

/// A `model.tar.gz`.
pub(crate) fn archive() -> Vec<u8> {
    sample::model(200).to_tar_gz()
}

/// A row of features, as the model takes them.
pub(crate) fn row() -> String {
    let features = features::extract("the cat sat on the mat", "a cat sat on a mat", &Counter::new().finish());
    features.iter().map(f64::to_string).collect::<Vec<_>>().join(",")
}
