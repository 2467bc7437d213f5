//! `cargo xtask VERB`: the front door.
//!
//! Verbs that speak to AWS belong to the `stsmm` binary of `crates/toolkit`, the `mock` verbs to the binary of
//! `mocks/sagemaker-fake`. They are listed here and forwarded, arguments and exit codes unchanged, so that this crate
//! builds in seconds and nobody pays for an AWS SDK who does not use it.

mod api_constraints;
mod bench;
mod cargo;
mod ci;
mod clients;
mod flags;
mod forward;
mod image;

use std::process::ExitCode;

use clap::Parser;
use xshell::Shell;

use flags::{Cli, ImageVerb, Verb};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    // Global flags of the toolkit may stand before its verb: `cargo xtask --offline run`.
    let toolkit_first = arguments.first().is_some_and(|first| {
        let first = first.to_string_lossy();
        first.starts_with("--") && first != "--help" && first != "--version"
    });
    match run(toolkit_first, arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(toolkit_first: bool, arguments: Vec<std::ffi::OsString>) -> anyhow::Result<ExitCode> {
    let sh = Shell::new()?;
    if toolkit_first {
        return match arguments.windows(2).any(|verb| verb == ["image", "push"]) {
            true => image::push(&sh, arguments),
            false => forward::toolkit(&sh, arguments),
        };
    }
    match Cli::parse().verb {
        Verb::Ci(ci) => ci.run(&sh),
        Verb::Clients(clients) => clients.run(&sh),
        Verb::Bench => bench::run(&sh),
        Verb::ApiConstraints(models) => models.run(),
        Verb::Image(image) => match image.verb {
            ImageVerb::Build(build) => build.run(&sh),
            ImageVerb::Check(check) => check.run(&sh),
            ImageVerb::Push { arguments } => {
                image::push(&sh, ["image", "push"].map(Into::into).into_iter().chain(arguments).collect())
            }
        },
        Verb::Mock { arguments } => forward::mock(&sh, arguments),
        Verb::LiveTests { arguments } => forward::live_tests(&sh, arguments),
        verb => forward::toolkit(&sh, verb.forwarded().unwrap_or_default()),
    }
}
