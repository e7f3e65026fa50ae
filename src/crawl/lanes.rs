//! Disks that turn: on each of them one thing is done at a time, by whichever worker has its turn.
//!
//! A [`Turn`] is the task that does it: it lists, until many names are there or nothing is left, and has these files read
//! in the order of their inodes. There is one of each disk at most, so nobody else moves the arm meanwhile. What other
//! workers meet on that disk, where they cross to it from another filesystem, waits in its lane for the next turn.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::pipeline::Name;
use crate::disk::{Place, Spindle};
use crate::walk::Listing;

/// So many names are read in one order. They take some megabytes.
pub(super) const WINDOW: usize = 1 << 14;

/// What is to be done on one disk.
#[derive(Debug)]
pub(super) struct Turn {
    pub(super) spindle: Spindle,
    /// Each with where it goes on.
    pub(super) listings: Vec<(Place, Box<Listing>)>,
    pub(super) names: Vec<Name>,
}

/// What waits for the turn of its disk. A disk that is absent has no turn in any worker's hands.
#[derive(Debug, Default)]
pub(super) struct Lanes(Mutex<HashMap<Spindle, Turn>>);

impl Lanes {
    /// Adds to the disk's lane. What comes back is to be given to the workers as a task.
    pub(super) fn add(&self, turn: Turn) -> Option<Turn> {
        let mut lanes = self.lanes();
        if let Some(waiting) = lanes.get_mut(&turn.spindle) {
            waiting.absorb(turn);
            return None;
        }
        lanes.insert(turn.spindle, Turn::nothing(turn.spindle));
        Some(turn)
    }

    /// Takes over what waits. Where nothing is left, the turn is over, and the next that comes begins another.
    pub(super) fn go_on(&self, turn: &mut Turn) -> bool {
        let mut lanes = self.lanes();
        if let Some(waiting) = lanes.get_mut(&turn.spindle) {
            turn.absorb(std::mem::replace(waiting, Turn::nothing(turn.spindle)));
        }
        if turn.is_nothing() {
            lanes.remove(&turn.spindle);
        }
        !turn.is_nothing()
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<Spindle, Turn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    pub(super) fn to_list(place: Place, listing: Box<Listing>) -> Self {
        Self { listings: vec![(place, listing)], ..Self::nothing(place.spindle) }
    }

    pub(super) fn to_read(spindle: Spindle, name: Name) -> Self {
        Self { names: vec![name], ..Self::nothing(spindle) }
    }

    fn nothing(spindle: Spindle) -> Self {
        Self { spindle, listings: Vec::new(), names: Vec::new() }
    }

    fn is_nothing(&self) -> bool {
        self.listings.is_empty() && self.names.is_empty()
    }

    fn absorb(&mut self, mut other: Self) {
        self.listings.append(&mut other.listings);
        self.names.append(&mut other.names);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Disks, Hardware};
    use crate::hash::Links;

    #[test]
    fn one_turn_of_a_disk_is_out_at_a_time() {
        let lanes = Lanes::default();
        let place = Hardware::new(Disks::Rotating).place(5, "/".as_ref()).expect("a disk");
        let name = |inode| Name { path: "x".into(), inode, links: Links::Refuse };
        let turn = |inode| Turn::to_read(place.spindle, name(inode));
        let mut out = lanes.add(turn(1)).expect("the first");
        assert!(lanes.add(turn(2)).is_none() && lanes.add(turn(3)).is_none());
        out.names.clear();
        assert!(lanes.go_on(&mut out));
        assert_eq!(out.names.iter().map(|name| name.inode).collect::<Vec<_>>(), [2, 3]);
        out.names.clear();
        assert!(!lanes.go_on(&mut out));
        assert!(lanes.add(turn(4)).is_some(), "the next turn");
    }
}
