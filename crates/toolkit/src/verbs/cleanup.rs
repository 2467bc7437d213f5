//! `cleanup`: everything that was created, in the order in which it can go; and what is left.

use std::fmt;
use std::io::{BufRead, IsTerminal, Write};

use aws_sdk_sagemaker::error::ProvideErrorMetadata;
use aws_smithy_async::rt::sleep::TokioSleep;
use serde::Serialize;

use crate::aws::Session;
use crate::aws::errors::describe;
use crate::cli;
use crate::deployment;
use crate::error::Failure;
use crate::execute::Executor;
use crate::names;
use crate::observe::bucket::Standing;
use crate::observe::image::ImageRepository;
use crate::observe::serving;
use crate::observe::{self, Seen, is_absent, monitoring, objects};
use crate::output::{Output, many};
use crate::plan::{Action, Operation, Plan, Verdict};
use crate::watch::Pace;

/// Removes what was created. May be interrupted, and run again.
///
/// # Errors
/// When nobody agrees, or a call is refused. What was removed before it stays removed.
pub async fn run(session: &Session, output: &Output, arguments: &cli::Cleanup) -> Result<(), Failure> {
    let repository = observe::image::own_repository(&session.clients.ecr, &session.site).await?;
    let mut plan = Plan { actions: actions(session, arguments.everything).await? };
    plan.actions.extend(repository_action(repository.as_ref(), arguments.everything));
    let left = left(session, repository.as_ref(), arguments.everything).await?;
    // What could not be looked at may be ours all the same.
    let verified = match &repository {
        Some((name, Seen::Unknown(why))) if arguments.everything => {
            Err(Failure::unverified(format!("whether the image repository {name} is ours is not known: {why}"))
                .hint("the role needs to read it: cargo xtask policies prints what it needs"))
        }
        _ => Ok(()),
    };
    let mut report = Report { plan, left, done: false };
    if arguments.dry.dry || report.plan.changes_nothing() {
        output.print(&report, &report)?;
        return verified;
    }
    if !arguments.yes {
        agreed(output, &report)?;
    }
    let clients = &session.clients;
    let executor = Executor::of(session);
    let pace = if session.offline { Pace::OFFLINE } else { Pace::AWS };
    for action in report.plan.actions.clone() {
        output.note(format_args!("{} {} {}", action.verdict.word(), action.kind, action.name));
        let one = Plan { actions: vec![action.clone()] };
        executor.execute_patiently(&one, pace).await?;
        if action.kind == "endpoint" {
            // Its configuration and its models are in use until it is gone.
            deployment::gone(&clients.sagemaker, &action.name, pace, &TokioSleep::new()).await?;
        }
    }
    report.done = true;
    output.print(&report, &report)?;
    verified
}

fn agreed(output: &Output, report: &Report) -> Result<(), Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage("cleanup asks first, and there is nobody to ask")
            .hint("--yes removes without asking; --dry shows what that would be"));
    }
    output.note(report);
    let mut stderr = std::io::stderr();
    // Who cannot see the question cannot agree either.
    let _ = write!(stderr, "\nremove all this? [y/N] ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    match read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes") {
        true => Ok(()),
        false => Err(Failure::operation("nothing was removed")),
    }
}

