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
    /// How much text its name is, as [`TextLen`] has it.
    escaped: u16,
    quoted: u16,
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

/// The system takes no longer paths (`PATH_MAX` in limits.h).
pub(super) const LONGEST_PATH: usize = 4096;

impl Items {
    /// Adds a file, whose path is not longer than [`LONGEST_PATH`].
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
        // Four bytes of text stand for one byte at most, so none of these is ever cut.
        let small = |len: u64| u16::try_from(len).unwrap_or(u16::MAX);
        let (name_at, name_len, text) = (self.names.len(), small(name.len() as u64), TextLen::of(name));
        let (escaped, quoted) = (small(text.escaped), small(text.quoted));
        self.list.push(Item { at, size, image, name_at, name_len, escaped, quoted, dir, date });
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
    fn by_path(&self, one: &Item, other: &Item, tree: &Tree) -> Ordering {
        let by_name = || self.name(one).cmp(self.name(other));
        let order = match tree.order(one.dir, other.dir) {
            Some(Ordering::Equal) => by_name(),
            Some(order) => order,
            None => self.beside_inner(one, other, tree),
        };
        order.then(one.at.cmp(&other.at))
    }

    /// The order of two files, where the directory of one lies in that of the other: the name of the one and what the path of
    /// the other has at its place decide.
    fn beside_inner(&self, one: &Item, other: &Item, tree: &Tree) -> Ordering {
        let (outer, inner) = (tree.path(one.dir), tree.path(other.dir));
        if outer.len() > inner.len() {
            return self.beside_inner(other, one, tree).reverse();
        }
        let inner = &inner[outer.len()..];
        let inner = inner.strip_prefix(b"/").unwrap_or(inner);
        self.name(one).iter().cmp(inner.iter().chain(b"/"))
    }

    /// Sorts by path below the root.
    pub(super) fn sort_by_path(&mut self, tree: &Tree, jobs: usize) {
        self.sort_by_directory(tree);
        let mut list = std::mem::take(&mut self.list);
        let share = list.len() / jobs.max(1);
        let by_name = |one: &Item, other: &Item| self.name(one).cmp(self.name(other)).then(one.at.cmp(&other.at));
        let (large, small): (Vec<_>, Vec<_>) =
            list.chunk_by_mut(|one, other| one.dir == other.dir).partition(|dir| dir.len() > share);
        for dir in large {
            sort_by(dir, jobs, by_name);
        }
        each(jobs, small, |dir| sort_by(dir, 1, by_name));
        // The files of a directory stand together now, but those of a directory in it may come in between. This sort finds what
        // is in order already.
        if list.chunk_by(|one, other| one.dir == other.dir).any(|dir| tree.has_inner(dir[0].dir)) {
            list.sort_by(|one, other| self.by_path(one, other, tree));
        }
        self.list = list;
    }

    /// Sorts by directory, and leaves those of one in the order in which they were.
    fn sort_by_directory(&mut self, tree: &Tree) {
        let place = |item: &Item| tree.place(item.dir) as usize;
        let Some(first) = self.list.first().filter(|_| !self.list.is_sorted_by_key(place)) else { return };
        let mut next = vec![0; tree.len() + 1];
        self.list.iter().for_each(|item| next[place(item) + 1] += 1);
        for dir in 1..next.len() {
            next[dir] += next[dir - 1];
        }
        let mut sorted = vec![*first; self.list.len()];
        for item in &self.list {
            let next = &mut next[place(item)];
            sorted[*next] = *item;
            *next += 1;
        }
        // The names are looked at several times, and are found sooner where they stand in the same order.
        let mut names = Vec::with_capacity(self.names.len());
        for item in &mut sorted {
            let name_at = names.len();
            names.extend_from_slice(self.name(item));
            item.name_at = name_at;
        }
        (self.list, self.names) = (sorted, names);
    }

    /// What an item adds to its volume, beside its directories.
    pub(super) fn extent(item: &Item, tree: &Tree) -> Extent {
        Extent::of_parts(item.image, tree.text_len(item.dir) + item.name_text())
    }
}

impl Item {
    /// Whether its name stands in a stream as it is.
    pub(super) fn is_plain(&self) -> bool {
        self.escaped == self.name_len
    }

    fn name_text(&self) -> TextLen {
        TextLen { escaped: self.escaped.into(), quoted: self.quoted.into() }
    }

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
        let path = tree.text_len(dir) + self.name_text();
        let alone = Extent::of_parts(self.image, path) + tree.extent_of_all(dir);
        if alone.image_bytes(job.options.disc.filesystem) > job.options.disc.capacity {
            return Err(Some(Refusal::TooLarge));
        }
        Ok(Self { dir, date: tree.date(dir, name, self.date), ..*self })
    }
}
