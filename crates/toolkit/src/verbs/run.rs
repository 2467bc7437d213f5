//! `run`: bootstraps if need be, uploads the input, creates or updates the pipeline, starts it and watches it.

mod preview;

use iam_policy::generate::Feature;
use pipeline_definition::graph::Selection;
use pipeline_definition::{Definition, Graph};
use serde::Serialize;

use self::preview::Preview;
use super::image::{self, Pinned};
use super::{bootstrap, watch};
use crate::aws::Session;
use crate::cli;
use crate::doctor;
use crate::error::Failure;
use crate::explain::{self, Explanation};
use crate::names;
use crate::observe::{self, Bucket, Input, Seen};
use crate::output::Output;
use crate::pipeline::{self, parameter};
use crate::plan::{Action, Parameter, Plan, Verdict};
use crate::plans;
use crate::selective::{self, Source};
use crate::site::Site;

/// Runs the pipeline; with `--dry`, says what that would do.
///
/// # Errors
/// When input or parameters cannot be used, a call is refused, or the execution does not succeed.
pub async fn run(session: &Session, output: &Output, arguments: &cli::Run) -> Result<(), Failure> {
    if session.identity.role.is_none() {
        return Err(Failure::usage("`run` passes a role to SageMaker, and AWS_ROLE is not set")
            .hint("set AWS_ROLE to the ARN of the execution role; --as-caller only says who calls"));
    }
    let Pinned { site, action: image } = image::pin(session, output).await?;
    let definition = pipeline::definition(&site);
    super::pipeline::lint::gate(output, &definition)?;
    let graph = graph(&definition)?;
    let selection = select(&graph, &arguments.only)?;
    let source = match &selection {
        Some(selection) => source(session, selection, arguments.from.as_deref()).await?,
        None => None,
    };
    // What goes on from an execution has its input, unless another is given.
    let input = match (&source, arguments.input.as_deref()) {
        (Some(_), None) => None,
        (_, given) => Some(Input::read(given)?),
    };
    let parameters = parameters(&session.site, &definition, source.as_ref(), input.as_ref(), &arguments.parameters)?;
    let selected = selection.as_ref().map(|selection| selected(selection, source.as_ref()));
    let rest = plan(session, &definition.to_json(), input.as_ref(), &parameters, selected).await?;
    let plan = Plan { actions: image.into_iter().chain(rest).collect() };
    let cache = match arguments.explain_cache {
        true => Some(explain(session, &definition, &parameters).await?),
        false => None,
    };
    if arguments.dry.dry {
        let only = selection.as_ref().map(|selection| selection.runs.as_slice());
        let mut preview = Preview::new(plan, &definition, &parameters, only);
        preview.cache = cache;
        output.print(&preview, &preview)?;
        image::there_if_needed(session, &preview.plan)?;
        return bootstrap::verified(&preview.plan);
    }
    image::there_if_needed(session, &plan)?;
    bootstrap::verified(&plan)?;
    if !arguments.no_preflight {
        doctor::preflight(session, &[Feature::Bootstrap, Feature::Run]).await?;
    }
    if let Some(Input::Local { label, rows, .. }) = &input {
        output.note(format_args!("input: {label}, {rows} pairs"));
    }
    for explanation in cache.iter().flatten() {
        output.note(explanation);
    }
    let outcome = bootstrap::execute(session, output, &plan).await?;
    let Some(execution) = outcome.execution else {
        return Err(Failure::operation("StartPipelineExecution was answered without an ARN"));
    };
    output.note(format_args!("started {execution}"));
    if arguments.detach {
        let note = match session.offline {
            true => "it goes on whenever a command has the offline state open; follow it: cargo xtask watch --offline",
            false => "it goes on by itself; follow it: cargo xtask watch",
        };
        output.note(format_args!("{note} {execution}"));
        return output.print(&execution, &Started { execution: &execution });
    }
    watch::follow(session, output, &execution).await
}

fn graph(definition: &Definition) -> Result<Graph, Failure> {
    Graph::new(definition).map_err(|error| Failure::operation("our own definition is no graph").because(error))
}

/// What `--only` selects; none if all steps run.
fn select<'g>(graph: &'g Graph, only: &'g [String]) -> Result<Option<Selection<'g>>, Failure> {
    if only.is_empty() { Ok(None) } else { selective::select(graph, only).map(Some) }
}

async fn source(session: &Session, selection: &Selection<'_>, from: Option<&str>) -> Result<Option<Source>, Failure> {
    let from = match from {
        Some(from) => Some(watch::resolve(session, Some(from)).await?),
        None => None,
    };
    selective::source(session, selection, from).await
}

fn selected<'a>(selection: &Selection<'a>, source: Option<&'a Source>) -> plans::run::Selected<'a> {
    plans::run::Selected { runs: selection.runs.clone(), takes: selection.takes.clone(), source }
}

/// Which jobs will be taken over, and why the others run.
async fn explain(
    session: &Session,
    definition: &Definition,
    parameters: &[Parameter],
) -> Result<Vec<Explanation>, Failure> {
    let given: Vec<_> = parameters.iter().map(|it| (it.name.clone(), it.value.clone())).collect();
    let bound = pipeline_definition::parameters::bind(definition, &given);
    let bound = bound.map_err(|error| Failure::usage(error.to_string()))?;
    explain::explain(session, definition, bound).await
}

