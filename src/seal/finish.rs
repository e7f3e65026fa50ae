//! The files that describe a volume and make it one that never changes.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::arrivals::{Arrivals, Facts, Told};
use super::contents::Contents;
use super::publish::{self, Unpublished, failure};
use super::{Job, hashing, protect, readme};
use crate::cli::Failure;
use crate::record::{INDEX_COLUMNS, Record};
use crate::report::{self, shown};
use crate::stream::writer::tsv_line;
use crate::stream::{Held, Table};
use crate::volume::archive::{Archive, Standing};
use crate::volume::catalogue::{State, Volume};
use crate::volume::date::Date;
use crate::volume::extent::Extent;
use crate::volume::medium::Disc;
use crate::volume::{INDEX, LISTINGS, Number, README, SUMS, index, sums};

/// A volume that is sealed now.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) number: Number,
    /// It was not before.
    pub(super) is_new: bool,
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// All that is told of a volume.
#[derive(Debug)]
pub(super) struct Description {
    pub(super) number: Number,
    /// Its files, their paths below it, in order.
    pub(super) files: Vec<Record>,
    /// Its directories, by their paths below it.
    dirs: Vec<PathBuf>,
    disc: Disc,
    knows_capacity: bool,
}

/// Seals a volume, or finishes what was cut off; [`None`] where that is not to be, which is named.
///
/// # Errors
/// [`Failure::Stop`] where something cannot be written. What was written by then the next run finds to be right.
pub(super) fn seal(
    number: Number,
    archive: &mut Archive,
    arrivals: &Arrivals,
    job: &Job<'_>,
) -> Result<Option<Sealed>, Failure> {
    let traces = archive.volumes.get(&number).copied().unwrap_or_default();
    let dir = number.dir(&archive.dir);
    let told = arrivals.of(number);
    let description = if traces.is_complete() {
        check_listed(number, archive, told, job)?;
        return Ok(None);
    } else if traces.has_dir {
        describe(number, &dir, told, job)?
    } else if traces.has_listing {
        Some(from_listing(number, archive, job)?)
    } else {
        job.reporter.failed("sealing", &dir, &"there is no such volume");
        None
    };
    let Some(description) = description else { return Ok(None) };
    if traces.has_dir && !publish_volume(&description, &dir, archive, job)? {
        return Ok(None);
    }
    publish_archive(&description, archive)?;
    let is_new = traces.standing() != Standing::Sealed;
    Ok(Some(Sealed { number, is_new, files: description.files.len() as u64, bytes: description.bytes() }))
}

/// Whether what is told of a sealed volume is a part of it; what is not is named.
fn check_listed(number: Number, archive: &Archive, told: Option<&Told>, job: &Job<'_>) -> Result<(), Failure> {
    let Some(told) = told else { return Ok(()) };
    let listed: BTreeSet<PathBuf> = listing(number, archive)?.into_iter().map(|record| record.path).collect();
    let mut strangers: Vec<&PathBuf> = told.files.keys().filter(|path| !listed.contains(*path)).collect();
    strangers.sort_unstable();
    for path in strangers {
        let reason = format!("volume {number} is sealed already, and this is not in its list");
        job.reporter.failed("sealing", &number.dir(&archive.dir).join(path), &reason);
    }
    Ok(())
}

