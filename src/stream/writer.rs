//! Writing records as TSV or CSV.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde::ser::{Error as _, Serialize, SerializeStruct as _, Serializer};

use crate::escape;
use crate::record::{COLUMNS, ContentHash, FileId, INDEX_COLUMNS, Record, Timestamp, push_decimal};
use crate::stream::line::{Dialect, Row};

/// How a stream is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// TSV or CSV.
    pub dialect: Dialect,
    /// Whether the column names come first.
    pub header: bool,
}

impl Default for Format {
    fn default() -> Self {
        Self { dialect: Dialect::Tsv, header: false }
    }
}

/// Writes records, the first `columns` of each.
#[derive(Debug)]
pub struct Writer<W: Write> {
    sink: Sink<W>,
    columns: usize,
    line: Vec<u8>,
}

#[derive(Debug)]
enum Sink<W: Write> {
    Tsv(W),
    Csv(Box<csv::Writer<W>>),
}

impl<W: Write> Writer<W> {
    /// Starts a stream of `columns` columns on `out`, with its header if the format wants one.
    ///
    /// # Errors
    /// What `out` gives.
    pub fn new(out: W, format: Format, columns: usize) -> io::Result<Self> {
        let sink = match format.dialect {
            Dialect::Tsv => Sink::Tsv(out),
            Dialect::Csv => Sink::Csv(Box::new(csv::WriterBuilder::new().has_headers(false).from_writer(out))),
        };
        let mut writer = Self { sink, columns, line: Vec::new() };
        if format.header {
            writer.header()?;
        }
        Ok(writer)
    }

    fn header(&mut self) -> io::Result<()> {
        let names = &COLUMNS[..self.columns];
        match &mut self.sink {
            Sink::Tsv(out) => writeln!(out, "{}", names.join("\t")),
            Sink::Csv(out) => out.write_record(names).map_err(cause),
        }
    }

    /// Writes one record.
    ///
    /// # Errors
    /// What the output gives.
    pub fn write(&mut self, record: &Record) -> io::Result<()> {
        match &mut self.sink {
            Sink::Tsv(out) => {
                self.line.clear();
                tsv_line(record, self.columns, &mut self.line);
                out.write_all(&self.line)
            }
            Sink::Csv(out) => out.serialize(Columns { record, columns: self.columns }).map_err(cause),
        }
    }

    /// Writes one row, whose texts are taken to be escaped as [`escape::escape`] does it.
    ///
    /// # Errors
    /// What the output gives.
    pub fn write_row(&mut self, row: &Row<'_>) -> io::Result<()> {
        self.line.clear();
        match &mut self.sink {
            Sink::Tsv(out) => {
                push_row(row, self.columns, &mut self.line);
                out.write_all(&self.line)
            }
            Sink::Csv(out) => {
                for column in 0..self.columns {
                    self.line.clear();
                    push_row_column(row, column, &mut self.line);
                    out.write_field(&self.line).map_err(cause)?;
                }
                out.write_record(None::<&[u8]>).map_err(cause)
            }
        }
    }

    /// Writes one record that stands in a TSV line already, with as many columns as there are.
    ///
    /// # Errors
    /// What the output gives.
    pub fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        match &mut self.sink {
            Sink::Tsv(out) => out.write_all(line).and_then(|()| out.write_all(b"\n")),
            Sink::Csv(out) => out.write_record(line.split(|byte| *byte == b'\t')).map_err(cause),
        }
    }

    /// Hands on everything that was written.
    ///
    /// # Errors
    /// What the output gives.
    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.sink {
            Sink::Tsv(out) => out.flush(),
            Sink::Csv(out) => out.flush(),
        }
    }
}

/// The system's own error, by which a closed pipe is known.
fn cause(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// The first columns of a record under their names, each as the escaped text that stands in a stream.
struct Columns<'a> {
    record: &'a Record,
    columns: usize,
}

impl Serialize for Columns<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_struct("Record", self.columns)?;
        let mut text = Vec::new();
        for (column, name) in COLUMNS.iter().enumerate().take(self.columns) {
            text.clear();
            push_column(self.record, column, &mut text);
            row.serialize_field(name, std::str::from_utf8(&text).map_err(S::Error::custom)?)?;
        }
        row.end()
    }
}

/// Appends the first `columns` columns of `record` as a TSV line with its newline.
pub fn tsv_line(record: &Record, columns: usize, line: &mut Vec<u8>) {
    for column in 0..columns {
        if column > 0 {
            line.push(b'\t');
        }
        push_column(record, column, line);
    }
    line.push(b'\n');
}

