//! What stands in an archive: which volumes there are, and what may become of each.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::catalogue::{Catalogue, State};
use super::{INDEX, LISTING, LISTINGS, MARKER, Number, README, SUMS};
use crate::cli::Failure;
use crate::report::{self, shown};

/// An archive as it was found.
#[derive(Debug, Default)]
pub struct Archive {
    /// Its directory, as it was given.
    pub dir: PathBuf,
    /// Its catalogue.
    pub catalogue: Catalogue,
    /// Every volume of which there is any trace.
    pub volumes: BTreeMap<Number, Traces>,
}

/// What there is of one volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a trace of its own")]
pub struct Traces {
    /// Its directory.
    pub has_dir: bool,
    /// Some of the files that describe it, in that directory.
    pub has_begun: bool,
    /// Index and checksums, in that directory.
    pub has_seal: bool,
    /// The marker of what was never burned.
    pub has_marker: bool,
    /// Its listing in the archive.
    pub has_listing: bool,
    /// What the catalogue tells.
    pub state: Option<State>,
}

/// What may become of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A directory that may still get files.
    Open,
    /// Its sealing was cut off: nothing is added any more, and it is to be finished.
    HalfSealed,
    /// It never changes any more.
    Sealed,
    /// Only its number was left: nobody may have it again.
    Lost,
}

impl Traces {
    /// What may become of it.
    #[must_use]
    pub fn standing(self) -> Standing {
        let is_catalogued = matches!(self.state, Some(State::Sealed | State::Burned));
        if self.has_seal || self.has_listing || is_catalogued {
            Standing::Sealed
        } else if !self.has_dir {
            Standing::Lost
        } else if self.has_begun {
            Standing::HalfSealed
        } else {
            Standing::Open
        }
    }

    /// Whether it is sealed, and everything that tells so stands: the catalogue comes last.
    #[must_use]
    pub fn is_complete(self) -> bool {
        matches!(self.state, Some(State::Sealed | State::Burned))
    }

    /// Whether a disc of it is known.
    #[must_use]
    pub fn is_burned(self) -> bool {
        self.state == Some(State::Burned)
    }

    /// Whether it was sealed, and there is neither its directory nor a disc that anybody knew of.
    #[must_use]
    pub fn is_missing(self) -> bool {
        self.standing() == Standing::Sealed && !self.has_dir && !self.is_burned()
    }

    /// Whether it was open when the catalogue was written, and is no more: as when what was moved there was moved back.
    #[must_use]
    pub fn was_left(self) -> bool {
        self.standing() == Standing::Lost && self.state == Some(State::Open) && !self.has_marker
    }
}

impl Archive {
    /// Looks at the archive in `dir`; an empty one where there is no such directory yet.
    ///
    /// # Errors
    /// [`Failure::Stop`] where it cannot be looked at, or its catalogue cannot be read.
    pub fn survey(dir: &Path) -> Result<Self, Failure> {
        let mut archive = Self { dir: dir.to_owned(), ..Self::default() };
        archive.look().map_err(|error| unreadable(dir, &error))?;
        let listings = dir.join(LISTINGS);
        archive.look_at_listings(&listings).map_err(|error| unreadable(&listings, &error))?;
        archive.catalogue = Catalogue::read(dir)?;
        let told: Vec<_> = archive.catalogue.volumes().map(|volume| (volume.number, volume.state)).collect();
        for (number, state) in told {
            archive.traces(number).state = Some(state);
        }
        Ok(archive)
    }

    fn traces(&mut self, number: Number) -> &mut Traces {
        self.volumes.entry(number).or_default()
    }

