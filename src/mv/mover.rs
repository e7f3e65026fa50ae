//! Carries out one step: checks everything, moves, checks again, takes back what turned out wrong.

use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, unlinkat};

use super::copy::{self, Copy};
use super::dirs::{Dirs, Entry};
use super::facts::{Difference, Facts, ids_last};
use super::keep::{Kept, begins_with, same_as, same_content};
use super::losses::Losses;
use super::proof::Proof;
use super::removal::{self, Unremoved, is_untouched, name_aside};
use super::shelf::{Shelf, Shelved};
use super::trouble::Trouble;
use crate::interrupt::Interrupt;
use crate::journal::{Journal, LeftOver, Mode, Past, Was};
use crate::plan::{PART_PREFIX, PART_SUFFIX, Step};
use crate::progress::Progress;
use crate::record::{ContentHash, Timestamp};
use crate::rename::{self, Unnamed};
use crate::report;
use crate::straight;

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
    /// What copies could not keep.
    pub(super) losses: Losses,
}

/// One step with its number in the journal, and what an earlier try left of it.
pub(super) struct Task<'a> {
    pub(super) number: usize,
    pub(super) step: &'a Step,
    pub(super) left_over: Option<LeftOver>,
    /// What the file was before a filesystem could not keep it, and is to be again.
    pub(super) was: Option<Was>,
}

/// A file that is to be moved, as it was checked.
type Checked<'a> = (&'a Entry, &'a Facts);

