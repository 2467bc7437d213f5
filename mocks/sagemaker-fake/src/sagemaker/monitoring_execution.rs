//! Executions of monitoring schedules, listed.

use serde_json::{Value, json};

use super::names;
use super::paging::{self, Order, SortKey};
use crate::fake::Context;
use crate::monitoring::{Execution, execution};
use crate::store::{Record, Records};
use crate::{ApiError, Fake};

pub(super) fn list(context: &Context<'_>, input: &Value) -> Result<Value, ApiError> {
    let prefix = match input["MonitoringScheduleName"].as_str() {
        Some(schedule) => execution::keys_of_schedule(context.region, schedule),
        None => names::key(context.region, ""),
    };
    let executions = context.fake.store.read(|view| view.list::<Execution>(&prefix))?;
    let named = |member: &str, name: &str| input[member].as_str().is_none_or(|asked| asked.eq_ignore_ascii_case(name));
    let executions = executions.into_iter().filter(|execution| {
        named("EndpointName", &execution.endpoint)
            && named("MonitoringJobDefinitionName", execution.definition().unwrap_or_default())
            && named("StatusEquals", execution.status.as_str())
            && named("MonitoringTypeEquals", &execution.monitoring_type.to_string())
            && paging::within(execution.scheduled, input, "ScheduledTimeAfter", "ScheduledTimeBefore")
            && paging::within(execution.created, input, "CreationTimeAfter", "CreationTimeBefore")
            && paging::within(execution.modified, input, "LastModifiedTimeAfter", "LastModifiedTimeBefore")
    });
    let sort_key = |execution: &Execution| match input["SortBy"].as_str() {
        Some("ScheduledTime") => SortKey::time(execution.scheduled),
        Some("Status") => SortKey::name(execution.status.as_str()),
        _ => SortKey::time(execution.created),
    };
    // Those that were put on record together stay in the order of their times.
    let id = |execution: &Execution| format!("{:015}/{}", execution.scheduled.0, execution.key());
    let (page, token) = paging::page("ListMonitoringExecutions", input, Order::Descending, executions, sort_key, id)?;
    let summaries: Vec<_> = page.iter().map(|execution| summary(context.fake, execution)).collect();
    Ok(paging::with_token(json!({"MonitoringExecutionSummaries": summaries}), token))
}

/// `MonitoringExecutionSummary`.
pub(super) fn summary(fake: &Fake, execution: &Execution) -> Value {
    let mut summary = json!({
        "MonitoringScheduleName": execution.schedule,
        "ScheduledTime": execution.scheduled,
        "CreationTime": execution.created,
        "LastModifiedTime": execution.modified,
        "MonitoringExecutionStatus": execution.status.as_str(),
        "EndpointName": execution.endpoint,
        "MonitoringType": execution.monitoring_type,
    });
    if let Some(name) = execution.definition() {
        summary["MonitoringJobDefinitionName"] = json!(name);
    }
    if let Some(arn) = execution.job_arn(fake) {
        summary["ProcessingJobArn"] = json!(arn);
    }
    if let Some(reason) = &execution.failure_reason {
        summary["FailureReason"] = json!(reason);
    }
    summary
}
