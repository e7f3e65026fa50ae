//! A hash table from fingerprints to places in a file, in about 11 bytes an entry.

use std::sync::atomic::{AtomicU64, Ordering};

/// An open table, filled by several threads at once. An entry is found by its fingerprint, and whoever asks looks at
/// the place to see whether it is the right one.
#[derive(Debug)]
pub(super) struct Slots {
    slots: Vec<AtomicU64>,
}

/// Bits of a slot that hold the place plus one; 0 is an empty slot. The others hold a part of the fingerprint.
const PLACE_BITS: u32 = 40;

/// Places are below this, in bytes: a terabyte.
pub(super) const MOST: u64 = (1 << PLACE_BITS) - 1;

impl Slots {
    /// Room for `count` entries.
    pub(super) fn new(count: usize) -> Self {
        // A quarter stays empty, so that a search soon comes to its end.
        let len = count + count / 3 + 1;
        Self { slots: (0..len).map(|_| AtomicU64::new(0)).collect() }
    }

    /// Adds `place`, which is below [`MOST`]. What there is no room for is not found later.
    pub(super) fn insert(&self, fingerprint: u64, place: u64) {
        let entry = tag(fingerprint) | (place + 1);
        let taken = |slot: &&AtomicU64| slot.compare_exchange(0, entry, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        // The entries are looked at after the threads that made them were joined, which orders all of this.
        let found = self.from(fingerprint).find(taken);
        debug_assert!(found.is_some(), "more entries than were announced");
    }

    /// The places that were added with `fingerprint`, and rarely another one.
    pub(super) fn places(&self, fingerprint: u64) -> impl Iterator<Item = u64> {
        self.from(fingerprint)
            .map(|slot| slot.load(Ordering::Relaxed))
            .take_while(|entry| *entry != 0)
            .filter(move |entry| entry & !MOST == tag(fingerprint))
            .map(|entry| (entry & MOST) - 1)
    }

    fn from(&self, fingerprint: u64) -> impl Iterator<Item = &AtomicU64> {
        // The high bits choose the slot, so that the low ones, which are kept, tell more about the rest.
        let begin = (u128::from(fingerprint) * self.slots.len() as u128) >> 64;
        let (before, after) = self.slots.split_at(usize::try_from(begin).unwrap_or(0));
        after.iter().chain(before)
    }
}

fn tag(fingerprint: u64) -> u64 {
    fingerprint << PLACE_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(number: u64) -> u64 {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17)
    }

    #[test]
    fn every_place_is_found_under_its_fingerprint() {
        for count in [0, 1, 2, 7, 10_000] {
            let slots = Slots::new(count);
            let places = || (0..count as u64).map(|number| (fingerprint(number), number * 100));
            places().for_each(|(fingerprint, place)| slots.insert(fingerprint, place));
            for (fingerprint, place) in places() {
                assert!(slots.places(fingerprint).any(|found| found == place), "{count} {place}");
            }
            assert!(slots.slots.len() * 8 <= 11 * count + 8);
        }
    }

    #[test]
    fn places_of_one_fingerprint_are_all_found() {
        let slots = Slots::new(20);
        (0..20).for_each(|place| slots.insert(u64::MAX, place));
        assert_eq!(slots.places(u64::MAX).count(), 20);
        assert_eq!(slots.places(5).count(), 0);
        assert_eq!(Slots::new(1).places(5).count(), 0);
    }
}
