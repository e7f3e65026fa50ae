//! Listing and hashing: workers take tasks from each other, and what they find goes through a bounded channel.
//!
//! The own tasks of a worker are a stack: files before the directory that they came from, so that few names wait at any
//! time. A directory is read in portions, and a large one takes its turn with its own files.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use blake3::hazmat::ChainingValue;
use crossbeam_channel::{Receiver, Sender, TryRecvError};

use super::lanes::{Lanes, Turn, WINDOW};
use super::links::{Followed, Reached};
use super::{Crawl, Found, Hashing, Sink};
use crate::cli::Failure;
use crate::disk::Place;
use crate::hash::{Links, Opened, Scratch, Status, Trouble};
use crate::index::{self, Kept};
use crate::pool::{Hand, Pool, Tasks};
use crate::reading::{BATCH, Client, Reader, Reading};
use crate::record::{ContentHash, Timestamp};
use crate::walk::listing::special;
use crate::walk::operands::bare_name;
use crate::walk::{Listing, Met, Root};

/// How many things are listed before the files among them are read.
pub(super) const PORTION: usize = 512;

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
    Read(Reading<Name>),
    /// Do some of what is to be done on a disk that turns.
    Turn(Turn),
}

impl From<Reading<Name>> for Task {
    fn from(reading: Reading<Name>) -> Self {
        Self::Read(reading)
    }
}

/// A file that was met.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) path: PathBuf,
    pub(super) inode: u64,
    pub(super) links: Links,
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
    let lanes = &Lanes::default();
    let hire = move || {
        let out = sender.clone();
        move |hand: &Hand<'_, Task>, tasks: Tasks<'_, Task>| {
            let reader = Reader::new(hand, crawl.progress, Scratch::new(crawl.options.mmap), crawl.divides());
            let finds = Finds { crawl, out, reached, found: Vec::new(), rows: index::Reader::new() };
            let mut worker = Crawler { crawl, hand, reader, finds, lanes };
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
    )?
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
    reader: Reader<'c, Task>,
    finds: Finds<'c>,
    lanes: &'c Lanes,
}

impl Crawler<'_> {
    fn perform(&mut self, task: Task) {
        match task {
            Task::Operands(roots) => self.sort_out(roots),
            Task::List(listing) => self.list(listing),
            Task::Follow(followed) => self.follow(followed),
            Task::Read(reading) => self.reader.perform(reading, &mut self.finds),
            Task::Turn(turn) => self.take_turn(turn),
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
        self.sort_out_names(names);
    }

    /// Files of which it is not known yet where they lie.
    fn sort_out_names(&self, names: Vec<Name>) {
        if !self.crawl.disks.any_spindle() {
            return self.push_files(names);
        }
        let mut others = Vec::new();
        for name in names {
            match self.crawl.disks.place_of(&name.path) {
                Some(place) => self.add_turn(Turn::to_read(place.spindle, name)),
                None => others.push(name),
            }
        }
        self.push_files(others);
    }

    /// Begins a walk, on the disk that turns below it if there is one.
    fn begin(&self, listing: Box<Listing>, place: Option<Place>) {
        match place {
            Some(place) => self.add_turn(Turn::to_list(place, listing)),
            None => self.hand.push(Task::List(listing)),
        }
    }

    fn add_turn(&self, turn: Turn) {
        if let Some(turn) = self.lanes.add(turn) {
            self.hand.push(Task::Turn(turn));
        }
    }

    fn operand(&self, root: &Arc<Root>) -> Result<Option<Name>, Trouble> {
        if let Some(reached) = self.finds.reached.filter(|_| root.path.is_symlink()) {
            lock(reached).add_link(root, &root.path);
            return Ok(None);
        }
        let status = root.path.metadata()?;
        if status.is_dir() {
            if let Some(reached) = self.finds.reached {
                lock(reached).add_directory(&status);
            }
            let device = self.crawl.options.one_file_system.then(|| status.dev());
            let place = self.crawl.disks.place(status.dev(), &root.path);
            self.begin(Box::new(Listing::new(Arc::clone(root), device)), place);
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
        if self.list_portion(&mut listing, None, &mut names) {
            self.hand.push(Task::List(listing));
        }
        self.push_files(names);
    }

    /// Lists, until the window is full or nothing is left on this filesystem, and reads.
    fn take_turn(&mut self, mut turn: Turn) {
        let mut names = std::mem::take(&mut turn.names);
        let mut device = None;
        while names.len() < WINDOW
            && !self.crawl.is_stopped()
            && let Some((place, mut listing)) =
                turn.listings.pop_if(|(place, _)| *device.get_or_insert(place.device) == place.device)
        {
            if self.list_portion(&mut listing, Some(place), &mut names) {
                turn.listings.push((place, listing));
            }
        }
        names.sort_unstable_by_key(|name| name.inode);
        self.reader.perform(Reading::InTurn(names), &mut self.finds);
        if self.lanes.go_on(&mut turn) {
            self.hand.push(Task::Turn(turn));
        }
    }

    /// Lists a portion of what lies on `place`; `false` where that was all.
    fn list_portion(&self, listing: &mut Listing, place: Option<Place>, names: &mut Vec<Name>) -> bool {
        for _ in 0..PORTION {
            let Some(met) = listing.next(&self.crawl.filter) else { return false };
            match met {
                Met::Directory(path) => self.directory(listing, &path, place),
                Met::File(path, inode) => names.push(Name { path, inode, links: Links::Refuse }),
                Met::Link(path) => {
                    if let Some(reached) = self.finds.reached {
                        lock(reached).add_link(listing.root(), &path);
                    }
                }
                Met::Special(path, what) => self.crawl.failed(&path, &Trouble::NotRegular(what)),
                Met::Failed(path, error) => self.crawl.unlisted(&path, &error),
            }
        }
        true
    }

    /// Walks a directory as part of the walk that met it, unless it lies on another disk, or another worker has nothing to
    /// do.
    fn directory(&self, listing: &mut Listing, path: &Path, place: Option<Place>) {
        if let Some(reached) = self.finds.reached
            && let Ok(status) = path.symlink_metadata()
        {
            lock(reached).add_directory(&status);
        }
        let under = self.crawl.disks.place_of(path);
        if under != place || place.is_none() && self.hand.others_idle() {
            self.begin(Box::new(listing.split(path)), under);
        }
    }

    fn follow(&mut self, mut followed: Box<Followed>) {
        let mut names = Vec::new();
        let more = followed.portion(self.crawl, &mut names);
        if more {
            self.hand.push(Task::Follow(followed));
        }
        self.sort_out_names(names);
    }

    /// In the order of their inodes, in which most filesystems have them on the disk.
    fn push_files(&self, mut names: Vec<Name>) {
        names.sort_unstable_by_key(|name| name.inode);
        while !names.is_empty() {
            let batch = names.split_off(names.len().saturating_sub(BATCH));
            self.hand.push(Task::Read(Reading::Files(batch)));
        }
    }
}

/// What one worker has found, on its way to the sink.
struct Finds<'c> {
    crawl: &'c Crawl<'c>,
    out: Sender<Vec<Found>>,
    /// Where links are followed: what was reached without them.
    reached: Option<&'c Mutex<Reached>>,
    found: Vec<Found>,
    rows: index::Reader,
}