/// Appends the first `columns` columns of `row` as a TSV line with its newline.
fn push_row(row: &Row<'_>, columns: usize, line: &mut Vec<u8>) {
    let mut written = 0;
    if let Some(plain) = row.plain.filter(|_| columns >= INDEX_COLUMNS) {
        line.extend_from_slice(plain);
        written = INDEX_COLUMNS;
    }
    for column in written..columns {
        if column > 0 {
            line.push(b'\t');
        }
        push_row_column(row, column, line);
    }
    line.push(b'\n');
}

fn push_row_column(row: &Row<'_>, column: usize, line: &mut Vec<u8>) {
    match column {
        0 => line.extend_from_slice(row.path),
        1 => push_hash(row.hash, line),
        2 => push_decimal(row.size, line),
        3 => push_time(row.mtime, line),
        4 => push_id(row.id, line),
        5 => line.extend_from_slice(row.dest.unwrap_or(b"-")),
        6 => line.extend_from_slice(row.keep.unwrap_or(b"-")),
        _ => line.extend_from_slice(row.note.unwrap_or(b"-")),
    }
}

fn push_column(record: &Record, column: usize, line: &mut Vec<u8>) {
    match column {
        0 => push_path(Some(&record.path), line),
        1 => push_hash(record.hash, line),
        2 => push_decimal(record.size, line),
        3 => push_time(record.mtime, line),
        4 => push_id(record.id, line),
        5 => push_path(record.dest.as_deref(), line),
        6 => push_path(record.keep.as_deref(), line),
        _ => push_note(record.note.as_deref(), line),
    }
}

fn push_hash(hash: Option<ContentHash>, line: &mut Vec<u8>) {
    match hash {
        Some(hash) => line.extend_from_slice(&hash.to_hex()),
        None => line.push(b'-'),
    }
}

/// Appends a time as the stream has it, or `-`.
pub(crate) fn push_time(time: Option<Timestamp>, line: &mut Vec<u8>) {
    match time {
        None => line.push(b'-'),
        Some(Timestamp { seconds, nanoseconds }) if seconds >= 0 => {
            push_decimal(seconds.unsigned_abs(), line);
            let start = line.len();
            push_decimal(1_000_000_000 + u64::from(nanoseconds), line);
            // The leading 1 that kept the zeros gives its place to the point.
            line[start] = b'.';
        }
        // Writing to a vector cannot fail.
        Some(time) => drop(write!(line, "{time}")),
    }
}

/// Appends an id as the stream has it, or `-`.
pub(crate) fn push_id(id: Option<FileId>, line: &mut Vec<u8>) {
    match id {
        None => line.push(b'-'),
        Some(FileId { host, dev, ino }) => {
            if let Some(host) = host {
                line.extend_from_slice(host.name().as_bytes());
                line.push(b'/');
            }
            push_decimal(dev, line);
            line.push(b':');
            push_decimal(ino, line);
        }
    }
}

/// A path that would read as unknown is written `./-`.
fn push_path(path: Option<&Path>, line: &mut Vec<u8>) {
    match path.map(|path| OsStr::as_bytes(path.as_os_str())) {
        None => line.push(b'-'),
        Some(b"-") => line.extend_from_slice(b"./-"),
        Some(bytes) => escape::escape_into(bytes, line),
    }
}

/// A note that would read as unknown says nothing, so it may as well be unknown.
fn push_note(note: Option<&[u8]>, line: &mut Vec<u8>) {
    match note {
        None | Some(b"") => line.push(b'-'),
        Some(bytes) => escape::escape_into(bytes, line),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A row as it stands in an index.
    pub(in crate::stream) fn index_line(row: &Row<'_>) -> Vec<u8> {
        let mut line = Vec::new();
        push_row(row, INDEX_COLUMNS, &mut line);
        line
    }

    #[test]
    fn numbers_are_written_as_they_are_shown() {
        for value in [0, 9, 10, 1_000_000_007, u64::MAX] {
            let mut line = Vec::new();
            push_decimal(value, &mut line);
            assert_eq!(line, value.to_string().as_bytes());
        }
        for (seconds, nanoseconds) in [(0, 0), (0, 7), (1_700_000_000, 999_999_999), (-1, 500_000_000), (-2, 0)] {
            let time = Timestamp { seconds, nanoseconds };
            let mut line = Vec::new();
            push_time(Some(time), &mut line);
            assert_eq!(line, time.to_string().as_bytes());
        }
    }
}
