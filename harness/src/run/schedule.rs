//! Several things at once, told in the order in which they stand: what the scheduling of a suite has
//! nothing to know about scenarios for.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

/// Does the work for each number below `count`, with as many threads as there are `jobs`. Each thread
/// makes a worker for itself out of its number, from 0. What comes of it is `told` in the order of the
/// numbers; where that fails, the rest is given up.
///
/// # Errors
/// Those of `told`.
pub(super) fn in_order<T: Send, W: FnMut(usize) -> T, E>(
    jobs: NonZeroUsize,
    count: usize,
    worker: impl Fn(usize) -> W + Sync,
    mut told: impl FnMut(usize, T) -> Result<(), E>,
) -> Result<(), E> {
    let jobs = jobs.get().min(count);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        // What is ahead of the report waits, so that no long run piles up.
        let (done, coming) = sync_channel(4 * jobs.max(1));
        for job in 0..jobs {
            let (done, next, worker) = (done.clone(), &next, &worker);
            scope.spawn(move || {
                let mut work = worker(job);
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count || done.send((index, work(index))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(done);
        let mut waiting = BTreeMap::new();
        let mut due = 0;
        for (index, result) in coming {
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&due) {
                told(due, result)?;
                due += 1;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn what_is_done_at_once_is_told_in_order() {
        let both = Barrier::new(2);
        let mut order = Vec::new();
        let worker = |job: usize| {
            let both = &both;
            move |index: usize| {
                // Neither thread takes the next before the other has taken one too.
                both.wait();
                (job, index)
            }
        };
        let jobs = NonZeroUsize::new(2).unwrap();
        let result: Result<(), ()> = in_order(jobs, 20, worker, |due, (job, index)| {
            assert_eq!(due, index);
            order.push(job);
            Ok(())
        });
        assert!(result.is_ok());
        assert_eq!((order.len(), order.contains(&0), order.contains(&1)), (20, true, true));
    }

    #[test]
    fn what_cannot_be_told_ends_it() {
        let mut told = 0;
        let result = in_order(
            NonZeroUsize::MIN,
            1000,
            |_| |index| index,
            |due, _| {
                told += 1;
                if due == 3 { Err("enough") } else { Ok(()) }
            },
        );
        assert_eq!((result, told), (Err("enough"), 4));
    }
}
