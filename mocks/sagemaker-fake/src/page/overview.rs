//! The first page: what there is, what runs, how to get in.

use maud::{Markup, html};

use super::layout::{Page, facts, section, table};
use super::words::{between, moment, moment_if, status};
use super::{Look, calls, link, link_arn};
use crate::ApiError;
use crate::endpoints::Endpoint;
use crate::engine::Execution;
use crate::export::named;
use crate::faults::InForce;
use crate::jobs::Job;
use crate::monitoring::Schedule;
use crate::sagemaker::pipeline::Pipeline;
use crate::store::{Record, Records, View};

/// How many of a kind stand on this page, the newest first.
const MOST: usize = 10;

/// How many calls do.
const CALLS: usize = 12;

/// Kinds of records that are told elsewhere on this page, or are nothing to look at.
const UNLISTED: [&str; 5] = ["account", "clock", "enforcement", "idempotency-token", "incoming"];

pub(super) fn page(look: &Look<'_>) -> Result<Page, ApiError> {
    let fake = look.fake;
    fake.store.read(|view| {
        let executions = newest(view, |execution: &Execution| execution.created)?;
        let jobs = newest(view, |job: &Job| job.created)?;
        let endpoints = newest(view, |endpoint: &Endpoint| endpoint.created)?;
        let schedules = newest(view, |schedule: &Schedule| schedule.created)?;
        let pipelines = newest(view, |pipeline: &Pipeline| pipeline.created)?;
        let live = executions.iter().any(|execution| !execution.status.is_final())
            || jobs.iter().any(|job| !job.status.is_final())
            || endpoints.iter().any(|endpoint| endpoint.status.is_in_progress())
            || schedules.iter().any(|schedule| schedule.pending);
        let faults = fake.faults.list();
        let body = html! {
            (kinds(view)?)
            @if !executions.is_empty() { (section("Executions", of_executions(&executions))) }
            @if !jobs.is_empty() { (section("Jobs", of_jobs(&jobs))) }
            @if !endpoints.is_empty() { (section("Endpoints", of_endpoints(&endpoints))) }
            @if !schedules.is_empty() { (section("Monitoring schedules", of_schedules(&schedules))) }
            @if !pipelines.is_empty() { (section("Pipelines", of_pipelines(&pipelines))) }
            @if !faults.is_empty() { (section("What goes wrong on request", of_faults(&faults))) }
            (section("Calls", calls::newest(look, CALLS)))
            (section("How to get in", getting_in(look)))
        };
        Ok(Page::new("What there is", body).live(live))
    })
}

fn newest<R: Record>(view: &View, created: impl Fn(&R) -> crate::clock::Timestamp) -> Result<Vec<R>, ApiError> {
    let mut all = view.list::<R>("")?;
    all.sort_by_key(|record| std::cmp::Reverse(created(record)));
    all.truncate(MOST);
    Ok(all)
}

fn kinds(view: &View) -> Result<Markup, ApiError> {
    let counts = view.counts()?;
    Ok(html! {
        ul.kinds {
            @for (kind, count) in counts.iter().filter(|(kind, _)| !UNLISTED.contains(&kind.as_str())) {
                li { a href={ "/_stsmm/page/kind?of=" (crate::protocol::encode(kind)) } {
                    b { (count) } " " (named(kind, *count == 1))
                } }
            }
        }
    })
}

pub(super) fn of_executions(executions: &[Execution]) -> Markup {
    let row = |execution: &Execution| {
        vec![
            html! { (link("execution", &execution.key(), &execution.display_name)) },
            link(
                "pipeline",
                &crate::sagemaker::names::key(&execution.region, &execution.pipeline),
                &execution.pipeline,
            ),
            status(&format!("{:?}", execution.status)),
            moment(execution.created),
            html! { (execution.steps.iter().filter(|step| step.status.is_final()).count()) " of " (execution.steps.len()) " begun" },
        ]
    };
    let heads = ["execution", "pipeline", "status", "started", "steps that have ended"];
    table(&heads, executions.iter().map(row).collect(), "never executed")
}

