//! The fake as a program of its own: an endpoint for any AWS client.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use ::http::Method;
use anyhow::{Context, bail};
use clap::{Parser, Subcommand, ValueEnum};
use sagemaker_fake::account::Scenario;
use sagemaker_fake::doors::control::{self, ClockFace};
use sagemaker_fake::doors::http;
use sagemaker_fake::doors::owner::Owner;
use sagemaker_fake::fake::STORE_FILE;
use sagemaker_fake::protocol::Checked;
use sagemaker_fake::{Fake, export};
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// A stateful fake of SageMaker, S3, AWS STS, IAM and CloudWatch Logs that really runs pipelines
#[derive(Parser)]
#[command(name = "sagemaker-fake", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    /// How results are written to stdout
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Subcommand)]
enum Verb {
    /// Serves an account until it is interrupted
    Serve {
        /// The port on this machine; 0 takes any that is free
        #[arg(long, default_value_t = 4566)]
        port: u16,
        /// The folder of the state, which outlives the server
        #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE)]
        state: PathBuf,
        /// The account to begin with
        #[arg(long, value_name = "NAME", default_value = "ready", value_parser = scenario)]
        scenario: Box<Scenario>,
        /// Verify signatures and authorise every call, as AWS does; the state remembers it
        #[arg(long)]
        enforce_iam: bool,
    },
    /// Moves the account's clock forward: what is due in between happens
    Advance {
        /// By how much, e.g. 45s, 90m, 2h, 1day
        #[arg(value_name = "DURATION", value_parser = humantime::parse_duration)]
        by: Duration,
        /// The folder of the state
        #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE)]
        state: PathBuf,
    },
    /// Prints the state as one JSON document
    Export {
        /// The folder of the state
        #[arg(long, value_name = "DIR", default_value = DEFAULT_STATE)]
        state: PathBuf,
    },
    /// Runs what is inside our container image, as the fake does for a job
    #[command(hide = true, disable_help_flag = true)]
    Container {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

/// Where `--offline` keeps its state too.
const DEFAULT_STATE: &str = ".stsmm/offline";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    Text,
    /// One JSON document
    Json,
}

fn scenario(name: &str) -> Result<Box<Scenario>, String> {
    Scenario::named(name).map(Box::new)
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.verb {
        Verb::Serve { port, state, mut scenario, enforce_iam } => {
            scenario.enforce_iam |= enforce_iam;
            serve(port, &state, *scenario, cli.output)
        }
        Verb::Advance { by, state } => advance(by, &state, cli.output),
        Verb::Export { state } => export(&state),
        Verb::Container { arguments } => return sts_container::run(arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn serve(port: u16, state: &Path, scenario: Scenario, output: Output) -> anyhow::Result<()> {
    // s3s logs every request that is refused as an error of its own.
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn,s3s=off".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();

    if let Some(url) = Owner::find(state) {
        bail!(
            "the state in {} is served already, at {url}; stop that, or choose another folder with --state",
            state.display()
        );
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen at {address}; choose another port with --port"))?;
    let fake = Fake::builder().state(state).scenario(scenario).build()?;
    // Asked for before anyone is told the URL: whoever stops us early stops us in order.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let server = http::serve(&fake, listener, Checked::No)?;
    let owner = Owner::claim(state, server.url()).with_context(|| format!("cannot write to {}", state.display()))?;
    match output {
        Output::Text => {
            println!("serving account {} at {} (state in {})", fake.account(), server.url(), state.display());
        }
        Output::Json => println!("{}", json!({"endpoint_url": server.url()})),
    }
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    server.stop().await;
    drop(owner);
    sagemaker_fake::engine::close(fake).await;
    Ok(())
}

/// Moves the clock of whoever serves the folder, which then does what falls due. If nobody does, that is done here, and
/// waited for.
#[tokio::main]
async fn advance(by: Duration, state: &Path, output: Output) -> anyhow::Result<()> {
    let clock: ClockFace = match Owner::find(state) {
        Some(url) => {
            let what = format!("clock/advance?seconds={}", by.as_secs());
            let answer = control::ask(&url, &Method::POST, &what).with_context(|| format!("{url} does not move"))?;
            serde_json::from_value(answer).with_context(|| format!("{url} does not say what time it is"))?
        }
        None if !state.join(STORE_FILE).exists() => {
            bail!("there is no state in {}; name its folder with --state", state.display())
        }
        None => {
            let fake = Fake::builder().state(state).build()?;
            fake.advance(by)?;
            // Nobody else would do what is due.
            sagemaker_fake::monitoring::all_settled(&fake).await?;
            let clock = ClockFace::of(&fake);
            sagemaker_fake::engine::close(fake).await;
            clock
        }
    };
    match output {
        Output::Text => {
            let now = clock.now.date().replace_nanosecond(0)?.format(&Rfc3339)?;
            println!("it is {now} there, {} ahead of real time", ahead(clock.offset.duration()));
        }
        Output::Json => println!("{}", serde_json::to_string(&clock)?),
    }
    Ok(())
}

/// In days and parts of a day: months have no length.
fn ahead(offset: Duration) -> String {
    let (days, rest) = (offset.as_secs() / 86_400, Duration::from_secs(offset.as_secs() % 86_400));
    match (days, rest.is_zero()) {
        (0, _) => humantime::format_duration(rest).to_string(),
        (days, true) => format!("{days}days"),
        (days, false) => format!("{days}days {}", humantime::format_duration(rest)),
    }
}

fn export(state: &Path) -> anyhow::Result<()> {
    let state = export::folder(state)?;
    println!("{}", serde_json::to_string_pretty(&state)?);
    Ok(())
}
