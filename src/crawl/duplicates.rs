//! Hashing in full only what can have a duplicate: by size, then by a block at the start, in the middle and at the end,
//! then in full, large files in growing steps, so that each leaves at its first difference. What is alike by then is
//! read side by side: one is hashed, and the others are compared with it.
//!
//! Each file is read under one of its names only, however many it has. Files are taken in windows of whole groups of one
//! size, so that what is kept for a group goes when the group is done.

use std::ops::Range;

use blake3::hazmat::ChainingValue;

use super::candidates::{Candidate, Candidates};
use super::probe::{Item, Probe};
use super::{Crawl, Found, Sink, pipeline};
use crate::cli::Failure;
use crate::hash::pieces::{self, PIECE};
use crate::hash::{Opened, Scratch, Trouble, alike};
use crate::index;
use crate::record::{ContentHash, Timestamp};
use crate::walk::Root;

/// Files of this size and less are read whole at once: opening them again costs more than reading on.
const WHOLE: u64 = 32 << 10;

/// Bytes that are compared at each spot of larger files: a page, the least that is read of a disk.
const BLOCK: usize = 4 << 10;

/// Where larger files are compared first. Cameras write what differs into the first few thousand bytes; what they write
/// alike in all raw photos of one size, at the start and at the end, is at least another picture in the middle.
#[derive(Debug, Clone, Copy)]
enum Spot {
    Start,
    Middle,
    End,
}

/// All at once, for to open a file costs more than to read three blocks of it.
const AT_ONCE: &[&[Spot]] = &[&[Spot::Start, Spot::Middle, Spot::End]];

/// On a disk that turns each further block costs as much as a file, and the first tells most files apart.
const IN_TURN: &[&[Spot]] = &[&[Spot::Start], &[Spot::Middle, Spot::End]];

impl Spot {
    /// Where it begins in a file of `size` bytes, which are more than a block.
    fn offset(self, size: u64) -> u64 {
        let block = BLOCK as u64;
        match self {
            Self::Start => 0,
            Self::Middle => size / 2 / block * block,
            Self::End => size - block,
        }
    }
}

/// How much further each step into large files goes.
const GROWTH: u64 = 8;

/// A window has about this many files, or one larger group.
const WINDOW: usize = 1 << 16;

/// Records are handed on in portions of this many.
const PORTION: usize = 512;

/// Crawls `roots` into `sink`.
pub(super) fn run(crawl: &Crawl<'_>, roots: Vec<Root>, sink: &mut dyn Sink) -> Result<(), Failure> {
    let mut candidates = Candidates::default();
    pipeline::run(crawl, roots, &mut candidates)?;
    candidates.sort();
    let mut search = Search { probe: Probe { crawl, candidates: &candidates }, sink, found: Vec::new() };
    search.run()?;
    search.hand_on()
}

struct Search<'c> {
    probe: Probe<'c>,
    sink: &'c mut dyn Sink,
    found: Vec<Found>,
}

