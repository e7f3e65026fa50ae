//! What is to stay together, in the order in which it is packed.

use std::ops::Range;

use super::item::{Item, Items};
use super::tree::{DirId, Tree};
use super::{Atomic, Job};
use crate::threads::sort_by;
use crate::volume::date::Date;
use crate::volume::extent::Extent;

/// Files that are to stay together.
#[derive(Debug, Clone, Default)]
pub(super) struct Unit {
    /// Their places among the items.
    pub(super) items: Members,
    /// What they add to a volume, beside their directories.
    pub(super) extent: Extent,
    /// Their directories, with those around them, each once.
    pub(super) dirs: Vec<DirId>,
    /// The bytes of the smallest.
    pub(super) least: u64,
    /// The bytes of all.
    pub(super) bytes: u64,
}

/// Places of items: in a row, until a unit is split.
#[derive(Debug, Clone)]
pub(super) enum Members {
    Range(Range<u32>),
    List(Vec<u32>),
}

impl Default for Members {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl Members {
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        let (range, list) = match self {
            Self::Range(range) => (range.clone(), &[][..]),
            Self::List(list) => (0..0, list.as_slice()),
        };
        range.chain(list.iter().copied())
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Range(range) => range.is_empty(),
            Self::List(list) => list.is_empty(),
        }
    }
}

impl Unit {
    /// A unit of some items.
    pub(super) fn of(members: Members, items: &Items, tree: &Tree) -> Self {
        let mut unit = Self { least: u64::MAX, ..Self::default() };
        let mut last = None;
        for place in members.iter() {
            let item = &items.list[place as usize];
            unit.extent += items.extent(item, tree);
            unit.least = unit.least.min(item.size);
            unit.bytes = unit.bytes.saturating_add(item.size);
            if last != Some(item.dir) {
                last = Some(item.dir);
                unit.dirs.extend(tree.with_those_around(item.dir));
            }
        }
        unit.dirs.sort_unstable();
        unit.dirs.dedup();
        unit.items = members;
        unit
    }
}

/// Orders the items, the oldest first, and tells where each unit of them ends.
pub(super) fn form(items: &mut Items, tree: &Tree, job: &Job<'_>) -> Vec<Range<u32>> {
    let mut list = std::mem::take(&mut items.list);
    let atomic = job.options.atomic;
    if atomic == Atomic::Dir {
        let first = first_dates(&list, tree);
        let key = |item: &Item| (first[item.dir as usize], tree.place(item.dir));
        sort_by(&mut list, job.jobs, |one, other| {
            key(one).cmp(&key(other)).then_with(|| items.by_path(one, other, tree))
        });
    } else {
        // The items stand in the order of their paths, and so do those of one date.
        let by_path = |one: &Item, other: &Item| items.by_path(one, other, tree);
        sort_by(&mut list, job.jobs, |one, other| one.date.cmp(&other.date).then_with(|| by_path(one, other)));
    }
    let together = |one: &Item, other: &Item| match atomic {
        Atomic::Day => one.date == other.date,
        Atomic::Dir => one.dir == other.dir,
        Atomic::None => false,
    };
    let mut from = 0;
    let units = list.chunk_by(together).map(|unit| {
        let start = from;
        from += u32::try_from(unit.len()).unwrap_or(u32::MAX);
        start..from
    });
    let units = units.collect();
    items.list = list;
    units
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
