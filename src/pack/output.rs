//! The plan, in the order of volumes and paths.

use std::io::Write;
use std::path::Path;

use super::fill::{Packing, Volume};
use super::item::Item;
use super::tree::DirId;
use super::{Job, Plan};
use crate::cli::Failure;
use crate::escape;
use crate::record::COLUMNS;
use crate::report;
use crate::stream::table::RowReader;
use crate::stream::{Format, Row, Writer};
use crate::threads::in_order;
use crate::volume::planned::Planned;

/// So many records are rendered at once.
const CHUNK: usize = 512;

/// An item with its volume, by their places, and which row of that volume it is.
#[derive(Debug, Clone, Copy)]
struct Line {
    volume: u32,
    item: u32,
    row: u32,
}

/// Writes the plan to `out`.
///
/// # Errors
/// When the output fails, or a stream was changed meanwhile.
pub(super) fn write(plan: &Plan, job: &Job<'_>, out: &mut dyn Write) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::output(&error);
    let format = job.options.common.format();
    Writer::new(&mut *out, format, COLUMNS.len()).and_then(|mut header| header.flush()).map_err(failed)?;
    let lines = lines(plan);
    let archive = match job.options.host {
        None => job.options.to.clone(),
        Some(host) => host.locate(&std::path::absolute(&job.options.to).map_err(|error| no_directory(&error))?),
    };
    let homes: Vec<Vec<u8>> = plan.packing.volumes.iter().map(|volume| home(volume, &archive)).collect();
    let hire = || {
        let mut renderer = Renderer::new(plan, job, &homes);
        move |chunk: &[Line]| renderer.render(chunk)
    };
    in_order(job.jobs, &lines.chunks(CHUNK), hire, |text| -> Result<bool, Failure> {
        out.write_all(&text?).map_err(failed)?;
        Ok(!job.interrupt.came())
    })?;
    out.flush().map_err(failed)
}

/// All lines by volume, those of each by path, which is the order of the items.
fn lines(plan: &Plan) -> Vec<Line> {
    let Packing { volumes, volume_of, .. } = &plan.packing;
    let mut next = Vec::with_capacity(volumes.len());
    let mut count = 0;
    for volume in volumes {
        next.push((count, 1));
        count += usize::try_from(volume.planned.files).unwrap_or(usize::MAX);
    }
    let mut lines = vec![Line { volume: 0, item: 0, row: 0 }; count];
    for (item, volume) in (0..).zip(volume_of) {
        let Some(volume) = *volume else { continue };
        let (place, row) = &mut next[volume as usize];
        lines[*place] = Line { volume, item, row: *row };
        *place += 1;
        *row += 1;
    }
    lines
}

fn no_directory(error: &std::io::Error) -> Failure {
    Failure::Stop(format!("finding the working directory: {}", report::reason(error)))
}

/// The escaped path of a volume, with the slash behind it.
fn home(volume: &Volume, archive: &Path) -> Vec<u8> {
    let dir = volume.number.map(|number| number.dir(archive)).unwrap_or_default();
    let mut home = escape::escape(dir.as_os_str().as_encoded_bytes()).into_bytes();
    home.push(b'/');
    home
}

/// Turns lines into text.
struct Renderer<'a> {
    plan: &'a Plan,
    job: &'a Job<'a>,
    homes: &'a [Vec<u8>],
    rows: RowReader,
    /// The volume and the directory of the last line, and the escaped path of that directory in that volume.
    last: Option<(u32, DirId)>,
    dir: Vec<u8>,
    dest: Vec<u8>,
    note: Vec<u8>,
}

impl<'a> Renderer<'a> {
    fn new(plan: &'a Plan, job: &'a Job<'a>, homes: &'a [Vec<u8>]) -> Self {
        let rows = RowReader::default();
        Self { plan, job, homes, rows, last: None, dir: Vec::new(), dest: Vec::new(), note: Vec::new() }
    }

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
        self.describe(line, item);
        let table = self.job.table;
        let row = table.row(item.at, &mut self.rows);
        let row = row.map_err(|fault| Failure::Stop(format!("reading: {}: {fault}", table.describe(item.at))))?;
        let path = row.canonical_path();
        let row = Row { path: &path, dest: Some(&self.dest), keep: None, note: Some(&self.note), ..row };
        writer.write_row(&row).map_err(|error| Failure::output(&error))
    }

    /// Its destination and its note.
    fn describe(&mut self, line: &Line, item: &Item) {
        let Plan { items, tree, packing, .. } = self.plan;
        let volume = &packing.volumes[line.volume as usize];
        let (dest, note) = (&mut self.dest, &mut self.note);
        dest.clear();
        note.clear();
        if self.last != Some((line.volume, item.dir)) {
            self.last = Some((line.volume, item.dir));
            self.dir.clone_from(&self.homes[line.volume as usize]);
            // What one byte becomes does not depend on the next, where a slash stands between them.
            escape::escape_into(&tree.below(item.dir, b""), &mut self.dir);
        }
        dest.extend_from_slice(&self.dir);
        let name = items.name(item);
        if item.is_plain() {
            dest.extend_from_slice(name);
        } else {
            escape::escape_into(name, dest);
        }
        if let Some(volume_number) = volume.number {
            let (row, rows) = (line.row.into(), volume.planned.files);
            Planned { volume: volume_number, row, rows, disc: self.job.options.disc }.push(note);
        }
    }
}
