//! An archive that nobody else seals, and what it remembers of its volumes.

use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::desk::{Desk, Stamp};
use super::tally::Tally;
use super::{Job, stop};
use crate::cli::Failure;
use crate::place;
use crate::record::{INDEX_COLUMNS, Record};
use crate::report::{self, shown};
use crate::stream::writer::tsv_line;
use crate::volume::archive::{Archive, Traces};
use crate::volume::catalogue::{State, Volume};
use crate::volume::image::Filesystem;
use crate::volume::medium::Disc;
use crate::volume::{INDEX, LISTINGS, Number, TEMPORARY};

/// An archive, locked until this is dropped.
#[derive(Debug)]
pub(super) struct Locked {
    desk: Desk,
    /// The directory of the listings, as soon as there is one.
    listings: Option<Desk>,
    /// The catalogue as it was last read or written.
    known: Option<Stamp>,
    pub(super) archive: Archive,
}

impl Locked {
    /// Locks the archive and looks at it. What a crash has left of a file is removed.
    ///
    /// # Errors
    /// [`Failure::Stop`] where somebody else is at work there, or it cannot be looked at.
    pub(super) fn open(job: &Job<'_>) -> Result<Self, Failure> {
        let dir = &job.options.archive;
        let failed = |error| stop("opening the archive", dir, &error);
        let desk = Desk::open(dir).map_err(failed)?;
        match desk.lock() {
            Ok(true) => {}
            Ok(false) => {
                return Err(Failure::Stop(format!(
                    "locking the archive: {}: another ms-seal is at work there",
                    shown(dir)
                )));
            }
            // Some network filesystems lock files only.
            Err(error) => job.reporter.warn(&format!(
                "locking the archive: {}: {}; see to it that no other ms-seal works there",
                shown(dir),
                report::reason(&error)
            )),
        }
        clear(&desk)?;
        let at_listings = |error| stop("opening", &dir.join(LISTINGS), &error);
        let listings = desk.has(LISTINGS).then(|| desk.open_in(LISTINGS)).transpose().map_err(at_listings)?;
        listings.iter().try_for_each(clear)?;
        let known = desk.stamp(INDEX).map_err(failed)?;
        // It would be replaced itself, and what it leads to would stay as it is, unnoticed.
        if desk.is_link(INDEX).map_err(failed)? {
            return Err(Failure::Stop(format!("opening the catalogue: {}: {LINK}", shown(&dir.join(INDEX)))));
        }
        let archive = Archive::survey(dir)?;
        // What was looked at must be what was locked.
        desk.check_place().map_err(failed)?;
        Ok(Self { desk, listings, known, archive })
    }

    /// Opens the directory of a volume, from the archive that is locked.
    pub(super) fn open_volume(&self, number: Number) -> std::io::Result<Desk> {
        self.desk.open_in(&number.to_string())
    }

    /// What there is of a volume.
    pub(super) fn traces(&self, number: Number) -> Traces {
        self.archive.volumes.get(&number).copied().unwrap_or_default()
    }

    /// How large the image of a volume may be, where that is known, and what it is written as. What the plan says counts
    /// first, then what the options say, then what the archive remembers.
    pub(super) fn disc(&self, number: Number, planned: Option<Disc>, job: &Job<'_>) -> (Option<u64>, Filesystem) {
        if let Some(disc) = planned {
            return (Some(disc.capacity), disc.filesystem);
        }
        let known = self.archive.catalogue.get(number);
        let capacity = job.options.disc.map(|disc| disc.capacity);
        let filesystem = job.options.filesystem.or(known.and_then(|volume| volume.fs));
        (capacity.or(known.and_then(|volume| volume.capacity)), filesystem.unwrap_or_default())
    }

    /// From now on nothing leaves the archive.
    pub(super) fn protect(&self) -> Result<(), Failure> {
        self.writing(place::MARKER, |desk| desk.put_mark(place::MARKER))
    }

