//! Carries out one step: checks everything, moves, checks again, takes back what turned out wrong.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, unlinkat};

use super::copy::{self, Copy};
use super::dirs::{Dirs, Entry};
use super::facts::{Difference, Facts, ids_last};
use super::keep::{Kept, begins_with, same_content};
use super::losses::Losses;
use super::shelf::{Shelf, Shelved};
use super::trouble::Trouble;
use crate::interrupt::Interrupt;
use crate::journal::{Journal, LeftOver, Mode, Was};
use crate::plan::Step;
use crate::progress::Progress;
use crate::record::{ContentHash, Timestamp};
use crate::rename::{self, Unnamed};

/// How thoroughly files are compared with what the plan says of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Check {
    /// By size, modification time and id.
    #[default]
    Stat,
    /// By reading them, and the copies that stay.
    Content,
}

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
    /// What is known of volumes on the shelf, where copies there may be the ones to keep.
    pub(super) shelf: Option<Shelf>,
    pub(super) interrupt: Interrupt,
    pub(super) progress: &'p Progress,
    /// Directories that this run made.
    pub(super) made: Vec<PathBuf>,
    /// Those of them whose names may not be on the disk yet.
    pub(super) unsynced: Vec<PathBuf>,
    /// Filesystems that can neither rename without replacing nor make hard links.
    pub(super) bare: HashSet<u64>,
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