/// Looks at all of a volume, and at what was told of it; [`None`] where it cannot be sealed as it is.
fn describe(number: Number, dir: &Path, told: Option<&Told>, job: &Job<'_>) -> Result<Option<Description>, Failure> {
    publish::clear(dir).map_err(|error| failure(dir, &error))?;
    let before = job.reporter.failures();
    let mut contents = Contents::of(dir);
    for (path, reason) in &contents.strange {
        job.reporter.failed("sealing", path, reason);
    }
    let own = own_index(dir);
    if let Some(told) = told {
        compare(&contents, told, number, dir, job);
    }
    if job.reporter.failures() > before {
        return Ok(None);
    }
    if contents.files.is_empty() {
        job.reporter.warn(&format!("volume {number}: it holds no file, so it stays open"));
        return Ok(None);
    }
    for file in &mut contents.files {
        let known = [told.and_then(|told| told.files.get(&file.below)), own.get(&file.below)];
        let is_same = |facts: &&Facts| facts.size == file.status.size && facts.mtime == Some(file.status.mtime);
        file.hash = known.into_iter().flatten().filter(is_same).find_map(|facts| facts.hash);
    }
    if !hashing::complete(&mut contents.files, dir, job)? {
        return Ok(None);
    }
    if let Some(changed) = contents.changed(dir) {
        job.reporter.failed("sealing", &dir.join(&changed.below), &"it changed meanwhile, so the volume stays open");
        return Ok(None);
    }
    let planned = told.and_then(|told| told.last);
    let knows_capacity = planned.is_some() || job.options.knows_capacity;
    let disc = planned.filter(|_| !job.options.knows_capacity).map_or(job.options.disc, |planned| planned.disc);
    let description = Description { number, files: records(&contents), dirs: contents.dirs, disc, knows_capacity };
    Ok(description.fits(job).then_some(description))
}

fn records(contents: &Contents) -> Vec<Record> {
    let record = |file: &super::contents::File| Record {
        path: file.below.clone(),
        hash: file.hash,
        size: file.status.size,
        mtime: Some(file.status.mtime),
        id: None,
        dest: None,
        keep: None,
        note: None,
    };
    contents.files.iter().map(record).collect()
}

/// What an earlier run has written of the files of this volume; nothing where it did not come to that.
fn own_index(dir: &Path) -> HashMap<PathBuf, Facts> {
    let path = dir.join(INDEX);
    let read = || {
        let held = Held::open(path.as_os_str())?;
        Table::of(Held::made_from(held.name(), |out| index::to_stream(&held, out))?)
    };
    // Whatever else stands there is named when it is to be written.
    let Some(table) = path.symlink_metadata().ok().and_then(|_| read().ok()) else { return HashMap::new() };
    let facts = |record: Record| (record.path, Facts { hash: record.hash, size: record.size, mtime: record.mtime });
    rows(&table).map(facts).collect()
}

/// The records of a table that is known to have no malformed line, or whose malformed lines do not count.
fn rows(table: &Table) -> impl Iterator<Item = Record> {
    table
        .parts(1)
        .into_iter()
        .flat_map(|mut part| {
            std::iter::from_fn(move || part.next_row().map(|(_, row)| row.ok().map(|row| row.to_record())))
        })
        .flatten()
}

/// Names what was told and is not so.
fn compare(contents: &Contents, told: &Told, number: Number, dir: &Path, job: &Job<'_>) {
    let there: HashMap<&Path, _> = contents.files.iter().map(|file| (file.below.as_path(), file.status)).collect();
    let mut files: Vec<_> = told.files.iter().collect();
    files.sort_unstable_by_key(|(path, _)| *path);
    for (path, facts) in files {
        let problem = match there.get(path.as_path()) {
            None => "it is not there, so the volume stays open",
            Some(status) if status.size != facts.size => {
                "its size is another than when it moved, so the volume stays open"
            }
            Some(status) if facts.mtime.is_some_and(|mtime| mtime != status.mtime) => {
                "it was changed since it moved, so the volume stays open"
            }
            Some(_) => continue,
        };
        job.reporter.failed("sealing", &dir.join(path), &problem);
    }
    if let Some(last) = told.last.filter(|last| last.row < last.rows) {
        let (row, rows) = (report::number(last.row), report::number(last.rows));
        let archive = shown(&job.options.archive);
        job.reporter.failed(
            "sealing",
            dir,
            &format!(
                "file {row} of {rows} planned for it was the last to come, so volume {number} stays open: run the pipeline again to fill \
                 it, or ms-seal --all {archive} to seal it as it is"
            ),
        );
    }
}

