//! What an index and the work of an unfinished crawl know of files, looked up where they stand.

#[cfg(test)]
pub(super) mod tests;

use std::borrow::Cow;
use std::hash::BuildHasher as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;

use super::companion::Begin;
use super::lines::{self, may_hide_a_change};
use super::seen::{Kept, Place, Seen};
use super::slots::{self, Slots};
use super::trust::{Trust, birth};
use crate::cli::Failure;
use crate::escape;
use crate::hash::Status;
use crate::host::{self, Host};
use crate::mapped::Mapping;
use crate::record::{FileId, Timestamp};
use crate::report::Reporter;
use crate::stream::line::{Layout, Line, LineReader};
use crate::stream::table::{Part, RowReader};
use crate::stream::{Faults, Row, RowRef, Table};
use crate::threads::each;

/// So many names of one file are looked at before it is looked for by its path.
const MOST_NAMES: usize = 64;

/// The rows of an index and of a companion.
#[derive(Debug)]
pub(super) struct Known {
    table: Table,
    /// Length of the index.
    len: u64,
    /// When the crawl began that the index comes from; without it, its rows prove nothing.
    start: Option<Timestamp>,
    /// When that crawl began, also where nothing is to be trusted.
    began: Option<Timestamp>,
    /// Files without a hash were told apart from all others of their size.
    told_apart: bool,
    /// Relative paths in the index hold for the crawl in hand.
    holds_here: bool,
    /// What this host is called in rows, if they name it.
    host: Option<Host>,
    /// Whether the rows of the index stand in the order of their paths.
    sorted: bool,
    log: Option<Mapping>,
    /// The crawls that the rows of the companion come from.
    begins: Vec<Begin>,
    /// How many lines the index has.
    lines: usize,
    /// At least as many as there are rows in both.
    rows: usize,
    hashing: RandomState,
    ids: Slots,
    /// Made when the first file is not found by its identity.
    paths: OnceLock<Slots>,
    /// A bit for each [`CELL`] bytes of the index: the row that begins there is to stay.
    alive: Vec<AtomicU64>,
}

/// No row with all of five columns is shorter than that, so that no two of them begin within so many bytes.
const CELL: u64 = 16;

impl Known {
    /// Looks through all rows once, with `jobs` threads.
    ///
    /// # Errors
    /// [`Failure::Stop`] where the index has malformed lines, each named.
    pub(super) fn new(
        table: Table,
        log: Option<Mapping>,
        trust: Trust,
        jobs: usize,
        reporter: &Reporter,
    ) -> Result<Self, Failure> {
        let len = table.len();
        let log_len = log.as_ref().map_or(0, |log| log.len() as u64);
        if len + log_len >= slots::MOST {
            return Err(Failure::Stop("the index is too large".into()));
        }
        let lines: usize = table.parts(jobs).iter().map(Part::count_lines).sum();
        // A mark is no row, so that not all of it is to stay.
        let lines = lines + usize::from(table.begins_with_mark());
        let logged = log.as_deref().map_or(0, |log| memchr::memchr_iter(b'\n', log).count());
        let cells = usize::try_from(len / CELL / 64 + 1).map_err(|_| Failure::Stop("the index is too large".into()))?;
        let is_of_crawl = trust.is_of_crawl;
        let mut known = Self {
            table,
            len,
            start: trust.start,
            began: trust.began,
            told_apart: trust.told_apart,
            holds_here: trust.holds_here,
            host: trust.host,
            sorted: false,
            log,
            begins: trust.begins,
            lines,
            rows: lines + logged,
            hashing: RandomState::default(),
            ids: Slots::new(lines + logged),
            paths: OnceLock::new(),
            alive: (0..cells).map(|_| AtomicU64::new(0)).collect(),
        };
        known.sorted = known.look_through(is_of_crawl, jobs, reporter)?;
        Ok(known)
    }

