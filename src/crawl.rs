//! From directories to an index: what is there, and the hash of each content.
//!
//! `pipeline` lists and hashes with all workers of a [`pool`](crate::pool) at once and hands what was found through a bounded channel
//! to one [`Sink`]: `output` writes it, `duplicates` first looks for what can have a duplicate at all.

mod candidates;
mod duplicates;
mod indexed;
mod lanes;
mod links;
pub mod options;
mod output;
mod parallel;
mod pipeline;
mod probe;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

pub use options::{Hashing, Keeping, Options};

use crate::cli::{Exit, Failure};
use crate::disk::{self, Hardware};
use crate::guide;
use crate::hash::{Status, Trouble};
use crate::host;
use crate::index::{self, Index, Kept, Seen};
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::record::{ContentHash, FileId};
use crate::report::{self, Reporter};
use crate::walk::{Filter, Root, operands};
use output::Output;

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// As reached from its operand.
    pub path: PathBuf,
    /// Of its whole content, where it was read.
    pub hash: Option<ContentHash>,
    /// What it was while it was read.
    pub status: Status,
    /// The row of an index that knew it, so that it was not read.
    pub(crate) seen: Option<Seen>,
}

/// What is found goes here, in portions, from one thread.
pub trait Sink {
    /// Takes the next portion.
    ///
    /// # Errors
    /// [`Failure`] ends the crawl.
    fn take(&mut self, found: Vec<Found>) -> Result<(), Failure>;

    /// Nothing else is to be had just now.
    ///
    /// # Errors
    /// [`Failure`] ends the crawl.
    fn pause(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

/// What all parts of one crawl share.
#[derive(Debug)]
struct Crawl<'a> {
    options: &'a Options,
    filter: Filter,
    disks: Hardware,
    jobs: usize,
    reporter: &'a Reporter,
    progress: &'a Progress,
    interrupt: &'a Interrupt,
    /// Where standard output is a file: which.
    output: Option<FileId>,
    /// What is known from before.
    index: Option<&'a Index>,
    /// The sink takes no more.
    closed: AtomicBool,
    /// Why it ended early, if a worker found out.
    failure: Mutex<Option<Failure>>,
}

impl Crawl<'_> {
    fn is_stopped(&self) -> bool {
        self.interrupt.came() || self.closed.load(Ordering::Relaxed)
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Large files are read in pieces where several workers can share them, or where the work is to outlive this crawl.
    fn divides(&self) -> bool {
        self.jobs > 1 || self.index.is_some()
    }

    /// What is known of a file that has not changed.
    fn known(&self, path: &Path, status: &Status, rows: &mut index::Reader) -> Option<Kept> {
        let index = self.index?;
        let unread = match self.options.hashing {
            Hashing::All => false,
            Hashing::Dups => index.tells_apart(),
            Hashing::None => true,
        };
        index.find(path, status, rows).or_else(|| index.find_unread(path, status, rows).filter(|_| unread))
    }

    /// Nothing more can be done, and this is why.
    fn give_up(&self, failure: Failure) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
        self.close();
    }

    /// The index that is being written is no part of itself. To have it in the tree is common, and no failure.
    fn is_output(&self, path: &Path, status: &Status) -> bool {
        if self.index.is_some_and(|index| index.is_own(status.id)) {
            return true;
        }
        let is_output = self.output == Some(status.id);
        if is_output {
            self.reporter.warn(&format!("reading: {}: left out: it is the output of this crawl", report::shown(path)));
        }
        is_output
    }

    fn failed(&self, path: &Path, trouble: &Trouble) {
        self.reporter.failed("reading", path, trouble);
        if matches!(trouble, Trouble::Io(_)) {
            self.remember(path);
        }
    }

    fn unlisted(&self, path: &Path, error: &io::Error) {
        self.reporter.failed("listing", path, &report::reason(error));
        self.remember(path);
    }

    /// What could not be looked at may still be what it was.
    fn remember(&self, path: &Path) {
        if let Some(index) = self.index {
            index.add_failed(path);
        }
    }
}

