//! Files that would meet in a volume: one that is listed twice counts once, and of two with one place at most one goes.

use std::cmp::Reverse;
use std::path::PathBuf;

use super::Job;
use super::item::{Item, Items};
use super::refusals::{Refusal, Refusals};
use super::tree::Tree;
use crate::cli::Failure;
use crate::place;
use crate::record::Record;
use crate::report;
use crate::stream::RowRef;
use crate::stream::table::RowReader;

/// What becomes of one of several records that have one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lot {
    Goes,
    /// It is the record of the same file once more.
    Repeats,
    Refused(Refusal),
}

/// Sorts the items by their paths, and leaves one for each.
///
/// # Errors
/// When a stream was changed meanwhile.
pub(super) fn sort_out(items: &mut Items, tree: &Tree, refusals: &mut Refusals, job: &Job<'_>) -> Result<(), Failure> {
    items.sort_by_path(tree, job.jobs);
    let mut goes = vec![true; items.list.len()];
    let mut from = 0;
    for group in items.list.chunk_by(|one, other| one.dir == other.dir && items.name(one) == items.name(other)) {
        let goes = &mut goes[from..][..group.len()];
        from += group.len();
        if group.len() > 1 {
            let lots = Group::read(group, job)?.lots();
            for ((lot, item), goes) in lots.into_iter().zip(group).zip(&mut *goes) {
                *goes = lot == Lot::Goes;
                if let Lot::Refused(refusal) = lot {
                    refusals.add(item.at, refusal);
                }
            }
        }
        if tree.has_inner(group[0].dir) && tree.find(&items.below(&group[0], tree)).is_some() {
            for (item, goes) in group.iter().zip(goes).filter(|(_, goes)| **goes) {
                *goes = false;
                refusals.add(item.at, Refusal::IsDirectory);
            }
        }
    }
    let mut goes = goes.into_iter();
    items.list.retain(|_| goes.next().unwrap_or(false));
    Ok(())
}

/// The records that have one place, each with the path of its source made absolute.
struct Group(Vec<(PathBuf, RowRef, Record)>);

impl Group {
    fn read(items: &[Item], job: &Job<'_>) -> Result<Self, Failure> {
        let working_dir = std::env::current_dir()
            .map_err(|error| Failure::Stop(format!("finding the working directory: {}", report::reason(&error))))?;
        let mut rows = RowReader::default();
        let mut read = |item: &Item| {
            let row = job.table.row(item.at, &mut rows);
            let row =
                row.map_err(|fault| Failure::Stop(format!("reading: {}: {fault}", job.table.describe(item.at))))?;
            let record = row.to_record();
            Ok((place::absolute(&record.path, &working_dir), item.at, record))
        };
        items.iter().map(&mut read).collect::<Result<_, _>>().map(Self)
    }

    /// In the order of the records.
    fn lots(&self) -> Vec<Lot> {
        let mut order: Vec<usize> = (0..self.0.len()).collect();
        order.sort_by_key(|place| {
            let (path, _, record) = &self.0[*place];
            // Of several records of one file, the one that knows most; what they differ in beyond that has no say.
            (path, record.hash.is_none(), Reverse(record.mtime), record.id, &record.path)
        });
        let mut lots = vec![Lot::Repeats; self.0.len()];
        let mut firsts = Vec::new();
        for file in order.chunk_by(|one, other| self.0[*one].0 == self.0[*other].0) {
            if self.agree(file) {
                firsts.push(file[0]);
            } else {
                for place in file {
                    lots[*place] = Lot::Refused(Refusal::Disputed);
                }
            }
        }
        for (number, place) in firsts.iter().enumerate() {
            let other = firsts[usize::from(number == 0).min(firsts.len() - 1)];
            lots[*place] = match (firsts.len(), self.are_same(&firsts)) {
                (1, _) => Lot::Goes,
                (_, true) if number == 0 => Lot::Goes,
                (_, true) => Lot::Refused(Refusal::IsPacked(self.0[other].1)),
                (_, false) => Lot::Refused(Refusal::Meets(self.0[other].1)),
            };
        }
        lots
    }

    /// Whether the records of one file tell the same, as far as they tell anything.
    fn agree(&self, file: &[usize]) -> bool {
        let mut hashes = file.iter().filter_map(|place| self.0[*place].2.hash);
        let first = hashes.next();
        let size = self.0[file[0]].2.size;
        hashes.all(|hash| Some(hash) == first) && file.iter().all(|place| self.0[*place].2.size == size)
    }

    /// Whether files are known to have the same content.
    fn are_same(&self, files: &[usize]) -> bool {
        let first = &self.0[files[0]].2;
        files.iter().map(|place| &self.0[*place].2).all(|record| {
            let is_one_file = record.id.is_some() && record.id == first.id;
            record.size == first.size && (is_one_file || record.hash.is_some() && record.hash == first.hash)
        })
    }
}