impl Search<'_> {
    fn run(&mut self) -> Result<(), Failure> {
        let candidates = self.probe.candidates;
        let (mut window, mut unread) = (Vec::new(), Vec::new());
        let mut begin = 0;
        for group in candidates.files().chunk_by(|a, b| a.size() == b.size()) {
            let items = items_of(group, begin);
            begin += group.len();
            let mut items = self.pass_known(items, &mut unread)?;
            if unread.len() >= WINDOW {
                self.read_whole(std::mem::take(&mut unread).chunks(1).collect())?;
            }
            // Nothing to compare; but whether an empty file can be read shows only when it is opened, as with all files.
            if items.len() == 1 && group[0].size() > 0 {
                self.found(items.remove(0).names, None)?;
                continue;
            }
            window.append(&mut items);
            if window.len() >= WINDOW {
                self.search(std::mem::take(&mut window))?;
            }
        }
        self.read_whole(unread.chunks(1).collect())?;
        self.search(window)
    }

    /// Hands on the files of one size that an index knows. What can be told apart from them by nothing but its hash goes
    /// to the `unread`; what comes back is to be searched.
    fn pass_known(&mut self, items: Vec<Item>, unread: &mut Vec<Item>) -> Result<Vec<Item>, Failure> {
        let Some(index) = self.probe.crawl.index else { return Ok(items) };
        let candidates = self.probe.candidates;
        let mut rows = index::Reader::new();
        let mut hash_of = |item: &Item| {
            let mut seen = candidates.files()[item.names.clone()].iter().filter_map(Candidate::seen);
            // All rows of one file say the same.
            seen.next().map(|seen| (index.hash_at(seen.place, &mut rows), index.is_in_file(seen.place)))
        };
        let known: Vec<Option<(Option<ContentHash>, bool)>> = items.iter().map(&mut hash_of).collect();
        // Only the files that the index has were told apart from each other, and not those of an unfinished crawl.
        let is_complete = known.iter().all(|known| known.is_some_and(|(_, is_in_file)| is_in_file));
        if !is_complete && !known.iter().flatten().any(|(hash, _)| hash.is_some()) {
            // Those that were told apart from each other are not told apart from the others.
            return Ok(items);
        }
        for (item, known) in items.into_iter().zip(known) {
            match known {
                Some((hash, _)) if hash.is_some() || is_complete => self.found(item.names, hash)?,
                _ => unread.push(item),
            }
        }
        Ok(Vec::new())
    }

    fn search(&mut self, items: Vec<Item>) -> Result<(), Failure> {
        let (small, large): (Vec<Item>, Vec<Item>) = items.into_iter().partition(|item| self.probe.size(item) <= WHOLE);
        self.read_whole(small.chunks(1).collect())?;
        let mut alike = large;
        for spots in if self.probe.crawl.disks.any_spindle() { IN_TURN } else { AT_ONCE } {
            alike = self.compare_spots(alike, spots)?;
        }
        let (middling, large): (Vec<Item>, Vec<Item>) =
            alike.into_iter().partition(|item| self.probe.size(item) <= PIECE);
        let middling = self.thin_out(middling)?;
        let groups = middling.chunk_by(|a, b| self.kind(a) == self.kind(b));
        self.read_whole(groups.flat_map(|group| group.chunks(self.together())).collect())?;
        self.grow(large)
    }

    /// So many files are read side by side. A disk that turns would go to and fro between them.
    fn together(&self) -> usize {
        if self.probe.crawl.disks.any_spindle() { 1 } else { alike::MOST }
    }

    /// Reads files whole. Those that stand together have one size, and are probably equal.
    fn read_whole(&mut self, mut groups: Vec<&[Item]>) -> Result<(), Failure> {
        let probe = self.probe;
        groups.sort_unstable_by_key(|group| probe.place(&group[0]));
        let hashes = probe.map(
            &groups,
            |group| probe.spindle(&group[0]),
            |scratch, group| {
                group.iter().for_each(|item| probe.crawl.progress.add_bytes(probe.size(item)));
                probe.hashes(group, scratch)
            },
        );
        for (group, hashes) in groups.into_iter().zip(hashes) {
            for (item, hash) in group.iter().zip(hashes.into_iter().flatten()) {
                if hash.is_some() {
                    self.found(item.names.clone(), hash)?;
                }
            }
        }
        Ok(())
    }

    /// Takes out of large groups what a fast hash tells apart: where most differ, there is little use in a slow one.
    fn thin_out(&mut self, items: Vec<Item>) -> Result<Vec<Item>, Failure> {
        let (mut few, mut crowded) = (Vec::new(), Vec::new());
        let mut items = items.into_iter().peekable();
        while let Some(item) = items.next() {
            let kind = self.kind(&item);
            let mut group = vec![item];
            while let Some(item) = items.next_if(|item| self.kind(item) == kind) {
                group.push(item);
            }
            if group.len() > alike::MOST { &mut crowded } else { &mut few }.append(&mut group);
        }
        few.append(&mut self.compare(crowded, |opened, scratch| opened.fingerprint(scratch).map(u64::to_le_bytes))?);
        Ok(few)
    }

    /// Reads a block at each of these spots.
    fn compare_spots(&mut self, items: Vec<Item>, spots: &[Spot]) -> Result<Vec<Item>, Failure> {
        self.compare(items, |opened, scratch| {
            let offsets: Vec<u64> = spots.iter().map(|spot| spot.offset(opened.status().size)).collect();
            opened.hash_parts(&offsets, BLOCK, scratch).map(|hash| hash.0)
        })
    }

    /// Asks about each; what differs from all others of its size is handed on, and what is alike comes back.
    fn compare<const N: usize>(
        &mut self,
        mut items: Vec<Item>,
        ask: impl Fn(&Opened, &mut Scratch) -> Result<[u8; N], Trouble> + Sync,
    ) -> Result<Vec<Item>, Failure> {
        let probe = self.probe;
        items.sort_unstable_by_key(|item| probe.place(item));
        let on = |item: &Item| probe.spindle(item);
        let answers = probe.map(&items, on, |scratch, item| probe.read(item, |opened| ask(opened, scratch)));
        let read = items.into_iter().zip(answers).filter_map(|(mut item, answer)| {
            item.key = chain(item.key, &answer.flatten()?);
            Some(item)
        });
        let read = read.collect();
        self.sift(read, |item| item)
    }

    /// Reads large files in steps, each as far as the one before and [`GROWTH`] times further.
    fn grow(&mut self, items: Vec<Item>) -> Result<(), Failure> {
        let mut growing: Vec<Growing> = items.into_iter().map(Growing::new).collect();
        let mut goal = 1;
        while !growing.is_empty() && !self.probe.crawl.is_stopped() {
            growing = self.step(growing, goal);
            let (complete, rest): (Vec<Growing>, Vec<Growing>) = growing
                .into_iter()
                .partition(|file| file.values.len() as u64 == pieces::count(self.probe.size(&file.item)));
            for file in complete {
                self.found(file.item.names, Some(pieces::merge(&file.values)))?;
            }
            growing = self.sift(rest, |file| &file.item)?;
            goal = (goal * GROWTH).min(u64::MAX / GROWTH);
        }
        Ok(())
    }

    /// Reads each file up to `goal` pieces. All workers share all pieces, so that two large files keep all of them busy.
    fn step(&self, mut files: Vec<Growing>, goal: u64) -> Vec<Growing> {
        let probe = self.probe;
        let mut tasks = Vec::new();
        let mut begin = 0;
        for group in files.chunk_by(|a, b| self.kind(&a.item) == self.kind(&b.item)) {
            let end = goal.min(pieces::count(probe.size(&group[0].item)));
            for together in group.chunks(self.together()) {
                let range = begin..begin + together.len();
                tasks.extend((together[0].values.len() as u64..end).map(|piece| (range.clone(), piece)));
                begin = range.end;
            }
        }
        let on = |(range, _): &(Range<usize>, u64)| probe.spindle(&files[range.start].item);
        let values = probe.map(&tasks, on, |scratch, (range, piece)| {
            let items: Vec<&Item> = files[range.clone()].iter().map(|file| &file.item).collect();
            probe.pieces(&items, *piece, scratch)
        });
        let mut failed = vec![false; files.len()];
        for ((range, _), values) in tasks.into_iter().zip(values) {
            let mut values = values.into_iter().flatten();
            for place in range {
                let value = values.next().flatten();
                failed[place] |= !value.is_some_and(|(value, ctime)| files[place].add(value, ctime));
            }
        }
        let mut failed = failed.into_iter();
        files.retain(|file| {
            let fails = failed.next().unwrap_or(false);
            if fails && !self.probe.crawl.is_stopped() {
                self.probe.fail_all(&file.item);
            }
            !fails
        });
        files
    }

    /// Files of one kind are alike as far as they were read.
    fn kind(&self, item: &Item) -> (u64, [u8; 32]) {
        (self.probe.size(item), item.key.0)
    }

    /// Hands on what is alone with its size and key; the others come back.
    fn sift<T>(&mut self, mut things: Vec<T>, item: impl Fn(&T) -> &Item) -> Result<Vec<T>, Failure> {
        let kind = |thing: &T| self.kind(item(thing));
        things.sort_by_cached_key(kind);
        let alike: Vec<bool> = things
            .chunk_by(|a, b| kind(a) == kind(b))
            .flat_map(|group| std::iter::repeat_n(group.len() > 1, group.len()))
            .collect();
        let mut stay = Vec::new();
        for (thing, alike) in things.into_iter().zip(alike) {
            if alike {
                stay.push(thing);
            } else {
                self.found(item(&thing).names.clone(), None)?;
            }
        }
        Ok(stay)
    }

    /// Hands on all names of a file. It was read under one of them; the others must still be names of that file.
    fn found(&mut self, names: Range<usize>, hash: Option<ContentHash>) -> Result<(), Failure> {
        let candidates = self.probe.candidates;
        let names = &candidates.files()[names];
        for name in names.iter().filter(|name| !name.has_failed()) {
            let found = candidates.found_in(self.probe.crawl.index, name, hash);
            if hash.is_none() || names.len() == 1 || self.probe.still_is(name, &found) {
                self.found.push(found);
            }
        }
        if self.found.len() >= PORTION { self.hand_on() } else { Ok(()) }
    }

    fn hand_on(&mut self) -> Result<(), Failure> {
        self.sink.take(std::mem::take(&mut self.found))
    }
}

/// The files of one size, each with all its names. The first name stands at `begin` among all candidates.
fn items_of(group: &[Candidate], begin: usize) -> Vec<Item> {
    let mut items = Vec::new();
    let mut start = begin;
    for names in group.chunk_by(Candidate::is_same_file) {
        let end = start + names.len();
        items.push(Item { names: start..end, key: ContentHash([0; 32]) });
        start = end;
    }
    items
}

fn chain(key: ContentHash, part: &[u8]) -> ContentHash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&key.0).update(part);
    hasher.finalize().into()
}

/// A large file that was read up to some piece.
#[derive(Debug)]
struct Growing {
    item: Item,
    values: Vec<ChainingValue>,
    /// The same at every piece, or they would not be pieces of one content.
    ctime: Option<Timestamp>,
}

impl Growing {
    fn new(item: Item) -> Self {
        Self { item, values: Vec::new(), ctime: None }
    }

    /// Adds the next piece; `false` where the file changed since the one before.
    fn add(&mut self, value: ChainingValue, ctime: Timestamp) -> bool {
        self.item.key = chain(self.item.key, &value);
        self.values.push(value);
        *self.ctime.get_or_insert(ctime) == ctime
    }
}
