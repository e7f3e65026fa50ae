//! What is to stay together, in the order in which it is packed.

use std::borrow::Cow;
use std::ops::Range;

use super::item::{Item, Items};
use super::tree::{DirId, Tree};
use super::{Atomic, Job};
use crate::threads::sort_by;
use crate::volume::date::Date;
use crate::volume::extent::Extent;

/// Files that are to stay together.
#[derive(Debug, Clone, Default)]
pub(super) struct Unit<'a> {
    /// Their places among the items; its own only where it is a part of what should have stayed together.
    pub(super) items: Cow<'a, [u32]>,
    /// What they add to a volume, beside their directories.
    pub(super) extent: Extent,
    /// Their directories, with those around them, each once.
    pub(super) dirs: Vec<DirId>,
    /// The bytes of the smallest.
    pub(super) least: u64,
    /// The bytes of all.
    pub(super) bytes: u64,
}

impl<'a> Unit<'a> {
    /// A unit of some items, given by their places.
    pub(super) fn of(places: Cow<'a, [u32]>, items: &Items, tree: &Tree) -> Self {
        let mut unit = Self { least: u64::MAX, ..Self::default() };
        let mut last = None;
        for place in places.iter() {
            let item = &items.list[*place as usize];
            unit.extent += Items::extent(item, tree);
            unit.least = unit.least.min(item.size);
            unit.bytes = unit.bytes.saturating_add(item.size);
            if last != Some(item.dir) {
                last = Some(item.dir);
                unit.dirs.extend(tree.with_those_around(item.dir));
            }
        }
        unit.dirs.sort_unstable();
        unit.dirs.dedup();
        unit.items = places;
        unit
    }
}

/// The places of all items in the order in which they are packed, and where among these each unit ends.
#[derive(Debug)]
pub(super) struct Order {
    places: Vec<u32>,
    units: Vec<Range<usize>>,
}

impl Order {
    /// The places of all items.
    pub(super) fn places(&self) -> &[u32] {
        &self.places
    }

    /// The places of each unit, the oldest first.
    pub(super) fn units(&self) -> impl Iterator<Item = &[u32]> {
        self.units.iter().map(|unit| &self.places[unit.clone()])
    }
}

/// Puts the items, which stand in the order of their paths, into that in which they are packed: the oldest first, and those of
/// one date, or of one directory, by path.
pub(super) fn form(items: &Items, tree: &Tree, job: &Job<'_>) -> Order {
    let atomic = job.options.atomic;
    let (first, list) = (first_dates(&items.list, tree), &items.list);
    let key = |item: &Item| match atomic {
        Atomic::Dir => (first[item.dir as usize], tree.place(item.dir)),
        Atomic::Day | Atomic::None => (item.date, 0),
    };
    let mut keyed: Vec<_> = list.iter().zip(0_u32..).map(|(item, place)| (key(item), place)).collect();
    sort_by(&mut keyed, job.jobs, Ord::cmp);
    let places: Vec<u32> = keyed.into_iter().map(|(_, place)| place).collect();
    let together = |one: &u32, other: &u32| {
        let (one, other) = (&list[*one as usize], &list[*other as usize]);
        match atomic {
            Atomic::Day => one.date == other.date,
            Atomic::Dir => one.dir == other.dir,
            Atomic::None => false,
        }
    };
    let mut end = 0;
    let units = places.chunk_by(together).map(|unit| {
        let start = end;
        end += unit.len();
        start..end
    });
    let units = units.collect();
    Order { places, units }
}

/// For each directory, the date of its oldest file.
fn first_dates(list: &[Item], tree: &Tree) -> Vec<Date> {
    let mut first = vec![Date::NONE; tree.len()];
    for item in list {
        let first = &mut first[item.dir as usize];
        *first = item.date.min(*first);
    }
    first
}