/// What there is of ours, in the order in which it can go.
async fn actions(session: &Session, everything: bool) -> Result<Vec<Action>, Failure> {
    let (site, sagemaker) = (&session.site, &session.clients.sagemaker);
    let mut actions = Vec::new();
    let mut remove = |kind, name: &str, because: &str, operation| {
        actions.push(Action::new(Verdict::Delete, kind, name, because, vec![operation]));
    };
    for name in [names::one_look(&site.prefix), names::schedule(&site.prefix)] {
        if matches!(monitoring::schedule(sagemaker, &name).await?, Seen::Present(_)) {
            remove("schedule", &name, "it starts jobs", Operation::DeleteSchedule { name: name.clone() });
        }
    }
    for name in definitions(session).await? {
        let delete = Operation::DeleteQualityDefinition { name: name.clone() };
        remove("job definition", &name, "the schedule went by it", delete);
    }
    let endpoint = names::endpoint(&site.prefix);
    if matches!(serving::endpoint(sagemaker, &endpoint).await?, Seen::Present(_)) {
        let delete = Operation::DeleteEndpoint { name: endpoint.clone() };
        remove("endpoint", &endpoint, "it costs money by the hour", delete);
    }
    for name in configs(session).await? {
        let delete = Operation::DeleteEndpointConfig { name: name.clone() };
        remove("endpoint config", &name, "the endpoint served by it, or did", delete);
    }
    for name in models(session).await? {
        let delete = Operation::DeleteModel { name: name.clone() };
        remove("model", &name, "it was made to be served", delete);
    }
    if !everything {
        return Ok(actions);
    }
    if let Seen::Present(_) = observe::registry::pipeline(sagemaker, &site.pipeline, None).await? {
        let delete = Operation::DeletePipeline { name: site.pipeline.clone() };
        remove("pipeline", &site.pipeline, "everything is to go", delete);
    }
    for arn in packages(session).await? {
        remove("package", &arn, "everything is to go", Operation::DeleteModelPackage { arn: arn.clone() });
    }
    if let Seen::Present(_) = observe::registry::package_group(sagemaker, &site.package_group).await? {
        let delete = Operation::DeleteModelPackageGroup { name: site.package_group.clone() };
        remove("package group", &site.package_group, "everything is to go", delete);
    }
    let prefix = format!("{}/", site.prefix);
    let ours = objects::list(&session.clients.s3, &site.bucket, &prefix, &site.account).await?;
    if !ours.is_empty() {
        let because = format!("{} below our own prefix", many(ours.len(), "object"));
        let delete = |object: objects::Object| Operation::DeleteObject { bucket: site.bucket.clone(), key: object.key };
        let name = format!("s3://{}/{prefix}", site.bucket);
        actions.push(Action::new(Verdict::Delete, "objects", name, because, ours.into_iter().map(delete).collect()));
    }
    Ok(actions)
}

/// The repository goes last, with all its images: until then they may still be run.
fn repository_action(repository: Option<&(String, Seen<ImageRepository>)>, everything: bool) -> Option<Action> {
    match repository {
        Some((name, Seen::Present(ImageRepository { made_by_us: true, .. }))) if everything => {
            let delete = Operation::DeleteRepository { name: name.clone() };
            Some(Action::new(Verdict::Delete, "repository", name, "with its images", vec![delete]))
        }
        _ => None,
    }
}

/// The job definitions of ours.
async fn definitions(session: &Session) -> Result<Vec<String>, Failure> {
    let prefix = names::quality_definition(&session.site.prefix, "");
    let listed = session.clients.sagemaker.list_model_quality_job_definitions().name_contains(&prefix);
    let mut pages = listed.into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe("ListModelQualityJobDefinitions", error))?;
        let names = page.job_definition_summaries.unwrap_or_default().into_iter();
        found.extend(names.filter_map(|it| it.monitoring_job_definition_name).filter(|name| name.starts_with(&prefix)));
    }
    Ok(found)
}

/// The endpoint configurations that we made: by their names, and by their tags.
async fn configs(session: &Session) -> Result<Vec<String>, Failure> {
    let sagemaker = &session.clients.sagemaker;
    let prefix = format!("{}-", session.site.prefix);
    let mut pages = sagemaker.list_endpoint_configs().name_contains(&prefix).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe("ListEndpointConfigs", error))?;
        let summaries = page.endpoint_configs.unwrap_or_default().into_iter();
        found.extend(summaries.filter_map(|it| it.endpoint_config_name.zip(it.endpoint_config_arn)));
    }
    ours(session, &prefix, found).await
}

/// The models that we made, by their names and tags too: one whose configuration was refused is named by nothing else.
async fn models(session: &Session) -> Result<Vec<String>, Failure> {
    let sagemaker = &session.clients.sagemaker;
    let prefix = format!("{}-", session.site.prefix);
    let mut pages = sagemaker.list_models().name_contains(&prefix).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe("ListModels", error))?;
        let summaries = page.models.unwrap_or_default().into_iter();
        found.extend(summaries.filter_map(|it| it.model_name.zip(it.model_arn)));
    }
    ours(session, &prefix, found).await
}