    /// Remembers what a volume is made for before its sealing begins, since after a crash nobody may tell that again.
    pub(super) fn remember_disc(
        &mut self,
        number: Number,
        tally: &Tally,
        capacity: Option<u64>,
    ) -> Result<(), Failure> {
        let open = tally.volume(number, State::Open, capacity);
        let knows = |known: &Volume| (known.capacity, known.fs) == (open.capacity, open.fs);
        if capacity.is_none() || self.archive.catalogue.get(number).is_some_and(knows) {
            return Ok(());
        }
        self.archive.catalogue.put(open);
        self.save()
    }

    /// Remembers a sealed volume: its listing, its marker, and last the catalogue, which is believed where it knows the volume
    /// as sealed already. A volume that is gone gets no marker: there is nothing to be burned.
    pub(super) fn remember<'r>(
        &mut self,
        number: Number,
        records: &(impl Iterator<Item = &'r Record> + Clone),
        tally: &Tally,
        capacity: Option<u64>,
    ) -> Result<(), Failure> {
        let traces = self.traces(number);
        self.put_listing(number, records)?;
        if traces.has_dir && !traces.is_burned() {
            self.mark(number)?;
        }
        if !traces.is_complete() {
            self.archive.catalogue.put(tally.volume(number, State::Sealed, capacity));
        }
        self.save()
    }

    fn put_listing<'r>(
        &mut self,
        number: Number,
        records: &(impl Iterator<Item = &'r Record> + Clone),
    ) -> Result<(), Failure> {
        if self.traces(number).has_listing {
            return Ok(());
        }
        let dir = PathBuf::from(number.to_string());
        let text = |out: &mut dyn Write| {
            let mut line = Vec::new();
            records.clone().try_for_each(|record| {
                line.clear();
                tsv_line(
                    &Record { path: dir.join(&record.path), id: None, ..record.clone() },
                    INDEX_COLUMNS,
                    &mut line,
                );
                out.write_all(&line)
            })
        };
        let listing = number.listing(Path::new(""));
        let listings = match self.listings.take() {
            Some(listings) => Ok(listings),
            None => self.desk.make_in(LISTINGS),
        };
        let put = listings.and_then(|listings| {
            let listings = self.listings.insert(listings);
            listings.put(&name_of(&listing), &text)?;
            listings.check_place()
        });
        put.map_err(|error| stop("writing", &self.desk.path_of(&listing.to_string_lossy()), &error))
    }

    /// Puts the marker of a volume that was never burned.
    pub(super) fn mark(&self, number: Number) -> Result<(), Failure> {
        let marker = name_of(&number.marker(Path::new("")));
        self.writing(&marker, |desk| desk.put_mark(&marker))
    }

    /// Removes the marker of a volume that was never burned.
    pub(super) fn unmark(&self, number: Number) -> Result<(), Failure> {
        let marker = name_of(&number.marker(Path::new("")));
        self.writing(&marker, |desk| desk.remove(&marker))
    }

    /// Writes the catalogue.
    pub(super) fn save(&mut self) -> Result<(), Failure> {
        let json = self.archive.catalogue.to_json();
        let known = self.known;
        self.writing(INDEX, |desk| desk.replace(INDEX, known, &|out| out.write_all(&json)))?;
        self.known = self.desk.stamp(INDEX).map_err(|error| stop("writing", &self.desk.path_of(INDEX), &error))?;
        Ok(())
    }

    fn writing(&self, name: &str, work: impl FnOnce(&Desk) -> std::io::Result<()>) -> Result<(), Failure> {
        work(&self.desk).map_err(|error| stop("writing", &self.desk.path_of(name), &error))
    }
}

const LINK: &str = "it is a symbolic link, and no other file is put in its place: put the catalogue itself there, and the link, \
                    if it is needed, where this one leads to";

fn clear(desk: &Desk) -> Result<(), Failure> {
    let path = desk.path_of(TEMPORARY);
    desk.clear().map_err(|error| stop("removing what an interrupted run left", &path, &error))
}

/// Names of volumes are plain text.
fn name_of(path: &Path) -> String {
    String::from_utf8_lossy(path.file_name().unwrap_or_default().as_bytes()).into_owned()
}
