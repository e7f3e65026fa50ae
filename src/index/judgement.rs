//! What has become of the rows of an index that are not as they were.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::account::Coverage;
use super::companion::Begin;
use super::known::{Known, Reader};
use super::lines;
use super::seen::Place;
use super::vanished::{Fate, Vanished};
use crate::record::{ContentHash, Timestamp};
use crate::stream::Row;

/// What has become of them.
#[derive(Debug)]
pub(super) struct Judgement {
    /// Lines of the next companion: rows of what could not be looked at.
    pub(super) kept: Vec<u8>,
    /// How many rows of the index have no place in the new one.
    pub(super) gone: u64,
    /// Files of the same size and time, but of another content, and what their hash was.
    pub(super) altered: Vec<(PathBuf, ContentHash)>,
    /// A directory from which a filesystem is missing.
    pub(super) unmounted: Option<PathBuf>,
}

/// Judges all rows, after a crawl that found the rows at `places`, in the order of their paths, beside those that stay.
pub(super) fn judge(known: &Known, coverage: &Coverage, places: &[Place], mut vanished: Vanished<'_>) -> Judgement {
    let mut kept = Remembered { coverage, lines: Vec::new(), start: None };
    let (mut gone, mut altered) = (0, Vec::new());
    let mut reader = Reader::new();
    let find = |path: &[u8], reader: &mut Reader| {
        let found = places.binary_search_by(|place| known.path(*place, reader, |other| other.cmp(path)));
        found.ok().map(|found| places[found])
    };
    known.each_in_index(|at, row| {
        if known.is_alive(at, row) {
            vanished.found(row.id, row.id);
            return;
        }
        let path = row.path_bytes();
        if let Some(found) = find(&path, &mut reader) {
            let new = known.row(found, &mut reader);
            vanished.found(row.id, new.and_then(|new| new.id));
            if let Some(hash) = row.hash.filter(|_| new.is_some_and(|new| is_altered(known, row, &new))) {
                altered.push((as_path(&path).to_path_buf(), hash));
            }
            return;
        }
        gone += 1;
        // On another host, and where a relative path does not hold, nobody has looked.
        let here = known.path_here(&path).filter(|here| here.starts_with(b"/") || known.holds_here(at));
        if here.is_some_and(|here| vanished.lost(as_path(here), row.id, row.size) == Fate::OutOfReach) {
            kept.add(known.start_of_index(), known.line(at), row.hash);
        }
    });
    let unmounted = vanished.unmounted().map(Path::to_path_buf);
    if vanished.any_failed() {
        let used: HashSet<Place> = places.iter().copied().collect();
        known.each_logged(|at, row| {
            let path = row.path_bytes();
            let here = known.path_here(&path).filter(|here| here.starts_with(b"/") || known.holds_here(at));
            let lost = here.filter(|_| !used.contains(&at) && find(&path, &mut reader).is_none());
            if lost.is_some_and(|lost| vanished.lost(as_path(lost), row.id, row.size) == Fate::OutOfReach) {
                kept.add(known.start_in_companion(at), known.line(at), row.hash);
            }
        });
    }
    Judgement { kept: kept.lines, gone, altered, unmounted }
}

/// Whether the content of a file is another though its size and time are not, and the tick of no clock explains that.
fn is_altered(known: &Known, old: &Row<'_>, new: &Row<'_>) -> bool {
    let is_same_file = old.id.is_some() && old.id == new.id && old.size == new.size && old.mtime == new.mtime;
    let is_other_content = old.hash.is_some() && new.hash.is_some() && old.hash != new.hash;
    is_same_file && is_other_content && old.mtime.is_some_and(|mtime| known.was_settled(mtime))
}

/// Rows that a crawl could not look at, as lines of the next companion.
#[derive(Debug)]
struct Remembered<'a> {
    coverage: &'a Coverage,
    lines: Vec<u8>,
    start: Option<Timestamp>,
}

impl Remembered<'_> {
    fn add(&mut self, start: Option<Timestamp>, line: &[u8], hash: Option<ContentHash>) {
        let (Some(start), Some(_)) = (start, hash) else { return };
        if self.start != Some(start) {
            self.start = Some(start);
            self.lines.extend(Begin::now(start, false, self.coverage).to_line());
        }
        lines::push_row(&mut self.lines, line);
    }
}

fn as_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}
