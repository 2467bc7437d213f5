//! The gate that every request passes. While the account is replaced by another one it is closed: a request sees the
//! account before or the account after, and never something between the two.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, watch};

/// How long whoever closes the gate waits for the requests that are inside.
const PATIENCE: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Default)]
pub struct Gate {
    inside: Arc<RwLock<()>>,
    closing: watch::Sender<()>,
}

/// A request that is inside. It must not wait for another one that is still to come in.
pub(crate) type Inside = OwnedRwLockReadGuard<()>;

/// Nobody is inside, and nobody comes in.
pub(crate) type Closed = OwnedRwLockWriteGuard<()>;

impl Gate {
    /// Comes in, once it is open.
    pub(crate) async fn enter(&self) -> Inside {
        Arc::clone(&self.inside).read_owned().await
    }

    /// Does what may take long; none if the gate is closed meanwhile.
    pub(crate) async fn unless_closed<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut closing = self.closing.subscribe();
        tokio::select! {
            biased;
            done = work => Some(done),
            _ = closing.changed() => None,
        }
    }

    /// Keeps new requests out, and waits a few seconds until the others have left; none if they do not.
    pub(crate) async fn close(&self) -> Option<Closed> {
        self.closing.send_replace(());
        tokio::time::timeout(PATIENCE, Arc::clone(&self.inside).write_owned()).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_closed_gate_holds_requests_up_and_opens_again() {
        let gate = Gate::default();
        let inside = gate.enter().await;
        let mut closing = std::pin::pin!(gate.close());
        assert!(futures::poll!(&mut closing).is_pending());
        drop(inside);
        let closed = closing.await.unwrap();
        let mut late = std::pin::pin!(gate.enter());
        assert!(futures::poll!(&mut late).is_pending());
        drop(closed);
        late.await;
    }

    #[tokio::test]
    async fn who_waits_for_long_is_told_that_it_closes() {
        let gate = Gate::default();
        assert_eq!(gate.unless_closed(async { 1 }).await, Some(1));
        let mut waiting = std::pin::pin!(gate.unless_closed(std::future::pending::<()>()));
        assert!(futures::poll!(&mut waiting).is_pending());
        drop(gate.close().await);
        assert_eq!(waiting.await, None);
    }
}
