//! The fake as a program of its own: an endpoint for any AWS client, and the verbs that steer it.

mod verbs;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// A stateful fake of SageMaker, S3, AWS STS, IAM and CloudWatch that really runs pipelines
#[derive(Parser)]
#[command(name = "sagemaker-fake", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    /// How results are written to stdout
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Subcommand)]
enum Verb {
    /// Serves an account until it is interrupted
    Serve(verbs::serve::Serve),
    /// Moves the account's clock forward: what is due in between happens
    Advance(verbs::advance::Advance),
    /// Says what is in the account
    State(verbs::state::State),
    /// Says which scenario the account began as, or begins again as another one
    Scenario(verbs::scenario::Scenario),
    /// Begins again: the account is as its scenario began
    Reset(verbs::scenario::Reset),
    /// Says what goes wrong on request, and changes that
    Faults(verbs::faults::Faults),
    /// Prints the state as one JSON document, or writes the whole account into a file
    Export(verbs::transfer::Export),
    /// Takes the account over that was exported into a file, in place of the one that is there
    Import(verbs::transfer::Import),
    /// Runs what is inside our container image, as the fake does for a job
    #[command(hide = true, disable_help_flag = true)]
    Container {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    Text,
    /// One JSON document
    Json,
}

fn main() -> ExitCode {
    let Cli { verb, output } = Cli::parse();
    let done = match verb {
        Verb::Serve(serve) => serve.run(output),
        Verb::Advance(advance) => advance.run(output),
        Verb::State(state) => state.run(output),
        Verb::Scenario(scenario) => scenario.run(output),
        Verb::Reset(reset) => reset.run(output),
        Verb::Faults(faults) => faults.run(output),
        Verb::Export(export) => export.run(output),
        Verb::Import(import) => import.run(output),
        Verb::Container { arguments } => return sts_container::run(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
