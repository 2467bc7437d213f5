//! `bootstrap`: the bucket and the model package group.

use crate::aws::Session;
use crate::error::Failure;
use crate::execute::{Executor, Outcome};
use crate::observe;
use crate::output::Output;
use crate::plan::{Action, Plan, Verdict};
use crate::plans;

/// Makes what is missing; with `dry`, says what that is.
///
/// # Errors
/// When the bucket is not ours, something could not be looked at, or a call is refused.
pub async fn run(session: &Session, output: &Output, dry: bool) -> Result<(), Failure> {
    let plan = Plan { actions: plan(session).await? };
    if dry {
        output.print(&plan, &plan)?;
        return verified(&plan);
    }
    execute(session, output, &plan).await?;
    output.print(&plan, &plan)
}

/// The actions that bucket and group need.
///
/// # Errors
/// When the bucket is another account's, or a call fails.
pub async fn plan(session: &Session) -> Result<Vec<Action>, Failure> {
    let (clients, site) = (&session.clients, &session.site);
    let bucket = observe::bucket(&clients.s3, &site.bucket, &site.account, &site.region).await?;
    let group = observe::registry::package_group(&clients.sagemaker, &site.package_group).await?;
    Ok(plans::bootstrap(site, &bucket, &group))
}

/// Executes a plan in which everything is known, saying what is done.
///
/// # Errors
/// When something could not be looked at, before anything is done; then that of the first call that is refused.
pub async fn execute(session: &Session, output: &Output, plan: &Plan) -> Result<Outcome, Failure> {
    verified(plan)?;
    Executor::of(session)
        .execute(plan, |action| output.note(format_args!("{} {} {}", action.verdict.word(), action.kind, action.name)))
        .await
}

/// Nothing in the plan is unknown.
///
/// # Errors
/// With exit code 3, naming the first thing that could not be looked at.
pub fn verified(plan: &Plan) -> Result<(), Failure> {
    match plan.actions.iter().find(|action| action.verdict == Verdict::Unknown) {
        Some(action) => Err(Failure::unverified(format!("{} {}: {}", action.kind, action.name, action.because))
            .hint("the role needs to read it: see the permissions in README.md")),
        None => Ok(()),
    }
}
