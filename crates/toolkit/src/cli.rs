//! What was typed. Resolving it into settings is the business of [`crate::settings`].

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::output::Format;
use crate::settings::Flags;

/// The developer toolkit for an ML pipeline on AWS SageMaker, and for the same pipeline with no AWS at all.
#[derive(Debug, Parser)]
#[command(name = "stsmm", bin_name = "cargo xtask", disable_help_subcommand = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done; 1 a check or an operation failed; 2 usage or settings; 3 could not verify; \
                        4 the monitor found violations; 130 interrupted."
)]
pub struct Cli {
    /// The flags that every verb takes.
    #[command(flatten)]
    pub globals: Globals,
    /// The verb.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The flags that every verb takes.
#[derive(Debug, Args)]
pub struct Globals {
    /// Work against the fake of AWS that comes with the toolkit: no account, no network
    #[arg(long, global = true)]
    pub offline: bool,
    /// Keep the fake's state in this folder [env: STSMM_STATE_DIR] [default: .stsmm/offline]
    #[arg(long, global = true, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// A map of container images to programs of this machine, by which the fake runs other people's steps
    /// [env: STSMM_IMAGES]
    #[arg(long, global = true, value_name = "FILE")]
    pub images: Option<PathBuf>,
    /// The account that the fake starts as [default: ready]
    #[arg(long, global = true, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Make the fake verify signatures and authorise every call, as AWS does; its state remembers it
    #[arg(long, global = true)]
    pub enforce_iam: bool,
    /// Make the fake want images to be in its ECR before they can be run, as AWS does: `image push` brings one there
    #[arg(long, global = true)]
    pub strict_images: bool,
    /// Work as whoever calls, instead of as AWS_ROLE
    #[arg(long, global = true)]
    pub as_caller: bool,
    /// The form of what is printed on stdout
    #[arg(long, global = true, value_enum, default_value_t)]
    pub output: Format,
    /// Say more: request ids, identities, and what RUST_LOG asks for
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// The settings.
    #[command(flatten)]
    pub settings: Flags,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// The whole journey, offline, on the sample that comes with the project
    Demo,
    /// Whether this account, this role and this machine will do, and if not, what to change
    Doctor(Doctor),
    /// The effective settings, each with its origin
    Config,
    /// The IAM policies that these settings need, with nothing to spare; or what one of yours lacks
    Policies(Policies),
    /// The bucket and the model package group
    Bootstrap(Dry),
    /// Uploads the input, creates or updates the pipeline, starts it and watches it
    Run(Run),
    /// The pipeline's definition
    #[command(subcommand)]
    Pipeline(Pipeline),
    /// Follows an execution to its end
    Watch(Execution),
    /// Stops an execution
    Stop(Execution),
    /// Runs again what failed in an execution, under the same ARN
    Retry(Execution),
    /// What a step of an execution printed
    Logs(Logs),
    /// Puts the newest approved package behind the endpoint, and captures what it is asked
    Deploy(Deploy),
    /// Sends rows of the package's test part to the endpoint
    Traffic(Traffic),
    /// Labels what was captured, where the monitor looks for it
    GroundTruth(GroundTruth),
    /// Watches the quality of what the endpoint answers
    #[command(subcommand)]
    Monitor(Monitor),
    /// The container image of the steps, on its way to a registry
    #[command(subcommand)]
    Image(Image),
    /// Removes what was created: says first what that is, and afterwards what is left
    Cleanup(Cleanup),
    /// Fits and judges the model on this machine: no pipeline, no AWS
    #[command(subcommand)]
    Model(Model),
    /// The container's programs, which the fake runs as steps
    #[command(hide = true, disable_help_flag = true)]
    Container {
        /// What the container's program gets.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

/// `doctor`.
#[derive(Debug, Clone, Args)]
pub struct Doctor {
    /// Also write an object to the bucket, read it and remove it
    #[arg(long)]
    pub probe: bool,
    /// Check only these, and what they depend on; `permissions` means all that begin so
    #[arg(long, value_name = "ID,...", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Do not check these
    #[arg(long, value_name = "ID,...", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Print the checks, and check nothing
    #[arg(long)]
    pub list: bool,
}

/// `policies`.
#[derive(Debug, Clone, Args)]
pub struct Policies {
    /// Who works with the role: the ARN of a user or a role [default, offline: the scenario's user]
    #[arg(long, value_name = "ARN")]
    pub caller: Option<String>,
    /// Print Terraform instead of JSON
    #[arg(long, conflicts_with = "check")]
    pub terraform: bool,
    /// Say what is wrong with a policy in a file, and what it does not allow
    #[arg(long, value_name = "FILE")]
    pub check: Option<PathBuf>,
    /// Which of the three documents the file should be [default: trust if it reads like one, else role]
    #[arg(long, value_enum, requires = "check")]
    pub document: Option<Document>,
}

/// One of the documents of `policies`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Document {
    /// The caller's policy
    Identity,
    /// The role's trust policy
    Trust,
    /// The role's policy
    Role,
}

/// Whether anything may be changed.
#[derive(Debug, Clone, Copy, Args)]
pub struct Dry {
    /// Print what would be done, and change nothing
    #[arg(long)]
    pub dry: bool,
}

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

/// `deploy`.
#[derive(Debug, Clone, Args)]
pub struct Deploy {
    /// Print what would be done, and change nothing.
    #[command(flatten)]
    pub dry: Dry,
    /// Of the calls, how many in a hundred are captured; 0 for none
    #[arg(long, value_name = "PERCENT", num_args = 0..=1, require_equals = true, default_value_t = 100,
          default_missing_value = "100", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub capture: u8,
    /// An approved version, by the ARN of its package [default: the newest]
    #[arg(long, value_name = "ARN", conflicts_with = "rollback")]
    pub package: Option<String>,
    /// What the endpoint runs on
    #[arg(long, value_name = "TYPE", default_value = "ml.m5.xlarge")]
    pub instance_type: String,
    /// Go back to the version that was served before
    #[arg(long)]
    pub rollback: bool,
    /// Do not ask first whether the role may do all this
    #[arg(long)]
    pub no_preflight: bool,
}

/// `traffic`.
#[derive(Debug, Clone, Args)]
pub struct Traffic {
    /// How many rows; more than there are begin again [default: all of the test part]
    #[arg(long, value_name = "NUMBER")]
    pub rows: Option<usize>,
    /// Requests a second [default: as many as are answered]
    #[arg(long, value_name = "NUMBER", value_parser = rate)]
    pub rate: Option<f64>,
    /// By how many standard deviations the sentences are less alike than they were in training
    #[arg(long, value_name = "NUMBER", default_value_t = 0.0, allow_negative_numbers = true, value_parser = finite)]
    pub drift: f64,
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = finite(text).ok().filter(|rate| (0.001..=1_000_000.0).contains(rate));
    rate.ok_or_else(|| "write a number from 0.001 to 1000000, e.g. 5".to_owned())
}

fn finite(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| "write a number, e.g. 1.5".to_owned())
}

/// `ground-truth`.
#[derive(Debug, Clone, Args)]
pub struct GroundTruth {
    /// Say only how well traffic and labels fit together, and send nothing.
    #[command(flatten)]
    pub dry: Dry,
    /// The share of labels that are wrong, as those of people are
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub noise: f64,
    /// File the labels so many hours after the traffic, as labels that come late
    #[arg(long, value_name = "HOURS", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=8760))]
    pub lag: u16,
    /// What the wrong labels are drawn with
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub seed: u64,
}

fn share(text: &str) -> Result<f64, String> {
    let share = finite(text).ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "write a number from 0 to 1, e.g. 0.05".to_owned())
}

