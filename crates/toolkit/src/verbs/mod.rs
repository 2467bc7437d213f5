//! The verbs, one file each.

pub mod bootstrap;
pub mod cleanup;
pub mod config;
pub mod demo;
pub mod deploy;
pub mod doctor;
pub mod ground_truth;
pub mod image;
pub mod logs;
pub mod model;
pub mod monitor;
pub mod pipeline;
pub mod policies;
pub mod retry;
pub mod run;
pub mod stop;
pub mod traffic;
pub mod watch;

use std::path::{Path, PathBuf};

use sagemaker_fake::account::Scenario;

use crate::aws::{Mode, Place, Session};
use crate::cli::{self, Cli, Globals, Pipeline, Verb};
use crate::error::{Failure, Kind};
use crate::names;
use crate::observe::Seen;
use crate::observe::serving::{self, Package};
use crate::offline::state_folder;
use crate::output::Output;
use crate::settings::{Settings, Sources};
use crate::site::{Site, UNKNOWN_ACCOUNT};

/// What every verb starts from.
pub struct Context {
    /// The settings.
    pub settings: Settings,
    /// How to speak.
    pub output: Output,
    /// Where to work.
    pub place: Place,
    /// The folder that the command was typed in.
    pub current: PathBuf,
    as_caller: bool,
}

/// Runs the verb that was typed.
///
/// # Errors
/// Those of the settings and of the verb.
pub async fn dispatch(cli: Cli) -> Result<(), Failure> {
    // Knows no AWS, and needs no settings.
    if let Verb::Model(verb) = &cli.verb {
        return model::run(verb, &Output { format: cli.globals.output, verbose: cli.globals.verbose });
    }
    let offline = cli.globals.offline || matches!(cli.verb, Verb::Demo);
    let context = Context::new(cli.globals, offline)?;
    // The doctor tells them as findings.
    let told = if matches!(cli.verb, Verb::Doctor(_)) { 0 } else { usize::MAX };
    for warning in context.warnings(matches!(cli.verb, Verb::Config)).take(told) {
        context.output.warn(warning);
    }
    let output = &context.output;
    match cli.verb {
        Verb::Doctor(arguments) => {
            // On the heap: with all that it asks for at once it would be too deep for the compiler to lay out.
            Box::pin(doctor::run(&context.settings, &context.place, &context.current, output, &arguments)).await
        }
        Verb::Config => config::run(&context),
        Verb::Policies(arguments) => policies::run(&context.site()?, &context.place, output, &arguments),
        Verb::Pipeline(Pipeline::Show(cli::Version { version: None })) => pipeline::show(&context.site()?, output),
        Verb::Pipeline(Pipeline::Show(cli::Version { version: Some(version) })) => {
            pipeline::show_version(&context.session("pipeline", Mode::Dry).await?, output, version).await
        }
        Verb::Pipeline(Pipeline::Lint(of)) => pipeline::lint::run(output, of.file.as_deref(), || context.site()),
        Verb::Pipeline(Pipeline::Diff { definition, version }) => {
            let session = context.session("pipeline", Mode::Dry).await?;
            pipeline::diff::run(&session, output, definition.file.as_deref(), version.version).await
        }
        Verb::Pipeline(Pipeline::Versions) => {
            pipeline::versions::run(&context.session("pipeline", Mode::Dry).await?, output).await
        }
        Verb::Pipeline(Pipeline::Graph { definition, format }) => {
            pipeline::graph::run(output, definition.file.as_deref(), format, || context.site())
        }
        Verb::Demo => {
            let mut session = context.session("demo", Mode::Live).await?;
            let done = Box::pin(demo::run(&context, &mut session)).await;
            session.close().await;
            done
        }
        Verb::Bootstrap(dry) => {
            bootstrap::run(&context.session("bootstrap", Mode::dry(dry.dry)).await?, output, dry.dry).await
        }
        Verb::Run(arguments) => match context.session("run", Mode::dry(arguments.dry.dry)).await {
            Ok(session) => run::run(&session, output, &arguments).await,
            Err(why) if arguments.dry.dry && context.may_go_on_without_aws(&why) => {
                run::preview_without_aws(&context.site()?, output, &arguments, &why)
            }
            Err(failure) => Err(failure),
        },
        Verb::Watch(which) => {
            watch::run(&context.session("watch", Mode::Live).await?, output, which.execution.as_deref()).await
        }
        Verb::Retry(which) => {
            retry::run(&context.session("retry", Mode::Live).await?, output, which.execution.as_deref()).await
        }
        Verb::Stop(which) => {
            stop::run(&context.session("stop", Mode::Live).await?, output, which.execution.as_deref()).await
        }
        Verb::Logs(which) => {
            let session = context.session("logs", Mode::Live).await?;
            logs::run(&session, output, &which.step, which.execution.as_deref()).await
        }
        Verb::Deploy(arguments) => {
            let session = context.session("deploy", Mode::dry(arguments.dry.dry)).await?;
            Box::pin(deploy::run(&session, output, &arguments)).await
        }
        Verb::Traffic(arguments) => {
            let session = context.session("traffic", Mode::Live).await?;
            let done = Box::pin(traffic::run(&session, output, &arguments)).await;
            // What was captured of it is there for whoever looks next.
            session.close().await;
            done
        }
        Verb::GroundTruth(arguments) => {
            let session = context.session("ground-truth", Mode::dry(arguments.dry.dry)).await?;
            Box::pin(ground_truth::run(&session, output, &arguments)).await
        }
        Verb::Image(cli::Image::Push(arguments)) => {
            let mode = Mode::dry(arguments.dry.dry);
            match &arguments.registry {
                Some(registry) => image::push_elsewhere(registry, output, &arguments, mode).await,
                None => Box::pin(image::push(&context.session("image", mode).await?, output, &arguments, mode)).await,
            }
        }
        Verb::Cleanup(arguments) => {
            let session = context.session("cleanup", Mode::dry(arguments.dry.dry)).await?;
            Box::pin(cleanup::run(&session, output, &arguments)).await
        }
        Verb::Monitor(verb) => {
            let dry = matches!(&verb, cli::Monitor::Setup(it) if it.dry.dry)
                || matches!(&verb, cli::Monitor::Stop(it) if it.dry);
            let session = context.session("monitor", Mode::dry(dry)).await?;
            Box::pin(monitor::run(&session, output, &verb)).await
        }
        // Handled before there are settings.
        Verb::Container { .. } | Verb::Model(_) => Ok(()),
    }
}

