//! Writing records as TSV or CSV.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use serde::ser::{Error as _, Serialize, SerializeStruct as _, Serializer};

use crate::escape;
use crate::record::{COLUMNS, Record};
use crate::stream::line::Dialect;

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

fn push_column(record: &Record, column: usize, line: &mut Vec<u8>) {
    match column {
        0 => push_path(Some(&record.path), line),
        1 => match record.hash {
            Some(hash) => line.extend_from_slice(&hash.to_hex()),
            None => line.push(b'-'),
        },
        2 => push_shown(Some(record.size), line),
        3 => push_shown(record.mtime, line),
        4 => push_shown(record.id, line),
        5 => push_path(record.dest.as_deref(), line),
        6 => push_path(record.keep.as_deref(), line),
        _ => push_note(record.note.as_deref(), line),
    }
}

fn push_shown(value: Option<impl std::fmt::Display>, line: &mut Vec<u8>) {
    match value {
        // Writing to a vector cannot fail.
        Some(value) => drop(write!(line, "{value}")),
        None => line.push(b'-'),
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
