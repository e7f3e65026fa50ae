//! What is held in memory of each record.

use std::cmp::Ordering;

use super::Job;
use super::refusals::{Refusal, Refusals};
use super::roots::Fate;
use super::tree::{DirId, Tree};
use crate::record::Timestamp;
use crate::stream::RowRef;
use crate::threads::{each, sort_by};
use crate::volume::date::Date;
use crate::volume::extent::{Extent, TextLen};

/// One file that may go to a volume.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    /// Its record.
    pub(super) at: RowRef,
    /// Length in bytes.
    pub(super) size: u64,
    /// What it adds to the image of any filesystem, in bytes.
    image: u64,
    name_at: usize,
    name_len: u16,
    /// The directory that it is in: first that of the source, once it is settled that below the root.
    pub(super) dir: DirId,
    /// The day of its last modification; once it is settled the date by which it is packed.
    pub(super) date: Date,
}

/// The files, and their names.
#[derive(Debug, Default)]
pub(super) struct Items {
    pub(super) list: Vec<Item>,
    names: Vec<u8>,
}

/// No filesystem has longer names, and most have shorter ones.
pub(super) const LONGEST_NAME: usize = 4096;

impl Items {
    /// Adds a file, whose name is not longer than [`LONGEST_NAME`].
    pub(super) fn push(
        &mut self,
        at: RowRef,
        dir: DirId,
        name: &[u8],
        size: u64,
        mtime: Option<Timestamp>,
        image: u64,
    ) {
        let date = mtime.and_then(Date::of_time).unwrap_or(Date::NONE);
        let name_len = u16::try_from(name.len()).unwrap_or(u16::MAX);
        self.list.push(Item { at, size, image, name_at: self.names.len(), name_len, dir, date });
        self.names.extend_from_slice(name);
    }

    /// Adds what another part has read, whose directories have other numbers here.
    pub(super) fn append(&mut self, other: Self, dirs: &[DirId]) {
        let before = self.names.len();
        self.names.extend_from_slice(&other.names);
        let renumbered = |item: Item| Item { name_at: item.name_at + before, dir: dirs[item.dir as usize], ..item };
        self.list.extend(other.list.into_iter().map(renumbered));
    }

    pub(super) fn reserve(&mut self, items: usize, names: usize) {
        self.list.reserve_exact(items);
        self.names.reserve_exact(names);
    }

    pub(super) fn names_len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn name(&self, item: &Item) -> &[u8] {
        &self.names[item.name_at..][..item.name_len.into()]
    }

    /// The path of a settled item below the root.
    pub(super) fn below(&self, item: &Item, tree: &Tree) -> Vec<u8> {
        tree.below(item.dir, self.name(item))
    }

    /// Gives each item its directory below the root and the date by which it is packed, and leaves out what goes nowhere. Tells
    /// how many are in the archive already.
    pub(super) fn settle(&mut self, fates: &[Fate], tree: &mut Tree, refusals: &mut Refusals, job: &Job<'_>) -> u64 {
        let names = &self.names;
        let share = self.list.len().div_ceil(job.jobs * 4).max(1);
        let pieces: Vec<&mut [Item]> = self.list.chunks_mut(share).collect();
        let read_only = &*tree;
        let settled = each(job.jobs, pieces, |piece| {
            let mut outcome = (0, Refusals::default());
            for item in piece {
                let name = &names[item.name_at..][..item.name_len.into()];
                match item.settled(fates[item.dir as usize], name, read_only, job) {
                    Ok(settled) => *item = settled,
                    Err(refusal) => {
                        match refusal {
                            Some(refusal) => outcome.1.add(item.at, refusal),
                            None => outcome.0 += 1,
                        }
                        item.dir = DirId::MAX;
                    }
                }
            }
            outcome
        });
        let mut archived = 0;
        for (already, refused) in settled {
            archived += already;
            refusals.extend(refused);
        }
        self.list.retain(|item| item.dir != DirId::MAX);
        archived
    }

    /// By path below the root, bytewise.
    pub(super) fn by_path(&self, one: &Item, other: &Item, tree: &Tree) -> Ordering {
        let ranks = || tree.order(one.dir, other.dir);
        match ranks() {
            Some(Ordering::Equal) => self.name(one).cmp(self.name(other)),
            Some(order) => order,
            // One of the directories lies in the other, so the names decide.
            None => self.below(one, tree).cmp(&self.below(other, tree)),
        }
        .then(one.at.cmp(&other.at))
    }

    /// Sorts by path below the root.
    pub(super) fn sort_by_path(&mut self, tree: &Tree, jobs: usize) {
        let mut list = std::mem::take(&mut self.list);
        sort_by(&mut list, jobs, |one, other| self.by_path(one, other, tree));
        self.list = list;
    }

    /// What an item adds to its volume, beside its directories.
    pub(super) fn extent(&self, item: &Item, tree: &Tree) -> Extent {
        Extent::of_parts(item.image, tree.text_len(item.dir) + TextLen::of(self.name(item)))
    }
}

impl Item {
    /// Nothing to tell where it is in the archive already.
    fn settled(&self, fate: Fate, name: &[u8], tree: &Tree, job: &Job<'_>) -> Result<Self, Option<Refusal>> {
        let dir = match fate {
            Fate::Below(dir) => dir,
            Fate::Archived => return Err(None),
            Fate::Outside => return Err(Some(Refusal::Outside)),
        };
        if tree.is_reserved(dir, name) {
            return Err(Some(Refusal::Reserved));
        }
        let path = tree.text_len(dir) + TextLen::of(name);
        let alone = Extent::of_parts(self.image, path) + tree.extent_of_all(dir);
        if alone.image_bytes(job.options.disc.filesystem) > job.options.disc.capacity {
            return Err(Some(Refusal::TooLarge));
        }
        Ok(Self { dir, date: tree.date(dir, name, self.date), ..*self })
    }
}