impl Mover<'_> {
    /// Carries out a step whose journal is ready.
    pub(super) fn carry_out(&mut self, task: &Task<'_>, journal: &mut Journal) -> Result<Outcome, Trouble> {
        let step = task.step;
        let Some((source, facts)) = self.find_source(step)? else {
            return self.finished_before(task).map_or_else(|| self.already_done(step), Ok);
        };
        let kept = self.check_row(step, &source, &facts)?;
        if let Some(outcome) = self.finish_left_over(task, (&source, &facts), journal)? {
            return Ok(outcome);
        }
        if let Some(outcome) = self.made_already(step, &source, &facts)? {
            return Ok(outcome);
        }
        self.refuse_taken(step)?;
        let absolute = self.absolute(&step.dest);
        let (made, unsynced) = (&mut self.made, &mut self.unsynced);
        let dest = self.dirs.entry_made(&absolute, &mut |dir| {
            made.push(dir.to_owned());
            unsynced.push(dir.to_owned());
            journal.mkdir(dir)
        });
        let dest = dest.map_err(|unmade| Trouble::unmade(&step.dest, unmade))?;
        let outcome = self.transfer(task, (&source, &facts), &dest, kept.as_ref(), journal)?;
        if let Some(kept) = kept.filter(|_| self.mode == Mode::Move) {
            self.check_kept(&kept, task, (&dest, &outcome.facts), &source, journal)?;
        }
        Ok(outcome)
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        self.dirs.working_dir().join(path)
    }

    /// Checks all of a row that can be checked without touching anything.
    pub(super) fn check_only(&mut self, step: &Step) -> Result<Option<(Entry, Facts)>, Trouble> {
        let Some((source, facts)) = self.find_source(step)? else { return Ok(None) };
        self.check_row(step, &source, &facts)?;
        if self.made_already(step, &source, &facts)?.is_none() {
            self.refuse_taken(step)?;
        }
        Ok(Some((source, facts)))
    }

    /// The source as it is now, checked against its row; `None` if there is no such file.
    fn find_source(&mut self, step: &Step) -> Result<Option<(Entry, Facts)>, Trouble> {
        let error = |error: std::io::Error| Trouble::io("moving", &step.source, error);
        let source = match self.dirs.entry(&step.source) {
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(None),
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
        if self.standing_at(&keeper.path).is_none()
            && let Some(shelved) = Shelved::find(&keeper.path, &mut self.dirs)
        {
            // It cannot be looked at, so there is nothing to look at after the move, either.
            return shelved.vouch(keeper, step, self.shelf.as_mut()).map(|()| None);
        }
        Kept::find(keeper, (source, facts), by_content, &mut self.dirs, &self.interrupt).map(Some)
    }

    /// Why a file must stay where it is, if it must.
    fn why_it_stays(&self, source: &Entry) -> Option<&'static str> {
        match self.leaving {
            _ if self.mode != Mode::Move => None,
            Leaving::Nothing => source.dir.is_protected().then_some("it is in a protected directory"),
            Leaving::UnlessSealed => is_sealed_above(source).then_some("it is in a sealed volume"),
        }
    }

    /// Brings the names of new directories to the disk, so that a copy in them is found after a power failure.
    fn sync_made(&mut self) -> Result<(), Trouble> {
        for dir in std::mem::take(&mut self.unsynced) {
            let above = self.dirs.open(crate::place::parent(&dir)).and_then(|above| above.sync());
            above.map_err(|error| Trouble::io("making the directory", &dir, error))?;
        }
        Ok(())
    }

    /// Looks before any directory is made; what appears later is caught by the rename itself.
    fn refuse_taken(&mut self, step: &Step) -> Result<(), Trouble> {
        if self.dirs.is_sealed_at(&step.dest) {
            return Err(Trouble::refused(
                "moving to",
                &step.dest,
                "it would be in a sealed volume, which never changes",
            ));
        }
        let taken = match self.dirs.entry(&step.dest) {
            Ok(dest) => {
                Facts::of(&dest.dir, &dest.name).map_err(|error| Trouble::io("moving to", &step.dest, error))?.is_some()
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => return Err(Trouble::io("moving to", &step.dest, error)),
        };
        if taken { Err(Unnamed::Taken.trouble("moving to", &step.dest)) } else { Ok(()) }
    }

    /// A row whose source a crash saw go, but not its line: the copy that the journal names stands at the destination.
    fn finished_before(&mut self, task: &Task<'_>) -> Option<Outcome> {
        let made = task.left_over.as_ref().filter(|_| self.mode == Mode::Move)?.id?;
        let (_, facts) = self.standing_at(&task.step.dest)?;
        let is_it = facts.id == made && facts.size == task.step.expected.size;
        is_it.then_some(Outcome { facts, hash: task.step.hash, was_done: true })
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
        let is_named = |(dest, there): &(Entry, Facts)| {
            let may_be_it = left_over.id.is_some() && there.id != facts.id && !ids_last(&dest.dir);
            left_over.id == Some(there.id) || may_be_it
        };
        // One that was made under its final name may have its content and nothing else yet, not even on the disk.
        let had_other_name = left_over.path != self.absolute(&step.dest);
        let dest = self.standing_at(&step.dest).filter(is_named);
        if let Some((dest, there)) = dest
            && (is_second_name(&there, facts) || had_other_name && same_content(source, &dest, &self.interrupt)?)
        {
            if self.mode == Mode::Move {
                // The crash may have come before the name was brought to the disk.
                dest.dir.sync().map_err(|error| Trouble::io("moving to", &step.dest, error))?;
                self.note_loss(task, facts, &there, journal)?;
                journal.sync()?;
                remove_source(source, facts)?;
            }
            return Ok(Some(Outcome { facts: there, hash: step.hash, was_done: false }));
        }
        if let Some((part, there)) = self.standing_at(&left_over.path) {
            // Only a copy that this journal says was being made, and never the source itself under another name.
            let part_name = part_name(journal.run(), task.number);
            let is_named = part.name == part_name && !ids_last(&part.dir);
            let is_ours = is_named || left_over.id.map_or(there.size == 0, |id| id == there.id);
            if is_ours && there.id != facts.id && self.is_dispensable(&part, source, &part_name)? {
                unlinkat(&part.dir, &part.name, AtFlags::empty())
                    .map_err(|error| Trouble::io("removing the unfinished copy", &part.path, error))?;
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
        (source, facts): (&Entry, &Facts),
        dest: &Entry,
        kept: Option<&Kept>,
        journal: &mut Journal,
    ) -> Result<Outcome, Trouble> {
        if self.mode == Mode::Move && task.step.expected.id.is_none() {
            // Should a crash swallow the line that says done, the journal must still know which file it was.
            journal.part(task.number, &self.absolute(&dest.path), Some(facts.id))?;
        }
        match self.mode {
            Mode::Move => match rename::without_replacing(&source.dir, &source.name, &dest.dir, &dest.name) {
                Ok(()) => check_moved(source, facts, dest, self.progress),
                Err(Unnamed::Unsupported) => self.move_by_link(task, (source, facts), dest, kept, journal),
                Err(Unnamed::OtherFilesystem) => self.move_by_copy(
                    task,
                    (source, facts),
                    (dest, &part_name(journal.run(), task.number)),
                    kept,
                    journal,
                ),
                Err(error) => Err(error.trouble("moving to", &task.step.dest)),
            },
            Mode::Copy => self.copy(task, (source, facts), dest, &part_name(journal.run(), task.number), journal),
            Mode::Link => link(task.step, source, facts, dest),
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
        match rename::link_then_unlink(&source.dir, &source.name, &dest.dir, &dest.name) {
            Ok(()) => check_moved(source, facts, dest, self.progress),
            Err(Unnamed::OtherFilesystem) => {
                self.move_by_copy(task, (source, facts), (dest, &part_name(journal.run(), task.number)), kept, journal)
            }
            // Without hard links either, the copy is made under its final name, which O_EXCL guards.
            Err(Unnamed::Unsupported) => self.move_by_copy(task, (source, facts), (dest, &dest.name), kept, journal),
            Err(error) => Err(error.trouble("moving to", &task.step.dest)),
        }
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
        self.leave_source((source, facts), (dest, &copied.facts), kept)?;
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
        let device = dest.dir.device();
        let part = if self.bare.contains(&device) { &dest.name } else { part };
        let made = match self.copy_as(task, (source, facts), dest, part, journal) {
            Err(trouble) if part != dest.name && trouble.is_for(&Unnamed::Unsupported.to_string()) => {
                // Then O_EXCL alone can guard the name, from the beginning of the copy.
                let made = self.copy_as(task, (source, facts), dest, &dest.name, journal)?;
                self.bare.insert(device);
                made
            }
            other => other?,
        };
        self.note_loss(task, facts, &made.facts, journal)?;
        self.sync_made()?;
        // If the power fails once the source is gone, the journal must know which file the copy is.
        journal.sync()?;
        Ok(made)
    }

    /// A copy that has the name `part` until it is complete.
    fn copy_as(
        &self,
        task: &Task<'_>,
        (source, facts): (&Entry, &Facts),
        dest: &Entry,
        part: &OsStr,
        journal: &mut Journal,
    ) -> Result<Outcome, Trouble> {
        let path = self.absolute(&dest.path).with_file_name(part);
        let was = &task.was.unwrap_or(facts.was());
        let (interrupt, progress) = (&self.interrupt, self.progress);
        let copy = Copy { source, facts, was, hash: task.step.hash, dest, part, interrupt, progress };
        journal.part(task.number, &path, None)?;
        let (facts, hash) = copy.make(&mut |id| journal.part(task.number, &path, Some(id)))?;
        Ok(Outcome { facts, hash: Some(hash), was_done: false })
    }

    /// What the copy cannot be is written down, so that undoing can make it so again.
    fn note_loss(
        &mut self,
        task: &Task<'_>,
        facts: &Facts,
        there: &Facts,
        journal: &mut Journal,
    ) -> Result<(), Trouble> {
        let was = task.was.unwrap_or(facts.was());
        if self.losses.note(&was, there, &task.step.dest) {
            journal.was(task.number, &was)?;
        }
        Ok(())
    }

    /// After a verified copy: the source goes, if it is still what was copied and the keeper still stands.
    fn leave_source(
        &mut self,
        (source, facts): (&Entry, &Facts),
        (dest, copied): (&Entry, &Facts),
        kept: Option<&Kept>,
    ) -> Result<(), Trouble> {
        let stands = kept.is_none_or(|kept| kept.still_stands(&mut self.dirs).unwrap_or(false));
        let left = if stands { remove_source(source, facts) } else { Err(keeper_gone(&source.path)) };
        // The copy is one too many only while the source is whole where it was; else it may be the last there is.
        if left.is_err() && is_untouched(source, facts) && is_untouched(dest, copied) {
            unlinkat(&dest.dir, &dest.name, AtFlags::empty()).unwrap_or(());
        }
        left
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
                remove_source(dest, facts)?;
            }
            Err(error) => return Err(stranded(dest, source, &error)),
        }
        Err(keeper_gone(&source.path))
    }
}

/// What was renamed must be what was checked: somebody may have put another file there in between.
fn check_moved(source: &Entry, facts: &Facts, dest: &Entry, progress: &Progress) -> Result<Outcome, Trouble> {
    let there = Facts::of(&dest.dir, &dest.name).map_err(|error| Trouble::io("moving to", &dest.path, error))?;
    if let Some(facts) =
        there.filter(|there| there.id == facts.id && there.size == facts.size && there.mtime == facts.mtime)
    {
        progress.add_bytes(facts.size);
        return Ok(Outcome { facts, hash: None, was_done: false });
    }
    match rename_back(dest, source) {
        Ok(()) => Err(Trouble::refused("moving", &source.path, "it was replaced by another file at the last moment")),
        Err(error) => Err(stranded(dest, source, &error)),
    }
}

fn rename_back(dest: &Entry, source: &Entry) -> Result<(), Unnamed> {
    match rename::without_replacing(&dest.dir, &dest.name, &source.dir, &source.name) {
        Err(Unnamed::Unsupported) => rename::link_then_unlink(&dest.dir, &dest.name, &source.dir, &source.name),
        other => other,
    }
}

/// Whether an entry lies in a sealed volume.
pub(super) fn is_sealed_above(entry: &Entry) -> bool {
    entry.dir.location().real().ancestors().any(crate::volume::is_sealed)
}

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
    OsString::from(format!(".ms-mv-{run}-{number}.part"))
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

/// Unlinks a file of which a verified copy stands, if nobody touched it since it was checked.
pub(super) fn remove_source(source: &Entry, facts: &Facts) -> Result<(), Trouble> {
    if !is_untouched(source, facts) {
        let reason = "it changed or went away while it was copied; the copy stands at its destination";
        return Err(Trouble::refused("removing the copied", &source.path, reason));
    }
    unlinkat(&source.dir, &source.name, AtFlags::empty())
        .map_err(|error| Trouble::io("removing the copied", &source.path, error))
}

/// Whether the file that was looked at still stands there, and nothing was done to it.
fn is_untouched(entry: &Entry, facts: &Facts) -> bool {
    Facts::of(&entry.dir, &entry.name).is_ok_and(|now| now.is_some_and(|now| now.is_untouched_since(facts)))
}

fn stranded(dest: &Entry, source: &Entry, error: &Unnamed) -> Trouble {
    let Trouble::Refused { reason, .. } = error.trouble("taking back", &dest.path) else {
        return Trouble::refused("taking back", &dest.path, "unknown");
    };
    let to = crate::escape::for_people(std::os::unix::ffi::OsStrExt::as_bytes(source.path.as_os_str()));
    Trouble::refused("taking back", &dest.path, format!("it should go back to {to}, but: {reason}"))
}
