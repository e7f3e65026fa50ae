//! Random numbers that are the same on every machine: xoshiro256++, seeded through BLAKE3.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore as _, SeedableRng as _};

/// One sequence of random numbers.
#[derive(Debug, Clone)]
pub(super) struct Random(Xoshiro256PlusPlus);

impl Random {
    /// The sequence for one `purpose` and thing; no two of them are related, whatever the seed.
    pub(super) fn new(seed: u64, purpose: &str, number: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes()).update(&number.to_le_bytes()).update(purpose.as_bytes());
        Self(Xoshiro256PlusPlus::from_seed(*hasher.finalize().as_bytes()))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `limit`, 0 where `limit` is 0. The bias of the multiplication (Lemire 2019,
    /// doi:10.1145/3230636) is far below what a sample of this size shows.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        let wide = u128::from(self.next()) * u128::from(limit);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A small number below `limit`.
    pub(super) fn index(&mut self, limit: usize) -> usize {
        usize::try_from(self.below(limit as u64)).unwrap_or(0)
    }

    /// One of `items`, which must not be empty.
    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }

    /// Fills `buffer` with bytes below 128. Without the byte FF there is nothing in a padding that a careless
    /// reader of JPEG could take for a marker.
    pub(super) fn fill_low(&mut self, buffer: &mut [u8]) {
        const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
        let mut words = buffer.chunks_exact_mut(8);
        for word in &mut words {
            word.copy_from_slice(&(self.next() & LOW).to_le_bytes());
        }
        let rest = words.into_remainder();
        let last = (self.next() & LOW).to_le_bytes();
        rest.copy_from_slice(&last[..rest.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A change of the algorithm would change every dataset that somebody has written down by its seed.
    #[test]
    fn the_sequence_is_fixed() {
        let mut random = Random::new(1, "picture", 7);
        assert_eq!([random.next(), random.next()], [894_494_662_661_257_629, 3_435_224_644_253_583_985]);
        assert_ne!(Random::new(1, "picture", 8).next(), Random::new(1, "picture", 7).next());
        assert_ne!(Random::new(2, "picture", 7).next(), Random::new(1, "picture", 7).next());
        assert_ne!(Random::new(1, "filling", 7).next(), Random::new(1, "picture", 7).next());
    }

    #[test]
    fn numbers_stay_below_their_limit() {
        let mut random = Random::new(1, "test", 0);
        assert!((0..1000).all(|_| random.below(3) < 3));
        assert_eq!(random.below(0), 0);
        let mut buffer = [255; 21];
        random.fill_low(&mut buffer);
        assert!(buffer.iter().all(|byte| *byte < 128));
    }
}