/// `cleanup`.
#[derive(Debug, Clone, Copy, Args)]
pub struct Cleanup {
    /// Print what would be done, and change nothing.
    #[command(flatten)]
    pub dry: Dry,
    /// Do not ask first
    #[arg(long)]
    pub yes: bool,
    /// Also the packages, their group, the pipeline, and the objects under our own prefix
    #[arg(long)]
    pub everything: bool,
}

/// `monitor`.
#[derive(Debug, Clone, Subcommand)]
pub enum Monitor {
    /// Learns what is normal, and looks at every hour from then on
    Setup(MonitorSetup),
    /// The looks so far, and what they found
    Status {
        /// How many of them, newest first
        #[arg(long, value_name = "NUMBER", default_value_t = 24)]
        last: usize,
    },
    /// Looks at the last hours now
    RunNow {
        /// How many hours
        #[arg(long, value_name = "HOURS", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=24))]
        hours: u8,
    },
    /// Why the newest look failed, or why there is none
    Why,
    /// One page about all of it: metrics, violations, and how the features have shifted
    Report {
        /// Where to write it
        #[arg(long, value_name = "FILE", default_value = "monitor-report.html")]
        html: PathBuf,
        /// How many looks, newest first
        #[arg(long, value_name = "NUMBER", default_value_t = 48)]
        last: usize,
    },
    /// Stops looking
    Stop(Dry),
}

