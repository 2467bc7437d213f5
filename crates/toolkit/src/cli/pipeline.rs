//! What was typed of the pipeline and its executions.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Dry;

/// `run`.
#[derive(Debug, Clone, Args)]
pub struct Run {
    /// Print what would be done, and change nothing.
    #[command(flatten)]
    pub dry: Dry,
    /// A parameter of the pipeline; may be given several times
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<(String, String)>,
    /// Sentence pairs: a tab-separated file, or an object or prefix in S3 [default: the embedded sample]
    #[arg(long, value_name = "FILE|s3://...")]
    pub input: Option<String>,
    /// Run these steps only, with what an earlier execution left of the others
    #[arg(long, value_name = "STEP,...", value_delimiter = ',', conflicts_with = "explain_cache")]
    pub only: Vec<String>,
    /// The execution that --only goes on from, by ARN or id; its parameters hold unless given [default: the newest
    /// that has what the steps need]
    #[arg(long, value_name = "EXECUTION", requires = "only")]
    pub from: Option<String>,
    /// Start the execution and leave it alone
    #[arg(long)]
    pub detach: bool,
    /// Do not ask first whether the image is there and the role may do all this
    #[arg(long)]
    pub no_preflight: bool,
    /// Say first which jobs will be taken over from an earlier execution, and why the others have to run
    #[arg(long)]
    pub explain_cache: bool,
}

/// `pipeline`.
#[derive(Debug, Clone, Subcommand)]
pub enum Pipeline {
    /// Prints the definition, as it would be sent
    Show(Version),
    /// Says what is wrong in a definition, and where
    Lint(Definition),
    /// Compares a definition, its role and its tags with what is deployed
    Diff {
        /// What to compare.
        #[command(flatten)]
        definition: Definition,
        /// With what to compare.
        #[command(flatten)]
        version: Version,
    },
    /// Lists the definitions that the deployed pipeline has had, newest first
    Versions,
    /// Draws the steps and what they wait for
    Graph {
        /// What to draw.
        #[command(flatten)]
        definition: Definition,
        /// The form of the drawing
        #[arg(long, value_enum, default_value_t)]
        format: Drawing,
    },
}

/// A pipeline definition.
#[derive(Debug, Clone, Args)]
pub struct Definition {
    /// A definition in a file [default: the one that `run` would send]
    #[arg(long)]
    pub file: Option<PathBuf>,
}

/// A version of the deployed pipeline.
#[derive(Debug, Clone, Copy, Args)]
pub struct Version {
    /// A definition that the deployed pipeline has had, by its number
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i64).range(1..))]
    pub version: Option<i64>,
}

/// The form of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Drawing {
    /// For a terminal
    #[default]
    Text,
    /// A Mermaid flowchart
    Mermaid,
    /// A Graphviz digraph
    Dot,
}

/// An execution of the pipeline.
#[derive(Debug, Clone, Args)]
pub struct Execution {
    /// Its ARN or its id [default: the latest]
    pub execution: Option<String>,
}

/// `logs`.
#[derive(Debug, Clone, Args)]
pub struct Logs {
    /// The step, e.g. TrainSTSModel
    pub step: String,
    /// The execution's ARN or id [default: the latest]
    #[arg(long, value_name = "EXECUTION")]
    pub execution: Option<String>,
}

/// `NAME=VALUE`. The value may be empty and may hold more equals signs.
fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE, e.g. MseThreshold=0.25".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_needs_a_name() {
        for wrong in ["MseThreshold", "=0.3", " =1"] {
            assert!(parameter(wrong).is_err(), "{wrong}");
        }
    }
}
