//! Workers that steal tasks from each other until none is left: for a crawl, or whatever else reads many files.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::{self, Builder};
use std::time::Duration;

use crossbeam_deque::{Injector, Steal, Stealer, Worker};
use crossbeam_utils::Backoff;

use crate::cli::Failure;
use crate::report;

/// Tasks that make further tasks.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    seeds: Injector<T>,
    stealers: Vec<Stealer<T>>,
    /// Tasks that were pushed and are not finished. At 0 there will be no more.
    unfinished: AtomicUsize,
    sleepers: AtomicUsize,
    gate: Mutex<()>,
    bell: Condvar,
}

/// One worker's own end of the pool.
#[derive(Debug)]
pub(crate) struct Hand<'p, T> {
    pool: &'p Pool<T>,
    own: Worker<T>,
}

/// A sleeper looks around this often, whether or not it was woken: for a signal, above all.
const NAP: Duration = Duration::from_millis(50);

fn no_thread(error: &io::Error) -> Failure {
    Failure::Stop(format!("starting a thread: {}", report::reason(error)))
}

impl<T: Send> Pool<T> {
    /// Runs `jobs` workers, each in its thread, until the tasks `seeds`, and all that these push, are finished or
    /// `stopped` says so, and `meanwhile` in this thread. `hire` is dropped before that. Where the system has no more
    /// threads to give, those that it gave do all the work.
    ///
    /// # Errors
    /// [`Failure::Stop`] where it gave none.
    pub(crate) fn run<W, R>(
        jobs: usize,
        seeds: impl IntoIterator<Item = T>,
        stopped: impl Fn() -> bool + Sync,
        mut hire: impl FnMut() -> W,
        meanwhile: impl FnOnce() -> R,
    ) -> Result<R, Failure>
    where
        W: FnOnce(&Hand<'_, T>, Tasks<'_, T>) + Send,
    {
        let workers: Vec<Worker<T>> = (0..jobs).map(|_| Worker::new_lifo()).collect();
        let pool = Self {
            seeds: Injector::new(),
            stealers: workers.iter().map(Worker::stealer).collect(),
            unfinished: AtomicUsize::new(0),
            sleepers: AtomicUsize::new(0),
            gate: Mutex::new(()),
            bell: Condvar::new(),
        };
        for seed in seeds {
            pool.unfinished.fetch_add(1, Ordering::Relaxed);
            pool.seeds.push(seed);
        }
        let (pool, stopped) = (&pool, &stopped);
        thread::scope(|scope| {
            for (number, own) in workers.into_iter().enumerate() {
                let work = hire();
                let started = Builder::new().spawn_scoped(scope, move || {
                    let hand = Hand { pool, own };
                    work(&hand, Tasks { hand: &hand, stopped, busy: false });
                });
                match started {
                    Err(error) if number == 0 => return Err(no_thread(&error)),
                    Err(_) => break,
                    Ok(_) => {}
                }
            }
            drop(hire);
            Ok(meanwhile())
        })
    }

    fn steal(&self) -> Option<T> {
        loop {
            match self.seeds.steal().or_else(|| self.stealers.iter().map(Stealer::steal).collect()) {
                Steal::Success(task) => return Some(task),
                Steal::Empty => return None,
                Steal::Retry => {}
            }
        }
    }

    fn is_finished(&self) -> bool {
        self.unfinished.load(Ordering::Acquire) == 0
    }

    fn has_tasks(&self) -> bool {
        !self.seeds.is_empty() || self.stealers.iter().any(|stealer| !stealer.is_empty())
    }

    /// Sleeps until there may be something to do.
    fn sleep(&self) {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        // With the fence in `wake`, either this sees the task or whoever pushed it sees the sleeper.
        fence(Ordering::SeqCst);
        if !self.has_tasks() && !self.is_finished() {
            drop(self.bell.wait_timeout(gate, NAP).unwrap_or_else(PoisonError::into_inner));
        }
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
    }

    fn wake(&self, all: bool) {
        fence(Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) == 0 {
            return;
        }
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        if all {
            self.bell.notify_all();
        } else {
            self.bell.notify_one();
        }
        drop(gate);
    }
}

impl<T: Send> Hand<'_, T> {
    /// Adds a task. Of its own, a worker does the newest first; others steal the oldest.
    pub(crate) fn push(&self, task: T) {
        self.pool.unfinished.fetch_add(1, Ordering::Relaxed);
        self.own.push(task);
        self.pool.wake(false);
    }

    /// Whether a worker has nothing to do.
    pub(crate) fn others_idle(&self) -> bool {
        self.pool.sleepers.load(Ordering::Relaxed) > 0
    }
}

/// One worker's tasks, its own and stolen ones. A task counts as finished when the next one is asked for.
pub(crate) struct Tasks<'h, T> {
    hand: &'h Hand<'h, T>,
    stopped: &'h (dyn Fn() -> bool + Sync),
    busy: bool,
}

impl<T: Send> Iterator for Tasks<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let pool = self.hand.pool;
        if std::mem::take(&mut self.busy) && pool.unfinished.fetch_sub(1, Ordering::AcqRel) == 1 {
            pool.wake(true);
        }
        let backoff = Backoff::new();
        while !(self.stopped)() {
            if let Some(task) = self.hand.own.pop().or_else(|| pool.steal()) {
                self.busy = true;
                return Some(task);
            }
            if pool.is_finished() {
                break;
            }
            if backoff.is_completed() { pool.sleep() } else { backoff.snooze() }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_done_once() {
        for jobs in [1, 2, 7] {
            let sum = AtomicUsize::new(0);
            let work = || {
                |hand: &Hand<'_, usize>, tasks: Tasks<'_, usize>| {
                    for task in tasks {
                        sum.fetch_add(1, Ordering::Relaxed);
                        (0..task).for_each(|smaller| hand.push(smaller));
                    }
                }
            };
            Pool::run(jobs, [12, 3], || false, work, || ()).expect("threads");
            assert_eq!(sum.into_inner(), (1 << 12) + (1 << 3), "{jobs}");
        }
    }

    #[test]
    fn a_stop_leaves_the_rest() {
        let done = AtomicUsize::new(0);
        let stopped = || done.load(Ordering::Relaxed) >= 100;
        let work = || {
            |hand: &Hand<'_, ()>, tasks: Tasks<'_, ()>| {
                for () in tasks {
                    done.fetch_add(1, Ordering::Relaxed);
                    (0..2).for_each(|_| hand.push(()));
                }
            }
        };
        assert_eq!(Pool::run(2, [()], stopped, work, || 5).expect("threads"), 5);
    }
}
