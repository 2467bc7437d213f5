//! `monitor why`: why the monitor found nothing to look at, or failed. AWS's own reason is the same for many causes.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Cursor;

use model_monitor::layout;
use model_monitor::records::{Capture, GroundTruth, Records};
use serde::Serialize;
use time::Duration;

use super::status::{moment, newest, time_of};
use crate::aws::Session;
use crate::error::Failure;
use crate::names;
use crate::observe::monitoring::{self, Execution};
use crate::observe::{Seen, objects, serving};
use crate::output::Output;

/// Names the cause of what the newest execution came to.
///
/// # Errors
/// When the monitor is not set up, or a call is refused.
pub async fn run(session: &Session, output: &Output) -> Result<(), Failure> {
    let (site, sagemaker) = (&session.site, &session.clients.sagemaker);
    let name = names::schedule(&site.prefix);
    let Seen::Present(schedule) = monitoring::schedule(sagemaker, &name).await? else {
        return Err(super::not_set_up(session));
    };
    if schedule.status == "Failed" {
        let failure = schedule.failure.unwrap_or_else(|| "no reason was given".to_owned());
        let cause = Cause::new("the schedule itself has failed", failure, "cargo xtask monitor setup");
        return output.print(&cause, &cause);
    }
    let executions = newest(session, &name, 1).await?;
    let cause = match executions.into_iter().next() {
        None if schedule.status == "Stopped" => {
            Cause::new("the schedule is stopped", "nobody looks", "cargo xtask monitor setup starts it again")
        }
        None => Cause::new(
            "it has not looked yet",
            "it does at every full hour, and AWS may take up to twenty minutes more",
            "cargo xtask monitor run-now looks at once; offline, `cargo xtask mock advance 1h` moves the clock",
        ),
        Some(execution) => of_execution(session, &execution).await?,
    };
    output.print(&cause, &cause)
}

async fn of_execution(session: &Session, execution: &Execution) -> Result<Cause, Failure> {
    let at = time_of(execution.scheduled);
    match execution.status.as_str() {
        "Completed" => return Ok(Cause::new(format!("the look of {at} found nothing wrong"), "", "")),
        "CompletedWithViolations" => {
            let found = format!("the look of {at} did its work, and found violations");
            return Ok(Cause::new(found, "the model is not what it was", "cargo xtask monitor report shows them"));
        }
        "Pending" | "InProgress" => return Ok(Cause::new(format!("the look of {at} is under way"), "", "")),
        _ => {}
    }
    let said = execution.failure.clone().unwrap_or_else(|| "no reason was given".to_owned());
    let job = match execution.job.as_deref().and_then(|arn| arn.rsplit('/').next()) {
        Some(job) => monitoring::job(&session.clients.sagemaker, job).await?.and_then(|(_, why)| why),
        None => None,
    };
    let all = format!("{said} {}", job.as_deref().unwrap_or_default());
    if ["AccessDenied", "not authorized", "Access Denied"].iter().any(|words| all.contains(words)) {
        let repair = "cargo xtask doctor --only permissions names what is missing";
        return Ok(Cause::new("the role lacks a permission", all.trim(), repair));
    }
    let hour = layout::hour(moment(execution.scheduled) - Duration::hours(1));
    let prefix = &session.site.prefix;
    let folder = format!("{}{hour}/", names::captured(prefix));
    let captured = ids(session, &folder, |record: &Capture| record.id().to_owned()).await?;
    let folder = format!("{}{hour}/", names::ground_truth(prefix));
    let labelled = ids(session, &folder, |label: &GroundTruth| label.event_metadata.event_id.clone()).await?;
    Ok(match (captured.is_empty(), labelled.is_empty()) {
        (true, _) => not_captured(session, &hour).await?,
        (false, true) => Cause::new(
            "there are no labels",
            format!("{} requests of the hour {hour} were captured, and no label is filed under it", captured.len()),
            "cargo xtask ground-truth files them; labels that come late are filed under a later hour, where nobody looks",
        ),
        (false, false) if captured.is_disjoint(&labelled) => Cause::new(
            "the ids do not match",
            format!(
                "{} captured requests and {} labels of the hour {hour} have no id in common: e.g. `{}` and `{}`",
                captured.len(),
                labelled.len(),
                captured.first().map_or("", String::as_str),
                labelled.first().map_or("", String::as_str)
            ),
            "send the inference id with each request, and label by that id",
        ),
        (false, false) => Cause::new(
            "the job could not use what it found",
            job.unwrap_or(said),
            "the endpoint answers `prediction,probability` as CSV: ask for text/csv; what the job printed is in \
             CloudWatch Logs, group /aws/sagemaker/ProcessingJobs",
        ),
    })
}

/// Nothing was captured in an hour: because nothing is, or because nobody asked.
async fn not_captured(session: &Session, hour: &str) -> Result<Cause, Failure> {
    let name = names::endpoint(&session.site.prefix);
    let endpoint = serving::endpoint(&session.clients.sagemaker, &name).await?;
    Ok(match endpoint {
        Seen::Present(serving) if serving.config.as_ref().is_some_and(|config| config.capture.is_none()) => Cause::new(
            "nothing is captured",
            format!("{name} is deployed without data capture"),
            "cargo xtask deploy --capture",
        ),
        Seen::Present(_) => Cause::new(
            "there was no traffic",
            format!("nothing was captured in the hour {hour} (UTC)"),
            "cargo xtask traffic sends some; an hour without any fails, and the next one is looked at all the same",
        ),
        Seen::Absent | Seen::Unknown(_) => {
            Cause::new("there is no endpoint", format!("{name} is not there"), "cargo xtask deploy")
        }
    })
}

/// The ids of the records under a prefix.
async fn ids<T: serde::de::DeserializeOwned>(
    session: &Session,
    prefix: &str,
    id: impl Fn(&T) -> String,
) -> Result<BTreeSet<String>, Failure> {
    let (s3, site) = (&session.clients.s3, &session.site);
    let mut ids = BTreeSet::new();
    for object in objects::list(s3, &site.bucket, prefix, &site.account).await? {
        let content = objects::read(s3, &site.bucket, &object.key, &site.account).await?.unwrap_or_default();
        // A line that cannot be read has no id; the job says what it makes of it.
        ids.extend(Records::<_, T>::new(Cursor::new(content)).filter_map(Result::ok).map(|record| id(&record)));
    }
    Ok(ids)
}

/// A cause, what shows it, and what to do.
#[derive(Debug, Serialize)]
struct Cause {
    cause: String,
    evidence: String,
    next: String,
}

impl Cause {
    fn new(cause: impl Into<String>, evidence: impl Into<String>, next: impl Into<String>) -> Self {
        Self { cause: cause.into(), evidence: evidence.into(), next: next.into() }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cause, evidence, next } = self;
        write!(f, "{cause}")?;
        if !evidence.is_empty() {
            write!(f, ": {evidence}")?;
        }
        if !next.is_empty() {
            write!(f, "\n{next}")?;
        }
        Ok(())
    }
}
