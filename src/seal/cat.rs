//! The records of all volumes, those on shelves included.

use std::io::{self, BufWriter};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::Job;
use crate::cli::Failure;
use crate::escape;
use crate::record::INDEX_COLUMNS;
use crate::report::{self, shown};
use crate::stream::{Row, Table, Writer};
use crate::volume::archive::{Archive, Standing};

/// Where there is no archive, nothing is archived; but a misspelled one must not say so.
pub(super) fn check_archive(dir: &Path) -> Result<(), Failure> {
    let reason = match dir.metadata() {
        Ok(status) if status.is_dir() => return Ok(()),
        Ok(_) => rustix::io::Errno::NOTDIR.into(),
        Err(error) => error,
    };
    Err(Failure::Stop(format!("opening the archive: {}: {}", shown(dir), report::reason(&reason))))
}

/// Writes them to standard output, in the order of the volumes, with paths below the archive as it was given.
///
/// # Errors
/// [`Failure`] where a listing cannot be read, or the output fails.
pub(super) fn write(job: &Job<'_>) -> Result<(), Failure> {
    let dir = &job.options.archive;
    check_archive(dir)?;
    let archive = Archive::survey(dir)?;
    let failed = |error: io::Error| Failure::output(&error);
    let out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut writer = Writer::new(out, job.options.common.format(), INDEX_COLUMNS).map_err(failed)?;
    let mut prefix = escape::escape(dir.as_os_str().as_bytes()).into_bytes();
    if !prefix.ends_with(b"/") {
        prefix.push(b'/');
    }
    for (number, traces) in &archive.volumes {
        if traces.has_listing {
            let table = Table::open(&[number.listing(dir).into_os_string()])?;
            write_table(&table, &prefix, &mut writer, job)?;
        } else if matches!(traces.standing(), Standing::Open | Standing::HalfSealed | Standing::Sealed) {
            let crawl = format!("ms-crawl {}", shown(&number.dir(dir)));
            job.reporter.warn(&format!(
                "volume {number}: not sealed to the end, so its files are not listed; {crawl} lists them"
            ));
        }
        if job.interrupt.came() {
            break;
        }
    }
    writer.flush().map_err(failed)
}

fn write_table<W: io::Write>(
    table: &Table,
    prefix: &[u8],
    writer: &mut Writer<W>,
    job: &Job<'_>,
) -> Result<(), Failure> {
    let mut faults = Vec::new();
    let mut path = Vec::new();
    for mut part in table.parts(1) {
        while let Some((at, row)) = part.next_row() {
            match row {
                Ok(row) => {
                    path.clear();
                    path.extend_from_slice(prefix);
                    path.extend_from_slice(row.path);
                    let row = Row { path: &path, id: None, dest: None, keep: None, note: None, plain: None, ..row };
                    writer.write_row(&row).map_err(|error| Failure::output(&error))?;
                }
                Err(fault) => faults.push((at, fault)),
            }
        }
    }
    table.check_whole()?;
    table.judge(&faults, job.options.skip_bad_lines, job.reporter)
}
