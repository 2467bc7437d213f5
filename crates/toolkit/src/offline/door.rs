//! The door to the fake: in this process, or in the one that owns the folder of the state.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sagemaker_fake::Fake;
use sagemaker_fake::account::Scenario;
use sagemaker_fake::doors::control;
use sagemaker_fake::doors::http::{Server, serve};
use sagemaker_fake::doors::owner::Owner;
use sagemaker_fake::fake::{FakeBuilder, STORE_FILE, StartError};
use sagemaker_fake::jobs::programs::Programs;
use sagemaker_fake::protocol::Checked;
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::aws::Mode;
use crate::error::Failure;

/// The door that is open now. Its owner may leave, and then another one is opened.
pub(super) struct Door {
    wanted: Wanted,
    /// Nothing for a fake in memory, which nobody else can serve.
    state: Option<PathBuf>,
    mode: Mode,
    open: Mutex<Open>,
}

/// What the fake is to be like.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Which programs stand for which images.
    pub programs: Programs,
    /// The account that it starts as.
    pub scenario: Scenario,
    /// Whether it wants images to be in ECR.
    pub strict_images: bool,
}

impl Wanted {
    fn builder(&self) -> FakeBuilder {
        let Self { programs, scenario, strict_images } = self;
        Fake::builder().programs(programs.clone()).scenario(scenario.clone()).strict_images(*strict_images)
    }
}

struct Open {
    url: String,
    here: Option<Here>,
}

/// The fake in this process: its server, and the notice that says so to others.
struct Here {
    fake: Fake,
    server: Server,
    _owner: Option<Owner>,
}

/// How often and how long to wait for an owner that is just starting or just leaving.
const PAUSE: Duration = Duration::from_millis(20);
const TRIES: u32 = 500;

impl Door {
    /// Joins the owner of the folder, or becomes it.
    pub(super) async fn open(state: &Path, wanted: Wanted, mode: Mode) -> Result<Self, Failure> {
        let exists = || state.join(STORE_FILE).exists();
        let state = (mode == Mode::Live || exists()).then(|| state.to_owned());
        let open = match &state {
            Some(state) => join(state, &wanted, mode).await?,
            None => start(wanted.builder().build().map_err(cannot_start)?, None).await?,
        };
        Ok(Self { wanted, state, mode, open: Mutex::new(open) })
    }

    /// Where the door is.
    pub(super) async fn url(&self) -> String {
        self.open.lock().await.url.clone()
    }

    /// Closes the fake in order, if it is in this process: what its endpoints have captured is in S3 then.
    pub(super) async fn close(&self) {
        if let Some(Here { fake, server, _owner }) = self.open.lock().await.here.take() {
            server.stop().await;
            sagemaker_fake::engine::close(fake).await;
        }
    }

    /// Opens another door after nobody answered at `url`, unless somebody has done so already.
    pub(super) async fn reopen(&self, url: &str) -> Result<(), Failure> {
        let mut open = self.open.lock().await;
        if let (None, Some(state), true) = (&open.here, &self.state, open.url == url) {
            *open = join(state, &self.wanted, self.mode).await?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("state", &self.state).finish_non_exhaustive()
    }
}

async fn join(state: &Path, wanted: &Wanted, mode: Mode) -> Result<Open, Failure> {
    for _ in 0..TRIES {
        // The lock of the store decides; the notice beside it only says where the one who has it is.
        // A dry run only looks: what a killed run left in the middle is not gone on with.
        match wanted.builder().state(state).at_rest(mode == Mode::Dry).build() {
            Ok(fake) => return start(fake, Some(state)).await,
            Err(StartError::Held(_)) => {}
            Err(error) => return Err(cannot_start(error)),
        }
        let folder = state.to_owned();
        if let Ok(Some(url)) = tokio::task::spawn_blocking(move || Owner::find(&folder)).await {
            agree(state, &wanted.programs, url.clone()).await?;
            let asked = [(wanted.scenario.enforce_iam, "enforce-iam"), (wanted.strict_images, "strict-images")];
            for (_, what) in asked.into_iter().filter(|(asked, _)| *asked) {
                tighten(url.clone(), what).await?;
            }
            return Ok(Open { url, here: None });
        }
        tokio::time::sleep(PAUSE).await;
    }
    let (state, waited) = (state.display(), (PAUSE * TRIES).as_secs());
    Err(Failure::operation(format!("the state in {state} is held by a process that does not answer, after {waited} s"))
        .hint("end that process, or use another folder: --state DIR"))
}

/// Makes sure that the owner of a folder runs images by the map that is asked for, if one is: its own is the one that counts.
async fn agree(state: &Path, programs: &Programs, url: String) -> Result<(), Failure> {
    let Some(ours) = programs.source() else { return Ok(()) };
    let owner = url.clone();
    let asked = tokio::task::spawn_blocking(move || control::ask(&owner, &http::Method::GET, "owner")).await;
    let owner = asked.unwrap_or_else(|error| Err(error.into()));
    let owner = owner.map_err(|error| Failure::operation("the fake does not say what it runs").because(error))?;
    let theirs = owner["images"].as_str().map(Path::new);
    if theirs == Some(ours) {
        return Ok(());
    }
    let (state, ours) = (state.display(), ours.display());
    let theirs =
        theirs.map_or_else(|| "has no map of images".to_owned(), |file| format!("runs images by {}", file.display()));
    let what = format!("the state in {state} is served at {url} by a process that {theirs}, and not by {ours}");
    Err(Failure::usage(what)
        .hint("start that process with the same --images, end it, or use another folder: --state DIR"))
}

/// Makes the owner of a folder as strict as AWS from now on: `enforce-iam` or `strict-images`.
async fn tighten(url: String, what: &'static str) -> Result<(), Failure> {
    let asked = tokio::task::spawn_blocking(move || control::ask(&url, &http::Method::POST, what)).await;
    let asked = asked.unwrap_or_else(|error| Err(error.into()));
    asked.map(drop).map_err(|error| Failure::operation(format!("the fake does not obey: {what}")).because(error))
}

/// Serves the fake on a port of this machine, for as long as the answer is kept.
async fn start(fake: Fake, state: Option<&Path>) -> Result<Open, Failure> {
    let no_door = |error: std::io::Error| Failure::operation("the fake cannot listen on 127.0.0.1").because(error);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(no_door)?;
    let server = serve(&fake, listener, Checked::No).map_err(no_door)?;
    let url = server.url().to_owned();
    let owner = state.map(|state| Owner::claim(state, &url)).transpose();
    let owner =
        owner.map_err(|error| Failure::operation("the folder of the state cannot be claimed").because(error))?;
    Ok(Open { url, here: Some(Here { fake, server, _owner: owner }) })
}

fn cannot_start(error: StartError) -> Failure {
    Failure::operation("the fake cannot start").because(error)
}
