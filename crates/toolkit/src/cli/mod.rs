//! What was typed. Resolving it into settings is the business of [`crate::settings`].

mod model;
mod pipeline;
mod serving;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::model::{Evaluate, Model};
pub use self::pipeline::{Definition, Drawing, Execution, Logs, Pipeline, Run, Version};
pub use self::serving::{Deploy, GroundTruth, Monitor, MonitorSetup, TOLERANCE, Traffic};
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
    fn the_container_gets_its_arguments_untouched() {
        let cli = Cli::try_parse_from(["stsmm", "container", "train", "--help", "-v"]).unwrap();
        let Verb::Container { arguments } = cli.verb else { panic!("not container") };
        assert_eq!(arguments, ["train", "--help", "-v"]);
    }
}
