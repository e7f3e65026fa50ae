//! Reading the streams: once from end to end, and then row by row.

use super::entry::{Entry, Mark, path_tie, unescaped};
use super::places::Spellings;
use super::shard::Shard;
use super::sieve::Sieve;
use super::{Job, Mode};
use crate::cli::Failure;
use crate::escape;
use crate::place::MARKER;
use crate::progress::Progress;
use crate::stream::table::{Part, RowReader};
use crate::stream::{Fault, Faults, Row, RowRef, Table};
use crate::threads::{each, retain};
use crate::verify::Reason;

/// The rows of the streams, by their places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a>(pub(super) &'a Table);

impl<'a> Rows<'a> {
    /// Announces that some rows are about to be read, at most about [`BATCH`] of them.
    pub(super) fn warm(self, rows: impl Iterator<Item = RowRef>) {
        // Most rows are shorter than this.
        self.0.warm(rows, 192);
    }

    /// As [`Rows::warm`], where only paths are to be read.
    pub(super) fn warm_paths(self, entries: &[Entry]) {
        self.0.warm(entries.iter().map(Entry::row), 128);
    }

    /// What one thread needs to read rows.
    pub(super) fn reader(self) -> Reader<'a> {
        Reader { table: self.0, rows: RowReader::default() }
    }
}

/// So many rows are asked for at once before they are read.
pub(super) const BATCH: usize = 32;

/// Reads rows that were read before.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    table: &'a Table,
    rows: RowReader,
}

impl Reader<'_> {
    /// The row at a place.
    ///
    /// # Errors
    /// When the stream was changed meanwhile.
    pub(super) fn row(&mut self, at: RowRef) -> Result<Row<'_>, Failure> {
        let table = self.table;
        table.row(at, &mut self.rows).map_err(|fault| changed(table, at, &fault))
    }

    /// The escaped path of the row at a place.
    ///
    /// # Errors
    /// When the stream was changed meanwhile.
    pub(super) fn path(&mut self, at: RowRef) -> Result<&[u8], Failure> {
        let table = self.table;
        table.path(at, &mut self.rows).map_err(|fault| changed(table, at, &fault))
    }
}

fn changed(table: &Table, at: RowRef, fault: &Fault) -> Failure {
    Failure::Stop(format!("reading: {}: it was changed while it was read: {fault}", table.describe(at)))
}

/// What the streams hold.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// What may have to be compared, in the order of the streams: all records that share their path or, unless every
    /// content is to be printed, their content, and few others.
    pub(super) entries: Vec<Entry>,
    /// How many records there are, those that need no comparing included.
    pub(super) records: u64,
    /// Records of files that protect the directory they stand in.
    pub(super) markers: Vec<RowRef>,
    pub(super) faults: Faults,
    /// In which ways all paths are spelled, where only a shard of the records is in `entries`.
    pub(super) spellings: Spellings,
    /// Records that `ms-verify --failed` has let fall: their files are not what they say.
    pub(super) disproved: u64,
}

