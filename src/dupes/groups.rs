//! Groups of equal content: which of their files stays, and what becomes of every name of the others.

use std::cmp::Ordering;
use std::ops::Range;

use super::entry::{Entry, Mark, unescaped};
use super::keeper::{Candidate, Keep};
use super::order;
use super::read::{BATCH, Reader, Rows};
use super::{Job, Mode};
use crate::cli::Failure;
use crate::record::{ContentHash, FileId};
use crate::stream::RowRef;
use crate::threads::{cut, each, retain};

/// What there is to tell of all groups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Groups of which something should go.
    pub(super) groups: u64,
    /// Files that should go.
    pub(super) files: u64,
    /// The bytes they hold.
    pub(super) bytes: u64,
    /// Records without a hash that share their size with another file.
    pub(super) unhashed: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.groups += other.groups;
        self.files += other.files;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.unhashed += other.unhashed;
    }
}

/// Decides about every entry, and leaves those that the mode prints, each with the place of its keeper as `key`.
///
/// # Errors
/// When a stream was changed meanwhile.
pub(super) fn decide(entries: &mut Vec<Entry>, job: &Job<'_>) -> Result<Tally, Failure> {
    order::by_key(entries, job.jobs, |entry| (entry.key, entry.file, entry.row()));
    let pieces = cut(entries, job.jobs * 16, is_same_key);
    let mut tally = Tally::default();
    for piece in each(job.jobs, pieces, |piece| decide_piece(piece, job)) {
        tally.add(piece?);
    }
    retain(entries, job.jobs, |entry| !entry.has(Mark::OUT));
    Ok(tally)
}

fn decide_piece(piece: &mut [Entry], job: &Job<'_>) -> Result<Tally, Failure> {
    let rows = Rows(job.table);
    let mut group = Groups { reader: rows.reader(), mode: job.options.mode, keep: job.options.keep, spare: Vec::new() };
    let mut tally = Tally::default();
    let batches = piece.len().div_ceil(BATCH);
    for batch in cut(piece, batches, is_same_key) {
        if job.interrupt.came() {
            break;
        }
        let shared = batch.chunk_by(is_same_key).filter(|run| run.len() > 1).flatten();
        // A long run is more than the caches hold.
        rows.warm(shared.take(4 * BATCH).map(Entry::row));
        for run in batch.chunk_by_mut(is_same_key) {
            tally.add(group.decide(run)?);
        }
    }
    Ok(tally)
}

fn is_same_key(one: &Entry, other: &Entry) -> bool {
    one.key == other.key
}

/// What was found out about a run of one content.
struct Survey {
    /// 0 where nothing was read, as nothing can go.
    size: u64,
    /// How many files there are.
    files: usize,
    /// The row that stands for the file that stays.
    keeper: RowRef,
    /// The entries of that file.
    stays: Range<usize>,
}

struct Groups<'a> {
    reader: Reader<'a>,
    mode: Mode,
    keep: Keep,
    /// Memory for paths, so that not every row asks for some.
    spare: Vec<Vec<u8>>,
}

