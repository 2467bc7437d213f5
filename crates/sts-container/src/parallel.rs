//! Work on a stream of items by all cores, with results in the order of the items and flat memory.

use std::{
    num::NonZero,
    sync::{
        Mutex, PoisonError,
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
};

use crate::error::Error;

/// Takes items one after the other, has them worked on by as many threads as there are cores, each with a `state` of
/// its own, and hands the results to `each` in the order of the items. Gives the states at the end.
///
/// Only a few items for each core are there at any time: who is faster waits for who is slower. What is in the results
/// must not depend on the state.
///
/// # Errors
/// The first error in the order of the items, be it of an item itself, of the work, or of `each`.
pub(crate) fn in_order<C: Send, S: Send, T: Send>(
    items: impl Iterator<Item = Result<C, Error>> + Send,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, C) -> Result<T, Error> + Sync,
    each: impl FnMut(T) -> Result<(), Error>,
) -> Result<Vec<S>, Error> {
    in_order_by(thread::available_parallelism().map_or(1, NonZero::get), items, state, work, each)
}

fn in_order_by<C: Send, S: Send, T: Send>(
    workers: usize,
    items: impl Iterator<Item = Result<C, Error>> + Send,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, C) -> Result<T, Error> + Sync,
    mut each: impl FnMut(T) -> Result<(), Error>,
) -> Result<Vec<S>, Error> {
    // For each item in turn, where its result will be: the length of this queue limits all others.
    let (announce, announced) = mpsc::sync_channel(4 * workers);
    let (hand_out, handed_out) = mpsc::channel();
    let handed_out = Mutex::new(handed_out);
    thread::scope(|scope| {
        scope.spawn(move || {
            for item in items {
                let (result, told) = mpsc::sync_channel(1);
                // Nobody listens any more after an error.
                if announce.send(told).is_err() {
                    break;
                }
                let taken = match item {
                    Ok(item) => hand_out.send((item, result)).is_ok(),
                    Err(error) => result.send(Err(error)).is_ok(),
                };
                if !taken {
                    break;
                }
            }
        });
        let work = || {
            let mut state = state();
            while let Some((item, result)) = next(&handed_out) {
                // Nobody waits for it any more after an error.
                let _ = result.send(work(&mut state, item));
            }
            state
        };
        let working: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        let results = announced.into_iter().map(|told: Receiver<_>| told.recv().unwrap_or(Err(Error::Panicked)));
        let done = results.map(|result| result.and_then(&mut each)).find(Result::is_err).unwrap_or(Ok(()));
        let states = working.into_iter().map(|worker| worker.join().map_err(|_| Error::Panicked)).collect();
        done.and(states)
    })
}

type Task<C, T> = (C, SyncSender<Result<T, Error>>);

/// The next task; none at the end.
fn next<C, T>(tasks: &Mutex<Receiver<Task<C, T>>>) -> Option<Task<C, T>> {
    // Receiving cannot leave a queue half changed.
    tasks.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn failure(count: usize) -> Error {
        Error::SeveralInstances { count }
    }

    #[test]
    fn results_come_in_order_and_states_add_up() {
        let work = |sum: &mut u64, item: u64| {
            *sum += item;
            // Later items are done sooner.
            for busy in 0..(1000 - item) * 20 {
                std::hint::black_box(busy);
            }
            Ok(item * 2)
        };
        for workers in [1, 2, 7] {
            let mut seen = Vec::new();
            let each = |result| {
                seen.push(result);
                Ok(())
            };
            let sums = in_order_by(workers, (0..1000).map(Ok), || 0, work, each).unwrap();
            assert_eq!(seen, (0..1000).map(|item| item * 2).collect::<Vec<u64>>());
            assert_eq!((sums.len(), sums.iter().sum::<u64>()), (workers, 499_500));
        }
    }

    #[test]
    fn the_first_error_counts() {
        // Items, work and `each` fail at these places; whichever is first.
        for (item, work, each, expected) in [(5, 9, 9, 5), (9, 5, 9, 5), (9, 9, 5, 5), (9, 7, 8, 7)] {
            let mut seen = 0;
            let items = (0..).map(|number| if number == item { Err(failure(number)) } else { Ok(number) });
            let result = in_order(
                items,
                || (),
                |(), number| if number == work { Err(failure(number)) } else { Ok(number) },
                |number| {
                    seen += 1;
                    if number == each { Err(failure(number)) } else { Ok(()) }
                },
            );
            assert!(matches!(result, Err(Error::SeveralInstances { count }) if count == expected));
            assert_eq!(seen, expected + usize::from(each == expected));
        }
    }

    #[test]
    fn items_are_taken_as_they_are_needed() {
        let taken = AtomicUsize::new(0);
        let items = (0..10_000).map(|number| {
            taken.fetch_add(1, Ordering::Relaxed);
            Ok(number)
        });
        let mut done = 0;
        let each = |_| {
            done += 1;
            let cores = thread::available_parallelism().unwrap().get();
            // What is announced, one that waits to be, and one that is about to be handed over.
            assert!(taken.load(Ordering::Relaxed) <= done + 4 * cores + 2);
            Ok(())
        };
        in_order(items, || (), |(), number: usize| Ok(number), each).unwrap();
        assert_eq!(done, 10_000);
    }
}
