//! Where a duplicate goes: the quarantine plus the whole path it comes from, and no two to one place.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::Job;
use super::entry::{Entry, Mark, fingerprint, is_plainly_normal, unescaped};
use super::order;
use super::places::Spellings;
use super::read::{Reader, Rows};
use crate::cli::Failure;
use crate::threads::{cut, each};
use crate::{escape, place};

/// Makes destinations.
#[derive(Debug)]
pub(super) struct Destinations {
    working_dir: PathBuf,
    /// The quarantine, escaped, with a slash at its end.
    prefix: Vec<u8>,
}

/// How the path of a file is spelled below the quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As it is listed, unless it climbs.
    AsListed,
    /// Made absolute.
    Absolute,
    /// In a directory of its own.
    Apart,
}

impl Spelling {
    fn of(entry: &Entry) -> Self {
        match (entry.has(Mark::APART), entry.has(Mark::ABSOLUTE)) {
            (true, _) => Self::Apart,
            (false, true) => Self::Absolute,
            (false, false) => Self::AsListed,
        }
    }
}

impl Destinations {
    /// Destinations below `to`; paths are made absolute with `working_dir`.
    pub(super) fn new(to: &Path, working_dir: PathBuf) -> Self {
        let mut prefix = Vec::new();
        escape::escape_into(to.as_os_str().as_bytes(), &mut prefix);
        if !prefix.ends_with(b"/") {
            prefix.push(b'/');
        }
        Self { working_dir, prefix }
    }

    /// Writes the escaped destination of an entry, whose escaped path is given, to `dest`.
    pub(super) fn write(&self, entry: &Entry, escaped: &[u8], dest: &mut Vec<u8>) {
        self.write_as(Spelling::of(entry), escaped, dest);
    }

    /// As [`Destinations::write`], of a path that is sent there in a certain spelling.
    pub(super) fn write_as(&self, spelling: Spelling, escaped: &[u8], dest: &mut Vec<u8>) {
        dest.clear();
        dest.extend_from_slice(&self.prefix);
        if is_plainly_normal(escaped) && escaped.is_ascii() && spelling == Spelling::AsListed {
            dest.extend_from_slice(escaped.strip_prefix(b"/").unwrap_or(escaped));
        } else {
            escape::escape_into(&self.below(spelling, &unescaped(escaped)), dest);
        }
    }

    /// The path below the quarantine, from the bytes of a path.
    fn below(&self, spelling: Spelling, path: &[u8]) -> Vec<u8> {
        let path = Path::new(OsStr::from_bytes(path));
        let whole = if spelling != Spelling::AsListed || place::climbs(path) {
            Cow::Owned(place::absolute(path, &self.working_dir))
        } else {
            Cow::Borrowed(path)
        };
        let mut below = Vec::new();
        if spelling == Spelling::Apart {
            // Told by the spelling alone, so that it is the same whatever else is in the plan.
            let spelling = blake3::hash(path.as_os_str().as_bytes()).to_hex();
            below.extend_from_slice(format!("as-spelled-{}/", &spelling[..16]).as_bytes());
        }
        below.extend_from_slice(place::quarantine(Path::new(""), &whole).as_os_str().as_bytes());
        below
    }

    /// Changes destinations until no two files are sent to one place, nor one below another.
    ///
    /// Paths that all are relative, or all absolute, and do not climb, cannot meet. Otherwise one that climbs, or
    /// else one that is relative, gives way: first by its absolute path, then by a directory of its own.
    ///
    /// # Errors
    /// When a stream was changed meanwhile.
    pub(super) fn keep_apart(&self, entries: &mut [Entry], spellings: Spellings, job: &Job<'_>) -> Result<(), Failure> {
        if !spellings.can_meet() {
            return Ok(());
        }
        order::by_key(entries, job.jobs, |entry| !entry.has(Mark::GOES));
        let going = entries.partition_point(|entry| entry.has(Mark::GOES));
        let entries = &mut entries[..going];
        // Every round but the last moves an entry on, which can happen to each only twice.
        while self.find_meetings(entries, job)? {}
        Ok(())
    }

    /// One round: whether anything had to give way.
    fn find_meetings(&self, entries: &mut [Entry], job: &Job<'_>) -> Result<bool, Failure> {
        let pieces = cut(entries, job.jobs * 4, |_, _| false);
        for piece in each(job.jobs, pieces, |piece| self.fill(piece, Rows(job.table))) {
            piece?;
        }
        order::by_key(entries, job.jobs, |entry| (entry.tie, entry.row()));
        let above = self.places_above_others(entries, job)?;
        let mut reader = Rows(job.table).reader();
        let mut moved = false;
        for meeting in entries.chunk_by_mut(|one, other| one.tie == other.tie) {
            if meeting.len() > 1 || above.contains(&meeting[0].tie) {
                moved |= give_way(meeting, &mut reader)?;
            }
        }
        Ok(moved)
    }

    /// Sets `tie` to the destination. Two that meet there by chance alone are kept apart all the same.
    fn fill(&self, piece: &mut [Entry], rows: Rows<'_>) -> Result<(), Failure> {
        let mut reader = rows.reader();
        for entry in piece {
            let path = unescaped(reader.path(entry.row())?);
            entry.tie = fingerprint(&self.below(Spelling::of(entry), &path));
        }
        Ok(())
    }

    /// The destinations of files that others need as directories.
    fn places_above_others(&self, entries: &mut [Entry], job: &Job<'_>) -> Result<HashSet<u64>, Failure> {
        let entries = &*entries;
        let mut above = HashSet::new();
        for piece in each(job.jobs, entries.chunks(1 << 14).collect(), |piece| self.above(piece, entries, job)) {
            above.extend(piece?);
        }
        Ok(above)
    }

    fn above(&self, piece: &[Entry], all: &[Entry], job: &Job<'_>) -> Result<Vec<u64>, Failure> {
        let mut reader = Rows(job.table).reader();
        let mut above = Vec::new();
        for entry in piece {
            let path = unescaped(reader.path(entry.row())?);
            let below = self.below(Spelling::of(entry), &path);
            for slash in memchr::memchr_iter(b'/', &below) {
                let tie = fingerprint(&below[..slash]);
                if all.binary_search_by_key(&tie, |entry| entry.tie).is_ok() {
                    above.push(tie);
                }
            }
        }
        Ok(above)
    }
}

/// Moves on what has to give way among entries of one destination.
fn give_way(meeting: &mut [Entry], reader: &mut Reader<'_>) -> Result<bool, Failure> {
    let mut climbing = Vec::new();
    let mut relative = Vec::new();
    for (place, entry) in meeting.iter().enumerate() {
        let path = unescaped(reader.path(entry.row())?);
        let path = Path::new(OsStr::from_bytes(&path));
        if entry.has(Mark::APART) {
        } else if place::climbs(path) {
            climbing.push(place);
        } else if path.is_relative() {
            relative.push(place);
        }
    }
    for place in &climbing {
        meeting[*place].set(Mark::APART);
    }
    if climbing.is_empty() {
        for place in &relative {
            let entry = &mut meeting[*place];
            entry.set(if entry.has(Mark::ABSOLUTE) { Mark::APART } else { Mark::ABSOLUTE });
        }
    }
    Ok(!climbing.is_empty() || !relative.is_empty())
}
