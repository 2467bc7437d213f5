//! `serve`: the account at one URL, for any client.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use sagemaker_fake::Fake;
use sagemaker_fake::account::Scenario;
use sagemaker_fake::doors::{control, http, owner::Owner};
use sagemaker_fake::fake::STORE_FILE;
use sagemaker_fake::jobs::programs::{self, Programs};
use sagemaker_fake::pace::Pace;
use sagemaker_fake::protocol::Checked;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::Output;

/// Serves an account until it is interrupted
#[derive(Args)]
pub struct Serve {
    /// The port; 0 takes any that is free
    #[arg(long, default_value_t = 4566)]
    port: u16,
    /// The address of this machine to listen at; others than loopback let other machines in
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// The folder of the state, which outlives the server
    #[arg(long, value_name = "DIR", default_value = super::DEFAULT_STATE)]
    state: PathBuf,
    /// The account to begin with; a folder that holds a state goes on with its own
    #[arg(long, value_name = "NAME", value_parser = super::scenario_name)]
    scenario: Option<String>,
    /// Verify signatures and authorise every call, as AWS does; the state remembers it
    #[arg(long)]
    enforce_iam: bool,
    /// Want images to be in ECR before they can be run, as AWS does; `image push` brings one there
    #[arg(long)]
    strict_images: bool,
    /// How status changes come: `instant`, after N describes of the resource (`describes:N`), or after a time of the
    /// account's clock (`30s`)
    #[arg(long, value_name = "PACE", default_value_t = Pace::Instant)]
    pace: Pace,
    /// A map of container images to programs of this machine, which comes before `mocks/images.toml` [env: STSMM_IMAGES]
    #[arg(long, value_name = "FILE")]
    images: Option<PathBuf>,
}

impl Serve {
    #[tokio::main]
    pub async fn run(self, output: Output) -> anyhow::Result<()> {
        let Self { port, host, state, scenario, enforce_iam, strict_images, pace, images } = self;
        // s3s logs every request that is refused as an error of its own.
        let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn,s3s=off".into());
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();

        let images =
            images.or_else(|| std::env::var_os(programs::VARIABLE).filter(|it| !it.is_empty()).map(Into::into));
        let programs = images.iter().try_fold(Programs::built_in(), |programs, file: &PathBuf| programs.file(file))?;

        if let Some(url) = Owner::find(&state) {
            bail!(
                "the state in {} is served already, at {url}; stop that, or choose another folder with --state",
                state.display()
            );
        }
        let address = SocketAddr::from((host, port));
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen at {address}; choose another port with --port"))?;
        let began = state.join(STORE_FILE).exists();
        let named = Scenario::named(scenario.as_deref().unwrap_or("ready")).map_err(anyhow::Error::msg)?;
        let builder = Fake::builder().state(&state).scenario(named).enforce_iam(enforce_iam);
        let fake = builder.strict_images(strict_images).pace(pace).programs(programs).build()?;
        // Asked for before anyone is told the URL: whoever stops us early stops us in order.
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        http::allow_many_connections();
        let server = http::serve(&fake, listener, Checked::No)?;
        let owner =
            Owner::claim(&state, server.url()).with_context(|| format!("cannot write to {}", state.display()))?;

        if !host.is_loopback() {
            eprintln!(
                "warning: {host} is no loopback address: whoever reaches this machine can use the account, run programs in \
                 it as this user, and steer it"
            );
        }
        let own = fake.scenario();
        if let Some(asked) = scenario.filter(|asked| began && *asked != own.name) {
            eprintln!(
                "warning: the state in {} began as `{}` and goes on so; `scenario {asked}` begins again as `{asked}`",
                state.display(),
                own.name
            );
        }
        let control_url = format!("{}{}", server.url(), control::PREFIX.trim_end_matches('/'));
        match output {
            Output::Text => println!(
                "serving account {} at {} (state in {}; look at it: {control_url})",
                fake.account(),
                server.url(),
                state.display()
            ),
            Output::Json => println!("{}", json!({"endpoint_url": server.url(), "control_url": control_url})),
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
}
