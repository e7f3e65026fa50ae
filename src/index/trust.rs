//! How far the rows of an index, and of an unfinished crawl, are to be trusted.

use std::path::Path;

use rustix::fs::{AtFlags, CWD, StatxFlags, statx};

use super::Asked;
use super::companion::Begin;
use super::lines::Contents;
use crate::host::Host;
use crate::record::{ContentHash, Timestamp};
use crate::report::{self, Reporter};

/// What the rows prove.
#[derive(Debug)]
pub(super) struct Trust {
    /// When the crawl of the index began; `None` if nothing in it is to be trusted.
    pub(super) start: Option<Timestamp>,
    /// When that crawl began, also where everything is to be read again.
    pub(super) began: Option<Timestamp>,
    /// That crawl told files of one size apart.
    pub(super) told_apart: bool,
    /// Relative paths in the index hold for the crawl in hand.
    pub(super) holds_here: bool,
    /// The companion tells of a crawl that wrote the index, though others may have changed it since.
    pub(super) is_of_crawl: bool,
    /// What the host of the crawl in hand is called in rows; those of any other tell nothing of its files.
    pub(super) host: Option<Host>,
    /// The crawls of the companion.
    pub(super) begins: Vec<Begin>,
}

impl Trust {
    /// In the index `path`, called `name`, with a certain content, and in the companion beside it.
    pub(super) fn new(
        path: &Path,
        name: &Path,
        content: Option<ContentHash>,
        contents: &Contents,
        asked: &Asked,
        reporter: &Reporter,
    ) -> Self {
        let directory = asked.coverage.directory();
        let mut begins = contents.begins.clone();
        for begin in &mut begins {
            begin.holds_here = begin.directory.as_deref() == directory;
        }
        // Of an index that was made otherwise nobody knows where, and whoever hands it over takes it to hold.
        let account = contents.accounts.iter().find(|account| Some(account.content) == content);
        let holds_here = account.is_none_or(|account| account.coverage.directory() == directory);
        let began = account.map(|account| account.start);
        let is_of_crawl = !contents.accounts.is_empty();
        let host = asked.coverage.host();
        let mut trust = Self { start: None, began, told_apart: false, holds_here, is_of_crawl, host, begins };
        if asked.rehash {
            // What an unfinished crawl has read for the same reason need not be read once more.
            trust.begins.iter_mut().for_each(|begin| begin.trusted = begin.rehash);
            return trust;
        }
        if content.is_none() {
            return trust;
        }
        let warn = |text: &str| reporter.warn(&format!("reading: {}: {text}", report::shown(name)));
        if let Some(account) = account {
            trust.start = Some(account.start);
            trust.told_apart = account.is_of_dups();
        } else if contents.accounts.is_empty() {
            trust.start = birth(path);
            warn(match trust.start {
                Some(_) => "no earlier crawl with --index: what was not modified since this file was made is trusted",
                None => "no earlier crawl with --index, and no birth time: everything is read again",
            });
        } else {
            warn("it is not what the last crawl wrote: everything is read again");
        }
        trust
    }
}

/// When a file was made, where its filesystem tells it.
pub(super) fn birth(path: &Path) -> Option<Timestamp> {
    let status = statx(CWD, path, AtFlags::empty(), StatxFlags::BTIME).ok()?;
    let birth = Timestamp { seconds: status.stx_btime.tv_sec, nanoseconds: status.stx_btime.tv_nsec };
    (status.stx_mask & StatxFlags::BTIME.bits() != 0).then_some(birth)
}
