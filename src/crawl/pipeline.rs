//! Listing and hashing: workers take tasks from each other, and what they find goes through a bounded channel.
//!
//! The own tasks of a worker are a stack: files before the directory that they came from, so that few names wait at any
//! time. A directory is read in portions, and a large one takes its turn with its own files.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, TryRecvError};

use super::links::{Followed, Reached};
use super::pool::{Hand, Pool, Tasks};
use super::{Crawl, Found, Hashing, Sink};
use crate::cli::Failure;
use crate::hash::pieces::Pieces;
use crate::hash::{Links, Opened, Scratch, Status, Trouble};
use crate::record::ContentHash;
use crate::report;
use crate::walk::listing::special;
use crate::walk::operands::bare_name;
use crate::walk::{Listing, Met, Root};

/// How many things are listed before the files among them are read.
pub(super) const PORTION: usize = 512;

/// How many files make a task.
const BATCH: usize = 64;

/// Once a worker has read so many bytes of a batch, it offers the rest to the others.
const SHARE: u64 = 4 << 20;

/// A file of this size and more is read by all workers at once.
const DIVIDED: u64 = 64 << 20;

/// What a worker can be asked to do.
#[derive(Debug)]
enum Task {
    /// Find out what some operands are.
    Operands(Vec<Arc<Root>>),
    /// Go on with a walk.
    List(Box<Listing>),
    /// Go on with following links.
    Follow(Box<Followed>),
    /// Look at files, and read them.
    Files(Vec<Name>),
    /// Read pieces of a large file.
    Pieces(Arc<LargeFile>),
}

/// A file that was met.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) path: PathBuf,
    pub(super) inode: u64,
    pub(super) links: Links,
}

#[derive(Debug)]
struct LargeFile {
    path: PathBuf,
    pieces: Pieces,
}

/// Crawls `roots` into `sink`.
pub(super) fn run(crawl: &Crawl<'_>, roots: Vec<Root>, sink: &mut dyn Sink) -> Result<(), Failure> {
    let reached = crawl.options.follow.then(Mutex::<Reached>::default);
    let mut roots = roots.into_iter().map(Arc::new).peekable();
    let mut seeds = Vec::new();
    while roots.peek().is_some() {
        seeds.push(Task::Operands(roots.by_ref().take(BATCH).collect()));
    }
    run_tasks(crawl, seeds, reached.as_ref(), sink)?;
    // Real names came first, so that which name a file gets does not depend on who was faster.
    let Some(reached) = reached else { return Ok(()) };
    let followed = Followed::new(reached.into_inner().unwrap_or_else(PoisonError::into_inner));
    run_tasks(crawl, vec![Task::Follow(Box::new(followed))], None, sink)
}

fn run_tasks(
    crawl: &Crawl<'_>,
    seeds: Vec<Task>,
    reached: Option<&Mutex<Reached>>,
    sink: &mut dyn Sink,
) -> Result<(), Failure> {
    // A few portions a worker: enough that none waits for the writer, too few to hold much memory.
    let (sender, receiver) = crossbeam_channel::bounded(4 * crawl.jobs);
    let hire = move || {
        let out = sender.clone();
        move |hand: &Hand<'_, Task>, tasks: Tasks<'_, Task>| {
            let mut worker = Crawler { crawl, hand, out, reached, scratch: Scratch::new(crawl.options.mmap) };
            tasks.for_each(|task| worker.perform(task));
        }
    };
    Pool::run(
        crawl.jobs,
        seeds,
        || crawl.is_stopped(),
        hire,
        || {
            let result = drain(&receiver, sink);
            if result.is_err() {
                crawl.close();
            }
            drop(receiver);
            result
        },
    )
}

fn drain(receiver: &Receiver<Vec<Found>>, sink: &mut dyn Sink) -> Result<(), Failure> {
    loop {
        let found = match receiver.try_recv() {
            Ok(found) => found,
            Err(TryRecvError::Disconnected) => return Ok(()),
            Err(TryRecvError::Empty) => {
                sink.pause()?;
                match receiver.recv() {
                    Ok(found) => found,
                    Err(_) => return Ok(()),
                }
            }
        };
        sink.take(found)?;
    }
}

