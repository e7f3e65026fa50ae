//! One question asked about many things, by all workers at once.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};

use crate::hash::Scratch;

/// How many things a worker takes at a time, at most.
const MOST: usize = 64;

/// Calls `ask` for each of `things`, which are begun in their order, in `jobs` threads, each of which has a `scratch`.
/// `None` stands for what `stopped` has left out. Where the system has no more threads to give, there are fewer.
pub(super) fn map<T: Sync, R: Send>(
    jobs: usize,
    scratch: impl Fn() -> Scratch + Sync,
    stopped: impl Fn() -> bool + Sync,
    things: &[T],
    ask: impl Fn(&mut Scratch, &T) -> R + Sync,
) -> Vec<Option<R>> {
    let share = (things.len() / (jobs * 8)).clamp(1, MOST);
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut scratch, mut done) = (scratch(), Vec::new());
        loop {
            let begin = next.fetch_add(share, Ordering::Relaxed);
            let Some(part) = things.get(begin..things.len().min(begin + share)).filter(|part| !part.is_empty()) else {
                return done;
            };
            for (place, thing) in (begin..).zip(part) {
                if stopped() {
                    return done;
                }
                done.push((place, ask(&mut scratch, thing)));
            }
        }
    };
    let mut answers: Vec<Option<R>> = things.iter().map(|_| None).collect();
    thread::scope(|scope| {
        let others = jobs.min(things.len()).saturating_sub(1);
        let workers: Vec<_> = (0..others).map_while(|_| Builder::new().spawn_scoped(scope, work).ok()).collect();
        let own = work();
        // What a worker that panicked has not answered must not be taken for left out.
        let others = workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)));
        for (place, answer) in others.chain(own) {
            answers[place] = Some(answer);
        }
    });
    answers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_stand_in_the_order_of_the_things() {
        for (jobs, count) in [(1, 0), (1, 5), (3, 1), (4, 1000)] {
            let things: Vec<usize> = (0..count).collect();
            let answers = map(jobs, Scratch::default, || false, &things, |_, thing| thing * 2);
            assert!(answers.into_iter().eq(things.iter().map(|thing| Some(thing * 2))), "{jobs} {count}");
        }
    }
}
