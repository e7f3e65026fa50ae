//! Where the malformed lines of a run are.

use super::table::RowRef;

/// So many malformed lines are named one by one before a run is given up.
const MOST: usize = 20;

/// The malformed lines that a run has come upon. A text that is no stream at all has millions of them, so what is wrong
/// with each is told when it is named and not before, and no more are kept than will be named.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    skip: bool,
    places: Vec<RowRef>,
    count: usize,
}

impl Faults {
    /// None yet. Where a run is to `skip` them and go on, every one will be named.
    #[must_use]
    pub fn new(skip: bool) -> Self {
        Self { skip, places: Vec::new(), count: 0 }
    }

    /// The line that begins there is malformed.
    pub fn push(&mut self, at: RowRef) {
        self.count += 1;
        if self.skip || self.places.len() < MOST {
            self.places.push(at);
        }
    }

    /// Adds those that another thread has found further on.
    pub fn append(&mut self, other: &Self) {
        self.count += other.count;
        let room = if self.skip { usize::MAX } else { MOST - self.places.len() };
        self.places.extend(other.places.iter().take(room));
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Those that are to be named, in order.
    #[must_use]
    pub fn places(&self) -> &[RowRef] {
        &self.places
    }

    /// Whether the run goes on without them.
    #[must_use]
    pub fn are_skipped(&self) -> bool {
        self.skip
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_kept_than_will_be_named() {
        let of = |skip, range: std::ops::Range<u64>| {
            let mut faults = Faults::new(skip);
            range.for_each(|at| faults.push(RowRef(at)));
            faults
        };
        for (skip, kept) in [(false, 20), (true, 45)] {
            let mut faults = of(skip, 0..15);
            faults.append(&of(skip, 15..45));
            assert_eq!((faults.count(), faults.places().len()), (45, kept));
            assert!(faults.places().iter().map(|at| at.0).eq(0..kept as u64));
        }
    }
}
