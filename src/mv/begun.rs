//! Unfinished copies that were begun: that of a row, and those of the next ones.
//!
//! Before a copy gets its name, the journal must know on the disk which file it is: if the power fails then, nothing else
//! tells that it is not somebody's own. To bring a line to the disk may take longer than to copy a photo, so that the copies
//! of several rows are begun together, as empty files. Whatever becomes of those rows, an empty file that is not used is
//! removed again; a crash leaves it under its temporary name, which the journal tells.

use std::ffi::OsStr;
use std::fs::File;
use std::io;

use rustix::fs::{Mode, OFlags, openat};

use super::dirs::Entry;
use super::facts::{Facts, ids_last};
use super::mover::{Mover, Task, part_name};
use super::removal::{self, name_aside};
use super::trouble::Trouble;
use crate::journal::Journal;
use crate::plan::Step;
use crate::record::FileId;

/// So many rows are begun together at most: the disk is waited for seldom enough then, and the directories of all of them
/// stay open until their turn comes.
const TOGETHER: usize = 24;

/// An empty file that is to become the copy of a row.
#[derive(Debug)]
struct Begun {
    row: usize,
    /// Its temporary name.
    part: Entry,
    id: FileId,
    /// Of a row whose turn it is. Those of others are opened when it comes.
    file: Option<File>,
}

impl Begun {
    /// Removes the file, if it is still empty; its name tells whose it is.
    fn discard(self, run: &str) {
        let there = Facts::of(&self.part.dir, &self.part.name).ok().flatten();
        if let Some(there) = there.filter(|there| there.id == self.id && there.size == 0) {
            removal::remove(&self.part, &there, &name_aside(run, self.row)).unwrap_or(());
        }
    }
}

/// Copies that were begun and are waiting for their turn.
#[derive(Debug, Default)]
pub(super) struct Waiting(Vec<Begun>);

impl Waiting {
    /// Another file may be begun for a row.
    fn give_up(&mut self, row: usize, part: &OsStr, run: &str) {
        if let Some(at) = self.0.iter().position(|begun| begun.row == row && begun.part.name == part) {
            self.0.swap_remove(at).discard(run);
        }
    }

    /// Whether there is a file for a row.
    fn has(&self, row: usize) -> bool {
        self.0.iter().any(|begun| begun.row == row)
    }

    /// The file that was begun for a row, if it still has its name in the directory of `dest`.
    fn take(&mut self, row: usize, dest: &Entry, part: &OsStr) -> Option<File> {
        let at = self.0.iter().position(|begun| begun.row == row && begun.part.name == part)?;
        let file = self.0[at].file.take().or_else(|| {
            let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            openat(&dest.dir, part, flags, Mode::empty()).ok().map(File::from)
        })?;
        let is_it = Facts::of_open(&file).is_ok_and(|facts| facts.id == self.0[at].id);
        is_it.then(|| {
            self.0.swap_remove(at);
            file
        })
    }
}

impl Mover<'_> {
    /// The file that is to become the copy of a row. The journal knows it, also on the disk.
    pub(super) fn begun(
        &mut self,
        task: &Task<'_>,
        dest: &Entry,
        part: &OsStr,
        journal: &mut Journal,
    ) -> Result<File, Trouble> {
        if let Some(file) = self.waiting.take(task.number, dest, part) {
            return Ok(file);
        }
        // Of one that cannot be used any more, the name is needed again, if it has it still.
        self.waiting.give_up(task.number, part, journal.run());
        // A file that has its final name is nothing to leave lying, and one that has another id when it is opened again is
        // not known again.
        let can_wait = part != dest.name && ids_last(&dest.dir);
        let next = if can_wait { self.next_copies(task, journal)? } else { Vec::new() };
        self.sync_made()?;
        let file = self.begin(task.number, dest, part, journal)?;
        if let Some(own) = self.waiting.0.last_mut() {
            own.file = Some(file);
        }
        for (row, dest) in next {
            match self.begin(row, &dest, &part_name(journal.run(), row), journal) {
                // It is told when its turn comes, if it is so still.
                Err(Trouble::Refused { .. }) => {}
                begun => drop(begun?),
            }
        }
        journal.sync()?;
        let gone = || {
            let reason = "another file was put in the place of the unfinished copy";
            Trouble::refused("copying to", &dest.path, reason)
        };
        self.waiting.take(task.number, dest, part).ok_or_else(gone)
    }

    /// The next rows that will be copied, as far as can be seen now, and their destinations, whose directories are made.
    fn next_copies(&mut self, task: &Task<'_>, journal: &mut Journal) -> Result<Vec<(usize, Entry)>, Trouble> {
        let mut found = Vec::new();
        for (step, row) in task.next.iter().zip(task.number + 1..).take(TOGETHER - 1) {
            // What the journal says of its file must not be taken back by another try to make it.
            if self.waiting.has(row) {
                continue;
            }
            match self.copied_to(step, journal) {
                Ok(dest) => found.extend(dest.map(|dest| (row, dest))),
                Err(Trouble::Refused { .. }) => {}
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(found)
    }

    /// Where a file is to be copied to, if it seems to be one that has to be.
    fn copied_to(&mut self, step: &Step, journal: &mut Journal) -> Result<Option<Entry>, Trouble> {
        let Ok(source) = self.dirs.entry(&step.source) else { return Ok(None) };
        let there = Facts::of(&source.dir, &source.name).ok().flatten();
        if !there.is_some_and(|there| there.is_file() && there.size == step.expected.size) {
            return Ok(None);
        }
        let dest = match self.find_dest(step, None)? {
            Some(dest) => dest,
            None => self.make_dest(step, journal)?,
        };
        let device = dest.dir.device();
        let is_copied = source.dir.device() != device && !self.bare.contains(&device) && ids_last(&dest.dir);
        Ok(is_copied.then_some(dest))
    }

    /// Makes the empty file of a row, of which the journal tells before and after.
    fn begin(&mut self, row: usize, dest: &Entry, part: &OsStr, journal: &mut Journal) -> Result<File, Trouble> {
        let path = self.absolute(&dest.path).with_file_name(part);
        journal.part(row, &path, None)?;
        if part == dest.name {
            // Nothing but the journal tells then that the file under that name is not finished.
            journal.sync()?;
        }
        let error = |error: io::Error| Trouble::io("copying to", &dest.path, error);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&dest.dir, part, flags, Mode::from_raw_mode(0o600)).map_err(|errno| error(errno.into()))?;
        let file = File::from(file);
        let id = Facts::of_open(&file).map_err(error)?.id;
        let part = Entry { name: part.to_owned(), path: dest.path.with_file_name(part), ..dest.clone() };
        self.waiting.0.push(Begun { row, part, id, file: None });
        journal.part(row, &path, Some(id))?;
        Ok(file)
    }

    /// Removes what was begun and had no turn.
    pub(super) fn discard_begun(&mut self, run: &str) {
        for begun in std::mem::take(&mut self.waiting.0) {
            begun.discard(run);
        }
    }
}
