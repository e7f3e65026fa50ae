//! Sums of files and bytes, and short lists of the rows that matter most.

use std::collections::BinaryHeap;
use std::fmt;
use std::iter::Sum;
use std::ops::AddAssign;

use crate::record::Timestamp;
use crate::report;
use crate::stream::Row;

/// So many files of so many bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tally {
    pub(super) bytes: u64,
    pub(super) files: u64,
}

impl Tally {
    /// Adds a file.
    pub(super) fn add(&mut self, size: u64) {
        *self += Self { bytes: size, files: 1 };
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.files = self.files.saturating_add(other.files);
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |mut sum, tally| {
            sum += tally;
            sum
        })
    }
}

/// `312 files, 4.10 GB`.
impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}, {}", report::count(self.files, "file"), report::bytes(self.bytes))
    }
}

/// What is kept of a row that is listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    rank: u64,
    pub(super) path: Vec<u8>,
    pub(super) size: u64,
    pub(super) mtime: Option<Timestamp>,
    pub(super) dest: Option<Vec<u8>>,
}

impl Entry {
    fn of(rank: u64, row: &Row<'_>) -> Self {
        let dest = row.dest.map(|dest| super::plain(dest).into_owned());
        Self { rank, path: row.path_bytes().into_owned(), size: row.size, mtime: row.mtime, dest }
    }
}

/// The few rows of lowest rank, and of these the ones whose paths come first; and how many there were in all.
#[derive(Debug)]
pub(super) struct Shortlist {
    most: usize,
    /// The worst of them on top.
    entries: BinaryHeap<Entry>,
    pub(super) all: Tally,
}

impl Shortlist {
    /// Keeps `most` rows.
    pub(super) fn new(most: usize) -> Self {
        Self { most, entries: BinaryHeap::new(), all: Tally::default() }
    }

    /// Takes a row for a list of the largest.
    pub(super) fn offer_large(&mut self, row: &Row<'_>) {
        self.offer(u64::MAX - row.size, row);
    }

    /// Takes a row for a list in the order of paths.
    pub(super) fn offer_by_path(&mut self, row: &Row<'_>) {
        self.offer(0, row);
    }

    fn offer(&mut self, rank: u64, row: &Row<'_>) {
        self.all.add(row.size);
        if self.entries.len() < self.most {
            return self.entries.push(Entry::of(rank, row));
        }
        // Most rows are worse than all that are kept, and nothing of theirs is copied.
        let Some(worst) = self.entries.peek() else { return };
        if (rank, &*row.path_bytes()) < (worst.rank, worst.path.as_slice()) {
            self.entries.push(Entry::of(rank, row));
            self.entries.pop();
        }
    }

    /// The rows, best first.
    pub(super) fn sorted(&self) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = self.entries.iter().collect();
        entries.sort();
        entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(path: &'static str, size: u64) -> Row<'static> {
        let path = path.as_bytes();
        Row { path, hash: None, size, mtime: None, id: None, dest: None, keep: None, note: None, plain: None }
    }

    #[test]
    fn the_largest_are_kept_in_whatever_order_they_come() {
        let rows = [row("c", 5), row("a", 5), row("b", 9), row("d", 1), row("e", 5)];
        for turn in 0..rows.len() {
            let mut list = Shortlist::new(3);
            rows.iter().cycle().skip(turn).take(rows.len()).for_each(|row| list.offer_large(row));
            let found: Vec<_> = list.sorted().iter().map(|entry| entry.path.clone()).collect();
            assert_eq!(found, [b"b", b"a", b"c"], "{turn}");
            assert_eq!(list.all, Tally { bytes: 25, files: 5 });
        }
    }
}
