//! Group commit: changes that are made at the same time wait for the disk together.
//!
//! The disk takes as long for a hundred changes as for one, so those who write share a transaction. Each runs its change
//! alone, with what the ones before it did in sight, and whoever finds nobody behind him commits for all: while he waits
//! for the disk, the next ones gather. Nobody waits for company: a writer who is alone commits at once. A group cannot
//! grow for ever either, since its members write nothing more until they are answered.
//!
//! Readers see what is committed, and what is committed is on disk: nobody is ever told of something that a kill could
//! still take back. A member whose change fails waits too, because what he was refused for may be what another one did.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use redb::WriteTransaction;

use super::{Change, Store};
use crate::ApiError;

/// Those who write.
#[derive(Default)]
pub(super) struct Writers {
    /// How many are at the door or running their change.
    coming: AtomicUsize,
    /// The group that can still be joined. Its lock is the turn to run a change, or to commit.
    group: Mutex<Option<Group>>,
}

/// Changes that will be committed together.
struct Group {
    transaction: WriteTransaction,
    /// Whether there is anything to commit.
    changed: bool,
    /// Why nothing of it can be committed, if so.
    broken: Option<ApiError>,
    outcome: Arc<Outcome>,
}

/// What became of a group, for its members.
#[derive(Default)]
struct Outcome {
    known: Mutex<Option<Result<(), ApiError>>>,
    told: Condvar,
}

impl Writers {
    /// Runs a change, and returns when it is on disk or undone.
    ///
    /// # Errors
    /// Those of `f`, or an internal failure when the group cannot be committed.
    pub(super) fn write<T>(
        &self,
        store: &Store,
        f: impl FnOnce(&mut Change<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.coming.fetch_add(1, Ordering::SeqCst);
        let mut open = lock(&self.group);
        let joined = match &mut *open {
            Some(group) => Ok(group),
            none => Group::begin(store).map(|group| none.insert(group)),
        };
        let ran = joined.map(|group| (group.run(f), Arc::clone(&group.outcome)));
        let last = self.coming.fetch_sub(1, Ordering::SeqCst) == 1;
        if let Some(group) = open.take_if(|_| last) {
            group.commit(store);
        }
        drop(open);
        let (result, outcome) = ran?;
        let committed = outcome.wait();
        let value = result.unwrap_or_else(|panic| resume_unwind(panic));
        committed.and(value)
    }
}

impl Group {
    fn begin(store: &Store) -> Result<Self, ApiError> {
        let transaction = store.db.begin_write().map_err(ApiError::internal)?;
        Ok(Self { transaction, changed: false, broken: None, outcome: Arc::default() })
    }

