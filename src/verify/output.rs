//! Writing the records that hold, or the others with the reason.

use std::io::Write;

use super::Options;
use super::claim::{Claim, Verdict};
use super::input::Input;
use crate::cli::Failure;
use crate::record::{COLUMNS, INDEX_COLUMNS};
use crate::stream::line::Dialect;
use crate::stream::table::RowReader;
use crate::stream::{Row, Writer};

/// Where records go.
pub(super) struct Output<W: Write> {
    writer: Writer<W>,
    /// Whether to write what failed, and not what holds.
    failed: bool,
    /// Whether a line may stand as it came, however many columns it has.
    is_free: bool,
    reader: RowReader,
    input: usize,
}

impl<W: Write> Output<W> {
    /// `is_wide` tells whether some record has more columns than those of an index.
    pub(super) fn new(out: W, options: &Options, is_wide: bool) -> Result<Self, Failure> {
        let format = options.common.format();
        let columns = if options.failed || is_wide { COLUMNS.len() } else { INDEX_COLUMNS };
        let writer = Writer::new(out, format, columns).map_err(|error| Failure::output(&error))?;
        let is_free = format.dialect == Dialect::Tsv && !format.header;
        Ok(Self { writer, failed: options.failed, is_free, reader: RowReader::default(), input: 0 })
    }

    pub(super) fn take(&mut self, claim: &Claim, verdict: &Verdict, input: &Input) -> Result<(), Failure> {
        let reason = verdict.result.as_ref().err().map(|(reason, _)| *reason);
        if reason.is_some() != self.failed {
            return Ok(());
        }
        if reason.is_none()
            && self.is_free
            && input.has_sizes
            && let Some(line) = input.table.tsv_line(claim.row)
        {
            return self.writer.write_line(known_columns(line)).map_err(|error| Failure::output(&error));
        }
        if self.input != claim.input {
            (self.reader, self.input) = (RowReader::default(), claim.input);
        }
        let mut row = input.table.row(claim.row, &mut self.reader).map_err(|fault| {
            let place = input.table.describe(claim.row);
            Failure::Stop(format!("reading: {place}: it was changed while it was read: {fault}"))
        })?;
        if !input.has_sizes {
            row = as_found(row, verdict);
        }
        row.note = reason.map_or(row.note, |reason| Some(reason.name().as_bytes()));
        self.writer.write_row(&row).map_err(|error| Failure::output(&error))
    }

    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.writer.flush().map_err(|error| Failure::output(&error))
    }
}

/// Of a record that tells no more than a hash, the file itself tells the rest.
fn as_found<'a>(row: Row<'a>, verdict: &Verdict) -> Row<'a> {
    let status = verdict.status;
    Row {
        size: status.map_or(0, |status| status.size),
        mtime: status.map(|status| status.mtime),
        id: status.map(|status| status.id),
        plain: None,
        ..row
    }
}

/// What stands before the tab after the last column that has a meaning.
fn known_columns(line: &[u8]) -> &[u8] {
    let end = memchr::memchr_iter(b'\t', line).nth(COLUMNS.len() - 1);
    &line[..end.unwrap_or(line.len())]
}
