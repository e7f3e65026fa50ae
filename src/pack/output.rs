//! The plan, in the order of volumes and paths.

use std::borrow::Cow;
use std::io::Write;

use super::fill::Volume;
use super::{Job, Plan};
use crate::cli::Failure;
use crate::escape;
use crate::record::COLUMNS;
use crate::stream::table::RowReader;
use crate::stream::{Format, Row, Writer};
use crate::threads::{in_order, sort_by};
use crate::volume::planned::Planned;

/// So many records are rendered at once.
const CHUNK: usize = 512;

/// An item with its volume, by their places, and which row of that volume it is.
#[derive(Debug, Clone, Copy)]
struct Line {
    volume: u32,
    item: u32,
    row: u64,
}

/// Writes the plan to `out`.
///
/// # Errors
/// When the output fails, or a stream was changed meanwhile.
pub(super) fn write(plan: &Plan, job: &Job<'_>, out: &mut dyn Write) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::output(&error);
    let format = job.options.common.format();
    Writer::new(&mut *out, format, COLUMNS.len()).and_then(|mut header| header.flush()).map_err(failed)?;
    let lines = lines(plan, job);
    let hire = || {
        let mut renderer = Renderer { plan, job, rows: RowReader::default(), dest: Vec::new(), note: Vec::new() };
        move |chunk: &[Line]| renderer.render(chunk)
    };
    in_order(job.jobs, &lines.chunks(CHUNK), hire, |text| -> Result<bool, Failure> {
        out.write_all(&text?).map_err(failed)?;
        Ok(!job.interrupt.came())
    })?;
    out.flush().map_err(failed)
}

/// All lines, in order.
fn lines(plan: &Plan, job: &Job<'_>) -> Vec<Line> {
    let items = (0_u32..).zip(&plan.packing.volume_of);
    let mut lines: Vec<Line> =
        items.filter_map(|(item, volume)| volume.map(|volume| Line { volume, item, row: 0 })).collect();
    let item = |line: &Line| &plan.items.list[line.item as usize];
    sort_by(&mut lines, job.jobs, |one, other| {
        one.volume.cmp(&other.volume).then_with(|| plan.items.by_path(item(one), item(other), &plan.tree))
    });
    for volume in lines.chunk_by_mut(|one, other| one.volume == other.volume) {
        for (line, row) in volume.iter_mut().zip(1..) {
            line.row = row;
        }
    }
    lines
}

/// Turns lines into text.
struct Renderer<'a> {
    plan: &'a Plan,
    job: &'a Job<'a>,
    rows: RowReader,
    dest: Vec<u8>,
    note: Vec<u8>,
}

impl Renderer<'_> {
    fn render(&mut self, chunk: &[Line]) -> Result<Vec<u8>, Failure> {
        let mut text = Vec::with_capacity(chunk.len() * 256);
        let format = Format { header: false, ..self.job.options.common.format() };
        let failed = |error: std::io::Error| Failure::output(&error);
        let mut writer = Writer::new(&mut text, format, COLUMNS.len()).map_err(failed)?;
        self.job.table.warm(chunk.iter().map(|line| self.plan.items.list[line.item as usize].at), 192);
        for line in chunk {
            self.line(line, &mut writer)?;
        }
        writer.flush().map_err(failed)?;
        drop(writer);
        Ok(text)
    }

    fn line(&mut self, line: &Line, writer: &mut Writer<&mut Vec<u8>>) -> Result<(), Failure> {
        let item = &self.plan.items.list[line.item as usize];
        let volume = &self.plan.packing.volumes[line.volume as usize];
        self.describe(line, volume);
        let table = self.job.table;
        let row = table.row(item.at, &mut self.rows);
        let row = row.map_err(|fault| Failure::Stop(format!("reading: {}: {fault}", table.describe(item.at))))?;
        let path = canonical(&row);
        let row = Row { path: &path, dest: Some(&self.dest), keep: None, note: Some(&self.note), ..row };
        writer.write_row(&row).map_err(|error| Failure::output(&error))
    }

    /// Its destination and its note.
    fn describe(&mut self, line: &Line, volume: &Volume) {
        let (dest, note) = (&mut self.dest, &mut self.note);
        dest.clear();
        note.clear();
        let Some(number) = volume.number else { return };
        let options = self.job.options;
        let mut path = number.dir(&options.to).into_os_string().into_encoded_bytes();
        path.push(b'/');
        let item = &self.plan.items.list[line.item as usize];
        path.extend_from_slice(&self.plan.items.below(item, &self.plan.tree));
        escape::escape_into(&path, dest);
        let planned = Planned { volume: number, row: line.row, rows: volume.planned.files, disc: options.disc };
        planned.push(note);
    }
}

/// A row's escaped path in the one form that is written.
fn canonical<'a>(row: &Row<'a>) -> Cow<'a, [u8]> {
    if row.plain.is_some() {
        return Cow::Borrowed(row.path);
    }
    let bytes = row.path_bytes();
    if *bytes == *b"-" {
        return Cow::Borrowed(b"./-");
    }
    Cow::Owned(escape::escape(&bytes).into_bytes())
}
