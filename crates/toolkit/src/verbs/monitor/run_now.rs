//! `monitor run-now`: one look at the last hours, without waiting for the full hour.

use aws_smithy_async::rt::sleep::{AsyncSleep, TokioSleep};

use super::status::{Row, time_of, violated};
use crate::aws::Session;
use crate::error::Failure;
use crate::execute::Executor;
use crate::names;
use crate::observe::{Seen, monitoring};
use crate::output::Output;
use crate::plan::{Action, NewSchedule, Operation, Plan, Verdict, When};
use crate::watch::Pace;

/// Looks once, by the definition of the schedule, and removes the schedule that it took.
///
/// # Errors
/// With exit code 4 when it found violations; when the monitor is not set up, the look fails, or a call is refused.
pub async fn run(session: &Session, output: &Output, hours: u8) -> Result<(), Failure> {
    let (site, clients) = (&session.site, &session.clients);
    let sagemaker = &clients.sagemaker;
    let Seen::Present(schedule) = monitoring::schedule(sagemaker, &names::schedule(&site.prefix)).await? else {
        return Err(super::not_set_up(session));
    };
    let name = names::one_look(&site.prefix);
    let executor = Executor::of(session);
    let remove = Plan {
        actions: vec![Action::new(
            Verdict::Delete,
            "schedule",
            &name,
            "it was for one look",
            vec![Operation::DeleteSchedule { name: name.clone() }],
        )],
    };
    let pace = if session.offline { Pace::OFFLINE } else { Pace::AWS };
    // One that an interrupted look has left behind; it can go once its jobs have ended.
    if matches!(monitoring::schedule(sagemaker, &name).await?, Seen::Present(_)) {
        output.note(format_args!("{name} is there from an earlier look: it goes first, once that has ended"));
        executor.execute_patiently(&remove, pace).await?;
    }
    let once = NewSchedule {
        name: name.clone(),
        definition: schedule.definition,
        when: When::Once { hours },
        tags: site.tags.clone(),
    };
    let because = format!("one look at the last {hours} hours");
    let create = Action::new(Verdict::Create, "schedule", &name, because, vec![Operation::CreateSchedule(once)]);
    executor.execute(&Plan { actions: vec![create] }, |action| output.note(&action.because)).await?;
    let sleep = TokioSleep::new();
    let execution = loop {
        let newest = monitoring::executions(sagemaker, &name, 1).await?.pop();
        if let Some(execution) = newest.filter(monitoring::Execution::has_ended) {
            break execution;
        }
        sleep.sleep(pace.every).await;
    };
    let row = Row::of(session, execution, &name).await?;
    executor.execute_patiently(&remove, pace).await?;
    let text = match (&row.execution.failure, row.violations.is_empty()) {
        (Some(why), _) => format!("{} ({}): {why}", row.execution.status, time_of(row.execution.scheduled)),
        (None, true) => format!("{} ({}): nothing wrong", row.execution.status, time_of(row.execution.scheduled)),
        (None, false) => row.violations.iter().map(|it| it.description.as_str()).collect::<Vec<_>>().join("\n"),
    };
    output.print(text, &row)?;
    if row.execution.status == "Failed" {
        return Err(Failure::operation("the look failed").hint("cargo xtask monitor why names the cause"));
    }
    violated(Some(&row))
}
