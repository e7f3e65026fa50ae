//! What the tests of readers share: what a reader says of some bytes, and seeded damage.

pub(super) mod sample;

use std::time::{Duration, Instant};

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{RngCore, SeedableRng};

use super::source::Bytes;
use super::{Facts, Source};

/// A reader of one container.
pub(super) type Reader = fn(&mut Bytes, &mut Facts);

/// What a reader says of this content.
pub(super) fn facts(content: &[u8], read: Reader) -> Facts {
    let mut facts = Facts::default();
    read(&mut Bytes::of(content), &mut facts);
    facts
}

/// The dates that a reader finds in this content, as text: source, time, offset in minutes where told.
pub(super) fn dates(content: &[u8], read: Reader) -> Vec<(Source, String)> {
    let dates = facts(content, read).dates.into_iter();
    dates
        .map(|(source, date)| {
            let offset = date.offset.map(|seconds| format!(" {:+}", seconds / 60)).unwrap_or_default();
            (source, format!("{}{offset}", date.time))
        })
        .collect()
}

/// Damages samples at random and has them read: 20,000 times, or for as long as `MEDIASTRUCT_FUZZ_SECONDS` says. Readers
/// pass if they come back. What is made of a round depends on its number alone.
pub(super) fn survives_damage(samples: &[Vec<u8>], read: Reader) {
    let seconds = std::env::var("MEDIASTRUCT_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    let limit = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut random = Random(Xoshiro256PlusPlus::seed_from_u64(1904));
    for round in 0.. {
        if limit.map_or(round >= 20_000, |limit| round % 1000 == 0 && Instant::now() >= limit) {
            break;
        }
        let sample = &samples[round % samples.len()];
        let damaged = random.damage(sample);
        let dates = facts(&damaged, read).dates;
        assert!(dates.windows(2).all(|pair| pair[0].0 < pair[1].0), "round {round}: {dates:?}");
    }
}

struct Random(Xoshiro256PlusPlus);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.0.next_u64() % u64::try_from(end.max(1)).expect("small")).expect("small")
    }

    /// A copy with one to eight slips: bytes changed, sizes made extreme, pieces left out, repeated or moved.
    fn damage(&mut self, sample: &[u8]) -> Vec<u8> {
        let mut content = sample.to_vec();
        for _ in 0..=self.below(8) {
            let at = self.below(content.len());
            let until = (at + 1 + self.below(16)).min(content.len());
            match self.below(7) {
                0 => content.iter_mut().skip(at).take(1).for_each(|byte| *byte = self.0.next_u64().to_le_bytes()[0]),
                1 => content
                    .iter_mut()
                    .skip(at)
                    .take(1)
                    .for_each(|byte| *byte ^= 1 << self.0.next_u64().trailing_zeros().min(7)),
                2 => content[at.min(until)..until].fill(0xFF),
                3 => content[at.min(until)..until].fill(0),
                4 => content.truncate(at),
                5 => drop(content.drain(at.min(until)..until)),
                _ => {
                    let from = self.below(sample.len());
                    let piece: Vec<u8> = sample.iter().skip(from).take(1 + self.below(64)).copied().collect();
                    content.splice(at..at, piece);
                }
            }
        }
        content
    }
}
