//! One container that serves, of an endpoint or a batch transform job: its process, its health check, started again when it ends.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use tokio::sync::watch;

use super::hosting::Client;
use crate::Fake;
use crate::authorisation::Work;
use crate::engine::blocking;
use crate::fake::WeakFake;
use crate::jobs::instance::Instance;
use crate::jobs::launch::Launch;
use crate::jobs::logs::{Stream, Writer};
use crate::jobs::script_mode;
use crate::jobs::tree::Tree;

/// How long a container may take to answer a health check.
const PING: Duration = Duration::from_secs(2);

/// How long a container that was told to stop may take before it is killed, at most.
const GRACE: Duration = Duration::from_secs(30);

/// Between two health checks of a container that is starting, at first and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(200));

/// Between the end of a program that has served and its next start, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// How often a program may end before it has passed its first health check. Once may be bad luck: somebody else may have
/// taken its port.
const ATTEMPTS: usize = 2;

/// What is to run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub launch: Launch,
    pub tree: Tree,
    pub stream: Option<Stream>,
    pub grace: Duration,
}

/// Why there is nothing to run.
pub(crate) enum NotPlanned {
    /// Nothing stands for the image: a sentence.
    NoProgram(String),
    /// The container has ended before its server has begun, and has said why in its log.
    Ended,
}

impl Plan {
    /// `serve` of an image, beside the model that is in the folder: the program that stands for the image, or else the server
    /// of scripts, whose code is fetched as `work`.
    pub(crate) fn new(
        fake: &Fake,
        work: Option<&Work<'_>>,
        image: &str,
        environment: &BTreeMap<String, String>,
        tree: Tree,
        stream: Option<Stream>,
    ) -> Result<Self, NotPlanned> {
        let programs = &fake.programs;
        let found = programs.find(image).map_err(NotPlanned::NoProgram)?;
        let launch = if found.program.is_some() {
            Launch::new(programs, (image, found), &[], &["serve".to_owned()], environment)
                .map_err(NotPlanned::NoProgram)?
        } else {
            let script = script_mode::serve(work, found, programs, environment, &tree);
            let (said, launch) = match script {
                Ok(script) => (script.said, Some(script.launch)),
                Err(refusal) => (std::iter::once(refusal.text).chain(refusal.help).collect(), None),
            };
            say(fake, stream.as_ref(), &said);
            launch.ok_or(NotPlanned::Ended)?
        };
        Ok(Self { launch, tree, stream, grace: programs.grace_period() })
    }
}

/// Puts lines into the log before the program does. Failing to is no failure of the container.
fn say(fake: &Fake, stream: Option<&Stream>, lines: &[String]) {
    let Some(stream) = stream.filter(|_| !lines.is_empty()) else { return };
    let write = |mut log: Writer| log.say(fake.clock.now(), &lines.join("\n"));
    let written = Writer::open(fake, stream).map_err(std::io::Error::other).and_then(write);
    if let Err(error) = written {
        tracing::warn!("the log of a container: {error}");
    }
}

/// Where a container is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It has not passed a health check yet.
    Starting,
    /// It answers at this port.
    Ready(u16),
    /// Its program has ended, and is being started again.
    Down,
    /// Its program never passed a health check, or was told to end and has.
    Ended,
}

/// A container that is kept running until it is told to stop.
pub(crate) struct Container {
    state: watch::Receiver<State>,
}

impl Container {
    /// Keeps a program running in the background until `stop`.
    pub(crate) fn start(fake: &Fake, client: Client, plan: Plan, stop: watch::Receiver<bool>) -> Self {
        let (sender, state) = watch::channel(State::Starting);
        fake.engine.spawn(keep_running(fake.downgrade(), client, plan, sender, stop));
        Self { state }
    }

    /// Where it answers, if it does.
    pub(crate) fn port(&self) -> Option<u16> {
        match *self.state.borrow() {
            State::Ready(port) => Some(port),
            _ => None,
        }
    }

    /// Waits until it has passed its first health check; false if it never will. None if the fake is closed.
    pub(crate) async fn ready(&self) -> Option<bool> {
        let mut state = self.state.clone();
        let settled = state.wait_for(|state| matches!(state, State::Ready(_) | State::Ended)).await;
        settled.ok().map(|state| matches!(*state, State::Ready(_)))
    }

    /// Waits until its program has ended for good.
    pub(crate) async fn ended(&self) {
        let _ = self.state.clone().wait_for(|state| *state == State::Ended).await;
    }
}

async fn keep_running(
    fake: WeakFake,
    client: Client,
    plan: Plan,
    state: watch::Sender<State>,
    mut stop: watch::Receiver<bool>,
) {
    let (mut failures, mut has_served, mut pause) = (0, false, BACKOFF.0);
    while !*stop.borrow() {
        let Some(served) = run(&fake, &client, &plan, &state, &stop).await else { return };
        if *stop.borrow() {
            break;
        }
        has_served |= served;
        failures = if served { 0 } else { failures + 1 };
        if !has_served && failures >= ATTEMPTS {
            break;
        }
        state.send_replace(if has_served { State::Down } else { State::Starting });
        pause = if served { BACKOFF.0 } else { (pause * 2).min(BACKOFF.1) };
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    state.send_replace(State::Ended);
}

/// Runs the program once, to its end; says whether it has passed a health check. None if the fake is closed.
async fn run(
    fake: &WeakFake,
    client: &Client,
    plan: &Plan,
    state: &watch::Sender<State>,
    stop: &watch::Receiver<bool>,
) -> Option<bool> {
    let stream = plan.stream.clone();
    let log =
        blocking(fake, move |fake| stream.map_or_else(|| Ok(Writer::deaf()), |stream| Writer::open(fake, &stream)));
    let log = log.await?;
    let started = log.map_err(std::io::Error::other).and_then(|log| {
        let port = free_port()?;
        let mut launch = plan.launch.clone();
        launch.environment.insert("SAGEMAKER_BIND_TO_PORT".to_owned(), port.to_string());
        // It serves until it is told to stop.
        launch.limits.time = None;
        Ok((port, Instance::start(&launch, &plan.tree, log)?))
    });
    let (port, instance) = match started {
        Ok(started) => started,
        Err(error) => {
            tracing::warn!("cannot start {:?}: {error}", plan.launch.command);
            return Some(false);
        }
    };
    let mut end = std::pin::pin!(instance.follow(fake, stop.clone(), plan.grace.min(GRACE), |_, _| ()));
    let served = tokio::select! {
        biased;
        _ = &mut end => return Some(false),
        () = healthy(client, port) => true,
    };
    state.send_replace(State::Ready(port));
    let _ = end.await;
    Some(served)
}

/// A port of the loopback interface that nobody has just now.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Waits until a container passes a health check.
async fn healthy(client: &Client, port: u16) {
    let mut pause = PAUSE.0;
    while !matches!(tokio::time::timeout(PING, client.ping(port)).await, Ok(true)) {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}
