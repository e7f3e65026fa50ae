//! The same path twice: counted once where the records agree, left out where they contradict each other.

use std::cmp::Ordering;

use super::Job;
use super::entry::{Entry, Mark, normal_path};
use super::order;
use super::read::{Reader, Rows};
use crate::cli::Failure;
use crate::record::{ContentHash, FileId, Timestamp};
use crate::stream::RowRef;
use crate::threads::{cut, each, retain};

/// Leaves one entry for each path, and none for a path whose records contradict each other.
/// Gives one row of each such path, where its best record is none of another shard's, which gives it itself.
///
/// # Errors
/// When a stream was changed meanwhile.
pub(super) fn merge(entries: &mut Vec<Entry>, job: &Job<'_>) -> Result<Vec<RowRef>, Failure> {
    let mut contradictions = Vec::new();
    let mut out = Vec::new();
    // Few records at a time, for they are copied, so that the others stay in the order of the streams.
    let suspects = entries.iter().filter(|entry| entry.has(Mark::LISTED_TWICE)).count();
    let rounds = suspects.div_ceil((entries.capacity() / 4).max(1)) as u64;
    for round in 0..rounds {
        let is_due = |entry: &&Entry| entry.has(Mark::LISTED_TWICE) && entry.tie % rounds == round;
        let mut some = Vec::with_capacity(entries.iter().filter(is_due).count());
        some.extend(entries.iter().filter(is_due));
        order::by_key(&mut some, job.jobs, |entry| entry.tie);
        let pieces = cut(&mut some, job.jobs * 4, |one, other| one.tie == other.tie);
        for piece in each(job.jobs, pieces, |piece| merge_piece(piece, Rows(job.table))) {
            contradictions.extend(piece?);
        }
        out.extend(some.iter().filter(|entry| entry.has(Mark::OUT)).map(Entry::row));
    }
    out.sort_unstable();
    let is_out = |entry: &Entry| entry.has(Mark::LISTED_TWICE) && out.binary_search(&entry.row()).is_ok();
    retain(entries, job.jobs, |entry| !is_out(entry) && !entry.has(Mark::ELSEWHERE));
    Ok(contradictions)
}

fn merge_piece(piece: &mut [Entry], rows: Rows<'_>) -> Result<Vec<RowRef>, Failure> {
    let mut reader = rows.reader();
    let mut contradictions = Vec::new();
    for run in piece.chunk_by_mut(|one, other| one.tie == other.tie) {
        if run.len() > 1 {
            merge_run(run, &mut reader, &mut contradictions)?;
        }
    }
    Ok(contradictions)
}

/// Entries whose paths have one fingerprint, which seldom are other paths all the same.
fn merge_run(run: &mut [Entry], reader: &mut Reader<'_>, contradictions: &mut Vec<RowRef>) -> Result<(), Failure> {
    let mut from = 0;
    while from < run.len() {
        let path = normal_path(reader.path(run[from].row())?).into_owned();
        let mut until = from + 1;
        for next in from + 1..run.len() {
            if *normal_path(reader.path(run[next].row())?) == *path {
                run.swap(until, next);
                until += 1;
            }
        }
        merge_path(&mut run[from..until], reader, contradictions)?;
        from = until;
    }
    Ok(())
}

/// Keeps the best of the records of one path.
fn merge_path(same: &mut [Entry], reader: &mut Reader<'_>, contradictions: &mut Vec<RowRef>) -> Result<(), Failure> {
    let mut best = 0;
    let mut claim = Claim::read(same[0], reader)?;
    let mut hash = claim.hash;
    let mut contradicted = false;
    for (place, entry) in same.iter().enumerate().skip(1) {
        let other = Claim::read(*entry, reader)?;
        contradicted |= claim.size != other.size || hash.is_some() && other.hash.is_some() && hash != other.hash;
        hash = hash.or(other.hash);
        if other.compare(&claim) == Ordering::Greater {
            (best, claim) = (place, other);
        }
    }
    if contradicted && !same[best].has(Mark::ELSEWHERE) {
        contradictions.push(same[best].row());
    }
    for (place, entry) in same.iter_mut().enumerate() {
        if contradicted || place != best {
            entry.set(Mark::OUT);
        }
    }
    Ok(())
}

/// What one record says of its path.
struct Claim {
    hash: Option<ContentHash>,
    size: u64,
    mtime: Option<Timestamp>,
    id: Option<FileId>,
    path: Vec<u8>,
    row: RowRef,
}

impl Claim {
    fn read(entry: Entry, reader: &mut Reader<'_>) -> Result<Self, Failure> {
        let row = reader.row(entry.row())?;
        Ok(Self {
            hash: row.hash,
            size: row.size,
            mtime: row.mtime,
            id: row.id,
            path: row.path_bytes().into_owned(),
            row: entry.row(),
        })
    }

    /// The greatest tells most and is newest; what is left to choose does not depend on the order of the rows.
    fn compare(&self, other: &Self) -> Ordering {
        let what = |claim: &Self| (claim.hash, claim.mtime, claim.id);
        what(self).cmp(&what(other)).then_with(|| other.path.cmp(&self.path)).then_with(|| other.row.cmp(&self.row))
    }
}