/// `monitor setup`.
#[derive(Debug, Clone, Copy, Args)]
pub struct MonitorSetup {
    /// Print what would be done, and change nothing.
    #[command(flatten)]
    pub dry: Dry,
    /// By how many standard deviations an hour may differ from the baseline; 0 is AWS's own suggestion
    #[arg(long, value_name = "NUMBER", default_value_t = TOLERANCE, value_parser = tolerance)]
    pub tolerance: f64,
    /// Do not ask first whether the role may do all this
    #[arg(long)]
    pub no_preflight: bool,
}

/// By how many standard deviations an hour may differ from the baseline, unless somebody says otherwise.
pub const TOLERANCE: f64 = 3.0;

fn tolerance(text: &str) -> Result<f64, String> {
    let tolerance = finite(text).ok().filter(|tolerance| (0.0..=100.0).contains(tolerance));
    tolerance.ok_or_else(|| "write a number from 0 to 100, e.g. 3".to_owned())
}

/// `image`.
#[derive(Debug, Clone, Subcommand)]
pub enum Image {
    /// Pushes an image: what the registry has already is not sent again
    Push(ImagePush),
}

/// `image push`.
#[derive(Debug, Clone, Args)]
pub struct ImagePush {
    /// Print what would be done, and change nothing.
    #[command(flatten)]
    pub dry: Dry,
    /// The image, as `cargo xtask image build` writes it [default, with cargo xtask: it is built]
    #[arg(long, value_name = "FILE")]
    pub archive: PathBuf,
    /// Another registry than the account's ECR, signed in at as Docker's configuration says
    #[arg(long, value_name = "HOST[/NAMESPACE]")]
    pub registry: Option<String>,
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

/// `NAME=VALUE`. The value may be empty and may hold more equals signs.
fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE, e.g. MseThreshold=0.25".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_declaration_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn global_flags_stand_before_or_after_the_verb() {
        for line in [
            "stsmm --offline --region eu-west-2 run --param A=b=c",
            "stsmm run --param A=b=c --region eu-west-2 --offline",
        ] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert!(cli.globals.offline, "{line}");
            assert_eq!(cli.globals.settings.region.as_deref(), Some("eu-west-2"), "{line}");
            let Verb::Run(run) = cli.verb else { panic!("{line}") };
            assert_eq!(run.parameters, [("A".to_owned(), "b=c".to_owned())]);
        }
    }

    #[test]
    fn a_parameter_needs_a_name() {
        for wrong in ["MseThreshold", "=0.3", " =1"] {
            assert!(parameter(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_container_gets_its_arguments_untouched() {
        let cli = Cli::try_parse_from(["stsmm", "container", "train", "--help", "-v"]).unwrap();
        let Verb::Container { arguments } = cli.verb else { panic!("not container") };
        assert_eq!(arguments, ["train", "--help", "-v"]);
    }
}
