//! Sorting entries: by a number, and by the path that stands in the streams, with no memory beside the entries.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::entry::{Entry, unescaped};
use super::read::{BATCH, Rows};
use crate::cli::Failure;
use crate::threads::{cut, each, sort_by};

/// Sorts by a number, on `jobs` threads.
pub(super) fn by_key<K: Ord>(entries: &mut [Entry], jobs: usize, key: impl Fn(&Entry) -> K + Copy + Sync) {
    sort_by(entries, jobs, |one, other| key(one).cmp(&key(other)));
}

/// Sorts by path, bytewise, and uses `tie` for it.
///
/// Rows that stand in the order of their paths already, as those of a sorted index, cost one look each.
///
/// # Errors
/// When a stream was changed meanwhile.
pub(super) fn by_path(entries: &mut [Entry], jobs: usize, rows: Rows<'_>) -> Result<(), Failure> {
    by_key(entries, jobs, Entry::row);
    if is_sorted(entries, jobs, rows)? {
        return Ok(());
    }
    fill_all(entries, jobs, rows)?;
    by_key(entries, jobs, |entry| (entry.tie, entry.row()));
    let pieces = cut(entries, jobs * 16, |one, other| one.tie == other.tie);
    each(jobs, pieces, |piece| settle(piece, rows)).into_iter().collect()
}

/// Brings the members of each group together, the keeper first, and leaves groups and members in the order they are in.
pub(super) fn by_group(entries: &mut [Entry], jobs: usize) {
    for (place, entry) in entries.iter_mut().enumerate() {
        entry.tie = place as u64;
    }
    by_key(entries, jobs, |entry| (entry.key, entry.row() != entry.keeper(), entry.tie));
    for group in entries.chunk_by_mut(|one, other| one.key == other.key) {
        let first = group[0].tie;
        for entry in group {
            entry.tie = first;
        }
    }
    // Stable, for the members of a group are in their order now.
    entries.sort_by_key(|entry| entry.tie);
}

fn is_sorted(entries: &mut [Entry], jobs: usize, rows: Rows<'_>) -> Result<bool, Failure> {
    let seams: Vec<[Entry; 2]> = {
        let pieces = cut(entries, jobs * 4, |_, _| false);
        pieces.windows(2).filter_map(|pair| Some([*pair[0].last()?, *pair[1].first()?])).collect()
    };
    for mut seam in seams {
        if !piece_is_sorted(&mut seam, rows)? {
            return Ok(false);
        }
    }
    let pieces = cut(entries, jobs * 4, |_, _| false);
    let sorted = each(jobs, pieces, |piece| piece_is_sorted(piece, rows));
    sorted.into_iter().try_fold(true, |all, one| Ok(all && one?))
}

fn piece_is_sorted(piece: &mut [Entry], rows: Rows<'_>) -> Result<bool, Failure> {
    let mut reader = rows.reader();
    let mut last: Vec<u8> = Vec::new();
    for batch in piece.chunks(BATCH) {
        rows.warm_paths(batch);
        for entry in batch {
            let path = unescaped(reader.path(entry.row())?);
            if *path < *last {
                return Ok(false);
            }
            last.clear();
            last.extend_from_slice(&path);
        }
    }
    Ok(true)
}

/// What all paths begin with.
fn common_prefix(entries: &[Entry], rows: Rows<'_>) -> Result<Vec<u8>, Failure> {
    let mut reader = rows.reader();
    let Some(first) = entries.first() else { return Ok(Vec::new()) };
    let mut first = unescaped(reader.path(first.row())?).into_owned();
    for batch in entries[1..].chunks(BATCH) {
        rows.warm_paths(batch);
        for entry in batch {
            let path = unescaped(reader.path(entry.row())?);
            first.truncate(first.iter().zip(path.iter()).take_while(|(one, other)| one == other).count());
        }
        if first.is_empty() {
            break;
        }
    }
    Ok(first)
}

/// Sets `tie` as [`fill`] does, as deep as all paths are the same.
fn fill_all(entries: &mut [Entry], jobs: usize, rows: Rows<'_>) -> Result<(), Failure> {
    // What a few begin with mostly is what all begin with; where not, all are looked at before the second try.
    let few: Vec<Entry> = entries.iter().step_by(entries.len() / BATCH + 1).copied().collect();
    let prefix = common_prefix(&few, rows)?;
    if !fill_pieces(entries, &prefix, jobs, rows)? {
        let prefix = common_prefix(entries, rows)?;
        fill_pieces(entries, &prefix, jobs, rows)?;
    }
    Ok(())
}

fn fill_pieces(entries: &mut [Entry], prefix: &[u8], jobs: usize, rows: Rows<'_>) -> Result<bool, Failure> {
    let filled = each(jobs, cut(entries, jobs * 4, |_, _| false), |piece| fill(piece, prefix, rows));
    filled.into_iter().try_fold(true, |all, one| Ok(all & one?))
}

/// Sets `tie` to the eight bytes of the path that come after a prefix, so that numbers sort as they do.
/// No path holds a NUL, which therefore stands for its end. `false` where a path begins in another way.
fn fill(piece: &mut [Entry], prefix: &[u8], rows: Rows<'_>) -> Result<bool, Failure> {
    let mut reader = rows.reader();
    for batch in piece.chunks_mut(BATCH) {
        rows.warm_paths(batch);
        for entry in batch {
            let path = unescaped(reader.path(entry.row())?);
            let Some(rest) = path.strip_prefix(prefix) else { return Ok(false) };
            let mut eight = [0; 8];
            for (place, byte) in eight.iter_mut().zip(rest) {
                *place = *byte;
            }
            entry.tie = u64::from_be_bytes(eight);
        }
    }
    Ok(true)
}

/// Sorts each run that is equal as far as `tie` reaches by what comes after that.
fn settle(piece: &mut [Entry], rows: Rows<'_>) -> Result<(), Failure> {
    let mut pieces = vec![piece];
    while let Some(piece) = pieces.pop() {
        for run in piece.chunk_by_mut(|one, other| one.tie == other.tie) {
            let ended = run[0].tie.to_le_bytes()[0] == 0;
            match run {
                [_] => {}
                // One path twice: their places keep them in order.
                _ if ended => {}
                [one, other] => {
                    if compare(*one, *other, rows)? == Ordering::Greater {
                        std::mem::swap(one, other);
                    }
                }
                _ => {
                    fill(run, &common_prefix(run, rows)?, rows)?;
                    run.sort_unstable_by_key(|entry| (entry.tie, entry.row()));
                    pieces.push(run);
                }
            }
        }
    }
    Ok(())
}

fn compare(one: Entry, other: Entry, rows: Rows<'_>) -> Result<Ordering, Failure> {
    let (mut first, mut second) = (rows.reader(), rows.reader());
    let one: Cow<'_, [u8]> = unescaped(first.path(one.row())?);
    Ok(one.cmp(&unescaped(second.path(other.row())?)))
}
