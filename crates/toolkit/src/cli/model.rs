//! What was typed of the model on this machine.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `model`.
#[derive(Debug, Clone, Subcommand)]
pub enum Model {
    /// Fits the model as the pipeline would, and judges it by pairs that it was not fitted to
    Evaluate(Evaluate),
    /// The features: name, what it measures, source
    Features,
}

/// `model evaluate`.
#[derive(Debug, Clone, Args)]
pub struct Evaluate {
    /// Judged sentence pairs: a tab-separated file with a header
    #[arg(long, value_name = "FILE")]
    pub train: PathBuf,
    /// Pairs of the same kind to judge the model by [default: cross-validation]
    #[arg(long, value_name = "FILE")]
    pub test: Option<PathBuf>,
    /// The folds of the cross-validation
    #[arg(long, value_name = "NUMBER", default_value_t = 10, conflicts_with = "test")]
    pub folds: usize,
    /// What the folds, and the samples behind the confidence intervals, are drawn with
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub seed: u64,
    /// The strength of the penalty on the coefficients
    #[arg(long, value_name = "NUMBER", default_value_t = 1.0)]
    pub l2: f64,
    /// The probability above which a pair counts as a paraphrase
    #[arg(long, value_name = "PROBABILITY", default_value_t = sts_model::artifact::THRESHOLD, value_parser = threshold)]
    pub threshold: f64,
    /// Write a page with ROC, calibration and the most confident errors
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write the rows of each fold and the predictions, to compare with other programs
    #[arg(long, value_name = "DIR")]
    pub export: Option<PathBuf>,
}

fn threshold(text: &str) -> Result<f64, String> {
    let threshold = text.parse().ok().filter(|threshold| (0.0..1.0).contains(threshold));
    threshold.ok_or_else(|| "write a number from 0 to below 1, e.g. 0.5".to_owned())
}