impl Description {
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size))
    }

    fn image_bytes(&self) -> u64 {
        use std::os::unix::ffi::OsStrExt as _;
        let filesystem = self.disc.filesystem;
        let dirs = self.dirs.iter().filter_map(|dir| dir.file_name());
        let dirs = dirs.fold(Extent::default(), |sum, name| sum + Extent::of_dir(filesystem, name.as_bytes()));
        let file = |file: &Record| Extent::of_file(filesystem, file.path.as_os_str().as_bytes(), file.size);
        self.files.iter().fold(dirs, |sum, one| sum + file(one)).image_bytes(filesystem)
    }

    fn fits(&self, job: &Job<'_>) -> bool {
        let (image, capacity) = (self.image_bytes(), self.disc.capacity);
        if self.knows_capacity && image > capacity {
            let (image, capacity) = (report::number(image), report::number(capacity));
            job.reporter.failed(
                "sealing",
                &self.number.dir(&job.options.archive),
                &format!("its image may take {image} bytes, and the disc has {capacity}: take something out of it, or name a larger --media"),
            );
            return false;
        }
        true
    }

    /// The first and the last date of its files.
    pub(super) fn dates(&self) -> Option<(Date, Date)> {
        use std::os::unix::ffi::OsStrExt as _;
        let date = |file: &Record| Date::of_file(file.path.as_os_str().as_bytes(), file.mtime);
        let dates = || self.files.iter().map(date).filter(|date| *date != Date::NONE);
        dates().min().zip(dates().max())
    }

    /// How many of its names are in no checksum.
    pub(super) fn unsummed(&self) -> usize {
        self.files.iter().filter(|file| !sums::can_hold(bytes(&file.path))).count()
    }

    fn sums(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for file in &self.files {
            if let Some(hash) = file.hash.filter(|_| sums::can_hold(bytes(&file.path))) {
                sums::push_line(hash, bytes(&file.path), &mut text);
            }
        }
        text
    }

    fn index(&self) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        index::write(self.number, self.files.iter(), &mut text)?;
        Ok(text)
    }

    /// An index stream with paths below the archive.
    fn listing(&self) -> Vec<u8> {
        let mut text = Vec::new();
        let volume = PathBuf::from(self.number.to_string());
        for file in &self.files {
            let file = Record { path: volume.join(&file.path), ..file.clone() };
            tsv_line(&file, INDEX_COLUMNS, &mut text);
        }
        text
    }

    fn entry(&self, state: State) -> Volume {
        let dates = self.dates();
        Volume {
            number: self.number,
            label: self.number.label(),
            state,
            files: self.files.len() as u64,
            bytes: self.bytes(),
            image_bytes: self.image_bytes(),
            capacity: self.knows_capacity.then_some(self.disc.capacity),
            first_date: dates.map(|(first, _)| first.to_string()),
            last_date: dates.map(|(_, last)| last.to_string()),
            burns: Vec::new(),
            other: serde_json::Map::new(),
        }
    }
}

fn bytes(path: &Path) -> &[u8] {
    use std::os::unix::ffi::OsStrExt as _;
    path.as_os_str().as_bytes()
}

/// Writes what describes a volume into it; `false` where something else is in the way, which is named.
fn publish_volume(description: &Description, dir: &Path, archive: &Archive, job: &Job<'_>) -> Result<bool, Failure> {
    if job.interrupt.came() {
        return Ok(false);
    }
    protect(archive)?;
    // What was renamed into it may be known to the kernel only.
    let sync = File::open(dir).and_then(|dir| Ok(rustix::fs::syncfs(dir)?));
    sync.map_err(|error| failure(dir, &error))?;
    let index = description.index().map_err(|error| failure(&dir.join(INDEX), &error))?;
    let texts = [(README, readme::text(description).into_bytes()), (INDEX, index), (SUMS, description.sums())];
    for (name, text) in &texts {
        match publish::new_or_same(dir, name, text) {
            Ok(()) => {}
            Err(Unpublished::Io(error)) => return Err(failure(&dir.join(name), &error)),
            Err(Unpublished::Differs) => {
                let reason = "it stands there already, with another content: move it elsewhere, so that the volume can be sealed";
                job.reporter.failed("sealing", &dir.join(name), &reason);
                return Ok(false);
            }
        }
    }
    let unsummed = description.unsummed() as u64;
    if unsummed > 0 {
        let names = if unsummed == 1 { "1 name".to_owned() } else { format!("{} names", report::number(unsummed)) };
        let number = description.number;
        job.reporter.warn(&format!("volume {number}: {names} that b3sum cannot check: in {INDEX}, but not in {SUMS}"));
    }
    Ok(true)
}