    /// Fills the table of identities, and tells whether the index is sorted.
    fn look_through(&self, is_of_crawl: bool, jobs: usize, reporter: &Reporter) -> Result<bool, Failure> {
        let parts = each(jobs, self.table.parts(jobs), |mut part| {
            let (mut faults, mut sorted, mut is_plan) = (Faults::new(false), true, false);
            let (mut first, mut last) = (None, Vec::new());
            while let Some((at, row)) = part.next_row() {
                match row {
                    Ok(row) => {
                        is_plan |= row.dest.is_some() || row.keep.is_some() || row.note.is_some();
                        if let Some(id) = row.id {
                            self.ids.insert(self.fingerprint_of_id(id), at.0);
                        }
                        let path = row.path_bytes();
                        sorted &= first.is_none() || *last < *path;
                        first.get_or_insert_with(|| path.to_vec());
                        last.clear();
                        last.extend_from_slice(&path);
                    }
                    Err(_) => faults.push(at),
                }
            }
            (faults, sorted, is_plan, first, last)
        });
        let mut faults = Faults::new(false);
        let (mut sorted, mut is_plan, mut before) = (true, false, Vec::new());
        for (part_faults, part_sorted, part_is_plan, first, last) in parts {
            faults.append(&part_faults);
            is_plan |= part_is_plan;
            sorted &= part_sorted && first.is_none_or(|first| before.is_empty() || before < first);
            before = last;
        }
        if faults.count() > 0 {
            // A few are enough to see what kind of file it is.
            for (place, fault) in self.table.told(&faults).take(3) {
                reporter.failed_text("reading", &place, &fault);
            }
            return Err(Failure::Stop("nothing is done: this file is no index, and is left as it is".into()));
        }
        // Rows that ms-mv wrote may have been added to an index; but what no crawl has written may be somebody's plan.
        if is_plan && !is_of_crawl {
            return Err(Failure::Stop("nothing is done: this file is a plan, no index, and is left as it is".into()));
        }
        self.each_logged(|place, row| {
            if let Some(id) = row.id {
                self.ids.insert(self.fingerprint_of_id(id), place.0);
            }
        });
        Ok(sorted)
    }

