//! Volumes that are sealed already: what is known of them, and what of it the archive does not remember yet.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use super::inventory::{self, Met};
use super::locked::Locked;
use super::tally::Tally;
use super::told::Account;
use super::{Action, Job, stop};
use crate::cli::Failure;
use crate::escape;
use crate::hash::Status;
use crate::record::Record;
use crate::report::{self, Reporter, shown};
use crate::stream::{Held, Table};
use crate::volume::archive::{Archive, Traces};
use crate::volume::image::Filesystem;
use crate::volume::{self, INDEX, Number, TEMPORARY, index};

/// The records of a sealed volume with paths below it, from its own index, or else from its listing, in the order of their
/// paths; `None` where there is neither.
///
/// # Errors
/// [`Failure::Stop`] where they cannot be read, are those of another volume, or tell of a path twice.
pub(super) fn records(archive: &Archive, number: Number, traces: Traces) -> Result<Option<Vec<Record>>, Failure> {
    let (path, above) = if traces.has_seal {
        (number.dir(&archive.dir).join(INDEX), None)
    } else if traces.has_listing {
        (number.listing(&archive.dir), Some(PathBuf::from(number.to_string())))
    } else {
        return Ok(None);
    };
    let held = held(&path)?;
    let table = if above.is_none() { of_index(&held, number)? } else { Table::of(held)? };
    let mut records = Vec::new();
    for mut part in table.parts(1) {
        while let Some((at, row)) = part.next_row() {
            let row = row.map_err(|fault| Failure::Stop(format!("reading: {}: {fault}", table.describe(at))))?;
            let record = row.to_record();
            let path = below(&record.path, above.as_deref()).ok_or_else(|| {
                let path = shown(&record.path);
                Failure::Stop(format!("reading: {}: {path}: {LEADS_OUT}", table.describe(at)))
            })?;
            records.push(Record { path, ..record });
        }
    }
    table.check_whole()?;
    records.sort_by(|one, other| key(one).cmp(key(other)));
    match records.windows(2).find(|pair| key(&pair[0]) == key(&pair[1])) {
        Some(pair) => {
            let twice = shown(&pair[0].path);
            Err(Failure::Stop(format!("reading: {}: {twice}: this path is there twice", shown(&path))))
        }
        None => Ok(Some(records)),
    }
}

/// Why a path is none of a volume.
pub(super) const LEADS_OUT: &str = "this path leads out of the volume";

fn key(record: &Record) -> &[u8] {
    record.path.as_os_str().as_bytes()
}

/// The rows of a volume's own index, which must be that of this volume.
fn of_index(held: &Held, number: Number) -> Result<Table, Failure> {
    let mut told = None;
    let rows = Held::made_from(held.name(), |out| {
        told = index::to_stream(held, out)?;
        Ok(())
    });
    let table = Table::of(rows?)?;
    match told.filter(|told| *told != number.get().to_string()) {
        Some(told) => {
            let told = escape::excerpt(told.as_bytes());
            Err(Failure::Stop(format!("reading: {}: it is that of volume {told}, and not of {number}", held.name())))
        }
        None => Ok(table),
    }
}

/// Holds a file of the archive, which nobody waits for: no FIFO, no device.
///
/// # Errors
/// [`Failure::Stop`] where it cannot be read.
pub(super) fn held(path: &Path) -> Result<Held, Failure> {
    drop(volume::open_file(path).map_err(|error| stop("reading", path, &error))?);
    Held::open(path.as_os_str())
}

/// A path below the volume; `None` where it leads elsewhere. The paths of a listing begin with the volume `above` them.
pub(super) fn below(path: &Path, above: Option<&Path>) -> Option<PathBuf> {
    let path = match above {
        Some(above) => path.strip_prefix(above).ok()?,
        // A name that is a bare `-` is written as `./-`.
        None => path.strip_prefix(".").unwrap_or(path),
    };
    let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
    (is_below && path.file_name().is_some()).then(|| path.to_owned())
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

/// What became of what the archive remembers of a sealed volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Completion {
    /// It remembered all.
    Whole,
    /// It does now.
    Done,
    /// It still does not; why was named.
    Failed,
}

