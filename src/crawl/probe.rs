//! Reading parts of files that were listed before, and making sure that they still are those files.

use std::ops::Range;

use blake3::hazmat::ChainingValue;

use super::candidates::{Candidate, Candidates};
use super::{Crawl, Found, parallel};
use crate::disk::Spindle;
use crate::hash::alike;
use crate::hash::pieces::PIECE;
use crate::hash::{Links, Opened, Scratch, Status, Trouble};
use crate::record::{ContentHash, Timestamp};

/// One file, with all its names, that may still have a duplicate.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) names: Range<usize>,
    /// Stands for everything that was read so far: files of one size and key are alike up to now.
    pub(super) key: ContentHash,
}

/// The files of a crawl, to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probe<'c> {
    pub(super) crawl: &'c Crawl<'c>,
    pub(super) candidates: &'c Candidates,
}

impl Probe<'_> {
    pub(super) fn size(&self, item: &Item) -> u64 {
        self.candidates.files()[item.names.start].size()
    }

    /// In this order most disks have their files.
    pub(super) fn place(&self, item: &Item) -> (u32, u64) {
        self.candidates.files()[item.names.start].identity()
    }

    /// Asks a `question` about each of `things`, which are `on` these disks.
    pub(super) fn map<T: Sync, R: Send>(
        &self,
        things: &[T],
        on: impl Fn(&T) -> Option<Spindle>,
        question: impl Fn(&mut Scratch, &T) -> R + Sync,
    ) -> Vec<Option<R>> {
        let crawl = self.crawl;
        let scratch = || Scratch::new(crawl.options.mmap);
        parallel::map(crawl.jobs, scratch, || crawl.is_stopped(), things, on, question)
    }

    /// The disk that turns under a file.
    pub(super) fn spindle(&self, item: &Item) -> Option<Spindle> {
        if !self.crawl.disks.any_spindle() {
            return None;
        }
        let name = &self.candidates.files()[item.names.start];
        let place = self.crawl.disks.place(self.candidates.status(name).id.dev, &self.candidates.path(name));
        place.map(|place| place.spindle)
    }

    /// Reads a file under the first of its names under which it can be read. The others are told of.
    pub(super) fn read<R>(&self, item: &Item, mut read: impl FnMut(&Opened) -> Result<R, Trouble>) -> Option<R> {
        self.names(item).find_map(|name| {
            let result = self.open(name).and_then(|opened| read(&opened));
            result.map_err(|trouble| self.fail(name, &trouble)).ok()
        })
    }

    /// The way to the file may lead through a link; that it is the file that was listed shows by its identity.
    pub(super) fn open(&self, name: &Candidate) -> Result<Opened, Trouble> {
        let opened = Opened::new(&self.candidates.path(name), Links::Follow)?;
        if *opened.status() == self.candidates.status(name) { Ok(opened) } else { Err(Trouble::Changed) }
    }

    pub(super) fn names<'s>(&'s self, item: &Item) -> impl Iterator<Item = &'s Candidate> + use<'s> {
        self.candidates.files()[item.names.clone()].iter().filter(|name| !name.has_failed())
    }

    pub(super) fn fail(&self, name: &Candidate, trouble: &Trouble) {
        if !name.fail() {
            self.crawl.failed(&self.candidates.path(name), trouble);
        }
    }

    pub(super) fn fail_all(&self, item: &Item) {
        self.names(item).for_each(|name| self.fail(name, &Trouble::Changed));
    }

    /// The hashes of files of one size that are probably equal.
    pub(super) fn hashes(&self, items: &[Item], scratch: &mut Scratch) -> Vec<Option<ContentHash>> {
        let items: Vec<&Item> = items.iter().collect();
        self.read_together(&items, |opened| alike::hashes(opened, scratch))
    }

    /// The chaining value of one piece of each of some files of one size that are probably equal.
    pub(super) fn pieces(
        &self,
        items: &[&Item],
        piece: u64,
        scratch: &mut Scratch,
    ) -> Vec<Option<(ChainingValue, Timestamp)>> {
        self.crawl.progress.add_bytes(PIECE * items.len() as u64);
        self.read_together(items, |opened| {
            let values = alike::chaining_values(opened, piece, scratch).into_iter().zip(opened);
            values.map(|(value, opened)| value.map(|value| (value, opened.ctime()))).collect()
        })
    }

    /// Reads files side by side, each under the first of its names under which it can be opened. Where that does not give
    /// an answer, which is told of, the file is read under its other names.
    fn read_together<R>(
        &self,
        items: &[&Item],
        mut read: impl FnMut(&[Opened]) -> Vec<Result<R, Trouble>>,
    ) -> Vec<Option<R>> {
        let open = |item: &&Item| {
            self.names(item).find_map(|name| {
                let opened = self.open(name).map_err(|trouble| self.fail(name, &trouble)).ok()?;
                Some((name, opened))
            })
        };
        let (names, opened): (Vec<_>, Vec<_>) = items.iter().map(|item| open(item).unzip()).unzip();
        let opened: Vec<Opened> = opened.into_iter().flatten().collect();
        let mut results = read(&opened).into_iter();
        drop(opened);
        let mut answer = |item: &Item, name| match results.next()? {
            Ok(answer) => Some(answer),
            Err(trouble) => {
                self.fail(name, &trouble);
                self.read(item, |opened| read(std::slice::from_ref(opened)).pop().unwrap_or(Err(Trouble::Changed)))
            }
        };
        items.iter().zip(names).map(|(item, name)| answer(item, name?)).collect()
    }

    /// Whether a name by which the file was not read still is a name of it.
    pub(super) fn still_is(&self, name: &Candidate, found: &Found) -> bool {
        let trouble = match Status::of(&found.path, Links::Follow) {
            Ok(status) if status == found.status => return true,
            Ok(_) => Trouble::Changed,
            Err(trouble) => trouble,
        };
        self.fail(name, &trouble);
        false
    }
}
