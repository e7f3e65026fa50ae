//! One checked file gets to its destination, by the way that the filesystems allow, and back where it turns out wrong.

use std::ffi::OsStr;
use std::path::Path;

use super::copy::Copy;
use super::dirs::Entry;
use super::facts::Facts;
use super::keep::Kept;
use super::mover::{Checked, GONE, Mover, Outcome, Task, part_name};
use super::removal::{self, Unremoved, is_untouched, name_aside};
use super::trouble::Trouble;
use crate::journal::{Journal, Mode};
use crate::plan::Step;
use crate::rename::{self, Unnamed};

impl Mover<'_> {
    pub(super) fn transfer(
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
        &mut self,
        task: &Task<'_>,
        (source, facts): Checked<'_>,
        dest: &Entry,
        part: &OsStr,
        journal: &mut Journal,
    ) -> Result<Outcome, Trouble> {
        let file = self.begun(task, dest, part, journal)?;
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
        let (facts, hash) = copy.make(&file, &mut self.room)?;
        Ok(Outcome { facts, hash: Some(hash), was_done: false })
    }

    /// What the copy cannot be is written down, so that undoing can make it so again; whether there was anything.
    pub(super) fn note_loss(
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
            None => told(self.aside.remove(source, facts, aside), source, facts),
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
    pub(super) fn check_kept(
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

fn keeper_gone(source: &Path) -> Trouble {
    Trouble::refused(
        "moving",
        source,
        "the copy that should stay was gone or changed after the move, so it was taken back",
    )
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
    told(removal::remove(source, facts, aside), source, facts)
}

fn told(removed: Result<(), Unremoved>, source: &Entry, facts: &Facts) -> Result<(), (Trouble, bool)> {
    removed.map_err(|error| {
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
