//! Volumes that are sealed already: what is known of them, and what of it the archive does not remember yet.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::inventory::{self, Met};
use super::locked::Locked;
use super::tally::Tally;
use super::told::Account;
use super::{Job, stop};
use crate::cli::Failure;
use crate::record::Record;
use crate::report::shown;
use crate::stream::{Held, Table};
use crate::volume::archive::{Archive, Traces};
use crate::volume::image::Filesystem;
use crate::volume::{INDEX, Number, index};

/// The records of a sealed volume with paths below it, from its own index, or else from its listing; `None` where there is
/// neither.
///
/// # Errors
/// [`Failure::Stop`] where they cannot be read.
pub(super) fn records(archive: &Archive, number: Number, traces: Traces) -> Result<Option<Vec<Record>>, Failure> {
    let (table, above) = if traces.has_seal {
        let held = Held::open(number.dir(&archive.dir).join(INDEX).as_os_str())?;
        (Table::of(Held::made_from(held.name(), |out| index::to_stream(&held, out))?)?, PathBuf::from("."))
    } else if traces.has_listing {
        let listing = number.listing(&archive.dir);
        (Table::open(&[listing.into_os_string()])?, PathBuf::from(number.to_string()))
    } else {
        return Ok(None);
    };
    let mut records = Vec::new();
    for mut part in table.parts(1) {
        while let Some((at, row)) = part.next_row() {
            let row = row.map_err(|fault| Failure::Stop(format!("reading: {}: {fault}", table.describe(at))))?;
            let record = row.to_record();
            let path = record.path.strip_prefix(&above).unwrap_or(&record.path).to_owned();
            records.push(Record { path, ..record });
        }
    }
    table.check_whole()?;
    Ok(Some(records))
}

/// How much a sealed volume holds; `None` where nothing tells.
///
/// # Errors
/// [`Failure::Stop`] where its index cannot be read.
pub(super) fn tally(
    archive: &Archive,
    number: Number,
    traces: Traces,
    filesystem: Filesystem,
) -> Result<Option<Tally>, Failure> {
    let tally = |records: Vec<Record>| {
        let dirs = dirs(&number.dir(&archive.dir), traces, &records);
        Tally::of(filesystem, records.iter(), dirs.iter())
    };
    Ok(records(archive, number, traces)?.map(tally))
}

/// The directories of a volume: those that are there, or else those in which files were.
fn dirs(dir: &Path, traces: Traces, records: &[Record]) -> BTreeSet<PathBuf> {
    let mut dirs = BTreeSet::new();
    if traces.has_dir {
        inventory::walk(dir, |met| {
            if let Met::Dir(path) = met {
                dirs.insert(path);
            }
        });
        return dirs;
    }
    for record in records {
        for above in record.path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()) {
            if !dirs.insert(above.to_owned()) {
                break;
            }
        }
    }
    dirs
}

/// Sees to it that the archive remembers a sealed volume, and names rows that it was sealed without. Tells whether anything
/// was missing.
///
/// # Errors
/// [`Failure::Stop`] where the archive cannot be written to.
pub(super) fn complete(
    locked: &mut Locked,
    number: Number,
    account: Option<&Account>,
    job: &Job<'_>,
) -> Result<bool, Failure> {
    let traces = locked.traces(number);
    let dir = number.dir(&locked.archive.dir);
    let mut records = match records(&locked.archive, number, traces) {
        Ok(Some(records)) => records,
        Ok(None) => {
            job.reporter.failed("sealing", &dir, &"its listing is missing, and so is the volume");
            return Ok(false);
        }
        Err(Failure::Stop(problem)) => {
            job.reporter.failed_text("sealing", &shown(&dir), &problem);
            return Ok(false);
        }
        Err(other) => return Err(other),
    };
    records.sort_by(|one, other| one.path.as_os_str().as_bytes().cmp(other.path.as_os_str().as_bytes()));
    if let Some(account) = account {
        account.compare(&records, job.reporter);
    }
    if !is_wanting(traces) {
        return Ok(false);
    }
    if traces.has_dir {
        // Where a file gets its name as a link, a crash may have left the temporary one, too.
        let cleared = locked.open_volume(number).and_then(|desk| desk.clear());
        cleared.map_err(|error| stop("opening", &dir, &error))?;
    }
    let (capacity, filesystem) = locked.disc(number, account.and_then(|account| account.plan.disc), job);
    let tally = Tally::of(filesystem, records.iter(), dirs(&dir, traces, &records).iter());
    locked.protect()?;
    locked.remember(number, &records.iter(), &tally, capacity)?;
    Ok(true)
}

/// Whether the archive does not remember all of a sealed volume.
pub(super) fn is_wanting(traces: Traces) -> bool {
    let is_burned = traces.state == Some(crate::volume::catalogue::State::Burned);
    !traces.is_complete() || !traces.has_listing || !traces.has_marker && !is_burned
}