    fn look(&mut self) -> io::Result<()> {
        let dir = self.dir.clone();
        for entry in entries(&dir)? {
            let entry = entry?;
            let name = entry.file_name();
            if let Some(number) = of_name(&name, MARKER) {
                self.traces(number).has_marker = true;
            }
            if let Some(number) = Number::of_dir(&name) {
                // Whatever has that name keeps its number, as a link to a disk that is not there now does.
                let traces = self.traces(number);
                // What a symbolic link leads to is a volume, too: somebody has more than one disk.
                if !entry.path().is_dir() {
                    continue;
                }
                let stands = |name: &str| match entry.path().join(name).symlink_metadata() {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
                    other => other.map(|_| true),
                };
                let described = [stands(INDEX)?, stands(SUMS)?, stands(README)?];
                traces.has_dir = true;
                traces.has_seal = described[0] && described[1];
                traces.has_begun = described.contains(&true);
            }
        }
        Ok(())
    }

    fn look_at_listings(&mut self, dir: &Path) -> io::Result<()> {
        for entry in entries(dir)? {
            if let Some(number) = of_name(&entry?.file_name(), LISTING) {
                self.traces(number).has_listing = true;
            }
        }
        Ok(())
    }

    /// The first number that no volume ever had, nor may have had; `None` where there is none left.
    #[must_use]
    pub fn next_number(&self) -> Option<Number> {
        self.volumes.last_key_value().map_or(Some(Number::FIRST), |(last, _)| last.next())
    }

    /// The volumes of some standing.
    pub fn that_are(&self, standing: Standing) -> impl Iterator<Item = Number> {
        self.volumes.iter().filter(move |(_, traces)| traces.standing() == standing).map(|(number, _)| *number)
    }

    /// Refuses a tree that is sorted by years or days: to pack into it would mix volumes with what is there, and to seal it would
    /// put lists into each of its directories.
    ///
    /// # Errors
    /// [`Failure::Stop`] that begins with what is being done, and names the first directory that looks so.
    pub fn refuse_dates(&self, doing: &str) -> Result<(), Failure> {
        let Some(number) = self.looks_like_a_date() else { return Ok(()) };
        let sorted = if is_year(number) { "years" } else { "days" };
        let path = shown(&number.dir(&self.dir));
        Err(Failure::Stop(format!(
            "{doing}: {path}: a tree that is sorted by {sorted} looks like this, and an archive of numbered volumes does not; give the \
             archive a directory of its own"
        )))
    }

    /// A directory that looks more like one of a tree of photos: a year, or a longer number such as a day, up to which nothing
    /// tells of volumes. Files in it that are only called like those of a volume tell nothing.
    #[must_use]
    pub fn looks_like_a_date(&self) -> Option<Number> {
        let there = self.volumes.iter().filter(|(_, traces)| traces.has_dir).map(|(number, _)| *number);
        there.filter(|number| is_year(*number) || number.get() >= LONG).find(|number| {
            let from = if is_year(*number) { FIRST_KNOWN } else { LONG / 10 };
            let known = self.volumes.keys().filter(|other| (from..=number.get()).contains(&other.get()));
            !known.copied().any(|number| self.is_known(number))
        })
    }

    /// Whether anything tells that this is a volume: the archive, or a text that was made for that very one.
    fn is_known(&self, number: Number) -> bool {
        let Some(traces) = self.volumes.get(&number) else { return false };
        let told = traces.has_marker || traces.has_listing || traces.state.is_some_and(|state| state != State::Open);
        let dir = number.dir(&self.dir);
        let is_readme = || super::is_readme(&dir.join(README), Some(number)).unwrap_or(false);
        told || traces.has_begun && (is_readme() || super::index::is_one(&dir.join(INDEX)).unwrap_or(false))
    }
}

/// Numbers from here on are known from the volumes that come before them; an archive with less than that has no volume that
/// is called like a year.
const FIRST_KNOWN: u32 = 1000;

/// A number with six digits or more is that of a month, of a day, or anything else but a volume where nothing tells of volumes
/// with at least one digit less.
const LONG: u32 = 100_000;

/// From the first photo on.
fn is_year(number: Number) -> bool {
    (1826..=2199).contains(&number.get())
}

/// A directory that is not there has no entries.
fn entries(dir: &Path) -> io::Result<Box<dyn Iterator<Item = io::Result<std::fs::DirEntry>>>> {
    match std::fs::read_dir(dir) {
        Ok(entries) => Ok(Box::new(entries)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Box::new(std::iter::empty())),
        Err(error) => Err(error),
    }
}