/// The package that the endpoint serves.
async fn served(session: &Session) -> Result<Package, Failure> {
    let (site, sagemaker) = (&session.site, &session.clients.sagemaker);
    let name = names::endpoint(&site.prefix);
    let endpoint = match serving::endpoint(sagemaker, &name).await? {
        Seen::Present(endpoint) => endpoint,
        Seen::Absent | Seen::Unknown(_) => {
            return Err(Failure::operation(format!("there is no endpoint {name}"))
                .hint(format!("deploy one: cargo xtask deploy{}", session.flags)));
        }
    };
    let arn = endpoint.config.as_ref().and_then(|config| config.tags.get(names::PACKAGE));
    match arn {
        Some(arn) => serving::package(sagemaker, arn).await,
        None => Err(Failure::operation(format!("{name} does not say which package it serves"))
            .hint("it was not deployed by this toolkit: choose another BASE_JOB_PREFIX, or remove it")),
    }
}

impl Context {
    fn new(globals: Globals, offline: bool) -> Result<Self, Failure> {
        if let (false, Some(flag)) = (offline, globals.offline_only()) {
            return Err(Failure::usage(format!("{flag} is about the fake of AWS")).hint("add --offline"));
        }
        let current =
            std::env::current_dir().map_err(|error| Failure::usage("there is no current directory").because(error))?;
        let Globals {
            state,
            images,
            scenario,
            enforce_iam,
            strict_images,
            as_caller,
            output: format,
            verbose,
            settings: flags,
            ..
        } = globals;
        let settings = Settings::resolve(&Sources::of_process(flags, &current)?)?;
        let place = if offline {
            let scenario = scenario.unwrap_or_else(|| "ready".to_owned());
            let state = state_folder(state.as_deref(), settings.state_dir.as_deref(), &current);
            let images = images.as_ref().or(settings.images.as_ref()).map(|file| current.join(file));
            Place::Offline { state, images, scenario, enforce_iam, strict_images }
        } else {
            Place::Aws
        };
        Ok(Self { settings, output: Output { format, verbose }, place, current, as_caller })
    }

    /// Opens a session. With `-v` it is said who works.
    async fn session(&self, verb: &str, mode: Mode) -> Result<Session, Failure> {
        let session = Session::open(&self.settings, &self.place, verb, self.as_caller, mode).await?;
        let identity = &session.identity;
        self.output.detail(format_args!("caller: {}\nworking as: {}", identity.caller, identity.session));
        Ok(session)
    }

    /// The names of everything, as far as they are known without asking anybody.
    fn site(&self) -> Result<Site, Failure> {
        if let Place::Offline { scenario, .. } = &self.place {
            let scenario = Scenario::named(scenario).map_err(Failure::usage)?;
            return Ok(Site::new(&self.settings, &scenario.account, scenario.role_arns().next().as_deref()));
        }
        let role = self.settings.role.as_ref();
        let account = role.map_or(UNKNOWN_ACCOUNT, |role| &role.account);
        Ok(Site::new(&self.settings, account, role.map(|role| role.arn.as_str())))
    }

    /// Whether a dry run can still say something: nobody could be asked, but nobody refused either.
    fn may_go_on_without_aws(&self, why: &Failure) -> bool {
        why.kind() == Kind::NoCredentials
            || why.is_transient()
            || (self.settings.role.is_none() && why.kind() == Kind::Usage)
    }

    /// What may not be as the user thinks. Offline nobody looks at credentials.
    fn warnings(&self, all: bool) -> impl Iterator<Item = &String> {
        let of_aws = (all || matches!(self.place, Place::Aws)).then_some(&self.settings.aws.warnings);
        self.settings.all_warnings().chain(of_aws.into_iter().flatten())
    }
}

impl Globals {
    /// The flag that means nothing on AWS.
    fn offline_only(&self) -> Option<&'static str> {
        let state = self.state.as_deref().map(|_: &Path| "--state");
        let images = self.images.as_deref().map(|_: &Path| "--images");
        let scenario = self.scenario.as_deref().map(|_| "--scenario");
        let strict = self.enforce_iam.then_some("--enforce-iam").or(self.strict_images.then_some("--strict-images"));
        state.or(images).or(scenario).or(strict)
    }
}
