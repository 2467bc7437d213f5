//! Every verb of `cargo xtask`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The developer toolkit for an ML pipeline on AWS SageMaker, and for the same pipeline with no AWS at all.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
#[command(
    after_help = "Every verb of the pipeline works offline too: add `--offline`. `cargo xtask VERB --help` says more."
)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
}

/// Declares the verbs that are forwarded as they were typed, so that each is listed here with one line of help while
/// its flags are declared once, where it lives.
macro_rules! verbs {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        #[derive(Subcommand)]
        pub enum Verb {
            $(
                $(#[doc = $doc])+
                #[command(name = $name, disable_help_flag = true)]
                $variant {
                    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
                    arguments: Vec<OsString>,
                },
            )+
            /// The fake as a server for any AWS client, and its state
            #[command(disable_help_flag = true)]
            Mock {
                #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
                arguments: Vec<OsString>,
            },
            /// The conformance suite against a real account: never unasked
            #[command(disable_help_flag = true)]
            LiveTests {
                #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
                arguments: Vec<OsString>,
            },
            /// The container image of the steps, made without Docker
            Image(Image),
            /// Everything that CI runs
            Ci(Ci),
            /// Other people's clients on the fake: boto3, the aws command line, the SageMaker Python SDK, Skopeo, Terraform
            Clients(Clients),
            /// How fast the model and its container are, beside how fast they should be
            Bench,
            /// Makes the tables under mocks/api from AWS's service models; for developers, when those have changed
            ApiConstraints(ApiConstraints),
        }

        impl Verb {
            /// The arguments for the toolkit, verb first; nothing for a verb that is not the toolkit's.
            pub fn forwarded(self) -> Option<Vec<OsString>> {
                match self {
                    $(Verb::$variant { arguments } => Some([OsString::from($name)].into_iter().chain(arguments).collect()),)+
                    Verb::Mock { .. }
                    | Verb::LiveTests { .. }
                    | Verb::Image(_)
                    | Verb::Ci(_)
                    | Verb::Clients(_)
                    | Verb::Bench
                    | Verb::ApiConstraints(_) => None,
                }
            }
        }
    };
}

verbs! {
    /// The whole journey, offline, on the sample that comes with the project
    Demo = "demo",
    /// Whether this account, this role and this machine will do, and if not, what to change
    Doctor = "doctor",
    /// The effective settings, each with its origin
    Config = "config",
    /// The IAM policies that the settings need, and what one of yours lacks
    Policies = "policies",
    /// The bucket and the model package group
    Bootstrap = "bootstrap",
    /// Uploads the input, creates or updates the pipeline, starts it and watches it
    Run = "run",
    /// The pipeline's definition
    Pipeline = "pipeline",
    /// Follows an execution to its end
    Watch = "watch",
    /// Stops an execution
    Stop = "stop",
    /// Runs again what failed in an execution, under the same ARN
    Retry = "retry",
    /// What a step of an execution printed
    Logs = "logs",
    /// Puts the newest approved package behind the endpoint, and captures what it is asked
    Deploy = "deploy",
    /// Sends rows of the package's test part to the endpoint
    Traffic = "traffic",
    /// Labels what was captured, where the monitor looks for it
    GroundTruth = "ground-truth",
    /// Watches the quality of what the endpoint answers
    Monitor = "monitor",
    /// Removes what was created: says first what that is, and afterwards what is left
    Cleanup = "cleanup",
    /// Fits and judges the model on this machine: no pipeline, no AWS
    Model = "model",
}

/// The container image of the steps.
#[derive(Args)]
pub struct Image {
    #[command(subcommand)]
    pub verb: ImageVerb,
}

#[derive(Subcommand)]
pub enum ImageVerb {
    /// Builds the program and makes its image: an archive that `docker load` takes too
    Build(ImageBuild),
    /// Runs the image's own program through all steps, alone, and compares it with the one that the fake runs
    Check(ImageCheck),
    /// Pushes it to the account's ECR, or to another registry: builds it first, unless an archive is given
    #[command(disable_help_flag = true)]
    Push {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
        arguments: Vec<OsString>,
    },
}

/// How the image is built.
#[derive(Args)]
pub struct ImageBuild {
    /// The archive to write [default: target/image/sts-container-TAG.tar]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Which image is tried.
#[derive(Args)]
pub struct ImageCheck {
    /// An archive that `image build` wrote [default: the one that it writes now]
    #[arg(value_name = "FILE")]
    pub archive: Option<PathBuf>,
}

/// Everything that CI runs, or some of it.
#[derive(Args)]
pub struct Ci {
    /// The checks to run; all of them unless named
    pub checks: Vec<Check>,
}

/// Which clients are tried, and what happens where one of them is not there.
#[derive(Args)]
pub struct Clients {
    /// The clients; all of them unless named
    pub clients: Vec<Client>,
    /// Fail where a client cannot be had, instead of skipping it
    #[arg(long)]
    pub require: bool,
}

/// A client of AWS's that is not ours.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Client {
    /// The AWS SDK for Python
    Boto3,
    /// The aws command line
    Cli,
    /// The SageMaker Python SDK
    Sdk,
    /// Scripts in scikit-learn's image, by the SageMaker Python SDK
    Scripts,
    /// Skopeo, on the registry behind ECR
    Skopeo,
    /// Terraform with its AWS provider
    Terraform,
}

/// Where AWS's service models are.
#[derive(Args)]
pub struct ApiConstraints {
    /// The `data` folder of the botocore package
    pub botocore_data: PathBuf,
}

/// One check of CI.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Check {
    /// The formatting
    Fmt,
    /// The lints, warnings as errors
    Clippy,
    /// The invariants of the workspace that no compiler checks
    Workspace,
    /// The documentation, warnings as errors
    Doc,
    /// The tests
    Test,
    /// The container image: its own program, run as SageMaker would
    Image,
}
