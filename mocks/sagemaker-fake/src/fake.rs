//! The fake, put together.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::ApiError;
use crate::account::{Began, Caller, Scenario};
use crate::authorisation::Enforcement;
use crate::calls::CallLog;
use crate::clock::{Clock, Offset, Timestamp};
use crate::cloudwatch::Invocations;
use crate::ecr::Strictness;
use crate::endpoints::{self, Hosting};
use crate::engine::Engine;
use crate::faults::Faults;
use crate::gate::Gate;
use crate::ids::Ids;
use crate::jobs::programs::Programs;
use crate::pace::{Pace, Pacing};
use crate::replace;
use crate::store::{Change, OpenError, Records, Store};
use crate::testing::Kept;

/// The file of the store in a state folder.
pub const STORE_FILE: &str = "state.redb";

/// One AWS account that never was. Cheap to clone; all clones are the same account.
#[derive(Clone)]
pub struct Fake(Arc<Parts>);

/// A fake that is not kept alive by whoever holds this: the tasks that drive its jobs and executions.
#[derive(Clone)]
pub struct WeakFake(Weak<Parts>);

impl WeakFake {
    /// The fake, unless everyone has let go of it.
    #[must_use]
    pub fn upgrade(&self) -> Option<Fake> {
        self.0.upgrade().map(Fake)
    }
}

/// What the fake is made of.
pub struct Parts {
    account: String,
    /// Where it began. Another one may take its place.
    scenario: RwLock<Arc<Scenario>>,
    /// Records.
    pub store: Store,
    /// Time.
    pub clock: Clock,
    /// Ids that AWS would make up.
    pub ids: Ids,
    /// Who asked for what.
    pub calls: CallLog,
    /// Which program stands for which image.
    pub programs: Programs,
    /// What is to go wrong.
    pub faults: Faults,
    /// What drives executions, jobs and endpoints.
    pub engine: Engine,
    /// The metrics of invocations that have not been stored yet.
    pub invocations: Invocations,
    /// What endpoints are served by.
    pub(crate) hosting: Hosting,
    /// Whether IAM is enforced, and what was asked of it.
    pub enforcement: Enforcement,
    /// How status changes come.
    pub pacing: Pacing,
    /// What lets requests in.
    pub(crate) gate: Gate,
    /// Whether images must be in ECR.
    pub strict_images: Strictness,
    /// Whether IAM is enforced whatever the scenario says.
    enforce_iam: bool,
    /// Whether what ran is left alone.
    at_rest: bool,
    folder: Folder,
}

/// Where the files are. A temporary folder is gone with the fake.
enum Folder {
    Kept(PathBuf),
    Temporary(tempfile::TempDir),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }
}

impl std::ops::Deref for Fake {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Parts {
    /// The folder of the fake's files: objects and the working folders of jobs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The twelve digits of the account.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The scenario that it began as.
    pub fn scenario(&self) -> Arc<Scenario> {
        Arc::clone(&self.scenario.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether signatures are verified and every call is authorised.
    pub fn enforces_iam(&self) -> bool {
        self.enforcement.is_on()
    }

    /// The account's own clock, in seconds since 1970: real time, and as far from it as the scenario says. Signatures go
    /// by it, and answers are dated by it.
    pub fn account_time(&self) -> i64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        i64::try_from(now).unwrap_or(i64::MAX).saturating_add(self.scenario().client.clock_skew)
    }
}

/// Says what a fake should be like before it starts.
#[derive(Clone)]
#[must_use = "a builder makes nothing until `build`"]
pub struct FakeBuilder {
    state: Option<PathBuf>,
    scenario: Scenario,
    clock: Clock,
    ids: Ids,
    programs: Programs,
    at_rest: bool,
    strict_images: bool,
    enforce_iam: bool,
    from: Option<Kept>,
    pace: Pace,
}

/// Why a fake could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process has the folder.
    #[error("the state in {0} is held by another process")]
    Held(PathBuf),
    /// The store cannot be opened.
    #[error("cannot open the state in {folder}")]
    Store {
        /// The folder of the state.
        folder: PathBuf,
        /// Why not.
        source: OpenError,
    },
    /// A folder cannot be made.
    #[error("cannot make the folder {folder}")]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The state is there and cannot be read.
    #[error("the state cannot be read: {0}")]
    State(#[from] ApiError),
}

impl Fake {
    /// A fake in memory, with the default scenario, real time and random ids, unless told otherwise.
    pub fn builder() -> FakeBuilder {
        FakeBuilder {
            state: None,
            scenario: Scenario::ready(),
            clock: Clock::default(),
            ids: Ids::random(),
            programs: Programs::built_in(),
            at_rest: false,
            strict_images: false,
            enforce_iam: false,
            from: None,
            pace: Pace::default(),
        }
    }

