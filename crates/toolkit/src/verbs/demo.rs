//! `demo`: the whole journey, offline, on the sample that comes with the project.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use super::{Context, bootstrap, deploy, doctor, ground_truth, monitor, run, traffic};
use crate::aws::Session;
use crate::cli;
use crate::error::{Failure, Kind};
use crate::output::{Format, Output};

/// By how many standard deviations the second hour's sentences are less alike.
const DRIFT: f64 = 1.0;

/// Checks, bootstraps, runs the pipeline, deploys, sends an hour of traffic as it should be and one that has drifted, has
/// both looked at, and writes a report.
///
/// # Errors
/// When one of its parts fails. That the monitor finds the drift is no failure.
pub async fn run(context: &Context, session: &mut Session) -> Result<(), Failure> {
    let output = &context.output;
    // On the way nobody wants to read the documents of the parts.
    let quiet = &Output { format: Format::Text, verbose: false };
    let dry = cli::Dry { dry: false };
    output.note("1. doctor: does the account do");
    let checks = cli::Doctor { probe: false, only: vec!["permissions".to_owned()], skip: Vec::new(), list: false };
    Box::pin(doctor::run(&context.settings, &context.place, &context.current, quiet, &checks)).await?;
    output.note("2. bootstrap: the bucket and the model package group");
    let plan = crate::plan::Plan { actions: bootstrap::plan(session).await? };
    bootstrap::execute(session, output, &plan).await?;
    output.note("3. run: preprocess, train, evaluate, check, register");
    let arguments = cli::Run {
        dry,
        parameters: Vec::new(),
        input: None,
        only: Vec::new(),
        from: None,
        detach: false,
        explain_cache: false,
        no_preflight: true,
    };
    Box::pin(run::run(session, output, &arguments)).await?;
    output.note("4. deploy: the package behind an endpoint, all of its traffic captured");
    let arguments = cli::Deploy {
        dry,
        capture: 100,
        package: None,
        instance_type: "ml.m5.xlarge".to_owned(),
        rollback: false,
        no_preflight: true,
    };
    Box::pin(deploy::run(session, output, &arguments)).await?;
    // From the beginning of an hour, so that traffic and labels are of one.
    let seconds = session.now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    session.advance(Duration::from_secs(3600 - seconds % 3600)).await?;
    output.note("5. monitor: what is normal, and a look at every hour");
    let arguments = cli::MonitorSetup { dry, tolerance: cli::TOLERANCE, no_preflight: true };
    Box::pin(monitor::setup::run(session, output, &arguments)).await?;
    output.note("6. an hour of traffic, and its labels");
    hour(session, output, 0.0).await?;
    output.note(format_args!(
        "7. another, whose sentences are less alike by {DRIFT} standard deviations, and its labels"
    ));
    hour(session, output, DRIFT).await?;
    output.note("8. what the monitor found");
    let found = Box::pin(monitor::run(session, output, &cli::Monitor::Status { last: 24 })).await;
    match found {
        Err(failure) if failure.kind() == Kind::Violations => output.note(format_args!("as it should: {failure}")),
        found => found?,
    }
    let html = Path::new("monitor-report.html");
    Box::pin(monitor::report::run(session, output, html, 48)).await?;
    output.note("");
    output.note("What to look at next:");
    for (command, what) in [
        ("monitor-report.html, in a browser", "the two hours beside what was normal"),
        ("cargo xtask doctor --offline", "everything that is checked of an account"),
        ("cargo xtask doctor --offline --scenario scp-denies", "what it says of an account that does not do"),
        ("cargo xtask run --offline --dry", "what another run would do"),
        ("cargo xtask cleanup --offline --dry", "what would be removed, and what would be left"),
        ("cargo xtask mock export", "the whole state of the fake"),
    ] {
        output.note(format_args!("  {command:<52} {what}"));
    }
    Ok(())
}

/// An hour's traffic and labels, and then the hour is over.
async fn hour(session: &mut Session, output: &Output, drift: f64) -> Result<(), Failure> {
    let arguments = cli::Traffic { rows: None, rate: None, drift };
    Box::pin(traffic::run(session, output, &arguments)).await?;
    // Captured traffic is in S3 a minute later.
    session.advance(Duration::from_secs(61)).await?;
    let labels = cli::GroundTruth { dry: cli::Dry { dry: false }, noise: 0.0, lag: 0, seed: 0 };
    Box::pin(ground_truth::run(session, output, &labels)).await?;
    session.advance(Duration::from_secs(3600)).await
}
