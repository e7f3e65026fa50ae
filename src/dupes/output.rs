//! Writing what was decided, in order, by several threads.

use std::io::Write;

use super::dest::Destinations;
use super::entry::{Entry, Mark};
use super::read::{BATCH, Reader, Rows};
use super::{Job, Mode};
use crate::cli::Failure;
use crate::plan::push_keeper_note;
use crate::record::{COLUMNS, FileId};
use crate::stream::{Format, Row, Writer};
use crate::threads::in_order;

/// So many records are rendered at once: enough that handing them over costs nothing, and little memory.
const CHUNK: usize = 512;

/// Writes all entries in their order. An interrupt ends it between two lines.
///
/// # Errors
/// When the output fails, or a stream was changed meanwhile.
pub(super) fn write(
    entries: &[Entry],
    destinations: &Destinations,
    job: &Job<'_>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::output(&error);
    Writer::new(&mut *out, job.format, COLUMNS.len()).and_then(|mut header| header.flush()).map_err(failed)?;
    let hire = || {
        let mut renderer = Renderer::new(destinations, job);
        move |chunk: &[Entry]| renderer.render(chunk)
    };
    in_order(job.jobs, &entries.chunks(CHUNK), hire, |text| -> Result<bool, Failure> {
        out.write_all(&text?).map_err(failed)?;
        Ok(!job.interrupt.came())
    })?;
    out.flush().map_err(failed)
}

/// Turns entries into lines.
struct Renderer<'a> {
    row: Reader<'a>,
    keeper: Reader<'a>,
    dest: Vec<u8>,
    note: Vec<u8>,
    /// Room for the longest chunk so far and a little more, so that few have to be moved as they grow.
    most: usize,
    destinations: &'a Destinations,
    job: &'a Job<'a>,
}

impl<'a> Renderer<'a> {
    fn new(destinations: &'a Destinations, job: &'a Job<'a>) -> Self {
        let reader = || Rows(job.table).reader();
        Self { row: reader(), keeper: reader(), dest: Vec::new(), note: Vec::new(), most: 0, destinations, job }
    }

    fn render(&mut self, chunk: &[Entry]) -> Result<Vec<u8>, Failure> {
        let mut text = Vec::with_capacity(self.most);
        let format = Format { header: false, ..self.job.format };
        let failed = |error: std::io::Error| Failure::output(&error);
        let mut writer = Writer::new(&mut text, format, COLUMNS.len()).map_err(failed)?;
        let rows = Rows(self.job.table);
        for batch in chunk.chunks(BATCH) {
            rows.warm(batch.iter().map(Entry::row));
            rows.warm(batch.iter().map(Entry::keeper));
            for entry in batch {
                self.line(entry, &mut writer)?;
            }
        }
        writer.flush().map_err(failed)?;
        drop(writer);
        self.most = self.most.max(text.len() + text.len() / 8);
        Ok(text)
    }

    fn line(&mut self, entry: &Entry, writer: &mut Writer<&mut Vec<u8>>) -> Result<(), Failure> {
        let row = self.row.row(entry.row())?;
        let path = row.canonical_path();
        let plain = Row { path: &path, dest: None, keep: None, note: None, ..row };
        let stays_first = entry.row() == entry.keeper();
        let written = if self.job.options.mode == Mode::Unique || stays_first {
            writer.write_row(&plain)
        } else {
            let keeper = self.keeper.row(entry.keeper())?;
            let keep = keeper.canonical_path();
            let (dest, note) = (&mut self.dest, &mut self.note);
            note.clear();
            let goes = entry.has(Mark::GOES);
            if goes {
                self.destinations.write(entry, row.path, dest);
                push_keeper_note(keeper.mtime, keeper.id, note);
            } else {
                note.extend_from_slice(reason_to_stay(entry.has(Mark::PROTECTED), row.id, keeper.id));
            }
            writer.write_row(&Row {
                dest: goes.then_some(dest),
                keep: Some(&keep),
                note: (!note.is_empty()).then_some(note),
                ..plain
            })
        };
        written.map_err(|error| Failure::output(&error))
    }
}

/// Why a member of a group stays that is not the one to keep.
pub(super) fn reason_to_stay(is_protected: bool, id: Option<FileId>, keeper: Option<FileId>) -> &'static [u8] {
    if is_protected {
        b"stays: protected"
    } else if id.is_some() && id == keeper {
        b"stays: another name of the keeper"
    } else {
        b"stays: another name of a protected file"
    }
}
