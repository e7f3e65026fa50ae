//! Which files have come into which volume, as records tell.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use super::Job;
use crate::cli::Failure;
use crate::place::{self, Locator};
use crate::record::{ContentHash, Timestamp};
use crate::report::{self, shown};
use crate::stream::{Fault, Row, RowRef, Table};
use crate::volume::Number;
use crate::volume::archive::Archive;
use crate::volume::planned::Planned;

/// What is told of the volumes.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    volumes: BTreeMap<Number, Told>,
}

/// What is told of one volume.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Its files, by their paths below it.
    pub(super) files: HashMap<PathBuf, Facts>,
    /// Of the rows that were planned for it, the last that came.
    pub(super) last: Option<Planned>,
}

/// What is told of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) hash: Option<ContentHash>,
    pub(super) size: u64,
    pub(super) mtime: Option<Timestamp>,
}

impl Arrivals {
    /// Reads what has moved.
    ///
    /// # Errors
    /// [`Failure::Stop`] for malformed lines that are not to be skipped, and for streams that change meanwhile.
    pub(super) fn read(table: &Table, archive: &Archive, job: &Job<'_>) -> Result<Self, Failure> {
        let locator = Locator::new();
        let locator = locator
            .map_err(|error| Failure::Stop(format!("finding the working directory: {}", report::reason(&error))))?;
        let mut reading =
            Reading { volumes: Volumes::new(archive, locator), arrivals: Self::default(), strangers: Vec::new() };
        let mut faults: Vec<(RowRef, Fault)> = Vec::new();
        for mut part in table.parts(1) {
            while let Some((at, row)) = part.next_row() {
                match row {
                    Ok(row) => reading.take(&row),
                    Err(fault) => faults.push((at, fault)),
                }
            }
        }
        table.check_whole()?;
        table.judge(&faults, job.options.skip_bad_lines, job.reporter)?;
        let archive = shown(&archive.dir);
        for path in &reading.strangers {
            job.reporter.failed("sealing", path, &format!("it is in no volume of {archive}"));
        }
        Ok(reading.arrivals)
    }

    /// The volumes of which something is told.
    pub(super) fn volumes(&self) -> impl Iterator<Item = Number> {
        self.volumes.keys().copied()
    }

    /// What is told of a volume.
    pub(super) fn of(&self, volume: Number) -> Option<&Told> {
        self.volumes.get(&volume)
    }
}

struct Reading {
    volumes: Volumes,
    arrivals: Arrivals,
    strangers: Vec<PathBuf>,
}

impl Reading {
    fn take(&mut self, row: &Row<'_>) {
        let path = PathBuf::from(OsString::from_vec(row.path_bytes().into_owned()));
        let name = path.file_name();
        let Some((name, (number, dir))) = name.zip(self.volumes.holding(place::parent(&path))) else {
            self.strangers.push(path);
            return;
        };
        let told = self.arrivals.volumes.entry(number).or_default();
        told.files.insert(dir.join(name), Facts { hash: row.hash, size: row.size, mtime: row.mtime });
        let planned = row.note.and_then(Planned::parse).filter(|planned| planned.volume == number);
        if planned.is_some_and(|planned| told.last.is_none_or(|last| last.row < planned.row)) {
            told.last = planned;
        }
    }
}

/// Where the volumes really are.
struct Volumes {
    locator: Locator,
    dirs: HashMap<PathBuf, Number>,
    archive: PathBuf,
    /// The directory that was looked for last: most rows are in that of the row before.
    last: Option<(PathBuf, Option<(Number, PathBuf)>)>,
}

impl Volumes {
    fn new(archive: &Archive, mut locator: Locator) -> Self {
        let real =
            |number: &Number, locator: &mut Locator| locator.directory(&number.dir(&archive.dir)).real().to_owned();
        let dirs = archive.volumes.iter().filter(|(_, traces)| traces.has_dir);
        let dirs = dirs.map(|(number, _)| (real(number, &mut locator), *number)).collect();
        let archive = locator.directory(&archive.dir).real().to_owned();
        Self { locator, dirs, archive, last: None }
    }

    /// The volume that holds a directory, and the path of that below it.
    fn holding(&mut self, dir: &Path) -> Option<(Number, PathBuf)> {
        if let Some((last, found)) = &self.last
            && last == dir
        {
            return found.clone();
        }
        let real = self.locator.directory(dir).real().to_owned();
        let known = real.ancestors().find_map(|above| Some((*self.dirs.get(above)?, above)));
        // Where its directory is gone, a volume is known by its name.
        let named = || {
            let number = Number::of_dir(real.strip_prefix(&self.archive).ok()?.iter().next()?)?;
            Some((number, number.dir(&self.archive)))
        };
        let found = known.map(|(number, above)| (number, above.to_owned())).or_else(named);
        let found = found.and_then(|(number, above)| Some((number, real.strip_prefix(above).ok()?.to_owned())));
        self.last = Some((dir.to_owned(), found.clone()));
        found
    }
}
