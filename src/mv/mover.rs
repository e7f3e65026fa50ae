//! Carries out one step: checks everything, moves, checks again, takes back what turned out wrong.

use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::begun::Waiting;
use super::copy;
use super::dirs::{Dirs, Entry};
use super::facts::{Difference, Facts};
use super::keep::Kept;
use super::losses::Losses;
use super::proof::Proof;
use super::removal::Aside;
use super::shelf::{Shelf, Shelved};
use super::trouble::Trouble;
use crate::interrupt::Interrupt;
use crate::journal::{Journal, LeftOver, Mode, Past, Was};
use crate::plan::{PART_PREFIX, PART_SUFFIX, Step};
use crate::progress::Progress;
use crate::record::ContentHash;
use crate::rename::Unnamed;

/// How thoroughly files are compared with what the plan says of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Check {
    /// By size, modification time and id.
    #[default]
    Stat,
    /// By reading them, and the copies that stay.
    Content,
}

/// Bytes of a path that the kernel takes, with its NUL, and of a name (limits.h of Linux).
const PATH_MAX: usize = 4096;
const NAME_MAX: usize = 255;

/// What may leave a protected directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaving {
    Nothing,
    /// What this very run put there, until the volume it lies in is sealed.
    UnlessSealed,
}

/// How a step came out that was not refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome {
    /// The file at its destination.
    pub(super) facts: Facts,
    /// Its hash, where the step learnt of it.
    pub(super) hash: Option<ContentHash>,
    /// Whether it stood there already, so that this run did nothing.
    pub(super) was_done: bool,
}

/// Moves files, one step at a time.
#[derive(Debug)]
pub(super) struct Mover<'p> {
    pub(super) dirs: Dirs,
    pub(super) mode: Mode,
    pub(super) check: Check,
    pub(super) leaving: Leaving,
    /// What is known of volumes on the shelf.
    pub(super) shelf: Shelf,
    /// What is known of copies on other hosts.
    pub(super) proof: Proof,
    pub(super) interrupt: Interrupt,
    pub(super) progress: &'p Progress,
    /// Directories that this run made.
    pub(super) made: Vec<PathBuf>,
    /// Those of them whose names may not be on the disk yet.
    pub(super) unsynced: Vec<PathBuf>,
    /// Directories in which names came or went, which may not be on the disk yet.
    pub(super) touched: BTreeSet<PathBuf>,
    /// The last two of them, as they were given.
    pub(super) touched_last: [PathBuf; 2],
    /// Filesystems that can neither rename without replacing nor make hard links.
    pub(super) bare: HashSet<u64>,
    /// Memory for copies.
    pub(super) room: copy::Room,
    /// Copies that were begun together with an earlier one.
    pub(super) waiting: Waiting,
    /// Where sources are put before they are removed.
    pub(super) aside: Aside,
    /// What copies could not keep.
    pub(super) losses: Losses,
}

/// One step with its number in the journal, and what an earlier try left of it.
pub(super) struct Task<'a> {
    pub(super) number: usize,
    pub(super) step: &'a Step,
    /// The steps that follow, as far as they may be prepared together with this one.
    pub(super) next: &'a [Step],
    pub(super) left_over: Option<LeftOver>,
    /// What the file was before a filesystem could not keep it, and is to be again.
    pub(super) was: Option<Was>,
}

/// A file that is to be moved, as it was checked.
pub(super) type Checked<'a> = (&'a Entry, &'a Facts);

impl<'a> Task<'a> {
    /// A step of a run of which `past` tells. If the power failed, the line of an unfinished copy may be lost and the copy
    /// there all the same; it has a name that only this run gives.
    pub(super) fn new(number: usize, step: &'a Step, past: &Past) -> Self {
        let unnamed = || LeftOver { path: part_path(past, number, step), id: None };
        let left_over = past.left_over(number).cloned().or_else(|| past.is_taken_up().then(unnamed));
        Self { number, step, next: &[], left_over, was: None }
    }
}