/// One worker of the pipeline.
struct Crawler<'c> {
    crawl: &'c Crawl<'c>,
    hand: &'c Hand<'c, Task>,
    out: Sender<Vec<Found>>,
    /// Where links are followed: what was reached without them.
    reached: Option<&'c Mutex<Reached>>,
    scratch: Scratch,
}

impl Crawler<'_> {
    fn perform(&mut self, task: Task) {
        match task {
            Task::Operands(roots) => self.sort_out(roots),
            Task::List(listing) => self.list(listing),
            Task::Follow(followed) => self.follow(followed),
            Task::Files(names) => self.read_files(names),
            Task::Pieces(file) => self.read_pieces(&file),
        }
    }

    /// Operands are followed even where they are symbolic links; with `-L`, those that are come last like all links.
    fn sort_out(&mut self, roots: Vec<Arc<Root>>) {
        let mut names = Vec::new();
        for root in roots {
            match self.operand(&root) {
                Ok(name) => names.extend(name),
                Err(trouble) => self.crawl.failed(&root.path, &trouble),
            }
        }
        if !names.is_empty() {
            self.hand.push(Task::Files(names));
        }
    }

    fn operand(&self, root: &Arc<Root>) -> Result<Option<Name>, Trouble> {
        if let Some(reached) = self.reached.filter(|_| root.path.is_symlink()) {
            lock(reached).add_link(root, &root.path);
            return Ok(None);
        }
        let status = root.path.metadata()?;
        if status.is_dir() {
            if let Some(reached) = self.reached {
                lock(reached).add_directory(&status);
            }
            let device = self.crawl.options.one_file_system.then(|| status.dev());
            self.hand.push(Task::List(Box::new(Listing::new(Arc::clone(root), device))));
            return Ok(None);
        }
        if let Some(what) = special(status.file_type()) {
            return Err(Trouble::NotRegular(what));
        }
        let name = Name { path: root.path.clone(), inode: status.ino(), links: Links::Follow };
        Ok(self.crawl.filter.wants(bare_name(&root.path)).then_some(name))
    }

    fn list(&mut self, mut listing: Box<Listing>) {
        let mut names = Vec::new();
        let mut left = PORTION;
        while let Some(met) = listing.next(&self.crawl.filter) {
            match met {
                Met::Directory(path) => self.directory(&mut listing, &path),
                Met::File(path, inode) => names.push(Name { path, inode, links: Links::Refuse }),
                Met::Link(path) => {
                    if let Some(reached) = self.reached {
                        lock(reached).add_link(listing.root(), &path);
                    }
                }
                Met::Special(path, what) => self.crawl.failed(&path, &Trouble::NotRegular(what)),
                Met::Failed(path, error) => self.unlisted(&path, &error),
            }
            left -= 1;
            if left == 0 {
                self.hand.push(Task::List(listing));
                break;
            }
        }
        self.push_files(names);
    }

    /// Walks a directory as part of the walk that met it, unless another worker has nothing to do.
    fn directory(&self, listing: &mut Listing, path: &Path) {
        if let Some(reached) = self.reached
            && let Ok(status) = path.symlink_metadata()
        {
            lock(reached).add_directory(&status);
        }
        if self.hand.others_idle() {
            self.hand.push(Task::List(Box::new(listing.split(path))));
        }
    }

    fn follow(&mut self, mut followed: Box<Followed>) {
        let mut names = Vec::new();
        let more = followed.portion(self.crawl, &mut names);
        if more {
            self.hand.push(Task::Follow(followed));
        }
        self.push_files(names);
    }

    fn unlisted(&self, path: &Path, error: &io::Error) {
        self.crawl.reporter.failed("listing", path, &report::reason(error));
    }

    /// In the order of their inodes, in which most filesystems have them on the disk.
    fn push_files(&self, mut names: Vec<Name>) {
        names.sort_unstable_by_key(|name| name.inode);
        while !names.is_empty() {
            let batch = names.split_off(names.len().saturating_sub(BATCH));
            self.hand.push(Task::Files(batch));
        }
    }

    fn read_files(&mut self, names: Vec<Name>) {
        let mut found = Vec::with_capacity(names.len());
        let mut read = 0;
        let mut names = names.into_iter();
        while let Some(name) = names.next() {
            match self.read(&name) {
                Ok(Outcome::Found(hash, status)) => {
                    read += if hash.is_some() { status.size } else { 0 };
                    found.push(Found { path: name.path, hash, status });
                }
                Ok(Outcome::Unwanted) => {}
                Ok(Outcome::Large(pieces)) => {
                    self.share(names.by_ref().collect());
                    self.read_pieces(&Arc::new(LargeFile { path: name.path, pieces: *pieces }));
                }
                Err(trouble) => self.crawl.failed(&name.path, &trouble),
            }
            if self.crawl.is_stopped() {
                break;
            }
            if read > SHARE {
                self.share(names.by_ref().collect());
            }
        }
        self.send(found);
    }

    /// Offers files to the others; what nobody takes comes back.
    fn share(&self, mut names: Vec<Name>) {
        if names.len() > 1 {
            let half = names.split_off(names.len() / 2);
            self.hand.push(Task::Files(half));
        }
        if !names.is_empty() {
            self.hand.push(Task::Files(names));
        }
    }

    fn read(&mut self, name: &Name) -> Result<Outcome, Trouble> {
        if self.crawl.options.hashing != Hashing::All {
            let status = Status::of(&name.path, name.links)?;
            let wanted = self.crawl.filter.wants_size(status.size) && !self.crawl.is_output(&name.path, &status);
            return Ok(if wanted { Outcome::Found(None, status) } else { Outcome::Unwanted });
        }
        let opened = Opened::new(&name.path, name.links)?;
        let status = *opened.status();
        if !self.crawl.filter.wants_size(status.size) || self.crawl.is_output(&name.path, &status) {
            return Ok(Outcome::Unwanted);
        }
        let opened = if status.size >= DIVIDED && self.crawl.jobs > 1 {
            match Pieces::new(opened) {
                Ok(pieces) => return Ok(Outcome::Large(Box::new(pieces))),
                Err(opened) => opened,
            }
        } else {
            opened
        };
        let hash = opened.hash(&mut self.scratch)?;
        self.crawl.progress.add_bytes(status.size);
        Ok(Outcome::Found(Some(hash), status))
    }

    /// Offers the file to the others, and works on it until no piece is left.
    fn read_pieces(&mut self, file: &Arc<LargeFile>) {
        if file.pieces.any_left() {
            self.hand.push(Task::Pieces(Arc::clone(file)));
        }
        while !self.crawl.is_stopped()
            && let Some((len, result)) = file.pieces.hash_next(&mut self.scratch)
        {
            self.crawl.progress.add_bytes(len);
            match result {
                Some(Ok(hash)) => {
                    let (path, status) = (file.path.clone(), *file.pieces.status());
                    self.send(vec![Found { path, hash: Some(hash), status }]);
                }
                Some(Err(trouble)) => self.crawl.failed(&file.path, &trouble),
                None => {}
            }
        }
    }

    fn send(&self, found: Vec<Found>) {
        if found.is_empty() {
            return;
        }
        if let Some(reached) = self.reached {
            let mut reached = lock(reached);
            for file in &found {
                reached.add_file(file.status.id);
            }
        }
        self.crawl.progress.add_files(found.len() as u64);
        if self.out.send(found).is_err() {
            self.crawl.close();
        }
    }
}

/// What came of a file.
enum Outcome {
    Found(Option<ContentHash>, Status),
    Unwanted,
    /// It is to be read in pieces.
    Large(Box<Pieces>),
}

fn lock(reached: &Mutex<Reached>) -> MutexGuard<'_, Reached> {
    reached.lock().unwrap_or_else(PoisonError::into_inner)
}