/// Sees to it that the archive remembers a sealed volume, and names rows that it was sealed without. What the archive did not
/// know yet it is told of only if the files are there. Where all volumes are looked at, names what came to it or went away since.
///
/// # Errors
/// [`Failure::Stop`] where the archive cannot be written to.
pub(super) fn complete(
    locked: &mut Locked,
    number: Number,
    account: Option<&Account>,
    job: &Job<'_>,
) -> Result<Completion, Failure> {
    let traces = locked.traces(number);
    let dir = number.dir(&locked.archive.dir);
    let records = match records(&locked.archive, number, traces) {
        Ok(Some(records)) => records,
        Ok(None) => {
            job.reporter.failed("sealing", &dir, &"its listing is missing, and so is the volume");
            return Ok(Completion::Failed);
        }
        Err(Failure::Stop(problem)) => {
            job.reporter.failed_text("sealing", &shown(&dir), &problem);
            return Ok(Completion::Failed);
        }
        Err(other) => return Err(other),
    };
    if let Some(account) = account {
        account.compare(&records, job.reporter);
    }
    let is_all = job.options.action == Action::All;
    if traces.has_seal && (!traces.is_complete() || !traces.has_listing) {
        if !check_files(&dir, &records, is_all, job.reporter) {
            return Ok(Completion::Failed);
        }
    } else if is_all && traces.has_dir {
        check_names(&dir, &records, job.reporter);
    }
    if !is_wanting(traces) {
        return Ok(Completion::Whole);
    }
    if traces.has_dir {
        // Where a file gets its name as a link, a crash may have left the temporary one, too.
        if let Err(error) = locked.open_volume(number).and_then(|desk| desk.clear()) {
            let path = dir.join(TEMPORARY);
            job.reporter.failed("removing what an interrupted run left", &path, &report::reason(&error));
            return Ok(Completion::Failed);
        }
    }
    let (capacity, filesystem) = locked.disc(number, account.and_then(|account| account.plans.disc()), job);
    let tally = Tally::of(filesystem, records.iter(), dirs(&dir, traces, &records).iter());
    locked.protect()?;
    locked.remember(number, &records.iter(), &tally, capacity)?;
    Ok(Completion::Done)
}

const LOOKING: &str = "looking at the volume";

const CAME: &str = "it came after the volume was sealed, and is in no list: move it elsewhere";

const GONE: &str = "it is not there, and its volume was sealed with it";

/// Whether a sealed volume has all files of its records, which are in the order of their paths, with their sizes, and with their
/// times as far as a medium keeps them. What differs is named, and with `names_more` what is there besides. No file is read.
pub(super) fn check_files(dir: &Path, records: &[Record], names_more: bool, reporter: &Reporter) -> bool {
    let mut met = vec![false; records.len()];
    let mut is_sound = true;
    let mut failed = |path: &Path, reason: &str, is_ours: bool| {
        is_sound &= !is_ours;
        if is_ours || names_more {
            reporter.failed(LOOKING, path, &reason);
        }
    };
    inventory::walk(dir, |found| match found {
        Met::Dir(_) => {}
        Met::File(path, status, _) => match find(records, &path) {
            Some(place) => {
                met[place] = true;
                if let Some(difference) = difference(&records[place], &status) {
                    failed(&dir.join(path), difference, true);
                }
            }
            None => failed(&dir.join(path), CAME, false),
        },
        Met::Odd(path, reason) => match path.strip_prefix(dir).ok().and_then(|below| find(records, below)) {
            Some(place) => {
                met[place] = true;
                failed(&path, &reason, true);
            }
            None => failed(&path, CAME, false),
        },
        Met::Failed(path, reason) => failed(&path, &reason, true),
    });
    for (record, _) in records.iter().zip(met).filter(|(_, met)| !met) {
        failed(&dir.join(&record.path), GONE, true);
    }
    is_sound
}

/// In which way a file is not the one that a volume was sealed with.
fn difference(record: &Record, status: &Status) -> Option<&'static str> {
    if record.size != status.size {
        return Some("its volume was sealed with another file of this name: its size differs");
    }
    let is_other = record.mtime.is_some_and(|mtime| !mtime.may_be_kept_as(status.mtime));
    is_other.then_some("its volume was sealed with another file of this name: its modification time differs")
}

/// The place of a path among records, which are in the order of their paths.
fn find(records: &[Record], path: &Path) -> Option<usize> {
    records.binary_search_by(|record| key(record).cmp(path.as_os_str().as_bytes())).ok()
}

/// Names what is in a sealed volume and not among its records, which are in the order of their paths, and what is gone from it.
/// No file is looked at, only its name.
fn check_names(dir: &Path, records: &[Record], reporter: &Reporter) {
    let mut met = vec![false; records.len()];
    inventory::names(dir, |found| match found {
        Ok(path) => match find(records, &path) {
            Some(place) => met[place] = true,
            None => reporter.failed(LOOKING, &dir.join(&path), &CAME),
        },
        Err((path, reason)) => reporter.failed(LOOKING, &path, &reason),
    });
    for (record, _) in records.iter().zip(met).filter(|(_, met)| !met) {
        reporter.failed(LOOKING, &dir.join(&record.path), &GONE);
    }
}

/// Whether the archive does not remember all of a sealed volume.
pub(super) fn is_wanting(traces: Traces) -> bool {
    let wants_marker = traces.has_dir && !traces.has_marker && !traces.is_burned();
    !traces.is_complete() || !traces.has_listing || wants_marker
}