/// Reads every row once, or twice for a shard. The lines are counted first, so that no memory is asked for that is not
/// used.
pub(super) fn read(job: &Job<'_>, progress: &Progress) -> Contents {
    if let Some(shard) = job.options.shard {
        return read_shard(shard, job, progress);
    }
    progress.expect_bytes(job.table.len());
    let parts = job.table.parts(job.jobs * 8);
    let counts = each(job.jobs, parts.iter().collect(), |part: &Part<'_>| part.count_lines());
    let lines = counts.iter().sum();
    let mut entries = vec![Entry::NOTHING; lines];
    let mut rest = entries.as_mut_slice();
    let mut pieces = Vec::new();
    for (part, count) in parts.into_iter().zip(counts) {
        let (piece, after) = rest.split_at_mut(count.min(rest.len()));
        pieces.push((part, piece));
        rest = after;
    }
    let sieves = Sieves { contents: Sieve::new(lines), paths: Sieve::new(lines) };
    let mut contents = Contents::new(job);
    for piece in each(job.jobs, pieces, |(part, piece)| read_part(part, piece, &sieves, job, progress)) {
        contents.markers.extend(piece.markers);
        contents.faults.append(&piece.faults);
        contents.records += piece.records;
        contents.disproved += piece.disproved;
    }
    sieves.sift(&mut entries, job);
    contents.entries = entries;
    contents
}

/// What may have come up twice.
struct Sieves {
    contents: Sieve,
    paths: Sieve,
}

impl Sieves {
    fn add(&self, entries: &[Entry]) {
        for few in entries.chunks(BATCH) {
            let few = few.iter().filter(|entry| !entry.is_vacant());
            self.contents.add(few.clone().map(|entry| entry.key));
            self.paths.add(few.map(|entry| entry.tie));
        }
    }

    /// Leaves what may have to be compared.
    fn sift(&self, entries: &mut Vec<Entry>, job: &Job<'_>) {
        let all = job.options.mode == Mode::Unique;
        retain(entries, job.jobs, |entry| {
            let listed_twice = self.paths.came_twice(entry.tie);
            entry.set_if(listed_twice, Mark::LISTED_TWICE);
            let shared =
                (all | self.contents.came_twice(entry.key) & !entry.has(Mark::EMPTY)) & !entry.has(Mark::ELSEWHERE);
            (shared | listed_twice) && !entry.is_vacant()
        });
    }
}

/// So many rows are read between two looks whether somebody wants it to end.
const STRETCH: usize = 1 << 12;

fn read_part(
    mut part: Part<'_>,
    entries: &mut [Entry],
    sieves: &Sieves,
    job: &Job<'_>,
    progress: &Progress,
) -> Contents {
    let mut contents = Contents::new(job);
    for stretch in entries.chunks_mut(STRETCH) {
        if job.interrupt.came() {
            break;
        }
        let before = part.bytes_left();
        contents.read_stretch(&mut part, stretch, job);
        // While the processor's caches still hold them.
        sieves.add(stretch);
        progress.add_bytes(before - part.bytes_left());
        progress.add_files(stretch.len() as u64);
    }
    contents
}

impl Contents {
    fn new(job: &Job<'_>) -> Self {
        Self { faults: Faults::new(job.options.skip_bad_lines), ..Self::default() }
    }

    fn read_stretch(&mut self, part: &mut Part<'_>, stretch: &mut [Entry], job: &Job<'_>) {
        for entry in stretch {
            match part.next_row() {
                None => break,
                Some((at, Ok(row))) => {
                    self.records += 1;
                    if row.note.is_some_and(Reason::is_named) {
                        self.disproved += 1;
                        continue;
                    }
                    *entry = entry_of(at, &row, job);
                    if is_marker(&row) {
                        self.markers.push(at);
                    }
                }
                Some((at, Err(_))) => self.faults.push(at),
            }
        }
    }
}

fn entry_of(at: RowRef, row: &Row<'_>, job: &Job<'_>) -> Entry {
    let mut entry = Entry::of(at, row);
    entry.set_if(row.size == 0 && !job.options.empty, Mark::EMPTY);
    entry
}

/// Reads the records of a shard, and those of others whose paths may be listed twice: what they say of a path decides
/// whether a record of this shard counts. The first reading finds out which paths these are.
fn read_shard(shard: Shard, job: &Job<'_>, progress: &Progress) -> Contents {
    progress.expect_bytes(2 * job.table.len());
    let parts = || job.table.parts(job.jobs * 8);
    let lines = each(job.jobs, parts(), |part| part.count_lines()).into_iter().sum();
    let paths = Sieve::new(lines);
    let mut contents = Contents::new(job);
    for piece in each(job.jobs, parts(), |part| survey_part(part, shard, &paths, job, progress)) {
        contents.markers.extend(piece.markers);
        contents.faults.append(&piece.faults);
        contents.spellings.add(piece.spellings);
        contents.records += piece.records;
        contents.disproved += piece.disproved;
    }
    let pieces = each(job.jobs, parts(), |part| shard_of_part(part, shard, &paths, job, progress));
    contents.entries.reserve_exact(pieces.iter().map(Vec::len).sum());
    contents.entries.extend(pieces.into_iter().flatten());
    let sieves = Sieves { contents: Sieve::new(contents.entries.len()), paths };
    let own = contents.entries.iter().filter(|entry| !entry.has(Mark::ELSEWHERE));
    sieves.contents.add(own.map(|entry| entry.key));
    sieves.sift(&mut contents.entries, job);
    contents
}

/// The first reading: what has to be known of all records.
fn survey_part(mut part: Part<'_>, shard: Shard, paths: &Sieve, job: &Job<'_>, progress: &Progress) -> Contents {
    let mut contents = Contents::new(job);
    let mut ties = Vec::with_capacity(BATCH);
    while !job.interrupt.came() {
        let before = part.bytes_left();
        let Some((at, row)) = part.next_row() else { break };
        match row {
            Err(_) => contents.faults.push(at),
            Ok(row) => {
                contents.survey(at, &row, shard);
                if !row.note.is_some_and(Reason::is_named) {
                    ties.push(path_tie(row.path));
                }
            }
        }
        if ties.len() == BATCH {
            paths.add(ties.iter().copied());
            ties.clear();
        }
        progress.add_bytes(before - part.bytes_left());
        progress.add_files(1);
    }
    paths.add(ties.into_iter());
    contents
}

impl Contents {
    fn survey(&mut self, at: RowRef, row: &Row<'_>, shard: Shard) {
        let is_own = u64::from(shard.owns(row.hash));
        self.records += is_own;
        if row.note.is_some_and(Reason::is_named) {
            self.disproved += is_own;
            return;
        }
        self.spellings.add(Spellings::of(&unescaped(row.path)));
        if is_marker(row) {
            self.markers.push(at);
        }
    }
}

/// The second reading: the entries that a shard needs.
fn shard_of_part(mut part: Part<'_>, shard: Shard, paths: &Sieve, job: &Job<'_>, progress: &Progress) -> Vec<Entry> {
    let mut entries = Vec::new();
    while !job.interrupt.came() {
        let before = part.bytes_left();
        let Some((at, row)) = part.next_row() else { break };
        if let Ok(row) = row
            && !row.note.is_some_and(Reason::is_named)
        {
            let mut entry = entry_of(at, &row, job);
            let is_own = shard.owns(row.hash);
            entry.set_if(!is_own, Mark::ELSEWHERE);
            if is_own || paths.came_twice(entry.tie) {
                entries.push(entry);
            }
        }
        progress.add_bytes(before - part.bytes_left());
    }
    entries
}

pub(super) fn is_marker(row: &Row<'_>) -> bool {
    let is_named = |path: &[u8]| {
        let above = path.strip_suffix(MARKER.as_bytes());
        above.is_some_and(|above| matches!(above.last(), None | Some(b'/')))
    };
    // An escape may stand for a plain character.
    is_named(row.path)
        || row.plain.is_none()
            && row.path.contains(&b'\\')
            && escape::unescape(row.path).is_ok_and(|path| is_named(&path))
}
