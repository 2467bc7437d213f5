//! A monitoring schedule: when it is due, and what came of it so far.

use maud::html;

use super::layout::{Page, facts, section, table, text};
use super::words::{json, moment, moment_if, status};
use super::{Look, link, link_arn, nothing};
use crate::ApiError;
use crate::monitoring::execution::keys_of_schedule;
use crate::monitoring::{Execution, Schedule};
use crate::sagemaker::names;
use crate::store::Records;

/// How many executions are listed, the newest first.
const EXECUTIONS: usize = 100;

pub(super) fn page(look: &Look<'_>, key: &str) -> Result<Page, ApiError> {
    let (schedule, mut executions) = look.fake.store.read(|view| {
        let schedule: Schedule = view.get(key)?.ok_or_else(|| nothing("such schedule"))?;
        let executions: Vec<Execution> = view.list(&keys_of_schedule(&schedule.region, &schedule.name))?;
        Ok((schedule, executions))
    })?;
    executions.reverse();
    let live = schedule.pending || executions.iter().any(|execution| !execution.status.is_final());
    let rows = executions.iter().take(EXECUTIONS).map(|execution| {
        vec![
            moment(execution.scheduled),
            status(execution.status.as_str()),
            html! { (moment(execution.window.start)) " to " (moment(execution.window.end)) },
            html! { @if let Some(arn) = execution.job_arn(look.fake) { (link_arn(&arn)) } },
            html! { @if let Some(reason) = &execution.failure_reason { span.why { (reason) } } },
        ]
    });
    let expression = schedule.config["ScheduleConfig"]["ScheduleExpression"].as_str();
    let body = html! {
        (facts([
            ("Status", Some(status(schedule.status()))),
            ("Due next", Some(moment_if(schedule.next.filter(|_| !schedule.stopped)))),
            ("Expression", expression.map(|expression| html! { code { (expression) } })),
            ("Endpoint", Some(link("endpoint", &names::key(&schedule.region, &schedule.endpoint), &schedule.endpoint))),
            ("Job definition", schedule.definition().map(|name| {
                let key = format!("{}/{}", schedule.monitoring_type.resource(), names::key(&schedule.region, name));
                link("monitoring-job-definition", &key, name)
            })),
            ("Created", Some(moment(schedule.created))),
            ("ARN", text(Some(&schedule.arn))),
        ]))
        (section("Executions", table(&["due", "status", "looked at", "job", "why"], rows.collect(), "none yet")))
        details { summary { "Configuration" } (json(&schedule.config)) }
    };
    Ok(Page::new(schedule.name.clone(), body).live(live))
}
