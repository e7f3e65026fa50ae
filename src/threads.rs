//! The parts of one job, done by several threads.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Builder};

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
