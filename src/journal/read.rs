//! Reading a journal back: what was planned, and how far it got.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::{Mode, Removed, Standing, Was};
use crate::escape;
use crate::mapped::Mapping;
use crate::record::{FileId, Record, Timestamp, decimal};
use crate::stream::line::{Layout, Line, LineReader};

/// How far one row got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowState {
    /// As far as the journal knows, not at all; a crash may have kept it from being told.
    Open,
    /// The file stands at its destination and was this when it got there.
    Done(Standing),
    /// It was put back.
    Undone,
}

/// What a crash may have left of a row: an unfinished copy, or a second name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOver {
    /// Where it would be.
    pub path: PathBuf,
    /// Which file it is; `None` if the crash came before that was known, so that at most an empty file can be there.
    pub id: Option<FileId>,
}

impl LeftOver {
    /// Whether a file can be the one that was left.
    #[must_use]
    pub fn is(&self, id: FileId, size: u64) -> bool {
        self.id.map_or(size == 0, |known| known == id)
    }
}

/// What a journal tells.
#[derive(Debug)]
pub struct Past {
    mode: Mode,
    run: String,
    rows: usize,
    /// The file itself and where its rows begin; absent for a run that is just beginning.
    text: Option<(Mapping, Vec<usize>)>,
    /// Per row: where in the text its last `done` or `undone` line begins, or 0.
    states: Vec<usize>,
    /// The last `part` of each row that has not been done or undone since.
    parts: HashMap<usize, LeftOver>,
    /// Where in the text it stands what a row's file was, if its copy cannot be that.
    were: HashMap<usize, usize>,
    made: Vec<PathBuf>,
    removed: Vec<Removed>,
    ended: bool,
    settled: bool,
    length: u64,
}

impl Past {
    pub(super) fn fresh(mode: Mode, run: String, rows: usize) -> Self {
        Self {
            mode,
            run,
            rows,
            text: None,
            states: Vec::new(),
            parts: HashMap::new(),
            were: HashMap::new(),
            made: Vec::new(),
            removed: Vec::new(),
            ended: false,
            settled: false,
            length: 0,
        }
    }

    /// Reads a journal.
    ///
    /// # Errors
    /// What reading gives; `InvalidData` for a file that is no journal, `UnexpectedEof` for one that was cut off before
    /// anything was moved.
    pub fn read(file: &File) -> io::Result<Self> {
        let len = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        if len == 0 {
            return Err(never_begun());
        }
        let text = Mapping::new(file, 0, len)?;
        let whole = memchr::memrchr(b'\n', &text).map_or(0, |newline| newline + 1);
        let mut lines = Lines { text: &text[..whole], at: 0 };
        let (_, first) = lines.next().ok_or_else(never_begun)?;
        let mut past = first_line(first).ok_or_else(not_a_journal)?;
        past.length = whole as u64;
        let rows = read_rows(&mut lines)?;
        past.states = vec![0; rows.len()];
        past.rows = rows.len();
        for (at, line) in lines {
            past.note(at, line).ok_or_else(|| damaged(&text, at))?;
        }
        past.text = Some((text, rows));
        Ok(past)
    }

    /// The digest of the plan in a journal whose run did not end; a quick look at both ends of the file.
    pub(super) fn digest_if_unfinished(path: &Path) -> Option<String> {
        let mut file = File::open(path).ok()?;
        let mut start = [0; 256];
        let read = file.read(&mut start).ok()?;
        let line = start[..read].split(|byte| *byte == b'\n').next()?;
        let digest = line.split(|byte| *byte == b'\t').nth(3)?;
        let mut end = Vec::new();
        let length = file.seek(SeekFrom::End(0)).ok()?;
        file.seek(SeekFrom::Start(length.saturating_sub(5))).ok()?;
        file.read_to_end(&mut end).ok()?;
        if end == b"\nend\n" { None } else { String::from_utf8(digest.to_vec()).ok() }
    }

