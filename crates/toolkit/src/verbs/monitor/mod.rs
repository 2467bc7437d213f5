//! `monitor`: the quality of what the endpoint answers, hour by hour.

pub mod report;
mod run_now;
pub mod setup;
mod status;
mod stop;
mod why;

use crate::aws::Session;
use crate::cli;
use crate::error::Failure;
use crate::names;
use crate::output::Output;

/// Does what was asked of the monitor.
///
/// # Errors
/// Those of the verb.
pub async fn run(session: &Session, output: &Output, verb: &cli::Monitor) -> Result<(), Failure> {
    match verb {
        cli::Monitor::Setup(arguments) => setup::run(session, output, arguments).await,
        cli::Monitor::Status { last } => status::run(session, output, *last).await,
        cli::Monitor::RunNow { hours } => run_now::run(session, output, *hours).await,
        cli::Monitor::Why => why::run(session, output).await,
        cli::Monitor::Report { html, last } => report::run(session, output, html, *last).await,
        cli::Monitor::Stop(dry) => stop::run(session, output, dry.dry).await,
    }
}

/// There is no schedule.
fn not_set_up(session: &Session) -> Failure {
    Failure::operation(format!("there is no schedule {}", names::schedule(&session.site.prefix)))
        .hint(format!("cargo xtask monitor setup{}", session.flags))
}
