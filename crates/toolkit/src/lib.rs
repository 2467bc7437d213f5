//! The verbs: the only crate that speaks to AWS.
//!
//! Flags, environment and `.env` become [`settings`]; a verb opens an [`aws::Session`], observes what exists, makes a
//! [`plan::Plan`], and prints or executes that same value. Offline, one thing differs: the endpoint.

pub mod cli;
pub mod verbs;

pub mod names;
pub mod settings;
pub mod site;

pub mod cost;
pub mod deployment;
pub mod doctor;
pub mod drift;
pub mod execute;
pub mod execution;
pub mod explain;
pub mod observe;
pub mod pipeline;
pub mod plan;
pub mod plans;
pub mod progress;
pub mod registry;
pub mod report;
pub mod selective;
pub mod test_set;
pub mod watch;

pub mod charts;
pub mod html;
pub mod monitor;

pub mod aws;
pub mod offline;

pub mod error;
pub mod output;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Verb};
use error::{Failure, Kind};

/// Does what the arguments say, tells stderr what went wrong, and says it with the exit code.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and versions come this way too, with code 0. There is nobody to tell that they cannot be printed.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    if let Verb::Container { arguments } = cli.verb {
        return sts_container::run(arguments);
    }
    let verbose = cli.globals.verbose;
    if verbose {
        log_to_stderr();
    }
    let done = tokio::select! {
        done = verbs::dispatch(cli) => done,
        () = interrupted() => Err(Failure::new(Kind::Interrupted, "interrupted")
            .hint("an execution that was started goes on: `cargo xtask watch` follows it")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.kind() != Kind::BrokenPipe {
                output::to_stderr(failure.report(verbose));
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

/// What the SDK and the fake log: warnings, or what `RUST_LOG` asks for.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

/// Waits for Ctrl-C; forever where nobody can tell us.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
