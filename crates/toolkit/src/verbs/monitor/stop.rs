//! `monitor stop`: no more looks, until `monitor setup` starts it again.

use crate::aws::Session;
use crate::error::Failure;
use crate::execute::Executor;
use crate::names;
use crate::observe::{Seen, monitoring};
use crate::output::Output;
use crate::plan::{Action, Operation, Plan, Verdict};

/// Stops the schedule.
///
/// # Errors
/// When there is none, or a call is refused.
pub async fn run(session: &Session, output: &Output, dry: bool) -> Result<(), Failure> {
    let (site, clients) = (&session.site, &session.clients);
    let name = names::schedule(&site.prefix);
    let Seen::Present(schedule) = monitoring::schedule(&clients.sagemaker, &name).await? else {
        return Err(super::not_set_up(session));
    };
    let action = match schedule.status.as_str() {
        "Stopped" => Action::keep("schedule", &name, "it is stopped already"),
        status => {
            let stop = vec![Operation::StopSchedule { name: name.clone() }];
            Action::new(Verdict::Stop, "schedule", &name, format!("it is {status}"), stop)
        }
    };
    let plan = Plan { actions: vec![action] };
    if !dry {
        Executor::of(session).execute(&plan, |_| {}).await?;
    }
    output.print(&plan, &plan)
}
