//! Why a job fails. The messages are what SageMaker shows as the reason: they begin with what is wrong and where.

use std::{io, net::SocketAddr, num::ParseIntError, path::PathBuf};

use model_monitor::{
    analysis::Unusable,
    constraints::ConstraintsError,
    dataset::{DatasetError, FormatError},
    problem::UnknownProblem,
    records::RecordError,
};
use sts_model::{
    artifact::ArtifactError, logistic::FitError, metrics::MetricsError, pairs::PairError, rows::RowError,
    vocabulary::VocabularyError,
};

/// Why a verb failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{path} cannot be read")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} cannot be written")]
    Write { path: PathBuf, source: io::Error },
    #[error("{path} is not the JSON that SageMaker puts there")]
    Config { path: PathBuf, source: serde_json::Error },
    #[error("resourceconfig.json names the hosts {}, but this one is {current:?}", hosts.join(", "))]
    Host { current: String, hosts: Vec<String> },
    #[error("this step runs on one instance, but got {count}: set its instance count to 1")]
    SeveralInstances { count: usize },
    #[error("the job has no {kind} {name:?}: give it one of that name, with a LocalPath such as {conventional}")]
    NotInJob { kind: &'static str, name: &'static str, conventional: String },
    #[error("the {kind} {name:?} has the LocalPath {path:?}: it must be a folder below /opt/ml/processing/")]
    LocalPath { kind: &'static str, name: String, path: String },
    #[error(
        "the input {name:?} is ShardedByS3Key over {count} instances: each has to see all of it, make it FullyReplicated"
    )]
    Sharded { name: &'static str, count: usize },
    #[error("there is no channel {name:?}: {folder} does not exist")]
    NoChannel { name: &'static str, folder: PathBuf },
    #[error("the channel {name:?} comes in {mode} mode: this program reads File or FastFile mode")]
    ChannelMode { name: &'static str, mode: String },
    #[error("{folder} has no {what}")]
    NoFile { folder: PathBuf, what: String },
    #[error("{folder} has {count} files, expected one")]
    SeveralFiles { folder: PathBuf, count: usize },
    #[error("{path}")]
    Pairs { path: PathBuf, source: PairError },
    #[error("the {part} part would be empty: {pairs} pairs are too few")]
    EmptyPart { part: &'static str, pairs: u64 },
    #[error(
        "all {pairs} pairs of the {part} part have the label {label}: a classifier is made from, and judged by, pairs of both classes"
    )]
    SingleClass { part: &'static str, pairs: u64, label: u8 },
    #[error("{path}")]
    Rows { path: PathBuf, source: RowError },
    #[error("{path}: row {row}: the features are so large that the model has no probability for them")]
    NoProbability { path: PathBuf, row: u64 },
    #[error("{path}")]
    Vocabulary { path: PathBuf, source: VocabularyError },
    #[error("{path}")]
    Model { path: PathBuf, source: ArtifactError },
    #[error("unknown hyperparameter {name:?}: known are {known}")]
    UnknownHyperparameter { name: String, known: String },
    #[error("hyperparameter {name} is {value:?}: it must be {expected}")]
    Hyperparameter { name: &'static str, value: String, expected: &'static str },
    #[error("the model cannot be fitted")]
    Fit(#[from] FitError),
    #[error("the fitted model cannot be used")]
    Artifact(#[source] ArtifactError),
    #[error("the predictions cannot be judged")]
    Metrics(#[from] MetricsError),
    #[error("the environment has no {name}: a monitoring job needs it")]
    NoVariable { name: &'static str },
    #[error("{name} is {value:?}: it must be {expected}")]
    Variable { name: &'static str, value: String, expected: &'static str },
    #[error(
        "{name} is set, but this program runs no scripts of yours: make the rows what the monitor reads beforehand"
    )]
    Script { name: &'static str },
    #[error("analysis_type is {found:?}: this program analyses MODEL_QUALITY, and DATA_QUALITY where there is none")]
    AnalysisType { found: String },
    #[error(transparent)]
    ProblemType(#[from] UnknownProblem),
    #[error(transparent)]
    DatasetFormat(#[from] FormatError),
    #[error("{path} is not what the monitor writes there")]
    Baseline { path: PathBuf, source: serde_json::Error },
    #[error("Job inputs had no data: {folder} has no file")]
    NoData { folder: PathBuf },
    #[error("Job inputs had no data: no captured record has a label: {report}")]
    NothingMerged { report: String },
    #[error("Job inputs had no data: {folder} has no rows")]
    NoRows { folder: PathBuf },
    #[error("Job inputs had no data that can be used: all {rows} rows are like {path}, line {line}")]
    NoUsableRows { rows: u64, path: PathBuf, line: u64, source: Box<Unusable> },
    #[error("{path}")]
    Record { path: PathBuf, source: RecordError },
    #[error("{path}")]
    Dataset { path: PathBuf, source: DatasetError },
    #[error("{path}")]
    Constraints { path: PathBuf, source: ConstraintsError },
    #[error("SAGEMAKER_BIND_TO_PORT is \"{port}\", which is no port")]
    Port { port: String, source: ParseIntError },
    #[error("cannot listen on {address}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("the program's runtime cannot be started")]
    Runtime(#[source] io::Error),
    #[error("stopped by SIGTERM")]
    Stopped,
    #[error("the program is broken; its log says where")]
    Panicked,
}

/// An error and all that caused it, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
