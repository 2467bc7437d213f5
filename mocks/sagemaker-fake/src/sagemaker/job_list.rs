//! Lists of jobs: what the lists of all kinds of jobs have in common.

use serde_json::{Value, json};

use super::paging::{self, Order, SortKey};
use crate::ApiError;
use crate::fake::Context;
use crate::jobs::{Job, Kind, job};
use crate::store::{Record, Records};

/// A page of the jobs of a kind, filtered and sorted as the request says, newest first unless it does; `member` is the
/// name of the list in the answer.
pub(super) fn list(
    context: &Context<'_>,
    kind: Kind,
    input: &Value,
    operation: &str,
    member: &str,
    summary: fn(&Job) -> Value,
) -> Result<Value, ApiError> {
    let jobs = context.fake.store.read(|view| view.list::<Job>(&job::key(context.region, kind, "")))?;
    let jobs = jobs.into_iter().filter(|job| {
        paging::name_contains(&job.name, input)
            && input["StatusEquals"].as_str().is_none_or(|status| job.status.as_str() == status)
            && paging::within(job.created, input, "CreationTimeAfter", "CreationTimeBefore")
            && paging::within(job.modified, input, "LastModifiedTimeAfter", "LastModifiedTimeBefore")
    });
    let sort_key = |job: &Job| match input["SortBy"].as_str() {
        Some("Name") => SortKey::name(&job.name),
        Some("Status") => SortKey::name(job.status.as_str()),
        _ => SortKey::time(job.created),
    };
    let (page, token) = paging::page(operation, input, Order::Descending, jobs, sort_key, Record::key)?;
    let mut output = json!({});
    output[member] = page.iter().map(summary).collect();
    if let Some(token) = token {
        output["NextToken"] = json!(token);
    }
    Ok(output)
}
