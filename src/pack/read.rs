//! Reading the streams, once from end to end.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::quality::RandomState;

use super::Job;
use super::item::{Items, LONGEST_PATH};
use super::refusals::{Refusal, Refusals};
use super::tree::{DirId, split};
use crate::cli::Failure;
use crate::host::{self, PassedOver};
use crate::plan::is_part;
use crate::progress::Progress;
use crate::stream::table::Part;
use crate::stream::{Faults, Row, RowRef};
use crate::threads::each;
use crate::verify::Reason;

/// What the streams hold.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// The directories of the sources as they are spelled, with nothing escaped in them.
    pub(super) dirs: Vec<Box<[u8]>>,
    pub(super) items: Items,
    /// Records that are no files to be packed.
    pub(super) unusable: Refusals,
    /// Records that are not for this host to pack.
    pub(super) passed_over: PassedOver,
}

/// Reads every row; `None` after an interrupt.
///
/// # Errors
/// [`Failure::Stop`] for malformed lines that are not to be skipped, and for streams that change meanwhile.
pub(super) fn read(job: &Job<'_>, progress: &Progress) -> Result<Option<Contents>, Failure> {
    progress.expect_bytes(job.table.len());
    let parts = each(job.jobs, job.table.parts(job.jobs * 4), |part| read_part(part, job, progress));
    if job.interrupt.came() {
        return Ok(None);
    }
    job.table.check_whole()?;
    let mut faults = Faults::new(job.options.skip_bad_lines);
    for part in &parts {
        faults.append(&part.faults);
    }
    job.table.judge(&faults, job.reporter)?;
    refuse_duplicates(&parts, job)?;
    Ok(Some(join(parts)))
}

/// Of a plan of duplicates, an archive would get just the copies that are one too many.
fn refuse_duplicates(parts: &[PartContents], job: &Job<'_>) -> Result<(), Failure> {
    let Some(first) = parts.iter().find_map(|part| part.duplicate) else { return Ok(()) };
    Err(Failure::Stop(format!(
        "reading: {}: this file is a duplicate of the one in the column keep, so the stream is a plan for ms-mv; \
         ms-dupes --unique lists what is to be packed",
        job.table.describe(first)
    )))
}

/// Puts together what the threads have read.
fn join(parts: Vec<PartContents>) -> Contents {
    let mut contents = Contents::default();
    let mut known: HashMap<Box<[u8]>, DirId, RandomState> = HashMap::default();
    let sum = |len: fn(&Items) -> usize| parts.iter().map(|part| len(&part.items)).sum();
    contents.items.reserve(sum(|items| items.list.len()), sum(Items::names_len));
    for part in parts {
        let mut numbers = Vec::with_capacity(part.dirs.list.len());
        for dir in part.dirs.list {
            let next = DirId::try_from(contents.dirs.len()).unwrap_or(DirId::MAX);
            numbers.push(*known.entry(dir).or_insert_with_key(|dir| {
                contents.dirs.push(dir.clone());
                next
            }));
        }
        contents.items.append(part.items, &numbers);
        contents.unusable.extend(part.unusable);
        contents.passed_over += part.passed_over;
    }
    contents
}

#[derive(Debug, Default)]
struct PartContents {
    dirs: Dirs,
    items: Items,
    unusable: Refusals,
    passed_over: PassedOver,
    /// The first record of a duplicate.
    duplicate: Option<RowRef>,
    faults: Faults,
}

/// So many rows are read between two looks whether somebody wants it to end.
const STRETCH: usize = 1 << 12;

fn read_part(mut part: Part<'_>, job: &Job<'_>, progress: &Progress) -> PartContents {
    let faults = Faults::new(job.options.skip_bad_lines);
    let mut contents = PartContents { faults, ..PartContents::default() };
    while !job.interrupt.came() {
        let before = part.bytes_left();
        let mut rows = 0;
        while rows < STRETCH
            && let Some((at, row)) = part.next_row()
        {
            rows += 1;
            match row {
                Ok(row) => contents.take(at, &row, job),
                Err(_) => contents.faults.push(at),
            }
        }
        progress.add_files(rows as u64);
        progress.add_bytes(before - part.bytes_left());
        if rows < STRETCH {
            break;
        }
    }
    contents
}

impl PartContents {
    fn take(&mut self, at: RowRef, row: &Row<'_>, job: &Job<'_>) {
        if row.keep.is_some() {
            self.duplicate = self.duplicate.or(Some(at));
        }
        let path = if row.plain.is_some() { Cow::Borrowed(row.path) } else { row.path_bytes() };
        if !self.passed_over.keeps(&path, job.options.host) {
            return;
        }
        let there = host::split(&path);
        let is_elsewhere = there.is_some() && job.options.host.is_none();
        let path = there.map_or(&*path, |(_, there)| there);
        let (mut dir, name) = split(path);
        if dir.is_empty() && path.starts_with(b"/") {
            dir = b"/";
        }
        let refusal = match name {
            _ if is_elsewhere => Some(Refusal::Elsewhere),
            b"" | b"." | b".." => Some(Refusal::NoFile),
            _ if path.len() > LONGEST_PATH => Some(Refusal::LongPath),
            _ if is_part(name) => Some(Refusal::Unfinished),
            _ if row.note.is_some_and(Reason::is_named) => Some(Refusal::Disproved),
            _ => None,
        };
        if let Some(refusal) = refusal {
            self.unusable.add(at, refusal);
            return;
        }
        let dir = self.dirs.id(dir);
        let image = job.options.disc.filesystem.file(name, row.size);
        self.items.push(at, dir, name, row.size, row.mtime, image);
    }
}

/// Directories, each once. Most rows are in the directory of the row before.
#[derive(Debug, Default)]
struct Dirs {
    list: Vec<Box<[u8]>>,
    known: HashMap<Box<[u8]>, DirId, RandomState>,
    last: DirId,
}

impl Dirs {
    fn id(&mut self, dir: &[u8]) -> DirId {
        if self.list.get(self.last as usize).is_some_and(|last| **last == *dir) {
            return self.last;
        }
        self.last = self.known.get(dir).copied().unwrap_or_else(|| {
            let id = DirId::try_from(self.list.len()).unwrap_or(DirId::MAX);
            self.list.push(dir.into());
            self.known.insert(dir.into(), id);
            id
        });
        self.last
    }
}
