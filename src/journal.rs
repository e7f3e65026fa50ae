//! The journal of a run: what it was going to do, written before the first move, and what it did, line by line.
//!
//! A text file of tab-separated lines, escaped like a stream, each beginning with a word:
//!
//! | line | columns | meaning |
//! |------|---------|---------|
//! | `mediastruct-journal` | `1`, mode, digest of the rows, name of the run | first line |
//! | `row` | the eight columns of a plan, paths absolute | a row of the plan; rows count from 0 |
//! | `start` | | all rows are written and on disk; moves may follow |
//! | `mkdir` | path | this directory is about to be made, or made again by an undo |
//! | `part` | row, path, id or `-` | the unfinished copy of a row, or the second name of one being linked, is about to be made there, or is this file; the id of a copy is on the disk before it has a name |
//! | `was` | row, mode, uid, gid, mtime | the row's file was this; its copy is not, since the filesystem there cannot keep it |
//! | `done` | row, size, mtime, id | the row's file stands at its destination, and is this |
//! | `rmdir` | path, mode, mtime, uid, gid | this emptied directory is about to be removed |
//! | `undone` | row | the row's file is back at its source |
//! | `end` | | nothing is left to do or to repair, and all names that came or went are on the disk |
//!
//! What a crash leaves is a journal without `end`, its last line perhaps cut. A line is one write, and `start` is
//! reached only when everything before it is on disk (fsync of the file and of its directory), so whatever was moved
//! is in the journal. A `done` that was lost is inferred from the file itself, which a rename leaves the same, and an
//! unfinished copy whose `part` a power failure took is known by its name, which no other run gives.

mod read;
mod room;
mod store;

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::cli::Failure;
use crate::escape;
use crate::plan::Step;
use crate::record::{COLUMNS, FileId, Record, Timestamp};
use crate::report;
use crate::stream::writer::tsv_line;

pub use read::{LeftOver, Past, RowState};
use room::Room;
pub(crate) use store::{Origin, open, open_to_look, own};
pub use store::{Store, newest_first};

/// How files of a run get to their destinations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// They leave their sources.
    #[default]
    Move,
    /// The sources stay, the destinations are copies.
    Copy,
    /// The sources stay, the destinations are hard links.
    Link,
}

impl Mode {
    const WORDS: [(Self, &'static str); 3] = [(Self::Move, "move"), (Self::Copy, "copy"), (Self::Link, "link")];

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(mode, _)| *mode == self).map_or("move", |(_, word)| word)
    }

    fn of(word: &[u8]) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| known.as_bytes() == word).map(|(mode, _)| *mode)
    }
}

/// A file as it stands at its destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Length in bytes.
    pub size: u64,
    /// Last modification.
    pub mtime: Timestamp,
    /// Which file it is.
    pub id: FileId,
}

/// What a file was besides its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Was {
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Last modification.
    pub mtime: Timestamp,
}

/// A directory that was removed, and what is needed to make it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Its absolute path.
    pub path: PathBuf,
    /// Permission bits.
    pub mode: u32,
    /// Last modification.
    pub mtime: Timestamp,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// A journal that is being written. While it lives, its file is locked against other runs.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    run: String,
    room: Room,
}

impl Journal {
    fn new(file: File, path: &Path, run: String) -> Self {
        Self { file, path: path.to_owned(), run, room: Room::default() }
    }

    /// Where it is kept.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the run, which no other run has.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Sees to it that the next `done` or `undone` can be written, which comes when a file has moved already. What comes
    /// before it does not take that room away.
    ///
    /// # Errors
    /// [`Failure::Stop`], as in all these methods, where the line cannot be written: then nothing may be moved.
    pub fn make_room(&mut self) -> Result<(), Failure> {
        self.room.make(&self.file).map_err(|error| self.failure(&error))
    }

    /// A directory is about to be made.
    ///
    /// # Errors
    /// As [`Journal::make_room`].
    pub fn mkdir(&mut self, path: &Path) -> Result<(), Failure> {
        let mut line = Entry::new("mkdir");
        line.path(path);
        self.write(line)?;
        self.make_room()
    }

