//! What was found, as records on standard output.

use std::fs::File;
use std::io::{self, BufWriter};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;

use super::{Found, Options, Sink};
use crate::cli::Failure;
use crate::host::Host;
use crate::record::INDEX_COLUMNS;
use crate::record::Record;
use crate::stream::{Row, Writer};

/// Writes an index stream, and counts.
#[derive(Debug)]
pub(super) struct Output {
    writer: Writer<BufWriter<File>>,
    /// Where the records are to be sorted: those that came so far.
    held: Option<Vec<Found>>,
    host: Option<Host>,
    files: u64,
    bytes: u64,
}

impl Output {
    pub(super) fn new(options: &Options) -> Result<Self, Failure> {
        // The standard library's own handle writes at every newline.
        let out = io::stdout().as_fd().try_clone_to_owned().map_err(|error| Failure::output(&error))?;
        let out = BufWriter::with_capacity(1 << 16, File::from(out));
        let writer =
            Writer::new(out, options.common.format(), INDEX_COLUMNS).map_err(|error| Failure::output(&error))?;
        Ok(Self { writer, held: options.sort.then(Vec::new), host: options.host, files: 0, bytes: 0 })
    }

    /// Writes whatever is still to be written.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        if let Some(mut held) = self.held.take() {
            held.sort_unstable_by(|a, b| a.path.as_os_str().as_bytes().cmp(b.path.as_os_str().as_bytes()));
            held.iter().try_for_each(|found| self.write(found))?;
        }
        self.flush()
    }

    /// Writes what an index says of a file in the words of its `line`, which ends with a newline.
    pub(super) fn write_line(&mut self, found: &Found, line: &[u8]) -> Result<(), Failure> {
        self.count(found.status.size);
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        self.writer.write_line(line).map_err(|error| Failure::output(&error))
    }

    /// Writes a row of an index.
    pub(super) fn write_row(&mut self, row: &Row<'_>) -> Result<(), Failure> {
        self.count(row.size);
        self.writer.write_row(row).map_err(|error| Failure::output(&error))
    }

    /// Whether the records are held until the end.
    pub(super) fn sorts(&self) -> bool {
        self.held.is_some()
    }

    /// How many files with how many bytes.
    pub(super) fn written(&self) -> (u64, u64) {
        (self.files, self.bytes)
    }

    /// Writes one file.
    pub(super) fn write(&mut self, found: &Found) -> Result<(), Failure> {
        self.count(found.status.size);
        self.writer.write(&to_record(found, self.host)).map_err(|error| Failure::output(&error))
    }

    fn count(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.writer.flush().map_err(|error| Failure::output(&error))
    }
}

impl Sink for Output {
    fn take(&mut self, found: Vec<Found>) -> Result<(), Failure> {
        match &mut self.held {
            Some(held) => held.extend(found),
            None => found.iter().try_for_each(|found| self.write(found))?,
        }
        Ok(())
    }

    /// Whoever reads along sees each record as soon as there is time for it.
    fn pause(&mut self) -> Result<(), Failure> {
        self.flush()
    }
}

/// The record of a file, whose path and id name its `host`, if that has a name.
pub(super) fn to_record(file: &Found, host: Option<Host>) -> Record {
    Record {
        path: host.map_or_else(|| file.path.clone(), |host| host.locate(&file.path)),
        hash: file.hash,
        size: file.status.size,
        mtime: Some(file.status.mtime),
        id: Some(file.status.id.on(host)),
        dest: None,
        keep: None,
        note: None,
    }
}
