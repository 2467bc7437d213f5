//! Which account a verb is for: the one at a URL, or the one in a folder, whoever serves it.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use http::Method;
use sagemaker_fake::Fake;
use sagemaker_fake::doors::control;
use sagemaker_fake::doors::http::{Server, serve};
use sagemaker_fake::doors::owner::Owner;
use sagemaker_fake::fake::STORE_FILE;
use sagemaker_fake::protocol::Checked;
use serde_json::Value;
use tokio::net::TcpListener;

/// Where the account is.
#[derive(Args)]
pub struct Target {
    /// The folder of the state
    #[arg(long, value_name = "DIR", default_value = super::DEFAULT_STATE, conflicts_with = "url", global = true)]
    pub state: PathBuf,
    /// The URL of a server, in place of a folder
    #[arg(long, value_name = "URL", global = true)]
    pub url: Option<String>,
}

/// What a verb wants of a folder that nobody serves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unserved {
    /// What was running goes on until all is done that is due.
    GoesOn,
    /// What was running is left as it is.
    Rests,
    /// As `Rests`; a folder without a state gets one.
    Begins,
}

impl Target {
    /// Lets `ask` speak to whoever serves the account. If nobody does, this process does so meanwhile.
    pub fn with<T>(&self, unserved: Unserved, ask: impl FnOnce(&str) -> anyhow::Result<T>) -> anyhow::Result<T> {
        if let Some(url) = self.url.clone().or_else(|| Owner::find(&self.state)) {
            return ask(&url);
        }
        if unserved != Unserved::Begins && !self.state.join(STORE_FILE).exists() {
            bail!("there is no state in {}; name its folder with --state", self.state.display());
        }
        let runtime = tokio::runtime::Runtime::new()?;
        let (fake, server) = runtime.block_on(self.open(unserved))?;
        let owner = Owner::claim(&self.state, server.url())
            .with_context(|| format!("cannot write to {}", self.state.display()))?;
        let answered = ask(server.url());
        runtime.block_on(async {
            // Nobody else would do what is due.
            let settled = match unserved {
                Unserved::GoesOn => sagemaker_fake::monitoring::all_settled(&fake).await,
                _ => Ok(()),
            };
            server.stop().await;
            drop(owner);
            sagemaker_fake::engine::close(fake).await;
            settled
        })?;
        answered
    }

    async fn open(&self, unserved: Unserved) -> anyhow::Result<(Fake, Server)> {
        let fake = Fake::builder().state(&self.state).at_rest(unserved != Unserved::GoesOn).build()?;
        let server = serve(&fake, TcpListener::bind("127.0.0.1:0").await?, Checked::No)?;
        Ok((fake, server))
    }

    /// Asks one thing.
    pub fn ask(&self, unserved: Unserved, method: &Method, what: &str) -> anyhow::Result<Value> {
        self.with(unserved, |url| Ok(control::ask(url, method, what)?))
    }
}