    /// An unfinished copy, or second name, of row `row` is about to be made, or has been made and is the file `id`.
    ///
    /// # Errors
    /// As [`Journal::make_room`].
    pub fn part(&mut self, row: usize, path: &Path, id: Option<FileId>) -> Result<(), Failure> {
        let mut line = Entry::new("part");
        line.show(row).path(path);
        match id {
            Some(id) => line.show(id),
            None => line.show("-"),
        };
        self.write(line)?;
        self.make_room()
    }

    /// The file of row `row` was this, which its copy cannot be.
    ///
    /// # Errors
    /// As [`Journal::mkdir`].
    pub fn was(&mut self, row: usize, was: &Was) -> Result<(), Failure> {
        let mut line = Entry::new("was");
        line.show(row).show(was.mode).show(was.uid).show(was.gid).show(was.mtime);
        self.write(line)?;
        self.make_room()
    }

    /// The file of row `row` stands at its destination.
    ///
    /// # Errors
    /// As [`Journal::make_room`].
    pub fn done(&mut self, row: usize, standing: &Standing) -> Result<(), Failure> {
        let mut line = Entry::new("done");
        line.show(row).show(standing.size).show(standing.mtime).show(standing.id);
        self.write(line)
    }

    /// An emptied directory is about to be removed.
    ///
    /// # Errors
    /// As [`Journal::make_room`].
    pub fn rmdir(&mut self, removed: &Removed) -> Result<(), Failure> {
        let mut line = Entry::new("rmdir");
        line.path(&removed.path).show(removed.mode).show(removed.mtime).show(removed.uid).show(removed.gid);
        self.write(line)
    }

    /// The file of row `row` is back at its source.
    ///
    /// # Errors
    /// As [`Journal::make_room`].
    pub fn undone(&mut self, row: usize) -> Result<(), Failure> {
        let mut line = Entry::new("undone");
        line.show(row);
        self.write(line)
    }

    /// Nothing is left to do or to repair.
    ///
    /// # Errors
    /// As [`Journal::make_room`].
    pub fn end(&mut self) -> Result<(), Failure> {
        self.write(Entry::new("end"))?;
        self.sync()
    }

    /// Brings everything written so far to the disk.
    ///
    /// # Errors
    /// As [`Journal::make_room`].
    pub fn sync(&mut self) -> Result<(), Failure> {
        self.file.sync_data().map_err(|error| self.failure(&error))
    }

    fn write(&mut self, mut line: Entry) -> Result<(), Failure> {
        line.text.push(b'\n');
        self.file.write_all(&line.text).map_err(|error| self.failure(&error))?;
        self.room.take(line.text.len());
        Ok(())
    }

    fn failure(&self, error: &io::Error) -> Failure {
        failure("writing the journal", &self.path, error)
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        // What is not given back is some space that only this file can use.
        self.room.give_back(&self.file).unwrap_or(());
    }
}

fn failure(doing: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::Stop(format!("{doing}: {}: {}", report::shown(path), report::reason(error)))
}

/// One line, being put together.
struct Entry {
    text: Vec<u8>,
}

impl Entry {
    fn new(word: &str) -> Self {
        Self { text: word.as_bytes().to_vec() }
    }

    fn show(&mut self, value: impl std::fmt::Display) -> &mut Self {
        // Writing to a vector cannot fail.
        write!(self.text, "\t{value}").unwrap_or(());
        self
    }

    fn path(&mut self, path: &Path) -> &mut Self {
        use std::os::unix::ffi::OsStrExt as _;
        self.text.push(b'\t');
        escape::escape_into(path.as_os_str().as_bytes(), &mut self.text);
        self
    }
}

/// The line of a row, paths absolute, so that the journal can be used from any directory.
fn row_line(step: &Step, working_dir: &Path, line: &mut Vec<u8>) {
    let record = Record {
        path: working_dir.join(&step.source),
        hash: step.hash,
        size: step.expected.size,
        mtime: step.expected.mtime,
        id: step.expected.id,
        dest: Some(working_dir.join(&step.dest)),
        keep: step
            .keeper
            .as_ref()
            .map(|keeper| if keeper.is_elsewhere() { keeper.path.clone() } else { working_dir.join(&keeper.path) }),
        note: step.note.clone(),
    };
    line.clear();
    line.extend_from_slice(b"row\t");
    tsv_line(&record, COLUMNS.len(), line);
}
