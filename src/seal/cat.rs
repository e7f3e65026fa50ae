//! The records of all sealed volumes, also of those whose directories are gone.

use std::ffi::OsStr;
use std::io::{BufWriter, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::{Job, sealed};
use crate::cli::Failure;
use crate::escape;
use crate::record::{INDEX_COLUMNS, Record};
use crate::report::{self, shown};
use crate::stream::{Faults, Row, Table, Writer};
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
    let home = match job.options.host {
        None => archive.dir.clone(),
        Some(host) => host.locate(&std::path::absolute(&archive.dir).map_err(|error| no_directory(&error))?),
    };
    let mut cat = Cat { job, archive: &archive, home, writer, volumes: 0, records: 0 };
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

fn no_directory(error: &std::io::Error) -> Failure {
    Failure::Stop(format!("finding the working directory: {}", report::reason(error)))
}

struct Cat<'a, W: Write> {
    job: &'a Job<'a>,
    archive: &'a Archive,
    /// The archive, as the paths of records have it.
    home: PathBuf,
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
            return self.listing(number);
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
        let home = number.dir(&self.home);
        for record in records {
            let record = Record { path: home.join(&record.path), id: None, ..record };
            self.writer.write(&record).map_err(|error| Failure::output(&error))?;
            self.records += 1;
            if self.records.is_multiple_of(CHUNK) && self.job.interrupt.came() {
                break;
            }
        }
        Ok(())
    }

    /// A listing that cannot be read, or is cut off, is named, and the others go on; and so is a line that is no record of this
    /// volume, for somebody may have been at it by hand.
    fn listing(&mut self, number: Number) -> Result<(), Failure> {
        let listing = number.listing(&self.archive.dir);
        let table = match sealed::held(&listing).and_then(Table::of) {
            Ok(table) => table,
            Err(Failure::Stop(problem)) => {
                self.job.reporter.failed_text("listing", &shown(&listing), &problem);
                return Ok(());
            }
            Err(other) => return Err(other),
        };
        self.volumes += 1;
        let mut path = escape::escape(self.home.join("").as_os_str().as_bytes()).into_bytes();
        let (prefix, volume) = (path.len(), PathBuf::from(number.to_string()));
        let mut faults = Faults::new(true);
        'all: for mut part in table.parts(1) {
            while let Some((at, row)) = part.next_row() {
                let Ok(row) = row else {
                    faults.push(at);
                    continue;
                };
                if sealed::below(Path::new(OsStr::from_bytes(&row.path_bytes())), Some(&volume)).is_none() {
                    let place = format!("{}: {}", table.describe(at), escape::for_people(&row.path_bytes()));
                    self.job.reporter.failed_text("reading", &place, &sealed::LEADS_OUT);
                    continue;
                }
                path.truncate(prefix);
                path.extend_from_slice(&row.canonical_path());
                let row = Row { path: &path, id: None, dest: None, keep: None, note: None, plain: None, ..row };
                self.writer.write_row(&row).map_err(|error| Failure::output(&error))?;
                self.records += 1;
                if self.records.is_multiple_of(CHUNK) && self.job.interrupt.came() {
                    break 'all;
                }
            }
        }
        table.judge(&faults, self.job.reporter)?;
        table.check_whole()
    }
}