impl Groups<'_> {
    /// Decides about a run of entries with one key.
    fn decide(&mut self, run: &mut [Entry]) -> Result<Tally, Failure> {
        if let Some(tally) = self.decide_one_content(run)? {
            return Ok(tally);
        }
        // Different contents or files have met in one 64-bit number: told apart by all of their bits.
        let mut tally = Tally::default();
        let mut exact = self.exact(run)?;
        for content in exact.chunk_by_mut(|one, other| one.0 == other.0) {
            let mut entries: Vec<Entry> = content.iter().map(|(_, _, entry)| *entry).collect();
            let changed = || Failure::Stop("reading: an index was changed while it was read".into());
            tally.add(self.decide_one_content(&mut entries)?.ok_or_else(changed)?);
            content.iter_mut().zip(entries).for_each(|(place, entry)| place.2 = entry);
        }
        run.iter_mut().zip(exact).for_each(|(place, (_, _, entry))| *place = entry);
        Ok(tally)
    }

    /// The entries of a run by content and file, with a `file` that is another for every other file.
    fn exact(&mut self, run: &[Entry]) -> Result<Vec<Exact>, Failure> {
        let mut exact = Vec::with_capacity(run.len());
        for entry in run {
            let row = self.reader.row(entry.row())?;
            exact.push(((row.hash, row.size), row.id, *entry));
        }
        exact.sort_unstable_by_key(|(content, id, entry)| (*content, *id, entry.row()));
        let mut tie = 0;
        for place in 0..exact.len() {
            let (content, id, _) = exact[place];
            if place == 0 || (content, id) != (exact[place - 1].0, exact[place - 1].1) {
                tie += 1;
            }
            exact[place].2.file = if id.is_some() { tie } else { 0 };
        }
        Ok(exact)
    }

    /// As [`Groups::decide`], but `None` where the run is not all of one content, or its files are not in a row.
    fn decide_one_content(&mut self, run: &mut [Entry]) -> Result<Option<Tally>, Failure> {
        let evidence = run[0].has_hash() && !run[0].has(Mark::EMPTY);
        if self.mode == Mode::Unique && !evidence {
            // Nothing says that another file has this content, so each file is one of its own.
            return self.decide_each_file(run);
        }
        let Some(survey) = self.survey(run)? else { return Ok(None) };
        if evidence {
            return Ok(Some(self.settle(run, &survey)));
        }
        for entry in run.iter_mut() {
            entry.set(Mark::OUT);
        }
        Ok(Some(Tally { unhashed: shared(run, &survey), ..Tally::default() }))
    }

    fn decide_each_file(&mut self, run: &mut [Entry]) -> Result<Option<Tally>, Failure> {
        let Some(whole) = self.survey(run)? else { return Ok(None) };
        let unhashed = if run[0].has_hash() || run[0].has(Mark::EMPTY) { 0 } else { shared(run, &whole) };
        for file in run.chunk_by_mut(is_same_file) {
            if let Some(survey) = self.survey(file)? {
                self.settle(file, &survey);
            }
        }
        Ok(Some(Tally { unhashed, ..Tally::default() }))
    }

    /// Reads all rows of a run and chooses the file that stays; `None` as in [`Groups::decide_one_content`].
    fn survey(&mut self, run: &[Entry]) -> Result<Option<Survey>, Failure> {
        if let [lone] = run {
            return Ok(Some(Survey { size: 0, files: 1, keeper: lone.row(), stays: 0..1 }));
        }
        let mut content: Option<(Option<ContentHash>, u64)> = None;
        let mut best: Option<(Candidate, RowRef, Range<usize>)> = None;
        let mut files = 0;
        let mut from = 0;
        for file in run.chunk_by(is_same_file) {
            let Some((first, keeper, of)) = self.candidate(file)? else { return Ok(None) };
            if *content.get_or_insert(of) != of {
                return Ok(None);
            }
            files += 1;
            let stays = from..from + file.len();
            from = stays.end;
            if best.as_ref().is_none_or(|(best, ..)| first.compare(best, self.keep) == Ordering::Less) {
                let last = best.replace((first, keeper, stays));
                self.spare.extend(last.map(|(last, ..)| last.path));
            } else {
                self.spare.push(first.path);
            }
        }
        self.spare.extend(best.as_mut().map(|(best, ..)| std::mem::take(&mut best.path)));
        Ok(content.zip(best).map(|((_, size), (_, keeper, stays))| Survey { size, files, keeper, stays }))
    }

    /// All names of one file, weighed together, with the row of the name that stands for it.
    fn candidate(&mut self, names: &[Entry]) -> Result<Option<(Candidate, RowRef, Content)>, Failure> {
        let mut first: Option<(Candidate, RowRef, Content, Option<FileId>)> = None;
        for entry in names {
            let row = self.reader.row(entry.row())?;
            let of = (row.hash, row.size);
            let mut path = self.spare.pop().unwrap_or_default();
            path.clear();
            path.extend_from_slice(&unescaped(row.path));
            let mut name =
                Candidate { protected: entry.has(Mark::PROTECTED), rank: entry.rank(), mtime: row.mtime, path };
            match &mut first {
                None => first = Some((name, entry.row(), of, row.id)),
                Some((_, _, content, id)) if *content != of || *id != row.id => return Ok(None),
                Some((file, keeper, ..)) => {
                    if file.join(&mut name) {
                        *keeper = entry.row();
                    }
                    self.spare.push(name.path);
                }
            }
        }
        Ok(first.map(|(file, keeper, of, _)| (file, keeper, of)))
    }

    /// Says of each entry what becomes of it.
    fn settle(&self, run: &mut [Entry], survey: &Survey) -> Tally {
        let mut tally = Tally::default();
        let mut from = 0;
        for file in run.chunk_by_mut(is_same_file) {
            let goes = from != survey.stays.start && !file.iter().any(|entry| entry.has(Mark::PROTECTED));
            from += file.len();
            if goes {
                tally.files += 1;
                tally.bytes = tally.bytes.saturating_add(survey.size);
            }
            for entry in file {
                if goes {
                    entry.set(Mark::GOES);
                }
            }
        }
        tally.groups = u64::from(tally.files > 0);
        let kept_by_protection = run[survey.stays.clone()].iter().any(|entry| entry.has(Mark::PROTECTED));
        for entry in run {
            entry.key = survey.keeper.0;
            let printed = match self.mode {
                Mode::Plan => entry.has(Mark::GOES),
                Mode::Groups => survey.files > 1,
                Mode::Unique => entry.row() == survey.keeper && !kept_by_protection,
            };
            if !printed {
                entry.set(Mark::OUT);
            }
        }
        tally
    }
}

type Content = (Option<ContentHash>, u64);
type Exact = (Content, Option<FileId>, Entry);

/// Only of neighbours in a run that is sorted by file. A file that nothing is known of is no other one's name.
fn is_same_file(one: &Entry, other: &Entry) -> bool {
    one.file == other.file && one.file != 0
}

/// How many records of a run share their size with another file.
fn shared(run: &[Entry], survey: &Survey) -> u64 {
    if survey.files > 1 { run.len() as u64 } else { 0 }
}