    /// Calls `with` for each row of the companion.
    pub(super) fn each_logged(&self, mut with: impl FnMut(Place, &Row<'_>)) {
        let mut reader = LogReader::new();
        for (at, record) in lines::rows(self.log.as_deref().unwrap_or_default()) {
            if let Some(row) = reader.row(record) {
                with(Place(self.len + at), &row);
            }
        }
    }

    /// What is known of the file `path`, whose status is `status`: from a row of the same path, size and time, or of the
    /// same identity, size and time. Where rows say different things, nothing is known.
    pub(super) fn find(&self, path: &Path, status: &Status, reader: &mut Reader) -> Option<Kept> {
        let (name, id) = (self.name_of(path), status.id.on(self.host));
        let mut hash = None;
        let (mut by_name, mut by_id) = (None, None);
        let mut youngest: Option<Timestamp> = None;
        for (number, at) in self.ids.places(self.fingerprint_of_id(id)).enumerate() {
            let at = Place(at);
            let Some(row) = self.row(at, reader).filter(|row| is_of(row, status) && row.id == Some(id)) else {
                continue;
            };
            let is_same_name = row.path == &*name && self.names(path, at);
            let (Some(found), Some(start)) = (row.hash, self.start_of(at, status.mtime)) else { continue };
            if hash.is_some_and(|hash| hash != found) {
                return None;
            }
            hash = Some(found);
            if is_same_name {
                // The index comes before the companion, and what stands in it can stay where it is.
                by_name.get_or_insert(at);
            } else {
                by_id = Some(at);
                youngest = youngest.max(Some(start));
            }
            if number >= MOST_NAMES && by_name.is_none() {
                break;
            }
        }
        if let Some(place) = by_name {
            return Some(Kept { hash, seen: Seen { place, verbatim: self.says_no_more(place, reader) } });
        }
        for at in self.paths().places(self.fingerprint_of_name(&name)) {
            let at = Place(at);
            let row = self.row(at, reader).filter(|row| is_of(row, status) && row.path == &*name);
            let row = row.filter(|_| self.names(path, at));
            let Some(found) = row.and_then(|row| row.hash).filter(|_| self.start_of(at, status.mtime).is_some()) else {
                continue;
            };
            if hash.is_some_and(|hash| hash != found) {
                return None;
            }
            (hash, by_name) = (Some(found), Some(at));
        }
        let by_id = by_id.filter(|_| youngest.is_some_and(|start| !was_born_since(path, start)));
        by_name.or(by_id).map(|place| Kept { hash, seen: Seen { place, verbatim: false } })
    }

    /// The row of the index that says just that this file was there, with no hash. Whether it was told apart is for
    /// [`Known::tells_apart`] to say.
    pub(super) fn find_unread(&self, path: &Path, status: &Status, reader: &mut Reader) -> Option<Kept> {
        let (name, id) = (self.name_of(path), status.id.on(self.host));
        self.ids.places(self.fingerprint_of_id(id)).map(Place).find_map(|at| {
            let row = self.row(at, reader).filter(|row| is_of(row, status) && row.id == Some(id))?;
            let is_it = self.is_in_index(at) && row.path == &*name && row.hash.is_none();
            let is_unchanged = is_it && self.start_of(at, status.mtime).is_some() && self.says_no_more(at, reader);
            is_unchanged.then_some(Kept { hash: None, seen: Seen { place: at, verbatim: true } })
        })
    }

    /// Whether an unchanged file without a hash is known to have no duplicate.
    pub(super) fn tells_apart(&self) -> bool {
        self.told_apart
    }

    /// When the crawl began that a row comes from, if a file with `mtime` cannot have changed unnoticed since.
    fn start_of(&self, at: Place, mtime: Timestamp) -> Option<Timestamp> {
        let start = if self.is_in_index(at) { self.start? } else { self.start_in_companion(at)? };
        (!may_hide_a_change(mtime, start)).then_some(start)
    }

    /// Whether the line of a row has five columns, written as [`Row`]s of an index are.
    fn says_no_more(&self, at: Place, reader: &mut Reader) -> bool {
        let Some(row) = self.row(at, reader) else { return false };
        if row.plain.is_some() {
            return true;
        }
        let mut line = Vec::new();
        crate::stream::writer::tsv_line(&row.to_record(), crate::record::INDEX_COLUMNS, &mut line);
        line == self.line(at)
    }

    /// The line of a row, with its newline.
    pub(super) fn line(&self, at: Place) -> &[u8] {
        match at.0.checked_sub(self.len) {
            None => self.table.line(RowRef(at.0)),
            Some(at) => line_at(self.log.as_deref().unwrap_or_default(), at),
        }
    }

    /// A row; `None` where it was changed meanwhile.
    pub(super) fn row<'r>(&'r self, at: Place, reader: &'r mut Reader) -> Option<Row<'r>> {
        match at.0.checked_sub(self.len) {
            None => self.table.row(RowRef(at.0), &mut reader.rows).ok(),
            Some(at) => {
                let line = line_at(self.log.as_deref().unwrap_or_default(), at);
                reader.log.row(line.strip_suffix(b"\n")?)
            }
        }
    }

    /// Calls `with` for the path of a row; for an empty one where the row was changed meanwhile, which shows later.
    pub(super) fn path<R>(&self, at: Place, reader: &mut Reader, with: impl FnOnce(&[u8]) -> R) -> R {
        match self.row(at, reader) {
            Some(row) => with(&row.path_bytes()),
            None => with(b""),
        }
    }

    /// From now on the companion is read as it is in `log`, to which only lines were added.
    pub(super) fn read_again(&mut self, log: Option<Mapping>) {
        self.log = log;
    }

    fn paths(&self) -> &Slots {
        self.paths.get_or_init(|| {
            let slots = Slots::new(self.rows);
            for mut part in self.table.parts(1) {
                while let Some((at, row)) = part.next_row() {
                    if let Ok(row) = row {
                        slots.insert(self.fingerprint_of_name(row.path), at.0);
                    }
                }
            }
            self.each_logged(|place, row| slots.insert(self.fingerprint_of_name(row.path), place.0));
            slots
        })
    }

    fn fingerprint_of_id(&self, id: FileId) -> u64 {
        self.hashing.hash_one(id)
    }

    fn fingerprint_of_name(&self, escaped: &[u8]) -> u64 {
        self.hashing.hash_one(escaped)
    }

    /// How a row spells a path of this host.
    fn name_of<'p>(&self, path: &'p Path) -> Cow<'p, [u8]> {
        match self.host {
            None => escaped(path),
            Some(host) => Cow::Owned(escaped(&host.locate(path)).into_owned()),
        }
    }

    /// The path on this host that stands in a row, with nothing escaped in it; `None` where it is on another.
    pub(super) fn path_here<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        match (self.host, host::split(path)) {
            (None, None) => Some(path),
            (Some(host), Some((name, there))) if name == host.name() => Some(there),
            _ => None,
        }
    }

    /// A row of the index is to stay.
    pub(super) fn keep_alive(&self, at: Place) {
        let cell = at.0 / CELL;
        if let Some(word) = usize::try_from(cell / 64).ok().and_then(|word| self.alive.get(word)) {
            word.fetch_or(1 << (cell % 64), Ordering::Relaxed);
        }
    }

    /// Whether [`Known::keep_alive`] was told of a row.
    pub(super) fn is_alive(&self, at: Place, row: &Row<'_>) -> bool {
        let cell = at.0 / CELL;
        let word = usize::try_from(cell / 64).ok().and_then(|word| self.alive.get(word));
        // Shorter rows, which lack some columns, may share a cell.
        row.mtime.is_some()
            && row.id.is_some()
            && word.is_some_and(|word| word.load(Ordering::Relaxed) & 1 << (cell % 64) != 0)
    }

    /// Whether every line of the index is a row that is to stay.
    pub(super) fn is_all_alive(&self) -> bool {
        let alive: usize = self.alive.iter().map(|word| word.load(Ordering::Relaxed).count_ones() as usize).sum();
        alive == self.lines
    }

    /// Calls `with` for each row of the index.
    pub(super) fn each_in_index(&self, mut with: impl FnMut(Place, &Row<'_>)) {
        for mut part in self.table.parts(1) {
            while let Some((at, row)) = part.next_row() {
                if let Ok(row) = row {
                    with(Place::in_index(at), &row);
                }
            }
        }
    }

    /// Whether a file with this time could not have changed unnoticed when the index was made.
    pub(super) fn was_settled(&self, mtime: Timestamp) -> bool {
        self.began.is_some_and(|start| !may_hide_a_change(mtime, start))
    }

    /// When the crawl began that the index comes from, if it is to be trusted.
    pub(super) fn start_of_index(&self) -> Option<Timestamp> {
        self.start
    }

    /// Whether `path`, if it stands in a row, is the same file there.
    fn names(&self, path: &Path, at: Place) -> bool {
        path.is_absolute() || self.holds_here(at)
    }

    /// Whether relative paths in a row hold for the crawl in hand.
    pub(super) fn holds_here(&self, at: Place) -> bool {
        if self.is_in_index(at) { self.holds_here } else { self.begin_of(at).is_some_and(|begin| begin.holds_here) }
    }

    fn begin_of(&self, at: Place) -> Option<&Begin> {
        let at = at.0.checked_sub(self.len)?;
        let begin = self.begins.partition_point(|begin| begin.at <= at).checked_sub(1)?;
        self.begins.get(begin)
    }

    /// When the crawl began that a row of the companion comes from, if it is to be trusted.
    pub(super) fn start_in_companion(&self, at: Place) -> Option<Timestamp> {
        self.begin_of(at).filter(|begin| begin.trusted).map(|begin| begin.start)
    }

    /// The place of a row by its offset in the companion.
    pub(super) fn place_in_companion(&self, offset: u64) -> Place {
        Place(self.len + offset)
    }

    pub(super) fn is_in_index(&self, at: Place) -> bool {
        at.0 < self.len
    }

    pub(super) fn is_sorted(&self) -> bool {
        self.sorted
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }
}