    /// Runs one change, and undoes what it did if it fails. A panic is the caller's, but not the other members'.
    fn run<T>(
        &mut self,
        f: impl FnOnce(&mut Change<'_>) -> Result<T, ApiError>,
    ) -> std::thread::Result<Result<T, ApiError>> {
        let mut change = match Change::of(&self.transaction) {
            Ok(change) => change,
            Err(error) => return Ok(Err(ApiError::internal(error))),
        };
        let result = catch_unwind(AssertUnwindSafe(|| f(&mut change)));
        if matches!(result, Ok(Ok(_))) {
            self.changed |= change.is_one();
        } else if let Err(error) = change.undo() {
            self.broken.get_or_insert(error);
        }
        result
    }

    fn commit(self, store: &Store) {
        let commit = || {
            self.transaction.commit().map_err(ApiError::internal)?;
            store.latest.renew(&store.db).map_err(ApiError::internal)
        };
        let committed = match self.broken {
            Some(error) => Err(error),
            None if !self.changed => Ok(()),
            // The others would wait for ever for somebody who panics.
            None => catch_unwind(AssertUnwindSafe(commit))
                .unwrap_or_else(|_| Err(ApiError::internal("the store panicked while it was written"))),
        };
        *lock(&self.outcome.known) = Some(committed);
        self.outcome.told.notify_all();
    }
}

impl Outcome {
    fn wait(&self) -> Result<(), ApiError> {
        let unknown = |known: &mut Option<_>| known.is_none();
        let known = self.told.wait_while(lock(&self.known), unknown).unwrap_or_else(PoisonError::into_inner);
        known.clone().unwrap_or(Ok(()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::store::{Record, Records};

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Count {
        name: String,
        value: usize,
    }

    impl Record for Count {
        const KIND: &'static str = "count";
        fn key(&self) -> String {
            self.name.clone()
        }
    }

    fn value(records: &impl Records, name: &str) -> usize {
        records.get::<Count>(name).unwrap().map_or(0, |count| count.value)
    }

    fn add(change: &mut Change<'_>, name: &str) -> Result<usize, ApiError> {
        let count = Count { name: name.to_owned(), value: value(change, name) + 1 };
        change.put(&count).map(|()| count.value)
    }

    fn shown(store: &Store, name: &str) -> usize {
        store.read(|view| Ok(value(view, name))).unwrap()
    }

    /// Eight at the same time: the first holds the turn until all of them are there, so that they are one group.
    #[test]
    fn a_group_is_committed_together_and_not_seen_before() {
        let store = Store::in_memory().unwrap();
        let turns = AtomicUsize::new(0);
        let member = |number: usize| {
            store.write(|change| {
                while store.writers.coming.load(Ordering::SeqCst) + turns.load(Ordering::SeqCst) < 8 {
                    std::thread::yield_now();
                }
                turns.fetch_add(1, Ordering::SeqCst);
                assert_eq!(shown(&store, "all"), 0, "seen before it is committed");
                let sum = add(change, "all")?;
                add(change, &format!("own {number}"))?;
                change.delete::<Count>("own 0")?;
                match number {
                    6 => Err(ApiError::validation("refused")),
                    7 => panic!("a bug"),
                    _ => Ok(sum),
                }
            })
        };
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|number| scope.spawn(move || member(number))).collect();
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
        });
        assert!(results[7].is_err());
        assert_eq!(*results[6].as_ref().unwrap(), Err(ApiError::validation("refused")));
        let mut sums: Vec<_> = results[..6].iter().map(|result| *result.as_ref().unwrap().as_ref().unwrap()).collect();
        sums.sort_unstable();
        assert_eq!(sums, [1, 2, 3, 4, 5, 6]);
        assert_eq!(shown(&store, "all"), 6);
        assert_eq!([shown(&store, "own 5"), shown(&store, "own 6"), shown(&store, "own 7")], [1, 0, 0]);
    }

    #[test]
    fn an_undone_change_leaves_what_was_there() {
        let store = Store::in_memory().unwrap();
        store.write(|change| add(change, "a").and(add(change, "a")).and(add(change, "b"))).unwrap();
        let before = store.export().unwrap();
        let refused = store.write(|change| {
            assert!(change.delete::<Count>("a")? && !change.delete::<Count>("a")?);
            add(change, "a")?;
            add(change, "b")?;
            add(change, "c")?;
            change.delete::<Count>("c")?;
            Err::<(), _>(ApiError::validation("no"))
        });
        assert_eq!(refused, Err(ApiError::validation("no")));
        assert_eq!(store.export().unwrap(), before);
    }

    /// A reader never finds one half of what belongs together, and what was answered is there at once.
    #[test]
    fn many_write_and_read_at_the_same_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("state.redb")).unwrap();
        std::thread::scope(|scope| {
            for number in 0..4 {
                let store = &store;
                scope.spawn(move || {
                    for turn in 1..=25 {
                        let own = format!("own {number}");
                        store.write(|change| add(change, "all").and(add(change, &own))).unwrap();
                        let (all, own, others) = store
                            .read(|view| {
                                let others = (0..4).map(|other| value(view, &format!("own {other}"))).sum::<usize>();
                                Ok((value(view, "all"), value(view, &own), others))
                            })
                            .unwrap();
                        assert_eq!((own, all), (turn, others));
                    }
                });
            }
        });
        assert_eq!(shown(&store, "all"), 100);
    }
}