/// Crawls, writes the index to standard output, and keeps it on disk if it is told to.
///
/// # Errors
/// [`Failure`] where the operands, the output or the index on disk cannot be used.
pub fn run(options: &Options, keeping: &Keeping) -> Result<Exit, Failure> {
    if let Some(file) = keeping.checked()? {
        return indexed::run(options, keeping, file);
    }
    let mut progress = Progress::start("ms-crawl", options.common.progress);
    let reporter = progress.reporter("ms-crawl", options.common.quiet);
    // Nothing has begun while names are still coming, so a signal may end that at once.
    let names = names(options, &reporter)?;
    let interrupt = Interrupt::install()?;
    let mut output = Output::new(options)?;
    let result = crawl(options, names, &reporter, &progress, &interrupt, &mut output);
    let result = result.and_then(|()| output.finish());
    progress.finish();
    result?;
    let next = next(options, &output, &interrupt);
    reporter.summary(&(summary(&output, "", &reporter, &interrupt) + &next));
    Ok(interrupt.exit().unwrap_or_else(|| reporter.exit()))
}

/// The operands, and those that the lists hold.
///
/// # Errors
/// [`Failure`] where a list cannot be read.
pub fn names(options: &Options, reporter: &Reporter) -> Result<Vec<OsString>, Failure> {
    let mut names = options.operands.clone();
    for list in &options.lists {
        names.extend(operands::read_list(list, options.nul, reporter)?);
    }
    if names.is_empty() && options.lists.is_empty() {
        names.push(".".into());
    }
    if options.absolute || options.host.is_some() {
        operands::make_absolute(&mut names)?;
    }
    // What is here must not look like what is on another host.
    Ok(names.into_iter().map(|name| host::as_local(&name).into_owned()).collect())
}

/// Crawls `names` into `sink`. A signal ends it early and without an error.
///
/// # Errors
/// [`Failure`] where the operands cannot be used, and what `sink` gives.
pub fn crawl(
    options: &Options,
    names: Vec<OsString>,
    reporter: &Reporter,
    progress: &Progress,
    interrupt: &Interrupt,
    sink: &mut dyn Sink,
) -> Result<(), Failure> {
    crawl_with(options, operands::roots(names)?, None, reporter, progress, interrupt, sink)
}

fn crawl_with(
    options: &Options,
    roots: Vec<Root>,
    index: Option<&Index>,
    reporter: &Reporter,
    progress: &Progress,
    interrupt: &Interrupt,
    sink: &mut dyn Sink,
) -> Result<(), Failure> {
    if options.host.is_some() {
        warn_of_networks(&roots, reporter);
    }
    let disks = Hardware::new(options.disks);
    let jobs = disks.jobs(&options.common, roots.iter().map(|root| &*root.path));
    let crawl = Crawl {
        options,
        filter: options.filter.build()?,
        disks,
        jobs,
        reporter,
        progress,
        interrupt,
        output: output_file(),
        index,
        closed: AtomicBool::new(false),
        failure: Mutex::default(),
    };
    let result = match options.hashing {
        Hashing::Dups => duplicates::run(&crawl, roots, sink),
        Hashing::All | Hashing::None => pipeline::run(&crawl, roots, sink),
    };
    match crawl.failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(failure) => Err(failure),
        None => result,
    }
}

/// What an index is made for as a rule.
fn next(options: &Options, output: &Output, interrupt: &Interrupt) -> String {
    if interrupt.came() || output.written().0 == 0 || options.hashing == Hashing::None {
        return String::new();
    }
    guide::next("to find duplicates", "ms-dupes", "")
}

/// The same file under the names of two hosts would be taken for two copies of it.
fn warn_of_networks(roots: &[Root], reporter: &Reporter) {
    for root in roots.iter().filter(|root| disk::is_on_network(&root.path)) {
        let root = report::shown(&root.path);
        reporter.warn(&format!(
            "--host: {root}: this is on a network filesystem: let the host crawl it that has the disks, and no other"
        ));
    }
}

fn output_file() -> Option<FileId> {
    let stat = rustix::fs::fstat(std::io::stdout()).ok()?;
    let is_file = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_file();
    is_file.then_some(FileId::here(stat.st_dev, stat.st_ino))
}

fn summary(output: &Output, details: &str, reporter: &Reporter, interrupt: &Interrupt) -> String {
    let (files, bytes) = output.written();
    let begin = if interrupt.came() { "interrupted after " } else { "" };
    let done = format!("{begin}{}, {}{details}", report::count(files, "file"), report::bytes(bytes));
    match reporter.failures() {
        0 => done,
        failed => format!("{done}, {failed} failed"),
    }
}
