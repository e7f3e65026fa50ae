//! The records of what was moved, handed on one by one.

use std::io::{self, BufWriter, Stdout};
use std::path::{Path, PathBuf};

use super::Options;
use super::trouble::Stopped;
use crate::cli::Failure;
use crate::host::Host;
use crate::place;
use crate::plan::Step;
use crate::record::{COLUMNS, Record};
use crate::stream::Writer;

use super::mover::Outcome;

/// Standard output, where whoever reads it sees each record as soon as its file has moved.
#[derive(Debug)]
pub(super) struct Output {
    writer: Writer<BufWriter<Stdout>>,
    home: Option<Home>,
}

/// What records say of this host: its name, and where relative paths hold.
#[derive(Debug)]
struct Home {
    host: Host,
    working_dir: PathBuf,
}

impl Home {
    fn locate(&self, path: &Path) -> PathBuf {
        self.host.locate(&place::absolute(path, &self.working_dir))
    }
}

impl Output {
    pub(super) fn new(options: &Options) -> Result<Self, Failure> {
        let out = BufWriter::new(io::stdout());
        let writer = Writer::new(out, options.common.format(), COLUMNS.len());
        let writer = writer.map_err(|error| Failure::output(&error))?;
        let working_dir = || super::locator().map(|locator| locator.working_dir().to_owned());
        let home = options.host.map(|host| working_dir().map(|working_dir| Home { host, working_dir })).transpose()?;
        Ok(Self { writer, home })
    }

    /// Where this host has a name, the record names it again, so that it has a place in a stream of several hosts.
    pub(super) fn write(&mut self, record: &Record) -> Result<(), Stopped> {
        let located = self.home.as_ref().map(|home| Record {
            path: home.locate(&record.path),
            id: record.id.map(|id| id.on(Some(home.host))),
            dest: record.dest.as_deref().map(|dest| home.locate(dest)),
            ..record.clone()
        });
        let written = self.writer.write(located.as_ref().unwrap_or(record)).and_then(|()| self.writer.flush());
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
