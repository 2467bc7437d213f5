//! `deploy`: the newest approved package, or another, behind the endpoint.

use std::fmt;

use aws_smithy_async::rt::sleep::TokioSleep;
use iam_policy::generate::Feature;
use serde::Serialize;

use super::bootstrap::verified;
use crate::aws::Session;
use crate::cli;
use crate::cost;
use crate::deployment;
use crate::doctor;
use crate::error::Failure;
use crate::execute::Executor;
use crate::names;
use crate::observe::Seen;
use crate::observe::serving::{self, Package, Serving};
use crate::output::Output;
use crate::plan::{Action, Plan, Verdict};
use crate::plans::deploy::{There, Wanted, deploy};
use crate::watch::Pace;

/// Deploys; with `--dry`, says what that would do.
///
/// # Errors
/// When there is nothing to deploy, a call is refused, or the endpoint does not come to serve it. What was served before
/// then still is.
pub async fn run(session: &Session, output: &Output, arguments: &cli::Deploy) -> Result<(), Failure> {
    if session.identity.role.is_none() {
        return Err(Failure::usage("`deploy` passes a role to SageMaker, and AWS_ROLE is not set")
            .hint("set AWS_ROLE to the ARN of the execution role; --as-caller only says who calls"));
    }
    let (site, sagemaker) = (&session.site, &session.clients.sagemaker);
    let name = names::endpoint(&site.prefix);
    let pace = if session.offline { Pace::OFFLINE } else { Pace::AWS };
    let mut endpoint = serving::endpoint(sagemaker, &name).await?;
    if let Seen::Present(Serving { status, .. }) = &endpoint
        && deployment::is_on_its_way(status)
        && !arguments.dry.dry
    {
        output.note(format_args!("{name} is {status}: waiting for that to end first"));
        deployment::settled(sagemaker, &name, pace, &TokioSleep::new(), |line| output.note(line)).await?;
        endpoint = serving::endpoint(sagemaker, &name).await?;
    }
    let package = choose(session, arguments, &endpoint).await?;
    let (instance_type, capture_percent) = (arguments.instance_type.as_str(), arguments.capture);
    let wanted = Wanted { site, package: &package, instance_type, capture_percent };
    let made = wanted.name();
    let (model, config) = tokio::try_join!(serving::has_model(sagemaker, &made), serving::config(sagemaker, &made))?;
    let there = There { endpoint, model, config: config.is_some() };
    let plan = Plan { actions: deploy(&wanted, &there) };
    let report = Deployment {
        endpoint: name.clone(),
        package: package.arn.clone(),
        version: package.version,
        instance_type: instance_type.to_owned(),
        capture_percent,
        usd_per_hour: cost::hosting_usd_per_hour(instance_type),
        plan,
        dry: arguments.dry.dry,
    };
    if arguments.dry.dry {
        output.print(&report, &report)?;
        return verified(&report.plan);
    }
    verified(&report.plan)?;
    if !arguments.no_preflight && !report.plan.changes_nothing() {
        doctor::preflight(session, &[Feature::Deploy]).await?;
    }
    let executor = Executor::of(session);
    let say = |action: &Action| output.note(format_args!("{} {} {}", action.verdict.word(), action.kind, action.name));
    let (first, changes, last) = stages(&report.plan);
    if !first.changes_nothing() {
        // Its name is free again only when it is gone.
        executor.execute(&first, say).await?;
        deployment::gone(sagemaker, &name, pace, &TokioSleep::new()).await?;
    }
    if !changes.changes_nothing() {
        executor.execute(&changes, say).await?;
        let serving = deployment::settled(sagemaker, &name, pace, &TokioSleep::new(), |line| output.note(line)).await?;
        deployment::serves(&name, &serving, &made)?;
    }
    executor.execute(&last, say).await?;
    output.print(&report, &report)
}

/// The plan in three parts: what goes before anything is made, what is made, and what goes once that serves.
fn stages(plan: &Plan) -> (Plan, Plan, Plan) {
    let actions = &plan.actions;
    let goes = |action: &&Action| action.verdict == Verdict::Delete;
    let first = actions.iter().take_while(goes).count();
    let last = actions[first..].iter().rev().take_while(goes).count();
    let part = |actions: &[Action]| Plan { actions: actions.to_vec() };
    (part(&actions[..first]), part(&actions[first..actions.len() - last]), part(&actions[actions.len() - last..]))
}

/// The package that was asked for: by its ARN, the one served before this one, or the newest that is approved.
async fn choose(session: &Session, arguments: &cli::Deploy, endpoint: &Seen<Serving>) -> Result<Package, Failure> {
    let (site, sagemaker) = (&session.site, &session.clients.sagemaker);
    if let Some(arn) = &arguments.package {
        let package = serving::package(sagemaker, arn).await?;
        return match package.approval.as_str() {
            "Approved" => Ok(package),
            other => Err(Failure::operation(format!("{arn} is {other}, and only what is approved is deployed"))
                .hint(approve(&package.arn))),
        };
    }
    if arguments.rollback {
        let config = match endpoint {
            Seen::Present(serving) => serving.config.as_ref(),
            Seen::Absent | Seen::Unknown(_) => None,
        };
        let before = config.and_then(|config| config.tags.get(names::PREVIOUS_PACKAGE));
        let Some(before) = before else {
            return Err(Failure::operation(format!(
                "{} has served nothing before what it serves now",
                names::endpoint(&site.prefix)
            ))
            .hint("another version: cargo xtask deploy --package ARN"));
        };
        return serving::package(sagemaker, before).await;
    }
    serving::newest_approved(sagemaker, &site.package_group).await?.ok_or_else(|| {
        Failure::operation(format!("{} has no approved version", site.package_group)).hint(format!(
            "train one with `cargo xtask run`, whose packages are approved unless ModelApprovalStatus says otherwise; or {}",
            approve("ARN")
        ))
    })
}

fn approve(arn: &str) -> String {
    format!(
        "approve one: aws sagemaker update-model-package --model-package-arn {arn} --model-approval-status Approved"
    )
}

/// What is served, or would be.
#[derive(Debug, Serialize)]
struct Deployment {
    endpoint: String,
    package: String,
    version: i32,
    instance_type: String,
    capture_percent: u8,
    /// At list price, if it is known.
    usd_per_hour: Option<f64>,
    #[serde(flatten)]
    plan: Plan,
    dry: bool,
}

impl fmt::Display for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dry {
            write!(f, "{}", self.plan)?;
        }
        let Self { endpoint, version, instance_type, capture_percent, .. } = self;
        let serves = if self.dry { "would serve" } else { "serves" };
        writeln!(f, "{endpoint} {serves} version {version} on one {instance_type}, {capture_percent} % captured")?;
        match self.usd_per_hour {
            Some(usd) => {
                let (region, date) = (cost::PRICES_REGION, cost::PRICES_AS_OF);
                write!(f, "about ${usd:.3} an hour, used or not (list price of {region}, {date}; other regions differ)")
            }
            None => write!(f, "no list price known for {instance_type}"),
        }
    }
}