fn of_jobs(jobs: &[Job]) -> Markup {
    let row = |job: &Job| {
        let took = job.ended.map(|ended| between(job.created, ended));
        vec![
            link("job", &job.key(), &job.name),
            html! { (job.kind.resource().replace('-', " ")) },
            status(job.status.as_str()),
            moment(job.created),
            html! { @if let Some(took) = took { (took) } @else { span.soft { "—" } } },
        ]
    };
    table(&["job", "kind", "status", "created", "took"], jobs.iter().map(row).collect(), "none")
}

fn of_endpoints(endpoints: &[Endpoint]) -> Markup {
    let row = |endpoint: &Endpoint| {
        let deployment = endpoint.serving.as_ref().or(endpoint.pending.as_ref());
        vec![
            link("endpoint", &endpoint.key(), &endpoint.name),
            status(endpoint.status.as_str()),
            html! { (deployment.map_or("", |deployment| deployment.config.as_str())) },
            moment(endpoint.modified),
        ]
    };
    table(&["endpoint", "status", "configuration", "changed"], endpoints.iter().map(row).collect(), "none")
}

fn of_schedules(schedules: &[Schedule]) -> Markup {
    let row = |schedule: &Schedule| {
        vec![
            link("monitoring-schedule", &schedule.key(), &schedule.name),
            status(schedule.status()),
            link("endpoint", &crate::sagemaker::names::key(&schedule.region, &schedule.endpoint), &schedule.endpoint),
            moment_if(schedule.next.filter(|_| !schedule.stopped)),
        ]
    };
    table(&["schedule", "status", "endpoint", "due next"], schedules.iter().map(row).collect(), "none")
}

fn of_pipelines(pipelines: &[Pipeline]) -> Markup {
    let row = |pipeline: &Pipeline| {
        vec![
            link("pipeline", &pipeline.key(), &pipeline.name),
            html! { (pipeline.version) },
            moment(pipeline.modified),
            moment_if(pipeline.last_run),
            link_arn(&pipeline.role_arn),
        ]
    };
    table(&["pipeline", "version", "changed", "last run", "role"], pipelines.iter().map(row).collect(), "none")
}

fn of_faults(faults: &[InForce]) -> Markup {
    let row = |fault: &InForce| {
        let rule = serde_json::to_value(&fault.rule).unwrap_or_default();
        let fields = rule.as_object().into_iter().flatten().filter(|(name, _)| *name != "fault");
        let fields: Vec<_> = fields.map(|(name, value)| format!("{name} {value}")).collect();
        vec![
            html! { (fault.id) },
            html! { (rule["fault"].as_str().unwrap_or_default()) },
            html! { (fields.join(", ")) },
            html! { (fault.acted) " of " (fault.seen) },
        ]
    };
    table(&["rule", "fault", "with", "struck"], faults.iter().map(row).collect(), "nothing")
}

/// What a client is told.
fn getting_in(look: &Look<'_>) -> Markup {
    let fake = look.fake;
    let region = crate::protocol::DEFAULT_REGION;
    html! {
        pre {
            "export AWS_ENDPOINT_URL=" (look.url) "\n"
            "export AWS_DEFAULT_REGION=" (region) "\n"
            @if fake.enforces_iam() {
                "# IAM is enforced: the keys of a user of the scenario, or of one that you have created\n"
                "export AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...\n"
            } @else {
                "export AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x   # any will do\n"
            }
            "aws sagemaker list-pipelines"
        }
        (facts([
            ("Pace of status changes", Some(html! { (fake.pacing.pace()) })),
            ("Folder of the state", Some(html! { code { (fake.folder().display()) } })),
            ("Move the clock", Some(html! { code { "curl -X POST '" (look.url) "/_stsmm/clock/advance?seconds=3600'" } })),
            ("Begin again", Some(html! { code { "curl -X POST " (look.url) "/_stsmm/reset" } })),
        ]))
    }
}
