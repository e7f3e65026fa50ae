//! Duplicates: what goes, beside the copy that stays.
//!
//! Of each row 40 bytes are held: the key of its keeper, its own, its route, its size, and where it stands. Only the sets
//! that are shown are read again.

mod cards;
mod sets;

use super::folder::{self, Common, Routes};
use super::tally::Tally;
use crate::stream::{Row, RowRef};

/// One copy that goes.
#[derive(Debug, Clone, Copy)]
struct Copy {
    /// Of the keeper's path.
    keeper: u64,
    /// Of its own path.
    own: u64,
    /// From its folder to that of the keeper.
    route: usize,
    size: u64,
    at: RowRef,
}

/// All copies that go.
#[derive(Debug, Default)]
pub(super) struct Duplicates {
    pub(super) all: Tally,
    /// Where they go: the folder below which each keeps its whole path, where that is so.
    pub(super) goal: Common,
    copies: Vec<Copy>,
    routes: Routes,
    /// Keepers, and those among them that are planned to go as well. Counted once all rows are read.
    pub(super) keepers: u64,
    pub(super) leaving: u64,
    /// Keys of the files that stay for one row and go by another, sorted.
    torn: Vec<u64>,
    /// Whether other rows go as well.
    has_others: bool,
}

/// Few bytes for a path. Two paths share theirs once in some billions of pairs, and then a number on the page is wrong by one.
pub(super) fn key(path: &[u8]) -> u64 {
    let hash = blake3::hash(path);
    hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

impl Duplicates {
    /// Adds a row by its path, the copy that stays, and its destination.
    pub(super) fn add(&mut self, at: RowRef, row: &Row<'_>, [path, keep, dest]: [&[u8]; 3]) {
        self.all.add(row.size);
        self.goal.add(quarantine(path, dest));
        let route = self.routes.add(path, keep, row.size);
        self.copies.push(Copy { keeper: key(keep), own: key(path), route, size: row.size, at });
    }

    /// Brings those with one keeper together, and counts them. `others` are the paths of further rows that go.
    pub(super) fn settle(&mut self, others: &[u64]) {
        let mut going: Vec<u64> = self.copies.iter().map(|copy| copy.own).chain(others.iter().copied()).collect();
        going.sort_unstable();
        self.has_others = !others.is_empty();
        // By key and not by place: how they come must not show.
        self.copies.sort_unstable_by_key(|copy| (copy.keeper, copy.route, copy.own, copy.at.0));
        for set in self.copies.chunk_by(|one, other| one.keeper == other.keeper) {
            self.keepers += 1;
            let keeper = set.first().map(|copy| copy.keeper);
            self.torn.extend(keeper.filter(|keeper| going.binary_search(keeper).is_ok()));
        }
        self.leaving = self.torn.len() as u64;
    }

    /// Whether a file both stays and goes.
    fn is_torn(&self, path: &[u8]) -> bool {
        !self.torn.is_empty() && self.torn.binary_search(&key(path)).is_ok()
    }

    /// For each copy that stays, a row that names it.
    pub(super) fn keeper_places(&self) -> impl Iterator<Item = RowRef> {
        let sets = self.copies.chunk_by(|one, other| one.keeper == other.keeper);
        sets.filter_map(|set| set.first()).map(|copy| copy.at)
    }
}

/// The folder below which `dest` has the whole of `path`; else the folder of `dest`.
fn quarantine<'a>(path: &[u8], dest: &'a [u8]) -> &'a [u8] {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    let dir = dest.strip_suffix(path).and_then(|dir| dir.strip_suffix(b"/"));
    dir.filter(|dir| !dir.is_empty()).unwrap_or_else(|| folder::of(dest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quarantine_is_what_comes_before_the_whole_path() {
        for (path, dest, dir) in [
            ("a/b.jpg", "duplicates/a/b.jpg", "duplicates"),
            ("/data/b.jpg", "/q/d/data/b.jpg", "/q/d"),
            ("a/b.jpg", "elsewhere/c.jpg", "elsewhere"),
            ("b.jpg", "ab.jpg", "."),
            ("/b.jpg", "/b.jpg", "/"),
        ] {
            assert_eq!(quarantine(path.as_bytes(), dest.as_bytes()), dir.as_bytes(), "{path} {dest}");
        }
    }
}