impl Client for Finds<'_> {
    type File = Name;

    fn open(&mut self, name: Name) -> Option<(Name, Opened)> {
        match self.look_at(&name) {
            Ok(Look::Open(opened)) => return Some((name, opened)),
            Ok(Look::Enough(status, kept)) => {
                let (hash, seen) = (kept.and_then(|kept| kept.hash), kept.map(|kept| kept.seen));
                self.found.push(Found { path: name.path, hash, status, seen });
            }
            Ok(Look::Unwanted) => {}
            Err(trouble) => self.crawl.failed(&name.path, &trouble),
        }
        None
    }

    fn known_pieces(&self, opened: &Opened) -> HashMap<u64, ChainingValue> {
        let known = self.crawl.index.and_then(|index| index.pieces(opened.status(), opened.ctime()));
        known.cloned().unwrap_or_default()
    }

    fn take_piece(&mut self, status: &Status, ctime: Timestamp, piece: (u64, ChainingValue)) {
        let (number, value) = piece;
        if let Some(index) = self.crawl.index
            && let Err(failure) = index.add_piece(status, ctime, number, &value)
        {
            self.crawl.give_up(failure);
        }
    }

    fn take(&mut self, name: Name, status: Status, result: Result<ContentHash, Trouble>) {
        match result {
            Ok(hash) => self.found.push(Found { path: name.path, hash: Some(hash), status, seen: None }),
            Err(trouble) => self.crawl.failed(&name.path, &trouble),
        }
    }

    fn flush(&mut self) {
        if self.found.is_empty() {
            return;
        }
        let found = std::mem::replace(&mut self.found, Vec::with_capacity(BATCH));
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

    fn is_stopped(&self) -> bool {
        self.crawl.is_stopped()
    }
}

impl Finds<'_> {
    fn look_at(&mut self, name: &Name) -> Result<Look, Trouble> {
        let wanted =
            |status: &Status| self.crawl.filter.wants_size(status.size) && !self.crawl.is_output(&name.path, status);
        let reads = self.crawl.options.hashing == Hashing::All;
        if !reads || self.crawl.index.is_some() {
            let status = Status::of(&name.path, name.links)?;
            if !wanted(&status) {
                return Ok(Look::Unwanted);
            }
            let kept = self.crawl.known(&name.path, &status, &mut self.rows);
            if !reads || kept.is_some() {
                return Ok(Look::Enough(status, kept));
            }
        }
        let opened = Opened::new(&name.path, name.links)?;
        Ok(if wanted(opened.status()) { Look::Open(opened) } else { Look::Unwanted })
    }
}

/// What came of a first look at a file.
enum Look {
    /// It is to be read.
    Open(Opened),
    /// It need not be read.
    Enough(Status, Option<Kept>),
    Unwanted,
}

fn lock(reached: &Mutex<Reached>) -> MutexGuard<'_, Reached> {
    reached.lock().unwrap_or_else(PoisonError::into_inner)
}