    /// How the files of this run got to their destinations.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The name of the run.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// How many rows the plan has.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether nothing was begun since the run, or its undoing, came to an end.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.settled
    }

    /// Whether the run came to its end, whatever was undone since.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Directories that the run made, in order.
    #[must_use]
    pub fn made(&self) -> &[PathBuf] {
        &self.made
    }

    /// Directories that the run removed, in order.
    #[must_use]
    pub fn removed(&self) -> &[Removed] {
        &self.removed
    }

    /// What a crash may have left of a row.
    #[must_use]
    pub fn left_over(&self, row: usize) -> Option<&LeftOver> {
        self.parts.get(&row)
    }

    /// Whether a crash may have left anything of any row.
    #[must_use]
    pub fn has_left_overs(&self) -> bool {
        !self.parts.is_empty()
    }

    /// What the file of a row was, if its copy cannot be that.
    #[must_use]
    pub fn was(&self, row: usize) -> Option<Was> {
        let (text, _) = self.text.as_ref()?;
        let line = &text[*self.were.get(&row)?..];
        was(&mut line[..memchr::memchr(b'\n', line)?].split(|byte| *byte == b'\t').skip(2))
    }

    /// Whether this run was begun by an earlier process.
    #[must_use]
    pub fn is_taken_up(&self) -> bool {
        self.text.is_some()
    }

    /// How far a row got.
    #[must_use]
    pub fn state(&self, row: usize) -> RowState {
        let at = self.states.get(row).copied().unwrap_or(0);
        match self.text.as_ref().filter(|_| at > 0) {
            Some((text, _)) => state_in(&text[at..]).unwrap_or(RowState::Open),
            None => RowState::Open,
        }
    }

    /// The record of a row, its paths absolute.
    #[must_use]
    pub fn record(&self, row: usize) -> Option<Record> {
        let (text, rows) = self.text.as_ref()?;
        let at = *rows.get(row)?;
        let line = &text[at..][..memchr::memchr(b'\n', &text[at..])?];
        record_in(line)
    }

    /// Where whole lines end.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    fn note(&mut self, at: usize, line: &[u8]) -> Option<()> {
        let mut fields = line.split(|byte| *byte == b'\t');
        match fields.next()? {
            b"mkdir" => self.made.push(path(fields.next()?)?),
            b"part" => {
                let row = row_number(fields.next()?, self.rows_known())?;
                let path = path(fields.next()?)?;
                let id = match fields.next()? {
                    b"-" => None,
                    id => Some(FileId::parse(id)?),
                };
                self.parts.insert(row, LeftOver { path, id });
            }
            b"done" | b"undone" => {
                let row = row_number(fields.next()?, self.rows_known())?;
                self.states[row] = at;
                self.parts.remove(&row);
            }
            b"was" => {
                let row = row_number(fields.next()?, self.rows_known())?;
                was(&mut fields)?;
                self.were.insert(row, at);
            }
            b"rmdir" => self.removed.push(removed(&mut fields)?),
            b"end" => {}
            _ => return None,
        }
        // What follows an end is an undoing; the run itself stays ended.
        self.settled = line == b"end";
        self.ended |= self.settled;
        Some(())
    }

    fn rows_known(&self) -> usize {
        self.states.len()
    }
}

/// All rows up to `start`, without which nothing was moved.
fn read_rows(lines: &mut Lines<'_>) -> io::Result<Vec<usize>> {
    let mut rows = Vec::new();
    for (at, line) in lines {
        if line == b"start" {
            return Ok(rows);
        }
        rows.push(if line.starts_with(b"row\t") { at } else { return Err(not_a_journal()) });
    }
    Err(never_begun())
}

fn never_begun() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "its run was cut off before anything was moved")
}

fn not_a_journal() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is not a journal of ms-mv")
}

fn damaged(text: &[u8], at: usize) -> io::Error {
    let line = memchr::memchr_iter(b'\n', &text[..at]).count() + 1;
    io::Error::new(io::ErrorKind::InvalidData, format!("line {line} is no line of a journal"))
}

fn first_line(line: &[u8]) -> Option<Past> {
    let mut fields = line.split(|byte| *byte == b'\t');
    if (fields.next()?, fields.next()?) != (b"mediastruct-journal", b"1") {
        return None;
    }
    let mode = Mode::of(fields.next()?)?;
    let run = fields.nth(1)?;
    Some(Past::fresh(mode, String::from_utf8(run.to_vec()).ok()?, 0))
}

fn state_in(text: &[u8]) -> Option<RowState> {
    let line = &text[..memchr::memchr(b'\n', text)?];
    let mut fields = line.split(|byte| *byte == b'\t');
    if fields.next()? == b"undone" {
        return Some(RowState::Undone);
    }
    let size = decimal(fields.nth(1)?)?;
    Some(RowState::Done(Standing {
        size,
        mtime: Timestamp::parse(fields.next()?)?,
        id: FileId::parse(fields.next()?)?,
    }))
}

fn record_in(line: &[u8]) -> Option<Record> {
    let line = line.strip_prefix(b"row\t")?;
    let mut reader = LineReader::new(Layout::detect(b"\t").ok()?);
    match reader.read(line) {
        Ok(Line::Row(row)) => Some(row.to_record()),
        _ => None,
    }
}

fn was<'a>(fields: &mut impl Iterator<Item = &'a [u8]>) -> Option<Was> {
    let mut number = || u32::try_from(decimal(fields.next()?)?).ok();
    let (mode, uid, gid) = (number()?, number()?, number()?);
    Some(Was { mode, uid, gid, mtime: Timestamp::parse(fields.next()?)? })
}

fn removed<'a>(fields: &mut impl Iterator<Item = &'a [u8]>) -> Option<Removed> {
    let path = path(fields.next()?)?;
    let mode = u32::try_from(decimal(fields.next()?)?).ok()?;
    let mtime = Timestamp::parse(fields.next()?)?;
    let uid = u32::try_from(decimal(fields.next()?)?).ok()?;
    let gid = u32::try_from(decimal(fields.next()?)?).ok()?;
    Some(Removed { path, mode, mtime, uid, gid })
}

fn path(text: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    escape::unescape(text).ok().map(|bytes| PathBuf::from(std::ffi::OsString::from_vec(bytes.into_owned())))
}

fn row_number(text: &[u8], rows: usize) -> Option<usize> {
    decimal(text).and_then(|number| usize::try_from(number).ok()).filter(|number| *number < rows)
}

/// Whole lines with their places.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.get(self.at..)?;
        let end = memchr::memchr(b'\n', rest)?;
        let at = self.at;
        self.at += end + 1;
        Some((at, &rest[..end]))
    }
}
