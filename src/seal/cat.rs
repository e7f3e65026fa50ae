//! The records of all sealed volumes, also of those whose directories are gone.

use std::io::{BufWriter, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::{Job, sealed};
use crate::cli::Failure;
use crate::escape;
use crate::record::{INDEX_COLUMNS, Record};
use crate::report::{self, shown};
use crate::stream::Writer;
use crate::volume::Number;
use crate::volume::archive::{Archive, Standing, Traces};

/// How much is written at a time, in bytes.
const BUFFER: usize = 256 << 10;

/// So many records are written between two looks whether a signal has come.
const CHUNK: u64 = 4096;

/// Writes them to `out`, with paths by which the archive was named.
///
/// # Errors
/// [`Failure`] where the archive cannot be looked at, or the output fails.
pub(super) fn write(job: &Job<'_>, out: &mut dyn Write) -> Result<(), Failure> {
    let archive = Archive::survey(&job.options.archive)?;
    archive.refuse_dates("listing")?;
    let out = BufWriter::with_capacity(BUFFER, out);
    let failed = |error| Failure::output(&error);
    let writer = Writer::new(out, job.options.common.format(), INDEX_COLUMNS).map_err(failed)?;
    let mut cat = Cat { job, archive: &archive, writer, volumes: 0, records: 0 };
    for (number, traces) in &archive.volumes {
        if job.interrupt.came() {
            break;
        }
        cat.volume(*number, *traces)?;
    }
    cat.writer.flush().map_err(failed)?;
    let (records, volumes) = (report::count(cat.records, "record"), report::count(cat.volumes, "volume"));
    let begin = if job.interrupt.came() { "interrupted after " } else { "" };
    job.reporter.summary(&format!("{begin}{records} of {volumes}"));
    Ok(())
}

struct Cat<'a, W: Write> {
    job: &'a Job<'a>,
    archive: &'a Archive,
    writer: Writer<W>,
    volumes: u64,
    records: u64,
}

impl<W: Write> Cat<'_, W> {
    fn volume(&mut self, number: Number, traces: Traces) -> Result<(), Failure> {
        let dir = number.dir(&self.archive.dir);
        if traces.is_missing() {
            let reason = "its directory is gone and no disc of it is known, so its records are left out";
            self.job.reporter.failed("listing", &dir, &reason);
            return Ok(());
        }
        if traces.has_listing {
            return self.listing(&number.listing(&self.archive.dir));
        }
        let archive = shown(&self.archive.dir);
        match traces.standing() {
            Standing::Open | Standing::HalfSealed => {
                self.warn(&dir, "it is not sealed, so it has no listing; ms-crawl lists it");
            }
            Standing::Sealed if traces.has_seal => {
                self.warn(&dir, &format!("it has no listing yet; ms-seal {archive} < /dev/null makes it"));
                return self.index(number, traces);
            }
            Standing::Sealed => {
                self.job.reporter.failed("listing", &dir, &"its listing is missing, and so is the volume");
            }
            Standing::Lost => {}
        }
        Ok(())
    }

    fn warn(&self, dir: &Path, reason: &str) {
        self.job.reporter.warn(&format!("listing: {}: {reason}", shown(dir)));
    }

    /// What the volume itself tells, where the archive does not.
    fn index(&mut self, number: Number, traces: Traces) -> Result<(), Failure> {
        let dir = number.dir(&self.archive.dir);
        let records = match sealed::records(self.archive, number, traces) {
            Ok(records) => records.unwrap_or_default(),
            Err(Failure::Stop(problem)) => {
                self.job.reporter.failed_text("listing", &shown(&dir), &problem);
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        if !sealed::check_files(&dir, &records, false, self.job.reporter) {
            return Ok(());
        }
        self.volumes += 1;
        for record in records {
            let record = Record { path: dir.join(&record.path), id: None, ..record };
            self.writer.write(&record).map_err(|error| Failure::output(&error))?;
            self.records += 1;
            if self.records.is_multiple_of(CHUNK) && self.job.interrupt.came() {
                break;
            }
        }
        Ok(())
    }

    /// A listing that cannot be read, or is cut off, is named, and the others go on.
    fn listing(&mut self, listing: &Path) -> Result<(), Failure> {
        let held = sealed::held(listing).and_then(|held| held.check_last_line().map(|()| held));
        let held = match held {
            Ok(held) => held,
            Err(Failure::Stop(problem)) => {
                self.job.reporter.failed_text("listing", &shown(listing), &problem);
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        self.volumes += 1;
        let mut line = Vec::new();
        escape::escape_into(self.archive.dir.join("").as_os_str().as_bytes(), &mut line);
        let prefix = line.len();
        for record in held.bytes().split_inclusive(|byte| *byte == b'\n') {
            line.truncate(prefix);
            line.extend_from_slice(record.strip_suffix(b"\n").unwrap_or(record));
            self.writer.write_line(&line).map_err(|error| Failure::output(&error))?;
            self.records += 1;
            if self.records.is_multiple_of(CHUNK) && self.job.interrupt.came() {
                break;
            }
        }
        if held.is_changed() {
            return Err(Failure::Stop(format!("reading: {}: it was changed meanwhile", held.name())));
        }
        Ok(())
    }
}