impl<'a> Task<'a> {
    /// A step of a run of which `past` tells. If the power failed, the line of an unfinished copy may be lost and the copy
    /// there all the same; it has a name that only this run gives.
    pub(super) fn new(number: usize, step: &'a Step, past: &Past) -> Self {
        let unnamed = || LeftOver { path: part_path(past, number, step), id: None };
        let left_over = past.left_over(number).cloned().or_else(|| past.is_taken_up().then(unnamed));
        Self { number, step, left_over, was: None }
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

    fn absolute(&self, path: &Path) -> PathBuf {
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
    fn has_content(&self, step: &Step, entry: &Entry) -> Result<bool, Trouble> {
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
    fn why_it_stays(&self, source: &Entry) -> Option<&'static str> {
        match self.leaving {
            _ if self.mode != Mode::Move => None,
            Leaving::Nothing if self.dirs.is_protected(&source.dir) => Some("it is in a protected directory"),
            // Also where the volume is elsewhere and the archive has a link to it, or where somebody took its protection away.
            Leaving::Nothing | Leaving::UnlessSealed => is_closed_above(source).then_some("it is in a sealed volume"),
        }
    }

    /// Brings the names of new directories to the disk, so that a copy in them is found after a power failure.
    fn sync_made(&mut self) -> Result<(), Trouble> {
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
    fn find_dest(&mut self, step: &Step, source: Option<&Entry>) -> Result<Option<Entry>, Trouble> {
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
    fn make_dest(&mut self, step: &Step, journal: &mut Journal) -> Result<Entry, Trouble> {
        let absolute = self.absolute(&step.dest);
        let (made, unsynced) = (&mut self.made, &mut self.unsynced);
        let dest = self.dirs.entry_made(&absolute, &mut |dir| {
            made.push(dir.to_owned());
            unsynced.push(dir.to_owned());
            journal.mkdir(dir)
        });
        dest.map_err(|unmade| Trouble::unmade(&step.dest, unmade))
    }

    /// A row whose source a crash saw go, but not its line: the copy that the journal names stands at the destination.
    fn finished_before(&mut self, task: &Task<'_>, run: &str) -> Result<Option<Outcome>, Trouble> {
        let left_over = task.left_over.as_ref().filter(|_| self.mode == Mode::Move);
        let Some(made) = left_over.and_then(|left_over| left_over.id) else { return Ok(None) };
        let Some((dest, facts)) = self.standing_at(&task.step.dest) else { return Ok(None) };
        if facts.id != made || facts.size != task.step.expected.size {
            return Ok(None);
        }
        self.clear_aside(&task.step.source, &name_aside(run, task.number), &dest)?;
        Ok(Some(Outcome { facts, hash: task.step.hash, was_done: true }))
    }

    /// A crash may have come while the file `path` was being removed, because it stands elsewhere. What has another content
    /// gets its place back.
    pub(super) fn clear_aside(&mut self, path: &Path, aside: &OsStr, elsewhere: &Entry) -> Result<(), Trouble> {
        let Ok(entry) = self.dirs.entry(path) else { return Ok(()) };
        let Ok(dir) = straight::open_dir(&entry.dir, aside.as_ref()) else { return Ok(()) };
        let failed = |error: &dyn std::fmt::Display| Trouble::refused("removing the copied", path, error);
        if let Some(old) = Facts::of(&dir, &entry.name).map_err(|error| failed(&report::reason(&error)))? {
            let other = Facts::of(&elsewhere.dir, &elsewhere.name).ok().flatten();
            let is_second = other.is_some_and(|other| other.id != old.id || is_second_name(&old, &other));
            let read = |error| Trouble::io("reading", path, error);
            let content = || copy::open_to_read(&dir, &entry.name).map_err(read);
            if is_second && same_as(content()?, path, elsewhere, &self.interrupt)? {
                unlinkat(&dir, &entry.name, AtFlags::empty())
                    .map_err(|error| failed(&report::reason(&error.into())))?;
            } else {
                removal::give_back(&entry, &dir).map_err(|error| failed(&error))?;
            }
        }
        match removal::remove_dir(&entry, aside) {
            // There may be another name in it, of which another call tells.
            Ok(()) | Err(rustix::io::Errno::NOTEMPTY) => Ok(()),
            Err(error) => Err(failed(&report::reason(&error.into()))),
        }
    }

    /// A row whose source is gone is done if its file stands at its destination.
    pub(super) fn already_done(&mut self, step: &Step) -> Result<Outcome, Trouble> {
        let gone = || Trouble::refused("moving", &step.source, GONE);
        let dest = self.dirs.entry(&step.dest).map_err(|_| gone())?;
        let facts = Facts::of(&dest.dir, &dest.name).ok().flatten().ok_or_else(gone)?;
        let Some(difference) = facts.difference(&step.expected) else {
            if step.expected.id.is_some() {
                return Ok(Outcome { facts, hash: step.hash, was_done: true });
            }
            return self.done_by_content(step, &dest, facts)?.ok_or_else(gone);
        };
        // A copy on another filesystem is another file with the same content, and perhaps a coarser time.
        let may_be_it = match difference {
            Difference::Id => true,
            Difference::Mtime => step.expected.mtime.is_some_and(|mtime| is_kept_as(mtime, &facts, &dest)),
            Difference::NotAFile | Difference::Size => false,
        };
        if may_be_it { self.done_by_content(step, &dest, facts)?.ok_or_else(gone) } else { Err(gone()) }
    }

    fn done_by_content(&self, step: &Step, dest: &Entry, facts: Facts) -> Result<Option<Outcome>, Trouble> {
        let is_it = self.has_content(step, dest)?;
        Ok(is_it.then_some(Outcome { facts, hash: step.hash, was_done: true }))
    }

    /// Finishes what a crash cut off between two names, or clears away the unfinished copy.
    fn finish_left_over(
        &mut self,
        task: &Task<'_>,
        (source, facts): (&Entry, &Facts),
        journal: &mut Journal,
    ) -> Result<Option<Outcome>, Trouble> {
        let Some(left_over) = &task.left_over else { return Ok(None) };
        let step = task.step;
        let aside = name_aside(journal.run(), task.number);
        for path in [&step.source, &step.dest, &left_over.path] {
            self.clear_aside(path, &aside, source)?;
        }
        let is_named = |(dest, there): &(Entry, Facts)| {
            let may_be_it = left_over.id.is_some() && there.id != facts.id && !ids_last(&dest.dir);
            left_over.id == Some(there.id) || may_be_it
        };
        // One that was made under its final name may have its content and nothing else yet, not even on the disk.
        let had_other_name = self.absolute(&left_over.path) != self.absolute(&step.dest);
        let dest = self.standing_at(&step.dest).filter(is_named);
        if let Some((dest, there)) = dest
            && (is_second_name(&there, facts) || had_other_name && same_content(source, &dest, &self.interrupt)?)
        {
            if self.mode == Mode::Move {
                // The crash may have come before the name was brought to the disk.
                dest.dir.sync().map_err(|error| Trouble::io("moving to", &step.dest, error))?;
                if self.note_loss(task, facts, &there, journal)? {
                    journal.sync()?;
                }
                remove_source(source, facts, &aside)?;
            }
            return Ok(Some(Outcome { facts: there, hash: step.hash, was_done: false }));
        }
        if let Some((part, there)) = self.standing_at(&left_over.path) {
            // Only a copy that this run was making, and never the source itself under another name.
            let name = part_name(journal.run(), task.number);
            let is_ours = left_over.is(there.id, there.size) || part.name == name;
            if is_ours && there.id != facts.id && self.is_dispensable(&part, source, &name)? {
                removal::remove(&part, &there, &aside)
                    .map_err(|error| Trouble::refused("removing the unfinished copy", &part.path, error))?;
            }
        }
        Ok(None)
    }

    /// Whether nothing is lost with a file that a journal names as unfinished. Under the name that only this run gives,
    /// it is. Under any other, as of a copy made under its final name or of a second name being given, the file may have
    /// become somebody's only copy since: then it must hold nothing but what the source holds.
    pub(super) fn is_dispensable(&self, part: &Entry, source: &Entry, part_name: &OsStr) -> Result<bool, Trouble> {
        Ok(part.name == part_name || begins_with(source, part, &self.interrupt)?)
    }

    pub(super) fn standing_at(&mut self, path: &Path) -> Option<(Entry, Facts)> {
        let entry = self.dirs.entry(path).ok()?;
        let facts = Facts::of(&entry.dir, &entry.name).ok()??;
        facts.is_file().then_some((entry, facts))
    }

    /// A copy or link that stands already, as an earlier run of the same plan made it.
    fn made_already(&mut self, step: &Step, source: &Entry, facts: &Facts) -> Result<Option<Outcome>, Trouble> {
        if self.mode == Mode::Move {
            return Ok(None);
        }
        let Some((dest, there)) = self.standing_at(&step.dest) else { return Ok(None) };
        let is_made = if self.mode == Mode::Link {
            there.id == facts.id
        } else {
            let looks_like_it =
                there.id != facts.id && there.size == facts.size && is_kept_as(facts.mtime, &there, &dest);
            looks_like_it && same_content(source, &dest, &self.interrupt)?
        };
        Ok(is_made.then_some(Outcome { facts: there, hash: step.hash, was_done: true }))
    }

    fn transfer(
        &mut self,
        task: &Task<'_>,
        (source, facts): Checked<'_>,
        dest: &Entry,
        kept: Option<&Kept>,
        journal: &mut Journal,
    ) -> Result<Outcome, Trouble> {
        let is_told_apart = self.mode == Mode::Move && task.step.expected.id.is_some();
        if !is_told_apart && self.mode != Mode::Copy {
            // Should a crash swallow the line that says done, the journal must still know which file it was, or that a
            // link is one that this run has made.
            journal.part(task.number, &self.absolute(&dest.path), Some(facts.id))?;
        }
        match self.mode {
            Mode::Move => match rename::without_replacing(&source.dir, &source.name, &dest.dir, &dest.name) {
                Ok(()) => self.check_moved((source, facts), dest),
                Err(Unnamed::Unsupported(_)) => self.move_by_link(task, (source, facts), dest, kept, journal),
                Err(Unnamed::OtherFilesystem) => self.move_by_copy(
                    task,
                    (source, facts),
                    (dest, &part_name(journal.run(), task.number)),
                    kept,
                    journal,
                ),
                Err(error) => Err(not_named(&error, source, task.step)),
            },
            Mode::Copy => {
                let part = part_name(journal.run(), task.number);
                let copied = self.copy(task, (source, facts), dest, &part, journal)?;
                check_further(dest, copied, &name_aside(journal.run(), task.number))
            }
            Mode::Link => {
                let linked = link(task.step, source, facts, dest)?;
                check_further(dest, linked, &name_aside(journal.run(), task.number))
            }
        }
    }

    /// What was renamed must be what was checked, and where it should be: somebody may have put another file there in between,
    /// or moved a directory.
    fn check_moved(&self, (source, facts): Checked<'_>, dest: &Entry) -> Result<Outcome, Trouble> {
        let there = Facts::of(&dest.dir, &dest.name).ok().flatten();
        let moved = there.filter(|there| (there.id, there.size, there.mtime) == (facts.id, facts.size, facts.mtime));
        let _moment = dest.dir.moment();
        let (path, reason) = match (moved, why_not_there(dest)) {
            (None, _) => (&source.path, "it was replaced by another file at the last moment"),
            (_, Some(reason)) => (&dest.path, reason),
            _ if !source.is_where_it_was() => (&source.path, "its directory was moved or replaced at the last moment"),
            (Some(facts), None) => {
                self.progress.add_bytes(facts.size);
                return Ok(Outcome { facts, hash: None, was_done: false });
            }
        };
        match rename_back(dest, source) {
            Ok(()) => Err(Trouble::refused("moving", path, reason)),
            Err(error) => Err(stranded(dest, source, &error)),
        }
    }

    fn move_by_link(
        &mut self,
        task: &Task<'_>,
        (source, facts): (&Entry, &Facts),
        dest: &Entry,
        kept: Option<&Kept>,
        journal: &mut Journal,
    ) -> Result<Outcome, Trouble> {
        journal.part(task.number, &self.absolute(&dest.path), Some(facts.id))?;
        // If the power fails between the two names, nothing else tells that the second one is not somebody's own.
        journal.sync()?;
        match rename::link(&source.dir, &source.name, &dest.dir, &dest.name) {
            Ok(()) => {
                Self::finish_link((source, facts), dest, &name_aside(journal.run(), task.number))?;
                self.check_moved((source, facts), dest)
            }
            Err(Unnamed::OtherFilesystem) => {
                self.move_by_copy(task, (source, facts), (dest, &part_name(journal.run(), task.number)), kept, journal)
            }
            // Without hard links either, the copy is made under its final name, which O_EXCL guards.
            Err(Unnamed::Unsupported(_)) => self.move_by_copy(task, (source, facts), (dest, &dest.name), kept, journal),
            Err(error) => Err(not_named(&error, source, task.step)),
        }
    }

    /// A file that has its second name loses the first one. The second is on the disk before that: a filesystem without a
    /// journal may write the two in any order, and the power may fail between them.
    fn finish_link((source, facts): Checked<'_>, dest: &Entry, aside: &OsStr) -> Result<(), Trouble> {
        let there = Facts::of(&dest.dir, &dest.name).ok().flatten().filter(|there| there.id == facts.id);
        let there = there.ok_or_else(|| {
            let reason = "another file was put in its place meanwhile; it has both names";
            Trouble::refused("moving", &source.path, reason)
        })?;
        let done = rename::sync_names(&dest.dir).map_err(|error| Trouble::io("moving to", &dest.path, error));
        let done = done.map_err(|trouble| (trouble, is_untouched(source, &there)));
        done.and_then(|()| remove_or_leave(source, &there, aside)).map_err(|(trouble, is_whole)| {
            // It keeps its old name, so that another try finds all as it was. What went wrong is worth more than another error.
            let now = Facts::of(&dest.dir, &dest.name).ok().flatten();
            if let Some(now) = now.filter(|now| is_whole && now.is_renamed(&there)) {
                removal::remove(dest, &now, aside).unwrap_or(());
            }
            trouble
        })
    }

    /// A verified copy, after which the source goes.
    fn move_by_copy(
        &mut self,
        task: &Task<'_>,
        (source, facts): (&Entry, &Facts),
        (dest, part): (&Entry, &OsStr),
        kept: Option<&Kept>,
        journal: &mut Journal,
    ) -> Result<Outcome, Trouble> {
        let copied = self.copy(task, (source, facts), dest, part, journal)?;
        let aside = name_aside(journal.run(), task.number);
        self.leave_source((source, facts), (dest, &copied.facts), kept, &aside)?;
        Ok(copied)
    }

    fn copy(
        &mut self,
        task: &Task<'_>,
        (source, facts): (&Entry, &Facts),
        dest: &Entry,
        part: &OsStr,
        journal: &mut Journal,
    ) -> Result<Outcome, Trouble> {
        self.sync_made()?;
        let device = dest.dir.device();
        let part = if self.bare.contains(&device) { &dest.name } else { part };
        let made = match self.copy_as(task, (source, facts), dest, part, journal) {
            Err(trouble) if part != dest.name && trouble.is_unsupported() => {
                // Then O_EXCL alone can guard the name, from the beginning of the copy.
                let made = self.copy_as(task, (source, facts), dest, &dest.name, journal)?;
                self.bare.insert(device);
                made
            }
            other => other?,
        };
        if self.note_loss(task, facts, &made.facts, journal)? {
            // It must be known when the source is gone.
            journal.sync()?;
        }
        Ok(made)
    }

    /// A copy that has the name `part` until it is complete.
    fn copy_as(
        &self,
        task: &Task<'_>,
        (source, facts): Checked<'_>,
        dest: &Entry,
        part: &OsStr,
        journal: &mut Journal,
    ) -> Result<Outcome, Trouble> {
        let path = self.absolute(&dest.path).with_file_name(part);
        let copy = Copy {
            source,
            facts,
            was: &task.was.unwrap_or(facts.was()),
            hash: task.step.hash,
            dest,
            part,
            aside: &name_aside(journal.run(), task.number),
            interrupt: &self.interrupt,
            progress: self.progress,
        };
        journal.part(task.number, &path, None)?;
        if part == dest.name {
            // Nothing but the journal tells then that the file under that name is not finished.
            journal.sync()?;
        }
        // If the power fails once the copy has its name, the journal must know which file it is.
        let (facts, hash) = copy.make(&mut |id| {
            journal.part(task.number, &path, Some(id))?;
            journal.sync()
        })?;
        Ok(Outcome { facts, hash: Some(hash), was_done: false })
    }

    /// What the copy cannot be is written down, so that undoing can make it so again; whether there was anything.
    fn note_loss(
        &mut self,
        task: &Task<'_>,
        facts: &Facts,
        there: &Facts,
        journal: &mut Journal,
    ) -> Result<bool, Trouble> {
        let was = task.was.unwrap_or(facts.was());
        let is_lost = self.losses.note(&was, there, &task.step.dest);
        if is_lost {
            journal.was(task.number, &was)?;
        }
        Ok(is_lost)
    }

    /// After a verified copy: the source goes, if it is still what was copied and the keeper still stands.
    fn leave_source(
        &mut self,
        (source, facts): (&Entry, &Facts),
        (dest, copied): Checked<'_>,
        kept: Option<&Kept>,
        aside: &OsStr,
    ) -> Result<(), Trouble> {
        let removed = match self.why_not_to_leave(source, dest, kept) {
            Some(trouble) => Err((trouble, is_untouched(source, facts))),
            None => remove_or_leave(source, facts, aside),
        };
        removed.map_err(|(trouble, is_whole)| {
            // The copy is one too many only while the source is whole where it was; else it may be the last there is.
            if is_whole {
                removal::remove(dest, copied, aside).unwrap_or(());
            }
            trouble
        })
    }

    /// What has come between a copy and the removal of its source.
    fn why_not_to_leave(&mut self, source: &Entry, dest: &Entry, kept: Option<&Kept>) -> Option<Trouble> {
        if let Some(reason) = why_not_there(dest) {
            return Some(Trouble::refused("copying to", &dest.path, reason));
        }
        if !kept.is_none_or(|kept| kept.still_stands(&mut self.dirs).unwrap_or(false)) {
            return Some(keeper_gone(&source.path));
        }
        let was_led_away = || Some("its directory was moved or replaced while it was copied");
        let reason = if source.is_where_it_was() { self.why_it_stays(source) } else { was_led_away() };
        reason.map(|reason| Trouble::refused("moving", &source.path, reason))
    }

    /// If the copy that should have stayed is gone, it was the moved file under another name: back with it.
    fn check_kept(
        &mut self,
        kept: &Kept,
        task: &Task<'_>,
        (dest, facts): (&Entry, &Facts),
        source: &Entry,
        journal: &mut Journal,
    ) -> Result<(), Trouble> {
        if kept.still_stands(&mut self.dirs).unwrap_or(false) {
            return Ok(());
        }
        match rename_back(dest, source) {
            Ok(()) => {}
            Err(Unnamed::OtherFilesystem) => {
                self.copy(task, (dest, facts), source, &part_name(journal.run(), task.number), journal)?;
                remove_source(dest, facts, &name_aside(journal.run(), task.number))?;
            }
            Err(error) => return Err(stranded(dest, source, &error)),
        }
        Err(keeper_gone(&source.path))
    }
}

/// Why a file did not get its new name: somebody else may have moved it a moment before.
fn not_named(error: &Unnamed, source: &Entry, step: &Step) -> Trouble {
    match Facts::of(&source.dir, &source.name) {
        Ok(None) => Trouble::refused("moving", &step.source, GONE),
        _ => error.trouble("moving to", &step.dest),
    }
}

/// Why a file cannot stay where it was just put: a directory may be moved, and a volume sealed, between the last look and
/// the move.
fn why_not_there(dest: &Entry) -> Option<&'static str> {
    if !dest.is_where_it_was() {
        return Some("its directory was moved or replaced at the last moment");
    }
    dest.dir.has_begun().then_some("its volume was sealed at the last moment")
}

/// A copy or link that is not where it should be is taken away again.
fn check_further(dest: &Entry, outcome: Outcome, aside: &OsStr) -> Result<Outcome, Trouble> {
    let Some(reason) = why_not_there(dest) else { return Ok(outcome) };
    match removal::remove(dest, &outcome.facts, aside) {
        Ok(()) => Err(Trouble::refused("copying to", &dest.path, reason)),
        Err(error) => Err(Trouble::refused("taking back", &dest.path, format!("{reason}, but: {error}"))),
    }
}

fn rename_back(dest: &Entry, source: &Entry) -> Result<(), Unnamed> {
    match rename::without_replacing(&dest.dir, &dest.name, &source.dir, &source.name) {
        Err(Unnamed::Unsupported(_)) => rename::link_then_unlink(&dest.dir, &dest.name, &source.dir, &source.name),
        other => other,
    }
}

/// Whether an entry lies in a sealed volume, or in one whose list of files stands already.
pub(super) fn is_closed_above(entry: &Entry) -> bool {
    entry.dir.is_closed()
}

/// Why a row is refused that leads into a sealed volume.
const SEALED: &str = "it would be in a sealed volume, which never changes, or in one whose sealing has begun";

/// Whether a copy of a file of this time may be the one that stands there. Where ids do not last, times may be out of reach
/// altogether: FAT begins in 1980. Its content is looked at in any case.
fn is_kept_as(mtime: Timestamp, there: &Facts, entry: &Entry) -> bool {
    mtime.may_be_kept_as(there.mtime) || !ids_last(&entry.dir)
}

/// Why a row is refused whose file is neither at its source nor at its destination.
pub(super) const GONE: &str = "it is not there any more";

/// Whether two names are those of one file, and not the same name seen twice through different mounts.
fn is_second_name(one: &Facts, other: &Facts) -> bool {
    one.id == other.id && one.links >= 2
}

fn keeper_gone(source: &Path) -> Trouble {
    Trouble::refused(
        "moving",
        source,
        "the copy that should stay was gone or changed after the move, so it was taken back",
    )
}

/// The name of the unfinished copy of a row, which no other run gives.
pub(super) fn part_name(run: &str, number: usize) -> OsString {
    OsString::from(format!("{PART_PREFIX}{run}-{number}{PART_SUFFIX}"))
}

/// Where the unfinished copy of a row of a run would be.
pub(super) fn part_path(past: &Past, number: usize, step: &Step) -> PathBuf {
    step.dest.with_file_name(part_name(past.run(), number))
}

fn link(step: &Step, source: &Entry, facts: &Facts, dest: &Entry) -> Result<Outcome, Trouble> {
    rename::link(&source.dir, &source.name, &dest.dir, &dest.name)
        .map_err(|error| error.trouble("linking to", &step.dest))?;
    let there = Facts::of(&dest.dir, &dest.name).map_err(|error| Trouble::io("linking to", &step.dest, error))?;
    match there.filter(|there| there.id == facts.id) {
        Some(facts) => Ok(Outcome { facts, hash: None, was_done: false }),
        None => {
            Err(Trouble::refused("linking to", &step.dest, "another file was put there or linked at the last moment"))
        }
    }
}

/// Removes a file of which a verified copy stands, if nobody touched it since it was checked.
pub(super) fn remove_source(source: &Entry, facts: &Facts, aside: &OsStr) -> Result<(), Trouble> {
    remove_or_leave(source, facts, aside).map_err(|(trouble, _)| trouble)
}

/// The same, and where it was not removed, whether the file stays as it was.
fn remove_or_leave(source: &Entry, facts: &Facts, aside: &OsStr) -> Result<(), (Trouble, bool)> {
    removal::remove(source, facts, aside).map_err(|error| {
        let reason = match &error {
            Unremoved::Error(_) | Unremoved::Emptied(..) => error.to_string(),
            changed => format!("{changed}; the copy stands at its destination"),
        };
        let trouble = Trouble::refused("removing the copied", &source.path, reason);
        (trouble, removal::is_left_whole(&error, source, facts))
    })
}

fn stranded(dest: &Entry, source: &Entry, error: &Unnamed) -> Trouble {
    let Trouble::Refused { reason, .. } = error.trouble("taking back", &dest.path) else {
        return Trouble::refused("taking back", &dest.path, "unknown");
    };
    let to = crate::escape::for_people(std::os::unix::ffi::OsStrExt::as_bytes(source.path.as_os_str()));
    Trouble::refused("taking back", &dest.path, format!("it should go back to {to}, but: {reason}"))
}
