//! `run`: bootstraps if need be, uploads the input, creates or updates the pipeline, starts it and watches it.

use serde::Serialize;

use super::{bootstrap, watch};
use crate::aws::Session;
use crate::cli;
use crate::cost::{self, Estimate};
use crate::error::Failure;
use crate::explain::{self, Explanation};
use crate::names;
use crate::observe::{self, Bucket, Input, Seen};
use crate::output::Output;
use crate::pipeline::{self, parameter, step};
use crate::plan::{Action, Parameter, Plan};
use crate::plans;
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
    let input = Input::read(arguments.input.as_deref())?;
    let definition = pipeline::definition(&session.site);
    super::pipeline::lint::gate(output, &definition)?;
    let parameters = parameters(&session.site, &definition, &input, &arguments.parameters)?;
    let plan = Plan { actions: plan(session, &definition.to_json(), &input, &parameters).await? };
    let cache = match arguments.explain_cache {
        true => Some(explain(session, &definition, &parameters).await?),
        false => None,
    };
    if arguments.dry.dry {
        let preview = Preview { cache, ..Preview::new(plan, &definition, &parameters) };
        output.print(&preview, &preview)?;
        return bootstrap::verified(&preview.plan);
    }
    if let Input::Local { label, rows, .. } = &input {
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

/// Which jobs will be taken over, and why the others run.
async fn explain(
    session: &Session,
    definition: &pipeline_definition::Definition,
    parameters: &[Parameter],
) -> Result<Vec<Explanation>, Failure> {
    let given: Vec<_> = parameters.iter().map(|it| (it.name.clone(), it.value.clone())).collect();
    let bound = pipeline_definition::parameters::bind(definition, &given);
    let bound = bound.map_err(|error| Failure::usage(error.to_string()))?;
    explain::explain(&session.clients.sagemaker, &session.site.pipeline, definition, bound).await
}

/// What a dry run can say when nobody can be asked what exists: everything that is known without AWS.
///
/// # Errors
/// Always: with exit code 3, since nothing could be verified; or when input or parameters cannot be used.
pub fn preview_without_aws(site: &Site, output: &Output, arguments: &cli::Run, why: &Failure) -> Result<(), Failure> {
    let input = Input::read(arguments.input.as_deref())?;
    let definition = pipeline::definition(site);
    super::pipeline::lint::gate(output, &definition)?;
    let parameters = parameters(site, &definition, &input, &arguments.parameters)?;
    let unknown = || "AWS could not be asked".to_owned();
    let mut actions = plans::bootstrap(site, &Seen::Unknown(unknown()), &Seen::Unknown(unknown()));
    let upload = upload(site, &input, Seen::Unknown(unknown()));
    let json = definition.to_json();
    let wanted = plans::run::Wanted { site, definition: &json, upload, parameters: parameters.clone() };
    actions.extend(plans::run(wanted, &Seen::Unknown(unknown())));
    let preview = Preview::new(Plan { actions }, &definition, &parameters);
    output.print(&preview, &preview)?;
    let failure = Failure::unverified(format!("what exists could not be looked at: {why}"));
    Err(match why.next() {
        Some(hint) => failure.hint(hint),
        None => failure,
    })
}

/// Everything that has to be done, in order.
async fn plan(
    session: &Session,
    definition: &str,
    input: &Input,
    parameters: &[Parameter],
) -> Result<Vec<Action>, Failure> {
    let (clients, site) = (&session.clients, &session.site);
    let bucket = observe::bucket(&clients.s3, &site.bucket, &site.account, &site.region).await?;
    let group = observe::registry::package_group(&clients.sagemaker, &site.package_group).await?;
    let deployed = observe::registry::pipeline(&clients.sagemaker, &site.pipeline).await?;
    let seen = seen_input(session, input, &bucket).await?;
    let mut actions = plans::bootstrap(site, &bucket, &group);
    let upload = upload(site, input, seen);
    let wanted = plans::run::Wanted { site, definition, upload, parameters: parameters.to_vec() };
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

/// The parameters that are given to the execution: the input, and what was typed. They are checked against the
/// definition as SageMaker would, only sooner.
fn parameters(
    site: &Site,
    definition: &pipeline_definition::Definition,
    input: &Input,
    typed: &[(String, String)],
) -> Result<Vec<Parameter>, Failure> {
    let uri = match input {
        Input::S3 { uri } => uri.clone(),
        Input::Local { sha256, .. } => format!("s3://{}/{}", site.bucket, names::input_key(&site.prefix, sha256)),
    };
    let mut given = vec![(parameter::INPUT_DATA_URL.to_owned(), uri)];
    for (name, value) in typed {
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

/// What `--dry` prints.
#[derive(Debug, Serialize)]
struct Preview {
    #[serde(flatten)]
    plan: Plan,
    parameters: Vec<Parameter>,
    /// The calls that SageMaker makes as the role, once the execution has started.
    steps: Vec<(&'static str, &'static str)>,
    cost: Estimate,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<Vec<Explanation>>,
}

/// What `--detach` prints.
#[derive(Serialize)]
struct Started<'a> {
    execution: &'a str,
}

impl Preview {
    fn new(plan: Plan, definition: &pipeline_definition::Definition, given: &[Parameter]) -> Self {
        let defaults = definition.parameters.iter().filter_map(|it| {
            let value = it.default.as_ref()?;
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Some(Parameter { name: it.name.clone(), value })
        });
        let mut parameters: Vec<_> = defaults.filter(|it| given.iter().all(|given| given.name != it.name)).collect();
        parameters.extend(given.iter().cloned());
        let value =
            |name: &str| parameters.iter().find(|it| it.name == name).map(|it| it.value.clone()).unwrap_or_default();
        let processing = value(parameter::PROCESSING_INSTANCE_TYPE);
        let count = value(parameter::PROCESSING_INSTANCE_COUNT).parse().unwrap_or(1);
        let cost = cost::estimate(&[
            (step::PREPROCESS, processing.clone(), count),
            (step::TRAIN, value(parameter::TRAINING_INSTANCE_TYPE), 1),
            (step::EVALUATE, processing.clone(), 1),
            (step::BASELINE, processing, 1),
        ]);
        let steps = vec![
            (step::PREPROCESS, "sagemaker:CreateProcessingJob"),
            (step::TRAIN, "sagemaker:CreateTrainingJob"),
            (step::EVALUATE, "sagemaker:CreateProcessingJob"),
            (step::BASELINE, "sagemaker:CreateProcessingJob"),
            (step::REGISTER, "sagemaker:CreateModelPackage"),
        ];
        Self { plan, parameters, steps, cost, cache: None }
    }
}

impl std::fmt::Display for Preview {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.plan)?;
        writeln!(f, "parameters")?;
        for parameter in &self.parameters {
            writeln!(f, "  {:<24} {}", parameter.name, parameter.value)?;
        }
        writeln!(f, "then SageMaker calls, as the role")?;
        for (step, call) in &self.steps {
            writeln!(f, "  {step:<24} {call}")?;
        }
        writeln!(
            f,
            "  {:<24} if the model passes: {}, {}; else {}",
            step::CHECK,
            step::BASELINE,
            step::REGISTER,
            step::FAIL
        )?;
        if let Some(cache) = &self.cache {
            writeln!(f, "cache")?;
            cache.iter().try_for_each(|explanation| writeln!(f, "{explanation}"))?;
        }
        write!(f, "cost: {}", self.cost)
    }
}
