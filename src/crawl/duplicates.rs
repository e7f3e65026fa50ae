//! Hashing in full only what can have a duplicate: by size, then by the first block, then by the last, then in full,
//! large files in growing steps, so that each leaves at its first difference.
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
use crate::hash::{Opened, Scratch, Trouble};
use crate::index;
use crate::record::{ContentHash, Timestamp};
use crate::walk::Root;

/// Files of this size and less are read whole at once: opening them again costs more than reading on.
const WHOLE: u64 = 32 << 10;

/// What is compared at the start and at the end of larger files. Cameras write what differs within the first few
/// thousand bytes, and a disk reads no less at a time.
const BLOCK: usize = 16 << 10;

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
                self.read_whole(std::mem::take(&mut unread))?;
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
        self.read_whole(unread)?;
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
        self.read_whole(small)?;
        let alike = self.compare(large, |opened, scratch| opened.hash_part(0, BLOCK, scratch))?;
        let alike = self
            .compare(alike, |opened, scratch| opened.hash_part(opened.status().size - BLOCK as u64, BLOCK, scratch))?;
        let (middling, large): (Vec<Item>, Vec<Item>) =
            alike.into_iter().partition(|item| self.probe.size(item) <= PIECE);
        self.read_whole(middling)?;
        self.grow(large)
    }

    fn read_whole(&mut self, mut items: Vec<Item>) -> Result<(), Failure> {
        self.probe.in_disk_order(&mut items);
        let probe = self.probe;
        let hashes = probe.ask(&items, |item, scratch| {
            probe.crawl.progress.add_bytes(probe.size(item));
            probe.read(item, |opened| opened.hash(scratch))
        });
        for (item, hash) in items.into_iter().zip(hashes) {
            if hash.is_some() {
                self.found(item.names, hash)?;
            }
        }
        Ok(())
    }

    /// Reads a part of each; what differs from all others of its size is handed on, and what is alike comes back.
    fn compare(
        &mut self,
        mut items: Vec<Item>,
        part: impl Fn(&Opened, &mut Scratch) -> Result<ContentHash, Trouble> + Sync,
    ) -> Result<Vec<Item>, Failure> {
        self.probe.in_disk_order(&mut items);
        let probe = self.probe;
        let parts = probe.ask(&items, |item, scratch| probe.read(item, |opened| part(opened, scratch)));
        let read = items.into_iter().zip(parts).filter_map(|(mut item, part)| {
            item.key = chain(item.key, &part?.0);
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
        let mut tasks = Vec::new();
        for (place, file) in files.iter().enumerate() {
            let end = goal.min(pieces::count(self.probe.size(&file.item)));
            tasks.extend((file.values.len() as u64..end).map(|piece| (place, piece)));
        }
        let probe = self.probe;
        let values = probe.map(&tasks, |scratch, (place, piece)| probe.piece(&files[*place].item, *piece, scratch));
        let mut failed = vec![false; files.len()];
        for ((place, _), value) in tasks.into_iter().zip(values) {
            failed[place] |= !value.flatten().is_some_and(|(value, ctime)| files[place].add(value, ctime));
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

    /// Hands on what is alone with its size and key; the others come back.
    fn sift<T>(&mut self, mut things: Vec<T>, item: impl Fn(&T) -> &Item) -> Result<Vec<T>, Failure> {
        let candidates = self.probe.candidates.files();
        let kind = |thing: &T| (candidates[item(thing).names.start].size(), item(thing).key.0);
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