/// What a thread needs to look at rows.
#[derive(Debug)]
pub(crate) struct Reader {
    rows: RowReader,
    log: LogReader,
}

impl Reader {
    pub(crate) fn new() -> Self {
        Self { rows: RowReader::default(), log: LogReader::new() }
    }
}

/// Reads records of a companion.
#[derive(Debug)]
pub(super) struct LogReader(Option<LineReader>);

impl LogReader {
    pub(super) fn new() -> Self {
        // Any record without a header tells the order of the columns.
        Self(Layout::detect(b"-\t-\t0").ok().map(LineReader::new))
    }

    pub(super) fn row<'r>(&'r mut self, record: &'r [u8]) -> Option<Row<'r>> {
        match self.0.as_mut()?.read(record) {
            Ok(Line::Row(row)) => Some(row),
            _ => None,
        }
    }
}

/// From a place to the end of its line, newline included.
pub(super) fn line_at(bytes: &[u8], at: u64) -> &[u8] {
    let rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
    &rest[..memchr::memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1)]
}

fn is_of(row: &Row<'_>, status: &Status) -> bool {
    row.size == status.size && row.mtime == Some(status.mtime)
}

fn escaped(path: &Path) -> Cow<'_, [u8]> {
    let bytes = path.as_os_str().as_bytes();
    // As in most paths, nothing is to be escaped.
    if bytes.iter().all(|byte| matches!(byte, b' '..=b'[' | b']'..=b'~')) {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned(escape::escape(bytes).into_bytes())
}

/// Whether a file is younger than a crawl, so that another file must have had its number then. Filesystems that tell no
/// birth time leave that open.
fn was_born_since(path: &Path, start: Timestamp) -> bool {
    birth(path).is_some_and(|birth| birth > start)
}
