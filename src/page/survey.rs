//! One reading of the streams: every row goes to the section that it belongs to.

use super::arrivals::{self, Arrivals};
use super::duplicates::{Duplicates, key};
use super::moves::Moves;
use super::plain;
use super::stock::Stock;
use super::tally::Tally;
use super::volumes::{self, Volumes};
use crate::interrupt::Interrupt;
use crate::progress::Progress;
use crate::stream::{Faults, Row, RowRef, Table};
use crate::volume::planned::Planned;

/// All that the streams tell.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// All rows.
    pub(super) all: Tally,
    pub(super) stock: Stock,
    /// Rows of the stock that lie in a volume.
    pub(super) shelved: Volumes,
    pub(super) duplicates: Duplicates,
    pub(super) arrivals: Arrivals,
    pub(super) volumes: Volumes,
    pub(super) moves: Moves,
    /// Rows that go and tell neither a keeper nor a note, as those that `ms-mv` writes of what it has done.
    bare: u64,
    /// Keys of the rows that go and have no keeper.
    movers: Vec<u64>,
}

/// Between two looks whether somebody wants it to end, and two steps of the progress.
const STRETCH: u64 = 1 << 12;

impl Survey {
    /// Reads all rows once.
    pub(super) fn read(
        table: &Table,
        skip_bad_lines: bool,
        interrupt: &Interrupt,
        progress: &Progress,
    ) -> (Self, Faults) {
        let (mut survey, mut faults) = (Self::default(), Faults::new(skip_bad_lines));
        progress.expect_bytes(table.len());
        for mut part in table.parts(1) {
            let (mut rows, mut left) = (0, part.bytes_left());
            while let Some((at, row)) = part.next_row() {
                match row {
                    Ok(row) => survey.add(at, &row),
                    Err(_) => faults.push(at),
                }
                rows += 1;
                if rows % STRETCH == 0 {
                    progress.add_files(STRETCH);
                    progress.add_bytes(left - part.bytes_left());
                    left = part.bytes_left();
                    if interrupt.came() {
                        return (survey, faults);
                    }
                }
            }
            progress.add_files(rows % STRETCH);
            progress.add_bytes(left);
        }
        survey.duplicates.settle(&survey.movers);
        survey.movers = Vec::new();
        (survey, faults)
    }

    fn add(&mut self, at: RowRef, row: &Row<'_>) {
        self.all.add(row.size);
        let path = row.path_bytes();
        match row.dest {
            None => self.add_to_stock(row, &path),
            Some(dest) => self.add_mover(at, row, &path, &plain(dest)),
        }
    }

    fn add_to_stock(&mut self, row: &Row<'_>, path: &[u8]) {
        self.stock.add(row, path);
        if let Some(volume) = volumes::of_path(path) {
            self.shelved.add(row, path, volume, None);
        }
    }

    fn add_mover(&mut self, at: RowRef, row: &Row<'_>, path: &[u8], dest: &[u8]) {
        if let Some(keep) = row.keep {
            return self.duplicates.add(at, row, [path, &plain(keep), dest]);
        }
        self.movers.push(key(path));
        self.bare += u64::from(row.note.is_none());
        let note = row.note.map(plain).unwrap_or_default();
        let planned = Planned::parse(&note);
        if let Some(volume) = volumes::of_dest(dest, planned.as_ref()) {
            self.volumes.add(row, dest, volume, planned.as_ref());
        } else if arrivals::tells_date(&note) {
            self.arrivals.add(row, [path, dest], &note);
        } else {
            self.moves.add(row, path, dest);
        }
    }

    /// All that go.
    pub(super) fn movers(&self) -> Tally {
        let parts = [self.duplicates.all, self.arrivals.all, self.arrivals.aside, self.volumes.all, self.moves.all];
        parts.into_iter().sum()
    }

    /// Whether all that go may be what `ms-mv` has moved.
    pub(super) fn are_bare(&self) -> bool {
        self.bare > 0 && self.bare == self.movers().files
    }

    /// Whether all that is there lies in volumes, as what `ms-seal --cat` writes.
    pub(super) fn is_shelf(&self) -> bool {
        self.shelved.all.files > 0 && self.shelved.all == self.stock.all
    }
}
