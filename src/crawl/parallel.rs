//! One question asked about many things, by all workers at once.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder};

use crate::disk::Spindle;
use crate::hash::Scratch;

/// How many things a worker takes at a time, at most.
const MOST: usize = 64;

/// Calls `ask` for each of `things`, which are begun in their order, in `jobs` threads, each of which has a `scratch`. Those
/// that are `on` one disk that turns are asked about one after the other. `None` stands for what `stopped` has left out.
/// Where the system has no more threads to give, there are fewer.
pub(super) fn map<T: Sync, R: Send>(
    jobs: usize,
    scratch: impl Fn() -> Scratch + Sync,
    stopped: impl Fn() -> bool + Sync,
    things: &[T],
    on: impl Fn(&T) -> Option<Spindle>,
    ask: impl Fn(&mut Scratch, &T) -> R + Sync,
) -> Vec<Option<R>> {
    let (mut lanes, mut others) = (BTreeMap::<Spindle, Vec<usize>>::new(), Vec::new());
    for (place, thing) in things.iter().enumerate() {
        on(thing).map_or(&mut others, |spindle| lanes.entry(spindle).or_default()).push(place);
    }
    let queues: Vec<Queue> = lanes.into_values().map(Queue::in_turn).chain([Queue::shared(others, jobs)]).collect();
    let work = || {
        let (mut scratch, mut done) = (scratch(), Vec::new());
        for part in queues.iter().flat_map(Queue::parts) {
            for place in part {
                if stopped() {
                    return done;
                }
                done.push((*place, ask(&mut scratch, &things[*place])));
            }
        }
        done
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

/// Places of things, handed out in their order, a part at a time.
struct Queue {
    places: Vec<usize>,
    share: usize,
    next: AtomicUsize,
}

impl Queue {
    /// All of it is one part.
    fn in_turn(places: Vec<usize>) -> Self {
        Self { share: places.len().max(1), places, next: AtomicUsize::new(0) }
    }

    /// Enough parts for `jobs` workers to be done at the same time.
    fn shared(places: Vec<usize>, jobs: usize) -> Self {
        Self { share: (places.len() / (jobs * 8)).clamp(1, MOST), places, next: AtomicUsize::new(0) }
    }

    /// What is left, for one of several workers.
    fn parts(&self) -> impl Iterator<Item = &[usize]> {
        std::iter::from_fn(|| {
            let begin = self.next.fetch_add(self.share, Ordering::Relaxed);
            let part = self.places.get(begin..self.places.len().min(begin + self.share))?;
            (!part.is_empty()).then_some(part)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::disk::{Disks, Hardware};

    #[test]
    fn answers_stand_in_the_order_of_the_things() {
        for (jobs, count) in [(1, 0), (1, 5), (3, 1), (4, 1000)] {
            let things: Vec<usize> = (0..count).collect();
            for disks in [Disks::Solid, Disks::Rotating] {
                let hardware = Hardware::new(disks);
                let on = |thing: &usize| hardware.place(*thing as u64 % 3, "/".as_ref()).map(|place| place.spindle);
                let answers = map(jobs, Scratch::default, || false, &things, on, |_, thing| thing * 2);
                assert!(answers.into_iter().eq(things.iter().map(|thing| Some(thing * 2))), "{jobs} {count}");
            }
        }
    }

    #[test]
    fn things_on_a_disk_that_turns_are_asked_about_in_their_order() {
        let hardware = Hardware::new(Disks::Rotating);
        let things: Vec<usize> = (0..300).collect();
        let asked: [Mutex<Vec<usize>>; 3] = Default::default();
        let on = |thing: &usize| hardware.place(*thing as u64 % 3, "/".as_ref()).map(|place| place.spindle);
        let ask = |_: &mut Scratch, thing: &usize| {
            thread::yield_now();
            asked[thing % 3].try_lock().expect("nobody else is on this disk").push(*thing);
        };
        map(4, Scratch::default, || false, &things, on, ask);
        for (disk, asked) in asked.into_iter().enumerate() {
            assert!(asked.into_inner().expect("all are done").into_iter().eq((disk..300).step_by(3)));
        }
    }
}