/// Writes what the archive remembers of a volume; the catalogue last.
fn publish_archive(description: &Description, archive: &mut Archive) -> Result<(), Failure> {
    let (number, dir) = (description.number, archive.dir.clone());
    let listings = dir.join(LISTINGS);
    match std::fs::create_dir(&listings) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(failure(&listings, &error)),
        _ => publish::sync(&dir).map_err(|error| failure(&dir, &error))?,
    }
    let listing = number.listing(&dir);
    publish::clear(&listings).map_err(|error| failure(&listings, &error))?;
    replace(&listing, &description.listing())?;
    let traces = archive.volumes.entry(number).or_default();
    // Where its directory is gone already, nobody will burn it.
    if traces.has_dir {
        let marker = number.marker(&dir);
        match publish::new_or_same(&dir, &file_name(&marker), b"") {
            Err(Unpublished::Io(error)) => return Err(failure(&marker, &error)),
            // Whatever it holds, it marks.
            Ok(()) | Err(Unpublished::Differs) => {}
        }
    }
    traces.state = Some(State::Sealed);
    archive.catalogue.put(description.entry(State::Sealed));
    replace(&dir.join(INDEX), &archive.catalogue.to_json())
}

fn replace(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let dir = path.parent().unwrap_or(Path::new("."));
    publish::replace(dir, &file_name(path), content).map_err(|error| failure(path, &error))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Writes the catalogue.
///
/// # Errors
/// [`Failure::Stop`] where it cannot be written; the old one stands then.
pub(super) fn write_catalogue(archive: &Archive) -> Result<(), Failure> {
    replace(&archive.dir.join(INDEX), &archive.catalogue.to_json())
}

/// Has the catalogue tell of the volumes that are still open.
///
/// # Errors
/// As [`write_catalogue`].
pub(super) fn tell_of_open(archive: &mut Archive, job: &Job<'_>) -> Result<(), Failure> {
    let open: Vec<Number> = archive
        .volumes
        .iter()
        .filter(|(_, traces)| {
            matches!(traces.standing(), Standing::Open | Standing::HalfSealed) && !traces.is_complete()
        })
        .map(|(number, _)| *number)
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    for number in open {
        let contents = Contents::of(&number.dir(&archive.dir));
        let known = archive.catalogue.get(number).and_then(|volume| volume.capacity);
        let capacity = known.filter(|_| !job.options.knows_capacity).unwrap_or(job.options.disc.capacity);
        let disc = Disc { capacity, ..job.options.disc };
        let knows_capacity = job.options.knows_capacity || known.is_some();
        let files = records(&contents);
        let description = Description { number, files, dirs: contents.dirs, disc, knows_capacity };
        archive.catalogue.put(description.entry(State::Open));
    }
    write_catalogue(archive)
}

/// The records of a volume's listing, their paths below the volume.
fn listing(number: Number, archive: &Archive) -> Result<Vec<Record>, Failure> {
    let path = number.listing(&archive.dir);
    let table = Table::open(&[path.clone().into_os_string()])?;
    let volume = PathBuf::from(number.to_string());
    let mut records = Vec::new();
    for record in rows(&table) {
        let Ok(below) = record.path.strip_prefix(&volume) else {
            return Err(Failure::Stop(format!("reading: {}: it is no listing of volume {number}", shown(&path))));
        };
        records.push(Record { path: below.to_owned(), ..record.clone() });
    }
    Ok(records)
}

/// What the listing of a volume whose directory is gone tells of it.
fn from_listing(number: Number, archive: &Archive, job: &Job<'_>) -> Result<Description, Failure> {
    let files = listing(number, archive)?;
    let around = |file: &Record| file.path.ancestors().skip(1).map(Path::to_owned).collect::<Vec<_>>();
    let dirs: BTreeSet<PathBuf> = files.iter().flat_map(around).filter(|dir| !dir.as_os_str().is_empty()).collect();
    let (disc, knows_capacity) = (job.options.disc, job.options.knows_capacity);
    Ok(Description { number, files, dirs: dirs.into_iter().collect(), disc, knows_capacity })
}
