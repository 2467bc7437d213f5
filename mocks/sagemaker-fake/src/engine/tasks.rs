//! The tasks that drive jobs, executions and endpoints, and how they hear of changes.

use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{RwLock, watch};
use tokio::task::JoinSet;

use crate::clock::Timestamp;
use crate::fake::WeakFake;
use crate::{ApiError, Fake};

/// What drives the jobs, executions and endpoints of one fake. Its tasks end when the fake is dropped; what they were at is on
/// record and goes on when the fake is built again.
pub struct Engine {
    /// The runtime in which the fake was built. Requests may come in on another one, which may be gone earlier.
    runtime: OnceLock<Handle>,
    tasks: Mutex<JoinSet<()>>,
    changed: watch::Sender<()>,
    /// Held for reading by every piece of work that cannot be interrupted.
    busy: Arc<RwLock<()>>,
}

impl Default for Engine {
    fn default() -> Self {
        Self {
            runtime: OnceLock::new(),
            tasks: Mutex::default(),
            changed: watch::Sender::new(()),
            busy: Arc::default(),
        }
    }
}

impl Engine {
    /// Tasks run in the runtime in which this is called first.
    pub(super) fn start(&self) {
        if let Ok(runtime) = Handle::try_current() {
            self.runtime.get_or_init(|| runtime);
        }
    }

    /// Runs a task until it ends or the fake is dropped.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let Some(runtime) = self.runtime.get() else {
            tracing::error!("the fake was built outside of a tokio runtime: nothing will run");
            return;
        };
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(task, runtime);
    }

    /// Says that the record of a job, an execution or an endpoint has changed.
    pub(crate) fn notify(&self) {
        self.changed.send_replace(());
    }

    /// Hears of every change from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Ends all tasks and waits until none of them is at work any more.
    pub(super) async fn end(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
        drop(self.busy.write().await);
    }
}

/// Waits until something changes, or this moment comes, if there is one. None if the fake is gone.
pub(crate) async fn changed_or_due(
    fake: &WeakFake,
    changes: &mut watch::Receiver<()>,
    due: Option<Timestamp>,
) -> Option<()> {
    let Some(due) = due else { return changes.changed().await.ok() };
    let due = fake.upgrade()?.clock.sleep_until(due);
    tokio::select! {
        change = changes.changed() => change.ok(),
        () = due => Some(()),
    }
}

/// Does work that blocks (files, the store) off the runtime's threads, and not interrupted when its task ends. None if
/// the fake is gone.
pub(crate) async fn blocking<T: Send + 'static>(
    fake: &WeakFake,
    work: impl FnOnce(&Fake) -> T + Send + 'static,
) -> Option<T> {
    let (fake, guard) = {
        let fake = fake.upgrade()?;
        let busy = Arc::clone(&fake.engine.busy);
        (fake, busy.read_owned().await)
    };
    let work = tokio::task::spawn_blocking(move || {
        let result = work(&fake);
        drop(fake);
        drop(guard);
        result
    });
    work.await.map_err(|error| tracing::error!("a job, an execution or an endpoint: {error}")).ok()
}

/// Waits until `look` finds something, looking again after every change of a job, an execution or an endpoint.
///
/// # Errors
/// Those of `look`, and when the fake is closed meanwhile.
pub async fn until<T>(fake: &WeakFake, look: impl Fn(&Fake) -> Result<Option<T>, ApiError>) -> Result<T, ApiError> {
    let closed = || ApiError::internal("it is closed");
    let mut changes = fake.upgrade().ok_or_else(closed)?.engine.changes();
    loop {
        changes.mark_unchanged();
        if let Some(found) = look(&fake.upgrade().ok_or_else(closed)?)? {
            return Ok(found);
        }
        changes.changed().await.map_err(|_| closed())?;
    }
}
