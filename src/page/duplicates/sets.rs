//! Which sets of copies are shown: those that take the most bytes.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::rc::Rc;

use super::{Copy, Duplicates};
use crate::cli::Failure;
use crate::page::album::Wanted;
use crate::page::plain;
use crate::plan::Keeper;
use crate::record::Record;
use crate::stream::Table;
use crate::stream::table::RowReader;

/// So many sets are shown, beginning with the largest.
pub(super) const MOST_SHOWN: usize = 1000;

/// So many of these have pictures.
pub(super) const MOST_PICTURED: usize = 300;

/// So many copies of one set are shown.
const MOST_COPIES: usize = 6;

/// Copies in one folder whose keeper is in another.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) route: usize,
    pub(super) copies: u64,
    pub(super) keeper: Keeper,
    /// Where the keeper is now, if this stream is what brings it to its place.
    pub(super) keeper_now: Option<Vec<u8>>,
    /// The first of them by path.
    pub(super) shown: Vec<Record>,
}

/// What a set is chosen by: its bytes, and where these are the same, what does not hang on the order of rows.
type Rank = (Reverse<u64>, u64, Rc<[u8]>);

impl Duplicates {
    /// The sets to show of the pairs of folders that are shown, the largest first.
    ///
    /// # Errors
    /// When the stream was changed meanwhile.
    pub(super) fn sets(&self, pairs: &[usize], table: &Table) -> Result<Vec<Set>, Failure> {
        let pairs: HashSet<usize> = pairs.iter().copied().collect();
        let mut chosen: BinaryHeap<(Rank, usize, usize)> = BinaryHeap::new();
        let mut from = 0;
        for set in self.copies.chunk_by(|one, other| (one.keeper, one.route) == (other.keeper, other.route)) {
            let bytes = set.iter().fold(0_u64, |sum, copy| sum.saturating_add(copy.size));
            if let Some(first) = set.first().filter(|first| pairs.contains(&first.route)) {
                let rank = (Reverse(bytes), first.keeper, self.routes.get(first.route).0.from);
                chosen.push((rank, from, set.len()));
            }
            if chosen.len() > MOST_SHOWN {
                chosen.pop();
            }
            from += set.len();
        }
        let chosen = chosen.into_sorted_vec().into_iter();
        let sets = chosen.filter_map(|(_, from, len)| read(self.copies.get(from..from + len)?, table).transpose());
        let mut sets: Vec<Set> = sets.collect::<Result<_, Failure>>()?;
        if self.has_others {
            find_keepers(&mut sets, table);
        }
        Ok(sets)
    }
}

fn read(copies: &[Copy], table: &Table) -> Result<Option<Set>, Failure> {
    let mut reader = RowReader::default();
    let mut shown: Vec<Record> = Vec::new();
    for copy in copies {
        let row = table
            .row(copy.at, &mut reader)
            .map_err(|fault| Failure::Stop(format!("reading: {}: {fault}", table.describe(copy.at))))?;
        // There may be very many copies of one file, and only a few of them are held.
        let at = shown.partition_point(|record| record.path.as_os_str().as_encoded_bytes() < &*row.path_bytes());
        if at < MOST_COPIES {
            shown.insert(at, row.to_record());
            shown.truncate(MOST_COPIES);
        }
    }
    let Some(keeper) = shown.first().and_then(Keeper::of) else { return Ok(None) };
    let route = copies.first().map_or(0, |copy| copy.route);
    Ok(Some(Set { route, copies: copies.len() as u64, keeper, keeper_now: None, shown }))
}

/// Looks for keepers among the destinations of the stream: of two equal files that come in together, one goes to its place,
/// and that place is what the other names.
fn find_keepers(sets: &mut [Set], table: &Table) {
    let mut places: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
    for (number, set) in sets.iter().enumerate() {
        places.entry(set.keeper.path.as_os_str().as_encoded_bytes().to_vec()).or_default().push(number);
    }
    for mut part in table.parts(1) {
        while let Some((_, row)) = part.next_row() {
            let Ok(row) = row else { continue };
            let Some(dest) = row.dest.filter(|_| row.keep.is_none()).map(plain) else { continue };
            for number in places.get(&*dest).into_iter().flatten() {
                let path = row.path_bytes().into_owned();
                // Should several go there, the first by name is meant, in whatever order they come.
                let known = &mut sets[*number].keeper_now;
                if known.as_ref().is_none_or(|known| path < *known) {
                    *known = Some(path);
                }
            }
        }
    }
}

impl Set {
    /// All its files: the keeper first, which has the size of its copies.
    pub(super) fn wanted(&self) -> Vec<Wanted> {
        let size = self.shown.first().map_or(0, |record| record.size);
        let bytes = |path: &std::path::Path| path.as_os_str().as_encoded_bytes().to_vec();
        let path = self.keeper_now.clone().unwrap_or_else(|| bytes(&self.keeper.path));
        let keeper = Wanted { path, size, mtime: self.keeper.mtime, hash: None };
        let copies = self.shown.iter().map(|record| Wanted {
            path: bytes(&record.path),
            size: record.size,
            mtime: record.mtime,
            hash: record.hash,
        });
        std::iter::once(keeper).chain(copies).collect()
    }
}
