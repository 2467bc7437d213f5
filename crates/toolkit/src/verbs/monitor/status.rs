//! `monitor status`: the executions, and what they found.

use std::fmt;

use aws_smithy_async::rt::sleep::{AsyncSleep, TokioSleep};
use comfy_table::{ContentArrangement, Table, presets};
use model_monitor::layout;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::aws::Session;
use crate::error::{Failure, Kind};
use crate::names;
use crate::observe::monitoring::{self, Execution};
use crate::observe::{Seen, objects};
use crate::output::Output;
use crate::watch::Pace;

/// Prints the newest executions, newest first.
///
/// # Errors
/// With exit code 4 when the newest that has ended found violations; when there is no schedule, or a call is refused.
pub async fn run(session: &Session, output: &Output, many: usize) -> Result<(), Failure> {
    let name = names::schedule(&session.site.prefix);
    let Seen::Present(schedule) = monitoring::schedule(&session.clients.sagemaker, &name).await? else {
        return Err(super::not_set_up(session));
    };
    let executions = newest(session, &name, many).await?;
    let mut rows = Vec::new();
    for execution in executions {
        rows.push(Row::of(session, execution, &name).await?);
    }
    let status = Status { schedule: name, status: schedule.status, executions: rows };
    output.print(&status, &status)?;
    violated(status.executions.iter().find(|row| row.execution.has_ended()))
}

/// The newest executions. Offline those that are under way are waited for: they go on only while somebody has the state
/// open.
pub(super) async fn newest(session: &Session, schedule: &str, many: usize) -> Result<Vec<Execution>, Failure> {
    let sleep = TokioSleep::new();
    loop {
        let executions = monitoring::executions(&session.clients.sagemaker, schedule, many).await?;
        if !session.offline || executions.iter().all(Execution::has_ended) {
            return Ok(executions);
        }
        sleep.sleep(Pace::OFFLINE.every).await;
    }
}

/// Whether an execution found nothing wrong.
///
/// # Errors
/// With exit code 4 when it did.
pub(super) fn violated(row: Option<&Row>) -> Result<(), Failure> {
    match row.filter(|row| row.execution.status == "CompletedWithViolations") {
        Some(row) => {
            let metrics: Vec<_> = row.violations.iter().map(|violation| violation.metric_name.as_str()).collect();
            Err(Failure::new(Kind::Violations, format!("the monitor found violations: {}", metrics.join(", ")))
                .hint("what they mean: cargo xtask monitor report"))
        }
        None => Ok(()),
    }
}

/// A metric beyond its threshold.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Violation {
    pub metric_name: String,
    pub description: String,
}

#[derive(Deserialize)]
struct Violations {
    violations: Vec<Violation>,
}

/// An execution with what it found.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    #[serde(flatten)]
    pub execution: Execution,
    pub violations: Vec<Violation>,
}

impl Row {
    pub(super) async fn of(session: &Session, execution: Execution, schedule: &str) -> Result<Self, Failure> {
        let violations = match execution.status.as_str() {
            "CompletedWithViolations" => found(session, &execution, schedule).await?,
            _ => Vec::new(),
        };
        Ok(Self { execution, violations })
    }
}

/// The key that what an execution wrote begins with: the hour is the one it was scheduled for.
pub(super) fn results(session: &Session, execution: &Execution, schedule: &str) -> String {
    let prefix = &session.site.prefix;
    let (results, endpoint) = (names::monitoring(prefix), names::endpoint(prefix));
    format!("{results}results/{endpoint}/{schedule}/{}/", layout::hour(moment(execution.scheduled)))
}

async fn found(session: &Session, execution: &Execution, schedule: &str) -> Result<Vec<Violation>, Failure> {
    let site = &session.site;
    let key = format!("{}constraint_violations.json", results(session, execution, schedule));
    let Some(text) = objects::read(&session.clients.s3, &site.bucket, &key, &site.account).await? else {
        return Ok(Vec::new());
    };
    let read: Violations = serde_json::from_slice(&text)
        .map_err(|error| Failure::operation(format!("s3://{}/{key} cannot be read", site.bucket)).because(error))?;
    Ok(read.violations)
}

/// A time of SageMaker's.
pub(super) fn moment(seconds: f64) -> OffsetDateTime {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and no execution is of that age")]
    let seconds = seconds as i64;
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

pub(super) fn time_of(seconds: f64) -> String {
    moment(seconds).format(format_description!("[year]-[month]-[day] [hour]:[minute]")).unwrap_or_default()
}

#[derive(Serialize)]
struct Status {
    schedule: String,
    status: String,
    executions: Vec<Row>,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} is {}", self.schedule, self.status)?;
        if self.executions.is_empty() {
            return write!(f, "it has not looked yet: it does at every full hour");
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(80);
        table.set_header(["scheduled (UTC)", "status", "what it found"]);
        for Row { execution, violations } in &self.executions {
            let found = match (&execution.failure, violations.is_empty()) {
                (Some(why), _) => why.clone(),
                (None, true) if execution.status == "Completed" => "nothing".to_owned(),
                (None, _) => violations.iter().map(|it| it.metric_name.as_str()).collect::<Vec<_>>().join(", "),
            };
            table.add_row([time_of(execution.scheduled), execution.status.clone(), found]);
        }
        for line in table.lines() {
            writeln!(f, "{}", line.strip_prefix(' ').unwrap_or(&line).trim_end())?;
        }
        if self.executions.iter().any(|row| row.execution.status == "Failed") {
            write!(f, "why one failed: cargo xtask monitor why")?;
        }
        Ok(())
    }
}