/// What a dry run can say when nobody can be asked what exists: everything that is known without AWS.
///
/// # Errors
/// Always: with exit code 3, since nothing could be verified; or when input or parameters cannot be used.
pub fn preview_without_aws(site: &Site, output: &Output, arguments: &cli::Run, why: &Failure) -> Result<(), Failure> {
    let input = Input::read(arguments.input.as_deref())?;
    let definition = pipeline::definition(site);
    super::pipeline::lint::gate(output, &definition)?;
    let graph = graph(&definition)?;
    let selection = select(&graph, &arguments.only)?;
    let parameters = parameters(site, &definition, None, Some(&input), &arguments.parameters)?;
    if let Some(selection) = selection.as_ref().filter(|it| arguments.from.is_some() || !it.takes.is_empty()) {
        let steps = selection.runs.join(", ");
        return Err(unverified(&format!("what {steps} would go on from could not be looked at"), why));
    }
    let unknown = || "AWS could not be asked".to_owned();
    let image = Action::new(Verdict::Unknown, "image", &site.image, unknown(), Vec::new());
    let mut actions = vec![image];
    actions.extend(plans::bootstrap(site, &Seen::Unknown(unknown()), &Seen::Unknown(unknown())));
    let upload = upload(site, &input, Seen::Unknown(unknown()));
    let json = definition.to_json();
    let selected = selection.as_ref().map(|selection| selected(selection, None));
    let wanted = plans::run::Wanted { site, definition: &json, upload, parameters: parameters.clone(), selected };
    actions.extend(plans::run(wanted, &Seen::Unknown(unknown())));
    let only = selection.as_ref().map(|selection| selection.runs.as_slice());
    let preview = Preview::new(Plan { actions }, &definition, &parameters, only);
    output.print(&preview, &preview)?;
    Err(unverified("what exists could not be looked at", why))
}

fn unverified(what: &str, why: &Failure) -> Failure {
    let failure = Failure::unverified(format!("{what}: {why}"));
    match why.next() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Everything that has to be done, in order.
async fn plan(
    session: &Session,
    definition: &str,
    input: Option<&Input>,
    parameters: &[Parameter],
    selected: Option<plans::run::Selected<'_>>,
) -> Result<Vec<Action>, Failure> {
    let (clients, site) = (&session.clients, &session.site);
    let bucket = observe::bucket(&clients.s3, &site.bucket, &site.account, &site.region).await?;
    let group = observe::registry::package_group(&clients.sagemaker, &site.package_group).await?;
    let deployed = observe::registry::pipeline(&clients.sagemaker, &site.pipeline, None).await?;
    let upload = match input {
        Some(input) => upload(site, input, seen_input(session, input, &bucket).await?),
        None => None,
    };
    let mut actions = plans::bootstrap(site, &bucket, &group);
    let wanted = plans::run::Wanted { site, definition, upload, parameters: parameters.to_vec(), selected };
    actions.extend(plans::run(wanted, &deployed));
    Ok(actions)
}

/// What is at the input's key now.
async fn seen_input(session: &Session, input: &Input, bucket: &Seen<Bucket>) -> Result<Seen<u64>, Failure> {
    let (s3, site) = (&session.clients.s3, &session.site);
    match (input, bucket) {
        (Input::S3 { uri }, _) => observe::input::foreign(s3, uri).await.map(|()| Seen::Absent),
        (Input::Local { sha256, .. }, Seen::Present(_)) => {
            let key = names::input_key(&site.prefix, sha256);
            observe::input::object(s3, &site.bucket, &key, &site.account).await
        }
        (Input::Local { .. }, Seen::Absent) => Ok(Seen::Absent),
        (Input::Local { .. }, Seen::Unknown(why)) => Ok(Seen::Unknown(why.clone())),
    }
}

fn upload<'a>(site: &'a Site, input: &'a Input, seen: Seen<u64>) -> Option<plans::run::Upload<'a>> {
    match input {
        Input::Local { content, sha256, .. } => {
            let key = names::input_key(&site.prefix, sha256);
            Some(plans::run::Upload { bucket: &site.bucket, key, content, seen })
        }
        Input::S3 { .. } => None,
    }
}

/// The parameters that are given to the execution: those of its source, as far as there still are such; the input; and
/// what was typed. They are checked against the definition as SageMaker would, only sooner.
fn parameters(
    site: &Site,
    definition: &Definition,
    source: Option<&Source>,
    input: Option<&Input>,
    typed: &[(String, String)],
) -> Result<Vec<Parameter>, Failure> {
    let uri = input.map(|input| match input {
        Input::S3 { uri } => uri.clone(),
        Input::Local { sha256, .. } => format!("s3://{}/{}", site.bucket, names::input_key(&site.prefix, sha256)),
    });
    let inherited = source.into_iter().flat_map(|source| &source.parameters);
    let mut given: Vec<_> =
        inherited.filter(|(name, _)| definition.parameters.iter().any(|it| it.name == *name)).cloned().collect();
    let of_input = uri.map(|uri| (parameter::INPUT_DATA_URL.to_owned(), uri));
    for (name, value) in of_input.iter().chain(typed) {
        match given.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => known.clone_from(value),
            None => given.push((name.clone(), value.clone())),
        }
    }
    let names = || definition.parameters.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ");
    pipeline_definition::parameters::bind(definition, &given)
        .map_err(|error| Failure::usage(error.to_string()).hint(format!("--param takes NAME=VALUE of: {}", names())))?;
    Ok(given.into_iter().map(|(name, value)| Parameter { name, value }).collect())
}

/// What `--detach` prints.
#[derive(Serialize)]
struct Started<'a> {
    execution: &'a str,
}