fn of_name(name: &OsStr, suffix: &str) -> Option<Number> {
    Number::of_dir(OsStr::from_bytes(name.as_bytes().strip_suffix(suffix.as_bytes())?))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::Stop(format!("looking at the archive: {}: {}", shown(path), report::reason(error)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn number(number: u64) -> Number {
        Number::new(number).expect("number")
    }

    #[test]
    fn every_trace_of_a_volume_keeps_its_number() {
        let dir = tempfile::tempdir().expect("directory");
        let next = || Archive::survey(dir.path()).expect("archive").next_number();
        assert_eq!(next(), Some(Number::FIRST));
        for name in ["0003", "7", "notes", "catalog"] {
            fs::create_dir(dir.path().join(name)).expect("directory");
        }
        assert_eq!(next(), Some(number(4)));
        std::os::unix::fs::symlink("no/such/disk", dir.path().join("0004")).expect("link");
        assert_eq!(next(), Some(number(5)));
        fs::write(dir.path().join("0005.UNBURNED"), "").expect("marker");
        assert_eq!(next(), Some(number(6)));
        fs::write(dir.path().join("catalog/0009.tsv"), "").expect("listing");
        assert_eq!(next(), Some(number(10)));
        let json = r#"{"format":"mediastruct-archive/1","volumes":[{"volume":11,"label":"MS_0011","state":"burned","files":0,"bytes":0,"image_bytes":0}]}"#;
        fs::write(dir.path().join("index.json"), json).expect("catalogue");
        assert_eq!(next(), Some(number(12)));
    }

    #[test]
    fn only_a_directory_without_any_seal_is_open() {
        let dir = tempfile::tempdir().expect("directory");
        let volume = dir.path().join("0001");
        fs::create_dir(&volume).expect("volume");
        let standing = || Archive::survey(dir.path()).expect("archive").volumes[&Number::FIRST].standing();
        assert_eq!(standing(), Standing::Open);
        fs::write(volume.join(README), "").expect("file");
        assert_eq!(standing(), Standing::HalfSealed);
        fs::write(volume.join(INDEX), "").expect("file");
        fs::write(volume.join(SUMS), "").expect("file");
        assert_eq!(standing(), Standing::Sealed);
        fs::remove_dir_all(&volume).expect("removal");
        fs::write(dir.path().join("0001.UNBURNED"), "").expect("marker");
        assert_eq!(standing(), Standing::Lost);
        fs::create_dir(dir.path().join("catalog")).expect("directory");
        fs::write(dir.path().join("catalog/0001.tsv"), "").expect("listing");
        fs::create_dir(&volume).expect("volume");
        assert_eq!(standing(), Standing::Sealed, "a directory that came back gets nothing, either");
    }

    #[test]
    fn a_tree_of_years_is_no_archive() {
        let dir = tempfile::tempdir().expect("directory");
        fs::create_dir(dir.path().join("2012")).expect("directory");
        let year = || Archive::survey(dir.path()).expect("archive").looks_like_a_date();
        assert_eq!(year(), Some(number(2012)));
        fs::create_dir(dir.path().join("2011")).expect("directory");
        for name in [README, INDEX, SUMS] {
            fs::write(dir.path().join("2011").join(name), "of somebody else").expect("file");
            assert_eq!(year(), Some(number(2011)), "{name}");
        }
        fs::write(dir.path().join("2011").join(README), "MS_2011\n=======\n").expect("file");
        assert_eq!(year(), None);
        fs::remove_dir_all(dir.path().join("2011")).expect("removal");
        fs::create_dir(dir.path().join("catalog")).expect("directory");
        fs::write(dir.path().join("catalog/2011.tsv"), "").expect("listing");
        assert_eq!(year(), None);
        fs::create_dir(dir.path().join("20120305")).expect("directory");
        assert_eq!(year(), Some(number(20_120_305)));
    }
}
