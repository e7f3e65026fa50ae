//! Reading parts of files that were listed before, and making sure that they still are those files.

use std::ops::Range;

use blake3::hazmat::ChainingValue;

use super::candidates::{Candidate, Candidates};
use super::{Crawl, Found, parallel};
use crate::hash::pieces::{self, PIECE};
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

    pub(super) fn in_disk_order(&self, items: &mut [Item]) {
        items.sort_unstable_by_key(|item| self.candidates.files()[item.names.start].inode());
    }
    pub(super) fn ask<R: Send>(
        &self,
        items: &[Item],
        question: impl Fn(&Item, &mut Scratch) -> Option<R> + Sync,
    ) -> Vec<Option<R>> {
        self.map(items, |scratch, item| question(item, scratch)).into_iter().map(Option::flatten).collect()
    }

    pub(super) fn map<T: Sync, R: Send>(
        &self,
        things: &[T],
        question: impl Fn(&mut Scratch, &T) -> R + Sync,
    ) -> Vec<Option<R>> {
        let scratch = || Scratch::new(self.crawl.options.mmap);
        parallel::map(self.crawl.jobs, scratch, || self.crawl.is_stopped(), things, question)
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

    pub(super) fn piece(&self, item: &Item, piece: u64, scratch: &mut Scratch) -> Option<(ChainingValue, Timestamp)> {
        self.crawl.progress.add_bytes(PIECE);
        self.read(item, |opened| {
            let value = pieces::chaining_value(opened, piece, scratch)?;
            opened.check_unchanged()?;
            Ok((value, opened.ctime()))
        })
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
