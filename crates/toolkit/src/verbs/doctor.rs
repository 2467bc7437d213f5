//! `doctor`: whether this account, this role and this machine will do, and if not, what to change.

use std::path::Path;

use crate::aws::Place;
use crate::cli;
use crate::doctor::{CHECKS, Report, Selection, Verdict, examine};
use crate::error::{Failure, Kind};
use crate::output::{Format, Output, many};
use crate::settings::Settings;

/// Examines, and prints what was found.
///
/// # Errors
/// With exit code 1 if a check failed, else with 3 if one could not be verified; with 2 if there is no such check.
pub async fn run(
    settings: &Settings,
    place: &Place,
    current: &Path,
    output: &Output,
    arguments: &cli::Doctor,
) -> Result<(), Failure> {
    if arguments.list {
        let lines = CHECKS.iter().map(|check| format!("{:<23} {}\n", check.id, check.question));
        return output.print(lines.collect::<String>(), &CHECKS);
    }
    let selection = Selection::new(&arguments.only, &arguments.skip, arguments.probe)?;
    let report = examine(settings, place, current, selection).await?;
    match output.format {
        Format::Text => output.line(report.text(output.verbose))?,
        Format::Json => output.print("", &report.json(output.verbose))?,
    }
    outcome(&report)
}

/// What the findings come to.
fn outcome(report: &Report) -> Result<(), Failure> {
    match (report.count(Verdict::Fail), report.count(Verdict::Unknown)) {
        (0, 0) => Ok(()),
        (0, unknown) => {
            Err(Failure::new(Kind::Unverified, format!("{} could not be verified", many(unknown, "check"))))
        }
        (failed, _) => Err(Failure::operation(format!("{} failed", many(failed, "check")))),
    }
}
