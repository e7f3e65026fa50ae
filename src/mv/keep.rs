//! The copy that stays: another file, there, and unchanged, before a duplicate moves and after.

use std::fs::File;
use std::io;
use std::path::Path;

use super::copy::{open_to_read, read_some};
use super::dirs::{Dirs, Entry};
use super::facts::{Difference, Facts};
use super::trouble::Trouble;
use crate::interrupt::Interrupt;
use crate::plan::{Expected, Keeper};

/// A keeper that was found to be what it must be.
#[derive(Debug)]
pub(super) struct Kept {
    entry: Entry,
    facts: Facts,
}

const CHECKING: &str = "checking the copy that stays";

impl Kept {
    /// Finds the keeper of `source` and checks it. Its content is read and compared if `by_content`, or if the plan does not
    /// tell by its modification time whether it is unchanged.
    pub(super) fn find(
        keeper: &Keeper,
        source: (&Entry, &Facts),
        by_content: bool,
        dirs: &mut Dirs,
        interrupt: &Interrupt,
    ) -> Result<Self, Trouble> {
        let refused = |reason: &dyn std::fmt::Display| Trouble::refused(CHECKING, &keeper.path, reason);
        let entry = dirs.entry(&keeper.path).map_err(|error| Trouble::io(CHECKING, &keeper.path, error))?;
        let facts = Facts::of(&entry.dir, &entry.name).map_err(|error| Trouble::io(CHECKING, &keeper.path, error))?;
        let facts = facts.ok_or_else(|| refused(&"it is not there any more"))?;
        if facts.id == source.1.id {
            return Err(refused(&"it is the same file as the one to be moved"));
        }
        let expected = Expected { size: source.1.size, mtime: keeper.mtime, id: keeper.id };
        let difference = facts.difference(&expected);
        // Where ids do not last, the content tells.
        let is_unsure = difference == Some(Difference::Id) && facts.has_passing_id(&expected, &entry.dir);
        if let Some(difference) = difference.filter(|_| !is_unsure) {
            return Err(refused(&difference));
        }
        if (by_content || keeper.mtime.is_none() || is_unsure) && !same_content(source.0, &entry, interrupt)? {
            return Err(refused(&format!("its content is not that of {}", crate::report::shown(&source.0.path))));
        }
        Ok(Self { entry, facts })
    }

    /// Whether it is still there, and untouched. Looks the path up anew.
    pub(super) fn still_stands(&self, dirs: &mut Dirs) -> io::Result<bool> {
        let entry = dirs.entry(&self.entry.path)?;
        let now = Facts::of(&entry.dir, &entry.name)?;
        Ok(now.is_some_and(|now| now.is_untouched_since(&self.facts)))
    }
}

/// Compares two files byte by byte.
pub(super) fn same_content(one: &Entry, other: &Entry, interrupt: &Interrupt) -> Result<bool, Trouble> {
    let open = |entry: &Entry| {
        open_to_read(&entry.dir, &entry.name).map_err(|error| Trouble::io("reading", &entry.path, error))
    };
    same_as(open(one)?, &one.path, other, interrupt)
}

/// Compares an open file, which people know by `path`, with another one.
pub(super) fn same_as(mut first: File, path: &Path, other: &Entry, interrupt: &Interrupt) -> Result<bool, Trouble> {
    let failed = |error| Trouble::io("reading", &other.path, error);
    let mut second = open_to_read(&other.dir, &other.name).map_err(failed)?;
    let mut buffers = (vec![0; CHUNK], vec![0; CHUNK]);
    loop {
        if interrupt.came() {
            return Err(Trouble::Interrupted);
        }
        let read = fill(&mut first, &mut buffers.0).map_err(|error| Trouble::io("reading", path, error))?;
        let also = fill(&mut second, &mut buffers.1).map_err(failed)?;
        if buffers.0[..read] != buffers.1[..also] {
            return Ok(false);
        }
        if read == 0 {
            return Ok(true);
        }
    }
}

/// Whether all of `part` is the beginning of `whole`.
pub(super) fn begins_with(whole: &Entry, part: &Entry, interrupt: &Interrupt) -> Result<bool, Trouble> {
    let open = |entry: &Entry| {
        open_to_read(&entry.dir, &entry.name).map_err(|error| Trouble::io("reading", &entry.path, error))
    };
    let (mut first, mut second) = (open(whole)?, open(part)?);
    let mut buffers = (vec![0; CHUNK], vec![0; CHUNK]);
    loop {
        if interrupt.came() {
            return Err(Trouble::Interrupted);
        }
        let read = fill(&mut first, &mut buffers.0).map_err(|error| Trouble::io("reading", &whole.path, error))?;
        let also = fill(&mut second, &mut buffers.1).map_err(|error| Trouble::io("reading", &part.path, error))?;
        if also > read || buffers.0[..also] != buffers.1[..also] {
            return Ok(false);
        }
        if also < CHUNK {
            return Ok(true);
        }
    }
}

/// Compares in steps of this many bytes.
const CHUNK: usize = 1 << 18;

/// Reads until the buffer is full or the file ends, so that two files stay in step.
fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read_some(file, &mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}
