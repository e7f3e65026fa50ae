//! The parts of one job, done by several threads.

use std::cmp::Ordering;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder};

use crossbeam_channel::{Receiver, bounded};

/// Does `work` on every part, up to `jobs` at a time, and gives the results in the order of the parts.
///
/// Where the system gives fewer threads than asked for, those that there are do it all.
pub(crate) fn each<T: Send, R: Send>(jobs: usize, parts: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let helpers = jobs.min(parts.len()).saturating_sub(1);
    let queue = Mutex::new(parts.into_iter().enumerate());
    let drain = || {
        let mut done = Vec::new();
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((place, part)) = next else { return done };
            done.push((place, work(part)));
        }
    };
    let mut done = thread::scope(|scope| {
        let helpers: Vec<_> = (0..helpers).filter_map(|_| Builder::new().spawn_scoped(scope, drain).ok()).collect();
        let mut done = drain();
        for helper in helpers {
            done.extend(helper.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Cuts a slice into about `count` pieces, never between two neighbours that belong together.
pub(crate) fn cut<T>(mut rest: &mut [T], count: usize, together: impl Fn(&T, &T) -> bool) -> Vec<&mut [T]> {
    let share = rest.len().div_ceil(count.max(1)).max(1);
    let mut pieces = Vec::new();
    while rest.len() > share {
        let mut end = share;
        while end < rest.len() && together(&rest[end - 1], &rest[end]) {
            end += 1;
        }
        let (piece, after) = rest.split_at_mut(end);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// Below this, dividing a sort costs more than it saves.
const FEW: usize = 1 << 13;

/// As `sort_unstable_by`, on up to `jobs` threads.
pub(crate) fn sort_by<T: Send>(items: &mut [T], jobs: usize, compare: impl Fn(&T, &T) -> Ordering + Copy + Sync) {
    // To see that costs little, and nothing where it is not so.
    if items.is_sorted_by(|one, other| compare(one, other) != Ordering::Greater) {
        return;
    }
    let mut pieces = vec![items];
    while pieces.len() < jobs && pieces[0].len() > FEW {
        pieces = each(jobs, pieces, |piece| halves(piece, compare)).into_iter().flatten().collect();
    }
    each(jobs, pieces, |piece| piece.sort_unstable_by(compare));
}

/// Two pieces of equal length, nothing in the first greater than anything in the second.
fn halves<T>(piece: &mut [T], compare: impl Fn(&T, &T) -> Ordering) -> [&mut [T]; 2] {
    let middle = piece.len() / 2;
    if middle > 0 {
        piece.select_nth_unstable_by(middle, compare);
    }
    piece.split_at_mut(middle).into()
}

/// Results that a thread may be ahead of whoever takes them.
const AHEAD: usize = 4;

/// Has all `chunks` worked on by up to `jobs` threads, each of which gets its worker from `hire`, and hands the results to
/// `take` in the order of the chunks. `take` says whether to go on.
///
/// # Errors
/// What `take` gives.
pub(crate) fn in_order<'t, T: Sync, R: Send, E, W: FnMut(&'t [T]) -> R>(
    jobs: usize,
    chunks: &std::slice::Chunks<'t, T>,
    hire: impl Fn() -> W + Sync,
    mut take: impl FnMut(R) -> Result<bool, E>,
) -> Result<(), E> {
    let workers = jobs.min(chunks.len());
    let hire = &hire;
    thread::scope(|scope| {
        let lanes: Vec<Option<Receiver<R>>> = (0..workers)
            .map(|number| {
                let (lane, receiver) = bounded(AHEAD);
                let chunks = chunks.clone().skip(number).step_by(workers);
                let work = move || {
                    let mut worker = hire();
                    let mut chunks = chunks;
                    // Where nobody takes any more, the rest need not be worked on.
                    chunks.all(|chunk| lane.send(worker(chunk)).is_ok())
                };
                // Where there is no thread to be had, the chunks are worked on as they are taken.
                Builder::new().spawn_scoped(scope, work).ok().map(|_| receiver)
            })
            .collect();
        for (place, chunk) in chunks.clone().enumerate() {
            let lane = lanes[place % workers].as_ref();
            let result = lane.and_then(|lane| lane.recv().ok()).unwrap_or_else(|| hire()(chunk));
            if !take(result)? {
                break;
            }
        }
        Ok(())
    })
}

/// As [`Vec::retain_mut`], by several threads.
pub(crate) fn retain<T: Copy + Send>(items: &mut Vec<T>, jobs: usize, keep: impl Fn(&mut T) -> bool + Sync) {
    let pieces = cut(items, jobs, |_, _| false);
    let kept = each(jobs, pieces, |piece| (piece.len(), move_to_front(piece, &keep)));
    let (mut from, mut end) = (0, 0);
    for (len, kept) in kept {
        items.copy_within(from..from + kept, end);
        from += len;
        end += kept;
    }
    items.truncate(end);
}

/// Moves to the front what is kept, in its order, and says how many that are.
fn move_to_front<T: Copy>(piece: &mut [T], keep: impl Fn(&mut T) -> bool) -> usize {
    let mut end = 0;
    for place in 0..piece.len() {
        let mut item = piece[place];
        let kept = keep(&mut item);
        piece[end] = item;
        // Added up instead of asked, for what is kept follows no rule that a processor could foresee.
        end += usize::from(kept);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_parts() {
        let results = each(4, (0..1000_u64).collect(), |part| part * 2);
        assert!(results.into_iter().eq((0..1000).map(|part| part * 2)));
        assert!(each(4, Vec::<u64>::new(), |part| part).is_empty());
    }

    #[test]
    fn a_sort_by_many_threads_is_a_sort() {
        for (len, jobs) in [(0, 3), (1, 3), (10, 2), (100_000, 3)] {
            let mut numbers: Vec<u64> =
                (0..len).map(|number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
            let mut expected = numbers.clone();
            expected.sort_unstable();
            sort_by(&mut numbers, jobs, Ord::cmp);
            assert_eq!(numbers, expected);
        }
    }

    #[test]
    fn results_are_taken_in_the_order_of_the_chunks_until_enough() {
        let numbers: Vec<u64> = (0..1000).collect();
        for (jobs, most) in [(1, 2000), (3, 2000), (7, 100), (2000, 2000)] {
            let mut taken = Vec::new();
            let hire = || |chunk: &[u64]| chunk.iter().map(|number| number * 2).collect::<Vec<_>>();
            let result: Result<(), ()> = in_order(jobs, &numbers.chunks(7), hire, |doubled| {
                taken.extend(doubled);
                Ok(taken.len() < most)
            });
            assert!(result.is_ok());
            assert!(taken.iter().copied().eq((0..taken.len() as u64).map(|number| number * 2)));
            assert!(taken.len() == 1000 || (most..most + 7).contains(&taken.len()));
        }
        let refused = in_order(2, &numbers.chunks(7), || |_: &[u64]| (), |()| Err(5));
        assert_eq!(refused, Err(5));
        let nothing: Result<(), ()> = in_order(2, &[0_u64; 0].chunks(7), || |_: &[u64]| (), |()| Err(()));
        assert!(nothing.is_ok());
    }

    #[test]
    fn what_belongs_together_is_not_cut() {
        let mut numbers: Vec<u32> = (0..100).map(|number| number / 7).collect();
        let pieces = cut(&mut numbers, 9, |one, other| one == other);
        assert!(pieces.len() > 5);
        assert!(pieces.windows(2).all(|pair| pair[0].last() != pair[1].first()));
        assert_eq!(pieces.iter().map(|piece| piece.len()).sum::<usize>(), 100);
    }

    #[test]
    fn what_is_kept_stays_in_its_order() {
        for (len, jobs) in [(0, 3), (1, 3), (10, 3), (1000, 4)] {
            let mut numbers: Vec<u32> = (0..len).collect();
            retain(&mut numbers, jobs, |number| *number % 3 == 1 || *number > 900);
            assert!(numbers.into_iter().eq((0..len).filter(|number| number % 3 == 1 || *number > 900)));
        }
    }
}
