//! Which numbers may have come up twice, told with a few bits for each: a Bloom filter (B. H. Bloom, "Space/Time
//! Trade-offs in Hash Coding with Allowable Errors", 1970) with one hash function, that also counts to two.
//!
//! A number that came up twice is always said to have. Of those that did not, so are about one in [`CELLS`].

use std::sync::atomic::{AtomicU64, Ordering};

/// Cells of two bits for each number that is expected.
const CELLS: usize = 12;

/// Cells in one word of memory.
const CELLS_OF_WORD: usize = 32;

/// Counts many numbers, from any number of threads.
#[derive(Debug)]
pub(super) struct Sieve {
    words: Vec<AtomicU64>,
}

impl Sieve {
    /// For about so many numbers.
    pub(super) fn new(numbers: usize) -> Self {
        let words = (numbers * CELLS).div_ceil(CELLS_OF_WORD).max(1);
        Self { words: std::iter::repeat_with(AtomicU64::default).take(words).collect() }
    }

    /// Counts some numbers: few enough that what they touch stays in the processor's caches.
    pub(super) fn add(&self, numbers: impl Iterator<Item = u64> + Clone) {
        // Each waits for memory; asked for together, they wait together.
        let touched = numbers.clone().fold(0, |sum, number| sum ^ self.cell(number).0.load(Ordering::Relaxed));
        std::hint::black_box(touched);
        for number in numbers {
            let (word, once) = self.cell(number);
            if word.fetch_or(once, Ordering::Relaxed) & once != 0 {
                word.fetch_or(once << 1, Ordering::Relaxed);
            }
        }
    }

    /// Whether a number may have come up twice, once all threads have counted what they have.
    pub(super) fn came_twice(&self, number: u64) -> bool {
        let (word, once) = self.cell(number);
        word.load(Ordering::Relaxed) & once << 1 != 0
    }

    /// The word that holds the cell of a number, and the lower bit of that cell.
    fn cell(&self, number: u64) -> (&AtomicU64, u64) {
        // Numbers may be small, so they are spread by an odd factor before their upper bits choose the word.
        let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let place = (u128::from(spread) * (self.words.len() * CELLS_OF_WORD) as u128) >> 64;
        let place = usize::try_from(place).unwrap_or_default();
        (&self.words[place / CELLS_OF_WORD], 1 << (2 * (place % CELLS_OF_WORD)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_twice_is_never_missed_and_little_else_is_told() {
        let sieve = Sieve::new(10_000);
        // Even small numbers, as sizes without hashes are.
        let numbers = (0..9_000_u64).chain(0..1000).map(|number| number * 2);
        sieve.add(numbers);
        assert!((0..1000).all(|number| sieve.came_twice(number * 2)));
        let others = (1000..9000).filter(|number| sieve.came_twice(number * 2)).count();
        assert!(others < 2000, "{others}");
    }

    #[test]
    fn a_sieve_for_nothing_takes_numbers_all_the_same() {
        let sieve = Sieve::new(0);
        sieve.add([1, 1, u64::MAX].into_iter());
        assert!(sieve.came_twice(1));
    }
}
