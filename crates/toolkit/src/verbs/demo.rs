//! `demo`: the whole journey, offline, on the sample that comes with the project.

use super::{bootstrap, run};
use crate::aws::Session;
use crate::cli;
use crate::error::Failure;
use crate::output::Output;

/// Bootstraps, runs the pipeline on the sample, and says what to look at next.
///
/// # Errors
/// When one of its parts fails.
pub async fn run(session: &Session, output: &Output) -> Result<(), Failure> {
    output.note("1. bootstrap: the bucket and the model package group");
    let plan = crate::plan::Plan { actions: bootstrap::plan(session).await? };
    bootstrap::execute(session, output, &plan).await?;
    output.note("2. run: preprocess, train, evaluate, check, register");
    let dry = cli::Dry { dry: false };
    run::run(
        session,
        output,
        &cli::Run {
            dry,
            parameters: Vec::new(),
            input: None,
            only: Vec::new(),
            from: None,
            detach: false,
            explain_cache: false,
            no_preflight: false,
        },
    )
    .await?;
    output.note("");
    output.note("What to look at next:");
    for (command, what) in [
        ("cargo xtask logs --offline TrainSTSModel", "what a step printed"),
        ("cargo xtask run --offline --dry", "what another run would do"),
        ("cargo xtask run --offline --param MseThreshold=0.05", "the gate at work"),
        ("cargo xtask mock export", "the whole state of the fake"),
    ] {
        output.note(format_args!("  {command:<52} {what}"));
    }
    Ok(())
}