    /// Moves the clock forward, and remembers it: who opens the state later finds the same time. What is due wakes up: when this returns, the
    /// monitoring executions that are due are on record, and objects are gone whose time is over.
    ///
    /// # Errors
    /// `ValidationException` when it would come to stand further ahead than [`Offset::MAX`]; an internal failure when the
    /// store cannot be written.
    pub fn advance(&self, by: Duration) -> Result<(), ApiError> {
        // Before it is moved: whoever wakes up then finds what endpoints have captured by then.
        self.clock.check(by)?;
        endpoints::before(self, self.clock.now().after(by));
        // One at a time, so that together they do not go too far either.
        self.store.write(|change| {
            self.clock.check(by)?;
            self.clock.advance(by);
            change.put(&self.clock.offset())
        })?;
        crate::s3::expire(self)?;
        crate::monitoring::fire(self)
    }

    /// Goes on with whatever was running, unless it is to be left alone.
    pub(crate) fn resume(&self) -> Result<(), ApiError> {
        if !self.at_rest {
            crate::s3::tidy(self)?;
            crate::s3::expire(self)?;
            crate::engine::resume(self)?;
        }
        Ok(())
    }

    /// Goes on with the account that has taken the place of the one before among the records: nothing that is only in
    /// memory is of the old one.
    pub(crate) fn go_on_as(&self, new: Arc<Scenario>) -> Result<(), ApiError> {
        // Every part is named, so that none is forgotten.
        let Parts {
            scenario,
            store,
            clock,
            calls,
            faults,
            invocations,
            hosting,
            enforcement,
            pacing,
            enforce_iam,
            account: _,
            ids: _,
            programs: _,
            engine: _,
            gate: _,
            strict_images: _,
            at_rest: _,
            folder: _,
        } = &*self.0;
        clock.resume(store.read(|view| view.get(Offset::KEY))?.unwrap_or(Offset { ms: 0 }));
        calls.clear();
        faults.begin(new.faults.iter().cloned());
        invocations.clear();
        hosting.clear();
        pacing.forget();
        enforcement.go_on(store)?;
        if *enforce_iam || new.enforce_iam {
            enforcement.turn_on(store)?;
        }
        *scenario.write().unwrap_or_else(PoisonError::into_inner) = new;
        self.engine.notify();
        Ok(())
    }

    /// The same fake, not kept alive.
    #[must_use]
    pub fn downgrade(&self) -> WeakFake {
        WeakFake(Arc::downgrade(&self.0))
    }
}

impl FakeBuilder {
    /// Keeps the state in this folder, and goes on from what is there.
    pub fn state(mut self, folder: impl Into<PathBuf>) -> Self {
        self.state = Some(folder.into());
        self
    }

    /// The account to begin with. A folder that already holds state keeps the account it has.
    pub fn scenario(mut self, scenario: Scenario) -> Self {
        self.scenario = scenario;
        self
    }

    /// The clock to go by.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Where ids come from.
    pub fn ids(mut self, ids: Ids) -> Self {
        self.ids = ids;
        self
    }

    /// Which program stands for which image.
    pub fn programs(mut self, programs: Programs) -> Self {
        self.programs = programs;
        self
    }

    /// Leaves alone what was running when the state was last closed or killed: for those who only want to look.
    pub fn at_rest(mut self, at_rest: bool) -> Self {
        self.at_rest = at_rest;
        self
    }

    /// Wants images to be in ECR before they can be run, as AWS does: those of this account. The programs that stand for
    /// them run all the same.
    pub fn strict_images(mut self, strict_images: bool) -> Self {
        self.strict_images = strict_images;
        self
    }

    /// Verifies signatures and authorises every call, as AWS does, even if the scenario does not ask for it. A state folder
    /// remembers it.
    pub fn enforce_iam(mut self, enforce_iam: bool) -> Self {
        self.enforce_iam = enforce_iam;
        self
    }

    /// Goes on from what was kept of another account, in a state that has nothing yet.
    pub(crate) fn from(mut self, kept: Kept) -> Self {
        self.from = Some(kept);
        self
    }