/// Of these names and ARNs the names that begin as ours do, of what carries our tag.
async fn ours(session: &Session, prefix: &str, found: Vec<(String, String)>) -> Result<Vec<String>, Failure> {
    let (key, value) = names::MANAGED_BY;
    let mut ours = Vec::new();
    for (name, arn) in found.into_iter().filter(|(name, _)| name.starts_with(prefix)) {
        let tags = observe::tags(&session.clients.sagemaker, &arn).await?;
        if tags.get(key).is_some_and(|maker| maker == value) {
            ours.push(name);
        }
    }
    Ok(ours)
}

/// The versions of the group.
async fn packages(session: &Session) -> Result<Vec<String>, Failure> {
    let listed = session.clients.sagemaker.list_model_packages().model_package_group_name(&session.site.package_group);
    let mut pages = listed.into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => {
                let summaries = page.model_package_summary_list.unwrap_or_default().into_iter();
                found.extend(summaries.filter_map(|it| it.model_package_arn));
            }
            Err(error) if is_absent(error.code(), error.message()) => return Ok(Vec::new()),
            Err(error) => return Err(describe("ListModelPackages", error)),
        }
    }
    Ok(found)
}

/// Something that stays, and whether it costs money.
#[derive(Debug, Serialize)]
struct Left {
    what: String,
    costs: &'static str,
}

async fn left(
    session: &Session,
    repository: Option<&(String, Seen<ImageRepository>)>,
    everything: bool,
) -> Result<Vec<Left>, Failure> {
    let (site, clients) = (&session.site, &session.clients);
    let mut left = Vec::new();
    let mut stays = |what: String, costs| left.push(Left { what, costs });
    if !everything {
        if let Seen::Present(_) = observe::registry::pipeline(&clients.sagemaker, &site.pipeline, None).await? {
            stays(format!("the pipeline {}", site.pipeline), "nothing");
        }
        if let Seen::Present(_) = observe::registry::package_group(&clients.sagemaker, &site.package_group).await? {
            stays(format!("the package group {} and its versions", site.package_group), "nothing");
        }
        let prefix = format!("{}/", site.prefix);
        let objects = objects::list(&clients.s3, &site.bucket, &prefix, &site.account).await?;
        if !objects.is_empty() {
            let bytes: u64 = objects.iter().map(|object| object.size).sum();
            let (objects, megabytes) = (many(objects.len(), "object"), bytes.div_ceil(1_000_000));
            stays(format!("{objects} below s3://{}/{prefix}, {megabytes} MB", site.bucket), "S3's storage");
        }
    }
    if let Standing::Ours(_) = observe::bucket::look(&clients.s3, &site.bucket, &site.account, &site.region).await {
        stays(format!("the bucket {}, which others may use too", site.bucket), "what is stored in it");
    }
    match repository {
        Some((name, Seen::Present(found))) if !everything || !found.made_by_us => {
            let whose = if found.made_by_us { "" } else { ", which others made" };
            stays(format!("the image repository {name}{whose}"), "ECR's storage of images");
        }
        Some((name, Seen::Unknown(_))) => {
            stays(format!("the image repository {name}, if there is one"), "ECR's storage of images");
        }
        _ => {}
    }
    stays("the history of jobs and executions, which SageMaker keeps".to_owned(), "nothing");
    stays("logs and metrics in CloudWatch, below /aws/sagemaker/".to_owned(), "CloudWatch's storage of logs");
    Ok(left)
}

#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    plan: Plan,
    left: Vec<Left>,
    done: bool,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.plan.actions.is_empty(), self.done) {
            (true, _) => writeln!(f, "there is nothing to remove")?,
            (false, true) => writeln!(f, "{} removed", many(self.plan.actions.len(), "thing"))?,
            (false, false) => {
                for action in &self.plan.actions {
                    writeln!(
                        f,
                        "delete  {:<15}  {}\n        {:<15}  {}",
                        action.kind, action.name, "", action.because
                    )?;
                }
            }
        }
        write!(f, "\nleft:")?;
        for Left { what, costs } in &self.left {
            write!(f, "\n  {what} (costs {costs})")?;
        }
        Ok(())
    }
}
