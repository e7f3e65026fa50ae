//! The records of what was moved, handed on one by one.

use std::io::{self, BufWriter, Stdout};
use std::path::Path;

use super::trouble::Stopped;
use crate::cli::Failure;
use crate::plan::Step;
use crate::record::{COLUMNS, Record};
use crate::stream::{Format, Writer};

use super::mover::Outcome;

/// Standard output, where whoever reads it sees each record as soon as its file has moved.
#[derive(Debug)]
pub(super) struct Output {
    writer: Writer<BufWriter<Stdout>>,
}

impl Output {
    pub(super) fn new(format: Format) -> Result<Self, Failure> {
        let out = BufWriter::new(io::stdout());
        let writer = Writer::new(out, format, COLUMNS.len()).map_err(|error| Failure::output(&error))?;
        Ok(Self { writer })
    }

    pub(super) fn write(&mut self, record: &Record) -> Result<(), Stopped> {
        let written = self.writer.write(record).and_then(|()| self.writer.flush());
        written.map_err(|error| Stopped::Failed(Failure::output(&error)))
    }

    /// A header alone is output too.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        self.writer.flush().map_err(|error| Failure::output(&error))
    }
}

/// The record of a file that now stands at its destination; `origin` is where it came from, if it left there.
pub(super) fn record(step: &Step, outcome: &Outcome, origin: Option<&Path>) -> Record {
    Record {
        path: step.dest.clone(),
        hash: step.hash.or(outcome.hash),
        size: outcome.facts.size,
        mtime: Some(outcome.facts.mtime),
        id: Some(outcome.facts.id),
        dest: origin.map(Path::to_owned),
        keep: None,
        note: step.note.clone(),
    }
}