    /// How status changes come.
    pub fn pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// Opens the state and goes on with whatever was running when it was last closed or killed.
    ///
    /// Needs a running tokio runtime.
    ///
    /// # Errors
    /// When the state is held by another process, or cannot be opened or read.
    pub fn build(self) -> Result<Fake, StartError> {
        let folder = match self.state {
            Some(path) => Folder::Kept(path),
            None => Folder::Temporary(
                tempfile::tempdir().map_err(|source| StartError::Folder { folder: std::env::temp_dir(), source })?,
            ),
        };
        let store = match &folder {
            Folder::Temporary(_) => Store::in_memory(),
            Folder::Kept(path) => {
                std::fs::create_dir_all(path).map_err(|source| StartError::Folder { folder: path.clone(), source })?;
                Store::open(&path.join(STORE_FILE))
            }
        };
        let store = store.map_err(|source| match (&folder, source) {
            (Folder::Kept(path), OpenError::Held) => StartError::Held(path.clone()),
            (Folder::Kept(path), source) => StartError::Store { folder: path.clone(), source },
            (Folder::Temporary(folder), source) => StartError::Store { folder: folder.path().to_owned(), source },
        })?;
        if let Some(kept) = self.from {
            kept.put_into(&store, folder.path())?;
        }
        replace::settle(&store, folder.path())?;
        if let Some(offset) = store.read(|view| view.get::<Offset>(Offset::KEY))? {
            self.clock.resume(offset);
        }
        let scenario = began(&store, self.scenario, &self.clock, folder.path())?;
        let enforcement = Enforcement::resume(&store)?;
        if self.enforce_iam || scenario.enforce_iam {
            enforcement.turn_on(&store)?;
        }
        let faults = Faults::new(scenario.faults.clone());
        let fake = Fake(Arc::new(Parts {
            account: scenario.account.clone(),
            scenario: RwLock::new(Arc::new(scenario)),
            store,
            clock: self.clock,
            ids: self.ids,
            calls: CallLog::default(),
            programs: self.programs,
            faults,
            engine: Engine::default(),
            invocations: Invocations::default(),
            hosting: Hosting::default(),
            enforcement,
            pacing: Pacing::new(self.pace),
            gate: Gate::default(),
            strict_images: Strictness::new(self.strict_images),
            enforce_iam: self.enforce_iam,
            at_rest: self.at_rest,
            folder,
        }));
        fake.resume()?;
        Ok(fake)
    }
}

/// The scenario of the account on record, which is this one if there was none. Nobody could have called an account
/// without a user.
fn began(store: &Store, scenario: Scenario, clock: &Clock, folder: &Path) -> Result<Scenario, ApiError> {
    if store.read(|view| view.page::<crate::iam::User>("", "", 1))?.is_empty() {
        store.write(|change| seed(change, &scenario, clock.now(), folder))?;
        return Ok(scenario);
    }
    let began: Option<Began> = store.read(|view| view.get(Began::KEY))?;
    let other = began.filter(|began| began.scenario != scenario.name);
    Ok(other.and_then(|other| Scenario::named(&other.scenario).ok()).unwrap_or(scenario))
}

/// Puts a scenario's resources among records that have none yet; their files go into `folder`.
pub(crate) fn seed(
    change: &mut Change<'_>,
    scenario: &Scenario,
    now: Timestamp,
    folder: &Path,
) -> Result<(), ApiError> {
    change.put(&Began { scenario: scenario.name.clone() })?;
    crate::iam::seed(change, scenario, now)?;
    crate::s3::seed(change, scenario, now)?;
    endpoints::seed(change, scenario, now, folder)
}

/// What an operation gets beside its input.
pub struct Context<'a> {
    /// The account.
    pub fake: &'a Fake,
    /// Who is calling.
    pub caller: &'a Caller,
    /// The region that the request was signed for.
    pub region: &'a str,
    /// What the request calls the host that it was sent to; none for what a pipeline or a tuning job does.
    pub host: Option<&'a str>,
}

impl<'a> Context<'a> {
    /// For what the account does by itself, as a caller, and nobody asked for in a request.
    #[must_use]
    pub fn new(fake: &'a Fake, caller: &'a Caller, region: &'a str) -> Self {
        Self { fake, caller, region, host: None }
    }

    /// `arn:aws:sagemaker:REGION:ACCOUNT:RESOURCE`.
    #[must_use]
    pub fn sagemaker_arn(&self, resource: &str) -> String {
        format!("arn:aws:sagemaker:{}:{}:{resource}", self.region, self.fake.account())
    }
}
