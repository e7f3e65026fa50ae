//! Where a duplicate goes: the quarantine plus the whole path it comes from, and no two to one place.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::entry::{Entry, Mark, fingerprint, is_plainly_normal, unescaped};
use super::order;
use super::places::Spellings;
use super::read::{Reader, Rows};
use super::{Job, Options};
use crate::cli::Failure;
use crate::threads::{cut, each};
use crate::{escape, host, place};

/// Makes destinations.
#[derive(Debug)]
pub(super) struct Destinations {
    working_dir: PathBuf,
    /// The quarantine, with a slash at its end.
    prefix: Vec<u8>,
    /// The same, escaped.
    escaped: Vec<u8>,
    /// The quarantines of single hosts, with a slash at the end of each.
    of_hosts: Vec<Vec<u8>>,
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
    /// Destinations below the quarantines; paths are made absolute with `working_dir`.
    pub(super) fn new(options: &Options, working_dir: PathBuf) -> Self {
        let with_slash = |dir: &PathBuf| {
            let mut prefix = dir.as_os_str().as_bytes().to_vec();
            if !prefix.ends_with(b"/") {
                prefix.push(b'/');
            }
            prefix
        };
        let prefix = with_slash(&options.to);
        let escaped = escape::escape(&prefix).into_bytes();
        Self { working_dir, prefix, escaped, of_hosts: options.to_on.iter().map(with_slash).collect() }
    }

    /// The quarantine for files of a host: on that host, unless its path is relative. That holds where `ms-mv` runs, and
    /// the name of the host is a directory in it.
    fn there(&self, name: &str) -> Vec<u8> {
        let is_own = |prefix: &&Vec<u8>| host::split(prefix).is_some_and(|(host, _)| host == name);
        match self.of_hosts.iter().find(is_own) {
            Some(prefix) => prefix.clone(),
            None if self.prefix.starts_with(b"/") => [name.as_bytes(), b":", &self.prefix].concat(),
            None => [&self.prefix, name.as_bytes(), b"/"].concat(),
        }
    }

    /// Writes the escaped destination of an entry, whose escaped path is given, to `dest`.
    pub(super) fn write(&self, entry: &Entry, escaped: &[u8], dest: &mut Vec<u8>) {
        self.write_as(Spelling::of(entry), escaped, dest);
    }

    /// As [`Destinations::write`], of a path that is sent there in a certain spelling.
    pub(super) fn write_as(&self, spelling: Spelling, escaped: &[u8], dest: &mut Vec<u8>) {
        dest.clear();
        let is_plain = is_plainly_normal(escaped) && escaped.is_ascii() && spelling == Spelling::AsListed;
        if is_plain && host::split(escaped).is_none() {
            dest.extend_from_slice(&self.escaped);
            dest.extend_from_slice(escaped.strip_prefix(b"/").unwrap_or(escaped));
        } else {
            escape::escape_into(&self.of(spelling, &unescaped(escaped)), dest);
        }
    }

    /// The destination of a path, with nothing escaped in either.
    fn of(&self, spelling: Spelling, path: &[u8]) -> Vec<u8> {
        let (mut dest, path, working_dir) = match host::split(path) {
            Some((name, there)) => (self.there(name), there, Path::new("/")),
            None => (self.prefix.clone(), path, self.working_dir.as_path()),
        };
        if spelling == Spelling::Apart {
            // Told by the spelling alone, so that it is the same whatever else is in the plan.
            let hash = blake3::hash(path).to_hex();
            dest.extend_from_slice(format!("as-spelled-{}/", &hash[..16]).as_bytes());
        }
        let path = Path::new(OsStr::from_bytes(path));
        let whole = if spelling != Spelling::AsListed || place::climbs(path) {
            Cow::Owned(place::absolute(path, working_dir))
        } else {
            Cow::Borrowed(path)
        };
        dest.extend_from_slice(place::quarantine(Path::new(""), &whole).as_os_str().as_bytes());
        dest
    }

    /// Changes destinations until no two files are sent to one place, nor one below another.
    ///
    /// Paths that all are relative, all absolute, or all on named hosts, and do not climb, cannot meet. Otherwise one that
    /// climbs, or else one that is relative, gives way: first by its absolute path, then by a directory of its own. That
    /// is what one of another host gives way by, too.
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
            entry.tie = fingerprint(&self.of(Spelling::of(entry), &path));
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
            let dest = self.of(Spelling::of(entry), &path);
            for slash in memchr::memchr_iter(b'/', &dest) {
                let tie = fingerprint(&dest[..slash]);
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
    let mut located = Vec::new();
    for (place, entry) in meeting.iter().enumerate() {
        let path = unescaped(reader.path(entry.row())?);
        let path = Path::new(OsStr::from_bytes(&path));
        if entry.has(Mark::APART) {
        } else if place::climbs(path) {
            climbing.push(place);
        } else if host::is_located(path) {
            located.push(place);
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
    if climbing.is_empty() && relative.is_empty() {
        for place in &located {
            meeting[*place].set(Mark::APART);
        }
    }
    Ok(!climbing.is_empty() || !relative.is_empty() || !located.is_empty())
}