impl Mover<'_> {
    /// Carries out a step whose journal is ready.
    pub(super) fn carry_out(&mut self, task: &Task<'_>, journal: &mut Journal) -> Result<Outcome, Trouble> {
        let step = task.step;
        let moment = self.dirs.moment();
        let Some((source, facts)) = self.find_source(step)? else {
            return match self.finished_before(task, journal.run())? {
                Some(outcome) => Ok(outcome),
                None => self.already_done(step),
            };
        };
        let kept = self.check_row(step, &source, &facts)?;
        // Whatever comes of it.
        self.touch(&step.dest);
        if self.mode == Mode::Move {
            self.touch(&step.source);
        }
        if let Some(outcome) = self.finish_left_over(task, (&source, &facts), journal)? {
            return Ok(outcome);
        }
        if let Some(outcome) = self.made_already(step, &source, &facts)? {
            return Ok(outcome);
        }
        let dest = match self.find_dest(step, Some(&source))? {
            Some(dest) => dest,
            None => self.make_dest(step, journal)?,
        };
        drop(moment);
        let outcome = self.transfer(task, (&source, &facts), &dest, kept.as_ref(), journal)?;
        if let Some(kept) = kept.filter(|_| self.mode == Mode::Move) {
            self.check_kept(&kept, task, (&dest, &outcome.facts), &source, journal)?;
        }
        Ok(outcome)
    }

    /// A journal has absolute paths. What cannot be reached by one could not be put back.
    fn check_length(&self, path: &Path) -> std::io::Result<()> {
        let is_long = |name: &OsStr| name.len() > NAME_MAX;
        let len = path.as_os_str().len();
        let absolute = if path.is_absolute() { len } else { self.dirs.working_dir().as_os_str().len() + 1 + len };
        if absolute >= PATH_MAX || len > NAME_MAX && path.iter().any(is_long) {
            return Err(rustix::io::Errno::NAMETOOLONG.into());
        }
        Ok(())
    }

    pub(super) fn absolute(&self, path: &Path) -> PathBuf {
        self.dirs.working_dir().join(path)
    }

    /// Checks all of a row that can be checked without touching anything.
    pub(super) fn check_only(&mut self, step: &Step) -> Result<Option<(Entry, Facts)>, Trouble> {
        let Some((source, facts)) = self.find_source(step)? else { return Ok(None) };
        self.check_row(step, &source, &facts)?;
        if self.made_already(step, &source, &facts)?.is_none() {
            self.find_dest(step, None)?;
        }
        Ok(Some((source, facts)))
    }

    /// The source as it is now, checked against its row; `None` if there is no such file.
    fn find_source(&mut self, step: &Step) -> Result<Option<(Entry, Facts)>, Trouble> {
        let error = |error: io::Error| Trouble::io("moving", &step.source, error);
        self.check_length(&step.source).map_err(error)?;
        let source = match self.dirs.entry(&step.source) {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(error)?,
        };
        let Some(facts) = Facts::of(&source.dir, &source.name).map_err(error)? else { return Ok(None) };
        match facts.difference(&step.expected) {
            None => Ok(Some((source, facts))),
            Some(Difference::Id)
                if facts.has_passing_id(&step.expected, &source.dir) && self.has_content(step, &source)? =>
            {
                Ok(Some((source, facts)))
            }
            Some(difference) => Err(Trouble::refused("moving", &step.source, difference)),
        }
    }

    /// Whether what stands there has the hash of its row.
    pub(super) fn has_content(&self, step: &Step, entry: &Entry) -> Result<bool, Trouble> {
        let Some(expected) = step.hash else { return Ok(false) };
        let read = |error: std::io::Error| Trouble::io("reading", &entry.path, error);
        let file = copy::open_to_read(&entry.dir, &entry.name).map_err(read)?;
        Ok(copy::hash_of(file, &self.interrupt)?.map_err(read)? == expected)
    }

    fn check_row(&mut self, step: &Step, source: &Entry, facts: &Facts) -> Result<Option<Kept>, Trouble> {
        if let Some(reason) = self.why_it_stays(source) {
            return Err(Trouble::refused("moving", &step.source, reason));
        }
        let by_content = self.check == Check::Content;
        if by_content && step.hash.is_some() && !self.has_content(step, source)? {
            let reason = "its content is not what the plan says (its hash differs)";
            return Err(Trouble::refused("moving", &step.source, reason));
        }
        let Some(keeper) = &step.keeper else { return Ok(None) };
        if keeper.is_elsewhere() {
            return self.proof.vouch(keeper, step, (source, facts)).map(|()| None);
        }
        if self.standing_at(&keeper.path).is_none()
            && let Some(shelved) = Shelved::find(&keeper.path, &mut self.dirs)
        {
            // It cannot be looked at, so there is nothing to look at after the move, either.
            return shelved.vouch(keeper, step, &mut self.shelf).map(|()| None);
        }
        Kept::find(keeper, (source, facts), by_content, &mut self.dirs, &self.interrupt).map(Some)
    }

    /// Why a file must stay where it is, if it must.
    pub(super) fn why_it_stays(&self, source: &Entry) -> Option<&'static str> {
        match self.leaving {
            _ if self.mode != Mode::Move => None,
            Leaving::Nothing if self.dirs.is_protected(&source.dir) => Some("it is in a protected directory"),
            // Also where the volume is elsewhere and the archive has a link to it, or where somebody took its protection away.
            Leaving::Nothing | Leaving::UnlessSealed => is_closed_above(source).then_some("it is in a sealed volume"),
        }
    }

    /// Brings the names of new directories to the disk, so that a copy in them is found after a power failure.
    pub(super) fn sync_made(&mut self) -> Result<(), Trouble> {
        while let Some(dir) = self.unsynced.last() {
            let above = self.dirs.open(crate::place::parent(dir)).and_then(|above| above.sync());
            above.map_err(|error| Trouble::io("making the directory", dir, error))?;
            self.unsynced.pop();
        }
        Ok(())
    }

    /// The name of a file may come or go.
    pub(super) fn touch(&mut self, path: &Path) {
        let dir = crate::place::parent(path);
        let [last, before] = &mut self.touched_last;
        if last.as_os_str() == dir.as_os_str() {
            return;
        }
        std::mem::swap(last, before);
        if last.as_os_str() != dir.as_os_str() {
            dir.clone_into(last);
            let dir = self.absolute(dir);
            self.touched.insert(dir);
        }
    }

    /// Brings to the disk all names that came or went, so that a journal that says it is finished is right also after a
    /// power failure. Gives the directories where that failed.
    pub(super) fn sync_names(&mut self) -> Vec<(PathBuf, io::Error)> {
        let mut touched = std::mem::take(&mut self.touched);
        self.touched_last = Default::default();
        touched.extend(self.unsynced.drain(..).map(|dir| crate::place::parent(&dir).to_owned()));
        let mut failed = Vec::new();
        // Where one was removed since, what held it tells of that.
        self.dirs.forget();
        let standing = |dir: &PathBuf| dir.ancestors().find(|above| above.is_dir()).map(Path::to_owned);
        let touched: BTreeSet<PathBuf> = touched.iter().filter_map(standing).collect();
        for dir in touched {
            match self.dirs.open(&dir).and_then(|open| open.sync()) {
                Ok(()) => {}
                // A directory that may only be written to cannot be opened for that.
                Err(_) if rustix::fs::access(&dir, Access::READ_OK).is_err() => {}
                Err(error) => failed.push((dir, error)),
            }
        }
        failed
    }

    /// Looks before any directory is made; what appears later is caught by the rename itself, and so is what stands there
    /// already, where a rename is all that is needed for `source`. `None` if there is no such directory yet.
    pub(super) fn find_dest(&mut self, step: &Step, source: Option<&Entry>) -> Result<Option<Entry>, Trouble> {
        self.check_length(&step.dest).map_err(|error| Trouble::io("moving to", &step.dest, error))?;
        if self.dirs.has_begun_at(&step.dest) {
            return Err(Trouble::refused("moving to", &step.dest, SEALED));
        }
        let failed = |error| Trouble::io("moving to", &step.dest, error);
        let dest = match self.dirs.entry(&step.dest) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(failed)?,
        };
        let is_renamed = |source: &Entry| {
            self.mode == Mode::Move && !dest.name.is_empty() && source.dir.device() == dest.dir.device()
        };
        if !source.is_some_and(is_renamed) && Facts::of(&dest.dir, &dest.name).map_err(failed)?.is_some() {
            return Err(Unnamed::Taken.trouble("moving to", &step.dest));
        }
        Ok(Some(dest))
    }

    /// Makes the directories above a destination.
    pub(super) fn make_dest(&mut self, step: &Step, journal: &mut Journal) -> Result<Entry, Trouble> {
        let absolute = self.absolute(&step.dest);
        let (made, unsynced) = (&mut self.made, &mut self.unsynced);
        let dest = self.dirs.entry_made(&absolute, &mut |dir| {
            made.push(dir.to_owned());
            unsynced.push(dir.to_owned());
            journal.mkdir(dir)
        });
        dest.map_err(|unmade| Trouble::unmade(&step.dest, unmade))
    }
}

/// Whether an entry lies in a sealed volume, or in one whose list of files stands already.
pub(super) fn is_closed_above(entry: &Entry) -> bool {
    entry.dir.is_closed()
}

/// Why a row is refused that leads into a sealed volume.
const SEALED: &str = "it would be in a sealed volume, which never changes, or in one whose sealing has begun";

/// Why a row is refused whose file is neither at its source nor at its destination.
pub(super) const GONE: &str = "it is not there any more";

/// The name of the unfinished copy of a row, which no other run gives.
pub(super) fn part_name(run: &str, number: usize) -> OsString {
    OsString::from(format!("{PART_PREFIX}{run}-{number}{PART_SUFFIX}"))
}

/// Where the unfinished copy of a row of a run would be.
pub(super) fn part_path(past: &Past, number: usize, step: &Step) -> PathBuf {
    step.dest.with_file_name(part_name(past.run(), number))
}
