//! Paraphrase identification, from sentence pairs to a model artefact. No file, no network: bytes come in through
//! `BufRead`, values and bytes go out.
//!
//! The modules in the order in which data passes through them:
//!
//! | module | from | to |
//! |---|---|---|
//! | [`pairs`] | TSV with a header | [`pairs::Pair`] |
//! | [`split`] | a pair | [`split::Part`]: train, validation or test; the shard of several instances |
//! | [`vocabulary`] | the pairs of the train part | [`vocabulary::Vocabulary`]: how many sentences contain each word |
//! | [`features`] | two sentences and a vocabulary | `[f64; features::COUNT]`, in training and in serving |
//! | [`rows`] | features | the CSV rows between the steps, and back; [`rows::Dataset`] |
//! | [`logistic`] | a data set | [`logistic::Model`], fitted to its exact optimum |
//! | [`metrics`] | labels and probabilities | [`metrics::Evaluation`]: `evaluation.json` in SageMaker's format |
//! | [`quality`] | the same | [`quality::Quality`]: the figures with confidence intervals, and calibration |
//! | [`artifact`] | model and vocabulary | `model.json`, `model.tar.gz`, and back |
//! | [`validation`] | pairs | [`validation::Validation`]: what models say of pairs they were not fitted to |
//! | [`sample`] | a number | as many generated sentence pairs, always the same |

pub mod artifact;
pub mod features;
pub mod logistic;
pub mod metrics;
pub mod pairs;
pub mod quality;
pub mod rows;
pub mod sample;
pub mod split;
pub mod validation;
pub mod vocabulary;

mod random;
mod text;
