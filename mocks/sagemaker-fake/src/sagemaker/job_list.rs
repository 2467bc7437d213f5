//! Lists of jobs: what the lists of all kinds of jobs have in common.

use serde_json::{Value, json};

use super::paging::{self, Order, SortKey};
use crate::ApiError;
use crate::fake::Context;
use crate::jobs::{Job, Kind, job};
use crate::store::{Record, Records};

/// A page of the jobs of a kind, filtered and sorted as the request says; `member` is the name of the list in the answer.
pub(super) fn list(
    context: &Context<'_>,
    kind: Kind,
    input: &Value,
    operation: &str,
    member: &str,
    summary: fn(&Job) -> Value,
) -> Result<Value, ApiError> {
    let in_status = |job: &Job| input["StatusEquals"].as_str().is_none_or(|status| job.status.as_str() == status);
    // Documented of training jobs alone: a page is cut first, and only then filtered by status.
    let by_page = kind == Kind::TrainingJob && !input["MaxResults"].is_null();
    let jobs = context.fake.store.read(|view| view.list::<Job>(&job::key(context.region, kind, "")))?;
    let jobs = jobs.into_iter().filter(|job| {
        paging::name_contains(&job.name, input)
            && (by_page || in_status(job))
            && paging::within(job.created, input, "CreationTimeAfter", "CreationTimeBefore")
            && paging::within(job.modified, input, "LastModifiedTimeAfter", "LastModifiedTimeBefore")
    });
    let sort_key = |job: &Job| match input["SortBy"].as_str() {
        Some("Name") => SortKey::name(&job.name),
        Some("Status") => SortKey::name(job.status.as_str()),
        _ => SortKey::time(job.created),
    };
    let (page, token) = paging::page(operation, input, default_order(kind), jobs, sort_key, Record::key)?;
    let mut output = json!({});
    output[member] = page.iter().filter(|job| in_status(job)).map(summary).collect();
    Ok(paging::with_token(output, token))
}

/// AWS's documentation gives each list an order of its own. Of training jobs it gives two: "ascending" for `SortOrder`, and
/// "from the most current to the oldest" where it describes the operation, which is the one that clients see.
fn default_order(kind: Kind) -> Order {
    match kind {
        Kind::ProcessingJob => Order::Ascending,
        Kind::TrainingJob | Kind::TransformJob => Order::Descending,
    }
}
