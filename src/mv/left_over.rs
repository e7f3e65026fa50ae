//! What an earlier run has left: a row that is done already, a copy that a crash cut off, a file that was put aside.

use std::ffi::OsStr;
use std::path::Path;

use rustix::fs::{AtFlags, unlinkat};

use super::copy;
use super::dirs::Entry;
use super::facts::{Difference, Facts, ids_last};
use super::keep::{begins_with, same_as, same_content};
use super::mover::{GONE, Mover, Outcome, Task, part_name};
use super::removal::{self, name_aside};
use super::transfer::remove_source;
use super::trouble::Trouble;
use crate::journal::{Journal, LeftOver, Mode};
use crate::plan::Step;
use crate::record::Timestamp;
use crate::report;
use crate::straight;

impl Mover<'_> {
    /// A row whose source a crash saw go, but not its line: the copy that the journal names stands at the destination.
    pub(super) fn finished_before(&mut self, task: &Task<'_>, run: &str) -> Result<Option<Outcome>, Trouble> {
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
        match removal::remove_dir(&entry.dir, aside) {
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
    pub(super) fn finish_left_over(
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

    /// Of a row that is not carried out after all, a crash may have left a copy that was begun, and nothing in it.
    pub(super) fn clear_begun(&mut self, left_over: Option<&LeftOver>, name: &OsStr, aside: &OsStr) {
        let Some(LeftOver { path, id }) = left_over else { return };
        let begun = self.standing_at(path).filter(|(part, there)| part.name == name && there.size == 0);
        if let Some((part, there)) = begun.filter(|(_, there)| id.is_none_or(|id| id == there.id)) {
            // Why the row is not carried out is worth more than another error.
            removal::remove(&part, &there, aside).unwrap_or(());
        }
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
    pub(super) fn made_already(
        &mut self,
        step: &Step,
        source: &Entry,
        facts: &Facts,
    ) -> Result<Option<Outcome>, Trouble> {
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
}

/// Whether a copy of a file of this time may be the one that stands there. Where ids do not last, times may be out of reach
/// altogether: FAT begins in 1980. Its content is looked at in any case.
fn is_kept_as(mtime: Timestamp, there: &Facts, entry: &Entry) -> bool {
    mtime.may_be_kept_as(there.mtime) || !ids_last(&entry.dir)
}

/// Whether two names are those of one file, and not the same name seen twice through different mounts.
fn is_second_name(one: &Facts, other: &Facts) -> bool {
    one.id == other.id && one.links >= 2
}
